//! Text made safe to stand in Markdown.

use crate::cap::{DETAIL_LIMIT, cap};
use crate::escape;

/// Words of the catalogue as ordinary text, also inside a table: no markup and no HTML of theirs takes effect.
///
/// The pipe and the backslash become entities, since renderers disagree on how a table cell ends after a backslash.
pub(super) fn text(words: &str) -> String {
    let words = escape::one_line(&cap(words, DETAIL_LIMIT));
    let mut out = String::with_capacity(words.len());
    for c in words.chars() {
        match c {
            '|' => out.push_str("&#124;"),
            '\\' => out.push_str("&#92;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '`' | '*' | '_' | '[' | ']' | '~' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out
}

/// A peer's words as a code span on one line, outside tables: nothing in it is markup, a mention or a link.
pub(super) fn code(words: &str) -> String {
    let words = escape::one_line(&cap(words, DETAIL_LIMIT));
    if words.trim().is_empty() {
        return format!("(empty, {} characters)", words.chars().count());
    }
    let ticks = "`".repeat(longest_run_of_ticks(&words) + 1);
    let padded = words.starts_with(['`', ' ']) || words.ends_with(['`', ' ']);
    let space = if padded { " " } else { "" };
    format!("{ticks}{space}{words}{space}{ticks}")
}

/// A peer's words as a fenced block that they cannot leave.
pub(super) fn block(words: &str, language: &str) -> String {
    let words = escape::lines(&cap(words, DETAIL_LIMIT));
    let fence = "`".repeat((longest_run_of_ticks(&words) + 1).max(3));
    let end = if words.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{words}{end}{fence}\n")
}

fn longest_run_of_ticks(words: &str) -> usize {
    words.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_and_html_in_text_take_no_effect() {
        assert_eq!(
            text("a|b `c` <img src=x> *d* [e](f) g\\|h &lt; claude_code"),
            "a&#124;b \\`c\\` &lt;img src=x&gt; \\*d\\* \\[e\\](f) g&#92;&#124;h &amp;lt; claude\\_code"
        );
    }

    #[test]
    fn text_stays_on_its_line() {
        assert_eq!(text("a\n# b\r"), "a&#92;n# b&#92;r");
    }

    #[test]
    fn a_code_span_has_more_backticks_than_its_words() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a ``b`` <script>"), "```a ``b`` <script>```");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(" x"), "`  x `");
        assert_eq!(code(""), "(empty, 0 characters)");
    }

    #[test]
    fn a_block_cannot_be_left_by_a_fence_inside_it() {
        assert_eq!(block("a\n```\n# out\n", "text"), "````text\na\n```\n# out\n````\n");
        assert_eq!(block("a\u{1b}", ""), "```\na\\u{1b}\n```\n");
    }
}
