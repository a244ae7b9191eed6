//! What the host says when something is wrong.

use serde_json::Value;

use crate::json;

/// The body of an answer that is no success. It comes in two shapes; a body of neither is kept as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct Refusal {
    /// `NotFoundError`, `BadRequest`, `UnknownError`, …
    pub name: String,
    /// Why.
    pub message: String,
}

/// So much of a body that is no refusal is kept.
const SHOWN: usize = 200;

impl Refusal {
    /// Reads a body, whatever it is.
    pub fn read(body: &[u8]) -> Self {
        let value = json::parse("refusal", body).unwrap_or_default();
        let text = |pointer| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        match text("/name").or_else(|| text("/_tag")) {
            Some(name) => {
                Self { name, message: text("/data/message").or_else(|| text("/message")).unwrap_or_default() }
            }
            None => {
                let message = String::from_utf8_lossy(body).chars().take(SHOWN).collect();
                Self { name: "unreadable".to_owned(), message }
            }
        }
    }
}

/// Why a turn failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct TurnError {
    /// `MessageAbortedError`, `APIError`, `UnknownError`, …
    pub name: String,
    /// For people; empty when the host says nothing.
    pub message: String,
    /// The status with which the model's server answered.
    pub status: Option<u16>,
    /// Whether the host takes it for transient.
    pub retryable: Option<bool>,
}

impl TurnError {
    /// Reads it, whatever it is.
    pub fn read(value: &Value) -> Self {
        let text = |pointer| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let status = value.pointer("/data/statusCode").and_then(Value::as_u64);
        Self {
            name: text("/name").unwrap_or_else(|| "unknown error".to_owned()),
            message: text("/data/message").or_else(|| text("/message")).unwrap_or_default(),
            status: status.and_then(|status| u16::try_from(status).ok()),
            retryable: value.pointer("/data/isRetryable").and_then(Value::as_bool),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_read_in_each_of_its_shapes() {
        let found =
            Refusal::read(br#"{"name":"NotFoundError","data":{"message":"Session not found: ses_unknown"}}"#);
        assert_eq!(found.to_string(), "NotFoundError: Session not found: ses_unknown");
        assert_eq!(Refusal::read(br#"{"_tag":"BadRequest"}"#).name, "BadRequest");
        let odd = Refusal::read("<html>ü".as_bytes());
        assert_eq!((odd.name.as_str(), odd.message.as_str()), ("unreadable", "<html>ü"));
    }
}
