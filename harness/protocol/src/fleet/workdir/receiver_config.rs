//! The configuration that a deploy writes for a receiver.

use serde_json::{Map, Value, json};

use super::ROLE_FILE;
use crate::fleet::{Mode, Sandboxes, Setting};

/// What of a receiver's configuration a deploy is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiverOptions {
    /// The model that is passed on, for the modes that pass one on.
    pub model: Option<String>,
    /// The sandbox of the CLI.
    pub sandbox: Option<Sandbox>,
    /// The variable that holds the bearer for callbacks.
    pub hermes_auth_token_env: Option<String>,
    /// The profile that its replies are for.
    pub hermes_profile: Option<String>,
}

/// A sandbox, by name or on and off: each mode knows one of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sandbox {
    /// `workspace-write` and the like.
    Named(String),
    /// Whether there is one.
    On(bool),
}

impl ReceiverOptions {
    /// What an earlier deploy was told, as far as its configuration says.
    pub fn of_config(mode: &Mode, config: &Value) -> Self {
        let text = |key: &str| config.get(key).and_then(Value::as_str).map(str::to_owned);
        let sandbox = config.get(format!("{}_sandbox", mode.cli));
        Self {
            model: text(&format!("{}_model", mode.cli)),
            sandbox: match sandbox {
                Some(Value::String(name)) => Some(Sandbox::Named(name.clone())),
                Some(Value::Bool(on)) => Some(Sandbox::On(*on)),
                _ => None,
            },
            hermes_auth_token_env: text("hermes_auth_token_env"),
            hermes_profile: text("hermes_profile"),
        }
    }
}

/// The configuration, members in the product line's order (fact sheet 6.6). `token_env` is absent for an open receiver.
pub fn receiver_config(
    mode: &Mode,
    (repo, port, hermes_url, role): (&str, u16, &str, &str),
    token_env: Option<&str>,
    options: &ReceiverOptions,
) -> Value {
    let cli = mode.cli;
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));
    set("repo_path", json!(repo));
    set("bind_host", json!("127.0.0.1"));
    set("bind_port", json!(port));
    set("hermes_url", json!(hermes_url));
    set("role_file", json!(ROLE_FILE));
    set("idle_timeout_s", json!(1800));
    set("max_concurrent_turns", json!(3));
    for setting in mode.managed.settings {
        match (setting, &options.sandbox) {
            (Setting::RolePrompt, _) => set("role_prompt", json!(role)),
            (Setting::Poll, _) => set("poll_interval_s", json!(2.0)),
            (Setting::Cap, _) => set(&format!("{cli}_timeout_s"), json!(300)),
            (Setting::LockWait, _) => set("context_lock_wait_s", json!(600.0)),
            (Setting::TrackedContexts, _) => set("max_tracked_contexts", json!(1024)),
            (Setting::ExtraFlags, _) => set(&format!("{cli}_extra_flags"), json!([])),
            (Setting::Model, _) => {
                if let Some(model) = &options.model {
                    set(&format!("{cli}_model"), json!(model));
                }
            }
            (Setting::Sandbox(Sandboxes::Named { .. }), Some(Sandbox::Named(name))) => {
                set(&format!("{cli}_sandbox"), json!(name));
            }
            (Setting::Sandbox(Sandboxes::Named { usual }), _) => {
                set(&format!("{cli}_sandbox"), json!(usual));
            }
            (Setting::Sandbox(Sandboxes::OnOrOff), sandbox) => {
                set(&format!("{cli}_sandbox"), json!(*sandbox == Some(Sandbox::On(true))));
            }
        }
    }
    if let Some(name) = token_env {
        set("auth_token_env", json!(name));
    }
    if let Some(name) = &options.hermes_auth_token_env {
        set("hermes_auth_token_env", json!(name));
    }
    if let Some(name) = &options.hermes_profile {
        set("hermes_profile", json!(name));
    }
    Value::Object(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deploy_was_told_is_read_back_from_what_it_wrote() {
        let options = ReceiverOptions {
            model: Some("m-1".to_owned()),
            sandbox: Some(Sandbox::Named("read-only".to_owned())),
            hermes_auth_token_env: Some("HUB".to_owned()),
            hermes_profile: Some("work".to_owned()),
        };
        let (codex, claude) = (&crate::codex::MODE, &crate::claude_code::MODE);
        let place = ("/r", 9320, "http://127.0.0.1:9219/jsonrpc", "role");
        let config = receiver_config(codex, place, Some("T"), &options);
        assert_eq!(ReceiverOptions::of_config(codex, &config), options);
        assert_eq!((&config["codex_timeout_s"], &config["auth_token_env"]), (&json!(300), &json!("T")));
        let config = receiver_config(claude, place, None, &options);
        assert_eq!((config.get("auth_token_env"), config.get("poll_interval_s")), (None, None));
        assert_eq!(ReceiverOptions::of_config(claude, &config).model, options.model);
    }
}
