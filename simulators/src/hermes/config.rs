//! Reading `fleet.yaml`.

use std::path::PathBuf;

use gauntlet_protocol::fleet::config::{ConfigError, FILE, FleetConfig};
use gauntlet_world::Host;

/// The folder of the profile.
pub(super) fn home(host: &Host) -> PathBuf {
    match host.env("HERMES_HOME") {
        Some(home) => PathBuf::from(home),
        None => host.home().join(".hermes"),
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct Broken {
    why: String,
    /// Whether it is a handler that makes it so.
    pub(super) of_handlers: bool,
}

/// The configuration of this moment, or why there is none.
pub(super) async fn read(host: &Host) -> Result<FleetConfig, Broken> {
    let broken = |why: String| Broken { why, of_handlers: false };
    let content = host.disk().read(home(host).join(FILE)).await.map_err(|error| broken(error.to_string()))?;
    let text = String::from_utf8(content).map_err(|error| broken(error.to_string()))?;
    FleetConfig::parse(FILE, &text).map_err(|error| {
        let of_handlers = matches!(&error, ConfigError::Broken { rule, .. } if rule.is_of_handlers());
        Broken { why: error.to_string(), of_handlers }
    })
}
