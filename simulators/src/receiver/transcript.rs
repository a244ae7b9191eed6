//! The transcript: both directions of every conversation, append-only.

use std::io;

use gauntlet_protocol::fleet::{Direction, Lines, TranscriptRecord};
use serde_json::json;

use super::journal::Outcome;
use super::state::Receiver;
use gauntlet_world::injection::Point;

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
        let passed = self.pass(Point::ReceiverTranscript, event).await;
        let mut torn = self.transcript.lock().await;
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
            let mut line = passed.mangle.apply(record.to_line().into_bytes());
            if *torn {
                line.insert(0, b'\n');
            }
            let outcome = self.names.append(&self.host, &path, &line).await;
            *torn = outcome.is_err();
            outcome?;
        }
        Ok(())
    }

    /// Ends a line that a crash left torn, so that the next record stands on a line of its own.
    pub(super) async fn mend_transcript(&self) {
        let path = self.file(self.settings.mode.files.transcript);
        *self.transcript.lock().await = match self.host.disk().read_if_present(&path).await {
            Ok(content) => !Lines::new(&content.unwrap_or_default()).torn().is_empty(),
            // Nobody knows; an empty line does no harm.
            Err(_) => true,
        };
    }

    /// Writes the outcome of an earlier life that its transcript may lack. `so_far` counts the outcomes that left the same
    /// record, this one among them.
    pub(super) async fn complete_transcript(&self, outcome: &Outcome, so_far: usize) {
        let path = self.file(self.settings.mode.files.transcript);
        let content = match self.host.disk().read_if_present(&path).await {
            Ok(content) => content.unwrap_or_default(),
            Err(error) => return self.log(format!("the transcript could not be read: {error}")).await,
        };
        let direction = if outcome.busy { Direction::Busy } else { Direction::Final };
        let wanted = TranscriptRecord::new(
            self.settings.mode,
            direction,
            String::new(),
            outcome.context.as_str(),
            outcome.text.as_str(),
        );
        let written = Lines::new(&content)
            .filter_map(|(_, line)| TranscriptRecord::parse_line(line).ok())
            .filter(|record| {
                (&record.context, &record.dir, &record.text) == (&wanted.context, &wanted.dir, &wanted.text)
            })
            .count();
        // A record that is there may not be durable yet: an earlier life may have died before its sync.
        if let Err(error) = self.host.disk().sync(&path).await {
            self.log(format!("the transcript could not be made durable: {error}")).await;
        }
        if written < so_far {
            self.record(direction, &outcome.context, &outcome.text).await;
        }
    }
}
