//! A message that chooses who answers it. See `docs/extensions.md`.

use serde_json::{Value, json};

use super::{HANDLER, Misuse};
use crate::error::ParseError;
use crate::fields::Fields;
use crate::fleet::config::Handler;

/// What a message chooses, by name: whether there is one of that name is known to the node alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice(String);

impl Choice {
    /// Reads a payload: `{"handler": NAME}` and nothing else.
    pub fn read(payload: &Value) -> Result<Choice, ParseError> {
        const WHAT: &str = "handler choice";
        let members = Fields::of(WHAT, payload)?;
        members.only(&["handler"])?;
        Choice::named(members.string("handler")?)
    }

    /// The choice of a handler by its name.
    pub fn named(name: &str) -> Result<Choice, ParseError> {
        if Handler::is_name(name) {
            return Ok(Choice(name.to_owned()));
        }
        let shown: String = name.chars().take(80).collect();
        let expected = "a name of 1 to 64 small letters, digits, - and _, the first one a letter";
        Err(ParseError::new("handler choice", "/handler", expected, &format!("{shown:?}")))
    }

    /// The choice in a message, if it makes one.
    pub fn in_message(message: &Value) -> Result<Option<Choice>, Misuse> {
        HANDLER.payload(message)?.map(Choice::read).transpose().map_err(Misuse::from)
    }

    /// The handler's name.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The payload.
    pub fn to_value(&self) -> Value {
        json!({ "handler": self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_one_name() {
        let choice = Choice::read(&json!({ "handler": "count" })).expect("a choice");
        assert_eq!((choice.name(), choice.to_value()), ("count", json!({ "handler": "count" })));
        for (wrong, at) in [
            (json!("count"), ""),
            (json!({}), "/handler"),
            (json!({ "handler": 5 }), "/handler"),
            (json!({ "handler": "../x" }), "/handler"),
            (json!({ "handler": "" }), "/handler"),
            (json!({ "handler": "count", "args": ["-c"] }), "/args"),
        ] {
            assert_eq!(Choice::read(&wrong).expect_err("no choice").at, at, "{wrong}");
        }
    }

    #[test]
    fn a_message_chooses_by_announced_metadata() {
        let mut message = json!({ "role": "user" });
        assert_eq!(Choice::in_message(&message), Ok(None));
        HANDLER.announce(&mut message, json!({ "handler": "llm" }));
        assert_eq!(Choice::in_message(&message), Ok(Some(Choice("llm".to_owned()))));
        message["extensions"] = json!(["urn:gauntlet:ext:handler:2"]);
        assert!(matches!(Choice::in_message(&message), Err(Misuse::Version { .. })));
    }
}
