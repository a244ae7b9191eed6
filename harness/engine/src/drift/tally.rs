//! What the plain cells of each version found.

use std::collections::BTreeMap;

use gauntlet_reports::Verdict;

use crate::data::Library;
use crate::record::Record;

/// The verdicts so far, by version and requirement.
#[derive(Debug, Default)]
pub(super) struct Tally {
    versions: BTreeMap<String, OfVersion>,
}

#[derive(Debug, Default)]
struct OfVersion {
    cells: u32,
    judged: BTreeMap<String, Judged>,
}

/// The cells of one requirement on one version, by verdict: their ids, and the story of each.
#[derive(Debug, Default)]
struct Judged {
    cells: BTreeMap<Verdict, Vec<Cell>>,
    /// In one of them it was inconclusive, and nothing that it rests on failed there.
    open: bool,
}

/// A cell that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) id: String,
    pub(super) story: String,
}

impl Tally {
    pub(super) fn add(&mut self, library: &Library, record: &Record) {
        // A cell that is not run says nothing of a version, and must not be shown as evidence.
        if record.line.verdict == Verdict::Skipped {
            return;
        }
        let of_version = self.versions.entry(record.plan.profile.version.clone()).or_default();
        of_version.cells += 1;
        for (id, judgement) in &record.judgements {
            let cell = Cell { id: record.line.id.clone(), story: record.plan.scenario.id.value.clone() };
            let judged = of_version.judged.entry(id.clone()).or_default();
            judged.open |= judgement.verdict == Verdict::Inconclusive
                && !library
                    .catalogue
                    .foundations(id)
                    .iter()
                    .any(|base| record.line.failed.iter().any(|id| id == base));
            judged.cells.entry(judgement.verdict).or_default().push(cell);
        }
    }

    /// How many cells of a version were run.
    pub(super) fn ran(&self, version: &str) -> u32 {
        self.versions.get(version).map_or(0, |of| of.cells)
    }

    /// The worst verdict on a requirement; nothing when it was not judged.
    pub(super) fn verdict(&self, version: &str, id: &str) -> Option<Verdict> {
        let judged = self.versions.get(version)?.judged.get(id)?;
        judged.cells.keys().next_back().copied().filter(|worst| *worst > Verdict::Skipped)
    }

    /// Whether nothing showed in some cell that a requirement is kept, without a failure that explains it.
    pub(super) fn is_open(&self, version: &str, id: &str) -> bool {
        self.versions.get(version).and_then(|of| of.judged.get(id)).is_some_and(|judged| judged.open)
    }

    /// The cells that found this.
    pub(super) fn cells(&self, version: &str, id: &str, verdict: Verdict) -> &[Cell] {
        let judged = self.versions.get(version).and_then(|of| of.judged.get(id));
        judged.and_then(|judged| judged.cells.get(&verdict)).map_or(&[], Vec::as_slice)
    }

    /// The requirements that fail on a version.
    pub(super) fn failed(&self, version: &str) -> impl Iterator<Item = &str> {
        let judged = self.versions.get(version).into_iter().flat_map(|of| &of.judged);
        judged.filter(|(_, judged)| judged.cells.contains_key(&Verdict::Fail)).map(|(id, _)| id.as_str())
    }
}
