//! `fleet.yaml`: the node, its peers, and the rules that the file must keep (fact sheet 6.1 and 6.2).
//!
//! [`FleetConfig::parse`] is pure. Two questions need a disk, and whoever loads the file asks them: where a managed peer's
//! repository really is ([`FleetConfig::check_token_names`]), and whether the prompt file is inside the home.

mod budget;
pub mod edit;
mod error;
mod handler;
mod peer;
mod position;
mod read;
mod sighting;
mod url;

use std::collections::BTreeMap;

pub use budget::{Budget, Period, Unknown};
pub use error::{ConfigError, Rule};
pub use handler::{Handler, Registered};
pub use peer::PeerEntry;
pub use position::Position;
pub use sighting::{Sighting, sightings};

/// The name of the file.
pub const FILE: &str = "fleet.yaml";

/// A `fleet.yaml` that keeps the rules.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetConfig {
    /// Whether anything of the fleet is offered at all; true when absent.
    pub enabled: bool,
    /// Who answers messages that reach the node, unless their sender's entry or they themselves say otherwise.
    pub response_handler: Handler,
    /// The commands that answer, by the names under which they are registered.
    pub handlers: BTreeMap<String, Registered>,
    /// The node's own name, if the file gives one; else it is the profile's.
    pub name: Option<String>,
    /// Where the node listens, and whom it lets in.
    pub server: Server,
    /// What the handler [`Handler::Llm`] is told.
    pub llm: Llm,
    /// What the handler [`Handler::Agent`] is told.
    pub agent: Agent,
    /// The peers by name.
    pub agents: BTreeMap<String, PeerEntry>,
}

/// Where the node listens, and whom it lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The host; `127.0.0.1` when absent.
    pub bind_host: String,
    /// The port as written. Its range is not part of the rules: one that no system has fails when the node listens.
    pub bind_port: i64,
    /// Whether callers must present a bearer; true when absent.
    pub auth_required: bool,
    /// The variable that holds the bearer.
    pub token_env: Option<String>,
}

/// What the handler [`Handler::Llm`] is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Llm {
    /// The system prompt.
    pub system_prompt: Option<String>,
    /// The file that holds the system prompt, as written.
    pub system_prompt_file: Option<String>,
    /// 2048 when absent.
    pub max_tokens: u64,
    /// 0.7 when absent.
    pub temperature: f64,
}

/// What the handler [`Handler::Agent`] is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Agent {
    /// How long an answer may take, in seconds; 120 when absent.
    pub timeout_s: f64,
}

impl FleetConfig {
    /// Reads the text of a file. `path` is only for the errors.
    pub fn parse(path: &str, text: &str) -> Result<FleetConfig, ConfigError> {
        read::read(text).map_err(|rule| rule.at(path))
    }

    /// Checks that every managed peer names the variable that its repository stands for (fact sheet 6.4). `canonical` gives
    /// the real path of a repository as written.
    pub fn check_token_names(
        &self,
        path: &str,
        canonical: impl Fn(&str) -> String,
    ) -> Result<(), ConfigError> {
        for (name, peer) in &self.agents {
            let Some((kind, repo)) = peer.managed_at() else { continue };
            let repo = canonical(repo);
            let expected = kind.token_env(&repo);
            if peer.token_env.as_deref() != Some(&expected) {
                let found = peer.token_env.clone();
                let mode = kind.mode;
                return Err(Rule::TokenName { peer: name.clone(), mode, expected, repo, found }.at(path));
            }
        }
        Ok(())
    }

    /// The handler of that name, if there is one.
    pub fn handler(&self, name: &str) -> Option<Handler> {
        handler::named(name, &self.handlers)
    }

    /// The names of all handlers, in order.
    pub fn handler_names(&self) -> Vec<&str> {
        handler::names(&self.handlers)
    }

    /// What is allowed and unwise: an agent that gives up before its managed executors do.
    pub fn warnings(&self) -> Vec<String> {
        let managed = self.agents.iter().filter(|(_, peer)| peer.managed);
        let limit = self.agent.timeout_s;
        let short = managed.filter(|_| limit < 300.0).map(|(name, _)| {
            format!("fleet.agent.timeout_s is {limit}, and managed peer {name} may take 300 s and more")
        });
        let ciphered = self.agents.iter().filter(|(_, peer)| {
            peer.url.split_once(':').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
        });
        let unreached = ciphered.map(|(name, _)| {
            format!("fleet.agents.{name}.url asks for TLS, which is not spoken here: it cannot be reached without a proxy")
        });
        short.chain(unreached).collect()
    }
}

#[cfg(test)]
mod tests;
