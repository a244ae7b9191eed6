//! The receiver's configuration file (fleet sheet 3.0): lenient, since a bad file must not keep it from starting.

use std::time::Duration;

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::extension::profile::is_name;
use gauntlet_protocol::json;
use serde_json::{Map, Value};

/// What the configuration file says, with defaults for what it does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The repository that the receiver is bound to, as configured: `/health` repeats it to the letter.
    pub repo_path: String,
    /// The host it listens on.
    pub bind_host: String,
    /// The port it listens on.
    pub bind_port: u16,
    /// Where replies go.
    pub hermes_url: String,
    /// The text put before each prompt.
    pub role_prompt: String,
    /// Whether `role_prompt` is the built-in one.
    pub has_built_in_role: bool,
    /// A file whose content replaces `role_prompt`.
    pub role_file: Option<String>,
    /// The variable that holds the inbound bearer.
    pub auth_token_env: Option<String>,
    /// The variable that holds the bearer for callbacks.
    pub hermes_auth_token_env: Option<String>,
    /// The profile that replies are for, by which every callback names it.
    pub hermes_profile: Option<String>,
    /// The cap of one turn.
    pub turn_cap: Duration,
    /// How long a turn waits for a slot, and again for its context.
    pub lock_wait: Duration,
    /// The rhythm in which the inbox is looked at.
    pub poll: Duration,
    /// How many CLIs run at once.
    pub slots: usize,
    /// How many contexts have a lock at once.
    pub tracked_contexts: usize,
    /// After so long without work it ends; never when absent.
    pub idle: Option<Duration>,
    /// The model that is passed on.
    pub model: Option<String>,
    /// The agent that is passed on.
    pub agent: Option<String>,
    /// The sandbox of a first turn.
    pub sandbox: String,
    /// Whether there is one, for a CLI that has one kind alone.
    pub sandboxed: bool,
    /// Further arguments for the CLI.
    pub extra_flags: Vec<String>,
    /// What was wrong in the file, for the log.
    pub warnings: Vec<String>,
}

/// The built-in role; the repository's path is put behind it (FLEET-OC-09).
const ROLE: &str = "You are the executor of this repository in a fleet of agents. Another agent, the orchestrator, sends you \
                    tasks. Do each task here, with your own tools, and answer briefly with what you did.";

impl Config {
    /// Reads the content of the file; nothing when there is none. `repo` is the folder that holds the receiver's own.
    pub fn parse(mode: &Mode, repo: &str, content: Option<&[u8]>) -> Self {
        let mut warnings = Vec::new();
        let values = match content.map(|content| json::parse("the receiver's configuration", content)) {
            None => {
                warnings.push("no configuration file, using the defaults".to_owned());
                Map::new()
            }
            Some(Ok(Value::Object(values))) => values,
            Some(Ok(other)) => {
                warnings
                    .push(format!("the configuration must be an object, found {}", json::type_name(&other)));
                Map::new()
            }
            Some(Err(error)) => {
                warnings.push(error.to_string());
                Map::new()
            }
        };
        let mut reader = Reader { values, warnings };
        let cli = mode.cli;
        let repo_path = reader.text("repo_path").unwrap_or_else(|| repo.to_owned());
        let role = reader.text("role_prompt");
        Self {
            has_built_in_role: role.is_none(),
            role_prompt: role.unwrap_or_else(|| format!("{ROLE} You work in {repo_path}.")),
            repo_path,
            bind_host: reader.raw_text("bind_host").unwrap_or_else(|| "127.0.0.1".to_owned()),
            bind_port: reader.port("bind_port").unwrap_or(mode.default_port),
            hermes_url: reader
                .text("hermes_url")
                .unwrap_or_else(|| "http://127.0.0.1:9219/jsonrpc".to_owned()),
            role_file: reader.text("role_file"),
            auth_token_env: reader.text("auth_token_env"),
            hermes_auth_token_env: reader.text("hermes_auth_token_env"),
            hermes_profile: reader.profile("hermes_profile"),
            turn_cap: reader.seconds(&format!("{cli}_timeout_s"), f64::from(mode.default_cap_s)),
            lock_wait: reader.seconds("context_lock_wait_s", 600.0),
            poll: reader.seconds("poll_interval_s", 2.0),
            slots: reader.count("max_concurrent_turns", 3),
            tracked_contexts: reader.count("max_tracked_contexts", 1024),
            idle: reader.idle(),
            model: reader.text(&format!("{cli}_model")),
            agent: reader.text(&format!("{cli}_agent")),
            sandboxed: reader.switch(&format!("{cli}_sandbox")),
            sandbox: reader.text(&format!("{cli}_sandbox")).unwrap_or_else(|| "workspace-write".to_owned()),
            extra_flags: reader.flags(&format!("{cli}_extra_flags")),
            warnings: reader.warnings,
        }
    }
}

