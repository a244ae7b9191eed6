//! The second score: which quirks the scenarios catch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gauntlet_reports::{Detection, Lane, QuirkRow};
use gauntlet_world::injection::{self, Quirk};

use super::count;
use crate::cell::{Deviation, Plan};
use crate::coverage::Reached;
use crate::data::Library;
use crate::matrix;
use crate::record::Record;
use crate::scenario::Scenario;

/// The quirks so far, by id, and the scenarios that caught one.
#[derive(Debug, Default)]
pub(super) struct Counted {
    quirks: BTreeMap<String, OfQuirk>,
    catching: BTreeSet<String>,
    /// The scenarios that a quirk crossed.
    crossed: BTreeSet<String>,
}

/// What the cells of one quirk say.
#[derive(Debug, Default)]
struct OfQuirk {
    cells: u32,
    /// The executors of its cells.
    executors: BTreeSet<String>,
    /// The requirements of its role that failed in virtual time.
    failed: BTreeSet<String>,
    /// Those that failed without being named, where a list of known failures holds it.
    known: BTreeSet<String>,
    /// What the quirk names and what failed in the cell that is run over real processes too.
    sample: Option<Vec<String>>,
    /// That cell over real processes.
    real: Option<RealCell>,
}

/// A cell that lasts longer than this in virtual time is not run over real processes, where it is waited for by the wall clock.
const SHORT: Duration = Duration::from_secs(20);

/// Why a cell of a quirk that lasted so long in virtual time is not run over real processes too, if it is not.
pub fn not_over_processes(quirk: &Quirk, scenario: &Scenario, lasted: Duration) -> Option<String> {
    if !["receiver", "runtime", "cli", "hermes", "host"].contains(&quirk.role.as_str()) {
        return Some(format!("no process of the role {} is told of quirks", quirk.role));
    }
    if let Some(reason) = &quirk.virtual_only {
        return Some(reason.clone());
    }
    // By the wall clock it would be waited for as long as the runtime has patience.
    if quirk.deviation == injection::Deviation::Stall {
        return Some("what never comes is waited for too long".to_owned());
    }
    let too_long = || format!("it lasts {lasted:?}, and at most {SHORT:?} are waited for");
    matrix::virtual_only(scenario).or_else(|| (lasted > SHORT).then(too_long))
}

#[derive(Debug)]
struct RealCell {
    id: String,
    failed: Vec<String>,
}

impl Counted {
    /// Counts one more cell. Gives its plan when it is the quirk's cell that is run over real processes too.
    pub(super) fn add(&mut self, library: &Library, record: &Record) -> Option<Arc<Plan>> {
        let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return None };
        let of_role =
            |id: &str| library.catalogue.get(id).is_some_and(|known| known.role.name() == quirk.role);
        // What the profile breaks by itself is no deed of the quirk, unless the quirk is said to do it too.
        let its_own = |id: &str| quirk.violates.iter().any(|named| named == id) || !record.plan.breaks(id);
        let is_known = |id: &String| record.line.known.contains(id);
        let failed = record.line.failed.iter().filter(|id| of_role(id) && its_own(id) && !is_known(id));
        let failed: Vec<String> = failed.cloned().collect();
        let named: Vec<String> = failed.iter().filter(|id| quirk.violates.contains(id)).cloned().collect();
        let counted = self.quirks.entry(quirk.id.clone()).or_default();
        counted.cells += 1;
        counted.known.extend(record.line.known.iter().filter(|id| of_role(id)).cloned());
        if !counted.executors.contains(&record.plan.executor.id.value) {
            counted.executors.insert(record.plan.executor.id.value.clone());
        }
        if record.plan.lane == Lane::Real {
            counted.real.get_or_insert_with(|| RealCell { id: record.line.id.clone(), failed });
            return None;
        }
        self.crossed.insert(record.plan.scenario.id.value.clone());
        counted.failed.extend(failed);
        if named.is_empty() {
            return None;
        }
        self.catching.insert(record.plan.scenario.id.value.clone());
        if counted.sample.is_some()
            || not_over_processes(quirk, &record.plan.scenario, record.lasted).is_some()
        {
            return None;
        }
        counted.sample = Some(named);
        Some(record.plan.clone())
    }

    /// Whether this is the quirk's cell over real processes, and something did not fail that did in virtual time.
    pub(super) fn is_missed_by(&self, library: &Library, record: &Record) -> bool {
        let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return false };
        let Some(OfQuirk { sample: Some(sample), real: None, .. }) = self.quirks.get(&quirk.id) else {
            return false;
        };
        let failed = |id: &String| record.line.failed.contains(id) || !library.catalogue.is_scored(id);
        !sample.iter().all(failed)
    }

    pub(super) fn reached(&self) -> Reached {
        let each = self.quirks.iter();
        Reached::of(each.flat_map(|(quirk, of)| {
            of.executors.iter().map(move |executor| (quirk.as_str(), executor.as_str()))
        }))
    }

    pub(super) fn score(&self, library: &Library, is_whole: bool) -> Detection {
        let nothing = OfQuirk::default();
        let row = |quirk: &Quirk| {
            let OfQuirk { cells, failed, known, sample, real, .. } =
                self.quirks.get(&quirk.id).unwrap_or(&nothing);
            let in_real: &[String] = real.as_ref().map_or(&[], |real| &real.failed);
            let missed: Vec<String> =
                quirk.violates.iter().filter(|id| !failed.contains(*id)).cloned().collect();
            let all: BTreeSet<&String> = failed.iter().chain(in_real).collect();
            let unnamed: Vec<String> =
                all.into_iter().filter(|id| !quirk.violates.contains(id)).cloned().collect();
            let expected = sample.iter().filter(|_| real.is_some()).flatten();
            let missed_real: Vec<String> = expected.filter(|id| !in_real.contains(id)).cloned().collect();
            QuirkRow {
                id: quirk.id.clone(),
                role: quirk.role.clone(),
                violates: quirk.violates.clone(),
                cells: *cells,
                // What it breaks may all be newer than the revision that judges.
                scored: (is_whole || *cells > 0) && !quirk.violates.is_empty(),
                caught: *cells > 0
                    && !quirk.violates.is_empty()
                    && missed.is_empty()
                    && unnamed.is_empty()
                    && known.is_empty()
                    && missed_real.is_empty(),
                missed,
                unnamed,
                known: known.iter().cloned().collect(),
                real_cell: real.as_ref().map(|real| real.id.clone()),
                missed_real,
            }
        };
        let rows: Vec<QuirkRow> = library.quirks.values().map(|quirk| row(quirk)).collect();
        Detection {
            caught: count(rows.iter().filter(|row| row.caught).count()),
            all: count(rows.iter().filter(|row| row.scored).count()),
            quirks: rows,
            idle_scenarios: library
                .scenarios
                .iter()
                .filter(|(id, _)| !self.catching.contains(*id))
                .filter(|(id, _)| is_whole || self.crossed.contains(*id))
                // Quirks cross stories in virtual time; those that need real programs, and those with a reason, prove what they prove
                // without one.
                .filter(|(_, scenario)| scenario.no_quirk.is_none() && scenario.real_only().is_none())
                .map(|(id, _)| id.clone())
                .collect(),
        }
    }
}
