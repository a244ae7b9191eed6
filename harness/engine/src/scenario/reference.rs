//! References in texts: what braces stand for, and that they stand for something.
//!
//! `{word}`, `{file.inbox}` and `{context:name}` have the shape of a reference. All other braces are text: JSON, shell, code.

use std::collections::BTreeSet;

use serde_json::Value;

use super::known::Names;
use super::mistake::Mistake;
use super::{Comparison, Limits, Scenario, Subject, Verb};
use crate::data::executor::Executor;
use crate::data::nearest;

/// What is between braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// `{word}` or `{file.inbox}`.
    Word(&'a str),
    /// `{context:name}`.
    Named(&'a str, &'a str),
}

impl<'a> Reference<'a> {
    fn of(inner: &'a str) -> Option<Self> {
        let letters = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
        };
        match inner.split_once(':') {
            Some((kind, name)) if letters(kind) && name.starts_with(char::is_alphabetic) => {
                Some(Reference::Named(kind, name))
            }
            None if inner.split('.').all(letters) => Some(Reference::Word(inner)),
            _ => None,
        }
    }

    /// The references in a text, in order.
    pub(crate) fn all(text: &'a str) -> impl Iterator<Item = Self> {
        let inner = text.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        inner.filter_map(|(inner, _)| Reference::of(inner))
    }
}

/// What is wrong with a word, when it is none of those that are known.
pub(crate) fn unknown_word(word: &str, known: &[&str]) -> Option<(String, Option<String>)> {
    (!known.contains(&word)).then(|| {
        let help = match nearest(word, known.iter().copied()) {
            Some(near) => format!("did you mean {{{near}}}?"),
            None => "a space behind the brace makes it plain text".to_owned(),
        };
        (format!("expected braces around a word that stands for something; found {{{word}}}"), Some(help))
    })
}

/// A text of a scenario in which references are resolved, and the way to it.
struct Text<'a> {
    path: Vec<String>,
    /// Whether it is the last key of the way, and not its value.
    key: bool,
    text: &'a str,
    role: Role,
}

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Given or done: it brings names of contexts with it.
    Done,
    /// The same, of bytes that can hold a bearer.
    Raw,
    /// Of a fault, which is aimed before there are contexts.
    Aimed,
    /// Expected: it uses names that others brought.
    Expected,
}

/// The contexts that texts name as they are given or done.
pub(super) fn contexts_named(scenario: &Scenario) -> BTreeSet<&str> {
    let texts = texts(scenario).into_iter().filter(|text| text.role != Role::Expected);
    let references = texts.flat_map(|text| Reference::all(text.text));
    references
        .filter_map(|reference| match reference {
            Reference::Named("context", name) => Some(name),
            _ => None,
        })
        .collect()
}

/// The first reference of a scenario to something that is not there, if there is one.
pub(super) fn mistake(scenario: &Scenario, names: &Names<'_>) -> Option<Mistake> {
    texts(scenario).into_iter().find_map(|text| {
        let (message, help) = Reference::all(text.text).find_map(|found| wrong(found, text.role, names))?;
        let path: Vec<&str> = text.path.iter().map(String::as_str).collect();
        let mistake = if text.key { Mistake::at_key(&path, message) } else { Mistake::at(&path, message) };
        Some(mistake.help(help))
    })
}

fn wrong(reference: Reference<'_>, role: Role, names: &Names<'_>) -> Option<(String, Option<String>)> {
    match reference {
        Reference::Word(word) => {
            let mut known = Executor::WORDS.to_vec();
            known.extend((role == Role::Raw).then_some("bearer"));
            known.extend((role == Role::Done).then_some("n"));
            known.extend(
                ["workdir", "port", "hermes_url", "neighbour_url"]
                    .into_iter()
                    .filter(|_| role != Role::Aimed),
            );
            // These are filled in before; a misspelt one is not.
            known.extend(Limits::NAMES);
            unknown_word(word, &known)
        }
        Reference::Named("context", name) if role == Role::Expected => names.no_context(name),
        Reference::Named("context", _) if role != Role::Aimed => None,
        Reference::Named("nonce", name) if role != Role::Aimed => names.no_dispatch(name),
        Reference::Named("saved", name) if role != Role::Aimed => names.not_saved(name),
        Reference::Named("fill", count) if role != Role::Aimed && count.parse::<usize>().is_ok() => None,
        Reference::Named(kind, name) => {
            let help =
                nearest(kind, ["context", "nonce"]).map(|near| format!("did you mean {{{near}:{name}}}?"));
            Some((format!("expected {{context:NAME}} or {{nonce:NAME}} here; found {{{kind}:{name}}}"), help))
        }
    }
}

