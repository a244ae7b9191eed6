//! What `gauntlet explain` prints: everything that is known of one thing.

use serde_json::{Map, Value};

use crate::columns;
use crate::escape;

/// Everything that is known of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What it is, for instance `requirement`.
    pub kind: String,
    /// Its name.
    pub id: String,
    /// The file that it is written in, and the line, counted from 1.
    pub place: Option<(String, u64)>,
    /// What is known, each under its name, in order.
    pub facts: Vec<(String, Fact)>,
}

/// Something that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A text.
    One(String),
    /// A list.
    Many(Vec<String>),
}

impl Explanation {
    /// A thing of which nothing is known yet.
    pub fn new(kind: &str, id: &str, place: Option<(String, u64)>) -> Self {
        Self { kind: kind.to_owned(), id: id.to_owned(), place, facts: Vec::new() }
    }

    /// Adds a text; an empty one is left out.
    pub fn one(&mut self, name: &str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.facts.push((name.to_owned(), Fact::One(text)));
        }
    }

    /// Adds a list; an empty one is left out.
    pub fn many(&mut self, name: &str, list: Vec<String>) {
        if !list.is_empty() {
            self.facts.push((name.to_owned(), Fact::Many(list)));
        }
    }

    /// For people, in lines of at most `width` columns (40 at least).
    pub fn text(&self, width: usize) -> String {
        let width = width.max(40);
        let mut lines = columns::wrap(&format!("{} {}", self.kind, escape::one_line(&self.id)), width);
        let mut say = |indent: usize, text: &str| {
            let wrapped = columns::wrap(&escape::one_line(text), width - indent);
            lines.extend(wrapped.into_iter().map(|line| format!("{}{line}", " ".repeat(indent))));
        };
        if let Some((file, line)) = &self.place {
            say(2, &format!("{file}:{line}"));
        }
        for (name, fact) in &self.facts {
            say(0, &format!("{name}:"));
            match fact {
                Fact::One(text) => text.lines().for_each(|line| say(2, line)),
                Fact::Many(list) => list.iter().for_each(|text| say(2, text)),
            }
        }
        lines.into_iter().map(|line| format!("{line}\n")).collect()
    }

    /// As an object: `kind`, `id`, `file` and `line` where there is a file, and each fact under its name.
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        object.insert("kind".to_owned(), self.kind.as_str().into());
        object.insert("id".to_owned(), self.id.as_str().into());
        if let Some((file, line)) = &self.place {
            object.insert("file".to_owned(), file.as_str().into());
            object.insert("line".to_owned(), (*line).into());
        }
        for (name, fact) in &self.facts {
            let value = match fact {
                Fact::One(text) => text.as_str().into(),
                Fact::Many(list) => list.clone().into(),
            };
            object.insert(name.replace(' ', "_"), value);
        }
        Value::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_fits_the_terminal_and_shows_no_hidden_character() {
        let mut explanation = Explanation::new("requirement", "FLEET-ACK-01", Some(("a.yaml".to_owned(), 7)));
        explanation.one("statement", "A sentence that is rather long for so narrow a page.");
        explanation.one("nothing", "");
        explanation.many("judged by", vec!["fleet/one".to_owned(), "fleet/two\u{1b}[0m".to_owned()]);
        let text = explanation.text(40);
        assert!(text.starts_with("requirement FLEET-ACK-01\n  a.yaml:7\nstatement:\n  A sentence"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 40), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains("nothing"), "{text}");
        let json = explanation.json();
        assert_eq!((&json["line"], &json["judged_by"][0]), (&7.into(), &"fleet/one".into()));
    }
}
