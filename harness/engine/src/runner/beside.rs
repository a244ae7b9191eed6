//! Cells of the real lane beside those of the virtual one: they mostly wait, which costs nothing while others compute.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};

use gauntlet_reports::Lane;

use super::{Pool, Settings, State, work};
use crate::cell::Plan;
use crate::data::Library;
use crate::record::Record;

/// Cells that are run while the caller does something else, and to which more can be added.
pub struct Beside {
    pool: Arc<Pool>,
    records: Receiver<Record>,
    watch: Option<JoinHandle<bool>>,
}

impl Beside {
    /// Waits for cells of the real lane.
    pub fn start(library: &Arc<Library>, settings: &Settings) -> Self {
        let pool = Pool::new(Lane::Real, State::default(), library, settings);
        let (send, records) = channel();
        let (working, jobs) = (pool.clone(), settings.real_jobs.max(1));
        let watch = thread::spawn(move || {
            // Nobody listens any more when the run was given up.
            work(working, jobs, &mut |record| drop(send.send(record)))
        });
        Self { pool, records, watch: Some(watch) }
    }

    /// Runs one more.
    pub fn add(&self, plan: Plan) {
        let mut state = self.pool.state();
        let number = state.plans.len();
        state.queue.push_back(number);
        state.plans.push(Arc::new(plan));
        self.pool.moved.notify_one();
    }

    /// The records that came meanwhile, in the order in which their cells were added.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        self.records.try_iter()
    }

    /// Waits for the cells that are not done, and gives their records. False when they were stopped before.
    pub fn finish(mut self, take: &mut dyn FnMut(Record)) -> bool {
        self.close();
        while let Ok(record) = self.records.recv() {
            take(record);
        }
        let watch = self.watch.take().map(JoinHandle::join);
        watch.is_some_and(|complete| complete.unwrap_or(false))
    }

    fn close(&self) {
        self.pool.state().closed = true;
        self.pool.moved.notify_all();
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.close();
        if let Some(watch) = self.watch.take() {
            self.pool.settings.stop.ask();
            // It panics only where the harness itself is wrong, and its panic was shown.
            let _ = watch.join();
        }
    }
}
