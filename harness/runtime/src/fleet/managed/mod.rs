//! Receivers that this runtime looks after: deploying, watching, stopping and reviving them (fleet sheet 6.5 to 6.7).
//!
//! `ports` chooses where one listens, `deploy` brings one to a repository, `process` starts, looks at and ends it, `status` tells
//! how it is, `reconcile` revives what went down.

mod deploy;
mod ports;
mod process;
mod reconcile;
mod status;

use std::path::{Path, PathBuf};

use gauntlet_protocol::fleet::{Managed, Mode};
use serde_json::Value;

pub(super) use deploy::Order;

/// One receiver: its kind, and the real place of its repository.
#[derive(Debug, Clone)]
pub(super) struct Receiver {
    pub(super) kind: &'static Managed,
    pub(super) mode: &'static Mode,
    pub(super) repo: PathBuf,
}

impl Receiver {
    /// One of its files.
    fn file(&self, name: &str) -> PathBuf {
        self.repo.join(".hermes").join(name)
    }

    /// The real path of its repository, as it is written everywhere.
    fn repo_text(&self) -> String {
        self.repo.to_string_lossy().into_owned()
    }
}

/// What went wrong with a receiver, told as a tool's result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ManagedError {
    #[error("repo_path is empty")]
    NoPath,
    #[error("repo_path does not exist: {0}")]
    Missing(String),
    #[error("repo_path is not a directory: {0}")]
    NotAFolder(String),
    #[error("bind_port must be from 1 to 65535, got {0}")]
    Port(String),
    #[error(
        "no free port available for mode '{mode}' in band {first}-{last} (all 10 ports in use); stop an unused {mode} receiver or pass an explicit bind_port"
    )]
    BandFull { mode: &'static str, first: u16, last: u16 },
    #[error("receiver template missing: {0}")]
    Template(String),
    #[error("cannot create {0} (no write permission?): {1}")]
    Create(String, String),
    #[error("cannot copy receiver template into {0}: {1}")]
    Copy(String, String),
    #[error("cannot write {0}: {1}")]
    Write(String, String),
    #[error("cannot update {0}: {1}")]
    Update(String, String),
    #[error("could not stop existing receiver (pid {0}); aborting redeploy")]
    Stubborn(u32),
    #[error("failed to launch receiver (port {0} in use?): {1}")]
    Launch(u16, String),
    #[error("receiver launched but never became healthy on :{port} (port in use? startup crash? see {log})")]
    Unhealthy { port: u16, log: String },
}

impl ManagedError {
    /// As a tool's result.
    pub(super) fn to_value(&self) -> Value {
        serde_json::json!({ "error": self.to_string() })
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
