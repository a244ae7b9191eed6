//! What a command line asks of a CLI, and why one is refused.

use std::collections::BTreeMap;

use crate::stage::Purpose;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    Probe,
    Turn(TurnRequest),
    Refused(Refusal),
}

/// A turn that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct TurnRequest {
    pub(super) prompt: String,
    /// The session that is to go on.
    pub(super) session: Option<String>,
    /// The options that were given, by long name; a switch has an empty value.
    pub(super) options: BTreeMap<String, String>,
}

/// Why a command line is refused, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// In one line, for the stage.
    pub(super) reason: String,
    /// The lines on standard output.
    pub(super) stdout: Vec<String>,
    /// The lines on standard error.
    pub(super) stderr: Vec<String>,
    /// The exit code.
    pub(super) exit: i32,
    /// Whether the real CLI would refuse it, too; else only this stand-in cannot play it.
    pub(super) real: bool,
}

/// The exit code of a stand-in that cannot play what it is asked for.
const EXIT_UNPLAYED: i32 = 2;

impl Refusal {
    /// The real CLI would accept it; this stand-in cannot play it.
    pub(super) fn unplayed(cli: &str, what: &str) -> Self {
        let reason = format!("this stand-in of {cli} does not play {what}");
        let stderr = vec![format!("gauntlet: {reason}")];
        Self { reason, stdout: Vec::new(), stderr, exit: EXIT_UNPLAYED, real: false }
    }
}

impl Asked {
    /// The same for the stage.
    pub(super) fn purpose(&self) -> Purpose {
        match self {
            Asked::Probe => Purpose::Probe,
            Asked::Turn(request) => {
                Purpose::Turn { prompt: request.prompt.clone(), session: request.session.clone() }
            }
            Asked::Refused(refusal) if refusal.real => Purpose::Refused(refusal.reason.clone()),
            Asked::Refused(refusal) => Purpose::Unplayed(refusal.reason.clone()),
        }
    }
}
