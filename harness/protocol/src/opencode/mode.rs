//! What is special about the receiver in front of opencode, and about bringing it to a repository, as data.

use crate::fleet::{CardTexts, Managed, Mode, ModeFiles, Sessions, Setting, Tools};

/// The receiver in front of opencode.
pub const MODE: Mode = Mode {
    name: "opencode",
    peer: "opencode",
    cli: "opencode",
    label: "OpenCode",
    callback_prefix: "oc",
    default_port: 9310,
    default_cap_s: 300,
    sign_in: None,
    replays: None,
    files: ModeFiles {
        config: "oc_receiver.json",
        inbox: "a2a-oc-inbox.jsonl",
        offset: "a2a-oc-inbox.offset",
        transcript: "a2a-oc-transcript.jsonl",
        pid: "oc_receiver.pid",
        token: ".oc-token",
        log: "oc_receiver.log",
        turns: "a2a-oc-turns.jsonl",
    },
    sessions: Sessions::Map { file: "a2a-oc-sessions.json", key: "session_id" },
    one_in_flight: true,
    card: CardTexts {
        version: "0.3.0",
        description: "OpenCode repo-scoped A2A executor peer (oc_receiver).",
        skill: "Executes A2A tasks in the bound repo via opencode run with full harness.",
        tags: &["v0.3", "opencode", "executor"],
    },
    managed: Managed {
        mode: "opencode",
        short: "oc",
        peer: "opencode",
        first_port: 9310,
        token_prefix: "A2A_OC_TOKEN_",
        description: "OpenCode executor receiver",
        tools: Tools { deploy: "deploy_oc_receiver", status: "oc_receiver_status", stop: "oc_receiver_stop" },
        settings: &[
            Setting::RolePrompt,
            Setting::Poll,
            Setting::Cap,
            Setting::LockWait,
            Setting::TrackedContexts,
            Setting::ExtraFlags,
            Setting::Model,
        ],
        note: None,
        role_names_place: true,
    },
};
