//! From a text to a [`FleetConfig`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Agent, FleetConfig, Handler, Llm, PeerEntry, Rule, Server, budget, url};
use crate::python;

const MAX_TOKENS: u64 = 2048;
const TEMPERATURE: f64 = 0.7;
const TIMEOUT_S: f64 = 120.0;

/// The document as plain values. A tag that stands for an object of some language is refused, as is a key twice.
pub(super) fn document(text: &str) -> Result<Value, Rule> {
    let options = serde_saphyr::options! { reject_unsupported_tags: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.to_string();
        Rule::Yaml(line.lines().next().unwrap_or("broken").trim().to_owned())
    })
}

pub(super) fn read(text: &str) -> Result<FleetConfig, Rule> {
    let document = document(text)?;
    let fleet = match &document {
        Value::Object(top) => top.get("fleet").unwrap_or(&Value::Null),
        other => other,
    };
    let members = fleet.as_object().ok_or_else(|| Rule::Fleet(python::type_name(fleet)))?;
    let fleet = Section { prefix: String::new(), members };
    let (server, own) = (fleet.section("server")?, fleet.section("self")?);
    let (llm, agent) = (fleet.section("llm")?, fleet.section("agent")?);
    Ok(FleetConfig {
        enabled: fleet.flag("enabled", true)?,
        response_handler: handler(fleet.get("response_handler"))?,
        name: own.text("name")?,
        server: Server {
            bind_host: server.text("bind_host")?.unwrap_or_else(|| "127.0.0.1".to_owned()),
            bind_port: port(server.get("bind_port"))?,
            auth_required: server.flag("auth_required", true)?,
            token_env: server.text("token_env")?,
        },
        llm: Llm {
            system_prompt: llm.text("system_prompt")?,
            system_prompt_file: llm.text("system_prompt_file")?,
            max_tokens: match llm.get("max_tokens") {
                None => MAX_TOKENS,
                Some(found) => found.as_u64().ok_or_else(|| llm.wrong("max_tokens", "an integer", found))?,
            },
            temperature: llm.number("temperature", TEMPERATURE)?,
        },
        agent: Agent { timeout_s: agent.number("timeout_s", TIMEOUT_S)? },
        agents: agents(fleet.get("agents"))?,
    })
}

fn handler(written: Option<&Value>) -> Result<Handler, Rule> {
    let Some(written) = written else { return Ok(Handler::default()) };
    let name = written.as_str().unwrap_or_default().trim();
    Handler::ALL.into_iter().find(|handler| handler.name() == name).ok_or_else(|| Rule::handler(written))
}

fn port(written: Option<&Value>) -> Result<i64, Rule> {
    let written = written.ok_or(Rule::PortMissing)?;
    written.as_i64().ok_or_else(|| Rule::Port(python::repr(written)))
}

fn agents(written: Option<&Value>) -> Result<BTreeMap<String, PeerEntry>, Rule> {
    let Some(written) = written else { return Ok(BTreeMap::new()) };
    let found = python::type_name(written);
    let agents = written.as_object().ok_or(Rule::Section { section: "agents", found })?;
    agents.iter().map(|(name, entry)| Ok((name.clone(), peer(name, entry)?))).collect()
}

fn peer(name: &str, entry: &Value) -> Result<PeerEntry, Rule> {
    let found = python::type_name(entry);
    let members = entry.as_object().ok_or_else(|| Rule::Peer { peer: name.to_owned(), found })?;
    let entry = Section { prefix: format!("agents.{name}."), members };
    let managed = match entry.get("managed") {
        None => false,
        Some(Value::Bool(managed)) => *managed,
        Some(other) => {
            let found = format!("{} {}", python::type_name(other), python::repr(other));
            return Err(Rule::Managed { peer: name.to_owned(), found });
        }
    };
    let address = entry.text("url")?.ok_or_else(|| Rule::UrlMissing(name.to_owned()))?;
    url::check(&format!("fleet.agents.{name}.url"), &address)?;
    let agent_card_url = entry.text("agent_card_url")?;
    if let Some(card) = &agent_card_url {
        url::check(&format!("fleet.agents.{name}.agent_card_url"), card)?;
    }
    Ok(PeerEntry {
        url: address,
        agent_card_url,
        token_env: entry.text("token_env")?,
        description: entry.text("description")?,
        managed,
        mode: entry.text("mode")?,
        repo_path: entry.text("repo_path")?,
        budget: budget::read(name, entry.get("budget"))?,
    })
}

/// A mapping of the file, and what its keys are called in an error.
struct Section<'v> {
    prefix: String,
    members: &'v Map<String, Value>,
}

impl<'v> Section<'v> {
    /// The value of a key; a key that holds nothing counts as absent.
    fn get(&self, key: &str) -> Option<&'v Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    fn section(&self, key: &'static str) -> Result<Section<'v>, Rule> {
        static NOTHING: std::sync::OnceLock<Map<String, Value>> = std::sync::OnceLock::new();
        let members = match self.get(key) {
            None => NOTHING.get_or_init(Map::new),
            Some(Value::Object(members)) => members,
            Some(other) => return Err(Rule::Section { section: key, found: python::type_name(other) }),
        };
        Ok(Section { prefix: format!("{key}."), members })
    }

    /// A text; an empty one counts as absent.
    fn text(&self, key: &str) -> Result<Option<String>, Rule> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
            Some(other) => Err(self.wrong(key, "a string", other)),
        }
    }

    fn flag(&self, key: &str, absent: bool) -> Result<bool, Rule> {
        match self.get(key) {
            None => Ok(absent),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(key, "a boolean", other)),
        }
    }

    fn number(&self, key: &str, absent: f64) -> Result<f64, Rule> {
        match self.get(key) {
            None => Ok(absent),
            Some(other) => other.as_f64().ok_or_else(|| self.wrong(key, "a number", other)),
        }
    }

    fn wrong(&self, key: &str, expected: &'static str, found: &Value) -> Rule {
        Rule::Scalar { key: format!("{}{key}", self.prefix), expected, found: python::repr(found) }
    }
}
