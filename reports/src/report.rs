//! The compliance report of one executor, `report.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cap;
use crate::compliance::Compliance;
use crate::evidence::Failure;
use crate::known::KnownRow;
use crate::provenance::{Catalogue, Tool};
use crate::verdict::{Class, Lane, Level, Verdict};

/// The value of [`ExecutorReport::schema`].
pub const SCHEMA: &str = "gauntlet.report/1";

/// Everything that is known about one subject on one executor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutorReport {
    /// The name and version of this format, `gauntlet.report/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What ran the cells.
    pub tool: Tool,
    /// What they were judged by.
    pub catalogue: Catalogue,
    /// The executor, for example `codex`.
    pub executor: String,
    /// What was judged.
    pub subject: Subject,
    /// Whether every selected cell ran to its end. A run that was stopped leaves a valid report with `false` here.
    pub complete: bool,
    /// The root seed.
    pub seed: u64,
    /// What the release is known not to keep; absent for the reference, which keeps everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseRow>,
    /// The versions of the executor's CLI, oldest first.
    pub profiles: Vec<ProfileRow>,
    /// Every requirement that applies to this executor; those of other executors are no part of it.
    pub requirements: Vec<RequirementRow>,
    /// Requirements that are newer than the revision of the catalogue that judges. They ran, and are not scored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newer: Vec<RequirementRow>,
    /// The rows' verdicts, counted by level.
    pub compliance: Compliance,
    /// The failures that nobody expected, of plain cells and of those with a quirk or fault, in matrix order; the first ones only when there are very many.
    pub failures: Vec<Failure>,
    /// How many further failures there were.
    pub failures_left_out: u32,
    /// The entries of the lists of known failures that hold cells of this executor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_failures: Vec<KnownRow>,
    /// Ids of requirements that no scenario judges.
    pub uncovered: Vec<String>,
    /// Ids of requirements that no quirk, no mutant and no version breaks: nobody knows that their checks can fail.
    #[serde(default)]
    pub unbroken: Vec<String>,
}

/// What was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// `receiver` or `runtime`.
    #[schemars(extend("enum" = ["receiver", "runtime"]))]
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its release.
    pub release: String,
}

/// A release of the subject, and whether what it is known not to keep is exactly what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRow {
    /// The name.
    pub id: String,
    /// One sentence.
    pub title: String,
    /// Where it was seen.
    pub seen_in: Vec<String>,
    /// Requirements that it does not keep in front of this executor, as the release lists them.
    pub breaks: Vec<ReleaseBreak>,
    /// Requirements that failed though neither the release nor the profile lists them.
    pub unexpected_breaks: Vec<String>,
    /// Requirements that the release lists and that did not fail: the list is stale.
    pub missing_breaks: Vec<String>,
}

/// A requirement that a release does not keep.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseBreak {
    /// The id.
    pub requirement: String,
    /// How that is known.
    pub evidence: String,
}

/// One version of the executor's CLI, and whether its known breaks are exactly what was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileRow {
    /// The version.
    pub version: String,
    /// Whether the profile was taken from a recording of that version.
    pub recorded: bool,
    /// Where the recording is.
    pub recorded_from: Option<String>,
    /// Requirements that even the reference cannot keep on this version, as the profile lists them.
    pub breaks: Vec<String>,
    /// Requirements that failed though the profile does not list them.
    pub unexpected_breaks: Vec<String>,
    /// Requirements that the profile lists and that did not fail: the list is stale.
    pub missing_breaks: Vec<String>,
}

/// One requirement and what was found about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementRow {
    /// The id, for example `FLEET-AUTH-03`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Who owes it.
    pub class: Class,
    /// The role that it binds.
    pub role: String,
    /// The promise in one sentence.
    pub statement: String,
    /// Where the promise comes from.
    pub source: String,
    /// The worst verdict over versions and lanes.
    pub verdict: Verdict,
    /// Whether it fails, and every failure of it is a known one. It is then counted as known, and not as failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known_failure: bool,
    /// The verdict on each version in each lane.
    pub by_version: Vec<VersionVerdict>,
    /// The ids of the scenarios that judge it.
    pub judged_by: Vec<String>,
}

/// The verdict on one requirement, on one version in one lane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionVerdict {
    /// The version of the executor's CLI.
    pub version: String,
    /// The lane.
    pub lane: Lane,
    /// The worst verdict over the cells.
    pub verdict: Verdict,
    /// Whether the profile lists the requirement among its breaks.
    pub expected_break: bool,
    /// Whether every failure of it here is a known one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub known_failure: bool,
    /// How many cells judged it.
    pub cells: u32,
    /// Why it is skipped, inconclusive or an error.
    #[serde(serialize_with = "cap::serialize_option")]
    #[schemars(length(max = 4000))]
    pub reason: Option<String>,
    /// The files with the traces of cells that judged it, below the folder of the reports, where those of all cells are kept. The
    /// first ones only when there are very many; `results.jsonl` names each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<String>,
}
