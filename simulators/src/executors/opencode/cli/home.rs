//! Where opencode keeps its data.

use std::path::PathBuf;

use gauntlet_world::Host;

/// Its data: below `$XDG_DATA_HOME`, else below `.local/share` in the home directory (recorded: the log that 1.0.0 names).
pub(super) fn data_home(host: &Host) -> PathBuf {
    let base = match host.env("XDG_DATA_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => host.home().join(".local/share"),
    };
    base.join("opencode")
}

/// The folder of sessions. The real CLI keeps them in a database, which nobody but itself reads.
pub(super) fn sessions(host: &Host) -> PathBuf {
    data_home(host).join("sessions")
}

/// The file without which this is the first turn in a home.
pub(super) fn database(host: &Host) -> PathBuf {
    data_home(host).join("opencode.db")
}
