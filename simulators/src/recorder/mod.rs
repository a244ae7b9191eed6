//! The recorder makes a profile of recordings: what a CLI printed becomes the templates by which the stand-in prints it again.
//!
//! It is pure: file names and their texts in, a profile out, and a list of what the recordings do not tell and what stands in
//! the profile instead. `slots` finds what is not the same in two runs; one file an executor knows its events.

mod claude_code;
mod codex;
mod opencode;
mod recordings;
mod slots;

use serde_json::{Map, Value};

pub use recordings::Recordings;

use crate::cli::Profile;

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
#[error("{at}: expected {expected}; found {found}")]
pub struct RecordError {
    /// The file, and the line where there is one.
    pub at: String,
    /// What was expected there.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl RecordError {
    fn new(at: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { at: at.into(), expected: expected.into(), found: found.into() }
    }
}

/// The executors whose recordings can be read.
pub const EXECUTORS: [&str; 3] = ["claude_code", "codex", "opencode"];

/// Makes the profile of one version of an executor's CLI. `recorded_from` is where the recordings are, as the profile says it.
pub fn record(
    executor: &str,
    version: &str,
    recorded_from: &str,
    recordings: &Recordings,
) -> Result<Made, RecordError> {
    let mut untold = Vec::new();
    let talk = match executor {
        "claude_code" => claude_code::talk(recordings, &mut untold)?,
        "codex" => codex::talk(recordings, &mut untold)?,
        "opencode" => opencode::talk(recordings, &mut untold)?,
        other => {
            let known = format!("an executor whose recordings can be read ({})", EXECUTORS.join(", "));
            return Err(RecordError::new(recorded_from, known, format!("{other:?}")));
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
