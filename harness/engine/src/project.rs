//! Projecting what was run into the exchange type of the reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use gauntlet_reports::{
    Catalogue as ReportCatalogue, CellCounts, ExecutorReport, ExecutorScore, Failure, FlakyCell,
    FlakyOutcome, Lane, Level, Subject, Summary, Tool, Verdict, report, summary,
};

use crate::cell::Plan;
use crate::coverage::{self, Reached};
use crate::data::Library;
use crate::data::place::Kind;
use crate::exit::ExitCode;
use crate::known::{List, Tally};
use crate::matrix::Selection;
use crate::record::Record;
use crate::scenario::{HERMES, TEAM};
use crate::scores::Scores;

/// The reports of a run.
pub struct Reports {
    /// One for each executor that was run, in order of name.
    pub executors: Vec<ExecutorReport>,
    /// The whole.
    pub summary: Summary,
}

/// Failures of one executor that are told one by one, and cells without a verdict that are; the others are counted.
const MAX_FAILURES: usize = 1000;
const MAX_ERRORS: usize = 100;

/// What the reports need of the records so far. It holds no record.
#[derive(Debug, Default)]
pub struct Gathered {
    scores: Scores,
    cells: CellCounts,
    executors: BTreeMap<String, OfExecutor>,
    errors: Vec<String>,
    errors_left_out: u32,
    /// The cells that ended differently when they were run alone.
    pub(crate) flaky: Vec<FlakyCell>,
    /// How often each story of a receiver that is not ours kept and broke a requirement: it may be told several times.
    told: BTreeMap<(String, String), (u32, u32)>,
    /// What the lists of known failures came to.
    pub known: Tally,
}

#[derive(Debug, Default)]
struct OfExecutor {
    release: String,
    failures: Vec<Failure>,
    left_out: u32,
}

impl Gathered {
    /// Nothing so far; what comes is held against these lists.
    pub fn against(list: &List) -> Self {
        Self { known: Tally::new(list), ..Self::default() }
    }

    /// Whether a cell of the real lane did not fail what its quirk made fail in virtual time.
    pub(crate) fn is_missed_by(&self, library: &Library, record: &Record) -> bool {
        self.scores.is_missed_by(library, record)
    }

    /// Gathers one more record. Gives its plan when the cell is worth running over real processes too.
    pub fn add(&mut self, library: &Library, record: Record) -> Option<Arc<Plan>> {
        let sample = self.scores.add(library, &record);
        self.cells.total += 1;
        *self.cells.by_verdict.entry(record.line.verdict.as_str().to_owned()).or_default() += 1;
        match record.line.lane {
            Lane::Virtual => self.cells.virtual_lane += 1,
            Lane::Real => self.cells.real_lane += 1,
        }
        if record.line.verdict == Verdict::Error {
            let reason = record.line.reason.as_deref().unwrap_or("no reason given");
            if self.errors.len() < MAX_ERRORS {
                self.errors.push(format!("{}: {reason}", record.line.id));
            } else {
                self.errors_left_out += 1;
            }
        }
        if record.plan.fitted.is_some() {
            for (id, judgement) in &record.judgements {
                let key = (record.plan.scenario.id.value.clone(), id.clone());
                let (kept, broke) = self.told.entry(key).or_default();
                *kept += u32::from(judgement.verdict == Verdict::Pass);
                *broke += u32::from(judgement.verdict == Verdict::Fail);
            }
        }
        let executor = self.executors.entry(record.plan.profile.executor().to_owned()).or_default();
        if executor.release.is_empty() {
            executor.release = record.plan.release.id.value.clone();
        }
        for failure in record.failures {
            if executor.failures.len() < MAX_FAILURES {
                executor.failures.push(failure);
            } else {
                executor.left_out += 1;
            }
        }
        sample
    }
}

