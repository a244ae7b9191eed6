//! The second score: which quirks the scenarios catch.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::{Detection, QuirkRow};

use super::count;
use crate::cell::Deviation;
use crate::data::Library;
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
    /// The requirements of its role that failed.
    failed: BTreeSet<String>,
}

impl Counted {
    pub(super) fn add(&mut self, library: &Library, record: &Record) {
        let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return };
        let of_role =
            |id: &str| library.catalogue.get(id).is_some_and(|known| known.role.name() == quirk.role);
        let failed: Vec<String> = record.line.failed.iter().filter(|id| of_role(id)).cloned().collect();
        if failed.iter().any(|id| quirk.violates.contains(id)) {
            self.catching.insert(record.plan.scenario.id.value.clone());
        }
        let counted = self.quirks.entry(quirk.id.clone()).or_default();
        counted.cells += 1;
        counted.failed.extend(failed);
    }

    pub(super) fn score(&self, library: &Library) -> Detection {
        let nothing = OfQuirk::default();
        let row = |quirk: &gauntlet_simulators::injection::Quirk| {
            let OfQuirk { cells, failed } = self.quirks.get(&quirk.id).unwrap_or(&nothing);
            let missed: Vec<String> =
                quirk.violates.iter().filter(|id| !failed.contains(*id)).cloned().collect();
            let unnamed: Vec<String> =
                failed.iter().filter(|id| !quirk.violates.contains(id)).cloned().collect();
            QuirkRow {
                id: quirk.id.clone(),
                role: quirk.role.clone(),
                violates: quirk.violates.clone(),
                cells: *cells,
                caught: *cells > 0 && missed.is_empty() && unnamed.is_empty(),
                missed,
                unnamed,
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
