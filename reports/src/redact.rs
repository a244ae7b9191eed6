//! Secrets are replaced before any text enters the model.

use std::collections::BTreeSet;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// A run of base64 shorter than this says too little to be taken for a secret: it would hit ordinary words.
const SHORTEST_BASE64: usize = 6;

/// The secrets of one cell, in every form in which they are looked for.
///
/// Besides the plain text these are: inside a JSON string, percent-encoded, and base64 in both alphabets at each of the
/// three alignments, so that `user:secret` of basic authentication is found too. Redact before a text is cut, or a
/// secret at the cut stays in part.
#[derive(Clone, PartialEq)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Takes the secrets of a cell. Empty ones are ignored.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let mut forms = BTreeSet::new();
        for secret in secrets {
            add_forms(secret.as_ref(), &mut forms);
        }
        forms.remove("");
        let mut forms: Vec<String> = forms.into_iter().collect();
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        Self(forms)
    }

    /// The text with each secret replaced by [`REDACTED`]. Secrets that overlap are replaced together.
    pub fn redact(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest_from = 0;
        for (start, end) in self.found_in(text) {
            out.push_str(&text[rest_from..start]);
            out.push_str(REDACTED);
            rest_from = end;
        }
        out.push_str(&text[rest_from..]);
        out
    }

    /// The beginning of a text, redacted and cut to so many characters; `…` stands for the rest. Of a long text only the
    /// beginning is read.
    pub fn redact_beginning(&self, text: &str, limit: usize) -> String {
        // Of a secret that lies across the end of what is read only a part is seen; no more than that is thrown away.
        let margin = self.0.first().map_or(0, String::len);
        let read = text.char_indices().nth(limit + 2 * margin).map_or(text, |(end, _)| &text[..end]);
        let mut redacted = self.redact(read);
        if read.len() < text.len() {
            let kept = redacted.char_indices().rev().nth(margin).map_or(0, |(end, _)| end);
            redacted.truncate(kept);
        }
        match redacted.char_indices().nth(limit) {
            Some((end, _)) => redacted.truncate(end),
            None if read.len() == text.len() => return redacted,
            None => {}
        }
        redacted.push('…');
        redacted
    }

    /// Byte ranges that hold secrets, in order; ranges that overlap are joined.
    fn found_in(&self, text: &str) -> Vec<(usize, usize)> {
        let mut found: Vec<(usize, usize)> = Vec::new();
        for form in &self.0 {
            let mut from = 0;
            while let Some(at) = text[from..].find(form.as_str()) {
                let start = from + at;
                found.push((start, start + form.len()));
                // One character on, so that a secret that overlaps itself is covered to its last byte.
                from = start + form.chars().next().map_or(1, char::len_utf8);
            }
        }
        found.sort_unstable();
        let mut joined: Vec<(usize, usize)> = Vec::with_capacity(found.len());
        for (start, end) in found {
            match joined.last_mut() {
                Some(last) if start < last.1 => last.1 = last.1.max(end),
                _ => joined.push((start, end)),
            }
        }
        joined
    }
}

/// Says how many forms there are and nothing else: secrets must not reach a log by way of a debug line.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} forms)", self.0.len())
    }
}

fn add_forms(secret: &str, forms: &mut BTreeSet<String>) {
    if secret.is_empty() {
        return;
    }
    forms.insert(secret.to_owned());
    let json = serde_json::Value::from(secret).to_string();
    forms.insert(json[1..json.len() - 1].to_owned());
    for upper in [true, false] {
        let percent = percent_encoded(secret, upper);
        forms.insert(percent.replace("%20", "+"));
        forms.insert(percent);
    }
    for alphabet in [STANDARD, URL_SAFE] {
        forms.extend(base64_forms(secret, &alphabet));
    }
}

/// Every byte that is not unreserved by RFC 3986, section 2.3, as `%` and two hexadecimal digits.
fn percent_encoded(secret: &str, upper: bool) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte if upper => format!("%{byte:02X}"),
        byte => format!("%{byte:02x}"),
    };
    secret.bytes().map(encode).collect()
}

