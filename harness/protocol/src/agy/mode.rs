//! What is special about the receiver in front of the Google Antigravity CLI, and about bringing it to a repository, as data.

use crate::fleet::{CardTexts, Managed, Mode, ModeFiles, Sandboxes, Sessions, Setting, Tools};

/// The receiver in front of the Google Antigravity CLI.
pub const MODE: Mode = Mode {
    name: "agy",
    peer: "agy",
    cli: "agy",
    label: "Antigravity CLI",
    callback_prefix: "agy",
    default_port: 9313,
    default_cap_s: 900,
    sign_in: Some(
        "agy not authenticated — run `agy` interactively once on this host to sign in (macOS Keychain; there is no headless login)",
    ),
    replays: Some(super::REPLAYS),
    files: ModeFiles {
        config: "agy_receiver.json",
        inbox: "a2a-agy-inbox.jsonl",
        offset: "a2a-agy-inbox.offset",
        transcript: "a2a-agy-transcript.jsonl",
        pid: "agy_receiver.pid",
        token: ".agy-token",
        log: "agy_receiver.log",
        turns: "a2a-agy-turns.jsonl",
    },
    sessions: Sessions::Map { file: "a2a-agy-sessions.json", key: "conversation_id" },
    one_in_flight: false,
    card: CardTexts {
        version: "0.1.0",
        description: "Google Antigravity CLI repo-scoped A2A executor peer (agy_receiver).",
        skill: "Executes A2A tasks in the bound repo via agy --print with full harness.",
        tags: &["v0.1", "agy", "antigravity", "executor"],
    },
    managed: Managed {
        mode: "agy",
        short: "agy",
        peer: "agy",
        first_port: 9330,
        token_prefix: "A2A_AGY_TOKEN_",
        description: "Google Antigravity CLI executor receiver",
        tools: Tools {
            deploy: "deploy_agy_receiver",
            status: "agy_receiver_status",
            stop: "agy_receiver_stop",
        },
        settings: &[
            Setting::RolePrompt,
            Setting::Poll,
            Setting::Cap,
            Setting::LockWait,
            Setting::TrackedContexts,
            Setting::ExtraFlags,
            Setting::Sandbox(Sandboxes::OnOrOff),
        ],
        note: Some("agy needs one sign-in by hand on this host: run `agy` once in a terminal"),
        role_names_place: false,
    },
};
