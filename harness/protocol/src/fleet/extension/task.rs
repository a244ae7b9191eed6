//! `urn:gauntlet:ext:task:1`: a task that says more than its text.
//!
//! The payload of a dispatch is `{context, expected_output, reply_to: {context, url}, deadline_s}`, each member optional and one of
//! them there. The text of the message stays the task. The text form, which a CLI reads and which is sent to a receiver that does
//! not declare the extension, has them as sections.
//!
//! The payload of the outcome that comes back is `{of, ended_by}`: the `messageId` of the dispatch, and what ended its work.

use serde_json::{Map, Value, json};

use super::{Misuse, ReplyTo, TASK};
use crate::error::ParseError;
use crate::fields::Fields;
use crate::fleet::MAX_PROMPT_CHARS;
use crate::python;

/// Longest context, in characters.
pub const MAX_CONTEXT_CHARS: usize = 65_536;
/// Longest description of what is expected, in characters.
pub const MAX_EXPECTED_CHARS: usize = 16_384;
/// Shortest deadline, in milliseconds.
pub const MIN_DEADLINE_MS: u64 = 1;
/// Longest deadline, in milliseconds: a week.
pub const MAX_DEADLINE_MS: u64 = 604_800_000;

const WHAT: &str = "task";
const SECONDS: &str = "a number of seconds from 0.001 to 604800";

/// What a dispatch says beside its text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Task {
    /// What the executor should know.
    pub context: Option<String>,
    /// What it should come to.
    pub expected_output: Option<String>,
    /// Where the reply goes.
    pub reply_to: Option<ReplyTo>,
    /// How long it may take from the moment at which it is sent, in milliseconds.
    pub deadline_ms: Option<u64>,
}

impl Task {
    /// The payload in a message; nothing when there is none. Every rule is checked but those that need to know the sender: see
    /// [`ReplyTo::leads_out`].
    pub fn in_message(message: &Value, text: &str) -> Result<Option<Task>, Misuse> {
        let Some(payload) = TASK.payload(message)? else { return Ok(None) };
        Ok(Some(Task::read(payload, text)?))
    }

    /// Reads a payload that goes with a text.
    pub fn read(payload: &Value, text: &str) -> Result<Task, ParseError> {
        let task = Task::from_value(payload)?;
        let whole = task.text_form(text).chars().count();
        if whole > MAX_PROMPT_CHARS {
            return Err(ParseError::new(
                WHAT,
                "the top level",
                format!("at most {MAX_PROMPT_CHARS} characters of text and payload together"),
                &whole.to_string(),
            ));
        }
        Ok(task)
    }

    /// Reads a payload by itself.
    pub fn from_value(payload: &Value) -> Result<Task, ParseError> {
        let fields = Fields::of(WHAT, payload)?;
        fields.only(&["context", "expected_output", "reply_to", "deadline_s"])?;
        let task = Task {
            context: text(&fields, "context", MAX_CONTEXT_CHARS)?,
            expected_output: text(&fields, "expected_output", MAX_EXPECTED_CHARS)?,
            reply_to: match fields.get("reply_to") {
                None => None,
                Some(_) => Some(ReplyTo::read(&fields.object("reply_to")?)?),
            },
            deadline_ms: deadline(&fields)?,
        };
        if task == Task::default() {
            let expected = "context, expected_output, reply_to or deadline_s";
            return Err(ParseError::new(WHAT, "the top level", expected, "nothing"));
        }
        Ok(task)
    }

    /// The payload, with the members that are there.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        for (name, text) in [("context", &self.context), ("expected_output", &self.expected_output)] {
            if let Some(text) = text {
                map.insert(name.to_owned(), json!(text));
            }
        }
        if let Some(reply_to) = &self.reply_to {
            map.insert("reply_to".to_owned(), reply_to.to_value());
        }
        if let Some(milliseconds) = self.deadline_ms {
            let seconds = match milliseconds % 1000 {
                0 => json!(milliseconds / 1000),
                _ => json!(milliseconds as f64 / 1000.0),
            };
            map.insert("deadline_s".to_owned(), seconds);
        }
        Value::Object(map)
    }

    /// The task as one text, for whoever reads nothing else. Where the reply goes is no affair of the executor.
    pub fn text_form(&self, text: &str) -> String {
        let mut whole = text.to_owned();
        let mut section = |title: &str, content: &str| whole.push_str(&format!("\n\n## {title}\n{content}"));
        if let Some(context) = &self.context {
            section("Context", context);
        }
        if let Some(expected) = &self.expected_output {
            section("Expected output", expected);
        }
        if let Some(milliseconds) = self.deadline_ms {
            let limit =
                format!("{} seconds from the moment at which this task was sent.", seconds(milliseconds));
            section("Time limit", &limit);
        }
        whole
    }
}

