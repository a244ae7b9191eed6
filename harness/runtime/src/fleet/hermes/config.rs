//! What the node is told. The file is read anew for every request, so that an edit counts from the next one on; where the node
//! listens is decided when it begins to.

use gauntlet_protocol::fleet::config::{self, Agent, FleetConfig, Handler, Llm};
use gauntlet_world::network::Address;

use crate::fleet::{Fleet, home};

/// The part of a configuration that the node looks at.
pub(super) struct NodeConfig {
    pub(super) handler: Handler,
    pub(super) name: String,
    /// As configured, also where the node listens on another port.
    pub(super) bind: Address,
    pub(super) auth_required: bool,
    pub(super) token_env: Option<String>,
    pub(super) peers: usize,
    pub(super) llm: Llm,
    pub(super) agent: Agent,
}

/// Why there is no configuration. The reason is for the log: it may name what no caller should learn.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unusable(String);

impl Fleet {
    /// The configuration of this moment: the file, or without one what the runtime was started with.
    pub(super) async fn node_config(&self) -> Result<NodeConfig, Unusable> {
        let path = home(&self.host).join(config::FILE);
        let wrong = |error: &dyn std::fmt::Display| Unusable(format!("{}: {error}", path.display()));
        let content = self.host.disk().read_if_present(&path).await.map_err(|error| wrong(&error))?;
        let settings = &self.settings;
        let Some(content) = content else {
            return Ok(NodeConfig {
                handler: Handler::default(),
                name: settings.name.clone(),
                bind: settings.bind.clone(),
                auth_required: settings.auth_required,
                token_env: settings.token_env.clone(),
                peers: settings.peers.len(),
                llm: Llm {
                    system_prompt: None,
                    system_prompt_file: None,
                    max_tokens: 2048,
                    temperature: 0.7,
                },
                agent: Agent { timeout_s: 120.0 },
            });
        };
        let text = String::from_utf8(content).map_err(|error| wrong(&error))?;
        let shown = path.to_string_lossy();
        let file = FleetConfig::parse(&shown, &text).map_err(|error| Unusable(error.to_string()))?;
        let port = u16::try_from(file.server.bind_port);
        Ok(NodeConfig {
            handler: file.response_handler,
            name: file.name.unwrap_or_else(|| settings.name.clone()),
            bind: Address {
                host: file.server.bind_host,
                port: port.map_err(|_| wrong(&"fleet.server.bind_port is no port"))?,
            },
            auth_required: file.server.auth_required,
            token_env: file.server.token_env,
            peers: file.agents.len(),
            llm: file.llm,
            agent: file.agent,
        })
    }
}
