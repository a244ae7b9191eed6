//! Running cells on worker threads. Each cell has a runtime of its own; cells share immutable data and nothing else.
//!
//! Records are handed on in the order of the plans. Workers may be ahead of the first cell that is not done by a fixed number of
//! cells only, so that few records wait at any time and memory does not depend on how many cells there are.
#![expect(
    clippy::disallowed_methods,
    reason = "the worker pool is outside of any cell: it starts threads and watches them by the wall clock"
)]

mod beside;

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use gauntlet_reports::Lane;
use gauntlet_world::{Either, race};
use tokio::sync::Notify;

pub use beside::Beside;

use crate::cell::{self, Outcome, Plan, RealSettings};
use crate::data::Library;
use crate::files;
use crate::hold::Hold;
use crate::known::List;
use crate::matrix;
use crate::record::Record;
use crate::stop::Stop;

/// How cells are run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many worker threads.
    pub jobs: usize,
    /// How many worker threads for the real lane, whose cells mostly wait.
    pub real_jobs: usize,
    /// The `gauntlet` binary, which the real lane starts as receiver and stand-in.
    pub binary: Option<PathBuf>,
    /// The folders with a user's own data, which the commands that reproduce a cell name.
    pub folders: Vec<PathBuf>,
    /// Where the cells of the real lane have their folders.
    pub scratch: PathBuf,
    /// Takes cells in another order, drawn by this seed. Results do not depend on it, which a test shows.
    pub shuffle: Option<u64>,
    /// How long a cell may keep its thread, by the wall clock.
    pub watchdog: Duration,
    /// Of how many failing cells the trace is kept.
    pub traces: usize,
    /// What is known to fail.
    pub known: List,
    /// Where the cell of the real lane is held that is run by itself ([`outcome`]).
    pub hold: Option<Arc<Hold>>,
    /// Nothing else is run meanwhile: what is still late then is so on a computer that others keep busy, and gets more time.
    pub is_alone: bool,
    /// Who asks for an end before the time does it here.
    pub stop: Arc<Stop>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            jobs: thread::available_parallelism().map_or(1, usize::from),
            real_jobs: 12 * thread::available_parallelism().map_or(1, usize::from),
            binary: None,
            folders: Vec::new(),
            scratch: scratch_home(),
            shuffle: None,
            watchdog: Duration::from_secs(120),
            traces: 100,
            known: List::default(),
            hold: None,
            is_alone: false,
            stop: Arc::default(),
        }
    }
}

/// Where cells of the real lane live: in memory where there is room, since a cell makes and removes dozens of files and waits for
/// each to be durable; else, or when the user names a folder, where temporary files are.
fn scratch_home() -> PathBuf {
    let memory = Path::new("/dev/shm");
    match std::env::var_os("TMPDIR") {
        None if files::has_room(memory, ROOM) && files::runs_programs(memory).is_ok() => memory.to_path_buf(),
        _ => std::env::temp_dir(),
    }
}

/// The bytes that must be free in memory. All cells that are there at once take a few megabytes.
const ROOM: u64 = 512 * 1024 * 1024;

/// How far workers may be ahead of the first cell that is not done.
const AHEAD: usize = 256;
/// How long records of short cells wait for more of them: to be woken for each of thousands a second takes time from the cells.
const MEANWHILE: Duration = Duration::from_millis(1);
/// How long cells that are told to end may take to clear away what they started.
const GRACE: Duration = Duration::from_secs(5);

/// Runs cells of one lane, on as many threads as the settings give to it. `take` gets the records in the order of the plans.
/// False when the run was stopped before all cells had ended.
pub fn run(
    plans: Vec<Plan>,
    library: &Arc<Library>,
    settings: &Settings,
    take: &mut dyn FnMut(Record),
) -> bool {
    if plans.is_empty() {
        return true;
    }
    let lane = plans.first().map_or(Lane::Virtual, |plan| plan.lane);
    let jobs = match lane {
        Lane::Virtual => settings.jobs,
        Lane::Real => settings.real_jobs,
    };
    let jobs = jobs.clamp(1, plans.len());
    let state = State {
        queue: order(plans.len(), settings.shuffle),
        plans: plans.into_iter().map(Arc::new).collect(),
        closed: true,
        ..State::default()
    };
    work(Pool::new(lane, state, library, settings), jobs, take)
}

