//! What a receiver reads out of the whole standard output of one turn.

use super::event::Event;
use super::item::{Item, ItemKind};
use super::legacy::{LegacyEvent, LegacyKind};
use super::usage::Usage;
use crate::json;

/// The sum of a turn's events, by the rules of fact sheet 3.4 (FLEET-CDX-04, FLEET-CDX-05).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnOutput {
    /// The id of the first `thread.started` that is not blank, trimmed.
    pub thread_id: Option<String>,
    /// The text of the last completed `agent_message`, not trimmed; an empty text is no reply. Events of the older
    /// language give none.
    pub reply: Option<String>,
    /// The first `agent_message`, when there are several. Receivers do not deliver it.
    pub first_of_several: Option<String>,
    /// Why the turn failed: the last `turn.failed`, or, when the output ends without one, the last `error`. Nothing
    /// once a turn has completed. For people and oracles: receivers do not read it.
    pub failure: Option<String>,
    /// What the last completed turn cost.
    pub usage: Option<Usage>,
    /// Lines with something on them that are no event known here.
    pub ignored_lines: usize,
}

impl TurnOutput {
    /// Reads everything that the CLI printed; the last line needs no newline.
    pub fn read(stdout: &[u8]) -> TurnOutput {
        let mut output = TurnOutput::default();
        for line in json::lines(stdout) {
            match json::begins_object(line).then(|| Event::parse_line(line)) {
                Some(Ok(event)) => output.take(event),
                Some(Err(_)) | None => output.ignored_lines += 1,
            }
        }
        output.reply = output.reply.filter(|text| !text.is_empty());
        output
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::ThreadStarted { thread_id } => {
                if self.thread_id.is_none() && !thread_id.trim().is_empty() {
                    self.thread_id = Some(thread_id.trim().to_owned());
                }
            }
            Event::ItemCompleted { item: Item { kind: ItemKind::AgentMessage { text }, .. } } => {
                let earlier = self.reply.replace(text);
                self.first_of_several = self.first_of_several.take().or(earlier);
            }
            Event::TurnCompleted { usage } => {
                self.usage = Some(usage);
                self.failure = None;
            }
            Event::TurnFailed { message }
            | Event::Error { message }
            | Event::Legacy(LegacyEvent::Message { kind: LegacyKind::Error { message }, .. }) => {
                self.failure = Some(message);
            }
            Event::Unknown { .. } => self.ignored_lines += 1,
            Event::TurnStarted
            | Event::ItemStarted { .. }
            | Event::ItemUpdated
            | Event::ItemCompleted { .. }
            | Event::Legacy(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> TurnOutput {
        TurnOutput::read(lines.join("\n").as_bytes())
    }

    #[test]
    fn the_first_thread_id_that_is_not_blank_counts() {
        let output = read(&[
            r#"{"type":"thread.started","thread_id":"  "}"#,
            r#"{"type":"thread.started","thread_id":" t1 "}"#,
            r#"{"type":"thread.started","thread_id":"t2"}"#,
        ]);
        assert_eq!(output.thread_id.as_deref(), Some("t1"));
    }

    #[test]
    fn the_last_agent_message_is_the_reply_untrimmed() {
        let output = read(&[
            r#"{"type":"item.completed","item":{"id":"a","type":"agent_message","text":"one"}}"#,
            r#"{"type":"item.completed","item":{"id":"b","type":"agent_message","text":" two\n"}}"#,
            r#"{"type":"item.completed","item":{"id":"c","type":"file_change"}}"#,
            r#"{"type":"item.started","item":{"id":"d","type":"agent_message","text":"no"}}"#,
        ]);
        assert_eq!(output.reply.as_deref(), Some(" two\n"));
    }

    #[test]
    fn an_empty_last_message_is_no_reply() {
        let output = read(&[
            r#"{"type":"item.completed","item":{"type":"agent_message","text":"one"}}"#,
            r#"{"type":"item.completed","item":{"type":"agent_message","text":""}}"#,
        ]);
        assert_eq!(output.reply, None);
    }

    #[test]
    fn lines_that_are_no_event_are_counted_and_passed_over() {
        let output = read(&[
            "warming up",
            "",
            "[1]",
            r#"{"type":"x"}"#,
            "\u{fffd}",
            r#"{"type":"turn.started"}"#,
            "{\"type\":\"turn",
        ]);
        assert_eq!(output, TurnOutput { ignored_lines: 5, ..TurnOutput::default() });
    }

    #[test]
    fn an_error_that_was_survived_is_no_failure() {
        let output =
            read(&[r#"{"type":"error","message":"again"}"#, r#"{"type":"turn.completed","usage":{}}"#]);
        assert_eq!((output.failure, output.usage), (None, Some(Usage::default())));
    }
}
