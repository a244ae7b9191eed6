//! opencode (fleet sheet 3.3).

use gauntlet_protocol::fleet::with_role;
use gauntlet_protocol::opencode::{TurnOutput, last_step, says_session_not_found, used};
use gauntlet_protocol::step::Step;

use crate::receiver::account::Account;
use crate::receiver::flags::sanitised;
use crate::receiver::talk::{Ask, Heard, Spoken, Talk};

const NEVER: &[&str] = &["--session", "-s", "--continue", "-c", "run", "--print", "--format", "--agent"];

pub(super) struct Opencode;

impl Talk for Opencode {
    fn args(&self, ask: &Ask<'_>) -> (Vec<String>, Vec<String>) {
        let config = ask.config;
        let mut args = vec!["run".to_owned()];
        if let Some(session) = ask.session {
            args.extend(["--session".to_owned(), session.to_owned()]);
        }
        args.push(with_role(ask.role, ask.prompt));
        args.extend(["--format", "json", "--dangerously-skip-permissions"].map(str::to_owned));
        for (flag, value) in [("--agent", &config.agent), ("--model", &config.model)] {
            if let Some(value) = value {
                args.extend([flag.to_owned(), value.clone()]);
            }
        }
        let (extra, dropped) = sanitised(&config.extra_flags, NEVER);
        args.extend(extra);
        (args, dropped)
    }

    fn account(&self, stdout: &[u8]) -> Account {
        Account::OfTurn(used(stdout))
    }

    fn last_step(&self, stdout: &[u8]) -> Option<Step> {
        last_step(stdout)
    }

    fn read(&self, heard: &Heard<'_>) -> Spoken {
        let turn = TurnOutput::read(&heard.output.stdout);
        // A reply that merely quotes the words is an answer, not a sign: the CLI says them on standard error, with no reply.
        let wrong_session = turn.reply.is_none() && says_session_not_found(&heard.output.stderr);
        let quotes_dead_session = turn.reply.as_deref().is_some_and(says_session_not_found);
        Spoken {
            answered: turn.reply.is_some(),
            reply: turn.reply,
            session: turn.session,
            wrong_session,
            quotes_dead_session,
            ..Spoken::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::opencode::MODE as OPENCODE;
    use serde_json::{Value, json};

    use super::*;
    use crate::receiver::cli::Output;
    use crate::receiver::config::Config;

    fn args(config: Value, session: Option<&str>) -> (Vec<String>, Vec<String>) {
        let config = Config::parse(&OPENCODE, "/repo", Some(config.to_string().as_bytes()));
        let ask = Ask {
            config: &config,
            role: "role",
            prompt: "prompt",
            context: "c1",
            session,
            tools: None,
            apart: false,
        };
        Opencode.args(&ask)
    }

    #[test]
    fn a_first_turn_names_no_session_and_a_later_one_names_it_before_the_prompt() {
        let common = ["--format", "json", "--dangerously-skip-permissions"];
        let (first, _) = args(json!({}), None);
        assert_eq!(first, [&["run", "role\n\nprompt"][..], &common].concat());
        let (later, _) = args(json!({ "opencode_agent": "build", "opencode_model": "m" }), Some("ses_1"));
        let expected = [
            &["run", "--session", "ses_1", "role\n\nprompt"][..],
            &common,
            &["--agent", "build", "--model", "m"],
        ];
        assert_eq!(later, expected.concat());
    }

    #[test]
    fn flags_that_the_receiver_manages_are_dropped_in_both_spellings() {
        let flags = json!([
            "--session",
            "x",
            "--agent=y",
            "-s",
            "z",
            "-c",
            "--keep",
            "1",
            "run",
            "now",
            "--model",
            "m"
        ]);
        let (args, dropped) = args(json!({ "opencode_extra_flags": flags }), None);
        assert_eq!(args[5..], ["--keep", "1", "--model", "m"]);
        assert_eq!(dropped, ["--session", "x", "--agent=y", "-s", "z", "-c", "run", "now"]);
    }

    #[test]
    fn words_of_a_dead_session_in_a_reply_are_a_reply() {
        let says = "Error: Session not found";
        let text = json!({"type": "text", "sessionID": "s", "part": {"text": says}}).to_string();
        let answered = Output { stdout: text.into_bytes(), stderr: says.to_owned(), code: 0 };
        assert!(!Opencode.read(&Heard { mode: &OPENCODE, output: &answered }).wrong_session);
        let coloured = "\u{1b}[91m\u{1b}[1mError: \u{1b}[0mSession not found\n";
        let dead = Output { stdout: Vec::new(), stderr: coloured.to_owned(), code: 1 };
        assert!(Opencode.read(&Heard { mode: &OPENCODE, output: &dead }).wrong_session);
    }
}
