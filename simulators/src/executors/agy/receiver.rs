//! The Google Antigravity CLI (fleet sheet 3.5).
//!
//! It prints plain text, and in a turn that goes on with a conversation all that the conversation printed before as well. Nothing
//! in it says whether it failed, or on which conversation it ran; what is made of that is in `receiver/replay.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_protocol::fleet::replay::TurnOutput;
use gauntlet_protocol::fleet::with_role;

use crate::receiver::config::Config;
use crate::receiver::flags::sanitised;
use crate::receiver::talk::{Ask, Heard, Spoken, Talk};

const NEVER: &[&str] = &[
    "--continue",
    "-c",
    "--conversation",
    "--print",
    "-p",
    "--prompt",
    "--prompt-interactive",
    "-i",
    "--add-dir",
    "--print-timeout",
];

/// How much longer than the CLI's own limit a turn may last.
const GRACE: Duration = Duration::from_secs(60);

pub(super) struct Agy;

/// The limit that the CLI is told, in seconds.
fn limit(config: &Config) -> u64 {
    let seconds = config.turn_cap.as_secs() + u64::from(config.turn_cap.subsec_nanos() > 0);
    seconds.max(1)
}

impl Talk for Agy {
    fn args(&self, ask: &Ask<'_>) -> (Vec<String>, Vec<String>) {
        let config = ask.config;
        let mut args = Vec::new();
        if let Some(conversation) = ask.session {
            args.extend(["--conversation".to_owned(), conversation.to_owned()]);
        }
        args.extend(["--print".to_owned(), with_role(ask.role, ask.prompt)]);
        args.push("--dangerously-skip-permissions".to_owned());
        args.extend(["--add-dir".to_owned(), config.repo_path.clone()]);
        args.extend(["--print-timeout".to_owned(), format!("{}s", limit(config))]);
        if config.sandboxed {
            args.push("--sandbox".to_owned());
        }
        let (extra, dropped) = sanitised(&config.extra_flags, NEVER);
        args.extend(extra);
        (args, dropped)
    }

    /// Not asked: it replays, which its mode says.
    fn read(&self, heard: &Heard<'_>) -> Spoken {
        Spoken { reply: TurnOutput::first(&heard.output.stdout).reply, ..Spoken::default() }
    }

    /// The CLI's own limit comes first, so that it can end in its own way.
    fn cap(&self, config: &Config) -> Duration {
        Duration::from_secs(limit(config)) + GRACE
    }

    /// There is no flag for its version.
    fn probe(&self) -> &'static str {
        "--help"
    }

    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("AGY_CLI_DISABLE_LATEX".to_owned(), "1".to_owned())])
    }
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::agy::MODE as AGY;
    use serde_json::{Value, json};

    use super::*;

    fn config(config: &Value) -> Config {
        Config::parse(&AGY, "/repo", Some(config.to_string().as_bytes()))
    }

    fn args(given: Value, session: Option<&str>) -> (Vec<String>, Vec<String>) {
        let config = config(&given);
        let ask = Ask {
            config: &config,
            role: "role",
            prompt: " prompt\n",
            context: "c1",
            session,
            tools: None,
            apart: false,
        };
        Agy.args(&ask)
    }

    #[test]
    fn a_later_turn_names_its_conversation_before_all_else() {
        let common = |limit| {
            let prompt = ["--print", "role\n\nprompt", "--dangerously-skip-permissions"];
            [&prompt[..], &["--add-dir", "/repo", "--print-timeout", limit]].concat()
        };
        let (first, _) = args(json!({}), None);
        assert_eq!(first, common("900s"));
        let further =
            json!({ "agy_sandbox": true, "agy_timeout_s": 300, "agy_model": "m", "agy_extra_flags": ["-v"] });
        let (later, _) = args(further, Some("u1"));
        assert_eq!(later, [vec!["--conversation", "u1"], common("300s"), vec!["--sandbox", "-v"]].concat());
    }

    #[test]
    fn the_limit_is_in_whole_seconds_and_a_minute_before_the_cap() {
        for (configured, limit, cap) in [(299.2, "300s", 360), (0.1, "1s", 61), (2.0, "2s", 62)] {
            let given = json!({ "agy_timeout_s": configured, "agy_sandbox": "yes" });
            let (args, _) = args(given.clone(), None);
            assert_eq!(args[5..], ["--print-timeout", limit]);
            assert_eq!(Agy.cap(&config(&given)), Duration::from_secs(cap));
        }
    }

    #[test]
    fn flags_that_the_receiver_manages_are_dropped_in_both_spellings() {
        let flags = "--continue -c --conversation x -p=y --print z --prompt q --prompt-interactive -i r \
                     --add-dir=/ --print-timeout 1s --verbose --sandbox";
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let (args, dropped) = args(json!({ "agy_extra_flags": flags }), None);
        assert_eq!(args[7..], ["--verbose", "--sandbox"]);
        assert_eq!(dropped.len(), flags.len() - 2);
    }
}
