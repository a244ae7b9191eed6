//! The second score: which quirks the scenarios catch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_reports::{Detection, Lane, QuirkRow};
use gauntlet_simulators::injection::{self, Quirk};

use super::count;
use crate::cell::{Deviation, Plan};
use crate::data::Library;
use crate::matrix;
use crate::record::Record;

/// The quirks so far, by id, and the scenarios that caught one.
#[derive(Debug, Default)]
pub(super) struct Counted {
    quirks: BTreeMap<String, OfQuirk>,
    catching: BTreeSet<String>,
}

/// What the cells of one quirk say.
#[derive(Debug, Default)]
struct OfQuirk {
    cells: u32,
    /// The requirements of its role that failed in virtual time.
    failed: BTreeSet<String>,
    /// The first cell that failed something which the quirk names and that can be run over real processes.
    sample: Option<Sample>,
    /// The cell that was.
    real: Option<RealCell>,
}

#[derive(Debug)]
struct Sample {
    plan: Arc<Plan>,
    /// What the quirk names and what failed there.
    named: Vec<String>,
}

#[derive(Debug)]
struct RealCell {
    id: String,
    failed: Vec<String>,
}

impl Counted {
    pub(super) fn add(&mut self, library: &Library, record: &Record) {
        let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return };
        let of_role =
            |id: &str| library.catalogue.get(id).is_some_and(|known| known.role.name() == quirk.role);
        // What the profile breaks by itself is no deed of the quirk, unless the quirk is said to do it too.
        let its_own = |id: &str| quirk.violates.iter().any(|named| named == id) || !record.plan.breaks(id);
        let failed = record.line.failed.iter().filter(|id| of_role(id) && its_own(id));
        let failed: Vec<String> = failed.cloned().collect();
        let named: Vec<String> = failed.iter().filter(|id| quirk.violates.contains(id)).cloned().collect();
        let counted = self.quirks.entry(quirk.id.clone()).or_default();
        counted.cells += 1;
        if record.plan.lane == Lane::Real {
            counted.real.get_or_insert_with(|| RealCell { id: record.line.id.clone(), failed });
            return;
        }
        counted.failed.extend(failed);
        if named.is_empty() {
            return;
        }
        self.catching.insert(record.plan.scenario.id.value.clone());
        // The runtime of the real lane is the harness itself, and is not told of quirks.
        let can_be_real = ["receiver", "cli", "hermes"].contains(&quirk.role.as_str())
            && matrix::virtual_only(&record.plan.scenario).is_none()
            // By the wall clock it would be waited for as long as the runtime has patience.
            && quirk.deviation != injection::Deviation::Stall;
        if can_be_real && counted.sample.is_none() {
            counted.sample = Some(Sample { plan: record.plan.clone(), named });
        }
    }

    pub(super) fn samples(&self, seed: u64) -> Vec<Arc<Plan>> {
        let plans = self.quirks.values().filter_map(|quirk| Some(&quirk.sample.as_ref()?.plan));
        plans.filter(|plan| plan.seed == seed).cloned().collect()
    }

    pub(super) fn score(&self, library: &Library) -> Detection {
        let nothing = OfQuirk::default();
        let row = |quirk: &Quirk| {
            let OfQuirk { cells, failed, sample, real } = self.quirks.get(&quirk.id).unwrap_or(&nothing);
            let in_real: &[String] = real.as_ref().map_or(&[], |real| &real.failed);
            let missed: Vec<String> =
                quirk.violates.iter().filter(|id| !failed.contains(*id)).cloned().collect();
            let all: BTreeSet<&String> = failed.iter().chain(in_real).collect();
            let unnamed: Vec<String> =
                all.into_iter().filter(|id| !quirk.violates.contains(id)).cloned().collect();
            let expected = sample.iter().filter(|_| real.is_some()).flat_map(|sample| &sample.named);
            let missed_real: Vec<String> = expected.filter(|id| !in_real.contains(id)).cloned().collect();
            QuirkRow {
                id: quirk.id.clone(),
                role: quirk.role.clone(),
                violates: quirk.violates.clone(),
                cells: *cells,
                caught: *cells > 0 && missed.is_empty() && unnamed.is_empty() && missed_real.is_empty(),
                missed,
                unnamed,
                real_cell: real.as_ref().map(|real| real.id.clone()),
                missed_real,
            }
        };
        let rows: Vec<QuirkRow> = library.quirks.values().map(|quirk| row(quirk)).collect();
        Detection {
            caught: count(rows.iter().filter(|row| row.caught).count()),
            all: count(rows.len()),
            quirks: rows,
            idle_scenarios: library
                .scenarios
                .keys()
                .filter(|id| !self.catching.contains(*id))
                .cloned()
                .collect(),
        }
    }
}
