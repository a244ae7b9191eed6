//! Claude Code (fleet sheet 3.2).
//!
//! The product line lets this CLI inherit the daemon's standard input, which may be a terminal, a pipe that nobody closes, or
//! nothing. Here it finds its end at once, as the other CLIs do: a CLI that reads it must neither wait for it nor take it for
//! a part of the prompt.

use gauntlet_protocol::claude_code::{
    TurnOutput, last_step, says_session_in_use, says_session_not_found, session_id, used,
};
use gauntlet_protocol::step::Step;

use crate::receiver::account::Account;
use crate::receiver::flags::sanitised;
use crate::receiver::talk::{Ask, Heard, Spoken, Talk};

const NEVER: &[&str] = &[
    "--session-id",
    "--resume",
    "-p",
    "--print",
    "--output-format",
    "--permission-mode",
    "--model",
    "--setting-sources",
];

pub(super) struct ClaudeCode;

impl Talk for ClaudeCode {
    fn args(&self, ask: &Ask<'_>) -> (Vec<String>, Vec<String>) {
        let model = ask.config.model.as_deref().unwrap_or("sonnet");
        let mut args = vec!["-p"];
        args.extend((!ask.apart).then_some(ask.prompt));
        args.extend(["--output-format", "stream-json", "--verbose"]);
        args.extend(["--permission-mode", "bypassPermissions"]);
        args.extend(["--setting-sources", "user,project,local"]);
        args.extend(["--model", model, "--append-system-prompt", ask.role]);
        if let Some(file) = ask.tools {
            args.extend(["--mcp-config", file]);
        }
        let begun = session_id(ask.context);
        args.extend(match ask.session {
            None => ["--session-id", &begun],
            Some(session) => ["--resume", session],
        });
        let mut args: Vec<String> = args.into_iter().map(str::to_owned).collect();
        let (extra, dropped) = sanitised(&ask.config.extra_flags, NEVER);
        args.extend(extra);
        if ask.apart {
            // What stands behind two dashes is no option for commander.
            args.extend(["--".to_owned(), ask.prompt.to_owned()]);
        }
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
        // An answer that merely quotes the words is an answer, not a sign. Of a session that exists already the product line
        // takes no notice, and loses every context at a restart (FLEET-CC-12).
        let is_sign = |text: &str| says_session_not_found(text) || says_session_in_use(text);
        let said = [Some(heard.output.stderr.as_str()), turn.failure.as_deref()];
        let wrong_session = turn.reply.is_none() && said.into_iter().flatten().any(is_sign);
        let quotes_dead_session = turn.reply.as_deref().is_some_and(says_session_not_found);
        let told = turn.failure.as_deref().map(|why| heard.mode.turn_failed_text(why));
        Spoken {
            answered: turn.reply.is_some(),
            reply: turn.reply.or(told),
            first: turn.first_of_several,
            from_result: turn.from_result,
            failure: turn.failure,
            session: None,
            wrong_session,
            quotes_dead_session,
        }
    }

    /// Whichever way was wrong, the other one is right: the session exists or it does not.
    fn other_session(&self, context: &str, session: Option<&str>) -> Option<Option<String>> {
        Some(session.is_none().then(|| session_id(context)))
    }

    fn derived_session(&self, context: &str) -> Option<String> {
        Some(session_id(context))
    }

