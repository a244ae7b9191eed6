//! What one version of a CLI takes and says, as flat facts of its profile, and how two versions differ in them.
//!
//! The profile is walked as plain data, so that a new executor needs nothing here. Its fields that speak for themselves are known by
//! name: `options` are flags, `stderr` texts, `exit` an exit code, and what has a `type` is an event.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::drift::{Aspect, Change};
use gauntlet_simulators::cli::Profile;
use serde_json::{Map, Value};

/// What a profile says of the recording, and not of the CLI.
const OF_THE_RECORDING: [&str; 2] = ["model", "tokens_per_call"];
/// Members that only hold others together: a place is named without them.
const WRAPPERS: [&str; 8] = ["turn", "speaks", "speech", "fails", "steps", "stdout", "repeat", "refuse"];
/// Where a profile lists what is printed, whether or not it has a `type`.
const PRINTED: [&str; 8] =
    ["stdout", "opening", "started", "output", "completed", "reply", "closing", "result"];
/// Members of an event that say what went wrong.
const SAYING: [&str; 5] = ["message", "error", "errors", "result", "name"];

/// A fact: its aspect, what it is about, and which one of several.
type Key = (Aspect, String, String);

/// The facts of one version.
#[derive(Debug, Default)]
pub(super) struct Facts(BTreeMap<Key, String>);

impl Facts {
    /// The facts of a profile.
    pub(super) fn of(profile: &Profile) -> Self {
        let mut facts = Self::default();
        // The types of a profile hold nothing that JSON cannot say.
        let cli = serde_json::to_value(&profile.cli).unwrap_or_default();
        for talk in cli.as_object().into_iter().flat_map(Map::values) {
            facts.walk(&mut Vec::new(), talk);
        }
        facts
    }

    fn walk(&mut self, place: &mut Vec<String>, value: &Value) {
        match value {
            Value::Object(members) if is_event(place, members) => self.event(place, members),
            Value::Object(members) => {
                for (name, value) in members {
                    if place.is_empty() && OF_THE_RECORDING.contains(&name.as_str()) {
                        continue;
                    }
                    let command = members.get("command").and_then(Value::as_str);
                    match (name.as_str(), value) {
                        ("options", Value::Array(options)) => {
                            self.flags(command.unwrap_or_default(), options)
                        }
                        ("exit", Value::Number(code)) => {
                            self.note(Aspect::ExitCode, &named(place), "", &code.to_string());
                        }
                        ("stderr", text) => self.texts(place, text),
                        (name, value) => {
                            place.push(name.to_owned());
                            self.walk(place, value);
                            place.pop();
                        }
                    }
                }
            }
            Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
                items.iter().for_each(|item| self.walk(place, item));
            }
            other => self.note(Aspect::Behaviour, &named(place), "", &shown(other)),
        }
    }

    fn flags(&mut self, command: &str, options: &[Value]) {
        for option in options {
            let text = |name: &str| option.get(name).and_then(Value::as_str);
            let Some(long) = text("long") else { continue };
            let mut says = vec![text("value").map_or("switch".to_owned(), |value| format!("<{value}>"))];
            says.extend(text("short").map(|short| format!("-{short}")));
            let values = option.get("values").and_then(Value::as_array).into_iter().flatten();
            let values: Vec<&str> = values.filter_map(Value::as_str).collect();
            says.extend((!values.is_empty()).then(|| format!("one of {}", values.join(", "))));
            let repeatable = option.get("repeatable").and_then(Value::as_bool).unwrap_or_default();
            says.extend(repeatable.then(|| "repeatable".to_owned()));
            let what = format!("{command} --{long}");
            self.note(Aspect::Flag, what.trim_start(), "", &says.join("; "));
        }
    }

    fn event(&mut self, place: &[String], members: &Map<String, Value>) {
        let name = event_name(members);
        self.note(Aspect::Event, &name, "", "printed");
        let mut fields = BTreeSet::new();
        members.iter().for_each(|(field, value)| pointers(&format!("/{field}"), value, &mut fields));
        for field in fields {
            self.note(Aspect::Field, &name, &field, &field);
        }
        let of_failure = place.iter().any(|part| {
            ["failures", "limit", "breaks"].contains(&part.as_str())
                || part.starts_with("unknown_")
                || part.starts_with("used_")
        });
        if of_failure || name.contains("error") || name.contains("fail") {
            let mut said = BTreeSet::new();
            members.iter().for_each(|(field, value)| sayings(field, value, &mut said));
            for text in said {
                self.note(Aspect::ErrorText, &named(place), &text, &text);
            }
        }
    }

    fn texts(&mut self, place: &[String], text: &Value) {
        let lines: Vec<&str> = match text {
            Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
            Value::String(text) => vec![text.trim_end()],
            _ => Vec::new(),
        };
        for line in lines.into_iter().filter(|line| !line.trim().is_empty()) {
            self.note(Aspect::ErrorText, &named(place), line, line);
        }
    }

    /// Notes a fact. What is said twice of the same thing, such as several waits, is one fact.
    fn note(&mut self, aspect: Aspect, what: &str, which: &str, says: &str) {
        let known = self.0.entry((aspect, what.to_owned(), which.to_owned())).or_default();
        match known.is_empty() {
            true => says.clone_into(known),
            false if known == says => {}
            false => known.push_str(&format!(", {says}")),
        }
    }

    fn has_event(&self, name: &str) -> bool {
        self.0.contains_key(&(Aspect::Event, name.to_owned(), String::new()))
    }

    /// Whether the part that a field is in came or went with it, which says so for all that is in it.
    fn parent_differs(&self, next: &Self, (aspect, what, field): &Key) -> bool {
        let parent = field.rsplit_once('/').map(|(parent, _)| parent).filter(|parent| !parent.is_empty());
        parent.is_some_and(|parent| {
            let key = (*aspect, what.clone(), parent.to_owned());
            self.0.get(&key) != next.0.get(&key)
        })
    }

    /// What is different in the next version.
    pub(super) fn changes(&self, next: &Self) -> Vec<Change> {
        let keys: BTreeSet<&Key> = self.0.keys().chain(next.0.keys()).collect();
        let differs = |key: &&Key| {
            let (aspect, what, _) = *key;
            // An event that is new or gone says so for all its fields.
            let is_told = *aspect == Aspect::Field
                && (!(self.has_event(what) && next.has_event(what)) || self.parent_differs(next, key));
            self.0.get(*key) != next.0.get(*key) && !is_told
        };
        let change = |key: &Key| Change {
            aspect: key.0,
            what: key.1.clone(),
            before: self.0.get(key).cloned(),
            after: next.0.get(key).cloned(),
        };
        keys.into_iter().filter(differs).map(change).collect()
    }
}

