//! Counts of verdicts by level.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::report::RequirementRow;
use crate::verdict::{Level, Verdict};

/// How many requirements got each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// Kept.
    pub pass: u32,
    /// Broken.
    pub fail: u32,
    /// The precondition never came about.
    pub inconclusive: u32,
    /// The harness or its environment failed.
    pub error: u32,
    /// Declared not applicable.
    pub skipped: u32,
    /// Nothing to judge.
    pub not_exercised: u32,
    /// Broken, and every failure is a known one.
    #[serde(default, skip_serializing_if = "is_none")]
    pub known: u32,
}

/// Nothing is known most of the time, and then not written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands on a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Tally {
    /// The count of one verdict.
    pub const fn get(&self, verdict: Verdict) -> u32 {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Inconclusive => self.inconclusive,
            Verdict::Error => self.error,
            Verdict::Skipped => self.skipped,
            Verdict::NotExercised => self.not_exercised,
        }
    }

    /// Counts one more requirement.
    pub const fn add(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Error => &mut self.error,
            Verdict::Skipped => &mut self.skipped,
            Verdict::NotExercised => &mut self.not_exercised,
        };
        *count = count.saturating_add(1);
    }

    /// All requirements counted.
    pub fn total(&self) -> u64 {
        let judged: u64 = Verdict::ALL.into_iter().map(|verdict| u64::from(self.get(verdict))).sum();
        judged + u64::from(self.known)
    }
}

/// The compliance score: cells without quirk or fault, one tally a level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compliance {
    /// What is owed.
    pub must: Tally,
    /// What a trustworthy bridge owes beyond that.
    pub should: Tally,
    /// What is good to have.
    pub may: Tally,
}

impl Compliance {
    /// Counts the verdicts of a report's rows.
    pub fn of(rows: &[RequirementRow]) -> Self {
        let mut compliance = Self::default();
        for row in rows {
            let tally = match row.level {
                Level::Must => &mut compliance.must,
                Level::Should => &mut compliance.should,
                Level::May => &mut compliance.may,
            };
            if row.known_failure {
                tally.known = tally.known.saturating_add(1);
            } else {
                tally.add(row.verdict);
            }
        }
        compliance
    }

    /// The tally of one level.
    pub const fn at(&self, level: Level) -> &Tally {
        match level {
            Level::Must => &self.must,
            Level::Should => &self.should,
            Level::May => &self.may,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_verdict_is_counted_in_its_own_field() {
        for verdict in Verdict::ALL {
            let mut tally = Tally::default();
            tally.add(verdict);
            tally.add(verdict);
            assert_eq!(tally.get(verdict), 2, "{verdict}");
            assert_eq!(tally.total(), 2, "{verdict}");
            assert_eq!(serde_json::to_value(tally).unwrap()[verdict.as_str()], 2, "{verdict}");
        }
    }
}
