//! The transcript: both directions of every conversation, append-only.

use std::io;

use gauntlet_protocol::fleet::{Direction, Lines, TranscriptRecord};
use serde_json::json;

use super::journal::Outcome;
use super::state::Receiver;
use crate::injection::Point;

impl Receiver {
    /// Appends a record. A failed write is logged and goes no further (fleet sheet 2.5).
    pub(super) async fn record(&self, direction: Direction, context: &str, text: &str) {
        if let Err(error) = self.try_record(direction, context, text).await {
            self.log(format!("the transcript could not be written: {error}")).await;
        }
    }

    async fn try_record(&self, direction: Direction, context: &str, text: &str) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.transcript);
        let record = TranscriptRecord::new(self.settings.mode, direction, self.stamp(), context, text);
        let event = json!({
            "dir": record.dir, "from": record.from, "to": record.to, "contextId": record.context, "text": record.text,
        });
        let passed = self.settings.injector.pass(&self.host, Point::ReceiverTranscript, event).await;
        let _writer = self.transcript.lock().await;
        for event in passed.events {
            let member =
                |name| event.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let record = TranscriptRecord {
                ts: record.ts.clone(),
                dir: member("dir"),
                from: member("from"),
                to: member("to"),
                context: member("contextId"),
                text: member("text"),
            };
            let line = passed.mangle.apply(record.to_line().into_bytes());
            self.host.disk().append_durably(&path, &line).await?;
        }
        Ok(())
    }

    /// Ends a line that a crash left torn, so that the next record stands on a line of its own.
    pub(super) async fn mend_transcript(&self) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.transcript);
        let content = self.host.disk().read(&path).await?;
        if !Lines::new(&content).torn().is_empty() {
            self.host.disk().append_durably(&path, b"\n").await?;
        }
        Ok(())
    }

    /// Writes the outcome of an earlier life that its transcript may lack. Turns of one context end one after the other and
    /// each leaves one record, so counting them tells whether the last one is missing.
    pub(super) async fn complete_transcript(&self, outcome: &Outcome, outcomes_so_far: usize) {
        let path = self.file(self.settings.mode.files.transcript);
        let content = self.host.disk().read(&path).await.unwrap_or_default();
        let mode = self.settings.mode;
        let endings = [Direction::Final, Direction::Busy]
            .map(|direction| TranscriptRecord::new(mode, direction, "", outcome.context.as_str(), "").dir);
        let written = Lines::new(&content)
            .filter_map(|(_, line)| TranscriptRecord::parse_line(line).ok())
            .filter(|record| record.context == outcome.context && endings.contains(&record.dir))
            .count();
        if written < outcomes_so_far {
            let direction = if outcome.busy { Direction::Busy } else { Direction::Final };
            self.record(direction, &outcome.context, &outcome.text).await;
        }
    }
}
