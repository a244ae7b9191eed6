//! What a command line asks of a CLI, and why one is refused.

use std::collections::BTreeMap;

use crate::stage::Purpose;

/// What a command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    Probe,
    Turn(TurnRequest),
    Refused(Refusal),
}

/// A turn that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct TurnRequest {
    pub(crate) prompt: String,
    /// The session that is to go on.
    pub(crate) session: Option<String>,
    /// The options that were given, by long name; a switch has an empty value.
    pub(crate) options: BTreeMap<String, String>,
}

/// Why a command line is refused, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// In one line, for the stage.
    pub(crate) reason: String,
    /// The lines on standard output.
    pub(crate) stdout: Vec<String>,
    /// The lines on standard error.
    pub(crate) stderr: Vec<String>,
    /// The exit code.
    pub(crate) exit: i32,
    /// Whether the real CLI would refuse it, too; else only this stand-in cannot play it.
    pub(crate) real: bool,
}

/// The exit code of a stand-in that cannot play what it is asked for.
const EXIT_UNPLAYED: i32 = 2;

impl Refusal {
    /// The real CLI would accept it; this stand-in cannot play it.
    pub(crate) fn unplayed(cli: &str, what: &str) -> Self {
        let reason = format!("this stand-in of {cli} does not play {what}");
        let stderr = vec![format!("gauntlet: {reason}")];
        Self { reason, stdout: Vec::new(), stderr, exit: EXIT_UNPLAYED, real: false }
    }
}

impl Asked {
    /// The same for the stage.
    pub(crate) fn purpose(&self) -> Purpose {
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
