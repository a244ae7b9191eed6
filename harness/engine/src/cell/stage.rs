//! The stage of a cell: which part each turn of the CLI plays, and what the CLI was given.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gauntlet_simulators::stage::{Ending, Invocation, LocalFuture, Part, Purpose, Stage};

use super::names::Names;
use crate::trace::{Trace, What};

/// Hands out the parts of a scenario, and keeps what the CLI was given and did.
pub(crate) struct CellStage {
    parts: RefCell<Vec<Option<Part>>>,
    names: Rc<Names>,
    trace: Rc<Trace>,
    /// The dispatch that each session began with, for turns whose prompt carries no nonce.
    sessions: RefCell<BTreeMap<String, String>>,
    turns_of: RefCell<BTreeMap<u32, String>>,
    look: Box<dyn Fn(&str)>,
}

impl CellStage {
    pub(crate) fn new(parts: Vec<Part>, names: Rc<Names>, trace: Rc<Trace>, look: Box<dyn Fn(&str)>) -> Self {
        Self {
            parts: RefCell::new(parts.into_iter().map(Some).collect()),
            names,
            trace,
            sessions: RefCell::default(),
            turns_of: RefCell::default(),
            look,
        }
    }

    fn begin(&self, invocation: Invocation) -> Part {
        let (dispatch, part) = match &invocation.purpose {
            Purpose::Turn { prompt, session } => {
                let of_session =
                    || session.as_ref().and_then(|session| self.sessions.borrow().get(session).cloned());
                let dispatch = self.names.dispatch_in(prompt).or_else(of_session);
                let part = self.take(dispatch.as_deref());
                (dispatch, part)
            }
            // Whoever is refused still shows for which dispatch it was called, when the prompt is among the arguments.
            Purpose::Refused(_) | Purpose::Unplayed(_) => {
                (self.names.dispatch_in(&invocation.args.join("\n")), Part::default())
            }
            Purpose::Probe => (None, Part::default()),
        };
        if let Some(dispatch) = &dispatch {
            self.turns_of.borrow_mut().insert(invocation.pid, dispatch.clone());
        }
        (self.look)("spawn");
        self.trace.push(What::CliEntered { dispatch, invocation });
        part
    }

    /// The part that names the dispatch, else the next that names none, else a plain answer. A part that names its dispatch
    /// is played again when that dispatch is run again.
    fn take(&self, dispatch: Option<&str>) -> Part {
        let mut parts = self.parts.borrow_mut();
        let named = parts.iter().flatten().find(|part| part.of.is_some() && part.of.as_deref() == dispatch);
        if let Some(part) = named {
            return part.clone();
        }
        let next = parts.iter_mut().find(|part| part.as_ref().is_some_and(|part| part.of.is_none()));
        next.and_then(Option::take)
            .unwrap_or_else(|| Part { reply: Some("ok".to_owned()), ..Part::default() })
    }

    fn end(&self, ending: Ending) {
        if let (Some(session), Some(dispatch)) = (&ending.session, self.turns_of.borrow().get(&ending.pid)) {
            self.sessions.borrow_mut().insert(session.clone(), dispatch.clone());
        }
        self.trace.push(What::CliLeft { ending });
    }
}

impl Stage for CellStage {
    fn enter(&self, invocation: Invocation) -> LocalFuture<'_, Part> {
        Box::pin(async move { self.begin(invocation) })
    }

    fn leave(&self, ending: Ending) -> LocalFuture<'_, ()> {
        Box::pin(async move { self.end(ending) })
    }
}
