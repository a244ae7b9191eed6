//! The session of a context: its id, and the signs that the CLI has none such, or has it already.

use uuid::Uuid;

/// What the CLI was seen to say of a session that it does not know, in lower case. Newer words beside those that were recorded.
const NOT_FOUND: &[&str] = &[
    "no conversation found",
    "session not found",
    "no session found",
    "could not find session",
    "no such session",
];

/// The session of a context. It follows from the contextId alone, so nothing has to be remembered to find it again
/// (FLEET-CC-02).
pub fn session_id(context: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("a2a:{context}").as_bytes()).to_string()
}

/// Whether a text says that a session does not exist, in letters of any case.
pub fn says_session_not_found(text: &str) -> bool {
    let text = text.to_lowercase();
    NOT_FOUND.iter().any(|sign| text.contains(sign))
}

/// Whether a text says that a session that was to be begun exists already: `Error: Session ID … is already in use.`
pub fn says_session_in_use(text: &str) -> bool {
    text.to_lowercase()
        .lines()
        .any(|line| line.split_once("session id").is_some_and(|(_, rest)| rest.contains("is already in use")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sessions_id_is_the_version_5_uuid_of_its_context() {
        assert_eq!(session_id("ctx-1"), "03ca8885-a6f2-51a3-bb10-cfe9d1cd525a");
        assert_eq!(session_id("handshake:demo"), "a5dc9c3a-9bdc-5c73-b2af-dc5db3006d1b");
    }

    #[test]
    fn the_signs_are_told_apart() {
        let gone = "No conversation found with session ID: a5dc9c3a\n";
        let used = "Error: Session ID 03ca8885 is already in use.\n";
        assert!(says_session_not_found(gone) && !says_session_in_use(gone));
        assert!(says_session_in_use(used) && !says_session_not_found(used));
        assert!(says_session_not_found("warning\nERROR: No Such SESSION x"));
    }

    #[test]
    fn other_errors_are_no_sign() {
        for text in
            ["", "no conversation", "session ID", "port is already in use", "session id\nis already in use"]
        {
            assert!(!says_session_not_found(text) && !says_session_in_use(text), "{text:?}");
        }
    }
}
