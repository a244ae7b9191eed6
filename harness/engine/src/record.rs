//! What is kept of a cell that was run: its line, its verdicts, and of a failure nobody expected its evidence and its trace.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gauntlet_reports::cap::{DETAIL_LIMIT, cap};
use gauntlet_reports::{CellLine, Evidence, Failure, Secrets, Verdict};
use gauntlet_world::touch::Touch;

use crate::cell::{Deviation, Outcome, Plan};
use crate::data::Library;
use crate::files;
use crate::matrix;
use crate::oracle::{Finding, Judgement};
use crate::saved;
use crate::sequence::sequence;
use crate::trace::{Observation, What, redact_before_cut};

/// A cell that was run, and what is kept of it. Everything but the judgements' findings is redacted.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it was made of.
    pub plan: Arc<Plan>,
    /// Its line in `results.jsonl`.
    pub line: CellLine,
    /// The verdict of each requirement that it touched.
    pub judgements: BTreeMap<String, Judgement>,
    /// The verdicts on requirements that are newer than the revision that judges; nothing else here speaks of them.
    pub newer: BTreeMap<String, Judgement>,
    /// The failures that nobody expected: neither the profile lists them, nor the quirk of the cell names them.
    pub failures: Vec<Failure>,
    /// The trace, if something failed that nobody expected, and always of a receiver that is certified: nobody can derive it again.
    pub trace: Option<KeptTrace>,
    /// How long it lasted, by the time of its lane.
    pub lasted: Duration,
    /// The quirks and faults that had something to bite on; only known of plain cells in the virtual lane.
    pub reachable: Vec<String>,
    /// How many of the crashes came about that exploration asked for.
    pub bitten: usize,
    /// The port calls, where exploration asked for them.
    pub touches: Vec<Touch>,
}

/// A trace as it is written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTrace {
    /// The name of the file, below the folder of the reports.
    pub file: String,
    /// The observations, one a line as JSON; compressed when the name of the file ends so.
    pub content: Vec<u8>,
    /// Whether these are only the first ones.
    pub cut: bool,
}

/// The columns of a diagram in a report.
const DIAGRAM_WIDTH: usize = 120;

/// The most of a trace that is kept, in bytes of JSON.
pub const MAX_TRACE: usize = 256 * 1024;
/// The longest saved trace that is kept whole, in bytes before it is compressed.
const MAX_WHOLE: usize = 4 * 1024 * 1024;

impl Record {
    /// What is kept of a cell that came to its end.
    pub(crate) fn of(
        plan: &Arc<Plan>,
        library: &Library,
        folders: &[PathBuf],
        outcome: Outcome,
        keep_trace: bool,
    ) -> Self {
        // Of most cells nothing is shown, and to look for secrets in all their forms is dear to prepare.
        let secrets = LazyCell::new(|| Secrets::new(&outcome.secrets));
        let reachable = if plan.deviation.is_none() {
            matrix::reachable(library, &plan.executor, &outcome)
        } else {
            Vec::new()
        };
        let is_certified = is_certified(plan);
        let whole = (is_certified && keep_trace).then(|| saved::text(library, plan, &outcome));
        let (mut observations, mut judgements) = (outcome.observations, outcome.judgements);
        let (digest, error) = (outcome.digest, outcome.error);
        let lasted = Duration::from_millis(observations.last().map_or(0, |last| last.at_ms));
        // Whatever was judged of a cell that the harness or its environment spoiled is nobody's failure.
        if error.is_some() {
            judgements.clear();
        }
        for judgement in judgements.values_mut() {
            judgement.reason = judgement.reason.take().map(|reason| secrets.redact(&reason));
        }
        let newer = take_newer(library, &mut judgements);
        let verdict = match &error {
            Some(_) => Verdict::Error,
            None => Verdict::worst(judgements.values().map(|judgement| judgement.verdict)),
        };
        let with = |verdict| judgements.iter().filter(move |(_, judgement)| judgement.verdict == verdict);
        let failed: Vec<String> = with(Verdict::Fail).map(|(id, _)| id.clone()).collect();
        let unjudged = || with(Verdict::Inconclusive).find_map(|(_, judgement)| judgement.reason.clone());
        let reason = error.map(|error| secrets.redact(&error)).or_else(unjudged);
        let surprising =
            verdict == Verdict::Error || failed.iter().any(|id| is_surprising(plan, library, id));
        if surprising {
            redact_before_cut(&mut observations, &secrets);
        }
        let id = plan.id();
        let again = match &plan.deviation {
            Some(Deviation::Explored(explored)) => explored.reproduce.clone(),
            _ => reproduce(plan, folders),
        };
        let trace = match whole {
            Some(whole) => Some(compressed(&id, whole, || {
                redact_before_cut(&mut observations, &secrets);
                trace(&id, &again, &observations, &secrets)
            })),
            None => (surprising && keep_trace).then(|| trace(&id, &again, &observations, &secrets)),
        };
        let mut failures: Vec<Failure> = with(Verdict::Fail)
            .filter(|(requirement, _)| is_surprising(plan, library, requirement))
            .flat_map(|(requirement, judgement)| {
                failures(library, &again, &id, requirement, judgement, &observations, &secrets)
            })
            .map(|failure| Failure {
                trace: trace.as_ref().map(|trace| trace.file.clone()),
                trace_cut: trace.as_ref().is_some_and(|trace| trace.cut),
                ..failure
            })
            .collect();
        if let Some(first) = failures.first_mut().filter(|_| trace.is_some()) {
            let drawn = sequence(plan, &observations, &judgements, &secrets);
            first.diagram = Some(drawn.text(DIAGRAM_WIDTH));
        }
        let line = CellLine {
            id,
            lane: plan.lane,
            verdict,
            counts: Verdict::counts(judgements.values().map(|judgement| judgement.verdict)),
            digest,
            failed,
            known: Vec::new(),
            reason,
            // Of all others the failures name theirs.
            trace: trace.as_ref().filter(|_| is_certified).map(|trace| trace.file.clone()),
        };
        let touches = match &plan.deviation {
            Some(Deviation::Explored(explored)) if explored.log => outcome.touches,
            _ => Vec::new(),
        };
        Self {
            plan: plan.clone(),
            line,
            judgements,
            newer,
            failures,
            trace,
            lasted,
            reachable,
            bitten: outcome.bitten,
            touches,
        }
    }

