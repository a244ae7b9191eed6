//! One entry of `fleet.agents`.

use super::{Budget, Handler};
use crate::fleet::Managed;

/// A peer as the file describes it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PeerEntry {
    /// Its base URL, without `/jsonrpc`.
    pub url: String,
    /// Where its card is.
    pub agent_card_url: Option<String>,
    /// The variable that holds the bearer that it wants.
    pub token_env: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Whether the runtime deploys, launches and watches it.
    pub managed: bool,
    /// The kind of receiver, as written: it need not be a known one.
    pub mode: Option<String>,
    /// The repository that it is bound to, as written.
    pub repo_path: Option<String>,
    /// Who answers its messages here; as for everyone when absent.
    pub response_handler: Option<Handler>,
    /// The handlers that its messages may choose; when absent, none but the one that answers them anyway.
    pub allowed_handlers: Option<Vec<Handler>>,
    /// What it may use.
    pub budget: Option<Budget>,
}

impl PeerEntry {
    /// For a peer that is really managed, its kind and its repository: `managed`, a known mode, and a path.
    pub fn managed_at(&self) -> Option<(&'static Managed, &str)> {
        let mode = self.mode.as_deref().filter(|_| self.managed)?;
        Some((Managed::of(mode)?, self.repo_path.as_deref()?))
    }
}
