//! Which peer was last sent to on a context: with whom a reply that names only the context is recorded.
//!
//! Two peers may be spoken to on one context, for instance on that of a handshake about one repository. The file is of the profile:
//! what a command beside a running runtime sends is found there, too.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use gauntlet_protocol::fleet::Lines;
use gauntlet_protocol::json;
use gauntlet_world::Host;
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// What is known of it, and how much of the file has been read.
pub(crate) struct LastPeers {
    path: PathBuf,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    of: BTreeMap<String, String>,
    offset: u64,
    /// The name of the file is durable, which whoever made it may not have seen to.
    named: bool,
}

impl LastPeers {
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path, known: Mutex::default() }
    }

    /// Something is about to be sent to a peer on a context. Durable, so that a reply after a crash is recorded with it.
    pub(super) async fn sending(&self, host: &Host, context: &str, peer: &str) -> io::Result<()> {
        let mut known = self.known.lock().await;
        self.catch_up(host, &mut known).await?;
        if known.of.get(context).is_some_and(|last| last == peer) {
            return Ok(());
        }
        // It begins with a line end, so that what an earlier append left torn does not swallow it.
        let line = format!("\n{}\n", json!({ "contextId": context, "peer": peer }));
        host.disk().append_durably(&self.path, line.as_bytes()).await?;
        if !known.named {
            host.disk().sync_dir(self.path.parent().unwrap_or(Path::new("/"))).await?;
            known.named = true;
        }
        known.of.insert(context.to_owned(), peer.to_owned());
        Ok(())
    }

    /// The peer that was last sent to on a context.
    pub(super) async fn on(&self, host: &Host, context: &str) -> io::Result<Option<String>> {
        let mut known = self.known.lock().await;
        self.catch_up(host, &mut known).await?;
        Ok(known.of.get(context).cloned())
    }

    /// Reads what was added since.
    async fn catch_up(&self, host: &Host, known: &mut Known) -> io::Result<()> {
        let fresh = match host.disk().read_from(&self.path, known.offset).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            fresh => fresh?,
        };
        let lines = Lines::new(&fresh);
        known.offset += (fresh.len() - lines.torn().len()) as u64;
        for (_, line) in lines {
            let Ok(entry) = json::parse("a peer's context", line) else { continue };
            let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(context), Some(peer)) = (text("contextId"), text("peer")) {
                known.of.insert(context, peer);
            }
        }
        Ok(())
    }
}
