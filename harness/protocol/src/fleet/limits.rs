//! Sizes that all receivers share (fact sheet 1.1).

/// Longest request body that is read, in bytes; a longer one is refused with 413, an equal one is accepted.
pub const MAX_BODY: usize = 1_048_576;

/// Longest prompt that is executed, in characters.
pub const MAX_PROMPT_CHARS: usize = 262_144;

/// Most of a CLI's standard output that is read; the beginning is kept. The sheet counts characters. The reference counts
/// bytes, which are never fewer, so that no output fills its memory.
pub const MAX_STDOUT_CHARS: usize = 8_388_608;

/// Largest callback that a receiver can send, in bytes. Its reply comes from the standard output and its context from a
/// dispatch, and JSON writes a byte of them with six at most.
pub const MAX_CALLBACK: usize = 6 * (MAX_STDOUT_CHARS + MAX_BODY);

/// The prompt as it is executed, and whether it was cut (FLEET-ACK-06).
pub fn prompt_cut(text: &str) -> (&str, bool) {
    first_chars(text, MAX_PROMPT_CHARS)
}

fn first_chars(text: &str, limit: usize) -> (&str, bool) {
    match text.char_indices().nth(limit) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_at_the_limit_stays_whole_and_a_longer_one_is_cut_by_characters() {
        let at_limit = "ü".repeat(MAX_PROMPT_CHARS);
        assert_eq!(prompt_cut(&at_limit), (at_limit.as_str(), false));
        let over = format!("{at_limit}🦀");
        assert_eq!(prompt_cut(&over), (at_limit.as_str(), true));
    }

    #[test]
    fn the_beginning_is_kept() {
        assert_eq!(first_chars("abc", 2), ("ab", true));
        assert_eq!(first_chars("", 0), ("", false));
    }
}