/// Makes the reports of a run. `complete` is false when it was interrupted.
pub fn reports(
    library: &Library,
    selection: &Selection,
    gathered: Gathered,
    complete: bool,
) -> (Reports, Tally) {
    let Gathered { scores, cells, executors, errors, errors_left_out, flaky, told, known } = gathered;
    let failures: u32 =
        executors.values().map(|executor| count(executor.failures.len()) + executor.left_out).sum();
    let executors: Vec<ExecutorReport> = executors
        .into_iter()
        .map(|(name, of)| executor_report(library, selection, &scores, (name, of), &known, complete))
        .collect();
    let mut detection = scores.detection(library, selection.is_whole() && selection.is_unsplit());
    selection.narrow.rows.narrow_detection(&mut detection);
    let resilience = scores.resilience();
    let all_stories = selection.tries_all_stories() && selection.is_unsplit();
    let mut problems = Vec::new();
    let mut exit = ExitCode::Pass;
    let mut problem = |line: String, code: ExitCode| {
        problems.push(line);
        exit = exit.max(code);
    };
    let is_foreign = selection.is_of_a_stranger();
    for line in errors {
        problem(line, ExitCode::Broken);
    }
    if errors_left_out > 0 {
        problem(format!("{errors_left_out} more cells have no verdict"), ExitCode::Broken);
    }
    // Neither a pass nor nonconformance: the environment did not let the cell tell.
    for FlakyCell { cell, outcomes } in &flaky {
        for FlakyOutcome { requirement, first, alone } in outcomes {
            let (first, alone) = (first.as_str(), alone.as_str());
            let line = format!("flaky: {requirement} in {cell}: {first} beside other cells, {alone} alone");
            problem(line, ExitCode::Broken);
        }
    }
    for report in executors.iter().filter(|_| is_foreign) {
        // Of one that is not ours nothing is known beforehand, and only a must is required.
        let failed = report
            .requirements
            .iter()
            .filter(|row| row.level == Level::Must && row.verdict == Verdict::Fail && !row.known_failure);
        for row in failed {
            let line = format!("{}: {} failed", report.subject.name, row.id);
            problem(line, ExitCode::Nonconformance);
        }
    }
    let is_required = |id: &str| {
        let mut rows = executors.iter().flat_map(|report| &report.requirements);
        rows.any(|row| row.id == id && row.level == Level::Must && !row.known_failure)
    };
    let unsteady = told.iter().filter(|((_, id), (kept, broke))| *kept > 0 && *broke > 0 && is_required(id));
    for ((story, id), (kept, broke)) in unsteady {
        let line = format!("flaky: {id} failed {broke} of the {} times that {story} was told", kept + broke);
        problem(line, ExitCode::Nonconformance);
    }
    for report in executors.iter().filter(|_| !is_foreign) {
        for profile in &report.profiles {
            let name = format!("{} {}", report.executor, profile.version);
            for id in &profile.unexpected_breaks {
                problem(format!("{name}: {id} failed"), ExitCode::Nonconformance);
            }
            // With a part of the matrix, what should break may not have been tried.
            for id in profile.missing_breaks.iter().filter(|_| all_stories && complete) {
                problem(
                    format!("{name}: {id} passed, though its profile lists it as broken"),
                    ExitCode::Nonconformance,
                );
            }
        }
    }
    for report in &executors {
        let Some(release) = &report.release else { continue };
        let name = format!("{} with release {}", report.executor, release.id);
        // What a list of known failures holds is excused there.
        let is_listed = |id: &str| report.requirements.iter().any(|row| row.id == id && row.known_failure);
        for known in release.breaks.iter().filter(|known| {
            !release.missing_breaks.contains(&known.requirement) && !is_listed(&known.requirement)
        }) {
            let line = format!("{name}: {} failed, as is known ({})", known.requirement, known.evidence);
            problem(line, ExitCode::Nonconformance);
        }
        for id in &release.unexpected_breaks {
            problem(
                format!("{name}: {id} failed, and the release does not list it"),
                ExitCode::Nonconformance,
            );
        }
        let all_was_tried = all_stories && selection.versions.is_empty() && complete;
        for id in release.missing_breaks.iter().filter(|_| all_was_tried) {
            let line = format!("{name}: {id} passed, though the release lists it as broken");
            problem(line, ExitCode::Nonconformance);
        }
    }
    for report in &executors {
        // What rests on a break of the release, or on a known failure, cannot be judged, and is not said again for each row.
        let broken = |id: &str| {
            let known = report.release.iter().flat_map(|release| &release.breaks);
            let foundations = library.catalogue.foundations(id);
            let listed = report.requirements.iter().filter(|row| {
                row.known_failure || row.by_version.iter().any(|version| version.known_failure)
            });
            // What failed of one that is not ours was said already.
            let failed = report.requirements.iter().filter(|row| {
                is_foreign && row.by_version.iter().any(|version| version.verdict == Verdict::Fail)
            });
            let listed = listed.chain(failed);
            let mut broken = known.map(|known| &known.requirement).chain(listed.map(|row| &row.id));
            broken.any(|known| foundations.contains(&known.as_str()))
        };
        let unjudged = report.requirements.iter().filter(|row| {
            let is_must = row.level == Level::Must;
            is_must && row.verdict == Verdict::Inconclusive && !broken(&row.id)
        });
        for row in unjudged {
            let reason = row
                .by_version
                .iter()
                .find_map(|version| version.reason.as_deref())
                .unwrap_or("no reason given");
            problem(
                format!("{}: {} is inconclusive ({reason})", report.executor, row.id),
                ExitCode::Nonconformance,
            );
        }
    }
    if selection.is_whole() && selection.is_unsplit() && complete && selection.lanes.contains(&Lane::Virtual)
    {
        for quirk in detection.quirks.iter().filter(|quirk| quirk.scored && !quirk.caught) {
            if quirk.cells == 0 {
                problem(idle(library, &quirk.id), ExitCode::Usage);
                continue;
            }
            if !quirk.missed.is_empty() || !quirk.unnamed.is_empty() {
                let line = format!(
                    "quirk {}: not failed {:?}, failed without being named {:?}",
                    quirk.id, quirk.missed, quirk.unnamed
                );
                problem(line, ExitCode::Nonconformance);
            }
            if let Some(cell) = quirk.real_cell.as_ref().filter(|_| !quirk.missed_real.is_empty()) {
                let line = format!("quirk {}: not failed {:?} in {cell}", quirk.id, quirk.missed_real);
                problem(line, ExitCode::Nonconformance);
            }
        }
        for fault in scores.idle_faults(library) {
            problem(idle_fault(fault), ExitCode::Nonconformance);
        }
    }
    // Who names quirks and leaves out nothing else means that they bite somewhere.
    if selection.crosses_named_alone() && complete {
        let asked = detection.quirks.iter().filter(|quirk| quirk.cells == 0);
        for quirk in asked.filter(|quirk| selection.narrow.crossing.takes(&quirk.id)) {
            problem(idle(library, &quirk.id), ExitCode::Usage);
        }
        let crossing = &selection.narrow.crossing;
        for fault in scores.idle_faults(library).into_iter().filter(|fault| crossing.takes(fault)) {
            problem(idle_fault(fault), ExitCode::Nonconformance);
        }
    }
    for broken in resilience.broken.iter().take(MAX_ERRORS) {
        let line = format!(
            "{} {}: {} of the {} failed in {}",
            broken.kind, broken.deviation, broken.requirement, broken.role, broken.cell
        );
        problem(line, ExitCode::Nonconformance);
    }
    let further = resilience.broken.len().saturating_sub(MAX_ERRORS);
    if further > 0 {
        let line = format!("{} more such breaks", count(further) + resilience.broken_left_out);
        problem(line, ExitCode::Nonconformance);
    }
    for line in known.problems() {
        problem(line, ExitCode::Nonconformance);
    }
    if !complete {
        problem(
            "the run was interrupted: the reports cover what was run until then".to_owned(),
            ExitCode::Broken,
        );
    }
    let summary = Summary {
        schema: summary::SCHEMA.to_owned(),
        tool: tool(),
        catalogue: catalogue(library),
        seed: selection.seed,
        complete,
        sampled: selection.samples(),
        cells,
        executors: executors
            .iter()
            .map(|report| ExecutorScore {
                executor: report.executor.clone(),
                compliance: report.compliance,
                verdict: Verdict::worst(
                    report.requirements.iter().filter(|row| !row.known_failure).map(|row| row.verdict),
                ),
            })
            .collect(),
        detection,
        resilience,
        coverage: coverage::coverage(library, &reached(selection, &scores)),
        known_failures: known.summary(),
        flaky,
        failures,
        exit_code: exit.code(),
        problems,
    };
    (Reports { executors, summary }, known)
}

