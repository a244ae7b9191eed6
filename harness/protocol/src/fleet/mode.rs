//! What differs between the receivers of one executor and of another, as data: the shape of it. Each executor's own is the constant
//! `MODE` of its folder (`src/codex/mode.rs`), and has a line in [`MODES`].

use super::Managed;
use super::replay::Replays;

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
    /// For a CLI that prints its whole conversation each time, so that one output alone says nothing: its words.
    pub replays: Option<Replays>,
    /// Its files, all under `<repo>/.hermes/`.
    pub files: ModeFiles,
    /// How it finds the session of a context again.
    pub sessions: Sessions,
    /// Whether a dispatch to a context that has a turn in flight is refused; else it is accepted and waits (fact sheet 2.3
    /// E10, FLEET-ACK-07 and FLEET-ACK-10).
    pub one_in_flight: bool,
    /// The fixed texts of its card.
    pub card: CardTexts,
    /// What a deploy must know of it.
    pub managed: Managed,
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

/// Every mode known here: one line an executor, in the order of names.
pub const MODES: &[Mode] =
    &[crate::agy::MODE, crate::claude_code::MODE, crate::codex::MODE, crate::opencode::MODE];

impl Mode {
    /// The mode of that name.
    pub fn named(name: &str) -> Option<&'static Mode> {
        MODES.iter().find(|mode| mode.name == name)
    }

    /// The mode of that name; for one that nobody knows the first that there was, as the product line takes it (fleet sheet 6.3).
    pub fn named_or_first(name: &str) -> &'static Mode {
        const FIRST: &Mode = &crate::claude_code::MODE;
        Mode::named(name).unwrap_or(FIRST)
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
        assert_eq!(Mode::named("agy"), Some(&crate::agy::MODE));
        assert_eq!(Mode::named("claude_code"), Some(&crate::claude_code::MODE));
        assert_eq!(Mode::named("codex"), Some(&crate::codex::MODE));
        assert_eq!(Mode::named("opencode"), Some(&crate::opencode::MODE));
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
        assert_eq!(crate::agy::MODE.callback_id(1_795_223_567_042), "agy-1795223567042");
        assert_eq!(crate::claude_code::MODE.callback_id(1_795_223_567_042), "cc-1795223567042");
        assert_eq!(crate::codex::MODE.callback_id(1_795_223_567_042), "codex-1795223567042");
        assert_eq!(crate::opencode::MODE.callback_id(1_795_223_567_042), "oc-1795223567042");
    }
}
