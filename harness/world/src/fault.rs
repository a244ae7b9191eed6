//! Faults: misbehaviour of the world rather than of a peer, aimed at a touch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::touch::{Op, Touch};

/// Where and when a fault bites: the `nth` touch of `host` with this `op` on a matching target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the host whose touch is counted, for instance `receiver`.
    pub host: String,
    /// The port call that is counted.
    pub at: Op,
    /// The end of the target (path, address, program). Absent: any target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Which matching touch bites, counted from 1.
    #[serde(default = "first")]
    pub nth: u32,
    /// Before the effect, or after it but before the caller learns of it.
    #[serde(default)]
    pub moment: Moment,
    /// What happens.
    #[serde(rename = "do")]
    pub happening: Happening,
}

fn first() -> u32 {
    1
}

/// The two points around an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// The effect has not happened.
    #[default]
    Before,
    /// The effect has happened, and the caller does not know it yet.
    After,
}

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// The process dies at once. Its completed writes stay and its children live on.
    Kill,
    /// Every process of the machine dies, and unsynced data meets this fate.
    PowerCut(Unsynced),
    /// The call fails with this error and has no effect. Aimed at the moment after an effect it does nothing.
    Fail(Errno),
    /// A write (to a file, a connection or the own output) stops half way and fails with this error: the first half of
    /// the bytes is there. Any other call fails whole.
    Torn(Errno),
}

/// What becomes of unsynced data and unsynced directory entries at a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unsynced {
    /// All of it is gone.
    Lost,
    /// All of it happens to be there.
    Kept,
    /// A part of every unsynced file tail is there.
    Torn,
    /// The cell's seed chooses, for each file and each directory.
    Drawn,
}

/// The operating system errors that faults can raise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Errno {
    /// ENOSPC: no space left on device.
    NoSpace,
    /// EACCES: permission denied.
    PermissionDenied,
    /// EIO: input/output error.
    Io,
    /// ECONNREFUSED: connection refused.
    ConnectionRefused,
    /// ECONNRESET: connection reset by peer.
    ConnectionReset,
    /// EAGAIN: the process table is full.
    TryAgain,
}

impl Errno {
    /// The error as the real mechanics would report it.
    pub fn error(self) -> std::io::Error {
        std::io::Error::from_raw_os_error(match self {
            Errno::NoSpace => 28,
            Errno::PermissionDenied => 13,
            Errno::Io => 5,
            Errno::ConnectionRefused => 111,
            Errno::ConnectionReset => 104,
            Errno::TryAgain => 11,
        })
    }
}

impl Rule {
    /// Whether this touch counts for the rule.
    pub fn matches(&self, touch: &Touch) -> bool {
        self.matches_parts(&touch.host, touch.op, &touch.target)
    }

    pub(crate) fn matches_parts(&self, host: &str, op: Op, target: &str) -> bool {
        self.at == op && self.host == host && self.target.as_deref().is_none_or(|end| target.ends_with(end))
    }
}

/// A rule that waits for its touch.
#[derive(Debug)]
pub(crate) struct Armed {
    rule: Rule,
    seen: u32,
    /// The touch was counted, and its effect is awaited.
    due: bool,
    done: bool,
}

impl Armed {
    pub(crate) fn new(rule: Rule) -> Self {
        Self { rule, seen: 0, due: false, done: false }
    }

    /// Whether it has bitten.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Counts the touch (at its `Before` moment) and says what happens at this moment, if anything. Of calls that wait in
    /// parallel, the first one whose effect has happened is taken for the one that was counted.
    pub(crate) fn decide(&mut self, host: &str, op: Op, target: &str, moment: Moment) -> Option<Happening> {
        if self.done || !self.rule.matches_parts(host, op, target) {
            return None;
        }
        if moment == Moment::Before {
            self.seen += 1;
            self.due |= self.seen == self.rule.nth;
        }
        self.done = self.due && self.rule.moment == moment;
        self.done.then_some(self.rule.happening)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_with_its_defaults() {
        let text = r#"{ "host": "receiver", "at": "disk.append", "do": "kill" }"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        let (host, at, happening) = ("receiver".to_owned(), Op::DiskAppend, Happening::Kill);
        assert_eq!(rule, Rule { host, at, target: None, nth: 1, moment: Moment::Before, happening });
    }

    #[test]
    fn a_rule_is_read_as_it_is_written() {
        let text = r#"{"host":"receiver","at":"disk.rename","target":"/state.json","nth":3,"moment":"after","do":{"power_cut":"torn"}}"#;
        let rule: Rule = serde_json::from_str(text).unwrap();
        assert_eq!(rule.happening, Happening::PowerCut(Unsynced::Torn));
        assert_eq!(serde_json::to_string(&rule).unwrap(), text);
    }

    #[test]
    fn what_a_rule_does_not_know_is_refused() {
        for text in [
            r#"{ "host": "receiver", "at": "disk.append" }"#,
            r#"{ "host": "receiver", "at": "disk.format", "do": "kill" }"#,
            r#"{ "host": "receiver", "at": "disk.append", "do": { "fail": "no_luck" } }"#,
            r#"{ "host": "receiver", "at": "disk.append", "do": "kill", "when": "now" }"#,
        ] {
            assert!(serde_json::from_str::<Rule>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_kill_after_a_call_that_waited_is_not_missed() {
        let (host, at, happening) = ("receiver".to_owned(), Op::ProcessPrint, Happening::Kill);
        let rule = Rule { host, at, target: None, nth: 1, moment: Moment::After, happening };
        let mut armed = Armed::new(rule);
        let mut at = |moment| armed.decide("receiver", Op::ProcessPrint, "stdout", moment);
        // Two prints wait for room at the same time, then both go on.
        assert_eq!((at(Moment::Before), at(Moment::Before)), (None, None));
        assert_eq!((at(Moment::After), at(Moment::After)), (Some(Happening::Kill), None));
    }
}
