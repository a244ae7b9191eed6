//! One cell that was run again, as `gauntlet replay --format json` prints it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::verdict::{Lane, Verdict};

/// The value of [`Replay::schema`].
pub const SCHEMA: &str = "gauntlet.replay/1";

/// A cell, what was observed, and what held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The name and version of this format, `gauntlet.replay/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The cell's id.
    pub cell: String,
    /// Its lane.
    pub lane: Lane,
    /// The worst verdict.
    pub verdict: Verdict,
    /// Why the harness or its environment failed, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// BLAKE3 of the trace in hexadecimal; empty in the real lane.
    pub digest: String,
    /// The requirements that the cell touched, by id.
    pub requirements: Vec<Judged>,
    /// Everything that was observed, in order and redacted.
    pub trace: Vec<Value>,
}

/// The verdict on one requirement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judged {
    /// The id.
    pub id: String,
    /// What was found.
    pub verdict: Verdict,
    /// Why it is skipped or inconclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was expected and what came instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Found>,
}

/// What was expected and what came instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// What was expected.
    pub expected: String,
    /// What came.
    pub observed: String,
    /// Where in the trace, from 0.
    pub trace: Vec<usize>,
}
