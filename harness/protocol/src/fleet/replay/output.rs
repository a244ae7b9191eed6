//! What a receiver reads out of the whole standard output of one turn.

use super::Replays;

/// How what was printed begins with what earlier turns printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// There is nothing to repeat: it is the first turn of its conversation.
    Nothing,
    /// It repeats everything, to the letter.
    Exact,
    /// It repeats everything but line ends at the end of it.
    ButLineEnds,
    /// It does not repeat it: nobody can tell what is new.
    Drifted,
}

/// The output of one turn, by the rules of fact sheet 3.5.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnOutput {
    /// Everything that its conversation printed so far: to be remembered for the next turn.
    pub text: String,
    /// The conversation that was to be gone on with and does not exist; the rest was printed by a new one.
    pub not_found: Option<String>,
    /// Whether earlier turns are repeated.
    pub replay: Replay,
    /// What this turn added, trimmed; all of it when the replay has drifted. Nothing when nothing is left.
    pub reply: Option<String>,
}

impl TurnOutput {
    /// Reads everything that the CLI printed in the first turn of a conversation.
    pub fn first(stdout: &[u8]) -> TurnOutput {
        TurnOutput::new(text(stdout), None, Replay::Nothing, 0)
    }

    /// The same for a turn that was to go on with a conversation, which printed `before` so far.
    pub fn later(words: &Replays, stdout: &[u8], before: &str) -> TurnOutput {
        let text = text(stdout);
        if let Some(dead) = words.conversation_not_found(&text) {
            let not_found = Some(dead.conversation.to_owned());
            return TurnOutput::new(dead.rest.to_owned(), not_found, Replay::Nothing, 0);
        }
        TurnOutput::going_on(text, before)
    }

    /// The same, without looking for a conversation that does not exist.
    pub fn going_on(text: String, before: &str) -> TurnOutput {
        let bare = before.trim_end_matches('\n');
        let (replay, length) = match () {
            () if text.starts_with(before) => (Replay::Exact, before.len()),
            () if text.starts_with(bare) => (Replay::ButLineEnds, bare.len()),
            () => (Replay::Drifted, 0),
        };
        TurnOutput::new(text, None, replay, length)
    }

    fn new(text: String, not_found: Option<String>, replay: Replay, repeated: usize) -> TurnOutput {
        let reply = text.get(repeated..).unwrap_or_default().trim();
        let reply = (!reply.is_empty()).then(|| reply.to_owned());
        TurnOutput { text, not_found, replay, reply }
    }
}

/// Standard output as text. It may have been cut anywhere, also in the middle of a letter, which is left out then, so that the text
/// is still the beginning of what a later turn repeats.
fn text(stdout: &[u8]) -> String {
    let mut text = String::new();
    for chunk in stdout.utf8_chunks() {
        text.push_str(chunk.valid());
        // Only at the very end can a letter be half there.
        let is_half = std::str::from_utf8(chunk.invalid()).is_err_and(|error| error.error_len().is_none());
        if !chunk.invalid().is_empty() && !is_half {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::KNOWN;
    use super::*;

    fn later(stdout: &str, before: &str) -> (Replay, Option<String>) {
        let output = TurnOutput::later(&KNOWN, stdout.as_bytes(), before);
        assert_eq!((output.text.as_str(), output.not_found), (stdout, None));
        (output.replay, output.reply)
    }

    fn reply(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_first_turn_is_its_reply_trimmed_and_keeps_its_text_as_it_is() {
        let output = TurnOutput::first(b"\n PONG \n\n");
        assert_eq!((output.text.as_str(), output.reply), ("\n PONG \n\n", reply("PONG")));
        assert_eq!(TurnOutput::first(b" \n").reply, None);
    }

    #[test]
    fn what_is_repeated_is_no_part_of_the_reply() {
        assert_eq!(later("PONG\nPONG2\n", "PONG\n"), (Replay::Exact, reply("PONG2")));
        assert_eq!(later("PONG PONG2\n", "PONG\n\n"), (Replay::ButLineEnds, reply("PONG2")));
        assert_eq!(later("PONG\n", "PONG\n"), (Replay::Exact, None));
        assert_eq!(later("PONG", ""), (Replay::Exact, reply("PONG")));
    }

    #[test]
    fn a_replay_that_does_not_fit_leaves_everything_in_the_reply() {
        let drifted = later("PONG.\nPONG2\n", "PONG\n");
        assert_eq!(drifted, (Replay::ButLineEnds, reply(".\nPONG2")), "whoever cuts line ends cannot tell");
        assert_eq!(later("pong\nPONG2\n", "PONG\n"), (Replay::Drifted, reply("pong\nPONG2")));
        assert_eq!(later("", "PONG\n"), (Replay::Drifted, None));
    }

    #[test]
    fn a_conversation_that_is_gone_repeats_nothing() {
        let output =
            TurnOutput::later(&KNOWN, b"Warning: conversation \"u\" not found.\nPONG\nfresh\n", "PONG\n");
        let expected = TurnOutput {
            text: "PONG\nfresh\n".to_owned(),
            not_found: reply("u"),
            replay: Replay::Nothing,
            reply: reply("PONG\nfresh"),
        };
        assert_eq!(output, expected);
    }

    #[test]
    fn the_same_line_in_a_first_turn_is_an_answer() {
        let says = "Warning: conversation \"u\" not found.";
        assert_eq!(TurnOutput::first(says.as_bytes()).reply, reply(says));
        let repeated = format!("{says}\nand more\n");
        let output = TurnOutput::going_on(repeated, &format!("{says}\n"));
        assert_eq!(output.reply, reply("and more"));
    }

    #[test]
    fn a_letter_that_was_cut_in_half_is_left_out() {
        let output = TurnOutput::first(&"naïve".as_bytes()[..3]);
        assert_eq!(output.text, "na");
        assert_eq!(later("naïve and more", &output.text).1, reply("ïve and more"));
        assert_eq!(TurnOutput::first(b"a\xffb\xc3").text, "a\u{fffd}b");
    }
}
