//! The three scores: compliance, detection, resilience. Never mixed.
//!
//! They are counted as records come, and hold no record: what they keep grows with the catalogue, not with the cells.

mod compliance;
mod detection;
mod resilience;

use std::sync::Arc;

use gauntlet_reports::{Detection, Resilience};

pub use compliance::ExecutorCompliance;

use crate::cell::Plan;
use crate::coverage::Reached;
use crate::data::Library;
use crate::record::Record;

pub use detection::not_over_processes;

/// What the scores need of the records so far.
#[derive(Debug, Default)]
pub struct Scores {
    compliance: compliance::Counted,
    detection: detection::Counted,
    resilience: resilience::Counted,
}

impl Scores {
    /// The scores of these records.
    pub fn of<'a>(library: &Library, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut scores = Self::default();
        for record in records {
            scores.add(library, record);
        }
        scores
    }

    /// Counts one more cell. Gives its plan when it is worth running over real processes too: for each quirk the first short cell
    /// of the virtual lane that can be and that failed a requirement which the quirk names.
    pub fn add(&mut self, library: &Library, record: &Record) -> Option<Arc<Plan>> {
        self.compliance.add(record);
        self.resilience.add(library, record);
        self.detection.add(library, record)
    }

    /// Whether a cell of the real lane did not fail what its quirk made fail in virtual time.
    pub(crate) fn is_missed_by(&self, library: &Library, record: &Record) -> bool {
        self.detection.is_missed_by(library, record)
    }

    /// Compliance of one executor: its plain cells, without quirk or fault.
    pub fn compliance(&self, library: &Library, executor: &str, reached: &Reached) -> ExecutorCompliance {
        self.compliance.score(library, executor, reached)
    }

    /// Detection: each quirk makes the requirements fail that it names, and no others of its role.
    /// When only a part of the matrix was run, those that no cell of it reached are not scored.
    pub fn detection(&self, library: &Library, is_whole: bool) -> Detection {
        self.detection.score(library, is_whole)
    }

    /// The executors in whose cells each quirk bit.
    pub fn reached(&self) -> Reached {
        self.detection.reached()
    }

    /// Resilience: with every quirk and fault, all other roles keep their requirements.
    pub fn resilience(&self) -> Resilience {
        self.resilience.score()
    }

    /// The faults that reached no cell.
    pub fn idle_faults<'a>(&self, library: &'a Library) -> Vec<&'a str> {
        self.resilience.idle_faults(library)
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
