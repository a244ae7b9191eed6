//! The words by which the CLI says that nobody is signed in.

use super::Replays;

impl Replays {
    /// Whether a text has words in it that tell of a missing sign-in, in letters of any case. So may an answer: whoever asks must
    /// know whose text it is.
    pub fn says_signed_out(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.signed_out.iter().any(|sign| text.contains(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::super::KNOWN;

    #[test]
    fn every_sign_is_seen_in_any_case() {
        for sign in KNOWN.signed_out {
            assert!(KNOWN.says_signed_out(&format!("Error: {}!", sign.to_uppercase())));
        }
    }

    #[test]
    fn other_words_are_no_sign() {
        for text in ["", "authenticated", "signed in", "authorized", "no credential", "sign in"] {
            assert!(!KNOWN.says_signed_out(text), "{text:?}");
        }
    }
}
