//! The cells of a quirk over real processes: the fewest that show all that it breaks, and where they say something else than the same
//! cells do in virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use gauntlet_reports::{Lane, Verdict};
use gauntlet_world::injection::Quirk;

use super::Unnamed;
use crate::cell::{Deviation, Plan};
use crate::data::Library;
use crate::matrix::Selection;
use crate::record::Record;
use crate::runner::{self, Settings};
use crate::scores;

/// What of a quirk was told over real processes.
#[derive(Debug, Clone, Default)]
pub struct OverProcesses {
    /// The cells that were.
    pub cells: Vec<RealCell>,
    /// What the quirk names and none of them could show, and why.
    pub left_out: Vec<(String, String)>,
}

/// One cell in both lanes.
#[derive(Debug, Clone)]
pub struct RealCell {
    /// Its id, in the real lane.
    pub id: String,
    /// What failed in both, of what the quirk names.
    pub agreed: Vec<String>,
    /// What failed in virtual time alone: the requirement, and what was said of it over real processes.
    pub not_here: Vec<(String, String)>,
    /// What failed over real processes alone.
    pub only_here: Vec<Unnamed>,
}

impl OverProcesses {
    /// Whether both lanes say the same.
    pub fn agrees(&self) -> bool {
        self.cells.iter().all(|cell| cell.not_here.is_empty() && cell.only_here.is_empty())
    }
}

/// The cells of virtual time from which those of the real lane are chosen.
#[derive(Debug, Default)]
pub(super) struct Candidates(BTreeMap<String, Vec<Candidate>>);

#[derive(Debug)]
struct Candidate {
    plan: Arc<Plan>,
    /// Everything that failed, of whatever role.
    failed: BTreeSet<String>,
    lasted: Duration,
}

impl Candidates {
    pub(super) fn note(&mut self, record: &Record) {
        let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return };
        let failed = record.judgements.iter().filter(|(_, judgement)| judgement.verdict == Verdict::Fail);
        let failed: BTreeSet<String> = failed.map(|(id, _)| id.clone()).collect();
        if !failed.is_empty() {
            let candidate = Candidate { plan: record.plan.clone(), failed, lasted: record.lasted };
            self.0.entry(quirk.id.clone()).or_default().push(candidate);
        }
    }

    /// Runs the chosen cells. Nothing when the run was stopped.
    pub(super) fn tell(
        self,
        library: &Arc<Library>,
        quirks: &[Arc<Quirk>],
        settings: &Settings,
    ) -> Option<BTreeMap<String, OverProcesses>> {
        let selection =
            Selection { lanes: vec![Lane::Virtual, Lane::Real], thorough: true, ..Selection::default() };
        let mut told: BTreeMap<String, OverProcesses> = BTreeMap::new();
        let mut plans = Vec::new();
        let mut before: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for quirk in quirks {
            let of_quirk = self.0.get(&quirk.id).map(Vec::as_slice).unwrap_or_default();
            let (chosen, left_out) = choose(library, &selection, quirk, of_quirk);
            told.entry(quirk.id.clone()).or_default().left_out = left_out;
            for (plan, failed) in chosen {
                before.insert(plan.id(), failed);
                plans.push(plan);
            }
        }
        let complete = runner::run(plans, library, settings, &mut |record| {
            let Some(Deviation::Quirk(quirk)) = &record.plan.deviation else { return };
            let failed = before.get(&record.line.id).cloned().unwrap_or_default();
            told.entry(quirk.id.clone()).or_default().cells.push(compare(quirk, &record, &failed));
        });
        complete.then_some(told)
    }
}

type Chosen = (Plan, BTreeSet<String>);

/// Cells in which each requirement fails that the quirk names, always the one next that shows most of what is left.
fn choose(
    library: &Library,
    selection: &Selection,
    quirk: &Quirk,
    candidates: &[Candidate],
) -> (Vec<Chosen>, Vec<(String, String)>) {
    // The limits of the real lane are short ones, so that it does not matter how long a cell lasts in virtual time.
    let why_not = |candidate: &Candidate| match library.real_scenarios.get(&candidate.plan.scenario.id.value)
    {
        Some(scenario) => scores::not_over_processes(quirk, scenario, Duration::ZERO),
        None => Some(NOWHERE.to_owned()),
    };
    let able: Vec<(&Candidate, Plan)> = candidates
        .iter()
        .filter(|candidate| why_not(candidate).is_none())
        .filter_map(|candidate| Some((candidate, selection.in_real_lane(library, &candidate.plan)?)))
        .collect();
    let mut left: BTreeSet<&String> = quirk.violates.iter().collect();
    let mut chosen = Vec::new();
    loop {
        let shows = |candidate: &Candidate| left.iter().filter(|id| candidate.failed.contains(**id)).count();
        // Of several that show as much the shortest, and of those the first.
        let best =
            able.iter().rev().max_by_key(|(candidate, _)| (shows(candidate), Reverse(candidate.lasted)));
        let Some((candidate, plan)) = best.filter(|(candidate, _)| shows(candidate) > 0) else { break };
        left.retain(|id| !candidate.failed.contains(*id));
        chosen.push((plan.clone(), candidate.failed.clone()));
    }
    let why = |id: &String| {
        let shown = candidates.iter().filter(|candidate| candidate.failed.contains(id));
        let why = shown.map(|candidate| why_not(candidate).unwrap_or_else(|| NOWHERE.to_owned()));
        why.min().unwrap_or_else(|| "it fails in no cell".to_owned())
    };
    let left_out = left.into_iter().map(|id| (id.clone(), why(id))).collect();
    (chosen, left_out)
}

const NOWHERE: &str = "the story cannot be told there";

fn compare(quirk: &Quirk, record: &Record, failed: &BTreeSet<String>) -> RealCell {
    let mut cell = RealCell {
        id: record.line.id.clone(),
        agreed: Vec::new(),
        not_here: Vec::new(),
        only_here: Vec::new(),
    };
    for id in failed {
        match record.judgements.get(id) {
            Some(judgement) if judgement.verdict == Verdict::Fail => {
                cell.agreed.extend(quirk.violates.contains(id).then(|| id.clone()));
            }
            Some(judgement) => {
                let reason = judgement.reason.iter().map(|reason| format!(" ({reason})"));
                let said = judgement.verdict.label().to_owned() + &reason.collect::<String>();
                cell.not_here.push((id.clone(), said));
            }
            None => cell.not_here.push((id.clone(), "not judged".to_owned())),
        }
    }
    let only_here = record.judgements.iter().filter(|(id, judgement)| {
        judgement.verdict == Verdict::Fail && !failed.contains(*id) && !record.plan.breaks(id)
    });
    cell.only_here = only_here
        .map(|(id, judgement)| Unnamed {
            requirement: id.clone(),
            cells: 1,
            cell: record.line.id.clone(),
            finding: judgement.findings.first().cloned(),
        })
        .collect();
    cell
}
