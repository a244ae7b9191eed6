//! The talk of one codex version, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use crate::cli::failing::{FailureSteps, FailureTalk};
use crate::cli::refusing::Refusing;
use crate::cli::template::{EventTemplate, Template};

/// How one version of codex talks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodexProfile {
    /// Which arguments it speaks.
    pub arguments: Arguments,
    /// The model that its configuration names.
    pub model: String,
    /// The sandbox without `--sandbox`.
    pub sandbox: String,
    /// How it shows a sandbox, where that differs from the sandbox' name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sandbox_shown: BTreeMap<String, String>,
    /// What it says on standard error when its home lies below the directory for temporary files. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_home: Option<Template>,
    /// How it reads standard input. Absent: it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<StdinTalk>,
    /// The shell that runs commands, and the switch before the command.
    pub shell: Vec<String>,
    /// Tokens of each model call. Totals are counted over the whole thread.
    pub tokens_per_call: TokensPerCall,
    /// Events before anything happens.
    pub opening: Vec<EventTemplate>,
    /// Events of a command that the turn runs.
    pub command: CommandTalk,
    /// Events of the answer.
    pub reply: Vec<EventTemplate>,
    /// Events at the end of a turn that did not fail.
    pub closing: Vec<EventTemplate>,
    /// What it does when it is to resume a thread that it does not know.
    pub unknown_thread: UnknownThread,
    /// How failures of the model show.
    pub failures: FailureTalk<Failing>,
}

/// How standard input is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StdinTalk {
    /// The line on standard error before it reads.
    pub notice: String,
    /// In which turns it reads to the end before it goes on.
    pub turns: Vec<TurnKind>,
}

/// A kind of turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TurnKind {
    /// `codex exec`: the first turn of a thread.
    First,
    /// `codex exec resume`: a later turn.
    Resumed,
}

/// Tokens of one model call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensPerCall {
    /// Tokens that the model read.
    pub input: u64,
    /// Tokens that the model wrote.
    pub output: u64,
}

/// The events of one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandTalk {
    /// When it starts.
    pub started: Vec<EventTemplate>,
    /// When it has printed something; none for a command that prints nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<EventTemplate>,
    /// When it has ended.
    pub completed: Vec<EventTemplate>,
}

/// What happens to a thread that is to be resumed and is not known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownThread {
    /// A new thread is started without a word.
    StartNew,
    /// The turn is refused.
    Refuse(Refusing),
}

/// How one failure shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    /// Not at all: the turn goes on and ends as if nothing had happened, with whatever answer there is.
    Unnoticed,
    /// The turn ends after these steps.
    Fails(FailureSteps),
}
