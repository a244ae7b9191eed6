//! `fleet.yaml` as it is now: read anew whenever somebody asks, so that an edit applies without a restart.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use gauntlet_protocol::fleet::config::{ConfigError, FleetConfig, Rule};
use gauntlet_world::Host;
use gauntlet_world::injection::Point;
use serde_json::json;

use super::Fleet;
use super::home::{config_file, home, real_path};

/// The last text that was read, and what it says.
#[derive(Default)]
pub(super) struct Cached {
    text: Vec<u8>,
    config: Option<Rc<FleetConfig>>,
}

impl Fleet {
    /// What the profile's `fleet.yaml` says now. Every rule is checked, those that need a disk included.
    pub async fn config(&self) -> Result<Rc<FleetConfig>, ConfigError> {
        let before = self.cached.borrow().config.clone();
        let (text, config) = match self.read_config().await {
            Ok(read) => read,
            Err(error) => {
                let event = json!({ "rule": rule(&error), "refused": true });
                let refused = self.decide(Point::RuntimeConfig, event).await.yes("refused");
                return before.filter(|_| !refused).ok_or(error);
            }
        };
        let has_changed = self.cached.borrow().text != text;
        if let Some(before) = before.filter(|_| has_changed) {
            let peers: Vec<&String> = config.agents.keys().collect();
            if self.decide(Point::RuntimeReread, json!({ "peers": peers })).await.is_omitted() {
                return Ok(before);
            }
        }
        *self.cached.borrow_mut() = Cached { text, config: Some(config.clone()) };
        Ok(config)
    }

    async fn read_config(&self) -> Result<(Vec<u8>, Rc<FleetConfig>), ConfigError> {
        let path = config_file(&self.host).await;
        let content = read(&self.host, &path).await?;
        let known = {
            let cached = self.cached.borrow();
            cached.config.clone().filter(|_| cached.text == content)
        };
        let config = match known {
            Some(config) => config,
            None => parsed(&path.to_string_lossy(), &content)?,
        };
        // Links may lead elsewhere by now, also when the text is the same.
        let config = self.check_places(&path.to_string_lossy(), config).await?;
        Ok((content, config))
    }

    /// The file that [`Fleet::config`] reads.
    pub async fn config_path(&self) -> PathBuf {
        config_file(&self.host).await
    }

    async fn check_places(
        &self,
        path: &str,
        config: Rc<FleetConfig>,
    ) -> Result<Rc<FleetConfig>, ConfigError> {
        let mut real = std::collections::BTreeMap::new();
        for repo in config.agents.values().filter_map(|peer| peer.managed_at()).map(|(_, repo)| repo) {
            let place = real_path(&self.host, repo, self.host.cwd()).await;
            real.insert(repo.to_owned(), place.to_string_lossy().into_owned());
        }
        config.check_token_names(path, |repo| real.get(repo).cloned().unwrap_or_else(|| repo.to_owned()))?;
        if let Some(written) = &config.llm.system_prompt_file {
            let root = real_path(&self.host, ".", &home(&self.host)).await;
            let found = real_path(&self.host, written, &home(&self.host)).await;
            if !found.starts_with(&root) {
                let shown = |path: PathBuf| path.to_string_lossy().into_owned();
                return Err(ConfigError::PromptOutside { root: shown(root), found: shown(found) });
            }
        }
        Ok(config)
    }

    /// Where the file of the system prompt really is, if the configuration names one. [`Fleet::config`] has checked that it is
    /// inside the home.
    pub async fn prompt_file(&self, config: &FleetConfig) -> Option<PathBuf> {
        let written = config.llm.system_prompt_file.as_deref()?;
        Some(real_path(&self.host, written, &home(&self.host)).await)
    }
}

/// What the profile's `fleet.yaml` says now, for who is no runtime: without the rules that need a disk.
pub(super) async fn load(host: &Host) -> Result<FleetConfig, ConfigError> {
    let path = config_file(host).await;
    parse(&path.to_string_lossy(), &read(host, &path).await?)
}

/// The name of a rule that a configuration breaks, which stays the same.
fn rule(error: &ConfigError) -> &'static str {
    let rule = match error {
        ConfigError::Absent(_) => return "absent",
        ConfigError::Unreadable { .. } => return "unreadable",
        ConfigError::PromptOutside { .. } => return "prompt outside",
        ConfigError::Bare(rule) | ConfigError::Broken { rule, .. } => rule,
    };
    match **rule {
        Rule::Yaml(_) => "plain YAML",
        Rule::Fleet(_) => "fleet",
        Rule::Section { .. } => "section",
        Rule::Scalar { ref key, .. } if key.contains(".budget.") => "budget value",
        Rule::Scalar { .. } => "scalar",
        Rule::Handler { .. } => "handler",
        Rule::PeerHandler { .. } => "peer handler",
        Rule::Registered { .. } => "registered handler",
        Rule::PortMissing => "port missing",
        Rule::Port(_) => "port",
        Rule::Peer { .. } => "peer",
        Rule::Managed { .. } => "managed",
        Rule::UrlMissing(_) => "url missing",
        Rule::Scheme { .. } => "scheme",
        Rule::Host { .. } => "host",
        Rule::BudgetKey { .. } => "budget key",
        Rule::BudgetEmpty(_) => "budget empty",
        Rule::BudgetPeriod(_) => "budget period",
        Rule::TokenName { .. } => "token name",
    }
}

async fn read(host: &Host, path: &std::path::Path) -> Result<Vec<u8>, ConfigError> {
    let shown = || path.to_string_lossy().into_owned();
    match host.disk().read_if_present(path).await {
        Ok(Some(content)) => Ok(content),
        Ok(None) => Err(ConfigError::Absent(shown())),
        Err(error) => Err(ConfigError::Unreadable { path: shown(), reason: error.to_string() }),
    }
}

thread_local! {
    /// What the texts said that were read last on this thread. YAML is dear to read, and in the cells of a matrix the same few files
    /// stand again and again.
    static KNOWN: RefCell<Vec<(Vec<u8>, Rc<FleetConfig>)>> = const { RefCell::new(Vec::new()) };
}

/// So many texts are kept.
const KEPT: usize = 8;

/// What a text says: that depends on nothing but the text.
fn parsed(path: &str, content: &[u8]) -> Result<Rc<FleetConfig>, ConfigError> {
    let known = KNOWN.with_borrow(|known| {
        known.iter().find(|(text, _)| text == content).map(|(_, config)| config.clone())
    });
    if let Some(config) = known {
        return Ok(config);
    }
    let config = Rc::new(parse(path, content)?);
    KNOWN.with_borrow_mut(|known| {
        known.truncate(KEPT - 1);
        known.insert(0, (content.to_vec(), config.clone()));
    });
    Ok(config)
}

fn parse(path: &str, content: &[u8]) -> Result<FleetConfig, ConfigError> {
    let text = std::str::from_utf8(content)
        .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() })?;
    let config = FleetConfig::parse(path, text)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    Ok(config)
}
