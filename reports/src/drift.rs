//! The versions of one executor's CLI behind one release of a receiver: what holds on which, what changed between neighbours, and
//! which version to pin.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::provenance::{Catalogue, Tool};
use crate::verdict::{Class, Level, Verdict};

/// The value of [`Drift::schema`].
pub const SCHEMA: &str = "gauntlet.drift/1";

/// What `gauntlet drift` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The name and version of this format, `gauntlet.drift/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// What it judged by.
    pub catalogue: Catalogue,
    /// The executor.
    pub executor: String,
    /// The release of the receiver in front of it.
    pub release: String,
    /// The root of everything random.
    pub seed: u64,
    /// The version to pin, or why there is none.
    pub pin: Pin,
    /// The versions, oldest first.
    pub versions: Vec<DriftVersion>,
    /// What changed from each version to the next one.
    pub steps: Vec<DriftStep>,
    /// The verdict of each requirement on each version.
    pub requirements: Vec<DriftRow>,
}

/// Which version to pin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The newest recorded version on which every must is kept that a version can decide; none is safe when it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Why, in sentences.
    pub rationale: Vec<String>,
    /// Where no version is safe, the recorded one that keeps most musts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_bad: Option<String>,
    /// What the least bad one does not keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing: Vec<Broken>,
    /// The version after the pin, and what it breaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextVersion>,
    /// The musts that the release itself keeps on no version, so that no pin mends them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_no_version: Vec<Broken>,
}

/// The version after the pin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextVersion {
    /// The version.
    pub version: String,
    /// Whether it was recorded. One that was not is never a pin, whatever it keeps.
    pub recorded: bool,
    /// The musts that it does not keep.
    pub breaks: Vec<Broken>,
}

/// A requirement that is not kept on a version, and the cells that show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// The requirement's id.
    pub requirement: String,
    /// `fail`, or `inconclusive` where nothing showed that it is kept.
    pub verdict: Verdict,
    /// The requirement in one sentence.
    pub statement: String,
    /// What the data of the version or of the release say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_by: Option<String>,
    /// The first cells that show it; `gauntlet replay` takes each.
    pub cells: Vec<String>,
    /// How many cells show it.
    pub cells_in_all: u32,
    /// A cell of the same story on the pin, where it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_in: Option<String>,
}

/// One version of the CLI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftVersion {
    /// The version.
    pub version: String,
    /// Whether its profile was recorded. One that was not is never a pin.
    pub recorded: bool,
    /// The recordings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_from: Option<String>,
    /// How many cells were run.
    pub cells: u32,
    /// How many musts are kept.
    pub musts_kept: u32,
    /// The musts that rule it out.
    pub breaks: Vec<Broken>,
}

/// What changed from one version to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftStep {
    /// The older version.
    pub from: String,
    /// The newer one.
    pub to: String,
    /// What the CLI takes and says differently, by the data of its profiles.
    pub changes: Vec<Change>,
    /// The requirements that fail on the newer one and passed on the older one.
    pub broken: Vec<String>,
    /// The requirements that failed on the older one and do not on the newer one.
    pub mended: Vec<String>,
}

/// One thing that a version takes or says differently from the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What kind of thing it is.
    pub aspect: Aspect,
    /// What it is: a flag with its command, an event, a field of an event, or the place in the profile.
    pub what: String,
    /// As it was; absent when it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// As it is; absent when it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Change {
    /// The change in one line, without its aspect and without whether it came or went.
    pub fn told(&self) -> String {
        // What a thing says stands behind its name, unless it is the name again.
        let says =
            |said: &str| if said == "printed" { self.what.clone() } else { format!("{}: {said}", self.what) };
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} -> {after}", self.what),
            (Some(said), None) | (None, Some(said)) => says(said),
            (None, None) => self.what.clone(),
        }
    }
}

/// What can change from version to version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aspect {
    /// An option of the command line.
    Flag,
    /// An event that is printed.
    Event,
    /// A field of an event that both versions print.
    Field,
    /// What is said of a failure.
    ErrorText,
    /// How a process ends.
    ExitCode,
    /// Anything else.
    Behaviour,
}

impl Aspect {
    /// Every aspect, in the order in which changes are shown.
    pub const ALL: [Self; 6] =
        [Self::Flag, Self::Event, Self::Field, Self::ErrorText, Self::ExitCode, Self::Behaviour];

    /// The name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Event => "event",
            Self::Field => "field",
            Self::ErrorText => "error text",
            Self::ExitCode => "exit code",
            Self::Behaviour => "behaviour",
        }
    }
}

/// One requirement over the versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftRow {
    /// The id.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// Who owes it.
    pub class: Class,
    /// The role that it binds.
    pub role: String,
    /// The promise in one sentence.
    pub statement: String,
    /// The verdict on each version on which it was judged.
    pub verdicts: BTreeMap<String, Verdict>,
    /// The first cells that show a failure, by version; `gauntlet replay` takes each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_in: BTreeMap<String, Vec<String>>,
}

impl Drift {
    /// The rows that say something of a version: those that are not kept on all of them alike.
    pub fn telling_rows(&self) -> impl Iterator<Item = &DriftRow> {
        let is_kept = |verdict: &Verdict| *verdict <= Verdict::Pass;
        self.requirements.iter().filter(move |row| !row.verdicts.values().all(is_kept))
    }

    /// The first line of every rendering.
    pub fn headline(&self) -> String {
        match (&self.pin.version, &self.pin.least_bad) {
            (Some(version), _) => format!("pin {} {version}", self.executor),
            (None, Some(version)) => format!("no safe pin; the least bad one is {version}"),
            (None, None) => "no safe pin: no version is recorded".to_owned(),
        }
    }
}
