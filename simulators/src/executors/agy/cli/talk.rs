//! The talk of one version, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Arguments;
use crate::cli::failing::{FailureSteps, FailureTalk};
use crate::cli::template::Template;

/// How one version of the Antigravity CLI talks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgyProfile {
    /// Which arguments it speaks.
    pub arguments: Arguments,
    /// What it prints when it is asked for help.
    pub help: String,
    /// The line before everything else when it is to go on with a conversation, `{session}`, that it does not know.
    pub unknown_conversation: Template,
    /// What it says when the limit that it was told is over before its answer is there.
    pub limit: Limit,
    /// How failures of the model show.
    pub failures: FailureTalk<FailureSteps>,
}

/// The end of a turn that came to the limit which the CLI was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// The lines on standard error.
    pub stderr: Vec<String>,
    /// The exit code.
    pub exit: i32,
}
