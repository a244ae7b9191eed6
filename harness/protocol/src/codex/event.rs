//! One line of `codex exec --json`.

use serde_json::Value;

use super::item::Item;
use super::legacy::{self, LegacyEvent};
use super::usage::Usage;
use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

/// Names the data in errors.
pub(super) const WHAT: &str = "codex event";

/// An event of any known release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The thread's id, which resumes it later.
    ThreadStarted {
        /// As printed, perhaps blank.
        thread_id: String,
    },
    /// The model was asked.
    TurnStarted,
    /// The turn succeeded.
    TurnCompleted {
        /// What it cost.
        usage: Usage,
    },
    /// The turn failed.
    TurnFailed {
        /// Why.
        message: String,
    },
    /// Something went wrong; when it is tried again, the turn may still succeed.
    Error {
        /// What.
        message: String,
    },
    /// Work on an item began.
    ItemStarted {
        /// As far as it is known.
        item: Item,
    },
    /// An item changed. No recorded release prints it for the items read here.
    ItemUpdated,
    /// Work on an item ended.
    ItemCompleted {
        /// The whole of it.
        item: Item,
    },
    /// A line of the older language.
    Legacy(LegacyEvent),
    /// An object of a type that is not known here.
    Unknown {
        /// Its type; `msg/<type>` for one of the older language.
        kind: String,
    },
}

impl Event {
    /// Reads a line, with or without its newline. A type that is not known is [`Event::Unknown`]; a known type without
    /// what belongs to it is an error.
    pub fn parse_line(line: &[u8]) -> Result<Event, ParseError> {
        let value = json::parse(WHAT, line)?;
        let fields = Fields::of(WHAT, &value)?;
        if !matches!(fields.get("type"), Some(Value::String(_)))
            && let Some(event) = legacy::parse(&fields)?
        {
            return Ok(event);
        }
        Ok(match fields.string("type")? {
            "thread.started" => Event::ThreadStarted { thread_id: fields.string("thread_id")?.to_owned() },
            "turn.started" => Event::TurnStarted,
            "turn.completed" => Event::TurnCompleted { usage: Usage::read(fields.get("usage")) },
            "turn.failed" => {
                Event::TurnFailed { message: fields.object("error")?.string("message")?.to_owned() }
            }
            "error" => Event::Error { message: fields.string("message")?.to_owned() },
            "item.started" => Event::ItemStarted { item: Item::read(&fields.object("item")?)? },
            "item.updated" => Event::ItemUpdated,
            "item.completed" => Event::ItemCompleted { item: Item::read(&fields.object("item")?)? },
            other => Event::Unknown { kind: other.to_owned() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_from_the_future_is_unknown_rather_than_wrong() {
        let event = Event::parse_line(br#"{"type": "turn.paused", "why": 1}"#).expect("an event");
        assert_eq!(event, Event::Unknown { kind: "turn.paused".to_owned() });
        let old = Event::parse_line(br#"{"id": "0", "msg": {"type": "task_paused"}}"#).expect("an event");
        assert_eq!(old, Event::Unknown { kind: "msg/task_paused".to_owned() });
    }

    #[test]
    fn a_known_type_without_its_content_is_an_error_at_that_place() {
        for (line, at) in [
            (r#"{"type": "thread.started"}"#, "/thread_id"),
            (r#"{"type": "turn.failed", "error": {}}"#, "/error/message"),
            (r#"{"type": "item.completed", "item": []}"#, "/item"),
            (r#"{"type": "item.completed", "item": {"type": "agent_message", "text": null}}"#, "/item/text"),
            (r#"{"type": 5}"#, "/type"),
            (r#"{"hello": 5}"#, "/type"),
        ] {
            assert_eq!(Event::parse_line(line.as_bytes()).expect_err(line).at, at, "{line}");
        }
    }
}
