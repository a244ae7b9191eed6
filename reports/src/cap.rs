//! Limits on the length of text that a peer can make long.

use std::borrow::Cow;

use serde::Serializer;

/// The most characters of one piece of evidence, of an expectation or of a reason that any format holds.
///
/// The `maxLength` in the published schemas is the same number.
pub const DETAIL_LIMIT: usize = 4_000;

/// Cuts `text` to at most `limit` characters. What is cut is told at the end: `… 120 more`.
///
/// Text that was cut once is not cut again by the same limit.
pub fn cap(text: &str, limit: usize) -> Cow<'_, str> {
    // A text of n bytes has at most n characters, so that short texts need no count.
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let total = text.chars().count();
    if total <= limit {
        return Cow::Borrowed(text);
    }
    let longest_note = note(total).chars().count();
    let kept = limit.saturating_sub(longest_note);
    let mut cut: String = text.chars().take(kept).collect();
    cut.push_str(&note(total - kept));
    Cow::Owned(cut)
}

fn note(left_out: usize) -> String {
    format!("… {left_out} more")
}

/// Writes a field cut to [`DETAIL_LIMIT`].
pub(crate) fn serialize<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&cap(text, DETAIL_LIMIT))
}

/// Writes an optional field cut to [`DETAIL_LIMIT`].
pub(crate) fn serialize_option<S: Serializer>(
    text: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => serializer.serialize_some(&cap(text, DETAIL_LIMIT)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_within_the_limit_stays_as_it_is() {
        let text = "ä".repeat(DETAIL_LIMIT);
        assert_eq!(cap(&text, DETAIL_LIMIT), text);
    }

    #[test]
    fn longer_text_is_cut_to_the_limit_and_says_how_much_is_missing() {
        let text = "ä".repeat(DETAIL_LIMIT + 1);
        let cut = cap(&text, DETAIL_LIMIT);
        let kept = cut.chars().filter(|c| *c == 'ä').count();
        assert!(cut.chars().count() <= DETAIL_LIMIT);
        assert!(cut.ends_with(&format!("… {} more", DETAIL_LIMIT + 1 - kept)), "{cut}");
    }

    #[test]
    fn what_was_cut_is_not_cut_again() {
        for length in [41, 99, 100, 101, 12_345] {
            let once = cap(&"x".repeat(length), 40).into_owned();
            assert_eq!(cap(&once, 40), once);
        }
    }
}
