//! Templates of the lines that a CLI prints: text with slots, and JSON events whose strings hold slots.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

/// What a slot `{name}` in a template stands for. Slots of a command are empty outside one, and slots of another CLI
/// everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// `{thread}`: the thread's id.
    Thread,
    /// `{prompt}`: the prompt, whole.
    Prompt,
    /// `{reply}`: the model's answer.
    Reply,
    /// `{model}`: the model's name.
    Model,
    /// `{workdir}`: the working directory.
    Workdir,
    /// `{sandbox}`: the sandbox, as this version shows it.
    Sandbox,
    /// `{item}`: the number of the item that a group of events is about, counted from 0 in each process.
    Item,
    /// `{call}`: the number of the model call in this process, counted from 1.
    Call,
    /// `{command}`: a command as the model asked for it.
    Command,
    /// `{command_line}`: the command in its shell, as one line.
    CommandLine,
    /// `{command_argv}`: the command in its shell, as a list.
    CommandArgv,
    /// `{output}`: what the command printed.
    Output,
    /// `{output_base64}`: the same in base64.
    OutputBase64,
    /// `{exit_code}`: the command's exit code, a number.
    ExitCode,
    /// `{status}`: `completed`, or `failed` when the command's exit code is not 0.
    Status,
    /// `{nanos}`: how long the command took, in nanoseconds.
    Nanos,
    /// `{jitter_ms}`: the wait before a retry, around 200 ms.
    JitterMs,
    /// `{stamp}`: the wall clock as log lines write it, with microseconds.
    Stamp,
    /// `{input_tokens}`: tokens read by every model call of the thread so far.
    InputTokens,
    /// `{output_tokens}`: tokens written by every model call of the thread so far.
    OutputTokens,
    /// `{codex_home}`: the CLI's home.
    CodexHome,
    /// `{temp_dir}`: the directory for temporary files.
    TempDir,
    /// `{session}`: the session's id.
    Session,
    /// `{message}`: the id of the message that the model is giving, another one for each of its calls.
    Message,
    /// `{part}`: a new id for a part of a message.
    Part,
    /// `{snapshot}`: the state of the working directory, as a hash.
    Snapshot,
    /// `{reason}`: why a step is over: `stop`, or `tool-calls` when a tool was called.
    Reason,
    /// `{now_ms}`: the wall clock in milliseconds, a number.
    NowMs,
    /// `{http_date}`: the wall clock as HTTP writes it.
    HttpDate,
    /// `{log_name}`: the wall clock as names of log files have it.
    LogName,
    /// `{data_home}`: where the CLI keeps its data.
    DataHome,
    /// `{uuid}`: a new UUID of version 4.
    Uuid,
    /// `{timestamp}`: the wall clock with milliseconds, as ISO 8601.
    Timestamp,
    /// `{duration_ms}`: how long the process runs, in milliseconds, a number.
    DurationMs,
    /// `{turns}`: what this version counts as turns, a number.
    Turns,
    /// `{project}`: the working directory as a name of one folder.
    Project,
    /// `{claude_home}`: the CLI's home.
    ClaudeHome,
    /// `{pid}`: the process id, a number.
    Pid,
    /// `{failed}`: whether the command's exit code is not 0.
    Failed,
}

const NAMES: [(&str, Slot); 39] = [
    ("thread", Slot::Thread),
    ("prompt", Slot::Prompt),
    ("reply", Slot::Reply),
    ("model", Slot::Model),
    ("workdir", Slot::Workdir),
    ("sandbox", Slot::Sandbox),
    ("item", Slot::Item),
    ("call", Slot::Call),
    ("command", Slot::Command),
    ("command_line", Slot::CommandLine),
    ("command_argv", Slot::CommandArgv),
    ("output", Slot::Output),
    ("output_base64", Slot::OutputBase64),
    ("exit_code", Slot::ExitCode),
    ("status", Slot::Status),
    ("nanos", Slot::Nanos),
    ("jitter_ms", Slot::JitterMs),
    ("stamp", Slot::Stamp),
    ("input_tokens", Slot::InputTokens),
    ("output_tokens", Slot::OutputTokens),
    ("codex_home", Slot::CodexHome),
    ("temp_dir", Slot::TempDir),
    ("session", Slot::Session),
    ("message", Slot::Message),
    ("part", Slot::Part),
    ("snapshot", Slot::Snapshot),
    ("reason", Slot::Reason),
    ("now_ms", Slot::NowMs),
    ("http_date", Slot::HttpDate),
    ("log_name", Slot::LogName),
    ("data_home", Slot::DataHome),
    ("uuid", Slot::Uuid),
    ("timestamp", Slot::Timestamp),
    ("duration_ms", Slot::DurationMs),
    ("turns", Slot::Turns),
    ("project", Slot::Project),
    ("claude_home", Slot::ClaudeHome),
    ("pid", Slot::Pid),
    ("failed", Slot::Failed),
];

/// A template that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// A slot that does not exist.
    #[error("unknown slot {{{found}}} in {text:?}; known are {known}")]
    UnknownSlot {
        /// The name between the braces.
        found: String,
        /// The text that it stands in.
        text: String,
        /// Every name there is.
        known: String,
    },
    /// An event that is no JSON object.
    #[error("expected an event, that is a mapping such as {{type: turn.started}}, found {0}")]
    NotAnObject(String),
}

/// Text with slots. Braces around anything but lower-case letters, digits and `_` are plain text, so JSON inside a
/// message needs no escape.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

impl TryFrom<String> for Template {
    type Error = TemplateError;

