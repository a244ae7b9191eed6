//! Where a receiver listens (fleet sheet 6.5).

use std::collections::BTreeSet;

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_world::injection::Point;
use gauntlet_world::network::Address;
use serde_json::{Value, json};

use super::{ManagedError, Receiver};
use crate::fleet::Fleet;

impl Fleet {
    /// The port of a receiver: the one that is asked for, else the one that it has, else the first free one of its band.
    pub(super) async fn port_for(
        &self,
        receiver: &Receiver,
        asked: Option<u16>,
    ) -> Result<u16, ManagedError> {
        if let Some(port) = asked
            && let Some(port) = self.port_from("order", receiver, Some(port)).await
        {
            return Ok(port);
        }
        if let Some(port) = self.configured_port(receiver).await
            && let Some(port) = self.port_from("configuration", receiver, Some(port)).await
        {
            return Ok(port);
        }
        let (from, free) = match self.allocate_band_port(receiver).await {
            Some(port) => ("band", Some(port)),
            None => ("full band", None),
        };
        self.port_from(from, receiver, free).await.ok_or_else(|| {
            let band = receiver.kind.band();
            ManagedError::BandFull { mode: receiver.kind.mode, first: *band.start(), last: *band.end() }
        })
    }

    /// The port that a source gives, as it passes its injection point.
    async fn port_from(&self, from: &str, receiver: &Receiver, port: Option<u16>) -> Option<u16> {
        let event = json!({ "repo": receiver.repo_text(), "from": from, "port": port });
        self.decide(Point::RuntimePort, event).await.number("port")
    }

    /// The first port of the band that no other managed peer claims, be it up or down, and that nobody listens on.
    async fn allocate_band_port(&self, receiver: &Receiver) -> Option<u16> {
        let (claimed, band) = (self.claimed_ports(receiver).await, receiver.kind.band());
        let repo = receiver.repo_text();
        let event = json!({
            "repo": repo, "first": band.start(), "last": band.end(), "claimed": claimed, "claims": !claimed.is_empty(),
        });
        let band = self.decide(Point::RuntimeBand, event).await;
        let claimed = band.value("claimed").as_array().into_iter().flatten().filter_map(Value::as_u64);
        let claimed: BTreeSet<u64> = claimed.collect();
        let ports = band.number::<u16>("first")?..=band.number("last")?;
        for port in ports.filter(|port| !claimed.contains(&u64::from(*port))) {
            let free = self.host.network().listen(&Address::loopback(port)).await.is_ok();
            let event = json!({ "repo": repo, "port": port, "free": free });
            if self.decide(Point::RuntimeFree, event).await.yes("free") {
                return Some(port);
            }
        }
        None
    }

    /// The ports of all other managed peers, of any mode. Without a configuration that can be read nobody claims one.
    async fn claimed_ports(&self, receiver: &Receiver) -> BTreeSet<u16> {
        let mut claimed = BTreeSet::new();
        let Ok(config) = self.config().await else { return claimed };
        for peer in config.agents.values() {
            let Some((kind, written)) = peer.managed_at() else { continue };
            let repo = self.repo(written).await;
            if kind.mode == receiver.kind.mode && repo == receiver.repo {
                continue;
            }
            match (port_in(&peer.url), Mode::named(kind.mode)) {
                (Some(port), _) => claimed.extend([port]),
                (None, Some(mode)) => {
                    claimed.extend(self.configured_port(&Receiver { kind, mode, repo }).await);
                }
                (None, None) => {}
            }
        }
        claimed
    }

    /// The port of a managed peer: that of its address, else that of its receiver's configuration.
    pub(super) async fn port_of_peer(&self, peer: &PeerEntry, receiver: &Receiver) -> Option<u16> {
        match port_in(&peer.url) {
            Some(port) => Some(port),
            None => self.configured_port(receiver).await,
        }
    }

    /// The port in the configuration that a receiver has in its repository.
    pub(super) async fn configured_port(&self, receiver: &Receiver) -> Option<u16> {
        let port = self.receiver_config(receiver).await?.get("bind_port")?.as_u64()?;
        u16::try_from(port).ok().filter(|port| *port != 0)
    }

    /// The configuration that a receiver has in its repository.
    pub(super) async fn receiver_config(&self, receiver: &Receiver) -> Option<Value> {
        let content = self.host.disk().read(receiver.file(receiver.mode.files.config)).await.ok()?;
        serde_json::from_slice(&content).ok()
    }
}

/// The port that an address names. One without a port stands for the one of HTTP, where no receiver is.
fn port_in(url: &str) -> Option<u16> {
    let rest = url.split_once("//").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok())
}
