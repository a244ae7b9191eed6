//! The session map: which CLI session belongs to which context, kept across restarts (fact sheet 3.1).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::json;

/// The sessions of one receiver, by contextId.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionMap(BTreeMap<String, Session>);

/// One CLI session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The id that the CLI gave it; trimmed and not blank when it was read from a file.
    pub id: String,
    /// When it was last used, in seconds since the epoch; 0 when the file does not say.
    pub updated_at: i64,
}

impl SessionMap {
    /// Reads a map, as leniently as the product line: anything malformed is an empty map, an entry without a non-blank
    /// id as its member `key` is dropped, ids are trimmed.
    pub fn parse(key: &str, bytes: &[u8]) -> SessionMap {
        let Ok(Value::Object(entries)) = json::parse("session map", bytes) else {
            return SessionMap::default();
        };
        let session = |entry: &Value| {
            let id = entry.get(key)?.as_str()?.trim();
            let updated_at = entry.get("updated_at").and_then(Value::as_i64).unwrap_or(0);
            (!id.is_empty()).then(|| Session { id: id.to_owned(), updated_at })
        };
        SessionMap(
            entries.iter().filter_map(|(context, entry)| Some((context.clone(), session(entry)?))).collect(),
        )
    }

    /// Writes the map, each id as the member `key`: sorted keys, two spaces of indent, a final newline.
    pub fn to_bytes(&self, key: &str) -> Vec<u8> {
        let entries: Map<String, Value> = self
            .0
            .iter()
            .map(|(context, session)| {
                (context.clone(), json!({key: session.id, "updated_at": session.updated_at}))
            })
            .collect();
        json::spaced_sorted_indented(&Value::Object(entries)).into_bytes()
    }

    /// The session of a context.
    pub fn get(&self, context: &str) -> Option<&Session> {
        self.0.get(context)
    }

    /// Sets the session of a context and gives back the one that it had.
    pub fn insert(&mut self, context: impl Into<String>, session: Session) -> Option<Session> {
        self.0.insert(context.into(), session)
    }

    /// Forgets the session of a context and gives it back.
    pub fn remove(&mut self, context: &str) -> Option<Session> {
        self.0.remove(context)
    }

    /// All sessions, sorted by contextId.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Session)> {
        self.0.iter().map(|(context, session)| (context.as_str(), session))
    }

    /// How many contexts have a session.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no context has one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "thread_id";

    #[test]
    fn a_map_is_written_as_recorded_and_reads_back() {
        let recorded = "{\n  \"codex-9MB reply\": {\n    \"thread_id\": \"abe1f4fc\",\n    \"updated_at\": 1795223582\n  },\n  \"codex-c1\": {\n    \"thread_id\": \"999053c1\",\n    \"updated_at\": 1795223567\n  }\n}\n";
        let sessions = SessionMap::parse(KEY, recorded.as_bytes());
        assert_eq!(
            sessions.get("codex-c1"),
            Some(&Session { id: "999053c1".to_owned(), updated_at: 1_795_223_567 })
        );
        assert_eq!(String::from_utf8(sessions.to_bytes(KEY)).expect("ASCII"), recorded);
    }

    #[test]
    fn whatever_is_malformed_is_left_out() {
        for garbage in [&b""[..], b"{", b"[]", b"null", b"\xff"] {
            assert!(SessionMap::parse(KEY, garbage).is_empty(), "{garbage:?}");
        }
        let mixed = br#"{"a": {"thread_id": " t1 "}, "b": {"thread_id": "  "}, "c": {"session_id": "x"}, "d": 5, "e": {"thread_id": 7}}"#;
        let sessions = SessionMap::parse(KEY, mixed);
        let kept: Vec<_> = sessions.iter().collect();
        assert_eq!(kept, [("a", &Session { id: "t1".to_owned(), updated_at: 0 })]);
    }

    #[test]
    fn a_session_can_be_replaced_and_forgotten() {
        let mut sessions = SessionMap::default();
        let session = Session { id: "t1".to_owned(), updated_at: 1 };
        assert_eq!(sessions.insert("c", session.clone()), None);
        assert_eq!(sessions.remove("c"), Some(session));
        assert_eq!(sessions.len(), 0);
    }
}
