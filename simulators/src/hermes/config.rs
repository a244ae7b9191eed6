//! Reading `fleet.yaml`.

use std::path::PathBuf;

use gauntlet_protocol::fleet::config::{FILE, FleetConfig};
use gauntlet_world::Host;

/// The folder of the profile.
pub(super) fn home(host: &Host) -> PathBuf {
    match host.env("HERMES_HOME") {
        Some(home) => PathBuf::from(home),
        None => host.home().join(".hermes"),
    }
}

/// The configuration of this moment, or why there is none.
pub(super) async fn read(host: &Host) -> Result<FleetConfig, String> {
    let content = host.disk().read(home(host).join(FILE)).await.map_err(|error| error.to_string())?;
    let text = String::from_utf8(content).map_err(|error| error.to_string())?;
    FleetConfig::parse(FILE, &text).map_err(|error| error.to_string())
}
