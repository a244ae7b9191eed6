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
    /// What the CLI printed in it so far, for a CLI that repeats it in every turn.
    pub last_output: Option<LastOutput>,
}

/// What a CLI that repeats its output printed last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LastOutput {
    /// All of it, as it was printed.
    pub text: String,
    /// When it was seen not to begin with what was printed before, in seconds since the epoch; nothing when it did.
    pub drifted_at: Option<i64>,
}

impl LastOutput {
    /// Reads the members of an entry; nothing when it does not say what was printed.
    fn read(entry: &Value) -> Option<LastOutput> {
        let text = entry.get("last_stdout")?.as_str()?.to_owned();
        let drifted = entry.get("prefix_drifted").and_then(Value::as_bool).unwrap_or(false);
        let at = || entry.get("drifted_at").and_then(Value::as_i64).unwrap_or(0);
        Some(LastOutput { text, drifted_at: drifted.then(at) })
    }
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
            (!id.is_empty()).then(|| Session {
                id: id.to_owned(),
                updated_at,
                last_output: LastOutput::read(entry),
            })
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
                let mut entry = json!({key: session.id, "updated_at": session.updated_at});
                if let Some(last) = &session.last_output {
                    entry["last_stdout"] = json!(last.text);
                    entry["prefix_drifted"] = json!(last.drifted_at.is_some());
                    if let Some(at) = last.drifted_at {
                        entry["drifted_at"] = json!(at);
                    }
                }
                (context.clone(), entry)
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

    fn session(id: &str, updated_at: i64) -> Session {
        Session { id: id.to_owned(), updated_at, last_output: None }
    }

    #[test]
    fn a_map_is_written_as_recorded_and_reads_back() {
        let recorded = "{\n  \"codex-9MB reply\": {\n    \"thread_id\": \"abe1f4fc\",\n    \"updated_at\": 1795223582\n  },\n  \"codex-c1\": {\n    \"thread_id\": \"999053c1\",\n    \"updated_at\": 1795223567\n  }\n}\n";
        let sessions = SessionMap::parse(KEY, recorded.as_bytes());
        assert_eq!(sessions.get("codex-c1"), Some(&session("999053c1", 1_795_223_567)));
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
        assert_eq!(kept, [("a", &session("t1", 0))]);
    }

    #[test]
    fn a_session_can_be_replaced_and_forgotten() {
        let mut sessions = SessionMap::default();
        let session = session("t1", 1);
        assert_eq!(sessions.insert("c", session.clone()), None);
        assert_eq!(sessions.remove("c"), Some(session));
        assert_eq!(sessions.len(), 0);
    }

    #[test]
    fn what_a_session_printed_is_kept_with_it_as_recorded() {
        let recorded = "{\n  \"agy-c1\": {\n    \"conversation_id\": \"7bbd3972\",\n    \"last_stdout\": \"PONG\\nPONG2\\n\",\n    \"prefix_drifted\": false,\n    \"updated_at\": 1795223601\n  }\n}\n";
        let mut sessions = SessionMap::parse("conversation_id", recorded.as_bytes());
        let mut known = sessions.get("agy-c1").expect("it is there").clone();
        let printed = LastOutput { text: "PONG\nPONG2\n".to_owned(), drifted_at: None };
        assert_eq!(known.last_output, Some(printed.clone()));
        assert_eq!(String::from_utf8(sessions.to_bytes("conversation_id")).expect("ASCII"), recorded);
        known.last_output = Some(LastOutput { drifted_at: Some(7), ..printed });
        sessions.insert("agy-c1", known);
        let drifted = sessions.to_bytes("conversation_id");
        assert_eq!(SessionMap::parse("conversation_id", &drifted), sessions);
        let text = String::from_utf8(drifted).expect("ASCII");
        assert!(text.contains("\"drifted_at\": 7,") && text.contains("\"prefix_drifted\": true,"), "{text}");
    }
}
