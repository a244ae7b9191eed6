//! One line of `opencode run --format json`.

use serde_json::Value;

use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

/// Names the data in errors.
pub(super) const WHAT: &str = "opencode event";

/// An event, with the session that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The session, trimmed: at the top level, else in the part. Nothing when neither is a text with something in it.
    pub session: Option<String>,
    /// What happened.
    pub kind: EventKind,
}

/// What an event reports.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// The model was asked.
    StepStart,
    /// The agent said something; all such texts of a turn together are its reply.
    Text {
        /// What it said.
        text: String,
    },
    /// The agent used a tool.
    ToolUse {
        /// The tool, for instance `bash`.
        tool: String,
        /// `completed` and others.
        status: String,
        /// What the tool gave.
        output: Option<String>,
    },
    /// The model's answer is over.
    StepFinish {
        /// `stop`, `tool-calls`, `unknown`, …
        reason: String,
        /// What it cost.
        tokens: Tokens,
    },
    /// The turn failed.
    Error {
        /// The error's kind, for instance `APIError`.
        name: String,
        /// Why, as far as it is told.
        message: Option<String>,
    },
    /// A type that is not known here.
    Unknown {
        /// Its type.
        kind: String,
    },
}

/// Token counts of one step. What is not printed is unknown, never 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// All of them; not printed for a step that broke off.
    pub total: Option<u64>,
    /// Tokens read by the model.
    pub input: Option<u64>,
    /// Tokens written by the model.
    pub output: Option<u64>,
}

impl Event {
    /// Reads a line, with or without its newline. A type that is not known is [`EventKind::Unknown`]; a known type without
    /// what belongs to it is an error.
    pub fn parse_line(line: &[u8]) -> Result<Event, ParseError> {
        let value = json::parse(WHAT, line)?;
        Event::read(&value)
    }

    pub(super) fn read(value: &Value) -> Result<Event, ParseError> {
        let fields = Fields::of(WHAT, value)?;
        let kind = match fields.string("type")? {
            "step_start" => EventKind::StepStart,
            "text" => EventKind::Text { text: fields.object("part")?.string("text")?.to_owned() },
            "tool_use" => {
                let part = fields.object("part")?;
                let state = part.object("state")?;
                EventKind::ToolUse {
                    tool: part.string("tool")?.to_owned(),
                    status: state.string("status")?.to_owned(),
                    output: state.optional_string("output")?.map(str::to_owned),
                }
            }
            "step_finish" => {
                let part = fields.object("part")?;
                EventKind::StepFinish {
                    reason: part.string("reason")?.to_owned(),
                    tokens: Tokens::read(part.get("tokens")),
                }
            }
            "error" => {
                let error = fields.object("error")?;
                let message = error.get("data").and_then(|data| data.get("message"));
                EventKind::Error {
                    name: error.string("name")?.to_owned(),
                    message: message.and_then(Value::as_str).map(str::to_owned),
                }
            }
            other => EventKind::Unknown { kind: other.to_owned() },
        };
        Ok(Event { session: session_of(value), kind })
    }
}

/// The session that an event names, whatever else is in it.
pub(super) fn session_of(event: &Value) -> Option<String> {
    let text =
        |value: Option<&Value>| value?.as_str().map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
    text(event.get("sessionID")).or_else(|| text(event.get("part")?.get("sessionID")))
}

impl Tokens {
    fn read(tokens: Option<&Value>) -> Tokens {
        let count = |key| tokens?.get(key)?.as_u64();
        Tokens { total: count("total"), input: count("input"), output: count("output") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(line: &str) -> Event {
        Event::parse_line(line.as_bytes()).expect("an event")
    }

    #[test]
    fn a_type_from_the_future_is_unknown_rather_than_wrong() {
        let read = event(r#"{"type":"reasoning","sessionID":"s","part":{"text":"hm"}}"#);
        assert_eq!(read.kind, EventKind::Unknown { kind: "reasoning".to_owned() });
        assert_eq!(read.session.as_deref(), Some("s"));
    }

    #[test]
    fn the_session_at_the_top_counts_before_the_one_in_the_part() {
        for (line, session) in [
            (r#"{"type":"step_start","sessionID":" a ","part":{"sessionID":"b"}}"#, Some("a")),
            (r#"{"type":"step_start","sessionID":"  ","part":{"sessionID":"b"}}"#, Some("b")),
            (r#"{"type":"step_start","sessionID":7,"part":{"sessionID":"b"}}"#, Some("b")),
            (r#"{"type":"step_start","part":{"sessionID":""}}"#, None),
            (r#"{"type":"step_start","part":"b"}"#, None),
        ] {
            assert_eq!(event(line).session.as_deref(), session, "{line}");
        }
    }

    #[test]
    fn a_known_type_without_its_content_is_an_error_at_that_place() {
        for (line, at) in [
            (r#"{"type":"text"}"#, "/part"),
            (r#"{"type":"text","part":{"text":null}}"#, "/part/text"),
            (r#"{"type":"tool_use","part":{"tool":"bash","state":[]}}"#, "/part/state"),
            (r#"{"type":"step_finish","part":{}}"#, "/part/reason"),
            (r#"{"type":"error","error":{}}"#, "/error/name"),
            (r#"{"type":5}"#, "/type"),
            (r#"{"sessionID":"s"}"#, "/type"),
        ] {
            assert_eq!(Event::parse_line(line.as_bytes()).expect_err(line).at, at, "{line}");
        }
    }

    #[test]
    fn an_absent_count_is_unknown_and_a_zero_is_zero() {
        let EventKind::StepFinish { tokens, .. } =
            event(r#"{"type":"step_finish","part":{"reason":"unknown","tokens":{"input":0,"output":"x"}}}"#)
                .kind
        else {
            panic!("the end of a step")
        };
        assert_eq!(tokens, Tokens { input: Some(0), ..Tokens::default() });
    }
}
