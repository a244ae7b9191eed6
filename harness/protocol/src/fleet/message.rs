//! What a receiver or a Hermes node answers to a dispatch.

use serde_json::{Value, json};

use super::parts;
use crate::python;

/// The message in a JSON-RPC result: an acknowledgement, or a synchronous answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentMessage {
    /// The first text part.
    pub text: String,
    /// The context that the peer names; nothing if it names none, or something that is not a string.
    pub context: Option<String>,
}

/// Why a result holds no answer. The texts are those of fact sheet 5.1; the sheet has none for
/// [`ReplyError::NotAnObject`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// `kind` is another word than `message`; here it is, as Python prints it (`None` when absent).
    #[error("peer returned unexpected result kind '{0}'; v0.1 only supports kind='message'")]
    UnexpectedKind(String),
    /// The message is missing, or no part of it has text.
    #[error("peer message has no text part")]
    NoText,
    /// The result is no object.
    #[error("peer returned a result that is not an object")]
    NotAnObject,
}

impl AgentMessage {
    /// The result member: `{"kind":"message","message":{"role":"agent",…}}` (fact sheet 2.5).
    pub fn result(&self) -> Value {
        json!({"kind": "message", "message": parts::message("agent", &self.text, self.context.as_deref())})
    }

    /// Reads a result member as a runtime does; the role is not looked at.
    pub fn from_result(result: &Value) -> Result<AgentMessage, ReplyError> {
        let result = result.as_object().ok_or(ReplyError::NotAnObject)?;
        match result.get("kind") {
            Some(Value::String(kind)) if kind == "message" => {}
            Some(Value::String(kind)) => return Err(ReplyError::UnexpectedKind(kind.clone())),
            other => return Err(ReplyError::UnexpectedKind(python::repr(other.unwrap_or(&Value::Null)))),
        }
        let message = result.get("message").and_then(Value::as_object).ok_or(ReplyError::NoText)?;
        let parts = message.get("parts").and_then(Value::as_array).ok_or(ReplyError::NoText)?;
        let text = parts::first_text(parts).ok_or(ReplyError::NoText)?.to_owned();
        Ok(AgentMessage {
            text,
            context: message.get("contextId").and_then(Value::as_str).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codex::MODE as CODEX;
    use crate::json::spaced;
    use crate::jsonrpc::Response;

    #[test]
    fn an_acknowledgement_is_byte_for_byte_the_recorded_one() {
        let ack = AgentMessage { text: CODEX.ack_text(), context: Some("codex-dup".to_owned()) };
        let body = spaced(&Response { id: json!("1"), outcome: Ok(ack.result()) }.to_value());
        assert_eq!(
            body,
            r#"{"jsonrpc": "2.0", "id": "1", "result": {"kind": "message", "message": {"role": "agent", "parts": [{"text": "Message received; executing in repo via Codex. Reply will follow. [queued]"}], "contextId": "codex-dup"}}}"#
        );
        assert_eq!(body.len(), 215, "the recorded Content-Length");
        assert_eq!(AgentMessage::from_result(&ack.result()), Ok(ack));
    }

    #[test]
    fn a_result_that_holds_no_answer_says_why() {
        let why = |result: Value| AgentMessage::from_result(&result).expect_err("no answer").to_string();
        assert_eq!(
            why(json!({"kind": "task"})),
            "peer returned unexpected result kind 'task'; v0.1 only supports kind='message'"
        );
        assert!(why(json!({})).contains("'None'"));
        assert_eq!(why(json!({"kind": "message"})), "peer message has no text part");
        assert_eq!(
            why(json!({"kind": "message", "message": {"parts": [{"data": 1}]}})),
            "peer message has no text part"
        );
        assert_eq!(why(json!("hi")), "peer returned a result that is not an object");
    }

    #[test]
    fn a_context_that_is_no_string_counts_as_none() {
        let result = json!({"kind": "message", "message": {"parts": [{"text": "a"}], "contextId": 5}});
        assert_eq!(
            AgentMessage::from_result(&result),
            Ok(AgentMessage { text: "a".to_owned(), context: None })
        );
    }
}
