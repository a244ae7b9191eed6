//! One line of a receiver's transcript: everything said in either direction.

use serde_json::json;

use super::mode::Mode;
use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

/// A transcript record: `{"ts","dir","from","to","contextId","text"}` (fact sheet 2.5, FLEET-TR-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TranscriptRecord {
    /// Local time, `YYYY-MM-DD HH:MM:SS`, not checked.
    pub ts: String,
    /// Direction and class, see [`Direction`].
    pub dir: String,
    /// `hermes` or the receiver's peer name.
    pub from: String,
    /// The other of the two.
    pub to: String,
    /// The context.
    pub context: String,
    /// What was said; a prompt already cut.
    pub text: String,
}

/// What a record reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A dispatch came in.
    Inbound,
    /// It was acknowledged.
    Ack,
    /// It was given up because something was busy.
    Busy,
    /// Its reply, or the error text in a reply's place.
    Final,
}

impl TranscriptRecord {
    /// The record that a receiver of this mode writes.
    pub fn new(
        mode: &Mode,
        direction: Direction,
        ts: impl Into<String>,
        context: impl Into<String>,
        text: impl Into<String>,
    ) -> TranscriptRecord {
        let cli = mode.cli;
        let (dir, from, to) = match direction {
            Direction::Inbound => (format!("hermes->{cli}"), "hermes", mode.peer),
            Direction::Ack => (format!("{cli}->hermes (ack)"), mode.peer, "hermes"),
            Direction::Busy => (format!("{cli}->hermes (busy)"), mode.peer, "hermes"),
            Direction::Final => (format!("{cli}->hermes"), mode.peer, "hermes"),
        };
        TranscriptRecord {
            ts: ts.into(),
            dir,
            from: from.to_owned(),
            to: to.to_owned(),
            context: context.into(),
            text: text.into(),
        }
    }

    /// The line, with its newline.
    pub fn to_line(&self) -> String {
        let value = json!({
            "ts": self.ts,
            "dir": self.dir,
            "from": self.from,
            "to": self.to,
            "contextId": self.context,
            "text": self.text,
        });
        json::spaced(&value) + "\n"
    }

    /// Reads a line, with or without its newline. All six members must be strings.
    pub fn parse_line(line: &[u8]) -> Result<TranscriptRecord, ParseError> {
        let value = json::parse("transcript line", line)?;
        let fields = Fields::of("transcript line", &value)?;
        let member = |key| fields.string(key).map(str::to_owned);
        Ok(TranscriptRecord {
            ts: member("ts")?,
            dir: member("dir")?,
            from: member("from")?,
            to: member("to")?,
            context: member("contextId")?,
            text: member("text")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codex::MODE as CODEX;

    #[test]
    fn a_turn_is_written_as_recorded() {
        let line = |direction, text: &str| {
            TranscriptRecord::new(&CODEX, direction, "2026-11-21 01:12:47", "codex-c1", text).to_line()
        };
        let recorded = concat!(
            r#"{"ts": "2026-11-21 01:12:47", "dir": "hermes->codex", "from": "hermes", "to": "codex", "contextId": "codex-c1", "text": "hello FAKE:reply=PONG"}"#,
            "\n",
            r#"{"ts": "2026-11-21 01:12:47", "dir": "codex->hermes (ack)", "from": "codex", "to": "hermes", "contextId": "codex-c1", "text": "Message received; executing in repo via Codex. Reply will follow. [queued]"}"#,
            "\n",
            r#"{"ts": "2026-11-21 01:12:47", "dir": "codex->hermes", "from": "codex", "to": "hermes", "contextId": "codex-c1", "text": "PONG"}"#,
            "\n",
        );
        let written = line(Direction::Inbound, "hello FAKE:reply=PONG")
            + &line(Direction::Ack, &CODEX.ack_text())
            + &line(Direction::Final, "PONG");
        assert_eq!(written, recorded);
        assert!(line(Direction::Busy, "x").contains("\"dir\": \"codex->hermes (busy)\""));
    }

    #[test]
    fn a_line_that_lacks_a_member_is_refused_at_that_member() {
        let error = TranscriptRecord::parse_line(br#"{"ts": "t", "dir": "d", "from": "f", "to": 1}"#);
        assert_eq!(
            error.expect_err("a number").to_string(),
            "transcript line at /to: expected a string, found a number 1"
        );
    }
}
