//! The transcript: both directions of every conversation, append-only.

use std::io;

use gauntlet_protocol::fleet::{Direction, Lines, TranscriptRecord};
use serde_json::json;

use super::journal::Outcome;
use super::state::Receiver;
use super::turns::{LONGEST_PAUSE, SHORTEST_PAUSE};
use gauntlet_world::injection::Point;

impl Receiver {
    /// Appends a record, and says whether it is there. A failed write is logged and goes no further (fleet sheet 2.5).
    pub(super) async fn record(&self, direction: Direction, context: &str, text: &str) -> bool {
        let outcome = self.try_record(direction, context, text).await;
        if let Err(error) = &outcome {
            self.log(format!("the transcript could not be written: {error}")).await;
        }
        outcome.is_ok()
    }

    /// Appends an outcome.
    pub(super) async fn record_ending(&self, outcome: &Outcome) {
        let direction = if outcome.busy { Direction::Busy } else { Direction::Final };
        let is_there = self.record(direction, &outcome.context, &outcome.text).await;
        self.note_record(outcome, is_there);
    }

    fn note_record(&self, outcome: &Outcome, is_there: bool) {
        let mut unrecorded = self.unrecorded.borrow_mut();
        if is_there {
            unrecorded.remove(&outcome.id);
        } else {
            unrecorded.insert(outcome.id.clone());
        }
    }

    /// What Hermes did not take is left to its reader in the transcript alone (FLEET-CB-04): what could not be written there is
    /// written now, however long that takes.
    pub(super) async fn keep(&self, line: u64, outcome: &Outcome) {
        let mut pause = SHORTEST_PAUSE;
        while self.unrecorded.borrow().contains(&outcome.id) {
            self.host.clock().sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            let alike = |other: &Outcome| {
                (&other.context, other.busy, &other.text) == (&outcome.context, outcome.busy, &outcome.text)
            };
            let outcomes = self.journal.outcomes();
            let so_far = outcomes.iter().filter(|(of, other)| *of <= line && alike(other)).count();
            self.complete_transcript(outcome, so_far).await;
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

    /// Writes an outcome that the transcript may lack, be it of an earlier life. `so_far` counts the outcomes that left the same
    /// record, this one among them.
    pub(super) async fn complete_transcript(&self, outcome: &Outcome, so_far: usize) {
        let path = self.file(self.settings.mode.files.transcript);
        let content = match self.host.disk().read_if_present(&path).await {
            Ok(content) => content.unwrap_or_default(),
            Err(error) => {
                self.note_record(outcome, false);
                return self.log(format!("the transcript could not be read: {error}")).await;
            }
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
        let synced = self.host.disk().sync(&path).await;
        if let Err(error) = &synced {
            self.log(format!("the transcript could not be made durable: {error}")).await;
        }
        if written < so_far {
            self.record_ending(outcome).await;
        } else {
            self.note_record(outcome, synced.is_ok());
        }
    }
}
