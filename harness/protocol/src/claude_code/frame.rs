//! One line of `claude -p --output-format stream-json`.

use serde_json::Value;

use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

/// Names the data in errors.
const WHAT: &str = "claude frame";

/// A frame, with the session that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// The session, trimmed. Nothing when it is not a text with something in it.
    pub session: Option<String>,
    /// What it says.
    pub kind: FrameKind,
}

/// What a frame says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameKind {
    /// Something about the session: `init`, `api_retry`, …
    System {
        /// Which of these.
        subtype: String,
    },
    /// The agent said something, or used a tool.
    Assistant {
        /// Its words, joined without anything between them; empty when it only used tools.
        text: String,
    },
    /// What came back to the agent, for instance from a tool.
    User,
    /// The turn is over.
    Result {
        /// Whether it failed: it says so, or its subtype is none of success.
        failed: bool,
        /// `success`, `error_during_execution`, …
        subtype: Option<String>,
        /// The answer, or what went wrong.
        result: Option<String>,
    },
    /// A type that is not known here.
    Unknown {
        /// Its type.
        kind: String,
    },
}

impl Frame {
    /// Reads a line, with or without its newline. A type that is not known is [`FrameKind::Unknown`]; a known type without
    /// what belongs to it is an error.
    pub fn parse_line(line: &[u8]) -> Result<Frame, ParseError> {
        let value = json::parse(WHAT, line)?;
        let fields = Fields::of(WHAT, &value)?;
        let kind = match fields.string("type")? {
            "system" => FrameKind::System { subtype: fields.string("subtype")?.to_owned() },
            "assistant" => {
                let blocks = fields.object("message")?.array("content")?;
                FrameKind::Assistant { text: blocks.iter().filter_map(words).collect() }
            }
            "user" => FrameKind::User,
            // Whatever its members are: a turn that is over must not be taken for one that goes on.
            "result" => {
                let subtype = fields.get("subtype").filter(|subtype| is_truthy(subtype));
                let odd = subtype.is_some_and(|subtype| subtype != "success");
                let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
                FrameKind::Result {
                    failed: odd || fields.get("is_error").is_some_and(is_truthy),
                    subtype: text(subtype),
                    result: text(fields.get("result")),
                }
            }
            other => FrameKind::Unknown { kind: other.to_owned() },
        };
        let session = fields.get("session_id").and_then(Value::as_str).map(str::trim);
        Ok(Frame { session: session.filter(|id| !id.is_empty()).map(str::to_owned), kind })
    }
}

/// The words of a block of content.
fn words(block: &Value) -> Option<&str> {
    (block.get("type")? == "text").then(|| block.get("text")?.as_str())?
}

/// Whether a value counts as yes where the product line reads it: nothing, zero and what is empty do not.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(line: &str) -> FrameKind {
        Frame::parse_line(line.as_bytes()).expect("a frame").kind
    }

    #[test]
    fn a_type_from_the_future_is_unknown_rather_than_wrong() {
        let frame = Frame::parse_line(br#"{"type":"stream_event","session_id":" s "}"#).expect("a frame");
        assert_eq!(frame.kind, FrameKind::Unknown { kind: "stream_event".to_owned() });
        assert_eq!(frame.session.as_deref(), Some("s"));
    }

    #[test]
    fn of_an_assistants_blocks_only_texts_are_words() {
        let line = r#"{"type":"assistant","message":{"content":[{"type":"text","text":"a "},{"type":"tool_use","text":"no"},
                       {"type":"text","text":5},7,{"type":"text","text":"b"}]}}"#;
        assert_eq!(kind(line), FrameKind::Assistant { text: "a b".to_owned() });
    }

    #[test]
    fn a_result_fails_when_it_says_so_or_when_its_subtype_is_no_success() {
        for (members, expected) in [
            (r#""is_error":false,"subtype":"success""#, false),
            (r#""subtype":null"#, false),
            (r#""is_error":0,"subtype":"""#, false),
            (r#""is_error":true,"subtype":"success""#, true),
            (r#""is_error":"yes""#, true),
            (r#""is_error":false,"subtype":"error_during_execution""#, true),
            (r#""subtype":7"#, true),
        ] {
            let FrameKind::Result { failed, .. } = kind(&format!(r#"{{"type":"result",{members}}}"#)) else {
                panic!("a result")
            };
            assert_eq!(failed, expected, "{members}");
        }
    }

    #[test]
    fn a_known_type_without_its_content_is_an_error_at_that_place() {
        for (line, at) in [
            (r#"{"type":"system"}"#, "/subtype"),
            (r#"{"type":"assistant"}"#, "/message"),
            (r#"{"type":"assistant","message":{"content":"hi"}}"#, "/message/content"),
            (r#"{"type":5}"#, "/type"),
            (r#"{"session_id":"s"}"#, "/type"),
        ] {
            assert_eq!(Frame::parse_line(line.as_bytes()).expect_err(line).at, at, "{line}");
        }
    }
}
