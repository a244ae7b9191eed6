//! The summary of a whole run, `summary.json`: three scores that are never mixed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compliance::Compliance;
use crate::coverage::Coverage;
use crate::flaky::FlakyCell;
use crate::known::KnownFailures;
use crate::provenance::{Catalogue, Tool};
use crate::verdict::Verdict;

/// The value of [`Summary::schema`].
pub const SCHEMA: &str = "gauntlet.summary/1";

/// One run over all its executors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// The name and version of this format, `gauntlet.summary/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What ran the cells.
    pub tool: Tool,
    /// What they were judged by.
    pub catalogue: Catalogue,
    /// The root seed.
    pub seed: u64,
    /// Whether every selected cell ran to its end.
    pub complete: bool,
    /// Whether the cells with quirks and faults, and those over real processes, are the usual sample of what there is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sampled: bool,
    /// How many cells ran.
    pub cells: CellCounts,
    /// The first score, compliance: cells without quirk or fault.
    pub executors: Vec<ExecutorScore>,
    /// The second score: which quirks the scenarios catch.
    pub detection: Detection,
    /// The third score: what the other roles keep under quirks and faults.
    pub resilience: Resilience,
    /// What of the catalogue nobody would notice.
    #[serde(default)]
    pub coverage: Coverage,
    /// What lists of known failures hold, if there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_failures: Option<KnownFailures>,
    /// The cells that ended in one way beside others and in another way alone, if there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaky: Vec<FlakyCell>,
    /// How many failures there were together, without the known ones.
    pub failures: u32,
    /// The exit code of the command.
    pub exit_code: u8,
    /// Lines that explain an exit code other than 0.
    pub problems: Vec<String>,
}

/// How many cells ran, and how they ended.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellCounts {
    /// All cells.
    pub total: u32,
    /// Cells by the name of their worst verdict.
    pub by_verdict: BTreeMap<String, u32>,
    /// Cells of the virtual lane.
    pub virtual_lane: u32,
    /// Cells of the real lane.
    pub real_lane: u32,
}

/// The compliance of one executor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutorScore {
    /// The executor.
    pub executor: String,
    /// Its requirements, counted by level and verdict.
    pub compliance: Compliance,
    /// The verdict that stands for the executor as a whole.
    pub verdict: Verdict,
}

/// Which quirks the scenarios catch, and which scenarios catch none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detection {
    /// Quirks of which every named requirement failed, and no other of that role.
    pub caught: u32,
    /// All quirks that are scored.
    pub all: u32,
    /// One row a quirk, by id.
    pub quirks: Vec<QuirkRow>,
    /// Ids of scenarios that catch no quirk.
    pub idle_scenarios: Vec<String>,
}

/// One quirk, and whether exactly what it names failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuirkRow {
    /// The quirk's id.
    pub id: String,
    /// The role that it breaks.
    pub role: String,
    /// The requirements that it names.
    pub violates: Vec<String>,
    /// How many cells it was in.
    pub cells: u32,
    /// Whether it counts: not when only a part of the matrix was run, and it was in no cell of that.
    #[serde(default = "scored")]
    pub scored: bool,
    /// Whether it counts as caught.
    pub caught: bool,
    /// Requirements that it names and that failed nowhere.
    pub missed: Vec<String>,
    /// Requirements of its role that failed though it does not name them.
    pub unnamed: Vec<String>,
    /// Such ones of which every failure is a known one. They keep the quirk from being caught, and are no problem of this run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known: Vec<String>,
    /// The cell in which it was tried over real processes too, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_cell: Option<String>,
    /// Requirements that it names and that failed in virtual time in the same cell, and not there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed_real: Vec<String>,
}

/// Most runs know of none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands on a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// Reports of earlier versions score every quirk.
fn scored() -> bool {
    true
}

/// What the other roles keep under quirks and faults.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resilience {
    /// How many were kept of those judged.
    pub kept: u32,
    /// How many were judged.
    pub all: u32,
    /// Those that were not kept; the first ones only when there are very many.
    pub broken: Vec<ResilienceBreak>,
    /// How many further ones there were.
    pub broken_left_out: u32,
    /// How many more are known failures. What they broke is not counted as kept.
    #[serde(default, skip_serializing_if = "is_none")]
    pub known: u32,
}

/// One requirement that another role broke under a quirk or fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResilienceBreak {
    /// The id of the quirk or fault.
    pub deviation: String,
    /// `quirk` or `fault`.
    #[schemars(extend("enum" = ["quirk", "fault"]))]
    pub kind: String,
    /// The id of the requirement.
    pub requirement: String,
    /// The role that broke it.
    pub role: String,
    /// The id of the cell.
    pub cell: String,
}
