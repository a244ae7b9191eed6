//! Which bearer a peer wants (fleet sheet 6.4).

use std::path::{Path, PathBuf};

use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::{Managed, Mode};
use gauntlet_world::injection::Point;
use serde_json::json;

use super::Fleet;
use super::home::real_path;

impl Fleet {
    /// A variable of the runtime's environment: what it set since it started, else what it was started with. An empty one
    /// counts as unset.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let published = self.published.borrow().get(name).cloned();
        published.or_else(|| self.host.env(name).map(str::to_owned)).filter(|value| !value.is_empty())
    }

    /// Sets a variable for this runtime and for what it starts from now on.
    pub(super) fn publish(&self, name: &str, value: &str) {
        self.published.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    /// The bearer that a peer wants, if it wants one. A managed peer's token file is newer than any environment; plain peers
    /// have no file.
    pub(super) async fn token_of(&self, peer: &PeerEntry) -> Option<String> {
        let managed = peer.managed_at();
        let in_file = match managed {
            Some((kind, repo)) => self.token_in_file(kind, &self.repo(repo).await).await,
            None => None,
        };
        let source = if in_file.is_some() { "file" } else { "environment" };
        let event = json!({ "managed": managed.is_some(), "source": source });
        match self.decide(Point::RuntimeToken, event).await.text("source") {
            Some("file") => in_file,
            Some("environment") => self.variable(peer.token_env.as_deref()?),
            _ => None,
        }
    }

    /// Where a repository of the configuration really is.
    pub(super) async fn repo(&self, written: &str) -> PathBuf {
        real_path(&self.host, written, self.host.cwd()).await
    }

    /// The token that was written when the receiver of a repository last became healthy.
    pub(super) async fn token_in_file(&self, kind: &Managed, repo: &Path) -> Option<String> {
        let content = self.host.disk().read(token_file(kind, repo)?).await.ok()?;
        let token = String::from_utf8(content).ok()?.trim().to_owned();
        (!token.is_empty()).then_some(token)
    }
}

/// The token file of a repository.
pub(super) fn token_file(kind: &Managed, repo: &Path) -> Option<PathBuf> {
    Some(repo.join(".hermes").join(Mode::named(kind.mode)?.files.token))
}
