//! `team_mode` in the configuration: its keys, their bounds, their JSON Schema (team sheet 2).

use std::path::{Path, PathBuf};

use gauntlet_protocol::json;
use gauntlet_world::Host;
use serde_json::{Map, Value, json};

use super::error::TeamError;
use super::state::Bounds;
use super::{files, jsonc};

/// The configuration of team mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamConfig {
    /// Whether there is a team mode at all.
    pub enabled: bool,
    /// Whether members are shown in panes.
    pub tmux_visualization: bool,
    /// How many members are started at once.
    pub max_parallel_members: u64,
    /// How many members a team may have.
    pub max_members: u64,
    /// How many messages a run may send.
    pub max_messages_per_run: u64,
    /// How many minutes its creation may take.
    pub max_wall_clock_minutes: u64,
    /// How many turns a member may take.
    pub max_member_turns: u64,
    /// Where the files are; `~/.omo` when absent.
    pub base_dir: Option<String>,
    /// How many bytes the body of a message may have.
    pub message_payload_max_bytes: u64,
    /// How many bytes may wait in an inbox.
    pub recipient_unread_max_bytes: u64,
    /// How often a mailbox is looked at by who has no turns.
    pub mailbox_poll_interval_ms: u64,
}

enum Kind {
    Switch,
    Number { default: u64, min: u64, max: Option<u64> },
    Text,
}

/// All keys: what they are when absent, and what they may be.
const KEYS: [(&str, &str, Kind); 11] = [
    ("enabled", "Whether there is a team mode at all.", Kind::Switch),
    ("tmux_visualization", "Whether members are shown in panes of tmux.", Kind::Switch),
    ("max_parallel_members", "How many members are started at once.", number(4, 1, Some(8))),
    ("max_members", "How many members a team may have.", number(8, 1, Some(8))),
    ("max_messages_per_run", "How many messages a run may send.", number(10_000, 1, None)),
    ("max_wall_clock_minutes", "How many minutes the creation of a run may take.", number(120, 1, None)),
    ("max_member_turns", "How many turns a member may take.", number(500, 1, None)),
    ("base_dir", "Where the files of teams are; ~ is the home directory. ~/.omo when absent.", Kind::Text),
    (
        "message_payload_max_bytes",
        "How many bytes the body of a message may have.",
        number(32_768, 1024, None),
    ),
    ("recipient_unread_max_bytes", "How many bytes may wait in an inbox.", number(262_144, 1024, None)),
    ("mailbox_poll_interval_ms", "How often a mailbox is looked at.", number(3000, 500, None)),
];

const fn number(default: u64, min: u64, max: Option<u64>) -> Kind {
    Kind::Number { default, min, max }
}

impl Default for TeamConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            tmux_visualization: false,
            max_parallel_members: 4,
            max_members: 8,
            max_messages_per_run: 10_000,
            max_wall_clock_minutes: 120,
            max_member_turns: 500,
            base_dir: None,
            message_payload_max_bytes: 32_768,
            recipient_unread_max_bytes: 262_144,
            mailbox_poll_interval_ms: 3000,
        }
    }
}

impl TeamConfig {
    /// Reads the value of `team_mode`. Unknown keys are dropped; what is out of bounds is refused. `file` is named in errors.
    pub fn read(value: &Value, file: &str) -> Result<Self, TeamError> {
        let wrong = |key: &str, reason: String| TeamError::Config {
            file: file.to_owned(),
            key: key.to_owned(),
            reason,
        };
        let given = match value {
            Value::Object(given) => given,
            Value::Null => return Ok(Self::default()),
            other => return Err(wrong("", format!("must be an object, found {}", json::type_name(other)))),
        };
        let mut config = Self::default();
        for (key, _, kind) in &KEYS {
            let Some(value) = given.get(*key) else { continue };
            match (kind, value) {
                (Kind::Switch, Value::Bool(on)) => match *key {
                    "enabled" => config.enabled = *on,
                    _ => config.tmux_visualization = *on,
                },
                (Kind::Text, Value::String(text)) => {
                    config.base_dir = Some(text.clone()).filter(|text| !text.trim().is_empty());
                }
                (Kind::Number { min, max, .. }, value) => {
                    let fits = value.as_u64().filter(|n| n >= min && max.is_none_or(|max| *n <= max));
                    let bounds = max.map_or(format!("at least {min}"), |max| format!("from {min} to {max}"));
                    let number = fits.ok_or_else(|| {
                        wrong(key, format!("must be a whole number {bounds}, found {value}"))
                    })?;
                    *config.number_mut(key) = number;
                }
                (Kind::Switch, other) => {
                    return Err(wrong(key, format!("must be true or false, found {other}")));
                }
                (Kind::Text, other) => {
                    return Err(wrong(key, format!("must be a text, found {}", json::type_name(other))));
                }
            }
        }
        Ok(config)
    }