    /// The requirements of a cell that is not run are skipped with its reason.
    pub(crate) fn skipped(plan: &Arc<Plan>, library: &Library, reason: &str) -> Self {
        let mut record = Self::bare(plan, Verdict::Skipped, reason.to_owned());
        for requirement in plan.scenario.requirements() {
            let judgement = Judgement {
                verdict: Verdict::Skipped,
                findings: Vec::new(),
                reason: Some(reason.to_owned()),
            };
            record.judgements.insert(requirement.value.clone(), judgement);
        }
        for (id, reason) in plan.fitted.iter().flat_map(|fitted| &fitted.left_out) {
            record.judgements.insert(id.clone(), Judgement::skipped(reason));
        }
        record.newer = take_newer(library, &mut record.judgements);
        record.line.counts = Verdict::counts(record.judgements.values().map(|judgement| judgement.verdict));
        record
    }

    /// A cell that kept its thread.
    pub(crate) fn stuck(plan: &Arc<Plan>, watchdog: Duration) -> Self {
        let reason = format!("the cell kept its thread for more than {watchdog:?} and was given up");
        Self::bare(plan, Verdict::Error, reason)
    }

    /// A cell in which the harness panicked.
    pub(crate) fn panicked(plan: &Arc<Plan>) -> Self {
        let reason = "the harness panicked; the message is on standard error";
        Self::bare(plan, Verdict::Error, reason.to_owned())
    }

    /// Lets go of the trace when there is no failure left that it shows, unless all are kept.
    pub(crate) fn forget_trace_of_no_failure(&mut self) {
        if self.failures.is_empty() && !is_certified(&self.plan) {
            self.forget_trace();
        }
    }

    /// Lets go of the trace, of which there are enough already.
    pub(crate) fn forget_trace(&mut self) {
        (self.trace, self.line.trace) = (None, None);
        for failure in &mut self.failures {
            failure.trace = None;
            failure.diagram = None;
            failure.trace_cut = false;
        }
    }

    fn bare(plan: &Arc<Plan>, verdict: Verdict, reason: String) -> Self {
        Self {
            plan: plan.clone(),
            line: CellLine {
                id: plan.id(),
                lane: plan.lane,
                verdict,
                counts: BTreeMap::new(),
                digest: String::new(),
                failed: Vec::new(),
                known: Vec::new(),
                reason: Some(reason),
                trace: None,
            },
            judgements: BTreeMap::new(),
            newer: BTreeMap::new(),
            failures: Vec::new(),
            trace: None,
            lasted: Duration::ZERO,
            reachable: Vec::new(),
            bitten: 0,
            touches: Vec::new(),
        }
    }
}

/// Whether the subject is not ours, so that nobody can derive its trace again.
fn is_certified(plan: &Plan) -> bool {
    plan.fitted.is_some() || plan.driven().is_some()
}

/// Takes the verdicts away that are not scored.
fn take_newer(
    library: &Library,
    judgements: &mut BTreeMap<String, Judgement>,
) -> BTreeMap<String, Judgement> {
    let newer = |id: &String| !library.catalogue.is_scored(id);
    if !judgements.keys().any(newer) {
        return BTreeMap::new();
    }
    let (apart, scored) = std::mem::take(judgements).into_iter().partition(|(id, _)| newer(id));
    *judgements = scored;
    apart
}

