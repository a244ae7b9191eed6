//! Failures, and what was observed that proves them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cap;

/// One observation that a failure points to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Milliseconds since the cell began.
    pub at_ms: u64,
    /// The kind of observation, for example `callback`.
    pub what: String,
    /// Wire text or JSON, redacted by the engine. Written with at most 4,000 characters.
    #[serde(serialize_with = "cap::serialize")]
    #[schemars(length(max = 4000))]
    pub detail: String,
    /// The place of the observation in the cell's trace, from 0.
    pub trace_index: usize,
}

/// One requirement that one cell broke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The id of the cell.
    pub cell: String,
    /// The id of the requirement.
    pub requirement: String,
    /// The role that broke it, for example `receiver`.
    pub guilty: String,
    /// The requirement in one sentence.
    pub statement: String,
    /// What the scenario expected. Written with at most 4,000 characters.
    #[serde(serialize_with = "cap::serialize")]
    #[schemars(length(max = 4000))]
    pub expected: String,
    /// What came instead. Written with at most 4,000 characters.
    #[serde(serialize_with = "cap::serialize")]
    #[schemars(length(max = 4000))]
    pub observed: String,
    /// The observations that prove it, in the order of the trace.
    pub evidence: Vec<Evidence>,
    /// One shell command that runs the cell again.
    pub reproduce: String,
    /// The cell as a sequence diagram in ASCII, redacted. Only the first failure of each of the first failing cells has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagram: Option<String>,
    /// The file of the cell's trace, below the folder of the reports. Only the first failing cells have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Whether that file holds only the beginning of the trace; `reproduce` derives it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trace_cut: bool,
}

impl Failure {
    /// Whether the cell had no quirk and no fault, read from the cell's id.
    pub fn is_of_plain_cell(&self) -> bool {
        let (_, made_of) = self.cell.split_once('@').unwrap_or_default();
        !made_of.contains('+')
    }

    /// Whether the cell ran on this version of this executor, read from the cell's id: `scenario@executor-version`,
    /// then the end or a separator such as `+` or `#`.
    pub fn ran_on(&self, executor: &str, version: &str) -> bool {
        let Some((_, rest)) = self.cell.split_once('@') else { return false };
        let Some(rest) = rest.strip_prefix(executor).and_then(|rest| rest.strip_prefix('-')) else {
            return false;
        };
        let Some(rest) = rest.strip_prefix(version) else { return false };
        rest.chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '.' && next != '-')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure_in(cell: &str) -> Failure {
        Failure {
            cell: cell.to_owned(),
            requirement: String::new(),
            guilty: String::new(),
            statement: String::new(),
            expected: String::new(),
            observed: String::new(),
            evidence: Vec::new(),
            reproduce: String::new(),
            diagram: None,
            trace: None,
            trace_cut: false,
        }
    }

    #[test]
    fn a_failure_belongs_to_the_version_in_its_cell_id() {
        assert!(failure_in("fleet/busy@codex-0.44.0+slow#7").ran_on("codex", "0.44.0"));
        assert!(failure_in("fleet/busy@codex-0.44.0#7").ran_on("codex", "0.44.0"));
        assert!(failure_in("fleet/busy@codex-0.44.0").ran_on("codex", "0.44.0"));
    }

    #[test]
    fn a_deviation_stands_behind_a_plus() {
        assert!(failure_in("fleet/busy@codex-0.44.0#7~real").is_of_plain_cell());
        assert!(!failure_in("fleet/busy@codex-0.44.0+slow#7").is_of_plain_cell());
    }

    #[test]
    fn a_longer_version_is_another_version() {
        assert!(!failure_in("fleet/busy@codex-0.44.0-alpha#7").ran_on("codex", "0.44.0"));
        assert!(!failure_in("fleet/busy@codex-0.44.01#7").ran_on("codex", "0.44.0"));
        assert!(!failure_in("fleet/busy@opencode-0.44.0#7").ran_on("codex", "0.44.0"));
        assert!(!failure_in("fleet/busy").ran_on("codex", "0.44.0"));
    }
}
