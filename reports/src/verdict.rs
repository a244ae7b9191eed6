//! Verdicts, and the three ways to sort a requirement: level, class and lane.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was found about one requirement.
///
/// The order is from the mildest to the worst, so the worst of many is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An invariant had nothing to judge.
    NotExercised,
    /// Declared not applicable; the reason is given beside it.
    Skipped,
    /// The requirement was kept.
    Pass,
    /// The precondition never came about; the reason is given beside it.
    Inconclusive,
    /// The requirement was broken.
    Fail,
    /// The harness or its environment failed, so nothing is known about the subject.
    Error,
}

impl Verdict {
    /// Every verdict, in the order in which reports show their counts.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Fail, Self::Inconclusive, Self::Error, Self::Skipped, Self::NotExercised];

    /// The worst of many verdicts; of none, [`Verdict::NotExercised`].
    ///
    /// Error is worst, then fail, inconclusive, pass. Skipped and not exercised say nothing beside a pass.
    pub fn worst(verdicts: impl IntoIterator<Item = Self>) -> Self {
        verdicts.into_iter().max().unwrap_or(Self::NotExercised)
    }

    /// How often each verdict occurs, by its name. Verdicts that do not occur are left out.
    pub fn counts(verdicts: impl IntoIterator<Item = Self>) -> BTreeMap<String, u32> {
        let mut counts = BTreeMap::new();
        for verdict in verdicts {
            *counts.entry(verdict.as_str().to_owned()).or_insert(0) += 1;
        }
        counts
    }

    /// The name used in every file, for example `not_exercised`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotExercised => "not_exercised",
            Self::Skipped => "skipped",
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }

    /// The name for people: [`Verdict::as_str`] with spaces.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotExercised => "not exercised",
            other => other.as_str(),
        }
    }
}

/// How binding a requirement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The contract as documented.
    Must,
    /// What a trustworthy bridge owes its users beyond the contract.
    Should,
    /// Good to have.
    May,
}

impl Level {
    /// Every level, the most binding first.
    pub const ALL: [Self; 3] = [Self::Must, Self::Should, Self::May];

    /// The name used in every file, for example `must`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        }
    }
}

/// Who owes a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Owed by any trustworthy bridge.
    Core,
    /// Owed by a subject that declares the capability.
    Capability,
    /// Owed by a subject that declares the dialect of one product line.
    Parity,
}

impl Class {
    /// Every class, the widest first.
    pub const ALL: [Self; 3] = [Self::Core, Self::Capability, Self::Parity];

    /// The name used in every file, for example `core`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Capability => "capability",
            Self::Parity => "parity",
        }
    }
}

/// Where a cell ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// In process, on simulated machines under a paused clock.
    Virtual,
    /// Over sockets and processes on the wall clock.
    Real,
}

impl Lane {
    /// The name used in every file, for example `virtual`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Virtual => "virtual",
            Self::Real => "real",
        }
    }
}

macro_rules! shown_by_name {
    ($($name:ty),*) => {
        $(impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        })*
    };
}
shown_by_name!(Verdict, Level, Class, Lane);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_verdict_wins_in_the_order_of_the_design() {
        use Verdict::*;
        for (worse, milder) in [(Error, Fail), (Fail, Inconclusive), (Inconclusive, Pass), (Pass, Skipped)] {
            assert_eq!(Verdict::worst([milder, worse, milder]), worse);
        }
        assert_eq!(Verdict::worst([NotExercised, Skipped, NotExercised]), Skipped);
    }

    #[test]
    fn only_skipped_is_skipped_and_nothing_is_not_exercised() {
        assert_eq!(Verdict::worst([Verdict::Skipped, Verdict::Skipped]), Verdict::Skipped);
        assert_eq!(Verdict::worst([Verdict::Skipped, Verdict::Pass]), Verdict::Pass);
        assert_eq!(Verdict::worst([]), Verdict::NotExercised);
    }

    #[test]
    fn names_are_those_that_serde_writes() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.as_str());
        }
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.as_str());
        }
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        for lane in [Lane::Virtual, Lane::Real] {
            assert_eq!(serde_json::to_value(lane).unwrap(), lane.as_str());
        }
    }

    #[test]
    fn counts_leave_out_what_does_not_occur() {
        let counts = Verdict::counts([Verdict::Pass, Verdict::Fail, Verdict::Pass]);
        assert_eq!(counts, BTreeMap::from([("fail".to_owned(), 1), ("pass".to_owned(), 2)]));
    }
}
