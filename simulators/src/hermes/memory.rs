//! What a node keeps between messages, in memory: one door for each context, and what was said behind it to a model.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use gauntlet_protocol::fleet::hermes::Said;
use tokio::sync::Mutex;

/// The contexts of a node.
#[derive(Default)]
pub(super) struct Memory {
    contexts: RefCell<BTreeMap<String, Rc<Context>>>,
    written: Cell<u64>,
}

/// One context.
#[derive(Default)]
pub(super) struct Context {
    /// Held by the turn that is under way.
    pub(super) door: Mutex<()>,
    said: RefCell<Vec<Said>>,
    /// When it was last written to, counted in writes; 0 when it never was.
    written: Cell<u64>,
}

impl Memory {
    /// A context, new or known.
    pub(super) fn context(&self, id: &str) -> Rc<Context> {
        let mut contexts = self.contexts.borrow_mut();
        // Nothing is lost with a context of which nothing is kept and that nobody holds.
        contexts.retain(|known, context| {
            known == id || context.written.get() > 0 || Rc::strong_count(context) > 1
        });
        contexts.entry(id.to_owned()).or_default().clone()
    }

    /// Keeps an exchange.
    pub(super) fn keep(&self, context: &Context, asked: &str, answered: &str) {
        self.written.set(self.written.get() + 1);
        context.written.set(self.written.get());
        let mut said = context.said.borrow_mut();
        said.push(Said::by("user", asked));
        said.push(Said::by("assistant", answered));
    }

    /// Forgets what was said longest ago on a context.
    pub(super) fn trim(context: &Context, records: usize) {
        let mut said = context.said.borrow_mut();
        let surplus = said.len().saturating_sub(records);
        said.drain(..surplus);
    }

    /// Forgets the contexts that were written to longest ago.
    pub(super) fn evict(&self, limit: usize) {
        let contexts = self.contexts.borrow();
        let mut kept: Vec<&Rc<Context>> =
            contexts.values().filter(|context| context.written.get() > 0).collect();
        kept.sort_by_key(|context| context.written.get());
        let surplus = kept.len().saturating_sub(limit);
        for context in &kept[..surplus] {
            context.said.borrow_mut().clear();
            context.written.set(0);
        }
    }
}

impl Context {
    /// What was said so far.
    pub(super) fn said(&self) -> Vec<Said> {
        self.said.borrow().clone()
    }
}
