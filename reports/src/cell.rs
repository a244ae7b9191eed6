//! One cell as a line of `results.jsonl`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cap;
use crate::verdict::{Lane, Verdict};

/// What one cell found, short enough to write for every cell of a large matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellLine {
    /// The id that reproduces the cell, for example `fleet/busy@codex-0.44.0+slow-callback#7`.
    pub id: String,
    /// Where the cell ran.
    pub lane: Lane,
    /// The worst verdict of the requirements that the cell touched.
    pub verdict: Verdict,
    /// How many requirements got each verdict, by the verdict's name.
    pub counts: BTreeMap<String, u32>,
    /// BLAKE3 of the trace in hexadecimal; empty in the real lane, whose traces differ from run to run.
    pub digest: String,
    /// The ids of the requirements that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// Those of them that a list of known failures holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
    /// Why the cell was skipped, is inconclusive or is an error.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "cap::serialize_option")]
    #[schemars(length(max = 4000))]
    pub reason: Option<String>,
    /// The file with its trace, below the folder of the reports, where that of every cell is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}
