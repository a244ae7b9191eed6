//! Edits of `fleet.yaml` that leave everything else as it is: comments, order, style (fact sheet 6.6).
//!
//! The text is edited, not written anew. Whatever the edit made is read again, and must say what the old text said with the
//! peer changed and nothing else; a text that is too unusual to be edited so is refused and stays.

mod block;
mod flow;
mod place;
mod scalar;

use serde_json::{Map, Value, json};

use super::{ConfigError, FleetConfig, PeerEntry, Rule, read};
use crate::fleet::Managed;
use place::Place;

/// The peer that a deploy stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedPeer {
    /// Its kind.
    pub kind: &'static Managed,
    /// The real path of its repository.
    pub repo: String,
    /// The port that it listens on.
    pub port: u16,
    /// Whether it wants a bearer. Without one it is a plain peer, that nobody watches.
    pub with_token: bool,
    /// The name that it is entered by, instead of one that is its own.
    pub name: Option<String>,
}

/// What an edit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The peer is new.
    Created,
    /// The peer was there and says something else now.
    Updated,
    /// There was nothing to do.
    Unchanged,
}

impl Action {
    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Action::Created => "created",
            Action::Updated => "updated",
            Action::Unchanged => "unchanged",
        }
    }
}

/// An edited text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// What was done.
    pub action: Action,
    /// The name that the peer has.
    pub name: String,
    /// The whole text; the old one if nothing was done.
    pub text: String,
}

/// Why a text is not edited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It does not keep the rules as it is.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Its style is one that no edit is known for.
    #[error("{path}: the peer {name} cannot be added without touching more than it; add it by hand")]
    Unusual {
        /// The file.
        path: String,
        /// The peer.
        name: String,
    },
}

/// The keys of a peer that a deploy writes, in their order.
const KEYS: [&str; 7] = ["url", "agent_card_url", "token_env", "managed", "mode", "repo_path", "description"];

/// A file for a profile that has none: it listens on loopback alone, so that no bearer is needed.
pub const SCAFFOLD: &str = "\
# The fleet of this profile: the node that peers reach it by, and the peers that it knows.
fleet:
  enabled: true
  response_handler: agent
  server:
    bind_host: 127.0.0.1
    bind_port: 9219
    # Only programs of this machine reach the port. Ask for a bearer before that changes.
    auth_required: false
  agent:
    # Managed executors may take this long.
    timeout_s: 300
  agents: {}
";

/// Adds a deployed peer to the text of a file, or brings its entry up to date. `path` is only for the errors.
pub fn upsert(path: &str, text: &str, peer: &DeployedPeer) -> Result<Edited, EditError> {
    let config = FleetConfig::parse(path, text)?;
    let before = read::document(text).map_err(|rule: Rule| rule.at(path))?;
    let name = peer.name.clone().unwrap_or_else(|| name_for(&config, peer));
    let wanted = wanted(peer);
    let empty = Map::new();
    let had = before.pointer(&format!("/fleet/agents/{}", pointer(&name))).and_then(Value::as_object);
    let action = match had {
        None => Action::Created,
        Some(_) => Action::Updated,
    };
    let had = had.unwrap_or(&empty);
    let is_kept = |key: &&str| had.get(*key).filter(|value| !value.is_null()) == wanted.get(*key);
    if action == Action::Updated && KEYS.iter().all(is_kept) {
        return Ok(Edited { action: Action::Unchanged, name, text: text.to_owned() });
    }
    let mut after = before.clone();
    let entry = entry(&mut after, &name);
    for key in KEYS {
        match wanted.get(key) {
            Some(value) => drop(entry.insert(key.to_owned(), value.clone())),
            None => drop(entry.remove(key)),
        }
    }
    let attempts = attempts(text, &name, &wanted);
    let fits = |text: &String| read::document(text).is_ok_and(|document| document == after);
    let text = attempts.into_iter().find(fits);
    let text = text.ok_or_else(|| EditError::Unusual { path: path.to_owned(), name: name.clone() })?;
    Ok(Edited { action, name, text })
}

/// The name under which a peer is entered: the usual one of its kind, unless that stands for something else.
fn name_for(config: &FleetConfig, peer: &DeployedPeer) -> String {
    let (url, description) = (url(peer), peer.kind.describe(&peer.repo));
    let is_ours = |entry: &PeerEntry| match &entry.repo_path {
        Some(repo) => *repo == peer.repo && entry.mode.as_deref().is_none_or(|mode| mode == peer.kind.mode),
        None => entry.description.as_ref() == Some(&description) || entry.url == url,
    };
    let is_open = |name: &str| config.agents.get(name).is_none_or(is_ours);
    let usual = peer.kind.peer.to_owned();
    let of_repo = peer.kind.peer_of(&peer.repo);
    // An entry that is already this repository's comes before a free name.
    let theirs = |name: &&String| config.agents.get(*name).is_some_and(is_ours);
    if let Some(name) = [&usual, &of_repo].into_iter().find(theirs) {
        return name.clone();
    }
    let numbered = (2..).map(|number| format!("{of_repo}-{number}"));
    let mut names = [usual, of_repo.clone()].into_iter().chain(numbered);
    names.find(|name| is_open(name)).unwrap_or(of_repo)
}

fn url(peer: &DeployedPeer) -> String {
    format!("http://127.0.0.1:{}", peer.port)
}

/// The keys of a peer and their values; the four that make a peer a managed one only with a token.
fn wanted(peer: &DeployedPeer) -> Map<String, Value> {
    let url = url(peer);
    let card = format!("{url}/.well-known/agent-card.json");
    let mut wanted = Map::new();
    wanted.insert("url".to_owned(), json!(url));
    wanted.insert("agent_card_url".to_owned(), json!(card));
    if peer.with_token {
        wanted.insert("token_env".to_owned(), json!(peer.kind.token_env(&peer.repo)));
        wanted.insert("managed".to_owned(), json!(true));
        wanted.insert("mode".to_owned(), json!(peer.kind.mode));
        wanted.insert("repo_path".to_owned(), json!(peer.repo));
    }
    wanted.insert("description".to_owned(), json!(peer.kind.describe(&peer.repo)));
    wanted
}

/// The entry of a peer in a document, made when it is not there.
fn entry<'d>(document: &'d mut Value, name: &str) -> &'d mut Map<String, Value> {
    let agents = &mut document["fleet"]["agents"];
    if agents.is_null() {
        *agents = json!({});
    }
    let entry = &mut agents[name];
    if !entry.is_object() {
        *entry = json!({});
    }
    entry.as_object_mut().expect("it was made an object")
}

fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The texts that the edit may come to, the likeliest first. They differ in where new lines go when comments end a section.
fn attempts(text: &str, name: &str, wanted: &Map<String, Value>) -> Vec<String> {
    let Some(fleet) = Place::document(text).member("fleet") else { return Vec::new() };
    match fleet.member("agents") {
        None => fleet.with_new("agents", &json!({ name: wanted })),
        Some(agents) => match agents.member(name) {
            None => agents.with_new(name, &Value::Object(wanted.clone())),
            Some(peer) => peer.with_members(&KEYS, wanted),
        },
    }
}

#[cfg(test)]
mod tests;
