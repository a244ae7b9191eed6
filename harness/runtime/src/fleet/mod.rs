//! The fleet: dispatching work to receivers, and taking their replies.
//!
//! One idea a file: [`settings`](Settings) who the peers are, `client` one dispatch, `wait` a dispatch whose reply is read in the
//! peer's transcript, [`hermes`] the node that takes callbacks and answers other agents, [`deliveries`](Deliveries) what reached the runtime,
//! `transcript` the runtime's own record of each conversation, [`tools`] what of it a model can call.

mod client;
mod deliveries;
pub mod hermes;
mod settings;
pub mod tools;
mod transcript;
mod wait;

use std::io;
use std::path::PathBuf;

use gauntlet_world::Host;

pub use client::{Class, SendError};
pub use deliveries::{Deliveries, Delivery};
pub use settings::{Peer, Settings};

/// The fleet part of a running runtime.
pub struct Fleet {
    host: Host,
    settings: Settings,
    deliveries: Deliveries,
}

impl Fleet {
    /// Reads what an earlier life left.
    pub async fn open(host: Host, settings: Settings) -> io::Result<Self> {
        let home = home(&host);
        host.disk().make_dir(home.join("transcripts")).await?;
        let deliveries = Deliveries::open(&host, home.join("deliveries.jsonl")).await?;
        host.disk().sync_dir(&home).await?;
        // The folder may be new itself.
        host.disk().sync_dir(home.parent().unwrap_or(&home)).await?;
        Ok(Self { host, settings, deliveries })
    }

    /// The replies that were delivered.
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }
}

/// The folder of the runtime's own files: `HERMES_HOME`, else `~/.hermes` (sheet 6.8).
fn home(host: &Host) -> PathBuf {
    host.env("HERMES_HOME").map_or_else(|| host.home().join(".hermes"), PathBuf::from)
}
