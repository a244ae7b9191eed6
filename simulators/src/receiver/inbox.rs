//! The inbox: what the receiver accepted, one line a dispatch, durable before the sender hears of it.

use std::io;

use gauntlet_protocol::fleet::{InboxRecord, Lines, offset_bytes, parse_offset};
use serde_json::json;

use super::state::Receiver;
use crate::injection::Point;

/// What the one who appends to the inbox knows of it.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// An append failed half way: the next one begins with a line end, so that it does not grow into the torn line.
    pub(super) torn: bool,
}

/// One line of the inbox that is to be run, with its number counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) line: u64,
    pub(super) context: Option<String>,
    pub(super) text: String,
}

impl Receiver {
    /// Accepts a dispatch: once this returns, the dispatch survives every crash.
    pub(super) async fn accept(&self, context: &str, text: &str) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.inbox);
        let event = json!({ "from": InboxRecord::HERMES, "contextId": context, "text": text });
        let passed = self.settings.injector.pass(&self.host, Point::ReceiverInbox, event).await;
        let mut writer = self.inbox.lock().await;
        for event in passed.events {
            let member =
                |name| event.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let record = InboxRecord {
                ts: self.stamp(),
                from: member("from"),
                context: Some(member("contextId")),
                text: member("text"),
            };
            let mut line = record.to_line();
            if writer.torn {
                line.insert(0, '\n');
            }
            let outcome =
                self.host.disk().append_durably(&path, &passed.mangle.apply(line.into_bytes())).await;
            writer.torn = outcome.is_err();
            outcome?;
        }
        Ok(())
    }

    /// How many lines were handed off.
    pub(super) async fn offset(&self) -> u64 {
        let content = self.host.disk().read_if_present(self.file(self.settings.mode.files.offset)).await;
        content.ok().flatten().map_or(0, |content| parse_offset(&content))
    }

    /// Records that so many lines were handed off.
    pub(super) async fn set_offset(&self, lines: u64) -> io::Result<()> {
        self.host.disk().replace(self.file(self.settings.mode.files.offset), &offset_bytes(lines)).await
    }
}

/// The complete lines of the inbox beyond the first `skip`: the number of each, and what it asks for unless it is blank,
/// malformed or not from Hermes (FLEET-INB-06).
pub(super) fn lines_after(content: &[u8], skip: u64) -> Vec<(u64, Option<Accepted>)> {
    Lines::new(content)
        .filter(|(number, _)| *number > skip)
        .map(|(line, bytes)| {
            let record =
                InboxRecord::parse_line(bytes).ok().filter(|record| record.from == InboxRecord::HERMES);
            (line, record.map(|record| Accepted { line, context: record.context, text: record.text }))
        })
        .collect()
}
