//! What the parts of one running receiver share.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::rc::Rc;

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::extension::Extension;
use gauntlet_world::Host;
use gauntlet_world::process::Pid;
use serde_json::Value;
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::time::Instant;

use super::claims::Claims;
use super::config::Config;
use super::deadline::Life;
use super::journal::Journal;
use super::locks::ContextLocks;
use super::names::Names;
use super::talk::Talk;
use crate::http1::Framing;
use gauntlet_world::injection::{Injector, Passed, Point};

/// What a receiver is started with beside its configuration file: what makes it this release of this mode.
#[derive(Clone)]
pub struct Settings {
    /// Which kind of receiver.
    pub mode: &'static Mode,
    /// How its server frames.
    pub framing: Framing,
    /// Its quirks.
    pub injector: Injector,
    /// The extensions that it takes, and says so on its card.
    pub declares: Vec<&'static Extension>,
}

/// A running receiver.
pub(super) struct Receiver {
    pub(super) host: Host,
    pub(super) settings: Settings,
    /// How its CLI is talked to.
    pub(super) talk: &'static dyn Talk,
    pub(super) config: Config,
    /// The inbound bearer; open when absent.
    pub(super) token: Option<String>,
    /// The bearer for callbacks.
    pub(super) outbound: Option<String>,
    /// Which of its files have durable names.
    pub(super) names: Rc<Names>,
    /// One writer of the inbox at a time.
    pub(super) inbox: Mutex<super::inbox::Writer>,
    /// Wakes the poll loop.
    pub(super) arrived: Notify,
    /// One writer of the transcript at a time. True: its last line is torn, and the next record begins with a line end.
    pub(super) transcript: Mutex<bool>,
    /// The outcomes that could not be written there, by their ids.
    pub(super) unrecorded: RefCell<BTreeSet<String>>,
    pub(super) sessions: Mutex<()>,
    pub(super) journal: Journal,
    pub(super) contexts: ContextLocks,
    /// Held by the one turn that begins a conversation, where only the last one can be found again.
    pub(super) first_turns: Mutex<()>,
    pub(super) claims: Claims,
    pub(super) slots: Rc<Semaphore>,
    /// Held while a process is started, and from then on by whoever ends the receiver.
    pub(super) starting: Mutex<()>,
    /// Once true, every process is being ended, so that what a turn sees of its own means nothing any more.
    pub(super) ending: Cell<bool>,
    /// How many lines of the inbox were handed off. The file that says so is read at the start alone: a replacement of it
    /// that failed may be visible all the same.
    pub(super) handed_off: Cell<u64>,
    /// The process groups of running turns.
    pub(super) running: RefCell<BTreeSet<Pid>>,
    /// How many connections are served, and who waits for the end of one.
    pub(super) connections: Cell<usize>,
    pub(super) disconnected: Notify,
    /// Turns that were handed off and have not ended.
    pub(super) open_turns: Cell<usize>,
    /// A turn of this life was capped, failed, or could not be started.
    pub(super) gone_wrong: Cell<bool>,
    pub(super) last_work: Cell<Instant>,
    pub(super) last_callback_ms: Cell<u64>,
    pub(super) life: Life,
    /// How many lines of the inbox an earlier life wrote.
    pub(super) earlier_lines: Cell<u64>,
}

impl Receiver {
    /// What becomes of an event at a point.
    pub(super) async fn pass(&self, point: Point, event: Value) -> Passed {
        self.settings.injector.pass(&self.host, point, event).await
    }

    /// The path of one of its files.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.host.cwd().join(".hermes").join(name)
    }

    /// A stamp for records.
    pub(super) fn stamp(&self) -> String {
        self.host.clock().wall().stamp()
    }

    /// Work came in: the idle clock starts again.
    pub(super) fn worked(&self) {
        self.last_work.set(self.host.clock().now());
    }

    /// An id for a callback: the mode's prefix and the time in milliseconds, never one that was given before, also when two
    /// fall into one millisecond or the clock goes backwards. Hermes de-duplicates by it (FLEET-CB-07).
    pub(super) fn callback_id(&self) -> String {
        let now = u64::try_from(self.host.clock().wall().millis()).unwrap_or_default();
        let id = now.max(self.last_callback_ms.get() + 1);
        self.last_callback_ms.set(id);
        self.settings.mode.callback_id(id)
    }
}