/// Runs the cells of a pool, until it is closed and all are done. False when it was stopped before.
fn work(pool: Arc<Pool>, jobs: usize, take: &mut dyn FnMut(Record)) -> bool {
    let (send, receive) = channel();
    let mut watch = Watch { pool, send, workers: 0, waiting: BTreeMap::new(), traces: 0, done: 0, take };
    for _ in 0..jobs {
        watch.start_worker();
    }
    watch.until_all_left(&receive);
    watch.done == watch.pool.state().plans.len()
}

struct Pool {
    /// That of all its cells.
    lane: Lane,
    state: Mutex<State>,
    /// The first cell that is not done is another one now, or there are more cells, or there will be none.
    moved: Condvar,
    enough_traces: AtomicBool,
    library: Arc<Library>,
    settings: Settings,
}

#[derive(Default)]
struct State {
    plans: Vec<Arc<Plan>>,
    /// No more cells will come.
    closed: bool,
    /// The cells that nobody has taken, by number.
    queue: VecDeque<usize>,
    /// The first cell that is not done.
    first_open: usize,
    /// The workers, and what each runs.
    workers: BTreeMap<usize, Option<Running>>,
    /// The workers that were given up and have not come back.
    given_up: BTreeMap<usize, Running>,
}

/// A cell that is being run.
#[derive(Clone)]
struct Running {
    number: usize,
    since: Instant,
    place: Place,
}

/// Where a cell lives while it is run, and how it is told to end.
#[derive(Clone)]
struct Place {
    /// Its folder in the real lane.
    root: PathBuf,
    /// It should end now. Only the real lane listens: a cell of the virtual one gives its thread back at its end.
    end: Arc<Notify>,
}

impl Place {
    fn new(settings: &Settings) -> Self {
        Self { root: files::scratch(&settings.scratch), end: Arc::default() }
    }
}

enum News {
    Done(usize, Box<Record>),
    Left(usize),
}

impl Pool {
    fn new(lane: Lane, state: State, library: &Arc<Library>, settings: &Settings) -> Arc<Self> {
        Arc::new(Self {
            lane,
            state: Mutex::new(state),
            moved: Condvar::new(),
            enough_traces: AtomicBool::new(settings.traces == 0),
            library: library.clone(),
            settings: settings.clone(),
        })
    }

    fn plan(&self, number: usize) -> Arc<Plan> {
        self.state().plans[number].clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A worker that panics while it holds the lock has changed nothing half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, worker: usize) -> Option<(usize, Place)> {
        let mut state = self.state();
        loop {
            if self.settings.stop.is_asked() {
                return None;
            }
            match state.queue.front().copied() {
                Some(number) if number < state.first_open + AHEAD => {
                    state.queue.pop_front();
                    let place = Place::new(&self.settings);
                    let running = Running { number, since: Instant::now(), place: place.clone() };
                    state.workers.insert(worker, Some(running));
                    return Some((number, place));
                }
                None if state.closed => return None,
                _ => {}
            }
            let waited = self.moved.wait_timeout(state, Duration::from_millis(50));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A worker is through with its cell. False when it was given up meanwhile.
    fn rest(&self, worker: usize) -> bool {
        let mut state = self.state();
        state.workers.get_mut(&worker).map(|running| *running = None).is_some()
    }
}

/// The order in which cells are taken: theirs, or a drawn one among as many as may be under way.
fn order(count: usize, shuffle: Option<u64>) -> VecDeque<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    if let Some(seed) = shuffle {
        for block in numbers.chunks_mut(AHEAD) {
            block.sort_by_key(|number| {
                let mut hasher = blake3::Hasher::new();
                hasher.update(&seed.to_le_bytes()).update(&number.to_le_bytes());
                *hasher.finalize().as_bytes()
            });
        }
    }
    numbers.into()
}

/// Who watches the workers and hands on what they bring.
struct Watch<'a> {
    pool: Arc<Pool>,
    send: Sender<News>,
    workers: usize,
    /// Records that came before their turn.
    waiting: BTreeMap<usize, Record>,
    traces: usize,
    done: usize,
    take: &'a mut dyn FnMut(Record),
}

