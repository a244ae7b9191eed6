//! Running cells on worker threads. Each cell has a runtime of its own; cells share immutable data and nothing else.
#![expect(
    clippy::disallowed_methods,
    reason = "the worker pool is outside of any cell: it starts threads and watches them by the wall clock"
)]

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gauntlet_reports::{CellLine, Lane, Secrets, Verdict};

use crate::cell::{self, Deviation, Outcome, Plan, RealSettings};
use crate::data::Library;
use crate::matrix;
use crate::oracle::Judgement;
use crate::trace::Observation;

/// How cells are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many worker threads.
    pub jobs: usize,
    /// How many worker threads for the real lane, whose cells mostly wait.
    pub real_jobs: usize,
    /// The `gauntlet` binary, which the real lane starts as receiver and stand-in.
    pub binary: Option<PathBuf>,
    /// Takes cells in another order, drawn by this seed. Results do not depend on it, which a test shows.
    pub shuffle: Option<u64>,
    /// How long a cell may keep its thread, by the wall clock.
    pub watchdog: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            jobs: thread::available_parallelism().map_or(1, usize::from),
            real_jobs: 4 * thread::available_parallelism().map_or(1, usize::from),
            binary: None,
            shuffle: None,
            watchdog: Duration::from_secs(120),
        }
    }
}

/// A cell that was run, and what is kept of it.
#[derive(Debug, Clone)]
pub struct Record {
    /// What it was made of.
    pub plan: Arc<Plan>,
    /// Its line in `results.jsonl`.
    pub line: CellLine,
    /// The verdict of each requirement that it touched.
    pub judgements: BTreeMap<String, Judgement>,
    /// The trace, if something failed.
    pub trace: Option<Vec<Observation>>,
    /// Its secrets, for redaction.
    pub secrets: Vec<String>,
    /// The quirks and faults that had something to bite on; only known of plain cells in the virtual lane.
    pub reachable: Vec<String>,
}

/// Runs cells of one lane, on as many threads as the settings give to it. Results are in the order of the plans; `None` where cancellation came first. `progress`
/// is told of each finished cell.
pub fn run(
    plans: Vec<Plan>,
    library: &Arc<Library>,
    settings: &Settings,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(&Record),
) -> Vec<Option<Record>> {
    let plans: Vec<Arc<Plan>> = plans.into_iter().map(Arc::new).collect();
    let pool = Arc::new(Pool {
        queue: Mutex::new(order(plans.len(), settings.shuffle)),
        busy: Mutex::default(),
        plans: plans.clone(),
        library: library.clone(),
        settings: settings.clone(),
        cancel: cancel.clone(),
    });
    let (send, receive) = channel();
    let mut workers = 0;
    let is_real = plans.first().is_some_and(|plan| plan.lane == Lane::Real);
    let jobs = if is_real { settings.real_jobs } else { settings.jobs };
    for _ in 0..jobs.clamp(1, plans.len().max(1)) {
        start_worker(&pool, workers, send.clone());
        workers += 1;
    }
    let mut results: Vec<Option<Record>> = vec![None; plans.len()];
    let mut open_workers = workers;
    while open_workers > 0 {
        match receive.recv_timeout(Duration::from_millis(200)) {
            Ok(News::Done(number, record)) => {
                if results[number].is_none() {
                    progress(&record);
                    results[number] = Some(*record);
                }
            }
            Ok(News::Left(worker)) => {
                // A worker that was given up on and came back after all is not counted a second time.
                if lock(&pool.busy).remove(&worker).is_some() {
                    open_workers -= 1;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        for (worker, number) in pool.overdue() {
            let record = stuck(&plans[number], settings.watchdog);
            progress(&record);
            results[number] = Some(record);
            lock(&pool.busy).remove(&worker);
            // The thread cannot be stopped; it is left to itself, and another takes its place.
            start_worker(&pool, workers, send.clone());
            workers += 1;
        }
    }
    results
}

struct Pool {
    queue: Mutex<VecDeque<usize>>,
    /// Which worker runs which cell since when; a worker that is here and runs nothing has `None`.
    busy: Mutex<BTreeMap<usize, Option<(usize, Instant)>>>,
    plans: Vec<Arc<Plan>>,
    library: Arc<Library>,
    settings: Settings,
    cancel: Arc<AtomicBool>,
}

enum News {
    Done(usize, Box<Record>),
    Left(usize),
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // A worker that panics while it holds a lock has changed nothing half way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    fn next(&self, worker: usize) -> Option<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return None;
        }
        let number = lock(&self.queue).pop_front()?;
        lock(&self.busy).insert(worker, Some((number, Instant::now())));
        Some(number)
    }

    fn overdue(&self) -> Vec<(usize, usize)> {
        let busy = lock(&self.busy);
        let running = busy.iter().filter_map(|(worker, cell)| Some((*worker, (*cell)?)));
        let late = running.filter(|(_, (_, since))| since.elapsed() > self.settings.watchdog);
        late.map(|(worker, (number, _))| (worker, number)).collect()
    }
}

fn start_worker(pool: &Arc<Pool>, worker: usize, send: std::sync::mpsc::Sender<News>) {
    lock(&pool.busy).insert(worker, None);
    let pool = pool.clone();
    thread::spawn(move || {
        while let Some(number) = pool.next(worker) {
            let record = run_one(&pool.plans[number], &pool.library, &pool.settings);
            if send.send(News::Done(number, Box::new(record))).is_err()
                || !lock(&pool.busy).contains_key(&worker)
            {
                return;
            }
        }
        // Nobody listens any more when the run was given up.
        let _ = send.send(News::Left(worker));
    });
}

/// The order in which cells are taken.
fn order(count: usize, shuffle: Option<u64>) -> VecDeque<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    if let Some(seed) = shuffle {
        numbers.sort_by_key(|number| {
            let mut hasher = blake3::Hasher::new();
            hasher.update(&seed.to_le_bytes()).update(&number.to_le_bytes());
            *hasher.finalize().as_bytes()
        });
    }
    numbers.into()
}

