//! Characters that a reader cannot see, or that act on a terminal or on the order of text, shown as escapes.
//!
//! Backslashes of the text itself stay as they are: the formats made here are for people, and `report.json` holds the
//! exact text.

use std::fmt::Write as _;

/// Whether a character is shown as an escape: controls (among them ESC and the C1 set), marks that change the direction
/// of text, characters without a shape, separators that some programs take for a line end, and noncharacters.
///
/// Everything that XML 1.0 does not allow is among them.
pub const fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        || (c as u32 & 0xfffe) == 0xfffe
}

/// The text on one line: line ends become `\n`, other hidden characters `\t`, `\r` or `\u{1b}`.
pub fn one_line(text: &str) -> String {
    shown(text, false)
}

/// The text with its line feeds kept and every other hidden character as an escape.
pub fn lines(text: &str) -> String {
    shown(text, true)
}

fn shown(text: &str, keep_line_feeds: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if keep_line_feeds => out.push('\n'),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hidden(c) => write!(out, "\\u{{{:x}}}", c as u32).expect("a String takes every write"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_terminal_command_in_a_peers_text_is_shown_and_not_obeyed() {
        assert_eq!(one_line("\u{1b}[2Jgone\u{9b}0m"), "\\u{1b}[2Jgone\\u{9b}0m");
    }

    #[test]
    fn a_bidi_override_cannot_turn_text_round() {
        assert_eq!(one_line("a\u{202e}b\u{2066}c"), "a\\u{202e}b\\u{2066}c");
    }

    #[test]
    fn wire_text_keeps_its_lines_and_shows_its_carriage_returns() {
        assert_eq!(lines("HTTP/1.1 200 OK\r\n\r\n"), "HTTP/1.1 200 OK\\r\n\\r\n");
        assert_eq!(one_line("a\r\nb\tc"), "a\\r\\nb\\tc");
    }

    #[test]
    fn ordinary_text_of_any_script_stays_readable() {
        for text in ["plain \\ text", "Grüße", "日本語", "…·→"] {
            assert_eq!(one_line(text), text);
        }
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_in_any_text(text in proptest::collection::vec(any::<char>(), 0..60)) {
            let text: String = text.into_iter().collect();
            prop_assert!(!one_line(&text).chars().any(is_hidden));
            prop_assert!(!lines(&text).chars().any(|c| c != '\n' && is_hidden(c)));
        }
    }
}
