//! One lock a context, so that turns of one context never overlap and turns of different contexts do not wait for each other.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::Mutex;

/// The locks of the contexts seen last. A lock that somebody holds or waits for is never dropped, so the bound can be
/// exceeded for as long as that many contexts are at work (FLEET-TURN-16).
pub(super) struct ContextLocks {
    bound: usize,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    locks: BTreeMap<String, (u64, Rc<Mutex<()>>)>,
    uses: u64,
}

impl ContextLocks {
    pub(super) fn new(bound: usize) -> Self {
        Self { bound, state: RefCell::default() }
    }

    /// Whether there are as many locks as there may be.
    pub(super) fn is_crowded(&self) -> bool {
        self.state.borrow().locks.len() >= self.bound
    }

    /// The lock of a context. Those who wait for it get it in the order in which they asked.
    pub(super) fn of(&self, context: &str) -> Rc<Mutex<()>> {
        let mut state = self.state.borrow_mut();
        state.uses += 1;
        let now = state.uses;
        let (used, lock) = state.locks.entry(context.to_owned()).or_default();
        *used = now;
        let lock = lock.clone();
        while state.locks.len() > self.bound {
            let idle = state.locks.iter().filter(|(_, (_, lock))| Rc::strong_count(lock) == 1);
            let Some(oldest) = idle.min_by_key(|(_, (used, _))| *used).map(|(context, _)| context.clone())
            else {
                break;
            };
            state.locks.remove(&oldest);
        }
        lock
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_idle_lock_goes_and_a_held_one_stays() {
        let locks = ContextLocks::new(2);
        let held = locks.of("a");
        let guard = held.try_lock().expect("nobody else holds it");
        for context in ["b", "c", "d"] {
            locks.of(context);
        }
        assert!(locks.of("a").try_lock().is_err(), "the held lock of context a was dropped");
        drop(guard);
        assert!(locks.state.borrow().locks.len() <= 2);
    }
}
