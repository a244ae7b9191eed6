//! Comparing what was observed with what a scenario expects.

use std::io;

use serde_json::{Value, json};

use super::view::{Looked, View};
use crate::scenario::{Check, Comparison, Expect};

/// How many characters of a value are shown.
const SHOWN: usize = 600;

/// What was expected and what was observed, when they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) expected: String,
    pub(super) observed: String,
}

fn differ(expected: impl Into<String>, observed: &Value, view: &View<'_>) -> Option<Difference> {
    // Redacted before it is cut, or a secret at the cut would stay in part.
    let observed = view.secrets().redact_beginning(&beginning(observed), SHOWN);
    Some(Difference { expected: expected.into(), observed })
}

/// A value as JSON, but no more of it than can matter for what is shown: a peer may have said a megabyte.
fn beginning(value: &Value) -> String {
    let mut written = Beginning(Vec::new());
    // That it is full is the only thing that can go wrong.
    let _ = serde_json::to_writer(&mut written, value);
    let mut bytes = written.0;
    let whole = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
    bytes.truncate(whole);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Bytes that stop growing: far more than is shown, and than any secret is long that could lie across the end of it.
struct Beginning(Vec<u8>);

impl Beginning {
    const MOST: usize = 64 * 1024;
}

impl io::Write for Beginning {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(Self::MOST - self.0.len());
        self.0.extend_from_slice(&bytes[..taken]);
        if taken < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn shown(value: &Value) -> String {
    cut(value.to_string())
}

fn cut(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Compares the result of a step with the members of its expectation that are given.
pub(super) fn step(expect: &Expect, result: &Value, view: &View<'_>) -> Option<Difference> {
    let at = |pointer: &str| result.pointer(pointer).cloned().unwrap_or_default();
    let resolve = |text: &str| view.names.resolve(text);
    let mut wanted: Vec<(&str, Value)> = Vec::new();
    if let Some(acknowledged) = expect.acknowledged {
        wanted.push(("/acknowledged", json!(acknowledged)));
    }
    if let Some(code) = expect.rpc_error {
        wanted.push(("/body/error/code", json!(code)));
    }
    if let Some(text) = &expect.rpc_message {
        wanted.push(("/body/error/message", json!(resolve(text))));
    }
    if let Some(status) = expect.status {
        wanted.push(("/status", json!(status)));
    }
    if let Some(body) = &expect.body {
        wanted.push(("/body", view.names.resolve_value(body)));
    }
    if let Some(text) = &expect.text {
        wanted.push(("/text", json!(resolve(text))));
    }
    if let Some(class) = &expect.error_class {
        wanted.push(("/tool/class", json!(class)));
    }
    if let Some(happens) = expect.happens {
        wanted.push(("/happens", json!(happens)));
    }
    if let Some(listening) = expect.listening {
        wanted.push(("/listening", json!(listening)));
    }
    if let Some(code) = expect.exit_code {
        wanted.push(("/code", json!(code)));
    }
    for (pointer, wanted) in wanted {
        if at(pointer) != wanted {
            return differ(format!("{} is {}", &pointer[1..], shown(&wanted)), result, view);
        }
    }
    if let Some(part) = &expect.text_contains
        && !at("/text").as_str().is_some_and(|text| text.contains(&resolve(part)))
    {
        return differ(format!("text contains {part:?}"), result, view);
    }
    if let Some(limit) = expect.at_most
        && at("/elapsed_ms").as_u64().is_none_or(|elapsed| elapsed > limit.0)
    {
        return differ(format!("the step takes at most {limit}"), result, view);
    }
    None
}

/// Compares the subject of a check: what differs, if anything does, and where in the trace the subject is from. Nothing when
/// the subject never came about, or when a check that something is absent looks at a place that is absent as a whole.
pub(super) fn check(check: &Check, view: &View<'_>) -> Option<(Option<Difference>, Vec<usize>)> {
    let Looked { value: subject, trace } = view.subject(check.subject()?)?;
    let place = check.at.as_deref().unwrap_or_default();
    let comparison = check.comparison()?;
    let needed = match comparison {
        Comparison::Lacks(_) | Comparison::Count(0) | Comparison::Column(_) => place,
        Comparison::Present(false) => place.rsplit_once('/').map_or("", |(parent, _)| parent),
        _ => "",
    };
    subject.pointer(needed).filter(|value| needed.is_empty() || !value.is_null())?;
    Some((compare(comparison, &subject, place, view), trace))
}

fn compare(comparison: Comparison<'_>, subject: &Value, place: &str, view: &View<'_>) -> Option<Difference> {
    let differ = |expected: String, observed: &Value| differ(expected, observed, view);
    let found = subject.pointer(place);
    let whole = found.unwrap_or(&Value::Null);
    let resolved = |value: &Value| view.names.resolve_value(value);
    let named = if place.is_empty() { "it".to_owned() } else { place.to_owned() };
    match comparison {
        Comparison::Equals(wanted) => {
            let wanted = resolved(wanted);
            if *whole == wanted { None } else { differ(format!("{named} is {}", shown(&wanted)), whole) }
        }
        Comparison::Differs(other) => {
            let other = resolved(other);
            if found.is_some() && *whole != other {
                None
            } else {
                differ(format!("{named} is not {}", shown(&other)), whole)
            }
        }
        Comparison::Contains(part) => {
            let part = resolved(part);
            if contains(whole, &part) {
                None
            } else {
                differ(format!("{named} contains {}", shown(&part)), whole)
            }
        }
        Comparison::Lacks(part) => {
            let part = resolved(part);
            if contains(whole, &part) {
                differ(format!("{named} does not contain {}", shown(&part)), whole)
            } else {
                None
            }
        }
        Comparison::Count(wanted) => match whole {
            Value::Array(items) if items.len() == wanted => None,
            Value::String(text) if text.chars().count() == wanted => None,
            Value::String(_) => differ(format!("{named} has {wanted} characters"), whole),
            _ => differ(format!("{named} has {wanted} elements"), whole),
        },
        Comparison::AtMost(limit) => match whole.as_f64() {
            Some(number) if number <= limit => None,
            _ => differ(format!("{named} is at most {limit}"), whole),
        },
        Comparison::AtLeast(limit) => match whole.as_f64() {
            Some(number) if number >= limit => None,
            _ => differ(format!("{named} is at least {limit}"), whole),
        },
        Comparison::Present(wanted) => {
            let there = found.is_some_and(|value| !value.is_null());
            if there == wanted {
                None
            } else {
                differ(format!("{named} is {}", if wanted { "there" } else { "not there" }), whole)
            }
        }
        Comparison::Column(column) => {
            let values: Vec<Value> = whole
                .as_array()
                .into_iter()
                .flatten()
                .map(|element| element.pointer(&column.of).cloned().unwrap_or_default())
                .collect();
            let wanted: Vec<Value> = column.is.iter().map(resolved).collect();
            if values == wanted {
                None
            } else {
                differ(format!("{} of each element is {}", column.of, shown(&json!(wanted))), &json!(values))
            }
        }
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Array(items), part) => items.contains(part),
        (Value::Object(members), Value::String(name)) => members.contains_key(name),
        _ => false,
    }
}
