//! The sign of a session that the CLI does not know.

/// Letters that opencode prints when it is to go on with a session that does not exist, in lower case.
const NOT_FOUND: &str = "error: session not found";

/// Whether a text says that the session was not found, in letters of any case and colour. The real CLI colours the first word,
/// `\x1b[91m\x1b[1mError: \x1b[0mSession not found`, so that the words stand side by side only without the escapes.
pub fn says_session_not_found(text: &str) -> bool {
    // Also as it came: an escape that is not finished would swallow the letters behind it.
    let plain = strip_ansi_escapes::strip_str(text);
    [text, plain.as_str()].iter().any(|text| text.to_lowercase().contains(NOT_FOUND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_sign_is_seen_through_its_colours() {
        assert!(says_session_not_found("\u{1b}[91m\u{1b}[1mError: \u{1b}[0mSession not found\n"));
        assert!(says_session_not_found("warning\nERROR: session NOT found"));
    }

    #[test]
    fn other_errors_are_no_sign() {
        for text in
            ["", "Session not found", "Error: \nSession not found", "Error: Session was not found", "\u{1b}["]
        {
            assert!(!says_session_not_found(text), "{text:?}");
        }
    }
}
