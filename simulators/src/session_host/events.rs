//! Telling events to those who watch.

use std::cell::RefCell;
use std::collections::BTreeMap;

use gauntlet_world::Host;
use gauntlet_world::injection::{Injector, Mangle, Point};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::script::{Disturbance, Disturbs};
use crate::opencode_ids::Ids;

/// What a watcher gets next.
pub(super) enum Next {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes, and then the stream ends.
    Last(Vec<u8>),
}

/// Everybody who watches, and what is on the way to them.
pub(super) struct Teller {
    watchers: RefCell<Vec<UnboundedSender<Next>>>,
    /// One at a time tells, so that the order in which things happened is kept.
    queue: UnboundedSender<Value>,
    waiting: RefCell<Option<UnboundedReceiver<Value>>>,
    held: RefCell<Option<Vec<u8>>>,
    counts: RefCell<BTreeMap<usize, u32>>,
    ids: Ids,
}

impl Default for Teller {
    fn default() -> Self {
        let (queue, waiting) = unbounded_channel();
        Self {
            watchers: RefCell::default(),
            queue,
            waiting: RefCell::new(Some(waiting)),
            held: RefCell::default(),
            counts: RefCell::default(),
            ids: Ids::default(),
        }
    }
}

impl Teller {
    /// Somebody watches from now on.
    pub(super) fn watch(&self) -> UnboundedReceiver<Next> {
        let (sender, receiver) = unbounded_channel();
        self.watchers.borrow_mut().push(sender);
        receiver
    }

    /// Something happened.
    pub(super) fn tell(&self, host: &Host, kind: &str, properties: Value) {
        let event = self.event(host, kind, properties);
        // Nobody takes events any more when the host is gone.
        let _ = self.queue.send(event);
    }

    /// An event with an id of its own.
    pub(super) fn event(&self, host: &Host, kind: &str, properties: Value) -> Value {
        json!({ "id": self.ids.ascending(host, "evt"), "type": kind, "properties": properties })
    }

    /// Tells what happens, for ever.
    pub(super) async fn run(&self, host: &Host, injector: &Injector, disturbances: &[Disturbance]) {
        let Some(mut waiting) = self.waiting.borrow_mut().take() else { return };
        while let Some(event) = waiting.recv().await {
            let session = event.pointer("/properties/sessionID").cloned().unwrap_or_default();
            let passed =
                json!({ "type": event["type"], "sessionID": session, "properties": event["properties"] });
            let passed = injector.pass(host, Point::HostEvent, passed).await;
            for told in passed.events {
                let mut event = event.clone();
                // Another event was held back till now, and its id with it: only ids that repeat are told apart.
                if told["properties"] != event["properties"] && told["type"] != event["type"] {
                    event["id"] = json!(self.ids.ascending(host, "evt"));
                }
                event["type"] = told["type"].clone();
                event["properties"] = told["properties"].clone();
                self.disturb(host, &event, passed.mangle, disturbances).await;
            }
        }
    }

    async fn disturb(&self, host: &Host, event: &Value, mangle: Mangle, disturbances: &[Disturbance]) {
        let bytes = mangle.apply(frame(event));
        if let Mangle::Truncate(_) = mangle {
            return self.send(&Next::Last(bytes));
        }
        match self.disturbance(event, disturbances) {
            None => self.send(&Next::Bytes(bytes)),
            Some(Disturbs::Loses) => return,
            Some(Disturbs::Repeats(after)) => {
                self.send(&Next::Bytes(bytes.clone()));
                host.clock().sleep(after.duration()).await;
                self.send(&Next::Bytes(bytes));
            }
            Some(Disturbs::Swaps) => {
                *self.held.borrow_mut() = Some(bytes);
                return;
            }
            Some(Disturbs::Delays(by)) => {
                let watchers = self.watchers.borrow().clone();
                let task_host = host.clone();
                host.spawn(async move {
                    task_host.clock().sleep(by.duration()).await;
                    for watcher in watchers {
                        let _ = watcher.send(Next::Bytes(bytes.clone()));
                    }
                });
                return;
            }
            Some(Disturbs::CutsBefore) => self.send(&Next::Last(Vec::new())),
            Some(Disturbs::CutsAfter) => self.send(&Next::Last(bytes)),
            Some(Disturbs::CutsWithin) => self.send(&Next::Last(bytes[..bytes.len() / 2].to_vec())),
        }
        let held = self.held.borrow_mut().take();
        if let Some(held) = held {
            self.send(&Next::Bytes(held));
        }
    }

    fn disturbance(&self, event: &Value, disturbances: &[Disturbance]) -> Option<Disturbs> {
        let mut found = None;
        for (number, disturbance) in disturbances.iter().enumerate() {
            if event["type"] != *disturbance.of {
                continue;
            }
            let mut counts = self.counts.borrow_mut();
            let count = counts.entry(number).or_default();
            *count += 1;
            if found.is_none() && disturbance.nth.is_none_or(|nth| nth == *count) {
                found = Some(disturbance.does);
            }
        }
        found
    }

    fn send(&self, next: &Next) {
        let mut watchers = self.watchers.borrow_mut();
        match next {
            Next::Bytes(bytes) => watchers.retain(|watcher| watcher.send(Next::Bytes(bytes.clone())).is_ok()),
            Next::Last(bytes) => {
                for watcher in watchers.drain(..) {
                    let _ = watcher.send(Next::Last(bytes.clone()));
                }
            }
        }
    }
}

/// An event as the stream has it.
pub(super) fn frame(event: &Value) -> Vec<u8> {
    format!("data: {event}\n\n").into_bytes()
}
