//! The one error of all parsers here: what was read, where it broke, what was expected, what came.

/// Longest excerpt of outside data that an error carries, in characters.
const MAX_EXCERPT: usize = 80;

/// Outside data did not have the shape that its reader expects.
///
/// It prints as `<what> at <at>: expected <expected>, found <found>`, on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at {at}: expected {expected}, found {found}")]
pub struct ParseError {
    /// What was being read, for instance `request body`.
    pub what: &'static str,
    /// Where in it: `byte 17`, `line 3`, a JSON pointer such as `/params/message`, or `the top level`.
    pub at: String,
    /// What should have stood there.
    pub expected: String,
    /// What stood there: at most 80 characters, control characters escaped.
    pub found: String,
}

impl ParseError {
    /// An error whose `found` is made safe to print: escaped, and cut to 80 characters.
    pub fn new(
        what: &'static str,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: &str,
    ) -> ParseError {
        ParseError { what, at: at.into(), expected: expected.into(), found: excerpt(found) }
    }
}

/// `text` on one line and at most [`MAX_EXCERPT`] characters long; a cut shows as a final `…`.
fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for c in text.chars() {
        let escaped = (!crate::python::is_printable(c)).then(|| c.escape_default());
        let width = escaped.as_ref().map_or(1, ExactSizeIterator::len);
        // One place is kept free for the sign of a cut.
        if length + width > MAX_EXCERPT - 1 {
            shown.push('…');
            break;
        }
        match escaped {
            Some(escape) => shown.extend(escape),
            None => shown.push(c),
        }
        length += width;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_one_sentence() {
        let error = ParseError::new("callback", "/params/message", "an object", "a string");
        assert_eq!(error.to_string(), "callback at /params/message: expected an object, found a string");
    }

    #[test]
    fn found_text_is_cut_and_its_control_characters_are_escaped() {
        let error =
            ParseError::new("line", "byte 0", "JSON", &format!("a\nb\u{1b}[31m\u{202e}{}", "x".repeat(200)));
        assert!(error.found.starts_with("a\\nb\\u{1b}[31m\\u{202e}xxx"), "{}", error.found);
        assert!(error.found.ends_with('…'));
        assert!(error.found.chars().count() <= 80);
    }

    #[test]
    fn short_found_text_stays_whole() {
        assert_eq!(ParseError::new("line", "byte 0", "JSON", "grüße").found, "grüße");
    }
}
