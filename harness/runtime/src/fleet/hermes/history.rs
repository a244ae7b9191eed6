//! What was said on each context, for a model that remembers nothing itself (fleet sheet 4.4). In memory only.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};

use gauntlet_protocol::fleet::hermes::{MAX_CONTEXTS, MAX_RECORDS, Said};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The turns of all contexts, as far as they are remembered.
#[derive(Default)]
pub(super) struct History {
    said: RefCell<BTreeMap<String, VecDeque<Said>>>,
    /// The contexts that are remembered, the one that was added to last at the end.
    order: RefCell<VecDeque<String>>,
    turns: RefCell<BTreeMap<String, Weak<Mutex<()>>>>,
}

impl History {
    /// Waits until no other turn of this context is under way. The next one waits until the guard is dropped.
    pub(super) async fn turn(&self, context: &str) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.turns.borrow_mut();
            turns.retain(|_, lock| lock.strong_count() > 0);
            let known = turns.get(context).and_then(Weak::upgrade);
            known.unwrap_or_else(|| {
                let lock = Arc::default();
                turns.insert(context.to_owned(), Arc::downgrade(&lock));
                lock
            })
        };
        lock.lock_owned().await
    }

    /// What was said on a context. Looking does not make it younger.
    pub(super) fn of(&self, context: &str) -> Vec<Said> {
        self.said.borrow().get(context).into_iter().flatten().cloned().collect()
    }

    /// Remembers an exchange that came to its end.
    pub(super) fn remember(&self, context: &str, asked: &str, answered: &str) {
        let (mut said, mut order) = (self.said.borrow_mut(), self.order.borrow_mut());
        let records = said.entry(context.to_owned()).or_default();
        records.extend([Said::by("user", asked), Said::by("assistant", answered)]);
        while records.len() > MAX_RECORDS {
            records.pop_front();
        }
        order.retain(|known| known != context);
        order.push_back(context.to_owned());
        while order.len() > MAX_CONTEXTS {
            if let Some(oldest) = order.pop_front() {
                said.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_records_of_a_context_and_the_oldest_contexts_are_forgotten() {
        let history = History::default();
        for number in 0..12 {
            history.remember("c", &number.to_string(), "a");
        }
        let said = history.of("c");
        assert_eq!((said.len(), said[0].content.as_str(), said[19].role), (MAX_RECORDS, "2", "assistant"));
        for number in 0..MAX_CONTEXTS - 1 {
            history.remember(&format!("other-{number}"), "x", "y");
        }
        assert_eq!(history.of("c").len(), MAX_RECORDS, "500 are remembered");
        history.remember("c", "x", "y");
        history.remember("one-more", "x", "y");
        assert_eq!((history.of("c").len(), history.of("other-0").len()), (MAX_RECORDS, 0));
    }
}
