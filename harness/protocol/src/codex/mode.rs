//! What is special about the receiver in front of the Codex CLI, and about bringing it to a repository, as data.

use crate::fleet::{CardTexts, Managed, Mode, ModeFiles, Sandboxes, Sessions, Setting, Tools};

/// The receiver in front of the Codex CLI.
pub const MODE: Mode = Mode {
    name: "codex",
    peer: "codex",
    cli: "codex",
    label: "Codex",
    callback_prefix: "codex",
    default_port: 9311,
    default_cap_s: 300,
    sign_in: None,
    replays: None,
    files: ModeFiles {
        config: "codex_receiver.json",
        inbox: "a2a-codex-inbox.jsonl",
        offset: "a2a-codex-inbox.offset",
        transcript: "a2a-codex-transcript.jsonl",
        pid: "codex_receiver.pid",
        token: ".codex-token",
        log: "codex_receiver.log",
        turns: "a2a-codex-turns.jsonl",
    },
    sessions: Sessions::Map { file: "a2a-codex-sessions.json", key: "thread_id" },
    one_in_flight: false,
    card: CardTexts {
        version: "0.1.0",
        description: "Codex CLI repo-scoped A2A executor peer (codex_receiver).",
        skill: "Executes A2A tasks in the bound repo via codex exec with full harness.",
        tags: &["v0.1", "codex", "executor"],
    },
    managed: Managed {
        mode: "codex",
        short: "codex",
        peer: "codex",
        first_port: 9320,
        token_prefix: "A2A_CODEX_TOKEN_",
        description: "Codex CLI executor receiver",
        tools: Tools {
            deploy: "deploy_codex_receiver",
            status: "codex_receiver_status",
            stop: "codex_receiver_stop",
        },
        settings: &[
            Setting::RolePrompt,
            Setting::Poll,
            Setting::Cap,
            Setting::LockWait,
            Setting::TrackedContexts,
            Setting::ExtraFlags,
            Setting::Model,
            Setting::Sandbox(Sandboxes::Named { usual: "workspace-write" }),
        ],
        note: None,
        role_names_place: false,
    },
};
