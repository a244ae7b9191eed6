//! The recorder makes a profile of recordings: what a CLI printed becomes the templates by which the stand-in prints it again.
//!
//! It is pure: file names and their texts in, a profile out, and a list of what the recordings do not tell and what stands in
//! the profile instead. `slots` finds what is not the same in two runs; the `recorder.rs` of an executor's folder knows its events.

mod recordings;
pub(crate) mod slots;

use serde_json::{Map, Value};

pub use recordings::Recordings;

use crate::cli::Profile;
use crate::executors::{self, EXECUTORS, Recorder};

/// A profile that was made of recordings.
#[derive(Debug, Clone)]
pub struct Made {
    /// The profile, with its members in the order of files that people write.
    pub value: Value,
    /// The same.
    pub profile: Profile,
    /// What the recordings do not tell, one sentence each: it needs a hand.
    pub untold: Vec<String>,
}

/// Why no profile can be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The recordings are not what they should be.
    #[error("{at}: expected {expected}; found {found}")]
    Unexpected {
        /// The file, and the line where there is one.
        at: String,
        /// What was expected there.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The executor is known, and what its CLI prints tells no profile.
    #[error(
        "{at}: expected recordings of an executor that prints events ({}); found some of {executor:?}, {why}",
        executors().join(", ")
    )]
    Untellable {
        /// Where the recordings are.
        at: String,
        /// The executor.
        executor: String,
        /// What is wanting, as the rest of the sentence.
        why: &'static str,
    },
}

impl RecordError {
    pub(crate) fn new(at: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Unexpected { at: at.into(), expected: expected.into(), found: found.into() }
    }
}

/// The executors whose recordings can be read.
pub fn executors() -> Vec<&'static str> {
    let tells = EXECUTORS.iter().filter(|executor| matches!(executor.recorder, Recorder::Tells(_)));
    tells.map(|executor| executor.name).collect()
}

/// Makes the profile of one version of an executor's CLI. `recorded_from` is where the recordings are, as the profile says it.
pub fn record(
    executor: &str,
    version: &str,
    recorded_from: &str,
    recordings: &Recordings,
) -> Result<Made, RecordError> {
    let mut untold = Vec::new();
    let talk = match executors::named(executor).map(|known| &known.recorder) {
        Some(Recorder::Tells(talk)) => talk(recordings, &mut untold)?,
        Some(Recorder::Mute(why)) => {
            let at = recorded_from.to_owned();
            return Err(RecordError::Untellable { at, executor: executor.to_owned(), why });
        }
        None => {
            let known = format!("an executor whose recordings can be read ({})", executors().join(", "));
            return Err(RecordError::new(recorded_from, known, format!("{executor:?}")));
        }
    };
    untold.push(
        "breaks: which requirements even the reference cannot keep on this version; `gauntlet run` says so"
            .to_owned(),
    );
    let mut cli = Map::new();
    cli.insert(executor.to_owned(), talk);
    let mut value = Map::new();
    value.insert("version".to_owned(), Value::from(version));
    value.insert("recorded_from".to_owned(), Value::from(recorded_from));
    value.insert("cli".to_owned(), Value::Object(cli));
    let value = Value::Object(value);
    // A text of the recordings can look like a slot that does not exist.
    let profile = serde_json::from_value(value.clone()).map_err(|error| {
        RecordError::new(recorded_from, "texts that a profile can hold", error.to_string())
    })?;
    Ok(Made { value, profile, untold })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(executor: &str, files: &[(&str, &str)]) -> Result<Made, RecordError> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        record(executor, "1", "somewhere/1", &Recordings::new("1", files))
    }

    fn refused(executor: &str, files: &[(&str, &str)]) -> String {
        made(executor, files).expect_err("no recordings of this executor").to_string()
    }

    #[test]
    fn garbage_is_refused_with_what_was_expected_where() {
        for executor in executors() {
            let nothing = refused(executor, &[]);
            assert!(nothing.starts_with("text.stdout.jsonl: expected "), "{executor}: {nothing}");
            let other = refused(executor, &[("text.stdout.jsonl", "{\"a\": 1}\n{\"b\": [2]}\n")]);
            assert!(other.starts_with("text.stdout.jsonl: expected "), "{executor}: {other}");
        }
        let line = refused("codex", &[("text.stdout.jsonl", "{}\n\n[1]\n")]);
        assert_eq!(
            line,
            "text.stdout.jsonl, line 3: expected an event, which is a JSON object; found \"[1]\""
        );
        assert!(refused("cursor", &[]).contains("expected an executor whose recordings can be read"));
    }

    /// It is no unknown executor: whoever asks learns where its profile comes from instead.
    #[test]
    fn of_agy_it_is_said_why_no_recording_makes_a_profile() {
        let error = made("agy", &[("text.stdout.jsonl", "hi\n")]).expect_err("plain text tells no profile");
        assert!(matches!(&error, RecordError::Untellable { executor, .. } if executor == "agy"), "{error:?}");
        assert_eq!(
            error.to_string(),
            "somewhere/1: expected recordings of an executor that prints events (claude_code, codex, opencode); found some of \
             \"agy\", whose CLI prints its answers as plain text, so that no recording tells how it talks; its profile is written \
             by hand from what receivers rely on"
        );
    }

    #[test]
    fn a_text_that_looks_like_a_slot_that_does_not_exist_is_refused() {
        let answer = r#"{"item":{"type":"agent_message","text":"hi"}}"#;
        let text = format!("{{\"type\":\"x\",\"y\":\"{{nobody}}\"}}\n{answer}\n");
        let refused = refused("codex", &[("text.stdout.jsonl", &text)]);
        assert!(refused.starts_with("somewhere/1: expected texts that a profile can hold"), "{refused}");
    }

    #[test]
    fn one_turn_is_enough_and_what_is_missing_is_said() {
        let text = concat!(
            r#"{"type":"thread.started","thread_id":"t"}"#,
            "\n",
            r#"{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"hi"}}"#,
            "\n"
        );
        let made = made("codex", &[("text.stdout.jsonl", text), ("exit-codes.txt", "1 err401 rc=7\n")])
            .expect("a turn");
        assert_eq!(made.profile.version, "1");
        assert_eq!(made.profile.recorded_from.as_deref(), Some("somewhere/1"));
        for missing in
            ["model:", "command:", "unknown_thread:", "failures: err401", "failures: cut", "breaks:"]
        {
            assert!(made.untold.iter().any(|line| line.starts_with(missing)), "{missing} {:?}", made.untold);
        }
    }
}
