//! Replies that came to this profile and are another's: kept until that one has them (docs/extensions.md). `hand_on` brings them there.

mod hand_on;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::PathBuf;

use gauntlet_protocol::fleet::{Lines, MAX_CALLBACK};
use gauntlet_protocol::json;
use gauntlet_world::Host;
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

/// So many replies are kept. When there is no room, the next one is refused: its receiver still has it.
const MOST: usize = 256;
/// So many bytes of them.
const MOST_BYTES: usize = 4 * MAX_CALLBACK;
/// So many that were handed on are remembered, so that a receiver's further attempt is no new reply.
const REMEMBERED: usize = 1024;

/// What makes a reply recognisable: whom it is for, its id as JSON text, its context.
type Key = (String, String, String);

/// A reply that is another profile's.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stray {
    /// Whom it is for.
    pub(crate) profile: String,
    /// The context that it names.
    pub(crate) context: String,
    /// The callback's id.
    pub(crate) id: Value,
    /// The callback's parameters, to be passed on as they came.
    pub(crate) params: Value,
}

/// What became of a reply that is another profile's.
pub(crate) enum Kept {
    /// It is kept, or was before.
    Yes,
    /// There is no room.
    NoRoom,
}

/// All of them, in order of arrival.
pub(crate) struct Astray {
    path: PathBuf,
    state: RefCell<State>,
    /// One writer at a time. True: an append failed half way, and the next one begins with a line end.
    torn: Mutex<bool>,
    /// Something came, or somebody asks.
    pub(crate) nudged: Notify,
    /// Whether somebody is at work to hand them on.
    pub(crate) at_work: Cell<bool>,
}

#[derive(Default)]
struct State {
    kept: Vec<Stray>,
    handed: Vec<Key>,
    known: BTreeSet<Key>,
    bytes: usize,
    /// How many came in this life, and of the last of them the context and the profile.
    arrived: u64,
    latest: VecDeque<(String, String)>,
}

impl Astray {
    /// Those of somebody who takes no replies.
    pub(super) fn untaken(path: PathBuf) -> Self {
        Self {
            path,
            state: RefCell::default(),
            torn: Mutex::new(true),
            nudged: Notify::new(),
            at_work: Cell::default(),
        }
    }

    /// Reads what an earlier life kept. A torn last line was confirmed to nobody.
    pub(super) async fn open(host: &Host, path: PathBuf) -> io::Result<Self> {
        let content = host.disk().read_if_present(&path).await?.unwrap_or_default();
        let astray = Self::untaken(path);
        for (_, line) in Lines::new(&content) {
            let Ok(value) = json::parse("a reply of another profile", line) else { continue };
            let mut state = astray.state.borrow_mut();
            match (Stray::from_value(&value), key_in(&value["handed"])) {
                (_, Some(handed)) => state.hand(handed),
                (Some(stray), None) => state.keep(stray),
                (None, None) => {}
            }
        }
        if !content.is_empty() {
            // An earlier life may have died between a write and its sync: what was read counts from here on.
            astray.write_anew(host).await?;
        }
        Ok(astray)
    }

    /// Keeps a reply, durably, before its receiver is told so. An error: it is not durable.
    pub(crate) async fn keep(&self, host: &Host, stray: Stray) -> io::Result<Kept> {
        let mut torn = self.torn.lock().await;
        {
            let state = self.state.borrow();
            if state.known.contains(&stray.key()) {
                return Ok(Kept::Yes);
            }
            if state.kept.len() >= MOST || state.bytes + stray.length() > MOST_BYTES {
                return Ok(Kept::NoRoom);
            }
        }
        self.add(host, &mut torn, &stray.to_value()).await?;
        let mut state = self.state.borrow_mut();
        state.arrives(&stray);
        state.keep(stray);
        drop(state);
        self.nudged.notify_waiters();
        Ok(Kept::Yes)
    }

    /// Notes that a reply has reached whom it is for.
    async fn handed(&self, host: &Host, stray: &Stray) -> io::Result<()> {
        let mut torn = self.torn.lock().await;
        let key = stray.key();
        self.add(host, &mut torn, &json!({ "handed": [key.0, key.1, key.2] })).await?;
        let is_long = {
            let mut state = self.state.borrow_mut();
            state.hand(key);
            state.handed.len() > 2 * REMEMBERED
        };
        if is_long { self.write_anew(host).await } else { Ok(()) }
    }

