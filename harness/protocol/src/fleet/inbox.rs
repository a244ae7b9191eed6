//! One line of a receiver's inbox: a dispatch that was acknowledged and waits for its turn.

use serde_json::{Map, Value};

use super::extension::Kept;
use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

/// An inbox record: `{"ts","from","contextId","text"}` (fact sheet 3.0, FLEET-INB-01). One of a sender who sent more also has
/// `"cut": true`, and one of a structured task `"task"`. Both are ours: no release of the product line has them (FLEET-ACK-12,
/// PAYLOAD-07).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRecord {
    /// Local time, `YYYY-MM-DD HH:MM:SS`, not checked.
    pub ts: String,
    /// Who asked; anything but [`InboxRecord::HERMES`] is consumed without a turn.
    pub from: String,
    /// The context; none, and also an empty one, stands for a new anonymous context.
    pub context: Option<String>,
    /// The prompt, already cut.
    pub text: String,
    /// Whether its sender sent more than this text.
    pub cut: bool,
    /// What it said beside the text.
    pub task: Option<Kept>,
}

impl InboxRecord {
    /// The one sender whose records are executed.
    pub const HERMES: &str = "hermes";

    /// The line, with its newline.
    pub fn to_line(&self) -> String {
        let mut map = Map::new();
        map.insert("ts".to_owned(), Value::from(self.ts.as_str()));
        map.insert("from".to_owned(), Value::from(self.from.as_str()));
        if let Some(context) = &self.context {
            map.insert("contextId".to_owned(), Value::from(context.as_str()));
        }
        map.insert("text".to_owned(), Value::from(self.text.as_str()));
        if self.cut {
            map.insert("cut".to_owned(), Value::from(true));
        }
        if let Some(task) = &self.task {
            map.insert("task".to_owned(), task.to_value());
        }
        json::spaced(&Value::Object(map)) + "\n"
    }

    /// Reads a line, with or without its newline. Absent `ts` and `text` are empty, as for the product line, which
    /// executes such a record; an empty `contextId` is none.
    pub fn parse_line(line: &[u8]) -> Result<InboxRecord, ParseError> {
        let value = json::parse("inbox line", line)?;
        let fields = Fields::of("inbox line", &value)?;
        Ok(InboxRecord {
            ts: fields.optional_string("ts")?.unwrap_or_default().to_owned(),
            from: fields.string("from")?.to_owned(),
            context: fields
                .optional_string("contextId")?
                .filter(|context| !context.is_empty())
                .map(str::to_owned),
            text: fields.optional_string("text")?.unwrap_or_default().to_owned(),
            cut: value.get("cut").and_then(Value::as_bool).unwrap_or_default(),
            task: match value.get("task") {
                None => None,
                // Without its task it would be another one.
                Some(task) => {
                    Some(Kept::from_value(task).ok_or_else(|| fields.wrong("task", "a structured task"))?)
                }
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_line_reads_and_is_written_back_byte_for_byte() {
        let line = "{\"ts\": \"2026-11-21 01:12:59\", \"from\": \"hermes\", \"contextId\": \"codex-nul\", \"text\": \"a\\u0000b\"}\n";
        let record = InboxRecord::parse_line(line.as_bytes()).expect("a record");
        assert_eq!((record.context.as_deref(), record.text.as_str()), (Some("codex-nul"), "a\0b"));
        assert_eq!(record.to_line(), line);
    }

    #[test]
    fn a_structured_task_is_kept_with_its_line_and_a_broken_one_is_no_line() {
        let line = "{\"ts\": \"t\", \"from\": \"hermes\", \"contextId\": \"c\", \"text\": \"x\", \"task\": {\"payload\": {\"context\": \"y\", \"deadline_s\": 5}, \"of\": \"m\", \"due\": {\"whole_ms\": 5000, \"wall_ms\": 9, \"life\": \"l\", \"elapsed_ms\": 7}}}\n";
        let record = InboxRecord::parse_line(line.as_bytes()).expect("a record");
        assert_eq!(record.task.as_ref().and_then(|kept| kept.of.as_deref()), Some("m"));
        assert_eq!(record.to_line(), line);
        let broken = br#"{"from": "hermes", "task": {"payload": {"deadline_s": -1}}}"#;
        assert_eq!(InboxRecord::parse_line(broken).expect_err("broken").at, "/task");
    }

    #[test]
    fn a_record_may_lack_everything_but_its_sender() {
        let record = InboxRecord::parse_line(br#"{"from": "hermes", "contextId": ""}"#).expect("a record");
        assert_eq!((record.context, record.text), (None, String::new()));
        assert_eq!(InboxRecord::parse_line(br#"{"text": "x"}"#).expect_err("no sender").at, "/from");
        assert_eq!(
            InboxRecord::parse_line(br#"{"from": "hermes", "text": 5}"#).expect_err("a number").at,
            "/text"
        );
    }
}
