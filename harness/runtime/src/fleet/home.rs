//! Where a profile's files are (fleet sheet 6.8).

use std::path::{Path, PathBuf};

use gauntlet_protocol::fleet::config;
use gauntlet_world::Host;

/// The folder of the runtime's own files: `HERMES_HOME`, else `~/.hermes`.
pub(super) fn home(host: &Host) -> PathBuf {
    match host.env("HERMES_HOME") {
        Some(home) if !home.trim().is_empty() => host.cwd().join(home),
        _ => host.home().join(".hermes"),
    }
}

/// The profile's `fleet.yaml`: that of the home, else that of the named profile in it when there is one.
pub(super) async fn config_file(host: &Host) -> PathBuf {
    let own = home(host).join(config::FILE);
    if exists(host, &own).await {
        return own;
    }
    let of_profile = home(host).join("profiles").join(profile(host).await).join(config::FILE);
    if exists(host, &of_profile).await { of_profile } else { own }
}

/// The name of the profile: `HERMES_PROFILE`, else the one that is marked as active, else `default`.
pub(super) async fn profile(host: &Host) -> String {
    if let Some(named) = host.env("HERMES_PROFILE").and_then(plain) {
        return named;
    }
    let marked = host.disk().read(home(host).join("active_profile")).await.unwrap_or_default();
    plain(&String::from_utf8_lossy(&marked)).unwrap_or_else(|| "default".to_owned())
}

/// A name that is the name of one folder, and leads nowhere else.
fn plain(name: &str) -> Option<String> {
    let name = name.trim();
    let leads = name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']);
    (!leads).then(|| name.to_owned())
}

/// A process without `HERMES_HOME` works in the default home, whatever profile its user means: this tells of it.
pub(super) async fn warn_of_default(host: &Host) {
    let unset = host.env("HERMES_HOME").is_none_or(|home| home.trim().is_empty());
    if unset && profile(host).await != "default" {
        tracing::warn!(
            "HERMES_HOME is not set, so the default home is used although another profile is active"
        );
    }
}

/// Where a path of a configuration leads: `~` and what is relative stand for folders, links and `..` are followed as far as
/// anything is there.
pub(super) async fn real_path(host: &Host, written: &str, relative_to: &Path) -> PathBuf {
    let path = match written.strip_prefix('~') {
        Some("") => host.home(),
        Some(rest) if rest.starts_with('/') => host.home().join(rest.trim_start_matches('/')),
        _ => relative_to.join(written),
    };
    let mut there = path.as_path();
    let mut beyond = Vec::new();
    loop {
        if let Ok(real) = host.disk().canonical(there).await {
            let mut real = real;
            for part in beyond.into_iter().rev() {
                match part {
                    std::path::Component::ParentDir => drop(real.pop()),
                    std::path::Component::Normal(name) => real.push(name),
                    _ => {}
                }
            }
            return real;
        }
        let (Some(parent), Some(last)) = (there.parent(), there.components().next_back()) else {
            return path.clone();
        };
        beyond.push(last);
        there = parent;
    }
}

async fn exists(host: &Host, path: &Path) -> bool {
    host.disk().stat(path).await.is_ok()
}
