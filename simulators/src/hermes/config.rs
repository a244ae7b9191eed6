//! Reading `fleet.yaml`, and the rules that only a disk can tell (fleet sheet 6.2).

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use gauntlet_protocol::fleet::config::{ConfigError, FILE, FleetConfig};
use gauntlet_world::Host;

/// The folder of the profile.
pub(super) fn home(host: &Host) -> PathBuf {
    match host.env("HERMES_HOME") {
        Some(home) if !home.trim().is_empty() => host.cwd().join(home),
        _ => host.home().join(".hermes"),
    }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub(super) struct Broken {
    why: String,
    /// The rule that it breaks, for events.
    pub(super) rule: &'static str,
    /// What it says all the same, where only a place is wrong.
    pub(super) says: Option<Box<FleetConfig>>,
}

/// The configuration of this moment, or why there is none.
pub(super) async fn read(host: &Host) -> Result<FleetConfig, Broken> {
    let broken = |why: String| Broken { why, rule: "file", says: None };
    let content = host.disk().read(home(host).join(FILE)).await.map_err(|error| broken(error.to_string()))?;
    let text = String::from_utf8(content).map_err(|error| broken(error.to_string()))?;
    let config = FleetConfig::parse(FILE, &text).map_err(|error| {
        let of_handlers = matches!(&error, ConfigError::Broken { rule, .. } if rule.is_of_handlers());
        Broken { rule: if of_handlers { "handler" } else { "text" }, ..broken(error.to_string()) }
    })?;
    match misplaced(host, &config).await {
        None => Ok(config),
        Some((rule, error)) => Err(Broken { why: error.to_string(), rule, says: Some(Box::new(config)) }),
    }
}

/// The rule about places that a configuration breaks.
async fn misplaced(host: &Host, config: &FleetConfig) -> Option<(&'static str, ConfigError)> {
    if let Some(found) = prompt_file(host, config).await {
        let root = followed(host, &home(host)).await;
        if !found.starts_with(&root) {
            let shown = |path: &Path| path.to_string_lossy().into_owned();
            return Some(("prompt", ConfigError::PromptOutside { root: shown(&root), found: shown(&found) }));
        }
    }
    let mut real = BTreeMap::new();
    for (_, repo) in config.agents.values().filter_map(|entry| entry.managed_at()) {
        let place = followed(host, &host.cwd().join(repo)).await;
        real.insert(repo.to_owned(), place.to_string_lossy().into_owned());
    }
    let place = |repo: &str| real.get(repo).cloned().unwrap_or_else(|| repo.to_owned());
    config.check_token_names(FILE, place).err().map(|error| ("bearer", error))
}

/// Where the file with the model's instructions really is, if there is one.
pub(super) async fn prompt_file(host: &Host, config: &FleetConfig) -> Option<PathBuf> {
    let written = config.llm.system_prompt_file.as_deref()?;
    let path = match written.strip_prefix("~/") {
        Some(below) => host.home().join(below.trim_start_matches('/')),
        None => home(host).join(written),
    };
    Some(followed(host, &path).await)
}

/// A path without links and `..`, as far as anything is there.
async fn followed(host: &Host, path: &Path) -> PathBuf {
    let mut real = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => drop(real.pop()),
            Component::Normal(name) => {
                real.push(name);
                if let Ok(found) = host.disk().canonical(&real).await {
                    real = found;
                }
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    real
}
