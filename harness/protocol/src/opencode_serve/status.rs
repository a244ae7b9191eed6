//! What sessions are doing.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

const WHAT: &str = "status of sessions";

/// What a session is doing. A session that the host does not name is idle, or does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionStatus {
    /// Nothing.
    Idle,
    /// A turn runs.
    Busy,
    /// A turn runs, and its model is asked again after a failure.
    Retry {
        /// Which try it is.
        attempt: u64,
        /// Why.
        message: String,
    },
    /// Something else, by its name.
    Other(String),
}

impl SessionStatus {
    /// Whether a turn runs. What is not known is taken for a turn: who waits for its end loses nothing.
    pub fn is_active(&self) -> bool {
        *self != Self::Idle
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Self, ParseError> {
        Ok(match fields.string("type")? {
            "idle" => Self::Idle,
            "busy" => Self::Busy,
            "retry" => Self::Retry {
                attempt: fields.get("attempt").and_then(Value::as_u64).unwrap_or_default(),
                message: fields.get("message").and_then(Value::as_str).unwrap_or_default().to_owned(),
            },
            other => Self::Other(other.to_owned()),
        })
    }
}

/// Reads what all active sessions are doing.
pub fn statuses(body: &[u8]) -> Result<BTreeMap<String, SessionStatus>, ParseError> {
    let value = json::parse(WHAT, body)?;
    let Some(map) = value.as_object() else {
        return Err(ParseError::new(WHAT, "the top level", "an object", json::type_name(&value)));
    };
    let read = |(id, status)| Ok((String::clone(id), SessionStatus::read(&Fields::of(WHAT, status)?)?));
    map.iter().map(read).collect()
}
