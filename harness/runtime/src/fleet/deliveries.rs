//! The replies that reached this runtime: each once, durable before the receiver is told that it arrived.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use gauntlet_protocol::fleet::Lines;
use gauntlet_protocol::json;
use gauntlet_world::Host;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

/// One reply, delivered to the context that its callback names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The callback's id, as JSON text: what makes a second arrival recognisable.
    pub id: String,
    /// The context.
    pub context: String,
    /// The text.
    pub text: String,
    /// Whether it came after its deadline.
    pub late: bool,
}

/// All deliveries, in order of arrival.
pub struct Deliveries {
    path: PathBuf,
    state: RefCell<State>,
    /// One writer at a time. True: an append failed half way, and the next one begins with a line end.
    torn: Mutex<bool>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    all: Vec<Delivery>,
    seen: BTreeSet<(String, String)>,
}

impl Deliveries {
    /// Reads what an earlier life took. A torn last line was never confirmed to its receiver, which will send it again.
    pub async fn open(host: &Host, path: PathBuf) -> io::Result<Self> {
        let content = host.disk().read_if_present(&path).await?.unwrap_or_default();
        let mut state = State::default();
        for (_, line) in Lines::new(&content) {
            if let Some(delivery) =
                json::parse("a delivery", line).ok().as_ref().and_then(Delivery::from_value)
            {
                state.take(delivery);
            }
        }
        if content.is_empty() || !content.ends_with(b"\n") {
            // Creates the file, or ends the torn line.
            host.disk().append(&path, if content.is_empty() { b"" } else { b"\n" }).await?;
        }
        // An earlier life may have died between a write and its sync: what was read counts as taken from here on.
        host.disk().sync(&path).await?;
        Ok(Self { path, state: RefCell::new(state), torn: Mutex::default(), arrived: Notify::new() })
    }

    /// Those of somebody who takes none: what is in the file is its taker's affair, who may be writing it now.
    pub(super) fn untaken(path: PathBuf) -> Self {
        Self { path, state: RefCell::default(), torn: Mutex::default(), arrived: Notify::new() }
    }

    /// Takes a reply. False: it was delivered before, and nothing was done. An error: it is not durable, and the receiver
    /// must be told to send it again.
    pub async fn deliver(&self, host: &Host, delivery: Delivery) -> io::Result<bool> {
        let mut torn = self.torn.lock().await;
        if self.state.borrow().seen.contains(&delivery.key()) {
            return Ok(false);
        }
        let line = format!("{}{}\n", if *torn { "\n" } else { "" }, delivery.to_value());
        let outcome = host.disk().append_durably(&self.path, line.as_bytes()).await;
        *torn = outcome.is_err();
        outcome?;
        self.state.borrow_mut().take(delivery);
        self.arrived.notify_waiters();
        Ok(true)
    }

    /// The delivery with this number, counted from 0, as soon as there is one.
    pub async fn nth(&self, number: usize) -> Delivery {
        loop {
            let arrived = self.arrived.notified();
            if let Some(delivery) = self.state.borrow().all.get(number) {
                return delivery.clone();
            }
            arrived.await;
        }
    }

    /// How many replies were delivered so far.
    pub fn count(&self) -> usize {
        self.state.borrow().all.len()
    }

    /// The replies delivered to a context so far.
    pub fn to(&self, context: &str) -> Vec<Delivery> {
        self.state.borrow().all.iter().filter(|delivery| delivery.context == context).cloned().collect()
    }
}

impl State {
    /// The file holds a reply twice when it was written and could not be made durable, and then came again.
    fn take(&mut self, delivery: Delivery) {
        if self.seen.insert(delivery.key()) {
            self.all.push(delivery);
        }
    }
}

impl Delivery {
    /// Receivers make their ids of the time, so two of them can have the same one: the context tells them apart.
    fn key(&self) -> (String, String) {
        (self.id.clone(), self.context.clone())
    }

    fn to_value(&self) -> Value {
        let mut value = json!({ "id": self.id, "contextId": self.context, "text": self.text });
        if self.late {
            value["late"] = json!(true);
        }
        value
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let late = value.get("late").and_then(Value::as_bool).unwrap_or_default();
        Some(Self { id: text("id")?, context: text("contextId")?, text: text("text")?, late })
    }
}
