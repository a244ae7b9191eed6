//! The tap: raw bytes of connections become observations, one for each exchange.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use gauntlet_world::network::{Flow, Side, Tap};

use crate::oracle::wire;
use crate::trace::{Blob, Trace, What};

/// Sees the connections of the runtime, of the harness, and of whatever takes callbacks.
pub(crate) struct Wire {
    trace: Rc<Trace>,
    receiver_port: Cell<u16>,
    step: RefCell<String>,
    open: RefCell<BTreeMap<u64, Conversation>>,
    next: Cell<u64>,
    look: Box<dyn Fn(&str)>,
}

/// More than this is not kept of one direction of a connection. The longest callback that Hermes takes is shorter: what is cut
/// here is nothing that a subject may send.
const MAX_KEPT: usize = 64 * 1024 * 1024;

struct Conversation {
    side: Side,
    step: String,
    /// Whoever connects may go on with the connection: each exchange is one by itself.
    goes_on: bool,
    sent: Vec<u8>,
    received: Vec<u8>,
}

impl Conversation {
    /// The exchange that is complete, if one is: whoever calls back may go on with the connection.
    fn complete(&mut self) -> Option<Self> {
        let (sent, received) = match self.side {
            Side::Accepted => (wire::answer_length(&self.sent)?, wire::request_length(&self.received)?),
            Side::Connected => (wire::request_length(&self.sent)?, wire::answer_length(&self.received)?),
        };
        let rest = Self {
            side: self.side,
            step: self.step.clone(),
            goes_on: self.goes_on,
            sent: self.sent.split_off(sent),
            received: self.received.split_off(received),
        };
        Some(std::mem::replace(self, rest))
    }

    /// What is seen of it: nothing when nobody asked for anything.
    fn observation(self) -> Option<What> {
        let (sent, received) = (Blob(self.sent), Blob(self.received));
        match self.side {
            Side::Connected if self.goes_on && sent.0.is_empty() => None,
            Side::Connected => Some(What::Exchange { step: self.step, sent, received }),
            Side::Accepted if received.0.is_empty() => None,
            Side::Accepted => Some(What::Callback { sent: received, answered: sent }),
        }
    }
}

impl Wire {
    /// `look` takes a snapshot of the files at a named moment.
    pub(crate) fn new(trace: Rc<Trace>, receiver_port: u16, look: Box<dyn Fn(&str)>) -> Self {
        Self {
            trace,
            receiver_port: Cell::new(receiver_port),
            step: RefCell::default(),
            open: RefCell::default(),
            next: Cell::new(1),
            look,
        }
    }

    /// The cell is over: what is still open is seen as far as it came.
    pub(crate) fn end(&self) {
        let open = std::mem::take(&mut *self.open.borrow_mut());
        open.into_values().filter_map(Conversation::observation).for_each(|what| self.trace.push(what));
    }

    /// The exchanges from now on belong to this step.
    pub(crate) fn in_step(&self, step: &str) {
        *self.step.borrow_mut() = step.to_owned();
    }
}

impl Tap for Wire {
    fn opened(&self, side: Side, port: u16) -> u64 {
        let number = self.next.replace(self.next.get() + 1);
        // What the gate passes on to the node has been seen at the gate.
        if side == Side::Accepted || port == self.receiver_port.get() {
            let step = self.step.borrow().clone();
            let conversation =
                Conversation { side, step, goes_on: false, sent: Vec::new(), received: Vec::new() };
            self.open.borrow_mut().insert(number, conversation);
        }
        number
    }

    fn bytes(&self, connection: u64, flow: Flow, bytes: &[u8]) {
        let (moment, complete) = {
            let mut open = self.open.borrow_mut();
            let Some(conversation) = open.get_mut(&connection) else { return };
            let first = conversation.received.is_empty();
            if conversation.goes_on && flow == Flow::Sent && conversation.sent.is_empty() {
                conversation.step.clone_from(&self.step.borrow());
            }
            let kept = match flow {
                Flow::Sent => &mut conversation.sent,
                Flow::Received => &mut conversation.received,
            };
            let room = MAX_KEPT.saturating_sub(kept.len()).min(bytes.len());
            kept.extend_from_slice(&bytes[..room]);
            match (flow, conversation.side) {
                (Flow::Received, Side::Connected) if conversation.goes_on => {
                    (first.then_some("ack"), conversation.complete())
                }
                (Flow::Received, Side::Connected) => (first.then_some("ack"), None),
                (Flow::Received, Side::Accepted) => (first.then_some("callback"), None),
                (Flow::Sent, Side::Accepted) => (None, conversation.complete()),
                (Flow::Sent, Side::Connected) => (None, None),
            }
        };
        if let Some(moment) = moment {
            (self.look)(moment);
        }
        complete.and_then(Conversation::observation).into_iter().for_each(|what| self.trace.push(what));
    }

    fn closed(&self, connection: u64) {
        let conversation = self.open.borrow_mut().remove(&connection);
        conversation.and_then(Conversation::observation).into_iter().for_each(|what| self.trace.push(what));
    }
}

/// A tap that leaves accepted connections out.
pub(crate) struct OnlyOpened(pub(crate) Rc<Wire>);

impl Tap for OnlyOpened {
    fn opened(&self, side: Side, port: u16) -> u64 {
        match side {
            Side::Connected => self.0.opened(side, port),
            Side::Accepted => 0,
        }
    }

    fn bytes(&self, connection: u64, flow: Flow, bytes: &[u8]) {
        self.0.bytes(connection, flow, bytes);
    }

    fn closed(&self, connection: u64) {
        self.0.closed(connection);
    }
}

/// A tap of whoever passes on what others send: accepted connections are left out, and an exchange is seen when it is complete, since
/// its sender may go on with the connection.
pub(crate) struct PassedOn(pub(crate) Rc<Wire>);

impl Tap for PassedOn {
    fn opened(&self, side: Side, port: u16) -> u64 {
        if side == Side::Accepted {
            return 0;
        }
        let number = self.0.opened(side, port);
        if let Some(conversation) = self.0.open.borrow_mut().get_mut(&number) {
            conversation.goes_on = true;
        }
        number
    }

    fn bytes(&self, connection: u64, flow: Flow, bytes: &[u8]) {
        self.0.bytes(connection, flow, bytes);
    }

    fn closed(&self, connection: u64) {
        self.0.closed(connection);
    }
}