    fn try_from(text: String) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text.as_str();
        while let Some(character) = rest.chars().next() {
            match slot_at(rest) {
                Some(name) => {
                    let slot = NAMES.iter().find(|(known, _)| *known == name).map(|(_, slot)| *slot);
                    let slot = slot.ok_or_else(|| unknown(name, &text))?;
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Slot(slot));
                    rest = &rest[name.len() + 2..];
                }
                None => {
                    plain.push(character);
                    rest = &rest[character.len_utf8()..];
                }
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { text, pieces })
    }
}

/// The name in the braces that the text begins with, if it begins with such.
fn slot_at(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let is_name =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_name.then_some(name)
}

fn unknown(found: &str, text: &str) -> TemplateError {
    let known: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
    TemplateError::UnknownSlot { found: found.to_owned(), text: text.to_owned(), known: known.join(", ") }
}

impl From<Template> for String {
    fn from(template: Template) -> String {
        template.text
    }
}

impl Template {
    /// The text with its slots filled.
    pub fn text(&self, fill: &dyn Fn(Slot) -> Value) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Slot(slot) => match fill(*slot) {
                    Value::String(value) => text.push_str(&value),
                    Value::Null => {}
                    other => text.push_str(&other.to_string()),
                },
            }
        }
        text
    }

    /// The value that a string of an event becomes: a slot alone keeps its type, anything else is text.
    fn value(&self, fill: &dyn Fn(Slot) -> Value) -> Value {
        match self.pieces.as_slice() {
            [Piece::Slot(slot)] => fill(*slot),
            _ => Value::String(self.text(fill)),
        }
    }

    fn uses(&self, slot: Slot) -> bool {
        self.pieces.contains(&Piece::Slot(slot))
    }
}

/// A JSON event whose strings hold slots. Members are printed in the order of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Value", into = "Value")]
#[schemars(with = "std::collections::BTreeMap<String, Value>")]
pub struct EventTemplate {
    source: Value,
    shape: Shape,
}

#[derive(Debug, Clone, PartialEq)]
enum Shape {
    Literal(Value),
    Text(Template),
    List(Vec<Shape>),
    Object(Vec<(String, Shape)>),
}

impl TryFrom<Value> for EventTemplate {
    type Error = TemplateError;

    fn try_from(source: Value) -> Result<Self, TemplateError> {
        if !source.is_object() {
            return Err(TemplateError::NotAnObject(source.to_string()));
        }
        let shape = Shape::of(&source)?;
        Ok(Self { source, shape })
    }
}

impl From<EventTemplate> for Value {
    fn from(template: EventTemplate) -> Value {
        template.source
    }
}

impl EventTemplate {
    /// The event with its slots filled.
    pub fn event(&self, fill: &dyn Fn(Slot) -> Value) -> Value {
        self.shape.value(fill)
    }

    /// Whether the slot occurs in it.
    pub fn uses(&self, slot: Slot) -> bool {
        self.shape.uses(slot)
    }
}

impl Shape {
    fn of(value: &Value) -> Result<Self, TemplateError> {
        Ok(match value {
            Value::String(text) => Shape::Text(Template::try_from(text.clone())?),
            Value::Array(items) => Shape::List(items.iter().map(Shape::of).collect::<Result<_, _>>()?),
            Value::Object(members) => {
                let shapes = members.iter().map(|(name, value)| Ok((name.clone(), Shape::of(value)?)));
                Shape::Object(shapes.collect::<Result<_, TemplateError>>()?)
            }
            other => Shape::Literal(other.clone()),
        })
    }

    fn value(&self, fill: &dyn Fn(Slot) -> Value) -> Value {
        match self {
            Shape::Literal(value) => value.clone(),
            Shape::Text(template) => template.value(fill),
            Shape::List(items) => items.iter().map(|item| item.value(fill)).collect(),
            Shape::Object(members) => {
                let filled = members.iter().map(|(name, shape)| (name.clone(), shape.value(fill)));
                Value::Object(filled.collect::<Map<_, _>>())
            }
        }
    }

    fn uses(&self, slot: Slot) -> bool {
        match self {
            Shape::Literal(_) => false,
            Shape::Text(template) => template.uses(slot),
            Shape::List(items) => items.iter().any(|item| item.uses(slot)),
            Shape::Object(members) => members.iter().any(|(_, shape)| shape.uses(slot)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fill(slot: Slot) -> Value {
        match slot {
            Slot::Reply => json!("hi"),
            Slot::ExitCode => json!(3),
            _ => Value::Null,
        }
    }

    #[test]
    fn a_slot_alone_keeps_its_type_and_one_in_text_becomes_text() {
        let event = json!({"z": "{exit_code}", "a": "code {exit_code}: {reply}", "list": [true, "{reply}"]});
        let template = EventTemplate::try_from(event).expect("a good template");
        let printed = template.event(&fill).to_string();
        assert_eq!(printed, r#"{"z":3,"a":"code 3: hi","list":[true,"hi"]}"#);
    }

    #[test]
    fn braces_of_json_inside_a_message_are_plain_text() {
        let text = r#"401: {"type": "error"} {} {Upper} { {reply}"#;
        let template = Template::try_from(text.to_owned()).expect("a good template");
        assert_eq!(template.text(&fill), r#"401: {"type": "error"} {} {Upper} { hi"#);
    }

    #[test]
    fn an_unknown_slot_is_refused_with_the_names_that_exist() {
        let error = Template::try_from("to {nobody}".to_owned()).expect_err("no such slot");
        assert!(error.to_string().contains("{nobody}") && error.to_string().contains("thread"), "{error}");
    }

    #[test]
    fn an_event_has_to_be_an_object() {
        assert!(EventTemplate::try_from(json!(["turn.started"])).is_err());
    }
}
