//! The Hermes node: takes callbacks from receivers, and answers messages of other agents (fleet sheet 4.1 to 4.5). An ordinary
//! hyper service.
//!
//! The configuration is read anew for every request. `routes` is what there is over HTTP, `rpc` what a message leads to, `choosing` who is to answer
//! it, `handlers` who does, `registered` the commands of its user, `feed` what its dashboard shows, `history` what the model is told of earlier turns, `reasoning` what is taken from an agent's reply.

mod choosing;
mod feed;
mod handlers;
mod history;
mod listening;
mod reasoning;
mod registered;
mod routes;
mod rpc;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use gauntlet_protocol::fleet::hermes::{Agent, Model};

use self::history::History;
pub(crate) use self::listening::Listening;
use super::Fleet;

/// Who answers for the node, as far as anybody does.
#[derive(Clone, Default)]
pub struct Minds {
    /// The gateway's agent. Without it the bridge counts as not there.
    pub agent: Option<Agent>,
    /// A model without tools. Without it no provider counts as reachable.
    pub model: Option<Model>,
}

/// What the node keeps between requests.
pub(crate) struct Node {
    fleet: Rc<Fleet>,
    minds: Minds,
    history: History,
    /// The contexts on which the agent is at work.
    at_work: RefCell<BTreeSet<String>>,
    /// What handlers of an earlier life left running was ended.
    swept: Cell<bool>,
}

impl Node {
    pub(crate) fn new(fleet: Rc<Fleet>, minds: Minds) -> Self {
        Self {
            fleet,
            minds,
            history: History::default(),
            at_work: RefCell::default(),
            swept: Cell::default(),
        }
    }
}
