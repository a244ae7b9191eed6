//! What of the catalogue nobody would notice: rows that nothing judges, and rows that were never seen to fail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The gaps of the catalogue, over all executors that it has a row for. Each is named `EXECUTOR ID`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Rows that no scenario and no invariant judges on an executor that owes them.
    pub unjudged: Vec<String>,
    /// Rows that no quirk, no mutant and no version of the executor's CLI breaks there: nobody knows that they can fail.
    pub unbroken: Vec<String>,
}
