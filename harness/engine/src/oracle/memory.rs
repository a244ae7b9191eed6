//! What was read of a trace so far. A trace only grows, and while a cell waits for its outcomes it is looked at again and again: what
//! an observation says is read once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::wire::{self, HttpAnswer, HttpRequest};

/// What was read of one trace. With another trace it would say what is not there.
#[derive(Default)]
pub(crate) struct Memory {
    messages: RefCell<BTreeMap<usize, Rc<Vec<String>>>>,
    exchanges: RefCell<BTreeMap<usize, Rc<Exchange>>>,
    /// Whether a dispatch was open when so many observations had been made, and whether files had a say in that.
    pub(super) open: Cell<Option<Open>>,
}

/// What was last found out about open dispatches.
#[derive(Clone, Copy)]
pub(super) struct Open {
    pub(super) observations: usize,
    pub(super) open: bool,
    pub(super) by_files: bool,
}

/// A callback's request and what it was answered.
pub(super) struct Exchange {
    pub(super) request: Option<HttpRequest>,
    pub(super) answers: Vec<HttpAnswer>,
}

impl Memory {
    /// The answers of the turn that began at this place and has ended.
    pub(super) fn messages(&self, began: usize, read: impl FnOnce() -> Vec<String>) -> Rc<Vec<String>> {
        self.messages.borrow_mut().entry(began).or_insert_with(|| Rc::new(read())).clone()
    }

    /// The callback at this place.
    pub(super) fn exchange(&self, index: usize, sent: &[u8], answered: &[u8]) -> Rc<Exchange> {
        let read = || Rc::new(Exchange { request: wire::request(sent), answers: wire::answers(answered) });
        self.exchanges.borrow_mut().entry(index).or_insert_with(read).clone()
    }
}
