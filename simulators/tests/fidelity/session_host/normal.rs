//! What is left of a text when ids, times and places are taken for what they are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Names ids in the order in which they come.
#[derive(Default)]
pub(super) struct Normal(BTreeMap<String, String>);

impl Normal {
    pub(super) fn text(&mut self, mut value: Value) -> String {
        self.walk("", &mut value);
        value.to_string()
    }

    fn walk(&mut self, key: &str, value: &mut Value) {
        match value {
            Value::Object(members) => {
                // What the model's server answered; no member is answered by one here.
                for extra in ["responseHeaders", "responseBody", "metadata"] {
                    members.remove(extra);
                }
                let renamed = std::mem::take(members).into_iter().map(|(key, mut value)| {
                    self.walk(&key, &mut value);
                    (self.id(&key).unwrap_or(key), value)
                });
                *members = renamed.collect();
            }
            Value::Array(elements) => elements.iter_mut().for_each(|element| self.walk(key, element)),
            Value::Number(number) if number.as_i64().is_some_and(|number| number > 1_000_000_000_000) => {
                *value = json!("TIME");
            }
            Value::String(text) => {
                if let Some(name) = self.id(text) {
                    *text = name;
                } else if ["slug", "directory", "path", "cwd", "ref"].contains(&key) {
                    *text = key.to_uppercase();
                } else if key == "title" && text.contains(" session - ") {
                    let shape = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
                    *text = shape.collect();
                } else if key == "message" {
                    let named = text
                        .rsplit_once(' ')
                        .and_then(|(before, last)| Some((before.to_owned(), self.id(last)?)));
                    if let Some((before, name)) = named {
                        *text = format!("{before} {name}");
                    }
                    // What it ran through inside, and what it wanted to write.
                    for cut in ["\n    at ", " (\"id\""] {
                        if let Some(at) = text.find(cut) {
                            text.truncate(at);
                        }
                    }
                }
            }
            _ => {}
        }
    }

    fn id(&mut self, text: &str) -> Option<String> {
        let (prefix, rest) = text.split_once('_')?;
        let is_id = rest.len() == 26 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !["ses", "msg", "prt", "evt"].contains(&prefix) || !is_id {
            return None;
        }
        let number = self.0.len();
        Some(self.0.entry(text.to_owned()).or_insert_with(|| format!("{prefix}#{number}")).clone())
    }
}

/// The lines of a head, without what differs from moment to moment.
pub(super) fn heads(lines: &[String]) -> Vec<String> {
    let shown = |line: &String| match line.split_once(": ") {
        Some((name @ ("Date" | "Content-Length"), value)) => format!("{name}: {}", value.trim() != "0"),
        _ => line.clone(),
    };
    lines.iter().map(shown).collect()
}