/// The whole encoding, and at each alignment the digits that the secret alone determines, whatever stands around it.
fn base64_forms(secret: &str, alphabet: &impl Engine) -> Vec<String> {
    let whole = alphabet.encode(secret);
    let mut forms = vec![whole.trim_end_matches('=').to_owned(), whole];
    for before in 0..3 {
        let bytes = [&[0; 2][..before], secret.as_bytes()].concat();
        let digits = alphabet.encode(&bytes);
        let first = (before * 8).div_ceil(6);
        let last = bytes.len() * 8 / 6;
        if let Some(core) = digits.get(first..last) {
            forms.push(core.to_owned());
        }
    }
    forms.retain(|form| form.len() >= SHORTEST_BASE64);
    forms
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_is_replaced_wherever_it_stands() {
        let secrets = Secrets::new(["tok-123"]);
        assert_eq!(secrets.redact("tok-123 and Bearer tok-123"), "[redacted] and Bearer [redacted]");
        assert_eq!(secrets.redact("nothing here"), "nothing here");
    }

    #[test]
    fn a_longer_secret_goes_before_its_own_part() {
        assert_eq!(Secrets::new(["abc", "abcdef"]).redact("abcdef abc"), "[redacted] [redacted]");
    }

    #[test]
    fn secrets_that_overlap_leave_no_rest() {
        assert_eq!(Secrets::new(["abc", "bcdef"]).redact("xabcdefx"), "x[redacted]x");
        assert_eq!(Secrets::new(["aba"]).redact("xababax"), "x[redacted]x");
    }

    #[test]
    fn a_secret_that_is_part_of_the_replacement_does_not_change_it() {
        assert_eq!(Secrets::new(["long-secret", "red"]).redact("long-secret"), "[redacted]");
    }

    #[test]
    fn empty_secrets_are_ignored() {
        assert_eq!(Secrets::new(["", ""]).redact("text"), "text");
    }

    #[test]
    fn encoded_secrets_are_found() {
        let secret = "p/s ä\"9?>~x";
        let secrets = Secrets::new([secret]);
        for text in [
            "p%2Fs%20%C3%A4%229%3F%3E~x",
            "p%2fs%20%c3%a4%229%3f%3e~x",
            "p%2Fs+%C3%A4%229%3F%3E~x",
            "p/s ä\\\"9?>~x",
        ] {
            assert_eq!(secrets.redact(text), REDACTED);
        }
        assert_eq!(secrets.redact(&STANDARD.encode(secret)), REDACTED);
        assert_eq!(secrets.redact(&URL_SAFE.encode(secret)), REDACTED);
    }

    #[test]
    fn a_secret_inside_basic_authentication_is_found_at_every_alignment() {
        let secret = "s3cret-token-value";
        for user in ["", "u", "us", "use"] {
            let header = STANDARD.encode(format!("{user}:{secret}:end"));
            let redacted = Secrets::new([secret]).redact(&header);
            assert!(redacted.contains(REDACTED), "{user}: {redacted}");
            // The neighbours take up to 4 bytes at each side: 6 digits with the one shared, and the padding.
            assert!(redacted.len() <= REDACTED.len() + 6 + 6 + 2, "{user}: {redacted}");
        }
    }

    #[test]
    fn a_short_secret_does_not_eat_words_by_its_base64() {
        assert_eq!(Secrets::new(["i\u{b7}"]).redact("the word acK3 stays"), "the word acK3 stays");
    }

    #[test]
    fn the_beginning_of_a_text_is_cut_where_it_is_asked_to() {
        let secrets = Secrets::new(["tok-123"]);
        assert_eq!(secrets.redact_beginning("a tok-123", 40), "a [redacted]");
        assert_eq!(secrets.redact_beginning(&"x".repeat(1000), 5), "xxxxx…");
        assert_eq!(secrets.redact_beginning("tok-123 and more", 12), "[redacted] a…");
    }

    #[test]
    fn a_debug_line_shows_no_secret() {
        let shown = format!("{:?}", Secrets::new(["tok-123"]));
        assert!(shown.starts_with("Secrets("), "{shown}");
        assert!(!shown.contains("tok"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_part_of_a_secret_is_left_at_a_cut(
            before in "[ x\u{e4}]{0,60}", many in 0usize..40, after in "[ x]{0,200}", limit in 0usize..120
        ) {
            let secret = "tok-0123456789";
            let text = format!("{before}{}{after}{secret}", secret.repeat(many));
            let shown = Secrets::new([secret]).redact_beginning(&text, limit);
            prop_assert!(!shown.replace(REDACTED, "").contains("tok"), "{shown}");
            prop_assert!(shown.chars().count() <= limit + 1, "{shown}");
        }

        #[test]
        fn no_secret_is_left_in_any_text(
            secret in "[a-e\u{e4}]{1,6}", other in "[a-e]{1,4}", text in "[a-e\u{e4} ]{0,40}"
        ) {
            let redacted = Secrets::new([&secret, &other]).redact(&text);
            let rest = redacted.replace(REDACTED, "\u{0}");
            prop_assert!(!rest.contains(&secret), "{rest}");
            prop_assert!(!rest.contains(&other), "{rest}");
        }
    }
}
