//! The names of a cell: contexts, nonces and secrets are its own, so that cells on one subject cannot meet, and so that a
//! secret found anywhere says which cell it is from.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::braces;
use crate::data::executor::Executor;

/// What the names of a cell came to, beside what follows from its id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Contexts that receivers made up, by the dispatch that they were made up for.
    made_up: BTreeMap<String, String>,
    /// What calls saved of their results.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    saved: BTreeMap<String, Value>,
    /// Where the cell lived.
    workdir: String,
    /// Where the receiver called back by its configuration.
    hermes_url: String,
    /// Where the subject's neighbour listened, when it was no usual place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    neighbour_port: Option<u16>,
    /// Where the subject listened.
    port: u16,
}

/// The names of one cell.
pub(crate) struct Names {
    mark: String,
    /// The bearer that the receiver wants.
    pub(crate) token: String,
    /// The bearer that the Hermes node wants.
    pub(crate) hermes_token: String,
    /// Contexts that receivers made up, by the dispatch that they were made up for.
    made_up: RefCell<BTreeMap<String, String>>,
    /// What calls saved of their results, and sessions by their names.
    saved: RefCell<BTreeMap<String, Value>>,
    /// The words of the executor.
    pub(crate) executor: Arc<Executor>,
    /// Where the cell lives, for `{workdir}`.
    pub(crate) workdir: RefCell<String>,
    /// Where the receiver calls back by its configuration, for `{hermes_url}`.
    pub(crate) hermes_url: RefCell<String>,
    /// Where the second profile of the machine listens, for `{neighbour_url}`.
    pub(crate) neighbour_port: Cell<u16>,
    /// Where the subject listens, for `{port}`.
    pub(crate) port: Cell<u16>,
}

/// Where the second profile of a simulated machine listens.
pub(super) const NEIGHBOUR_PORT: u16 = 9229;

/// More is not filled in: a scenario is to try its subject, not the machine.
const LONGEST_FILL: usize = 4 * 1024 * 1024;

impl Names {
    pub(crate) fn new(seed: &[u8; 32], executor: Arc<Executor>) -> Self {
        let hex = blake3::hash(seed).to_hex().to_string();
        let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default().to_owned();
        Self {
            mark: part(0..8),
            token: format!("tok-{}", part(8..32)),
            hermes_token: format!("hub-{}", part(32..56)),
            made_up: RefCell::default(),
            saved: RefCell::default(),
            executor,
            workdir: RefCell::default(),
            hermes_url: RefCell::default(),
            neighbour_port: Cell::new(NEIGHBOUR_PORT),
            port: Cell::default(),
        }
    }

    /// What they came to.
    pub(crate) fn told(&self) -> Told {
        Told {
            made_up: self.made_up.borrow().clone(),
            saved: self.saved.borrow().clone(),
            workdir: self.workdir.borrow().clone(),
            hermes_url: self.hermes_url.borrow().clone(),
            neighbour_port: Some(self.neighbour_port.get()).filter(|port| *port != NEIGHBOUR_PORT),
            port: self.port.get(),
        }
    }

    /// The names are what they came to in an earlier cell with the same id.
    pub(crate) fn restore(&self, told: &Told) {
        self.made_up.borrow_mut().clone_from(&told.made_up);
        self.saved.borrow_mut().clone_from(&told.saved);
        self.workdir.borrow_mut().clone_from(&told.workdir);
        self.hermes_url.borrow_mut().clone_from(&told.hermes_url);
        self.neighbour_port.set(told.neighbour_port.unwrap_or(NEIGHBOUR_PORT));
        self.port.set(told.port);
    }

    /// The real id of a context.
    pub(crate) fn context(&self, name: &str) -> String {
        self.made_up.borrow().get(name).cloned().unwrap_or_else(|| format!("{name}-{}", self.mark))
    }

    /// The name of a context in the scenario, if it is one of the cell's.
    pub(crate) fn context_name(&self, real: &str) -> String {
        if let Some((name, _)) = self.made_up.borrow().iter().find(|(_, made_up)| *made_up == real) {
            return name.clone();
        }
        let own = real.strip_suffix(&self.mark).and_then(|name| name.strip_suffix('-'));
        own.unwrap_or(real).to_owned()
    }

    /// A receiver made up this context for a dispatch: from now on the dispatch's name is the context's.
    pub(crate) fn made_up(&self, dispatch: &str, context: &str) {
        self.made_up.borrow_mut().insert(dispatch.to_owned(), context.to_owned());
    }

    /// Keeps a value under a name.
    pub(crate) fn save(&self, name: &str, value: Value) {
        self.saved.borrow_mut().insert(name.to_owned(), value);
    }

    /// The value that was kept under a name.
    pub(crate) fn saved(&self, name: &str) -> Option<Value> {
        self.saved.borrow().get(name).cloned()
    }

    /// A dispatched text carries this, so that the turn that it leads to can be told from all others.
    pub(crate) fn nonce(&self, dispatch: &str) -> String {
        format!("(ref {}.{dispatch})", self.mark)
    }

    /// The dispatch whose nonce a prompt carries. The last one counts: a resumed prompt may repeat earlier ones.
    pub(crate) fn dispatch_in(&self, prompt: &str) -> Option<String> {
        let (_, rest) = prompt.rsplit_once(&format!("(ref {}.", self.mark))?;
        rest.split_once(')').map(|(dispatch, _)| dispatch.to_owned())
    }

    /// The values that must be found nowhere.
    pub(crate) fn secrets(&self) -> Vec<String> {
        vec![self.token.clone(), self.hermes_token.clone()]
    }

    /// The values that no report may show: the secrets, and the piece of one that a scenario presents as a wrong bearer.
    pub(crate) fn redacted(&self) -> Vec<String> {
        let mut redacted = self.secrets();
        redacted.push(self.token[..self.token.len() - 1].to_owned());
        redacted
    }

    /// A text of a scenario with its references resolved: `{context:NAME}`, `{nonce:NAME}`,
    /// `{workdir}`, `{port}`, and the words of the executor.
    pub(crate) fn resolve(&self, text: &str) -> String {
        braces::fill(text, |inner| match inner.split_once(':') {
            Some(("context", name)) => Some(self.context(name)),
            Some(("nonce", name)) => Some(self.nonce(name)),
            Some(("saved", name)) => self.saved(name).map(|value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            }),
            Some(("fill", count)) => {
                count.parse().ok().map(|count: usize| "x".repeat(count.min(LONGEST_FILL)))
            }
            None if inner == "workdir" => Some(self.workdir.borrow().clone()),
            None if inner == "hermes_url" => Some(self.hermes_url.borrow().clone()),
            None if inner == "neighbour_url" => {
                Some(format!("http://127.0.0.1:{}/jsonrpc", self.neighbour_port.get()))
            }
            None if inner == "port" => Some(self.port.get().to_string()),
            None => self.executor.word(inner).map(str::to_owned),
            _ => None,
        })
    }

    /// Every text in a value resolved.
    pub(crate) fn resolve_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.resolve(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.resolve_value(item)).collect()),
            Value::Object(members) => Value::Object(
                members.iter().map(|(name, value)| (self.resolve(name), self.resolve_value(value))).collect(),
            ),
            other => other.clone(),
        }
    }
}
