//! What a receiver reads out of the whole standard output of one turn.

use super::event::{Event, EventKind, WHAT, session_of};
use crate::json;

/// The sum of a turn's events, by the rules of fact sheet 3.3 (FLEET-OC-02, FLEET-OC-04).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnOutput {
    /// The first session that a line names, trimmed.
    pub session: Option<String>,
    /// The texts of all `text` events, joined without anything between them, trimmed. Nothing when nothing is left.
    pub reply: Option<String>,
    /// Why the turn failed, as its last `error` event says. For people and oracles: receivers do not read it.
    pub failure: Option<String>,
    /// Lines with something on them that are no event known here.
    pub ignored_lines: usize,
}

impl TurnOutput {
    /// Reads everything that the CLI printed; the last line needs no newline.
    pub fn read(stdout: &[u8]) -> TurnOutput {
        let mut output = TurnOutput::default();
        let mut said = String::new();
        for line in json::lines(stdout) {
            let Some(Ok(value)) = json::begins_object(line).then(|| json::parse(WHAT, line)) else {
                output.ignored_lines += 1;
                continue;
            };
            // Also an event that is not understood says which session it is of.
            output.session = output.session.or_else(|| session_of(&value));
            match Event::read(&value).map(|event| event.kind) {
                Ok(EventKind::Text { text }) => said.push_str(&text),
                Ok(EventKind::Error { name, message }) => output.failure = Some(message.unwrap_or(name)),
                Ok(EventKind::StepStart | EventKind::ToolUse { .. } | EventKind::StepFinish { .. }) => {}
                Ok(EventKind::Unknown { .. }) | Err(_) => output.ignored_lines += 1,
            }
        }
        output.reply = Some(said.trim().to_owned()).filter(|reply| !reply.is_empty());
        output
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> TurnOutput {
        TurnOutput::read(lines.join("\n").as_bytes())
    }

    #[test]
    fn the_first_session_counts_wherever_it_stands() {
        let output = read(&[
            r#"{"type":"step_start","sessionID":" ","part":{}}"#,
            r#"{"type":"something","part":{"sessionID":"s1"}}"#,
            r#"{"type":"text","sessionID":"s2","part":{"text":"hi"}}"#,
        ]);
        assert_eq!((output.session.as_deref(), output.reply.as_deref()), (Some("s1"), Some("hi")));
    }

    #[test]
    fn texts_are_joined_as_they_come_and_trimmed_at_the_ends_alone() {
        let text = |text: &str| serde_json::json!({"type": "text", "part": {"text": text}}).to_string();
        let lines =
            [text("\n one"), text(" "), text("two\n"), r#"{"type":"tool","part":{"text":"no"}}"#.to_owned()];
        let output = TurnOutput::read(lines.join("\n").as_bytes());
        assert_eq!(output.reply.as_deref(), Some("one two"));
        assert_eq!(TurnOutput::read(text(" \n ").as_bytes()).reply, None);
    }

    #[test]
    fn lines_that_are_no_event_are_counted_and_passed_over() {
        let output = read(&[
            "warming up",
            "",
            "[1]",
            r#"{"type":"x"}"#,
            "\u{fffd}",
            r#"{"type":"step_start"}"#,
            "{\"ty",
        ]);
        assert_eq!(output, TurnOutput { ignored_lines: 5, ..TurnOutput::default() });
    }

    #[test]
    fn a_session_that_was_not_found_is_told_by_no_event() {
        assert_eq!(TurnOutput::read(b""), TurnOutput::default());
    }
}
