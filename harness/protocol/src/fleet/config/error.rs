//! What can be wrong with a `fleet.yaml`, with the product line's own words (fact sheet 6.2).

use serde_json::Value;

use super::position::Position;
use crate::python;

/// The one error of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// There is no file.
    #[error("fleet.yaml not found at {0}")]
    Absent(String),
    /// There is a file, and it cannot be read.
    #[error("{path}: cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The prompt file is outside the home, as far as links and `..` really lead.
    #[error("llm.system_prompt_file must be within {root}, got {found}")]
    PromptOutside {
        /// The home.
        root: String,
        /// Where the file really is.
        found: String,
    },
    /// A rule that is told without the file.
    #[error("{0}")]
    Bare(Box<Rule>),
    /// A rule that the file does not keep.
    #[error("{path}: {rule}")]
    Broken {
        /// The file.
        path: String,
        /// The rule.
        rule: Box<Rule>,
    },
}

/// A rule that a file does not keep, and what came instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// The text is no YAML that this reader takes: broken, with a foreign tag, or with a key twice.
    #[error("not a plain YAML document: {0}")]
    Yaml(String),
    /// `fleet` is missing or something else than a mapping.
    #[error("expected top-level 'fleet:' mapping, got {0}")]
    Fleet(&'static str),
    /// A section is something else than a mapping.
    #[error("expected 'fleet.{section}:' mapping, got {found}")]
    Section {
        /// The key below `fleet`.
        section: &'static str,
        /// The type that came.
        found: &'static str,
    },
    /// A scalar is of another type than its key wants.
    #[error("fleet.{key} must be {expected}, got {found}")]
    Scalar {
        /// The key below `fleet`.
        key: String,
        /// What should have stood there.
        expected: &'static str,
        /// What stood there.
        found: String,
    },
    /// No handler has this name.
    #[error("response_handler {found} not supported, only {} are implemented.{place}", list(known))]
    Handler {
        /// What came.
        found: String,
        /// The names that there are.
        known: Vec<String>,
        /// Where it stands.
        place: Position,
    },
    /// A peer's entry names a handler that there is not.
    #[error("{key} must be one of {}, got {found}{place}", list(known))]
    PeerHandler {
        /// The key, from `fleet` on.
        key: String,
        /// The names that there are.
        known: Vec<String>,
        /// What came.
        found: String,
        /// Where it stands.
        place: Position,
    },
    /// A handler is registered in a way that cannot be meant.
    #[error("{key} must be {expected}, got {found}{place}")]
    Registered {
        /// The key, from `fleet` on.
        key: String,
        /// What should have stood there.
        expected: &'static str,
        /// What stood there.
        found: String,
        /// Where it stands.
        place: Position,
    },
    /// The port is missing.
    #[error(
        "fleet.server.bind_port is required (no default: two profiles of one machine must not meet on one port)"
    )]
    PortMissing,
    /// The port is no whole number.
    #[error("fleet.server.bind_port must be an integer, got {0}")]
    Port(String),
    /// A peer is something else than a mapping.
    #[error("fleet.agents.{peer} must be a mapping, got {found}")]
    Peer {
        /// The peer.
        peer: String,
        /// The type that came.
        found: &'static str,
    },
    /// `managed` is something else than a boolean.
    #[error("fleet.agents.{peer}.managed must be a boolean (true/false), got {found}")]
    Managed {
        /// The peer.
        peer: String,
        /// The type and the value that came.
        found: String,
    },
    /// A peer without an address.
    #[error("fleet.agents.{0}.url is required")]
    UrlMissing(String),
    /// A budget with a key that no budget has.
    #[error("fleet.agents.{peer}.budget has no key '{key}'; known: {known}")]
    BudgetKey {
        /// The peer.
        peer: String,
        /// The key.
        key: String,
        /// Those that there are.
        known: String,
    },
    /// A budget that limits nothing.
    #[error("fleet.agents.{0}.budget must limit at least one of tokens, turns and cost_usd")]
    BudgetEmpty(String),
    /// A budget that does not say for how long it lasts.
    #[error("fleet.agents.{0}.budget.period is required: day, week, month or never")]
    BudgetPeriod(String),
    /// An address with a scheme that no peer speaks.
    #[error("{key} scheme must be http or https, got '{scheme}' in '{url}'")]
    Scheme {
        /// The key, from `fleet` on.
        key: String,
        /// The scheme that came.
        scheme: String,
        /// The address as written.
        url: String,
    },
    /// An address that leads nowhere.
    #[error("{key} must have a valid host in '{url}'")]
    Host {
        /// The key, from `fleet` on.
        key: String,
        /// The address as written.
        url: String,
    },
    /// A managed peer that names another variable than its repository stands for.
    #[error(
        "managed {mode} peer {peer}: token_env must be {expected} for repo {repo} (got {})",
        given(found)
    )]
    TokenName {
        /// The peer.
        peer: String,
        /// Its mode.
        mode: &'static str,
        /// The variable that its repository stands for.
        expected: String,
        /// The real path of its repository.
        repo: String,
        /// The variable that the file names.
        found: Option<String>,
    },
}

impl Rule {
    /// Whether it is about registered handlers, or about those that a peer's entry names.
    pub fn is_of_handlers(&self) -> bool {
        matches!(self, Rule::PeerHandler { .. } | Rule::Registered { .. })
    }

    pub(super) fn at(self, path: &str) -> ConfigError {
        match self {
            rule @ Rule::Handler { .. } => ConfigError::Bare(Box::new(rule)),
            rule => ConfigError::Broken { path: path.to_owned(), rule: Box::new(rule) },
        }
    }
}

/// Names as the product line lists them.
fn list(names: &[String]) -> String {
    python::repr(&Value::from(names.to_vec()))
}

fn given(name: &Option<String>) -> String {
    name.as_ref().map_or_else(|| "None".to_owned(), |name| python::repr(&Value::String(name.clone())))
}
