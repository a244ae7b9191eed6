//! Cells that ended in one way beside others and in another way alone. Nobody knows which of the two was the subject's doing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::verdict::Verdict;

/// A cell of the real lane that was run a second time, alone, and did not end as before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlakyCell {
    /// The id of the cell.
    pub cell: String,
    /// The requirements on which it did not.
    pub outcomes: Vec<FlakyOutcome>,
}

/// What became of one requirement in a flaky cell, which counts as inconclusive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlakyOutcome {
    /// The id of the requirement.
    pub requirement: String,
    /// Its verdict when the cell was run beside others.
    pub first: Verdict,
    /// Its verdict when the cell was run alone.
    pub alone: Verdict,
}
