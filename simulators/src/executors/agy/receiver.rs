//! The Google Antigravity CLI (fleet sheet 3.5).
//!
//! It prints plain text, and in a turn that goes on with a conversation all that the conversation printed before as well. Nothing
//! in it says whether it failed, or on which conversation it ran; what is made of that is in `receiver/replay.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_protocol::agy::{TurnOutput, says_signed_out};
use gauntlet_protocol::fleet::with_role;

use super::flags::sanitised;
use super::{Ask, Heard, Spoken, Talk};
use crate::receiver::cli::Output;
use crate::receiver::config::Config;

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

    /// Not asked: it replays.
    fn read(&self, heard: &Heard<'_>) -> Spoken {
        Spoken { reply: TurnOutput::first(&heard.output.stdout).reply, ..Spoken::default() }
    }

    fn replays(&self) -> bool {
        true
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

/// What an output has to do with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// Nothing.
    Nothing,
    /// Nothing at all was printed, and the return code is that of a success: so it ends when nobody is signed in.
    Silence,
    /// It failed, or gave no answer, and says that nobody is signed in.
    Told,
    /// It failed without a word.
    MuteFailure,
    /// It answered, and the words of a missing sign-in are somewhere in what it printed: they are what the answer is about.
    Quoted,
}

impl SignIn {
    /// Judges the output of a turn, of which `added` is what earlier turns had not printed.
    pub(crate) fn of(output: &Output, printed: &str, added: Option<&str>) -> Self {
        let has_words = says_signed_out(&output.stderr) || added.is_some_and(says_signed_out);
        let answered = added.is_some() && output.code == 0;
        match (has_words, answered, printed.trim().is_empty(), output.code) {
            (true, true, ..) => Self::Quoted,
            (true, false, ..) => Self::Told,
            (false, _, true, 0) => Self::Silence,
            (false, _, true, _) => Self::MuteFailure,
            (false, _, false, _) => Self::Nothing,
        }
    }

    /// Whether it means that nobody is signed in. The product line says so of a failure without a word and of an answer about the
    /// matter as well, and then loses the answer, and every later one of the conversation, which repeats it.
    pub(crate) fn is_missing(self) -> bool {
        matches!(self, Self::Silence | Self::Told)
    }

    /// The name for events.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Silence => "silence",
            Self::Told => "told",
            Self::MuteFailure => "mute failure",
            Self::Quoted => "quoted",
        }
    }
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::fleet::AGY;
    use serde_json::{Value, json};

    use super::*;

    fn config(config: &Value) -> Config {
        Config::parse(&AGY, "/repo", Some(config.to_string().as_bytes()))
    }

    fn args(given: Value, session: Option<&str>) -> (Vec<String>, Vec<String>) {
        let config = config(&given);
        let ask =
            Ask { config: &config, role: "role", prompt: " prompt\n", context: "c1", session, tools: None };
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

    #[test]
    fn an_answer_about_signing_in_is_told_from_a_missing_sign_in() {
        use SignIn::{MuteFailure, Nothing, Quoted, Silence, Told};
        for (stdout, added, stderr, code, is) in [
            ("", None, "", 0, Silence),
            (" \n", None, "warning", 0, Silence),
            ("", None, "the disk is on fire", 7, MuteFailure),
            ("", None, "Error: not authenticated", 1, Told),
            ("", None, "Error: login required", 0, Told),
            ("Please sign in", Some("Please sign in"), "", 1, Told),
            ("a 401 is Unauthorized", Some("a 401 is Unauthorized"), "", 0, Quoted),
            ("fine", Some("fine"), "telemetry: unauthorized", 0, Quoted),
            ("fine", Some("fine"), "", 3, Nothing),
            // Of an earlier turn: nothing new.
            ("unauthorized", None, "", 0, Nothing),
            ("unauthorized\nfine", Some("fine"), "", 0, Nothing),
        ] {
            let output = Output { stdout: Vec::new(), stderr: stderr.to_owned(), code };
            assert_eq!(SignIn::of(&output, stdout, added), is, "{stdout:?} {stderr:?} {code}");
        }
        assert!(Silence.is_missing() && Told.is_missing());
        assert!(!Quoted.is_missing() && !MuteFailure.is_missing() && !Nothing.is_missing());
    }
}