    fn number_mut(&mut self, key: &str) -> &mut u64 {
        match key {
            "max_parallel_members" => &mut self.max_parallel_members,
            "max_members" => &mut self.max_members,
            "max_messages_per_run" => &mut self.max_messages_per_run,
            "max_wall_clock_minutes" => &mut self.max_wall_clock_minutes,
            "max_member_turns" => &mut self.max_member_turns,
            "message_payload_max_bytes" => &mut self.message_payload_max_bytes,
            "recipient_unread_max_bytes" => &mut self.recipient_unread_max_bytes,
            _ => &mut self.mailbox_poll_interval_ms,
        }
    }

    /// What is copied into a run that begins now.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            max_members: self.max_members,
            max_parallel_members: self.max_parallel_members,
            max_messages_per_run: self.max_messages_per_run,
            max_wall_clock_minutes: self.max_wall_clock_minutes,
            max_member_turns: self.max_member_turns,
        }
    }

    /// Where the files are on this host (TEAM-CFG-04).
    pub fn base(&self, host: &Host) -> PathBuf {
        match self.base_dir.as_deref() {
            None => host.home().join(".omo"),
            Some("~") => host.home(),
            Some(written) => match written.strip_prefix("~/") {
                Some(below) => host.home().join(below),
                None => host.cwd().join(written),
            },
        }
    }
}

/// The JSON Schema of `team_mode`.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for (key, description, kind) in &KEYS {
        let mut property = match kind {
            Kind::Switch => json!({ "type": "boolean", "default": false }),
            Kind::Text => json!({ "type": "string" }),
            Kind::Number { default, min, max } => {
                let mut number = json!({ "type": "integer", "minimum": min, "default": default });
                if let Some(max) = max {
                    number["maximum"] = json!(max);
                }
                number
            }
        };
        property["description"] = json!(description);
        properties.insert((*key).to_owned(), property);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "team_mode",
        "type": "object",
        "properties": properties,
    })
}

/// The file that a scope's configuration is read from, and the one of older releases, which counts only where the first one is not there:
/// what it says never becomes a part of the first one (F79).
const FILES: [&str; 2] = ["config.jsonc", "config.json"];

/// The configuration for a project: that of the project, where it says something, else that of the user.
pub async fn load(host: &Host, project: &Path) -> Result<TeamConfig, TeamError> {
    let mut together = Map::new();
    let mut named = Vec::new();
    for folder in [host.home().join(".omo"), project.join(".omo")] {
        if let Some((file, Value::Object(of_scope))) = of_scope(host, &folder).await? {
            together.extend(of_scope);
            named.push(file.to_string_lossy().into_owned());
        }
    }
    TeamConfig::read(&Value::Object(together), &named.join(" and "))
}

async fn of_scope(host: &Host, folder: &Path) -> Result<Option<(PathBuf, Value)>, TeamError> {
    for name in FILES {
        let file = folder.join(name);
        let Some(content) = files::read(host, &file).await? else { continue };
        let config = json::parse("the configuration", &jsonc::plain(&content));
        let mut config = config.map_err(|error| TeamError::Config {
            file: file.to_string_lossy().into_owned(),
            key: String::new(),
            reason: error.to_string(),
        })?;
        return Ok(config.get_mut("team_mode").map(|value| (file, value.take())));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_word_it_is_off_and_has_the_defaults() {
        let config = TeamConfig::read(&json!({}), "f").unwrap();
        assert_eq!(config, TeamConfig::default());
        for (key, _, kind) in &KEYS {
            if let Kind::Number { default, .. } = kind {
                assert_eq!(TeamConfig::default().number_mut(key), default, "{key}");
            }
        }
    }

    #[test]
    fn the_schema_and_the_reader_agree_at_every_bound() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for (key, _, kind) in &KEYS {
            let values = match kind {
                Kind::Number { min, max, .. } => {
                    let mut values = vec![json!(min), json!(min - 1), json!(1.5), json!("4"), json!(-1)];
                    values.extend(max.iter().flat_map(|max| [json!(max), json!(max + 1)]));
                    values
                }
                _ => vec![json!(true), json!("x"), json!(1)],
            };
            for value in values {
                let config = json!({ *key: value });
                let read = TeamConfig::read(&config, "f");
                assert_eq!(read.is_ok(), validator.is_valid(&config), "{config}: {read:?}");
            }
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_named_with_its_file() {
        let refused = TeamConfig::read(&json!({ "max_members": 9 }), "/p/.omo/config.jsonc").unwrap_err();
        let text = refused.to_string();
        assert_eq!(
            text,
            "/p/.omo/config.jsonc: team_mode.max_members must be a whole number from 1 to 8, found 9"
        );
    }
}