/// Longer limits count as this one, so that every moment that lies a limit ahead can be told: a hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

struct Reader {
    values: Map<String, Value>,
    warnings: Vec<String>,
}

impl Reader {
    fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, key: &str, expected: &str) {
        let found = self.get(key).map_or("nothing", json::type_name);
        self.warnings.push(format!("{key}: expected {expected}, found {found}; using the default"));
    }

    /// A text; an empty one counts as absent.
    fn text(&mut self, key: &str) -> Option<String> {
        self.raw_text(key).filter(|text| !text.trim().is_empty())
    }

    fn raw_text(&mut self, key: &str) -> Option<String> {
        match self.get(key)? {
            Value::String(text) => Some(text.clone()),
            _ => {
                self.wrong(key, "a text");
                None
            }
        }
    }

    /// The name of a profile. What can be none is left out: a reply that names it would be refused everywhere.
    fn profile(&mut self, key: &str) -> Option<String> {
        let name = self.text(key)?;
        if !is_name(&name) {
            self.warnings.push(format!(
                "{key}: expected the name of a profile, 1 to 64 letters, digits, ., - and _, found {name:?}; replies name none"
            ));
            return None;
        }
        Some(name)
    }

    /// Whether it is true. True and false are no other value from then on, so that a mode that wants a text there does not wonder.
    fn switch(&mut self, key: &str) -> bool {
        match self.get(key) {
            Some(Value::Bool(on)) => {
                let on = *on;
                self.values.remove(key);
                on
            }
            _ => false,
        }
    }

    fn port(&mut self, key: &str) -> Option<u16> {
        let port = self.get(key)?.as_u64().and_then(|port| u16::try_from(port).ok());
        if port.is_none() {
            self.wrong(key, "a port");
        }
        port
    }

    /// A duration; 0 falls back to the default (sheet 3.0).
    fn seconds(&mut self, key: &str, default: f64) -> Duration {
        let default = Duration::from_secs_f64(default);
        let Some(value) = self.get(key) else { return default };
        match value.as_f64().map(Duration::try_from_secs_f64) {
            Some(Ok(duration)) if duration.is_zero() => default,
            Some(Ok(duration)) => duration.min(LONGEST),
            _ => {
                self.wrong(key, "a number of seconds");
                default
            }
        }
    }

    fn count(&mut self, key: &str, default: usize) -> usize {
        let Some(value) = self.get(key) else { return default };
        match value.as_u64().and_then(|count| usize::try_from(count).ok()) {
            Some(0) => default,
            // More than this cannot be counted by what hands out the slots.
            Some(count) => count.min(tokio::sync::Semaphore::MAX_PERMITS),
            None => {
                self.wrong(key, "a count");
                default
            }
        }
    }

    /// Only here 0 has a meaning of its own: never.
    fn idle(&mut self) -> Option<Duration> {
        match self.get("idle_timeout_s").map(Value::as_f64) {
            Some(Some(0.0)) => None,
            _ => Some(self.seconds("idle_timeout_s", 1800.0)),
        }
    }

    fn flags(&mut self, key: &str) -> Vec<String> {
        match self.get(key) {
            None => Vec::new(),
            Some(Value::Array(flags)) => flags
                .iter()
                .map(|flag| flag.as_str().map_or_else(|| flag.to_string(), str::to_owned))
                .collect(),
            Some(_) => {
                self.wrong(key, "a list");
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// That a file with such a mistake keeps no receiver from starting is told by stories.
    #[test]
    fn what_can_be_the_name_of_no_profile_is_told_and_left_out() {
        let mode = &gauntlet_protocol::codex::MODE;
        let read = |text: &str| Config::parse(mode, "/r", Some(text.as_bytes()));
        let sound = read(r#"{"hermes_profile": "work"}"#);
        assert_eq!((sound.hermes_profile.as_deref(), sound.warnings.len()), (Some("work"), 0));
        for wrong in [r#""../other""#, r#"".hidden""#, "7", r#""a b""#] {
            let read = read(&format!(r#"{{"hermes_profile": {wrong}}}"#));
            assert_eq!(read.hermes_profile, None, "{wrong}");
            assert!(read.warnings.iter().any(|warning| warning.starts_with("hermes_profile: ")), "{wrong}");
        }
        assert_eq!(read("{}").hermes_profile, None);
    }
}
