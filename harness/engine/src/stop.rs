//! How a run is asked to end before its time.

use std::sync::atomic::{AtomicU8, Ordering};

/// Whether a run should end before its time, and how urgently.
#[derive(Debug, Default)]
pub struct Stop(AtomicU8);

impl Stop {
    /// Asks the run to end: the first time no new cell is begun, the second time the running ones are dropped as well. Says
    /// the how-manieth time it was.
    pub fn ask(&self) -> u8 {
        self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    /// How often it was asked.
    pub fn times(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    /// No new cell should be begun.
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// The running cells should be dropped.
    pub fn is_urgent(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}