impl Watch<'_> {
    fn start_worker(&mut self) {
        let worker = self.workers;
        self.workers += 1;
        self.pool.state().workers.insert(worker, None);
        let (pool, send) = (self.pool.clone(), self.send.clone());
        thread::spawn(move || {
            if pool.lane == Lane::Virtual {
                give_way();
            }
            while let Some((number, place)) = pool.next(worker) {
                let keep_trace = !pool.enough_traces.load(Ordering::Relaxed);
                let record = run_one(&pool.plan(number), &pool.library, &pool.settings, &place, keep_trace);
                let still_one_of_us = pool.rest(worker);
                // Nobody listens any more when the run was given up.
                if let Some(record) = record {
                    let _ = send.send(News::Done(number, Box::new(record)));
                }
                if !still_one_of_us {
                    break;
                }
            }
            let _ = send.send(News::Left(worker));
        });
    }

    fn until_all_left(&mut self, receive: &Receiver<News>) {
        let mut deadline = None;
        loop {
            if let Ok(news) = receive.recv_timeout(Duration::from_millis(50)) {
                let cells_are_short = self.pool.lane == Lane::Virtual && matches!(news, News::Done(..));
                self.heed(news);
                if cells_are_short {
                    thread::sleep(MEANWHILE);
                }
                receive.try_iter().for_each(|news| self.heed(news));
            }
            self.give_up_the_overdue();
            let state = self.pool.state();
            if state.workers.is_empty() && state.given_up.is_empty() {
                break;
            }
            let only_lost_ones = state.workers.is_empty();
            if deadline.is_none() && (only_lost_ones || self.pool.settings.stop.is_urgent()) {
                for running in state.workers.values().flatten() {
                    running.place.end.notify_one();
                }
                deadline = Some(Instant::now() + GRACE);
            }
            if deadline.is_some_and(|deadline| Instant::now() > deadline) {
                break;
            }
        }
        // What is still there does not listen. Its thread ends with this process; what it started is ended here.
        let state = self.pool.state();
        let lost: Vec<PathBuf> = state
            .workers
            .values()
            .flatten()
            .chain(state.given_up.values())
            .map(|running| running.place.root.clone())
            .collect();
        drop(state);
        lost.iter().for_each(|root| clear_away(root));
        for record in std::mem::take(&mut self.waiting).into_values() {
            self.hand_on(record);
        }
    }

    fn heed(&mut self, news: News) {
        match news {
            News::Done(number, record) => self.done(number, *record),
            News::Left(worker) => {
                let mut state = self.pool.state();
                state.workers.remove(&worker);
                state.given_up.remove(&worker);
            }
        }
    }

    fn give_up_the_overdue(&mut self) {
        let watchdog = self.pool.settings.watchdog;
        let mut state = self.pool.state();
        let late = |running: &Running| running.since.elapsed() > watchdog;
        let overdue: Vec<(usize, Running)> = state
            .workers
            .iter()
            .filter_map(|(worker, running)| Some((*worker, running.clone().filter(late)?)))
            .collect();
        for (worker, running) in &overdue {
            running.place.end.notify_one();
            state.workers.remove(worker);
            // A cell of the virtual lane holds nothing but its thread.
            if self.pool.lane == Lane::Real {
                state.given_up.insert(*worker, running.clone());
            }
        }
        drop(state);
        for (_, running) in overdue {
            self.done(running.number, Record::stuck(&self.pool.plan(running.number), watchdog));
            // A thread cannot be stopped; it is left to itself, and another takes its place.
            self.start_worker();
        }
    }

    /// A cell is done; so may be all that waited for it.
    fn done(&mut self, number: usize, record: Record) {
        let mut first_open = self.pool.state().first_open;
        // A cell that was given up and ended after all counts once.
        if number < first_open || self.waiting.contains_key(&number) {
            return;
        }
        self.waiting.insert(number, record);
        while let Some(record) = self.waiting.remove(&first_open) {
            self.hand_on(record);
            first_open += 1;
        }
        self.pool.state().first_open = first_open;
        self.pool.moved.notify_all();
    }

    fn hand_on(&mut self, mut record: Record) {
        if self.traces >= self.pool.settings.traces {
            record.forget_trace();
        }
        self.traces += usize::from(record.trace.is_some());
        if self.traces >= self.pool.settings.traces {
            self.pool.enough_traces.store(true, Ordering::Relaxed);
        }
        self.done += 1;
        (self.take)(record);
    }
}

/// Lets everything else go before this thread: whoever computes in virtual time is never late, and real cells are.
fn give_way() {
    if let Ok(usual) = rustix::process::getpriority_process(None) {
        let _ = rustix::process::setpriority_process(None, usual + 5);
    }
}

