//! Who the peers are, and where the Hermes node listens.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gauntlet_world::network::Address;

/// What the fleet part of a runtime is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the Hermes node listens.
    pub bind: Address,
    /// The name that the node's card shows.
    pub name: String,
    /// Whether callers must present a bearer.
    pub auth_required: bool,
    /// The variable that holds the bearer that callers must present.
    pub token_env: Option<String>,
    /// The peers that can be dispatched to, by name.
    pub peers: BTreeMap<String, Peer>,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Its base URL, without `/jsonrpc`.
    pub url: String,
    /// The variable that holds the bearer that it wants.
    pub token_env: Option<String>,
    /// The kind of receiver, for a managed peer: `codex`, …
    pub mode: Option<String>,
    /// The repository that it is bound to, for a managed peer on this machine.
    pub repo_path: Option<PathBuf>,
}
