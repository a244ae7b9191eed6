//! The join key of a conversation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A contextId: one id is one CLI session, one lock, one transcript thread (fact sheet 1). Never empty; any other text
/// is allowed, also blanks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContextId(String);

impl ContextId {
    /// The id, or nothing if the text is empty.
    pub fn new(text: impl Into<String>) -> Option<ContextId> {
        let text = text.into();
        if text.is_empty() { None } else { Some(ContextId(text)) }
    }

    /// The id that a receiver gives to a dispatch without one: `anon-` and a version 4 UUID made of 16 random bytes
    /// (FLEET-ACK-03).
    pub fn anonymous(random: [u8; 16]) -> ContextId {
        ContextId(format!("anon-{}", uuid::Builder::from_random_bytes(random).into_uuid()))
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ContextId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<ContextId> for String {
    fn from(context: ContextId) -> String {
        context.0
    }
}

impl TryFrom<String> for ContextId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<ContextId, &'static str> {
        ContextId::new(text).ok_or("expected a contextId, found an empty string")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_id_does_not_exist() {
        assert_eq!(ContextId::new(""), None);
        assert!(serde_json::from_str::<ContextId>("\"\"").is_err());
    }

    #[test]
    fn an_id_is_a_plain_string_in_json() {
        let context: ContextId = serde_json::from_str("\"c1\"").expect("an id");
        assert_eq!(context.as_str(), "c1");
        assert_eq!(serde_json::to_string(&context).expect("JSON"), "\"c1\"");
    }

    #[test]
    fn an_anonymous_id_is_a_version_4_uuid() {
        assert_eq!(ContextId::anonymous([0xff; 16]).as_str(), "anon-ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_ne!(ContextId::anonymous([1; 16]), ContextId::anonymous([2; 16]));
    }
}
