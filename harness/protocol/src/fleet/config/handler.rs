//! Who answers messages that reach a node: the three that every node has, and the commands that its user registered.

use std::collections::BTreeMap;
use std::fmt;

/// Longer names are refused.
const LONGEST_NAME: usize = 64;

/// Who answers messages that reach the node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Handler {
    /// The text comes back.
    #[default]
    Echo,
    /// A model without tools.
    Llm,
    /// The gateway's agent.
    Agent,
    /// A command of the node's user, by the name under which it is registered.
    Registered(String),
}

impl Handler {
    /// Those that every node has, in the order in which they are listed to people.
    pub const BUILT_IN: [Handler; 3] = [Handler::Agent, Handler::Echo, Handler::Llm];

    /// Its name in the file and on the wire.
    pub fn name(&self) -> &str {
        match self {
            Handler::Echo => "echo",
            Handler::Llm => "llm",
            Handler::Agent => "agent",
            Handler::Registered(name) => name,
        }
    }

    /// Whether a text can be the name of a handler: letters of the English alphabet, digits, `-` and `_`, the first one a
    /// small letter, 64 at most.
    pub fn is_name(text: &str) -> bool {
        text.len() <= LONGEST_NAME
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
    }
}

impl fmt::Display for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A command that answers: it reads the text of a message, and what it prints is the answer. No shell sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The program and its arguments, each as it is handed over.
    pub command: Vec<String>,
    /// How long an answer may take, in seconds; 60 when absent.
    pub timeout_s: f64,
}

impl Registered {
    /// More than this is no answer.
    pub const LONGEST_ANSWER: usize = 1024 * 1024;
    pub(super) const TIMEOUT_S: f64 = 60.0;
}

/// The handler of that name, if there is one.
pub(super) fn named(name: &str, registered: &BTreeMap<String, Registered>) -> Option<Handler> {
    let built_in = Handler::BUILT_IN.into_iter().find(|handler| handler.name() == name);
    built_in.or_else(|| registered.contains_key(name).then(|| Handler::Registered(name.to_owned())))
}

/// The names of all handlers, in order.
pub(super) fn names(registered: &BTreeMap<String, Registered>) -> Vec<&str> {
    let built_in = ["agent", "echo", "llm"].into_iter();
    let mut names: Vec<&str> = built_in.chain(registered.keys().map(String::as_str)).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_plain_word() {
        assert!(["echo", "count-words", "a", "x_2"].into_iter().all(Handler::is_name));
        let long = "x".repeat(65);
        for wrong in ["", "-x", "2x", "Count", "a b", "a/b", "../x", "ä", "a\n", "a;b", &long] {
            assert!(!Handler::is_name(wrong), "{wrong:?}");
        }
    }
}
