//! The words by which the CLI says that nobody is signed in.

/// In lower case.
const SIGNED_OUT: &[&str] = &[
    "not authenticated",
    "not signed in",
    "please sign in",
    "authentication required",
    "login required",
    "unauthorized",
    "no credentials",
];

/// Whether a text has words in it that tell of a missing sign-in, in letters of any case. So may an answer: whoever asks must
/// know whose text it is.
pub fn says_signed_out(text: &str) -> bool {
    let text = text.to_lowercase();
    SIGNED_OUT.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_is_seen_in_any_case() {
        for sign in SIGNED_OUT {
            assert!(says_signed_out(&format!("Error: {}!", sign.to_uppercase())));
        }
    }

    #[test]
    fn other_words_are_no_sign() {
        for text in ["", "authenticated", "signed in", "authorized", "no credential", "sign in"] {
            assert!(!says_signed_out(text), "{text:?}");
        }
    }
}