    async fn add(&self, host: &Host, torn: &mut bool, value: &Value) -> io::Result<()> {
        let line = format!("{}{value}\n", if *torn { "\n" } else { "" });
        *torn = true;
        host.disk().append_durably(&self.path, line.as_bytes()).await?;
        // The file may be new.
        if let Some(folder) = self.path.parent() {
            host.disk().sync_dir(folder).await?;
        }
        *torn = false;
        Ok(())
    }

    /// Writes what is kept, and what of the rest is remembered.
    async fn write_anew(&self, host: &Host) -> io::Result<()> {
        let text = {
            let mut state = self.state.borrow_mut();
            let surplus = state.handed.len().saturating_sub(REMEMBERED);
            for forgotten in state.handed.drain(..surplus).collect::<Vec<_>>() {
                state.known.remove(&forgotten);
            }
            let kept = state.kept.iter().map(Stray::to_value);
            let handed = state.handed.iter().map(|key| json!({ "handed": [key.0, key.1, key.2] }));
            kept.chain(handed).map(|value| format!("{value}\n")).collect::<String>()
        };
        host.disk().replace(&self.path, text.as_bytes()).await
    }

    /// Those that are kept, in order of arrival.
    pub(crate) fn all(&self) -> Vec<Stray> {
        self.state.borrow().kept.clone()
    }

    /// For whom replies are kept that came on a context, in order of arrival.
    pub(crate) fn on(&self, context: &str) -> Vec<String> {
        let state = self.state.borrow();
        let on_it = state.kept.iter().filter(|stray| stray.context == context);
        on_it.map(|stray| stray.profile.clone()).collect()
    }

    /// How many came in this life. By it [`Self::came_since`] knows what is new.
    pub(crate) fn arrived(&self) -> u64 {
        self.state.borrow().arrived
    }

    /// For whom a reply came on a context since so many had come, whether it is still kept or was handed on. Of very many the oldest
    /// are forgotten: whoever waits for one looks every few seconds.
    pub(crate) fn came_since(&self, arrived: u64, context: &str) -> Option<String> {
        let state = self.state.borrow();
        let fresh = usize::try_from(state.arrived.saturating_sub(arrived)).unwrap_or(usize::MAX);
        let fresh = state.latest.iter().rev().take(fresh);
        fresh.rev().find(|(on, _)| on == context).map(|(_, profile)| profile.clone())
    }

    /// How many are kept for a profile.
    pub(crate) fn count(&self, profile: &str) -> usize {
        self.state.borrow().kept.iter().filter(|stray| stray.profile == profile).count()
    }
}

impl State {
    fn arrives(&mut self, stray: &Stray) {
        self.arrived += 1;
        self.latest.push_back((stray.context.clone(), stray.profile.clone()));
        let surplus = self.latest.len().saturating_sub(MOST);
        self.latest.drain(..surplus);
    }

    fn keep(&mut self, stray: Stray) {
        if self.known.insert(stray.key()) {
            self.bytes += stray.length();
            self.kept.push(stray);
        }
    }

    fn hand(&mut self, key: Key) {
        if let Some(place) = self.kept.iter().position(|stray| stray.key() == key) {
            self.bytes = self.bytes.saturating_sub(self.kept.remove(place).length());
        }
        self.known.insert(key.clone());
        self.handed.push(key);
    }
}

impl Stray {
    fn key(&self) -> Key {
        (self.profile.clone(), self.id.to_string(), self.context.clone())
    }

    fn length(&self) -> usize {
        self.params.to_string().len()
    }

    fn to_value(&self) -> Value {
        json!({ "profile": self.profile, "contextId": self.context, "id": self.id, "params": self.params })
    }

    fn from_value(value: &Value) -> Option<Self> {
        let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
        let (id, params) = (value.get("id")?.clone(), value.get("params")?.clone());
        Some(Self { profile: text("profile")?, context: text("contextId")?, id, params })
    }
}

fn key_in(value: &Value) -> Option<Key> {
    let text = |place: usize| value.get(place)?.as_str().map(str::to_owned);
    Some((text(0)?, text(1)?, text(2)?))
}
