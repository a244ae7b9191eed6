//! The talk of one opencode version, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use crate::cli::failing::{FailureSteps, FailureTalk};
use crate::cli::refusing::Refusing;
use crate::cli::template::{EventTemplate, Template};

/// How one version of opencode talks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OpencodeProfile {
    /// Which arguments it speaks.
    pub arguments: Arguments,
    /// What it says on standard error in the first turn below a home.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_turn: Vec<Template>,
    /// Whether it reads standard input to its end before it does anything.
    #[serde(default)]
    pub reads_stdin: bool,
    /// What its turns come to.
    pub turn: TurnTalk,
}

/// What turns come to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnTalk {
    /// Every turn fails before its first event.
    Breaks(FailureSteps),
    /// Turns print events.
    Speaks(Box<Speech>),
}

/// The events of turns. Each call of the model is a step: its beginning, what it says or which tool it uses, its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    /// A step begins.
    pub step_start: EventTemplate,
    /// A shell command has been run.
    pub tool_use: EventTemplate,
    /// The answer.
    pub text: EventTemplate,
    /// A step is over.
    pub step_finish: EventTemplate,
    /// What it does when it is to go on with a session that it does not know.
    pub unknown_session: Refusing,
    /// How failures of the model show.
    pub failures: FailureTalk<Failing>,
}

/// How one failure shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    /// The turn ends after these steps.
    Fails(FailureSteps),
    /// The model is asked again, and whatever it says is printed each time.
    AsksAgain(AsksAgain),
}

/// A model that is asked again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AsksAgain {
    /// How often it is asked in all.
    pub times: u32,
    /// How each of these steps ends.
    pub step_finish: EventTemplate,
    /// The exit code.
    pub exit: i32,
}
