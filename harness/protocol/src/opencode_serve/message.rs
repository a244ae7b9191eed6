//! A session's history.

use serde_json::Value;

use super::refusal::TurnError;
use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

const WHAT: &str = "history of a session";

/// A message with its parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// `user` or `assistant`.
    pub role: String,
    /// Who answers, or is to answer.
    pub agent: Option<String>,
    /// The message that it answers.
    pub parent: Option<String>,
    /// Why the turn failed.
    pub error: Option<TurnError>,
    /// When it was begun, in milliseconds since 1970.
    pub created: Option<i64>,
    /// When it was whole; an answer without it is not.
    pub completed: Option<i64>,
    /// Its parts.
    pub parts: Vec<Part>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text.
    Text(String),
    /// Something else, by its type.
    Other(String),
}

impl Message {
    /// Reads a history, in the order in which the host gives it: oldest first.
    pub fn parse_history(body: &[u8]) -> Result<Vec<Self>, ParseError> {
        let value = json::parse(WHAT, body)?;
        let Some(list) = value.as_array() else {
            return Err(ParseError::new(WHAT, "the top level", "an array", json::type_name(&value)));
        };
        list.iter().map(Self::read).collect()
    }

    /// Reads a message.
    pub fn read(value: &Value) -> Result<Self, ParseError> {
        let fields = Fields::of(WHAT, value)?;
        let info = fields.object("info")?;
        let text = |key| info.optional_string(key).map(|text| text.map(str::to_owned));
        let time = |pointer| value.pointer(pointer).and_then(Value::as_i64);
        Ok(Self {
            id: info.string("id")?.to_owned(),
            role: info.string("role")?.to_owned(),
            agent: text("agent")?,
            parent: text("parentID")?,
            error: info.get("error").filter(|error| !error.is_null()).map(TurnError::read),
            created: time("/info/time/created"),
            completed: time("/info/time/completed"),
            parts: fields.array("parts")?.iter().map(Part::read).collect::<Result<_, _>>()?,
        })
    }

    /// All its text.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| if let Part::Text(text) = part { Some(text.as_str()) } else { None })
            .collect()
    }
}

impl Part {
    fn read(value: &Value) -> Result<Self, ParseError> {
        let fields = Fields::of(WHAT, value)?;
        match fields.string("type")? {
            "text" => Ok(Self::Text(fields.string("text")?.to_owned())),
            other => Ok(Self::Other(other.to_owned())),
        }
    }
}
