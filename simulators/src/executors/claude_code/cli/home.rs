//! Where Claude Code keeps its sessions, and what it calls things.

use std::path::{Path, PathBuf};

use gauntlet_world::Host;

/// The CLI's home: `$CLAUDE_CONFIG_DIR`, else `.claude` in the home directory.
pub(super) fn claude_home(host: &Host) -> PathBuf {
    match host.env("CLAUDE_CONFIG_DIR") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => host.home().join(".claude"),
    }
}

/// The name of a working directory below `projects` (recorded: every sign in it that is no letter or digit is a dash).
pub(super) fn project(workdir: &Path) -> String {
    let path = workdir.to_string_lossy();
    path.chars().map(|sign| if sign.is_ascii_alphanumeric() { sign } else { '-' }).collect()
}

/// The folder of the sessions of a working directory.
pub(super) fn sessions(host: &Host, workdir: &Path) -> PathBuf {
    claude_home(host).join("projects").join(project(workdir))
}

/// A new id, for a frame or for a session that nobody named.
pub(super) fn new_id(host: &Host) -> String {
    let mut random = [0; 16];
    host.entropy().fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid().to_string()
}

/// The wall clock as frames write it: `2026-11-21T12:55:21.043Z`.
pub(super) fn timestamp(host: &Host) -> String {
    let wall = host.clock().wall();
    format!("{}.{:03}Z", wall.stamp().replace(' ', "T"), wall.millis().rem_euclid(1000))
}
