//! Writing values.

use serde_json::{Map, Value};

/// Words that YAML readers take for something else than a text.
const WORDS: [&str; 10] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n", "~"];

/// A value in flow style, on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(key, value)| format!("{}: {}", text(key), flow(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// A scalar in block style.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(plain) => text(plain),
        other => flow(other),
    }
}

/// The lines of a mapping in block style, each behind so many spaces.
pub(super) fn block(members: &Map<String, Value>, indent: usize, newline: &str) -> String {
    let mut lines = String::new();
    for (key, value) in members {
        lines.push_str(&entry(key, value, indent, newline));
    }
    lines
}

/// A key with its value, as lines.
pub(super) fn entry(key: &str, value: &Value, indent: usize, newline: &str) -> String {
    let key = format!("{}{}:", " ".repeat(indent), text(key));
    match value {
        Value::Object(members) if !members.is_empty() => {
            format!("{key}{newline}{}", block(members, indent + 2, newline))
        }
        other => format!("{key} {}{newline}", scalar(other)),
    }
}

/// A text: plain where nobody can misread it, else in double quotes. JSON's quotes and escapes are YAML's, too.
fn text(text: &str) -> String {
    let letter = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '_')
        && text.chars().all(|c| letter(c) || c == ':')
        && !text.ends_with(':')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}
