//! The older language of `codex exec --json`, recorded from 0.36.0: a banner, the prompt, then `{"id","msg"}` objects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::event::Event;
use crate::error::ParseError;
use crate::fields::Fields;

/// A line of the older language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyEvent {
    /// First line: the settings (`model`, `provider`, `workdir`, `sandbox`, `approval`), printed in any order.
    Banner(BTreeMap<String, String>),
    /// Second line: the prompt.
    Prompt(String),
    /// Everything else.
    Message {
        /// The id of the submission, `0` for the first.
        id: String,
        /// What happened.
        kind: LegacyKind,
    },
}

/// What a message of the older language reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LegacyKind {
    /// The model was asked.
    TaskStarted,
    /// The agent spoke.
    AgentMessage {
        /// What it said.
        text: String,
    },
    /// Token counts, null in every recording.
    TokenCount,
    /// The model's stream broke and is tried again.
    StreamError {
        /// Why.
        message: String,
    },
    /// The turn failed.
    Error {
        /// Why.
        message: String,
    },
    /// A shell command began.
    ExecCommandBegin {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// A command printed something, in base64; not decoded, since the end of the command repeats it.
    ExecCommandOutputDelta,
    /// A shell command ended.
    ExecCommandEnd {
        /// Standard output and standard error together.
        output: String,
        /// Its exit code.
        exit_code: Option<i64>,
    },
}

/// The event in an object that has no string `type`; nothing if it is none of this language either.
pub(super) fn parse(fields: &Fields<'_>) -> Result<Option<Event>, ParseError> {
    let event = if fields.get("msg").is_some() {
        let id = fields.string("id")?.to_owned();
        let message = fields.object("msg")?;
        match kind(&message)? {
            Some(kind) => LegacyEvent::Message { id, kind },
            None => return Ok(Some(Event::Unknown { kind: format!("msg/{}", message.string("type")?) })),
        }
    } else if fields.get("prompt").is_some() {
        LegacyEvent::Prompt(fields.string("prompt")?.to_owned())
    } else if fields.get("model").is_some() && fields.get("workdir").is_some() {
        let mut settings = BTreeMap::new();
        for key in ["approval", "model", "provider", "sandbox", "workdir"] {
            if let Some(setting) = fields.optional_string(key)? {
                settings.insert(key.to_owned(), setting.to_owned());
            }
        }
        LegacyEvent::Banner(settings)
    } else {
        return Ok(None);
    };
    Ok(Some(Event::Legacy(event)))
}

fn kind(message: &Fields<'_>) -> Result<Option<LegacyKind>, ParseError> {
    let text = || message.string("message").map(str::to_owned);
    Ok(Some(match message.string("type")? {
        "task_started" => LegacyKind::TaskStarted,
        "agent_message" => LegacyKind::AgentMessage { text: text()? },
        "token_count" => LegacyKind::TokenCount,
        "stream_error" => LegacyKind::StreamError { message: text()? },
        "error" => LegacyKind::Error { message: text()? },
        "exec_command_begin" => LegacyKind::ExecCommandBegin {
            command: message
                .array("command")?
                .iter()
                .map(|word| word.as_str().map(str::to_owned))
                .collect::<Option<_>>()
                .ok_or_else(|| message.wrong("command", "an array of strings"))?,
        },
        "exec_command_output_delta" => LegacyKind::ExecCommandOutputDelta,
        "exec_command_end" => LegacyKind::ExecCommandEnd {
            output: message.optional_string("aggregated_output")?.unwrap_or_default().to_owned(),
            exit_code: message.get("exit_code").and_then(Value::as_i64),
        },
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: LegacyKind) -> Event {
        Event::Legacy(LegacyEvent::Message { id: "0".to_owned(), kind })
    }

    #[test]
    fn commands_are_read_with_their_words() {
        let begin = br#"{"id":"0","msg":{"type":"exec_command_begin","call_id":"c","command":["bash","-lc","ls"],"cwd":"x"}}"#;
        let command = ["bash", "-lc", "ls"].map(str::to_owned).to_vec();
        assert_eq!(Event::parse_line(begin), Ok(message(LegacyKind::ExecCommandBegin { command })));
        let odd = br#"{"id":"0","msg":{"type":"exec_command_begin","command":[1]}}"#;
        assert_eq!(Event::parse_line(odd).expect_err("a number").at, "/msg/command");
    }

    #[test]
    fn the_banner_is_known_by_its_settings_whatever_their_order() {
        let Ok(Event::Legacy(LegacyEvent::Banner(settings))) =
            Event::parse_line(br#"{"workdir":"w","sandbox":"read-only","model":"m"}"#)
        else {
            panic!("a banner")
        };
        assert_eq!(settings.get("sandbox").map(String::as_str), Some("read-only"));
    }
}
