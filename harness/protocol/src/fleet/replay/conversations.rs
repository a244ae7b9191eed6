//! The file in which such a CLI says which conversation a directory had last.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::json;

/// The last conversation of each directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastConversations(BTreeMap<String, String>);

impl LastConversations {
    /// Reads the file. Whatever is malformed is not there: a file that is no object names nothing, and neither does an entry
    /// that is no text or a blank one.
    pub fn parse(bytes: &[u8]) -> LastConversations {
        let Ok(Value::Object(entries)) = json::parse("last conversations", bytes) else {
            return LastConversations::default();
        };
        let id = |value: &Value| Some(value.as_str()?.trim().to_owned()).filter(|id| !id.is_empty());
        LastConversations(
            entries.iter().filter_map(|(path, value)| Some((path.clone(), id(value)?))).collect(),
        )
    }

    /// The last conversation of a directory, which is named to the letter.
    pub fn of(&self, directory: &str) -> Option<&str> {
        self.0.get(directory).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_found_by_its_name_to_the_letter() {
        let known = LastConversations::parse(br#"{"/repo": " u1 ", "/repo/": "u2", "/a": 7, "/b": " "}"#);
        assert_eq!((known.of("/repo"), known.of("/repo/")), (Some("u1"), Some("u2")));
        assert_eq!((known.of("/a"), known.of("/b"), known.of("/")), (None, None, None));
    }

    #[test]
    fn whatever_is_malformed_names_nothing() {
        for garbage in [&b""[..], b"{", b"[]", b"[{\"/repo\":\"u1\"}]", b"null", b"\xff"] {
            assert_eq!(LastConversations::parse(garbage), LastConversations::default());
        }
    }
}