    fn tools_file(&self) -> Option<&'static str> {
        Some(".mcp.json")
    }

    fn takes_a_dash_for_an_option(&self) -> bool {
        true
    }

    /// The product line starts this CLI with the search path as it is.
    fn adds_usual_places(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::claude_code::MODE as CLAUDE_CODE;
    use serde_json::{Value, json};

    use super::*;
    use crate::receiver::cli::Output;
    use crate::receiver::config::Config;

    const ID: &str = "03ca8885-a6f2-51a3-bb10-cfe9d1cd525a";

    fn args(config: Value, session: Option<&str>, tools: Option<&str>) -> (Vec<String>, Vec<String>) {
        let config = Config::parse(&CLAUDE_CODE, "/repo", Some(config.to_string().as_bytes()));
        let ask = Ask {
            config: &config,
            role: "role",
            prompt: " prompt\n",
            context: "ctx-1",
            session,
            tools,
            apart: false,
        };
        ClaudeCode.args(&ask)
    }

    fn read(stdout: &str, stderr: &str, code: i32) -> Spoken {
        let output = Output { stdout: stdout.as_bytes().to_vec(), stderr: stderr.to_owned(), code };
        ClaudeCode.read(&Heard { mode: &CLAUDE_CODE, output: &output })
    }

    #[test]
    fn a_first_turn_begins_the_session_of_its_context_and_a_later_one_goes_on_with_it() {
        let common = |model| {
            let head = ["-p", " prompt\n", "--output-format", "stream-json", "--verbose"];
            let rules = ["--permission-mode", "bypassPermissions", "--setting-sources", "user,project,local"];
            [&head[..], &rules, &["--model", model, "--append-system-prompt", "role"]].concat()
        };
        let (first, _) = args(json!({}), None, None);
        assert_eq!(first, [common("sonnet"), vec!["--session-id", ID]].concat());
        let flags = json!({ "claude_model": "opus", "claude_extra_flags": ["--max-turns", "3"] });
        let (later, _) = args(flags, Some(ID), Some("/repo/.mcp.json"));
        let rest = vec!["--mcp-config", "/repo/.mcp.json", "--resume", ID, "--max-turns", "3"];
        assert_eq!(later, [common("opus"), rest].concat());
    }

    #[test]
    fn flags_that_the_receiver_manages_are_dropped_in_both_spellings() {
        let flags = "--session-id x --resume=y -p z --print --output-format text --permission-mode=plan --model m \
                     --setting-sources user --continue --add-dir d";
        let flags: Vec<&str> = flags.split_whitespace().collect();
        let (args, dropped) = args(json!({ "claude_extra_flags": flags }), None, None);
        assert_eq!(args[15..], ["--continue", "--add-dir", "d"]);
        assert_eq!(dropped.len(), flags.len() - 3);
    }

    #[test]
    fn both_recorded_signs_ask_for_the_other_way() {
        let gone = format!("No conversation found with session ID: {ID}\n");
        let used = format!("Error: Session ID {ID} is already in use.\n");
        assert!(read("", &gone, 1).wrong_session && read("", &used, 1).wrong_session);
        // 2.1.330 prints a frame of it as well, and old releases may say it in the frame alone.
        let bare = json!({"type": "result", "subtype": "error_during_execution", "is_error": true});
        assert!(read(&bare.to_string(), &gone, 1).wrong_session);
        let told = json!({"type": "result", "is_error": true, "result": gone});
        assert!(read(&told.to_string(), "", 1).wrong_session);
        assert_eq!(ClaudeCode.other_session("ctx-1", None), Some(Some(ID.to_owned())));
        assert_eq!(ClaudeCode.other_session("ctx-1", Some(ID)), Some(None));
    }

    #[test]
    fn a_bare_return_code_and_an_answer_with_the_words_in_it_are_no_sign() {
        assert!(!read("", "", 1).wrong_session && !read("", "error: unknown option '--x'", 1).wrong_session);
        let answer = json!({"type": "result", "subtype": "success", "result": "session not found"});
        let spoken = read(&answer.to_string(), "warning: session not found", 0);
        assert_eq!((spoken.reply.as_deref(), spoken.wrong_session), (Some("session not found"), false));
    }

    #[test]
    fn a_failing_result_is_an_error_reply() {
        let frame = json!({"type": "result", "subtype": "error_max_turns", "is_error": false});
        let spoken = read(&frame.to_string(), "", 0);
        assert_eq!(spoken.reply.as_deref(), Some("[error] claude turn failed: error_max_turns"));
        assert!(!spoken.wrong_session);
    }
}
