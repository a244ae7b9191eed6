//! Which cells a run would take, without running them.

use std::collections::BTreeSet;
use std::sync::Arc;

use gauntlet_reports::{Lane, Listing};

use crate::cell::Plan;
use crate::data::Library;
use crate::matrix::{Selection, not_here};
use crate::runner::{self, Settings};

/// The cells that a run with this selection would take, in the order of its results. The plain cells of the newest profiles are
/// run for it, in virtual time: which quirks and faults cross them depends on what happens there.
pub fn planned(library: &Arc<Library>, selection: &Selection, settings: &Settings) -> Vec<Plan> {
    let mut planned = Vec::new();
    for seed in selection.all_seeds() {
        let selection = Selection { seed, seeds: 1, ..selection.clone() };
        let (plain, real): (Vec<Plan>, Vec<Plan>) =
            selection.plain(library).into_iter().partition(|plan| plan.lane == Lane::Virtual);
        let mut crossed = Vec::new();
        runner::run(selection.probes(library), library, settings, &mut |record| {
            crossed.extend(selection.crossed(library, &record.plan, &record.reachable));
        });
        let crossed = selection.sampled(library, crossed);
        planned
            .extend(plain.into_iter().chain(crossed).chain(real).chain(selection.crossed_by_name(library)));
    }
    planned
}

/// The cells as a table, each with its lane, and why it is skipped if it is.
pub fn listing(library: &Library, plans: &[Plan]) -> Listing {
    let mut listing = Listing::new(&["cell", "lane", "skipped"]);
    let mut seen = BTreeSet::new();
    for plan in plans {
        let id = plan.id();
        if seen.insert(id.clone()) {
            listing.rows.push(vec![id, plan.lane.to_string(), not_here(library, plan).unwrap_or_default()]);
        }
    }
    listing
}