fn text(fields: &Fields<'_>, key: &str, longest: usize) -> Result<Option<String>, ParseError> {
    let Some(value) = fields.get(key) else { return Ok(None) };
    let expected = || format!("a text of 1 to {longest} characters that is not blank and has no NUL in it");
    match value.as_str() {
        Some(text) if text.trim().is_empty() || text.contains('\0') => Err(fields.wrong(key, &expected())),
        Some(text) => match text.chars().count() {
            length if length > longest => {
                Err(ParseError::new(WHAT, format!("/{key}"), expected(), &format!("{length} characters")))
            }
            _ => Ok(Some(text.to_owned())),
        },
        None => Err(fields.wrong(key, &expected())),
    }
}

fn deadline(fields: &Fields<'_>) -> Result<Option<u64>, ParseError> {
    let Some(value) = fields.get("deadline_s") else { return Ok(None) };
    let wrong = || fields.wrong("deadline_s", SECONDS);
    let milliseconds = value.as_f64().filter(|seconds| seconds.is_finite()).ok_or_else(wrong)? * 1000.0;
    let in_range = (MIN_DEADLINE_MS as f64..=MAX_DEADLINE_MS as f64).contains(&milliseconds);
    if in_range { Ok(Some(milliseconds.round() as u64)) } else { Err(wrong()) }
}

/// Milliseconds as seconds, without a fraction that says nothing.
fn seconds(milliseconds: u64) -> String {
    match milliseconds % 1000 {
        0 => (milliseconds / 1000).to_string(),
        _ => python::float(milliseconds as f64 / 1000.0),
    }
}

/// The outcome of a task whose turn was ended at its deadline.
pub fn ended_text(cli: &str, deadline_ms: u64) -> String {
    format!("[deadline] the time limit of {} s was over, and the {cli} turn was ended", seconds(deadline_ms))
}

/// The outcome of a task whose turn could not begin before its deadline.
pub fn not_begun_text(cli: &str, deadline_ms: u64) -> String {
    format!("[deadline] the time limit of {} s was over before {cli} could be started", seconds(deadline_ms))
}

/// What ended the work on a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The executor itself, well or not.
    Executor,
    /// The cap of the receiver's turns.
    Cap,
    /// The task's deadline.
    Deadline,
    /// It did not begin: there was no place for it in time.
    Busy,
    /// The receiver stopped during it.
    Interruption,
}

impl EndedBy {
    const ALL: [EndedBy; 5] =
        [EndedBy::Executor, EndedBy::Cap, EndedBy::Deadline, EndedBy::Busy, EndedBy::Interruption];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            EndedBy::Executor => "executor",
            EndedBy::Cap => "cap",
            EndedBy::Deadline => "deadline",
            EndedBy::Busy => "busy",
            EndedBy::Interruption => "interruption",
        }
    }

    /// What has that name.
    pub fn named(name: &str) -> Option<EndedBy> {
        EndedBy::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// What an outcome says beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The `messageId` of the dispatch, when it had one.
    pub of: Option<String>,
    /// What ended the work.
    pub ended_by: EndedBy,
}