/// Runs one cell on this thread; nothing when it was told to end. Whatever happens, nothing of it is left behind.
fn run_one(
    plan: &Arc<Plan>,
    library: &Library,
    settings: &Settings,
    place: &Place,
    keep_trace: bool,
) -> Option<Record> {
    if let Some(reason) = matrix::not_here(library, plan) {
        return Some(Record::skipped(plan, library, &reason));
    }
    let tell = || {
        let began = Instant::now();
        let outcome = outcome_at(plan, library, settings, place)?;
        tracing::debug!(cell = plan.id(), took = ?began.elapsed(), "run");
        Some(Record::of(plan, library, &settings.folders, outcome, keep_trace))
    };
    let record = match plan.lane {
        Lane::Virtual => catching(tell),
        Lane::Real => leaving_nothing_behind(&place.root, tell),
    };
    record.unwrap_or_else(|Panicked| Some(Record::panicked(plan)))
}

#[derive(Debug, PartialEq, Eq)]
struct Panicked;

/// Does something that may start processes below a folder, and ends and removes all that it leaves there, also after a panic.
fn leaving_nothing_behind<T>(root: &Path, run: impl FnOnce() -> T) -> Result<T, Panicked> {
    let result = catching(run);
    clear_away(root);
    result
}

fn catching<T>(run: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|_| Panicked)
}

/// Ends every process that lives below a cell's folder, and removes the folder.
fn clear_away(root: &Path) {
    if !files::exists(root) {
        return;
    }
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cell::clear_away(root)),
        Err(error) => tracing::warn!(%error, folder = %root.display(), "the cell's folder is left"),
    }
}

/// Runs one cell on this thread and gives all that was seen of it; nothing when `end` came first.
pub fn outcome(plan: &Plan, library: &Library, settings: &Settings, end: &Arc<Notify>) -> Option<Outcome> {
    let place = Place { end: end.clone(), ..Place::new(settings) };
    let outcome = leaving_nothing_behind(&place.root, || outcome_at(plan, library, settings, &place));
    let panicked = || Outcome { error: Some("the harness panicked".to_owned()), ..Outcome::default() };
    outcome.unwrap_or_else(|Panicked| Some(panicked()))
}

fn outcome_at(plan: &Plan, library: &Library, settings: &Settings, place: &Place) -> Option<Outcome> {
    let _span = tracing::info_span!(target: "cell", "cell", id = plan.id()).entered();
    let real = settings.binary.clone().map(|binary| RealSettings {
        binary,
        root: place.root.clone(),
        hold: settings.hold.clone(),
        is_alone: settings.is_alone,
    });
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let builder = match plan.lane {
        Lane::Virtual => builder.enable_time().start_paused(true),
        Lane::Real => builder.enable_all(),
    };
    match builder.build() {
        Ok(runtime) => {
            let local = tokio::task::LocalSet::new();
            let cell = cell::run(plan, &library.catalogue, real.as_ref());
            let outcome = match plan.lane {
                Lane::Virtual => Some(local.block_on(&runtime, cell)),
                Lane::Real => match local.block_on(&runtime, race(place.end.notified(), cell)) {
                    Either::First(()) => None,
                    Either::Second(outcome) => Some(outcome),
                },
            };
            drop(local);
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Some(Outcome { error: Some(format!("no runtime: {error}")), ..Outcome::default() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sleeper(root: &Path) -> std::process::Child {
        std::process::Command::new("sleep")
            .arg("60")
            .stdout(std::process::Stdio::null())
            .env("HOME", root.join("home"))
            .spawn()
            .expect("sleep is there")
    }

    #[test]
    fn a_panic_inside_a_cell_leaves_neither_a_process_nor_a_folder() {
        let root = files::scratch(&std::env::temp_dir());
        let mut child = None;
        let result = leaving_nothing_behind(&root, || {
            files::make_private_dir(&root).expect("the folder is new");
            files::write(&root.join("repo/file"), b"").expect("a file");
            child = Some(sleeper(&root));
            panic!("this panic is part of the test");
        });
        assert_eq!(result, Err::<(), _>(Panicked));
        assert!(!files::exists(&root));
        let status = child.expect("it was started").try_wait().expect("it can be asked");
        assert!(status.is_some_and(|status| !status.success()), "it still runs");
    }

    #[test]
    fn a_drawn_order_stays_within_what_may_be_under_way() {
        let drawn: Vec<usize> = order(3 * AHEAD + 5, Some(1)).into();
        assert_ne!(drawn, (0..drawn.len()).collect::<Vec<_>>());
        assert!(drawn.iter().enumerate().all(|(at, number)| at / AHEAD == number / AHEAD));
    }
}
