//! What `gauntlet explore` found.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The value of [`Crashes::schema`].
pub const CRASHES: &str = "gauntlet.explore_crash/1";

/// What came of killing processes at every point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crashes {
    /// The name and version of this format, `gauntlet.explore_crash/1`.
    #[schemars(extend("const" = CRASHES))]
    pub schema: String,
    /// What draws the fate of unsynced data, and second crashes.
    pub seed: u64,
    /// Whether everything that was planned was run.
    pub complete: bool,
    /// How many plain cells were looked at.
    pub cells: u64,
    /// How many points they have: two for each port call of a host under test.
    pub points: u64,
    /// How many cells with one crash were run: points that leave the same world are one.
    pub crashes: u64,
    /// How many cells with a second crash during recovery were run.
    pub double_crashes: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What of each host was reached.
    pub hosts: Vec<HostCoverage>,
    /// Kinds of port calls that are in use and at which nobody died. Each is a failure of the search itself.
    pub unreached: Vec<String>,
    /// What was not explored, and why.
    pub left_out: Vec<LeftOut>,
    /// What did not hold, the first ones.
    pub findings: Vec<Finding>,
    /// How many more did not hold.
    pub findings_left_out: u64,
    /// The exit code.
    pub exit_code: u8,
}

/// What was reached of one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostCoverage {
    /// `runtime` or `receiver`.
    pub host: String,
    /// Each kind of port call that it makes.
    pub kinds: Vec<KindCoverage>,
}

/// What was reached of one kind of port call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindCoverage {
    /// For instance `disk.append`.
    pub kind: String,
    /// Points in the plain cells: before each call, and after it.
    pub points: u64,
    /// Cells that were run for one of them, by a kill and by a power cut.
    pub crashes: u64,
    /// Those in which the crash came about.
    pub reached: u64,
    /// How often the world of a point was tried, by itself or by a point that leaves the same.
    pub covered: u64,
}

/// Cells that were not explored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// How many.
    pub cells: u64,
    /// Why.
    pub because: String,
}

/// Something that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The requirement.
    pub requirement: String,
    /// The role that it binds.
    pub role: String,
    /// What it says.
    pub statement: String,
    /// The plain cell.
    pub cell: String,
    /// The point.
    pub point: String,
    /// What happened there.
    pub at: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub observed: String,
    /// The command that runs it alone.
    pub replay: String,
    /// The file with the trace, below the folder of `--out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// The value of [`FaultSearch::schema`].
pub const FAULTS: &str = "gauntlet.explore_faults/1";

/// What came of worlds that nobody thought of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSearch {
    /// The name and version of this format, `gauntlet.explore_faults/1`.
    #[schemars(extend("const" = FAULTS))]
    pub schema: String,
    /// What draws the cells.
    pub seed: u64,
    /// Whether it came to its end.
    pub complete: bool,
    /// How many cells were run, but for those by which a finding was made smaller.
    pub cells: u64,
    /// How many were drawn and could not be made, so that nothing is known of them. Each is a failure of the search itself.
    pub not_made: u64,
    /// How many different pairs of a port or verdict with a quirk or fault came about.
    pub pairs: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What did not hold, once for each requirement.
    pub findings: Vec<Found>,
    /// The exit code.
    pub exit_code: u8,
}

/// Something that did not hold, with the smallest story in which it does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The requirement.
    pub requirement: String,
    /// The role that it binds.
    pub role: String,
    /// What it says.
    pub statement: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub observed: String,
    /// In how many cells it was seen.
    pub cells: u64,
    /// The choices that the smallest story is made of.
    pub choices: Vec<u16>,
    /// The file of scenarios that tells it.
    pub scenario: String,
    /// Where it was written, below the folder of `--out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The command that runs it alone.
    pub replay: String,
}

/// The value of [`Soak::schema`].
pub const REAL: &str = "gauntlet.explore_real/1";

/// What came of work under disturbance over real processes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Soak {
    /// The name and version of this format, `gauntlet.explore_real/1`.
    #[schemars(extend("const" = REAL))]
    pub schema: String,
    /// What draws the stories.
    pub seed: u64,
    /// Whether it came to its end.
    pub complete: bool,
    /// How many stories were told, but for those by which a finding was looked at again.
    pub cells: u64,
    /// How many dispatches were in them.
    pub dispatches: u64,
    /// What disturbed them, and how often.
    pub disturbances: Vec<Disturbed>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What did not hold, once for each requirement.
    pub findings: Vec<SoakFinding>,
    /// The exit code.
    pub exit_code: u8,
}

/// How often something was done to the processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disturbed {
    /// What.
    pub what: String,
    /// How often.
    pub times: u64,
}

/// Something that did not hold over real processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SoakFinding {
    /// The requirement.
    pub requirement: String,
    /// The role that it binds.
    pub role: String,
    /// What it says.
    pub statement: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub observed: String,
    /// In how many stories it was seen.
    pub cells: u64,
    /// How often it was seen when the first of them was told again by itself. What never came again is flaky: the computer may have a
    /// part in it.
    pub again: u32,
    /// How often that was tried.
    pub tries: u32,
    /// The file of scenarios that tells it.
    pub scenario: String,
    /// Where it was written, below the folder of `--out`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The command that runs it alone.
    pub replay: String,
}
