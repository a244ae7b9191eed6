//! Reviving what went down while nobody looked (fleet sheet 6.7).

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::workdir::ReceiverOptions;
use gauntlet_world::injection::Point;
use gauntlet_world::process::Pid;
use serde_json::{Map, Value, json};

use super::{Order, Receiver};
use crate::fleet::Fleet;
use crate::fleet::decided::Decided;

impl Fleet {
    /// Looks after every managed peer of `fleet.yaml`: one that is well is left alone, one that is down is deployed again. It
    /// never fails; each peer has a row that says what became of it.
    pub(crate) async fn reconcile(&self) -> Value {
        let _alone = self.managing.lock().await;
        let config = match self.config().await {
            Ok(config) => config,
            Err(error) => {
                tracing::warn!(%error, "nothing was reconciled");
                return json!({ "rows": [], "error": error.to_string() });
            }
        };
        let mut rows = Vec::new();
        for (name, peer) in &config.agents {
            rows.extend(self.reconcile_peer(name, peer).await);
        }
        json!({ "rows": rows })
    }

    async fn reconcile_peer(&self, name: &str, peer: &PeerEntry) -> Option<Value> {
        let (kind, written) = peer.managed_at()?;
        let mut row = Map::new();
        row.insert("agent".to_owned(), json!(name));
        row.insert("repo_path".to_owned(), json!(written));
        row.insert("mode".to_owned(), json!(kind.mode));
        let outcome = match self.receiver_at(kind, written).await {
            Ok(receiver) => self.revive(peer, &receiver).await,
            Err(error) => Err(error.to_string()),
        };
        match outcome {
            Ok((action, pid)) => {
                row.insert("action".to_owned(), json!(action));
                row.extend(pid.map(|pid| ("pid".to_owned(), json!(pid))));
            }
            Err(error) => {
                let does = self.does(None, "lost", "failed").await;
                row.insert("action".to_owned(), does.value("does").clone());
                row.insert("error".to_owned(), json!(error));
            }
        }
        Some(Value::Object(row))
    }

    /// What is done about a receiver, as it passes its injection point.
    async fn does(&self, port: Option<u16>, state: &str, does: &str) -> Decided {
        self.decide(Point::RuntimeReconcile, json!({ "port": port, "state": state, "does": does })).await
    }

    async fn revive(
        &self,
        peer: &PeerEntry,
        receiver: &Receiver,
    ) -> Result<(&'static str, Option<u32>), String> {
        if let Some(token) = self.token_in_file(receiver.kind, &receiver.repo).await
            && let Some(name) = &peer.token_env
        {
            self.publish(name, &token);
        }
        let (port, on_disk) = (self.port_of_peer(peer, receiver).await, self.configured_port(receiver).await);
        if let (Some(port), Some(on_disk)) = (port, on_disk)
            && port != on_disk
        {
            tracing::warn!(
                port,
                on_disk,
                "fleet.yaml and the receiver's configuration differ; fleet.yaml wins"
            );
        }
        let (pid, healthy) = self.seen(receiver, port).await;
        let well = match pid {
            Some(pid) => healthy && self.runs(pid).await,
            None => false,
        };
        let (state, does) = if well { ("well", "healthy") } else { ("down", "redeployed") };
        let decided = self.does(port, state, does).await;
        if decided.text("does") == Some("healthy") {
            return Ok(("healthy", pid.map(|Pid(number)| number)));
        }
        let options = self.earlier_options(receiver).await;
        let order = Order { port: decided.number("port"), no_auth: false, again: true, options };
        let deployed = self.deploy_alone(receiver, &order).await.map_err(|error| error.to_string())?;
        let pid = deployed.get("pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
        Ok(("redeployed", pid))
    }

    /// What the deploy before was told, so that a receiver that is started again is the same as before (FLEET-REC-04).
    pub(in crate::fleet) async fn earlier_options(&self, receiver: &Receiver) -> ReceiverOptions {
        let mode: &Mode = receiver.mode;
        let config = self.receiver_config(receiver).await.unwrap_or_default();
        ReceiverOptions::of_config(mode, &config)
    }
}
