//! Texts in which names between braces stand for something.

use std::collections::BTreeSet;

use crate::data::nearest;

/// A word between braces that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// Where its brace is, in bytes.
    pub(crate) at: usize,
    /// The word.
    pub(crate) found: String,
    /// The word that was perhaps meant.
    pub(crate) near: Option<&'static str>,
}

/// The words that a text uses of those that there are; or the first one that stands for nothing.
pub(crate) fn words(text: &str, known: &'static [&'static str]) -> Result<BTreeSet<&'static str>, Unknown> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices('{') {
        let rest = &text[at + 1..];
        let length = rest.bytes().take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_').count();
        if length == 0 || rest.as_bytes().get(length) != Some(&b'}') {
            continue;
        }
        let name = &rest[..length];
        match known.iter().find(|word| **word == name) {
            Some(word) => found.insert(*word),
            None => {
                let near = nearest(name, known.iter().copied());
                return Err(Unknown { at, found: name.to_owned(), near });
            }
        };
    }
    Ok(found)
}

/// A text with every `{name}` replaced for which there is a value. All other braces stay.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        filled.push_str(before);
        match from.split_once('}').and_then(|(name, after)| Some((value(name)?, after))) {
            Some((value, after)) => {
                filled.push_str(&value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = from;
            }
        }
    }
    filled.push_str(rest);
    filled
}
