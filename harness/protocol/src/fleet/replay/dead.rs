//! The line by which the CLI says that it does not know the conversation that it was to go on with.
//!
//! It has run the prompt all the same, in a new conversation, before anybody reads this.

use super::Replays;

/// What stands around the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotFound<'a> {
    /// The conversation that is not known, as the line has it.
    pub conversation: &'a str,
    /// Everything behind the line: what the new conversation printed.
    pub rest: &'a str,
}

impl Replays {
    /// Whether the first line with anything on it says that a conversation does not exist, in letters of any case.
    pub fn conversation_not_found<'t>(&self, stdout: &'t str) -> Option<NotFound<'t>> {
        let (begins, ends) = self.not_found;
        let text = stdout.trim_start();
        let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
        let line = line.trim_end();
        // Letters of both ends are ASCII, so that lower case changes no place in the line.
        let start = line.get(..begins.len())?.eq_ignore_ascii_case(begins);
        let inner = line.get(begins.len()..)?;
        let end = inner.len().checked_sub(ends.len())?;
        let is_said = start && inner.get(end..)?.eq_ignore_ascii_case(ends);
        is_said.then(|| NotFound { conversation: &inner[..end], rest })
    }
}

#[cfg(test)]
mod tests {
    use super::super::KNOWN;
    use super::*;

    #[test]
    fn the_first_line_with_anything_on_it_counts() {
        let text = "\n \nWARNING: Conversation \"u-1\" not found.\r\nfresh\n";
        assert_eq!(
            KNOWN.conversation_not_found(text),
            Some(NotFound { conversation: "u-1", rest: "fresh\n" })
        );
        let alone = KNOWN.conversation_not_found("Warning: conversation \"\" not found.");
        assert_eq!(alone, Some(NotFound { conversation: "", rest: "" }));
    }

    #[test]
    fn other_lines_are_no_such_line() {
        for text in [
            "",
            "fresh\nWarning: conversation \"u\" not found.\n",
            "Warning: conversation u not found.",
            "Warning: conversation \"u\" not found. Or is it?",
            "Warning: conversation \" not found.",
            "warning: conversation \u{130}",
            "> Warning: conversation \"u\" not found.",
        ] {
            assert_eq!(KNOWN.conversation_not_found(text), None, "{text:?}");
        }
    }
}
