//! The talk of one Claude Code version, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use crate::cli::failing::{FailureSteps, FailureTalk};
use crate::cli::refusing::Refusing;
use crate::cli::template::EventTemplate;

/// How one version of Claude Code talks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaudeCodeProfile {
    /// Which arguments it speaks.
    pub arguments: Arguments,
    /// The frames of its turns. Absent: none were recorded, and a turn cannot be played.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speech: Option<Box<Speech>>,
}

/// The frames of turns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Speech {
    /// What the short names of models stand for.
    pub models: BTreeMap<String, String>,
    /// What `num_turns` counts.
    pub num_turns: Counting,
    /// Before anything happens.
    pub init: EventTemplate,
    /// A shell command that the turn runs.
    pub command: CommandTalk,
    /// The answer.
    pub reply: EventTemplate,
    /// The end of a turn that did not fail.
    pub result: EventTemplate,
    /// What it does when it is to resume a session that it does not know.
    pub unknown_session: Refusing,
    /// What it does when it is to begin a session that exists.
    pub used_session: Refusing,
    /// How failures of the model show.
    pub failures: FailureTalk<Failing>,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// The messages of the whole session, without its first.
    Messages,
    /// The calls of the model in this turn.
    Calls,
}

/// The frames of one command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandTalk {
    /// The model asks for it.
    pub asked: EventTemplate,
    /// It has ended.
    pub ended: EventTemplate,
}

/// How one failure shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failing {
    /// The turn ends after these steps.
    Fails(FailureSteps),
    /// The model is asked again, and the turn goes on.
    Recovers(Box<Recovery>),
}

/// A model that is asked again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// What tells of it.
    pub again: EventTemplate,
    /// The answer that comes then.
    pub reply: EventTemplate,
}
