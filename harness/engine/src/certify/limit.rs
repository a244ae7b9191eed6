//! A limit of a subject, as its manifest tells of it.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A limit of a subject.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Limit {
    /// Its word in a template sets it.
    Set,
    /// It is so many seconds, and cannot be set.
    Seconds(f64),
    /// There is none.
    #[default]
    None,
}

const WORDS: [&str; 2] = ["set", "none"];

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InWords)
    }
}

struct InWords;

impl Visitor<'_> for InWords {
    type Value = Limit;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("\"set\", \"none\", or a number of seconds above 0")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Limit, E> {
        match word {
            "set" => Ok(Limit::Set),
            "none" => Ok(Limit::None),
            other => Err(E::unknown_variant(other, &WORDS)),
        }
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<Limit, E> {
        if seconds > 0.0 && seconds.is_finite() {
            Ok(Limit::Seconds(seconds))
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Float(seconds), &self))
        }
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Limit, E> {
        let whole = u32::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        whole
            .map(|seconds| Limit::Seconds(seconds.into()))
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Signed(seconds), &self))
    }
}

impl JsonSchema for Limit {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Limit".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "\"set\" when its word in a template sets it, \"none\" when there is none, else its seconds.",
            "oneOf": [{ "enum": WORDS }, { "type": "number", "exclusiveMinimum": 0 }]
        })
    }
}