fn is_event(place: &[String], members: &Map<String, Value>) -> bool {
    let typed = members.get("type").is_some_and(Value::is_string);
    typed || place.last().is_some_and(|last| PRINTED.contains(&last.as_str()))
}

/// What an event is called: its types from the outside in, or its members when it has none.
fn event_name(members: &Map<String, Value>) -> String {
    let within = |name: &str| members.get(name).and_then(|inner| inner.get("type"));
    let types = [members.get("type"), members.get("subtype"), within("item"), within("msg"), within("part")];
    let types: Vec<&str> = types.into_iter().flatten().filter_map(Value::as_str).collect();
    match types.is_empty() {
        true => format!("{{{}}}", members.keys().cloned().collect::<Vec<_>>().join(", ")),
        false => types.join(" / "),
    }
}

/// The ways to all parts of a value.
fn pointers(way: &str, value: &Value, found: &mut BTreeSet<String>) {
    found.insert(way.to_owned());
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| pointers(&format!("{way}/{name}"), value, found));
        }
        Value::Array(items) => {
            let objects = items.iter().filter(|item| item.is_object());
            objects.for_each(|item| pointers(&format!("{way}/-"), item, found));
        }
        _ => {}
    }
}

/// The texts in a value that say what went wrong.
fn sayings(name: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if SAYING.contains(&name) && !is_slot(text) => {
            found.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| sayings(name, item, found)),
        Value::Object(members) => members.iter().for_each(|(name, value)| sayings(name, value, found)),
        _ => {}
    }
}

/// Whether a text is one slot of a template and nothing else.
fn is_slot(text: &str) -> bool {
    text.starts_with('{') && text.find('}') == Some(text.len() - 1)
}

/// A place in a profile, as it is shown.
fn named(place: &[String]) -> String {
    let parts = place.iter().filter(|part| !WRAPPERS.contains(&part.as_str()));
    parts.cloned().collect::<Vec<_>>().join(".")
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