/// Whether nobody said beforehand that this requirement fails in this cell. Only such a cell's trace is worth keeping; all
/// others can be derived again.
pub(crate) fn is_surprising(plan: &Plan, library: &Library, id: &str) -> bool {
    if plan.breaks(id) {
        return false;
    }
    match &plan.deviation {
        None => true,
        Some(Deviation::Quirk(quirk)) => {
            library.catalogue.get(id).is_none_or(|requirement| requirement.role.name() != quirk.role)
                || !quirk.violates.iter().any(|named| named == id)
        }
        Some(Deviation::Fault(_) | Deviation::Explored(_)) => true,
    }
}

/// The failures of one requirement in one cell, each with the guilty side, the evidence, and the command that reproduces it.
fn failures(
    library: &Library,
    again: &str,
    cell: &str,
    requirement: &str,
    judgement: &Judgement,
    trace: &[Observation],
    secrets: &Secrets,
) -> Vec<Failure> {
    let known = library.catalogue.get(requirement);
    let shown = |text: &str| cap(&secrets.redact(text), DETAIL_LIMIT).into_owned();
    let failure = |finding: &Finding| Failure {
        cell: cell.to_owned(),
        requirement: requirement.to_owned(),
        guilty: known.map_or("unknown", |known| known.role.name()).to_owned(),
        statement: known.map(|known| known.statement.clone()).unwrap_or_default(),
        expected: shown(&finding.expected),
        observed: shown(&finding.observed),
        evidence: finding
            .trace
            .iter()
            .filter_map(|index| Some((*index, trace.get(*index)?)))
            .map(|(index, seen)| Evidence {
                at_ms: seen.at_ms,
                what: name(&seen.what),
                detail: shown(&serde_json::to_string(&seen.what).unwrap_or_default()),
                trace_index: index,
            })
            .collect(),
        reproduce: again.to_owned(),
        diagram: None,
        trace: None,
        trace_cut: false,
    };
    judgement.findings.iter().map(failure).collect()
}

/// The command that runs a cell again.
fn reproduce(plan: &Plan, folders: &[PathBuf]) -> String {
    let asked_for = plan.foreign().map(|foreign| foreign.asked_for());
    let mut command = match asked_for.or_else(|| plan.driven().map(|runtime| runtime.asked_for())) {
        Some(asked_for) => format!("gauntlet certify {asked_for} --only {}", quoted(&plan.id())),
        None => format!("gauntlet replay {}", quoted(&plan.id())),
    };
    for folder in folders {
        command.push_str(&format!(" --scenarios {}", quoted(&folder.to_string_lossy())));
    }
    command
}

/// A word that the shell takes as it is.
pub(crate) fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// What an observation is called.
fn name(what: &What) -> String {
    let value = serde_json::to_value(what).unwrap_or_default();
    value.get("what").and_then(|what| what.as_str()).unwrap_or_default().to_owned()
}

/// A trace as lines of JSON, redacted; whole lines up to the limit, and then one that says what is missing.
fn trace(cell: &str, again: &str, observations: &[Observation], secrets: &Secrets) -> KeptTrace {
    let mut lines = String::new();
    for (number, seen) in observations.iter().enumerate() {
        let line = secrets.redact(&serde_json::to_string(seen).unwrap_or_default());
        if lines.len() + line.len() >= MAX_TRACE {
            let left_out = observations.len() - number;
            let note = serde_json::json!({ "left_out": left_out, "derive_again": again });
            lines.push_str(&format!("{note}\n"));
            return KeptTrace { file: file_name(cell), content: lines.into_bytes(), cut: true };
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    KeptTrace { file: file_name(cell), content: lines.into_bytes(), cut: false }
}

/// A saved trace as it is kept, or what there is room for of one that is too long: that shows what happened, and cannot be judged again.
fn compressed(cell: &str, whole: String, cut: impl FnOnce() -> KeptTrace) -> KeptTrace {
    let kept = match whole.len() <= MAX_WHOLE {
        true => KeptTrace { file: file_name(cell), content: whole.into_bytes(), cut: false },
        false => KeptTrace { cut: true, ..cut() },
    };
    KeptTrace { file: format!("{}.gz", kept.file), content: files::gzip(&kept.content), ..kept }
}

/// The file of a cell's trace.
fn file_name(cell: &str) -> String {
    let mut name: String =
        cell.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' }).collect();
    // File systems take 255 bytes.
    if name.len() > 200 {
        name.truncate(180);
        name.push_str(&format!("-{}", &blake3::hash(cell.as_bytes()).to_hex()[..16]));
    }
    format!("traces/{name}.jsonl")
}
