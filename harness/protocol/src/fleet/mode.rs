//! What differs between the receivers of one executor and of another, as data. One constant a mode; a further mode is
//! a further constant here and in [`MODES`].

/// One kind of receiver (fact sheet 1, 2.5, 2.6, 3.1, 6.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mode {
    /// The executor: `codex`.
    pub name: &'static str,
    /// The receiver's name as a peer: in its card, its health answer and the transcript's `from` and `to`.
    pub peer: &'static str,
    /// The program behind it; also its short name in the transcript's `dir` and in reply texts.
    pub cli: &'static str,
    /// The program's name in the acknowledgement: `Codex`.
    pub label: &'static str,
    /// What a callback's id begins with, before `-<epoch milliseconds>`.
    pub callback_prefix: &'static str,
    /// The port that the receiver binds when its configuration names none (fact sheet 3.0).
    pub default_port: u16,
    /// The cap of a turn in seconds when the configuration names none (fact sheet 1.1).
    pub default_cap_s: u32,
    /// For a CLI of which it cannot be told whether it failed or nobody is signed in: what replies say of it (fact sheet 3.0).
    pub sign_in: Option<&'static str>,
    /// Its files, all under `<repo>/.hermes/`.
    pub files: ModeFiles,
    /// How it finds the session of a context again.
    pub sessions: Sessions,
    /// Whether a dispatch to a context that has a turn in flight is refused; else it is accepted and waits (fact sheet 2.3
    /// E10, FLEET-ACK-07 and FLEET-ACK-10).
    pub one_in_flight: bool,
    /// The fixed texts of its card.
    pub card: CardTexts,
}

/// How a receiver finds the session of a context again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// The CLI names the session, and a file remembers it.
    Map {
        /// The file, a [`super::SessionMap`].
        file: &'static str,
        /// The member of an entry that holds the CLI's session id.
        key: &'static str,
    },
    /// The session's id follows from the contextId, so there is no file.
    Derived,
}

/// File names of one mode (fact sheet 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModeFiles {
    /// The configuration, a JSON object.
    pub config: &'static str,
    /// The inbox, one [`super::InboxRecord`] a line.
    pub inbox: &'static str,
    /// How many lines of the inbox were handed off.
    pub offset: &'static str,
    /// The transcript, one [`super::TranscriptRecord`] a line.
    pub transcript: &'static str,
    /// The process id of the running receiver.
    pub pid: &'static str,
    /// The inbound bearer token, mode 0600.
    pub token: &'static str,
    /// The receiver's log.
    pub log: &'static str,
    /// The journal of turns that the reference receiver keeps so that no turn is run twice or lost across a crash.
    /// Ours: no release of the product line has it.
    pub turns: &'static str,
}

/// Texts of a receiver's card (fact sheet 2.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardTexts {
    /// The version that the card claims.
    pub version: &'static str,
    /// The card's description.
    pub description: &'static str,
    /// The description of its one skill.
    pub skill: &'static str,
    /// The tags of that skill.
    pub tags: &'static [&'static str],
}

/// The receiver in front of the Google Antigravity CLI.
pub const AGY: Mode = Mode {
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
};

/// The receiver in front of Claude Code.
pub const CLAUDE_CODE: Mode = Mode {
    name: "claude_code",
    peer: "claude-code",
    cli: "claude",
    label: "Claude Code",
    callback_prefix: "cc",
    default_port: 9300,
    default_cap_s: 300,
    sign_in: None,
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
};

/// The receiver in front of the Codex CLI.
pub const CODEX: Mode = Mode {
    name: "codex",
    peer: "codex",
    cli: "codex",
    label: "Codex",
    callback_prefix: "codex",
    default_port: 9311,
    default_cap_s: 300,
    sign_in: None,
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
};

/// The receiver in front of opencode.
pub const OPENCODE: Mode = Mode {
    name: "opencode",
    peer: "opencode",
    cli: "opencode",
    label: "OpenCode",
    callback_prefix: "oc",
    default_port: 9310,
    default_cap_s: 300,
    sign_in: None,
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
};

/// Every mode known here.
pub const MODES: &[Mode] = &[AGY, CLAUDE_CODE, CODEX, OPENCODE];

impl Mode {
    /// The mode of that name.
    pub fn named(name: &str) -> Option<&'static Mode> {
        MODES.iter().find(|mode| mode.name == name)
    }

    /// A callback's id, from the wall clock in milliseconds since the epoch (fact sheet 2.5).
    pub fn callback_id(&self, epoch_milliseconds: u64) -> String {
        format!("{}-{epoch_milliseconds}", self.callback_prefix)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn modes_are_found_by_name() {
        assert_eq!(Mode::named("agy"), Some(&AGY));
        assert_eq!(Mode::named("claude_code"), Some(&CLAUDE_CODE));
        assert_eq!(Mode::named("codex"), Some(&CODEX));
        assert_eq!(Mode::named("opencode"), Some(&OPENCODE));
        assert_eq!(Mode::named("nobody"), None);
    }

    #[test]
    fn two_modes_of_one_repository_share_no_file_and_no_port() {
        let (mut names, mut ports) = (Vec::new(), Vec::new());
        for mode in MODES {
            let f = &mode.files;
            names.extend([f.config, f.inbox, f.offset, f.transcript, f.pid, f.token, f.log, f.turns]);
            if let Sessions::Map { file, .. } = mode.sessions {
                names.push(file);
            }
            ports.push(mode.default_port);
        }
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }

    #[test]
    fn a_callback_id_is_prefix_and_time() {
        assert_eq!(AGY.callback_id(1_795_223_567_042), "agy-1795223567042");
        assert_eq!(CLAUDE_CODE.callback_id(1_795_223_567_042), "cc-1795223567042");
        assert_eq!(CODEX.callback_id(1_795_223_567_042), "codex-1795223567042");
        assert_eq!(OPENCODE.callback_id(1_795_223_567_042), "oc-1795223567042");
    }
}
