//! From a text to a [`FleetConfig`].

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{
    Agent, FleetConfig, Handler, Llm, PeerEntry, Registered, Rule, Server, budget, handler, position, url,
};
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
    let handlers = handlers(text, fleet.get("handlers"))?;
    let known = Known { text, handlers: &handlers };
    let response_handler = match fleet.get("response_handler") {
        None => Handler::default(),
        Some(written) => known.handler(written).ok_or_else(|| Rule::Handler {
            found: shown(written),
            known: known.names(),
            place: position::of(text, &["response_handler"]),
        })?,
    };
    let agents = agents(fleet.get("agents"), &known)?;
    Ok(FleetConfig {
        enabled: fleet.flag("enabled", true)?,
        response_handler,
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
        agents,
        handlers,
    })
}

/// The handlers that are registered.
fn handlers(text: &str, written: Option<&Value>) -> Result<BTreeMap<String, Registered>, Rule> {
    let Some(written) = written else { return Ok(BTreeMap::new()) };
    let wrong = |way: &[&str], expected: &'static str, found: &Value| Rule::Registered {
        key: format!("fleet.{}", way.join(".")),
        expected,
        found: python::repr(found),
        place: position::of(text, &way[..way.len().min(2)]),
    };
    let entries = written.as_object().ok_or_else(|| wrong(&["handlers"], "a mapping of names", written))?;
    let mut handlers = BTreeMap::new();
    for (name, entry) in entries {
        let is_free = Handler::is_name(name) && handler::named(name, &BTreeMap::new()).is_none();
        if !is_free {
            let expected = "a name of 1 to 64 small letters, digits, - and _ that no built-in handler has";
            return Err(wrong(&["handlers", name], expected, &Value::from(name.as_str())));
        }
        let members = entry.as_object().ok_or_else(|| wrong(&["handlers", name], "a mapping", entry))?;
        if let Some((key, found)) =
            members.iter().find(|(key, _)| !["command", "timeout_s"].contains(&key.as_str()))
        {
            return Err(wrong(
                &["handlers", name, key],
                "absent, since there are command and timeout_s alone",
                found,
            ));
        }
        // One text would be for a shell to take apart, and no shell is to see it.
        let command = members.get("command").unwrap_or(&Value::Null);
        let words =
            command.as_array().map(|words| words.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
        let words = words.flatten().filter(|words| {
            words.first().is_some_and(|program| !program.is_empty())
                && words.iter().all(|word| !word.contains('\0'))
        });
        let words = words.ok_or_else(|| {
            let expected = "a list of texts, the program and its arguments";
            wrong(&["handlers", name, "command"], expected, command)
        })?;
        let timeout = members.get("timeout_s").filter(|timeout| !timeout.is_null());
        let timeout_s = match timeout {
            None => Registered::TIMEOUT_S,
            Some(found) => found.as_f64().filter(|seconds| *seconds > 0.0).ok_or_else(|| {
                wrong(&["handlers", name, "timeout_s"], "a number of seconds above 0", found)
            })?,
        };
        let command = words.into_iter().map(str::to_owned).collect();
        handlers.insert(name.clone(), Registered { command, timeout_s });
    }
    Ok(handlers)
}

/// The handlers that there are, for those who name one.
struct Known<'v> {
    text: &'v str,
    handlers: &'v BTreeMap<String, Registered>,
}

impl Known<'_> {
    fn handler(&self, written: &Value) -> Option<Handler> {
        handler::named(written.as_str()?.trim(), self.handlers)
    }

    fn names(&self) -> Vec<String> {
        handler::names(self.handlers).into_iter().map(str::to_owned).collect()
    }

    fn of_peer(&self, peer: &str, key: &str, written: &Value) -> Result<Handler, Rule> {
        self.handler(written).ok_or_else(|| Rule::PeerHandler {
            key: format!("fleet.agents.{peer}.{key}"),
            known: self.names(),
            found: shown(written),
            place: position::of(self.text, &["agents", peer, key]),
        })
    }
}

/// What stands where a handler's name should.
fn shown(written: &Value) -> String {
    match written {
        Value::String(text) => python::repr(&Value::String(text.trim().to_owned())),
        other => format!("'{}'", python::repr(other)),
    }
}

fn port(written: Option<&Value>) -> Result<i64, Rule> {
    let written = written.ok_or(Rule::PortMissing)?;
    written.as_i64().ok_or_else(|| Rule::Port(python::repr(written)))
}

fn agents(written: Option<&Value>, known: &Known<'_>) -> Result<BTreeMap<String, PeerEntry>, Rule> {
    let Some(written) = written else { return Ok(BTreeMap::new()) };
    let found = python::type_name(written);
    let agents = written.as_object().ok_or(Rule::Section { section: "agents", found })?;
    agents.iter().map(|(name, entry)| Ok((name.clone(), peer(name, entry, known)?))).collect()
}

fn peer(name: &str, entry: &Value, known: &Known<'_>) -> Result<PeerEntry, Rule> {
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
    let response_handler = entry
        .get("response_handler")
        .map(|written| known.of_peer(name, "response_handler", written))
        .transpose()?;
    let allowed_handlers = match entry.get("allowed_handlers") {
        None => None,
        Some(Value::Array(names)) => {
            let allowed = names.iter().map(|written| known.of_peer(name, "allowed_handlers", written));
            Some(allowed.collect::<Result<Vec<_>, _>>()?)
        }
        Some(other) => return Err(entry.wrong("allowed_handlers", "a list of handlers", other)),
    };
    Ok(PeerEntry {
        url: address,
        agent_card_url,
        token_env: entry.text("token_env")?,
        description: entry.text("description")?,
        managed,
        mode: entry.text("mode")?,
        repo_path: entry.text("repo_path")?,
        response_handler,
        allowed_handlers,
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
