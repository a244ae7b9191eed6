//! A second look at cells of the real lane that failed: on a slow computer a limit passes that the subject would have kept. Such a cell
//! is run once more when nothing else runs. What ends differently then is flaky: it has no verdict, is listed with both outcomes, and
//! counts neither as kept nor as caught.

use std::collections::BTreeSet;

use gauntlet_reports::{FlakyCell, FlakyOutcome, Lane, Verdict};

use crate::data::Library;
use crate::oracle::Judgement;
use crate::project::Gathered;
use crate::record::{self, Record};

/// So many cells are looked at again. Where more fail, it is no accident.
pub const MOST: usize = 20;

/// Whether a cell is worth a second look: something failed that nobody expected, or something that its quirk breaks in virtual time
/// did not.
pub(crate) fn is_wanted(library: &Library, gathered: &Gathered, record: &Record) -> bool {
    // Of a receiver that is not ours it is asked with --repeat, and one that is never ready would be waited for again and again.
    let is_foreign = record.plan.fitted.is_some();
    if record.line.lane != Lane::Real || record.line.verdict == Verdict::Error || is_foreign {
        return false;
    }
    let surprising = |id: &String| {
        record::is_surprising(&record.plan, library, id) && !gathered.known.excuses(&record.plan, id)
    };
    record.line.failed.iter().any(surprising) || gathered.is_missed_by(library, record)
}

/// What two runs of a cell come to, `alone` being the second; and where they differ, as it is told.
pub(crate) fn settled(mut first: Record, mut alone: Record) -> (Record, Option<FlakyCell>) {
    // The harness or its environment failed, which is no outcome of the subject.
    if alone.line.verdict == Verdict::Error {
        return (alone, None);
    }
    let ids: BTreeSet<String> = first.judgements.keys().chain(alone.judgements.keys()).cloned().collect();
    let mut outcomes = Vec::new();
    for id in ids {
        let of = |record: &Record| record.judgements.get(&id).map_or(Verdict::NotExercised, |it| it.verdict);
        let (before, after) = (of(&first), of(&alone));
        if before == after {
            continue;
        }
        if [before, after].contains(&Verdict::Fail) {
            let reason = format!("flaky: {} beside other cells, {} alone", before.as_str(), after.as_str());
            let judgement =
                Judgement { verdict: Verdict::Inconclusive, findings: Vec::new(), reason: Some(reason) };
            first.judgements.insert(id.clone(), judgement);
            outcomes.push(FlakyOutcome { requirement: id, first: before, alone: after });
        } else if after > before
            && let Some(judgement) = alone.judgements.remove(&id)
        {
            // What rests on something flaky.
            first.judgements.insert(id, judgement);
        }
    }
    if outcomes.is_empty() {
        return (first, None);
    }
    let is_flaky = |id: &String| outcomes.iter().any(|outcome| outcome.requirement == *id);
    let judgements = || first.judgements.values();
    first.line.verdict = Verdict::worst(judgements().map(|judgement| judgement.verdict));
    first.line.counts = Verdict::counts(judgements().map(|judgement| judgement.verdict));
    first.line.reason = judgements().find_map(|judgement| judgement.reason.clone());
    first.line.failed.retain(|id| !is_flaky(id));
    first.failures.retain(|failure| !is_flaky(&failure.requirement));
    let flaky = FlakyCell { cell: first.line.id.clone(), outcomes };
    (first, Some(flaky))
}