fn texts(scenario: &Scenario) -> Vec<Text<'_>> {
    let mut found = Texts(Vec::new());
    let config = &scenario.given.receiver.config;
    for (name, value) in config {
        found.key(Role::Done, &["given", "receiver", "config", name], name);
        found.value(Role::Done, &["given", "receiver", "config", name], value);
    }
    for (name, value) in &scenario.given.hermes.config {
        found.value(Role::Done, &["given", "hermes", "config", name], value);
    }
    for path in scenario.given.files.keys() {
        found.key(Role::Done, &["given", "files", path], path);
    }
    for (number, link) in scenario.given.links.iter().enumerate() {
        for (member, text) in [("path", &link.path), ("to", &link.to)] {
            found.add(Role::Done, &["given", "links", &number.to_string(), member], text);
        }
    }
    for (number, step) in scenario.steps.iter().enumerate() {
        let number = number.to_string();
        let at = |verb: &'static str, member: &'static str| vec!["steps", number.as_str(), verb, member];
        match step.verb() {
            Some(Verb::Dispatch(dispatch)) => {
                found.add(Role::Done, &at("dispatch", "text"), &dispatch.text);
                dispatch.task.iter().for_each(|task| found.value(Role::Done, &at("dispatch", "task"), task));
            }
            Some(Verb::Request(request)) => {
                for (member, text) in
                    [("method", &request.method), ("path", &request.path), ("body", &request.body)]
                {
                    text.iter().for_each(|text| found.add(Role::Done, &at("request", member), text));
                }
                request.raw.iter().for_each(|raw| found.add(Role::Raw, &at("request", "raw"), raw));
                request.json.iter().for_each(|json| found.value(Role::Done, &at("request", "json"), json));
                for (name, value) in &request.headers {
                    let mut at = at("request", "headers");
                    at.push(name);
                    found.add(Role::Done, &at, value);
                }
            }
            Some(Verb::Call(call)) => {
                found.value(Role::Done, &at("call", "args"), &call.args);
                for (place, write) in call.meanwhile.iter().enumerate() {
                    let place = place.to_string();
                    for (member, text) in [("path", &write.path), ("text", &write.text)] {
                        found.add(Role::Done, &["steps", &number, "call", "meanwhile", &place, member], text);
                    }
                }
            }
            Some(Verb::Command(command)) => {
                for (place, text) in command.args.iter().enumerate() {
                    found.add(Role::Done, &["steps", &number, "command", "args", &place.to_string()], text);
                }
                for (name, text) in &command.env {
                    let path = ["steps", &number, "command", "env", name];
                    text.iter().for_each(|text| found.add(Role::Done, &path, text));
                }
            }
            Some(Verb::Link(link)) => {
                found.add(Role::Done, &at("link", "path"), &link.path);
                found.add(Role::Done, &at("link", "to"), &link.to);
            }
            Some(Verb::Stranger(stranger)) => {
                found.value(Role::Done, &at("stranger", "says"), &stranger.says);
            }
            Some(Verb::Write(write)) => {
                found.add(Role::Done, &at("write", "path"), &write.path);
                found.add(Role::Done, &at("write", "text"), &write.text);
            }
            Some(Verb::Session(session)) => {
                session.prompt.iter().for_each(|text| found.add(Role::Done, &at("session", "prompt"), text));
            }
            Some(Verb::Remove(path)) => found.add(Role::Done, &["steps", &number, "remove"], path),
            Some(Verb::Fault(rule)) => {
                rule.target.iter().for_each(|target| found.add(Role::Aimed, &at("fault", "target"), target));
            }
            _ => {}
        }
        let Some(expect) = &step.expect else { continue };
        for (member, text) in [
            ("rpc_message", &expect.rpc_message),
            ("text", &expect.text),
            ("text_contains", &expect.text_contains),
        ] {
            text.iter().for_each(|text| found.add(Role::Expected, &at("expect", member), text));
        }
        expect.body.iter().for_each(|body| found.value(Role::Expected, &at("expect", "body"), body));
    }
    for (number, check) in scenario.then.iter().enumerate() {
        let number = number.to_string();
        match check.subject() {
            Some(Subject::File(path)) => found.add(Role::Expected, &["then", &number, "file"], path),
            Some(Subject::Files(path)) => found.add(Role::Expected, &["then", &number, "files"], path),
            Some(Subject::Conversation(path)) => {
                found.add(Role::Expected, &["then", &number, "conversation"], path)
            }
            _ => {}
        }
        match check.comparison() {
            Some(Comparison::Equals(value)) => {
                found.value(Role::Expected, &["then", &number, "equals"], value)
            }
            Some(Comparison::Differs(value)) => {
                found.value(Role::Expected, &["then", &number, "differs"], value)
            }
            Some(Comparison::Contains(value)) => {
                found.value(Role::Expected, &["then", &number, "contains"], value)
            }
            Some(Comparison::Lacks(value)) => found.value(Role::Expected, &["then", &number, "lacks"], value),
            Some(Comparison::Column(column)) => {
                for (at, value) in column.is.iter().enumerate() {
                    found.value(Role::Expected, &["then", &number, "column", "is", &at.to_string()], value);
                }
            }
            _ => {}
        }
    }
    found.0
}

struct Texts<'a>(Vec<Text<'a>>);

impl<'a> Texts<'a> {
    fn add(&mut self, role: Role, path: &[&str], text: &'a str) {
        if text.contains('{') {
            let path = path.iter().map(|step| (*step).to_owned()).collect();
            self.0.push(Text { path, key: false, text, role });
        }
    }

    fn key(&mut self, role: Role, path: &[&str], name: &'a str) {
        let before = self.0.len();
        self.add(role, path, name);
        self.0[before..].iter_mut().for_each(|text| text.key = true);
    }

    fn value(&mut self, role: Role, path: &[&str], value: &'a Value) {
        match value {
            Value::String(text) => self.add(role, path, text),
            Value::Array(items) => {
                for (number, item) in items.iter().enumerate() {
                    self.value(role, &[path, &[&number.to_string()]].concat(), item);
                }
            }
            Value::Object(members) => {
                for (name, value) in members {
                    let path = [path, &[name]].concat();
                    self.key(role, &path, name);
                    self.value(role, &path, value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_shape_of_a_reference_is_one() {
        let text = "{cli} {file.inbox} {\"a\": {}} {\"{context:c1}\": 1} { half {a: 1} {a:1} {nonce:step 1 line 1} {A} {} {1}";
        assert_eq!(
            Reference::all(text).collect::<Vec<_>>(),
            [
                Reference::Word("cli"),
                Reference::Word("file.inbox"),
                Reference::Named("context", "c1"),
                Reference::Named("nonce", "step 1 line 1"),
            ]
        );
    }
}
