//! Whether nobody is signed in, as far as the output of a CLI without frames tells.

use gauntlet_protocol::fleet::replay::Replays;

use super::cli::Output;

/// What an output has to do with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignIn {
    /// Nothing.
    Nothing,
    /// Nothing at all was printed, and the return code is that of a success: so it ends when nobody is signed in.
    Silence,
    /// It failed, or gave no answer, and says that nobody is signed in.
    Told,
    /// It failed without a word.
    MuteFailure,
    /// It answered, and the words of a missing sign-in are somewhere in what it printed: they are what the answer is about.
    Quoted,
}

impl SignIn {
    /// Judges the output of a turn, of which `added` is what earlier turns had not printed.
    pub(super) fn of(words: &Replays, output: &Output, printed: &str, added: Option<&str>) -> Self {
        let says_so = |text: &str| words.says_signed_out(text);
        let has_words = says_so(&output.stderr) || added.is_some_and(says_so);
        let answered = added.is_some() && output.code == 0;
        match (has_words, answered, printed.trim().is_empty(), output.code) {
            (true, true, ..) => Self::Quoted,
            (true, false, ..) => Self::Told,
            (false, _, true, 0) => Self::Silence,
            (false, _, true, _) => Self::MuteFailure,
            (false, _, false, _) => Self::Nothing,
        }
    }

    /// Whether it means that nobody is signed in. The product line says so of a failure without a word and of an answer about the
    /// matter as well, and then loses the answer, and every later one of the conversation, which repeats it.
    pub(super) fn is_missing(self) -> bool {
        matches!(self, Self::Silence | Self::Told)
    }

    /// The name for events.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Silence => "silence",
            Self::Told => "told",
            Self::MuteFailure => "mute failure",
            Self::Quoted => "quoted",
        }
    }
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::agy::REPLAYS;

    use super::*;

    #[test]
    fn an_answer_about_signing_in_is_told_from_a_missing_sign_in() {
        use SignIn::{MuteFailure, Nothing, Quoted, Silence, Told};
        for (stdout, added, stderr, code, is) in [
            ("", None, "", 0, Silence),
            (" \n", None, "warning", 0, Silence),
            ("", None, "the disk is on fire", 7, MuteFailure),
            ("", None, "Error: not authenticated", 1, Told),
            ("", None, "Error: login required", 0, Told),
            ("Please sign in", Some("Please sign in"), "", 1, Told),
            ("a 401 is Unauthorized", Some("a 401 is Unauthorized"), "", 0, Quoted),
            ("fine", Some("fine"), "telemetry: unauthorized", 0, Quoted),
            ("fine", Some("fine"), "", 3, Nothing),
            // Of an earlier turn: nothing new.
            ("unauthorized", None, "", 0, Nothing),
            ("unauthorized\nfine", Some("fine"), "", 0, Nothing),
        ] {
            let output = Output { stdout: Vec::new(), stderr: stderr.to_owned(), code };
            assert_eq!(SignIn::of(&REPLAYS, &output, stdout, added), is, "{stdout:?} {stderr:?} {code}");
        }
        assert!(Silence.is_missing() && Told.is_missing());
        assert!(!Quoted.is_missing() && !MuteFailure.is_missing() && !Nothing.is_missing());
    }
}
