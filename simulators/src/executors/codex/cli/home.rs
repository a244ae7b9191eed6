//! Where codex keeps its threads, and what it calls a new one.

use std::path::PathBuf;

use gauntlet_world::Host;

use crate::cli::session::Session;

/// The CLI's home: `$CODEX_HOME`, else `.codex` in the home directory.
pub(super) fn codex_home(host: &Host) -> PathBuf {
    match host.env("CODEX_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => host.home().join(".codex"),
    }
}

/// The folder of threads.
pub(super) fn threads(host: &Host) -> PathBuf {
    codex_home(host).join("sessions")
}

/// A thread with a new id: a UUID of version 7, as recorded.
pub(super) fn new_thread(host: &Host) -> Session {
    let mut random = [0; 10];
    host.entropy().fill(&mut random);
    let millis = u64::try_from(host.clock().wall().millis()).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    Session::new(id.to_string(), threads(host))
}
