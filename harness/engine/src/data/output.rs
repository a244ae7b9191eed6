//! What an executor's CLI prints, as far as oracles look at it, as data: read anew, and not with the parsers that receivers use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What a CLI prints in a turn.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Events, each a JSON object in a line.
    Events(Events),
    /// Plain text, all of which is the answer.
    Text(Text),
}

/// Where events name sessions and hold answers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Where the session is named: the first reading that fits an event reads it.
    #[serde(default)]
    pub sessions: Vec<Reading>,
    /// Where an answer is, in the same way.
    #[serde(default)]
    pub messages: Vec<Reading>,
    /// Whether all that is found in a turn is one answer, which comes in pieces.
    #[serde(default)]
    pub in_pieces: bool,
}

/// Reads one kind of event.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Which events: what each of these members of one is.
    #[serde(default)]
    pub when: BTreeMap<Pointer, Value>,
    /// A list in the event: what is read is in its items, and all of it is one text.
    #[serde(default)]
    pub items: Option<Items>,
    /// Where the text is in the event, or in an item of its list: the first of these members that is a text.
    pub text: Vec<Pointer>,
}

/// A list in an event.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// Where it is.
    pub at: Pointer,
    /// Which of its items: what each of these members of one is.
    #[serde(default)]
    pub when: BTreeMap<Pointer, Value>,
}

/// Plain text.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// A first line that is no part of the answer, in small letters.
    #[serde(default)]
    pub notice: Option<Notice>,
}

/// What a line is known by.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// How it begins.
    pub begins: String,
    /// How it ends.
    pub ends: String,
}

/// The way to a member of a JSON value, as RFC 6901 writes it: `/item/type`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct Pointer(#[schemars(with = "String")] String);

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.starts_with('/') {
            true => Ok(Self(text)),
            false => Err(format!("expected the way to a member, such as `/item/type`; found {text:?}")),
        }
    }
}

impl Pointer {
    /// The member of a value.
    pub fn of<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.0)
    }
}
