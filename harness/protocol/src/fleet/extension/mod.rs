//! What a message can say beyond the dialect, by A2A's own mechanism. The one place where names and places are fixed;
//! `docs/extensions.md` tells the same to people.
//!
//! * A card lists what its receiver takes: `capabilities.extensions: [{uri, description, required: false}]`.
//! * A message that uses one names the URI in `message.extensions`, and carries its payload in `message.metadata[URI]`.
//! * The number at the end of a URI is its version. Who knows the extension refuses other versions of it; nobody sends a version
//!   that the card does not list.
//!
//! One file an extension: [`task`], [`handler`], [`profile`], [`usage`]. A further one is a file beside it, a constant here, and its place in [`EXTENSIONS`].

mod due;
pub mod handler;
mod kept;
pub mod profile;
mod reply_to;
pub mod task;
pub mod usage;

use serde_json::{Map, Value, json};

use crate::error::ParseError;
use crate::json::type_name;

pub use due::{Due, Moment};
pub use kept::Kept;
pub use reply_to::{ReplyTo, takes_replies};

/// One extension, at the version that is spoken here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// Its name on cards and in messages, and as a capability in requirements and releases.
    pub uri: &'static str,
    /// What the card says of it.
    pub description: &'static str,
    /// Who takes it.
    pub taker: Taker,
}

/// Who can take an extension, and lists it on its card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// A receiver.
    Receiver,
    /// A Hermes node.
    Node,
    /// Both: a node takes what a receiver says by it in its replies.
    Both,
}

/// Structured tasks.
pub const TASK: Extension = Extension {
    uri: "urn:gauntlet:ext:task:1",
    description: "Takes context, expected output, a place for the reply and a deadline beside the text of a task.",
    taker: Taker::Receiver,
};

/// The choice of who answers.
pub const HANDLER: Extension = Extension {
    uri: "urn:gauntlet:ext:handler:1",
    description: "Lets a message choose, among those that its sender is allowed, who answers it.",
    taker: Taker::Node,
};

/// Profiles by their names.
pub const PROFILE: Extension = Extension {
    uri: "urn:gauntlet:ext:profile:1",
    description: "Keeps a reply that names another profile until that profile has it, and says so.",
    taker: Taker::Both,
};

/// What a turn used.
pub const USAGE: Extension = Extension {
    uri: "urn:gauntlet:ext:usage:1",
    description: "Tells with each reply what its turn used: tokens, and what they cost.",
    taker: Taker::Receiver,
};

/// Every extension that is known here, in the order of cards.
pub const EXTENSIONS: &[Extension] = &[TASK, HANDLER, PROFILE, USAGE];

/// Why what a message says of an extension cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// Another version of it than the one that is known.
    #[error("message names {found}, expected {known}, the one version that is known here")]
    Version {
        /// What came.
        found: String,
        /// What is known.
        known: &'static str,
    },
    /// A payload without its name in `extensions`, or a name without its payload.
    #[error("message at {at}: expected {expected}, found nothing")]
    Half {
        /// Where something is missing.
        at: String,
        /// What should stand there.
        expected: String,
    },
    /// What stands there has a wrong shape.
    #[error(transparent)]
    Shape(#[from] ParseError),
}