impl Report {
    /// The payload.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if let Some(of) = &self.of {
            map.insert("of".to_owned(), json!(of));
        }
        map.insert("ended_by".to_owned(), json!(self.ended_by.name()));
        Value::Object(map)
    }

    /// Reads a payload. Unknown members and unknown ends are no reason to lose a reply: nothing is known then.
    pub fn from_value(payload: &Value) -> Option<Report> {
        let ended_by = EndedBy::named(payload.get("ended_by")?.as_str()?)?;
        Some(Report { of: payload.get("of").and_then(Value::as_str).map(str::to_owned), ended_by })
    }

    /// The report in a callback's message, if there is a usable one.
    pub fn in_message(message: &Value) -> Option<Report> {
        Report::from_value(TASK.payload(message).ok()??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::ContextId;

    fn why(payload: Value) -> String {
        Task::read(&payload, "do it").expect_err("refused").to_string()
    }

    fn full() -> Task {
        Task {
            context: Some("the parser is new".to_owned()),
            expected_output: Some("a patch".to_owned()),
            reply_to: Some(ReplyTo {
                context: ContextId::new("c2"),
                url: Some("http://127.0.0.1:9219/jsonrpc/r".to_owned()),
            }),
            deadline_ms: Some(1500),
        }
    }

    #[test]
    fn a_payload_reads_back_as_it_is_written() {
        let value = full().to_value();
        assert_eq!(
            value.to_string(),
            r#"{"context":"the parser is new","expected_output":"a patch","reply_to":{"context":"c2","url":"http://127.0.0.1:9219/jsonrpc/r"},"deadline_s":1.5}"#
        );
        assert_eq!(Task::read(&value, "x"), Ok(full()));
        let whole = Task { deadline_ms: Some(20_000), ..Task::default() };
        assert_eq!(whole.to_value().to_string(), r#"{"deadline_s":20}"#);
    }

    #[test]
    fn what_breaks_a_rule_is_named() {
        for (payload, at) in [
            (json!(5), "the top level"),
            (json!({}), "the top level"),
            (json!({"context": "x", "priority": 1}), "/priority"),
            (json!({"context": ""}), "/context"),
            (json!({"context": " \n"}), "/context"),
            (json!({"context": null}), "/context"),
            (json!({"context": ["x"]}), "/context"),
            (json!({"context": "a\0b"}), "/context"),
            (json!({"context": "x".repeat(MAX_CONTEXT_CHARS + 1)}), "/context"),
            (json!({"expected_output": 7}), "/expected_output"),
            (json!({"expected_output": "ü".repeat(MAX_EXPECTED_CHARS + 1)}), "/expected_output"),
            (json!({"reply_to": "c2"}), "/reply_to"),
            (json!({"reply_to": {}}), "/reply_to/context"),
            (json!({"reply_to": {"context": ""}}), "/reply_to/context"),
            (json!({"reply_to": {"context": "c", "host": "x"}}), "/reply_to/host"),
            (json!({"reply_to": {"url": "http://u@h/p"}}), "/reply_to/url"),
            (json!({"reply_to": {"url": "http://h/../p"}}), "/reply_to/url"),
            (json!({"deadline_s": 0}), "/deadline_s"),
            (json!({"deadline_s": -1}), "/deadline_s"),
            (json!({"deadline_s": 0.0001}), "/deadline_s"),
            (json!({"deadline_s": 604_800.5}), "/deadline_s"),
            (json!({"deadline_s": 1e300}), "/deadline_s"),
            (json!({"deadline_s": "NaN"}), "/deadline_s"),
            (json!({"deadline_s": "20"}), "/deadline_s"),
            (json!({"deadline_s": true}), "/deadline_s"),
        ] {
            let why = why(payload.clone());
            assert!(why.starts_with(&format!("task at {at}: expected ")), "{payload} gives {why}");
        }
    }

    #[test]
    fn the_limits_themselves_are_taken() {
        for payload in [
            json!({"deadline_s": 0.001}),
            json!({"deadline_s": 604_800}),
            json!({"context": "ü".repeat(MAX_CONTEXT_CHARS)}),
            json!({"expected_output": "x".repeat(MAX_EXPECTED_CHARS)}),
        ] {
            assert!(Task::read(&payload, "x").is_ok());
        }
        let text = "x".repeat(MAX_PROMPT_CHARS - 20);
        assert!(Task::read(&json!({"context": "x"}), &text).is_ok());
        let error = Task::read(&json!({"context": "x".repeat(100)}), &text).expect_err("too long together");
        assert!(error.to_string().contains("262144 characters of text and payload together"), "{error}");
    }

    #[test]
    fn the_text_form_has_a_section_for_each_thing_that_an_executor_needs() {
        assert_eq!(
            full().text_form("do it"),
            "do it\n\n## Context\nthe parser is new\n\n## Expected output\na patch\n\n## Time limit\n1.5 seconds from the moment at which this task was sent."
        );
        let only = Task { reply_to: full().reply_to, ..Task::default() };
        assert_eq!(only.text_form("do it"), "do it");
    }

    #[test]
    fn a_report_says_whose_it_is_and_what_ended_it() {
        for ended_by in EndedBy::ALL {
            for of in [None, Some("m1".to_owned())] {
                let report = Report { of, ended_by };
                let mut message = json!({});
                TASK.announce(&mut message, report.to_value());
                assert_eq!(Report::in_message(&message), Some(report));
            }
        }
        for nothing in [json!({}), json!({"ended_by": "weather"}), json!(5)] {
            assert_eq!(Report::from_value(&nothing), None);
        }
    }

    #[test]
    fn outcomes_name_the_time_limit() {
        assert_eq!(
            ended_text("codex", 20_000),
            "[deadline] the time limit of 20 s was over, and the codex turn was ended"
        );
        assert_eq!(
            not_begun_text("agy", 500),
            "[deadline] the time limit of 0.5 s was over before agy could be started"
        );
    }
}
