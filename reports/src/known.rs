//! Known failures: what a list holds, and whether the run bore it out. They are shown apart from failures.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the lists of known failures say of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownFailures {
    /// How many failures were known, each a requirement in a cell. No score and no count of failures holds them.
    pub failures: u32,
    /// The entries, in the order of their files.
    pub entries: Vec<KnownRow>,
}

/// One entry of a list of known failures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownRow {
    /// Where it stands: the file, the line and the column of its pattern.
    pub place: String,
    /// The cells that it is of.
    pub pattern: String,
    /// The requirement that it is narrowed down to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requirement: Option<String>,
    /// Why they fail.
    pub reason: String,
    /// Who sees to it.
    pub owner: String,
    /// Where it is discussed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issue: Option<String>,
    /// The last day on which it holds, as YYYY-MM-DD.
    pub expires: String,
    /// Whether it may also pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flaky: bool,
    /// What the run made of it.
    pub state: KnownState,
    /// How many of its cells failed.
    pub failed: u32,
    /// How many of its cells passed.
    pub passed: u32,
    /// The first cells that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed_in: Vec<String>,
    /// The first cells that passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed_in: Vec<String>,
}

/// What a run made of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownState {
    /// Each of its cells that was judged failed, as it says.
    Known,
    /// It may fail and pass.
    Flaky,
    /// Who made the subject does not agree with the requirement, and says why: it may fail and pass.
    Challenged,
    /// One of its cells passed: the list is stale.
    Passed,
    /// Its last day is over: it excuses nothing any more.
    Expired,
    /// None of its cells was judged in this run.
    NotJudged,
    /// It was written by this run.
    New,
}

impl KnownState {
    /// For people.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Flaky => "flaky",
            Self::Challenged => "challenged",
            Self::Passed => "passed",
            Self::Expired => "expired",
            Self::NotJudged => "not judged",
            Self::New => "new",
        }
    }
}

/// Whether a list is one of challenges: a subject that is certified has these alone.
pub(crate) fn are_challenges(rows: &[KnownRow]) -> bool {
    !rows.is_empty() && rows.iter().all(|row| row.state == KnownState::Challenged)
}

/// What a list of entries is called where it is shown, and what it means.
pub(crate) fn heading(rows: &[KnownRow]) -> (&'static str, &'static str) {
    if are_challenges(rows) {
        return (
            "Challenged",
            "Who made the subject does not agree with these. They are run and shown, and counted apart.",
        );
    }
    ("Known failures", "These are listed, and counted apart.")
}

impl KnownRow {
    /// The pattern with the requirement, if it has one.
    pub fn name(&self) -> String {
        match &self.requirement {
            Some(requirement) => format!("{}!{requirement}", self.pattern),
            None => self.pattern.clone(),
        }
    }
}