/// Runs one cell on this thread.
pub fn run_one(plan: &Arc<Plan>, library: &Library, settings: &Settings) -> Record {
    if plan.lane == Lane::Real
        && let Some(reason) = matrix::virtual_only(&plan.scenario)
    {
        return skipped(plan, &reason);
    }
    let (outcome, panic) = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        outcome(plan, library, settings)
    })) {
        Ok(outcome) => (outcome, None),
        Err(_) => {
            (Outcome::default(), Some("the harness panicked; the message is on standard error".to_owned()))
        }
    };
    record(plan, library, outcome, panic)
}

/// Runs one cell on this thread and gives all that was seen of it.
pub fn outcome(plan: &Plan, library: &Library, settings: &Settings) -> Outcome {
    let real = settings.binary.clone().map(|binary| RealSettings { binary });
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let builder = match plan.lane {
        Lane::Virtual => builder.enable_time().start_paused(true),
        Lane::Real => builder.enable_all(),
    };
    match builder.build() {
        Ok(runtime) => {
            let local = tokio::task::LocalSet::new();
            let outcome = local.block_on(&runtime, cell::run(plan, &library.catalogue, real.as_ref()));
            drop(local);
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Outcome { error: Some(format!("no runtime: {error}")), ..Outcome::default() },
    }
}

fn record(plan: &Arc<Plan>, library: &Library, outcome: Outcome, panic: Option<String>) -> Record {
    let error = panic.or_else(|| outcome.error.clone());
    let reachable = if plan.deviation.is_none() {
        matrix::reachable(library, &plan.executor, &outcome)
    } else {
        Vec::new()
    };
    let verdict = match &error {
        Some(_) => Verdict::Error,
        None => Verdict::worst(outcome.judgements.values().map(|judgement| judgement.verdict)),
    };
    let failed: Vec<String> = outcome
        .judgements
        .iter()
        .filter(|(_, judgement)| judgement.verdict == Verdict::Fail)
        .map(|(id, _)| id.clone())
        .collect();
    let reasons = outcome.judgements.values().filter(|judgement| judgement.verdict == Verdict::Inconclusive);
    let redacted = Secrets::new(outcome.secrets.clone());
    let reason = error.or_else(|| reasons.filter_map(|judgement| judgement.reason.clone()).next());
    let keep = verdict == Verdict::Error || failed.iter().any(|id| is_surprising(plan, library, id));
    Record {
        line: CellLine {
            id: plan.id(),
            lane: plan.lane,
            verdict,
            counts: Verdict::counts(outcome.judgements.values().map(|judgement| judgement.verdict)),
            digest: outcome.digest,
            failed,
            reason: reason.map(|reason| redacted.redact(&reason)),
        },
        plan: plan.clone(),
        judgements: outcome
            .judgements
            .into_iter()
            .map(|(id, judgement)| {
                (
                    id,
                    Judgement {
                        reason: judgement.reason.map(|reason| redacted.redact(&reason)),
                        ..judgement
                    },
                )
            })
            .collect(),
        trace: keep.then_some(outcome.observations),
        secrets: outcome.secrets,
        reachable,
    }
}

/// Whether nobody said beforehand that this requirement fails in this cell. Only such a cell's trace is worth keeping; all
/// others can be derived again.
fn is_surprising(plan: &Plan, library: &Library, id: &str) -> bool {
    match &plan.deviation {
        None => !plan.profile.breaks.contains_key(id),
        Some(Deviation::Quirk(quirk)) => {
            library.catalogue.get(id).is_none_or(|requirement| requirement.role.name() != quirk.role)
                || !quirk.violates.iter().any(|named| named == id)
        }
        Some(Deviation::Fault(_)) => true,
    }
}

fn bare(plan: &Arc<Plan>, verdict: Verdict, reason: String) -> Record {
    Record {
        plan: plan.clone(),
        line: CellLine {
            id: plan.id(),
            lane: plan.lane,
            verdict,
            counts: BTreeMap::new(),
            digest: String::new(),
            failed: Vec::new(),
            reason: Some(reason),
        },
        judgements: BTreeMap::new(),
        trace: None,
        secrets: Vec::new(),
        reachable: Vec::new(),
    }
}

/// The requirements of a cell that is not run are skipped with its reason.
fn skipped(plan: &Arc<Plan>, reason: &str) -> Record {
    let mut record = bare(plan, Verdict::Skipped, reason.to_owned());
    for requirement in plan.scenario.requirements() {
        let judgement =
            Judgement { verdict: Verdict::Skipped, findings: Vec::new(), reason: Some(reason.to_owned()) };
        record.judgements.insert(requirement.value.clone(), judgement);
    }
    record.line.counts = Verdict::counts(record.judgements.values().map(|judgement| judgement.verdict));
    record
}

fn stuck(plan: &Arc<Plan>, watchdog: Duration) -> Record {
    bare(
        plan,
        Verdict::Error,
        format!("the cell kept its thread for more than {watchdog:?} and was given up"),
    )
}