/// Where each quirk bit. Only the whole matrix in virtual time says it.
fn reached(selection: &Selection, scores: &Scores) -> Reached {
    match selection.is_whole() && selection.is_unsplit() && selection.lanes.contains(&Lane::Virtual) {
        true => scores.reached(),
        false => Reached::unknown(),
    }
}

pub(crate) fn tool() -> Tool {
    Tool { name: "gauntlet".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

pub(crate) fn catalogue(library: &Library) -> ReportCatalogue {
    ReportCatalogue {
        revision: library.revision_name(),
        digest: library.digest.clone(),
        layers: library.layers.clone(),
    }
}

fn executor_report(
    library: &Library,
    selection: &Selection,
    scores: &Scores,
    (executor, of): (String, OfExecutor),
    known: &Tally,
    complete: bool,
) -> ExecutorReport {
    let mut scored = scores.compliance(library, &executor, &reached(selection, scores));
    selection.narrow.rows.narrow_compliance(&mut scored);
    let (kind, name) = match executor.as_str() {
        HERMES => (HERMES, "Hermes node".to_owned()),
        TEAM => ("runtime", "team mode of the runtime".to_owned()),
        receiver => ("receiver", format!("{receiver} receiver")),
    };
    ExecutorReport {
        schema: report::SCHEMA.to_owned(),
        tool: tool(),
        catalogue: catalogue(library),
        subject: match (&selection.foreign, &selection.runtime) {
            (None, Some(runtime)) => Subject {
                kind: "runtime".to_owned(),
                name: runtime.name().to_owned(),
                release: runtime.version().to_owned(),
            },
            (Some(foreign), _) => Subject {
                kind: kind.to_owned(),
                name: foreign.name().to_owned(),
                release: foreign.version().to_owned(),
            },
            (None, None) => Subject { kind: kind.to_owned(), name, release: of.release },
        },
        known_failures: known.of_executor(&executor),
        executor,
        complete,
        seed: selection.seed,
        release: scored.release,
        profiles: scored.profiles,
        requirements: scored.requirements,
        newer: scored.newer,
        compliance: scored.compliance,
        failures: of.failures,
        failures_left_out: of.left_out,
        uncovered: scored.uncovered,
        unbroken: scored.unbroken,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What is wrong with a fault that reaches no cell.
fn idle_fault(fault: &str) -> String {
    format!("fault {fault}: no scenario makes the call that it is aimed at")
}

/// What is wrong with a quirk that reaches no cell.
fn idle(library: &Library, quirk: &str) -> String {
    let place = library.places.of(Kind::Quirk, quirk).map(|place| format!("{place}: "));
    format!(
        "{}expected a scenario that leads to the injection point of quirk {quirk}, with an event on which it can bite; found none \
         (`gauntlet quirk check {quirk}` tells more)",
        place.unwrap_or_default(),
    )
}
