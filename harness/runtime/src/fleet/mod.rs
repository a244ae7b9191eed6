//! The fleet: dispatching work to receivers, and taking their replies.
//!
//! One idea a file: [`settings`](Settings) how receivers are started here, `home` where a profile's files are, `config` what its
//! `fleet.yaml` says now, `decided` where a quirk makes it deviate, `tokens` which bearer a peer wants, `managed` and
//! [`managed_tools`] the receivers that it looks after, `client` one dispatch, [`budget`] what peers may use, `spending` what a dispatch means to that, `task` what it says beside
//! its text, `choice` who is to answer it, `deadlines` until when its reply is in time, `astray` replies that are another profile's, `wait` a dispatch whose reply is read in the peer's
//! transcript, [`command`] the same from a shell, [`hermes`] the node that takes callbacks
//! and answers other agents, [`deliveries`](Deliveries) what reached the runtime,
//! `transcript` the runtime's own record of each conversation, [`tools`] what of it a model can call.

mod astray;
pub mod budget;
mod choice;
mod client;
pub mod command;
mod config;
mod deadlines;
pub(crate) mod decided;
mod deliveries;
pub mod hermes;
mod home;
mod last_peers;
mod managed;
pub mod managed_tools;
mod settings;
mod spending;
mod task;
mod tokens;
pub mod tools;
mod transcript;
mod wait;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use gauntlet_world::Host;
use gauntlet_world::process::Pid;
use tokio::sync::Mutex;

use astray::Astray;
pub(crate) use astray::{Kept, Stray};
use budget::Budgets;
pub use client::{Class, SendError};
use deadlines::Deadlines;
pub use deliveries::{Deliveries, Delivery};
use home::home;
use last_peers::LastPeers;
pub use settings::{Launcher, Settings};

/// The fleet part of a running runtime.
pub struct Fleet {
    host: Host,
    settings: Settings,
    cached: RefCell<config::Cached>,
    /// Variables that the runtime set for itself since it started.
    published: RefCell<BTreeMap<String, String>>,
    /// The port that the node listens on; 0 until it does.
    pub(crate) port: Cell<u16>,
    /// The receivers that were started, and not reaped, each with its mark. While one is not reaped, nobody else can have its number.
    launched: Rc<RefCell<BTreeMap<Pid, String>>>,
    /// One deploy, stop or look after all at a time: two at once could meet on a port or a file.
    managing: Mutex<()>,
    deliveries: Deliveries,
    deadlines: Deadlines,
    last_peers: LastPeers,
    astray: Astray,
    budgets: Budgets,
}

impl Fleet {
    /// Reads what an earlier life left.
    pub async fn open(host: Host, settings: Settings) -> io::Result<Self> {
        home::warn_of_default(&host).await;
        let home = home(&host);
        host.disk().make_dir(home.join("transcripts")).await?;
        let deliveries = Deliveries::open(&host, home.join("deliveries.jsonl")).await?;
        let deadlines = Deadlines::open(&host, home.join("deadlines.jsonl")).await?;
        let astray = Astray::open(&host, home.join("astray.jsonl")).await?;
        host.disk().sync_dir(&home).await?;
        // The folder may be new itself.
        host.disk().sync_dir(home.parent().unwrap_or(&home)).await?;
        Ok(Self::with(host, settings, deliveries, deadlines, astray))
    }

    /// The fleet of a profile whose runtime may be running: it takes no replies, and looks after no receiver.
    pub async fn visit(host: Host) -> Self {
        home::warn_of_default(&host).await;
        let deliveries = Deliveries::untaken(home(&host).join("deliveries.jsonl"));
        let deadlines = Deadlines::untaken(&host, home(&host).join("deadlines.jsonl"));
        let astray = Astray::untaken(home(&host).join("astray.jsonl"));
        Self::with(host, Settings::default(), deliveries, deadlines, astray)
    }

    fn with(
        host: Host,
        settings: Settings,
        deliveries: Deliveries,
        deadlines: Deadlines,
        astray: Astray,
    ) -> Self {
        let budgets = Budgets::of(&host);
        let last_peers = LastPeers::at(home(&host).join("last_peers.jsonl"));
        Self {
            host,
            settings,
            cached: RefCell::default(),
            published: RefCell::default(),
            port: Cell::default(),
            launched: Rc::default(),
            managing: Mutex::default(),
            deliveries,
            deadlines,
            last_peers,
            astray,
            budgets,
        }
    }

    /// The replies that were delivered.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    pub(crate) fn astray(&self) -> &Astray {
        &self.astray
    }

    pub(crate) fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// The port that the node listens on, also when its configuration left the choice to the system.
    pub(crate) fn listens_on(&self, port: u16) {
        self.port.set(port);
    }

    pub(crate) fn team_settings(&self) -> Option<crate::team::TeamSettings> {
        self.settings.team.clone()
    }

    pub(crate) fn launched(&self) -> Vec<Pid> {
        self.launched.borrow().keys().copied().collect()
    }
}
