//! Locks that files stand for. Who holds one loses it by dying, as the operating system has it.

use std::cell::Cell;
use std::path::Path;
use std::rc::{Rc, Weak};

use super::Machine;
use crate::host::Host;
use crate::life::Mortal;

/// A lock that a process of a simulated machine holds.
#[derive(Default)]
pub(crate) struct HeldLock {
    lost: Cell<bool>,
}

impl Mortal for HeldLock {
    fn die(&self) {
        self.lost.set(true);
    }
}

impl Machine {
    /// Takes a lock for a process, unless another holder lives.
    pub(crate) fn try_lock(&self, host: &Host, path: &Path) -> Option<Rc<HeldLock>> {
        // Two ways to one file are one lock.
        let file = self.disk().canonical(path).unwrap_or_else(|_| path.to_owned());
        let mut locks = self.locks();
        if locks.get(&file).and_then(Weak::upgrade).is_some_and(|held| !held.lost.get()) {
            return None;
        }
        let held = Rc::new(HeldLock::default());
        host.life().hold(&held);
        locks.insert(file, Rc::downgrade(&held));
        Some(held)
    }
}
