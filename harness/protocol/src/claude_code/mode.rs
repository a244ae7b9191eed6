//! What is special about the receiver in front of Claude Code, and about bringing it to a repository, as data.

use crate::fleet::{CardTexts, Managed, Mode, ModeFiles, Sessions, Setting, Tools};

/// The receiver in front of Claude Code.
pub const MODE: Mode = Mode {
    name: "claude_code",
    peer: "claude-code",
    cli: "claude",
    label: "Claude Code",
    callback_prefix: "cc",
    default_port: 9300,
    default_cap_s: 300,
    sign_in: None,
    replays: None,
    files: ModeFiles {
        config: "a2a_receiver.json",
        inbox: "a2a-inbox.jsonl",
        offset: "a2a-inbox.offset",
        transcript: "a2a-transcript.jsonl",
        pid: "cc_receiver.pid",
        token: ".token",
        log: "cc_receiver.log",
        turns: "a2a-turns.jsonl",
    },
    sessions: Sessions::Derived,
    one_in_flight: false,
    card: CardTexts {
        version: "0.3.0",
        description: "Claude Code repo-scoped A2A executor peer (cc_receiver).",
        skill: "Executes A2A tasks in the bound repo via claude -p with full harness.",
        tags: &["v0.3", "claude_code", "executor"],
    },
    managed: Managed {
        mode: "claude_code",
        short: "cc",
        peer: "claude-code",
        first_port: 9300,
        token_prefix: "A2A_CC_TOKEN_",
        description: "Claude Code executor receiver",
        tools: Tools { deploy: "deploy_cc_receiver", status: "cc_receiver_status", stop: "cc_receiver_stop" },
        settings: &[Setting::Model],
        note: None,
        role_names_place: false,
    },
};
