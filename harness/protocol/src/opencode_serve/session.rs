//! A session, and what is asked to make one.

use serde_json::{Map, Value};

use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

const WHAT: &str = "session of the host";

/// A session as its host tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The session that it belongs to.
    pub parent: Option<String>,
    /// Its title.
    pub title: String,
    /// The agent that answers in it.
    pub agent: Option<String>,
    /// Where it works.
    pub directory: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created: Option<i64>,
    /// When it last changed.
    pub updated: Option<i64>,
}

impl Session {
    /// Reads one.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        Self::read(&json::parse(WHAT, body)?)
    }

    /// Reads a list of them.
    pub fn parse_list(body: &[u8]) -> Result<Vec<Self>, ParseError> {
        let value = json::parse(WHAT, body)?;
        let Some(list) = value.as_array() else {
            return Err(ParseError::new(WHAT, "the top level", "an array", json::type_name(&value)));
        };
        list.iter().map(Self::read).collect()
    }

    /// Reads one from JSON.
    pub fn read(value: &Value) -> Result<Self, ParseError> {
        let fields = Fields::of(WHAT, value)?;
        let text = |key| fields.optional_string(key).map(|text| text.map(str::to_owned));
        let time = |pointer| value.pointer(pointer).and_then(Value::as_i64);
        let id = fields.string("id")?;
        if id.is_empty() {
            return Err(fields.wrong("id", "a text with something in it"));
        }
        Ok(Self {
            id: id.to_owned(),
            parent: text("parentID")?,
            title: text("title")?.unwrap_or_default(),
            agent: text("agent")?,
            directory: text("directory")?,
            created: time("/time/created"),
            updated: time("/time/updated"),
        })
    }
}

/// What a new session is to be. What is nothing is left to the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewSession {
    /// The session that it belongs to. The host does not look whether that one exists.
    pub parent: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// The agent that answers in it. The host does not look whether it knows that one.
    pub agent: Option<String>,
    /// Provider and model.
    pub model: Option<(String, String)>,
}

impl NewSession {
    /// The body of the request.
    pub fn to_value(&self) -> Value {
        let mut body = Map::new();
        let texts = [("parentID", &self.parent), ("title", &self.title), ("agent", &self.agent)];
        for (key, text) in texts {
            if let Some(text) = text {
                body.insert(key.to_owned(), text.as_str().into());
            }
        }
        if let Some((provider, model)) = &self.model {
            body.insert("model".to_owned(), serde_json::json!({ "id": model, "providerID": provider }));
        }
        Value::Object(body)
    }
}
