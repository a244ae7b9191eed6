//! How many points there are of each kind of port call, and how many were reached.

use std::collections::BTreeMap;

use gauntlet_reports::explore::{HostCoverage, KindCoverage};
use gauntlet_world::touch::Op;

use super::point::Subject;

#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    /// Points of this kind in the plain cells: two a call.
    points: u64,
    /// Cells that were run for a point of this kind.
    crashes: u64,
    /// Those in which the crash came about.
    reached: u64,
    /// Points whose world was tried, by themselves or by another one that leaves the same.
    covered: u64,
}

/// The count of all cells.
#[derive(Debug, Default)]
pub(super) struct Coverage(BTreeMap<(Subject, Op), Counted>);

impl Coverage {
    /// Points of a plain cell.
    pub(super) fn there_are(&mut self, host: Subject, kinds: &[Op]) {
        for op in kinds {
            self.0.entry((host, *op)).or_default().points += 1;
        }
    }

    /// A cell was run for a point of this kind, which stands for points of these, whatever the crash.
    pub(super) fn tried(&mut self, host: Subject, op: Op, stands_for: &[Op], came_about: bool) {
        let counted = self.0.entry((host, op)).or_default();
        counted.crashes += 1;
        counted.reached += u64::from(came_about);
        for op in stands_for.iter().filter(|_| came_about) {
            self.0.entry((host, *op)).or_default().covered += 1;
        }
    }

    pub(super) fn points(&self) -> u64 {
        self.0.values().map(|counted| counted.points).sum()
    }

    /// As the reports tell it.
    pub(super) fn told(&self) -> Vec<HostCoverage> {
        let of = |host: Subject| {
            let kinds = self.0.iter().filter(move |((of, _), _)| *of == host);
            let kinds = kinds.map(|((_, op), counted)| KindCoverage {
                kind: op.name().to_owned(),
                points: counted.points,
                crashes: counted.crashes,
                reached: counted.reached,
                covered: counted.covered,
            });
            HostCoverage { host: host.name().to_owned(), kinds: kinds.collect() }
        };
        Subject::ALL.into_iter().map(of).filter(|host| !host.kinds.is_empty()).collect()
    }

    /// Kinds that are in use and at which nobody died.
    pub(super) fn unreached(&self) -> Vec<String> {
        let unreached = self.0.iter().filter(|(_, counted)| counted.points > 0 && counted.reached == 0);
        unreached.map(|((host, op), _)| format!("{} {}", host.name(), op.name())).collect()
    }
}
