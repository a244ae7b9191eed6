//! The words in braces of a manifest.

use std::collections::{BTreeMap, BTreeSet};

use crate::braces::{self, Unknown};

/// Every word.
pub(super) const WORDS: [&str; 20] = [
    "port",
    "token",
    "workdir",
    "home",
    "callback_url",
    "callback_token",
    "bin",
    "cli",
    "here",
    "turn_cap",
    "lock_wait",
    "idle",
    "poll",
    "slots",
    "contexts",
    "model",
    "role",
    "bind",
    "fleet_config",
    "executor",
];

/// The word that is all of the settings at once.
pub(super) const FLEET_CONFIG: &str = "fleet_config";

/// What the words stand for in one cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// A word stands for this.
    pub(crate) fn set(&mut self, word: &'static str, value: impl Into<String>) {
        self.0.insert(word, value.into());
    }

    /// A text with its words filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        braces::fill(text, |name| self.0.get(name).cloned())
    }

    /// The same inside of JSON texts: what would end one is escaped. The configuration of a receiver is JSON itself.
    pub(crate) fn fill_json(&self, text: &str) -> String {
        braces::fill(text, |name| {
            let value = self.0.get(name)?;
            if name == FLEET_CONFIG {
                return Some(value.clone());
            }
            let quoted = serde_json::Value::String(value.clone()).to_string();
            quoted.get(1..quoted.len() - 1).map(str::to_owned)
        })
    }
}

/// The words that a text uses; or the first one that stands for nothing.
pub(super) fn words(text: &str) -> Result<BTreeSet<&'static str>, Unknown> {
    braces::words(text, &WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_does_not_end_the_json_text_that_it_stands_in() {
        let values =
            Values([("role", "say \"hello\"\n".to_owned()), (FLEET_CONFIG, "{\"a\": 1}".to_owned())].into());
        let filled = values.fill_json("{ \"role\": \"{role}\", \"all\": {fleet_config} }");
        let read: serde_json::Value = serde_json::from_str(&filled).expect("it is JSON");
        assert_eq!(read, serde_json::json!({ "role": "say \"hello\"\n", "all": { "a": 1 } }));
    }

    #[test]
    fn a_word_that_stands_for_nothing_is_found_and_other_braces_are_left_alone() {
        assert_eq!(words("{ \"a\": {port}, {} {1} {token}"), Ok(["port", "token"].into()));
        let unknown = Unknown { at: 2, found: "prot".to_owned(), near: Some("port") };
        assert_eq!(words("x {prot}"), Err(unknown));
    }
}