impl Extension {
    /// The extension of that URI.
    pub fn named(uri: &str) -> Option<&'static Extension> {
        EXTENSIONS.iter().find(|known| known.uri == uri)
    }

    /// Those that a Hermes node takes, in the order of cards.
    pub fn of_nodes() -> Vec<&'static Extension> {
        EXTENSIONS.iter().filter(|known| known.taker != Taker::Receiver).collect()
    }

    /// The URI up to its version.
    fn family(&self) -> &'static str {
        self.uri.trim_end_matches(|c: char| c.is_ascii_digit())
    }

    fn is_other_version(&self, uri: &str) -> bool {
        uri != self.uri && uri.starts_with(self.family())
    }

    /// The payload of this extension in a message; nothing when the message does not speak of it at all.
    pub fn payload<'v>(&self, message: &'v Value) -> Result<Option<&'v Value>, Misuse> {
        let named: &[Value] = match message.get("extensions") {
            None | Some(Value::Null) => &[],
            Some(Value::Array(named)) => named,
            Some(other) => {
                return Err(
                    ParseError::new("message", "/extensions", "a list of URIs", type_name(other)).into()
                );
            }
        };
        let metadata = message.get("metadata").and_then(Value::as_object);
        let keys = metadata.into_iter().flat_map(Map::keys).map(String::as_str);
        let mut uris = named.iter().filter_map(Value::as_str).chain(keys);
        if let Some(found) = uris.find(|uri| self.is_other_version(uri)) {
            return Err(Misuse::Version { found: found.chars().take(80).collect(), known: self.uri });
        }
        let is_named = named.iter().any(|uri| uri == self.uri);
        let payload = metadata.and_then(|metadata| metadata.get(self.uri));
        match (is_named, payload) {
            (false, None) => Ok(None),
            (true, Some(payload)) => Ok(Some(payload)),
            (true, None) => Err(Misuse::Half {
                at: format!("/metadata/{}", self.uri),
                expected: "the payload that extensions announce".to_owned(),
            }),
            (false, Some(_)) => Err(Misuse::Half {
                at: "/extensions".to_owned(),
                expected: format!("{}, of which there is a payload", self.uri),
            }),
        }
    }

    /// Puts a payload into a message, and its URI beside it.
    pub fn announce(&self, message: &mut Value, payload: Value) {
        let Value::Object(message) = message else { return };
        let named = message.entry("extensions").or_insert_with(|| json!([]));
        if let Value::Array(named) = named {
            named.push(json!(self.uri));
        }
        let metadata = message.entry("metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.insert(self.uri.to_owned(), payload);
        }
    }

    /// Whether a card lists it.
    pub fn is_declared_on(&self, card: &Value) -> bool {
        let listed = card.pointer("/capabilities/extensions").and_then(Value::as_array);
        listed.into_iter().flatten().any(|listed| listed.get("uri").is_some_and(|uri| uri == self.uri))
    }
}

/// Puts the extensions that a receiver takes on its card. A card of one that takes none stays as it is.
pub fn declare(card: &mut Value, taken: &[&Extension]) {
    if taken.is_empty() {
        return;
    }
    let listed: Vec<Value> = taken
        .iter()
        .map(|taken| json!({"uri": taken.uri, "description": taken.description, "required": false}))
        .collect();
    card["capabilities"]["extensions"] = Value::Array(listed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(message: Value) -> String {
        TASK.payload(&message).expect_err("misused").to_string()
    }

    #[test]
    fn a_message_that_does_not_speak_of_it_has_none() {
        for message in [
            json!({}),
            json!({"extensions": null, "metadata": null}),
            json!({"extensions": ["urn:other:1"], "metadata": {"urn:other:1": {}}}),
            json!({"metadata": 5}),
            json!(7),
        ] {
            assert_eq!(TASK.payload(&message), Ok(None), "{message}");
        }
    }

    #[test]
    fn what_is_announced_is_found() {
        let mut message = json!({"role": "user"});
        TASK.announce(&mut message, json!({"context": "c"}));
        assert_eq!(
            message.to_string(),
            r#"{"role":"user","extensions":["urn:gauntlet:ext:task:1"],"metadata":{"urn:gauntlet:ext:task:1":{"context":"c"}}}"#
        );
        assert_eq!(TASK.payload(&message), Ok(Some(&json!({"context": "c"}))));
    }

    #[test]
    fn another_version_and_half_an_announcement_are_told_apart_from_silence() {
        assert!(
            why(json!({"extensions": ["urn:gauntlet:ext:task:2"]}))
                .contains("expected urn:gauntlet:ext:task:1")
        );
        assert!(
            why(json!({"metadata": {"urn:gauntlet:ext:task:x": {}}})).contains("urn:gauntlet:ext:task:x")
        );
        assert!(why(json!({"extensions": ["urn:gauntlet:ext:task:1"]})).contains("/metadata/urn"));
        assert!(why(json!({"metadata": {"urn:gauntlet:ext:task:1": {}}})).contains("/extensions"));
        assert!(why(json!({"extensions": "urn:gauntlet:ext:task:1"})).contains("a list of URIs"));
    }

    #[test]
    fn a_card_lists_what_is_taken_and_one_that_takes_nothing_is_as_before() {
        let plain = json!({"name": "x", "capabilities": {"streaming": false}});
        let mut card = plain.clone();
        declare(&mut card, &[]);
        assert_eq!(card, plain);
        assert!(!TASK.is_declared_on(&card));
        declare(&mut card, &[&TASK]);
        assert_eq!(card["capabilities"]["extensions"][0]["required"], json!(false));
        assert!(TASK.is_declared_on(&card));
        card["capabilities"]["extensions"][0]["uri"] = json!("urn:gauntlet:ext:task:2");
        assert!(!TASK.is_declared_on(&card), "another version is another extension");
    }
}
