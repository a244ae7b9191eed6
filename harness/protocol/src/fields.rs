//! Reading the fields of a JSON object, with errors that point at the field.

use serde_json::{Map, Value};

use crate::error::ParseError;
use crate::json::type_name;

/// A JSON object on the way to becoming a type: what it belongs to, and where it stands in it.
pub(crate) struct Fields<'v> {
    what: &'static str,
    pointer: String,
    map: &'v Map<String, Value>,
}

impl<'v> Fields<'v> {
    /// The fields of a whole message.
    pub(crate) fn of(what: &'static str, value: &'v Value) -> Result<Fields<'v>, ParseError> {
        match value.as_object() {
            Some(map) => Ok(Fields { what, pointer: String::new(), map }),
            None => Err(ParseError::new(what, "the top level", "an object", &describe(Some(value)))),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key)
    }

    pub(crate) fn string(&self, key: &str) -> Result<&'v str, ParseError> {
        self.get(key).and_then(Value::as_str).ok_or_else(|| self.wrong(key, "a string"))
    }

    /// A string that may be absent or null.
    pub(crate) fn optional_string(&self, key: &str) -> Result<Option<&'v str>, ParseError> {
        match self.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "a string or nothing")),
        }
    }

    pub(crate) fn array(&self, key: &str) -> Result<&'v [Value], ParseError> {
        self.get(key).and_then(Value::as_array).map(Vec::as_slice).ok_or_else(|| self.wrong(key, "an array"))
    }

    pub(crate) fn object(&self, key: &str) -> Result<Fields<'v>, ParseError> {
        let map = self.get(key).and_then(Value::as_object).ok_or_else(|| self.wrong(key, "an object"))?;
        Ok(Fields { what: self.what, pointer: format!("{}/{key}", self.pointer), map })
    }

    /// Refuses members that are none of these.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), ParseError> {
        let Some(other) = self.map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let shown: String = other.chars().take(40).collect();
        let at = format!("{}/{shown}", self.pointer);
        Err(ParseError::new(self.what, at, format!("no other member than {}", known.join(", ")), other))
    }

    /// The error that `key` does not hold what was expected.
    pub(crate) fn wrong(&self, key: &str, expected: &str) -> ParseError {
        ParseError::new(self.what, format!("{}/{key}", self.pointer), expected, &describe(self.get(key)))
    }
}

/// A value's kind, and its text when that is short enough to help.
fn describe(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
            format!("{} {value}", type_name(value))
        }
        Some(value) => type_name(value).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_point_at_the_field() {
        let value = json!({"params": {"message": {"text": 5}}});
        let fields = Fields::of("callback", &value).expect("object");
        let message = fields.object("params").and_then(|params| params.object("message")).expect("objects");
        let error = message.string("text").expect_err("a number");
        assert_eq!(
            error.to_string(),
            "callback at /params/message/text: expected a string, found a number 5"
        );
        assert_eq!(message.string("role").expect_err("absent").found, "nothing");
    }

    #[test]
    fn a_value_that_is_no_object_is_named() {
        let error = Fields::of("callback", &json!([1])).err().expect("an array");
        assert_eq!(error.to_string(), "callback at the top level: expected an object, found an array");
    }
}
