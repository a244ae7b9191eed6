//! The inbox: what the receiver accepted, one line a dispatch, durable before the sender hears of it.

use std::io;
use std::path::Path;

use gauntlet_protocol::fleet::extension::Kept;
use gauntlet_protocol::fleet::{InboxRecord, Lines, offset_bytes, parse_offset};
use serde_json::json;

use super::state::Receiver;
use gauntlet_world::injection::Point;

/// What the one who appends to the inbox knows of it.
#[derive(Debug, Default)]
pub(super) struct Writer {
    /// An append failed half way: the next one begins with a line end, so that it does not grow into the torn line.
    pub(super) torn: bool,
    /// The last line is there, and perhaps not durable.
    unsynced: bool,
    /// How long the file was when it was last looked at: one that is shorter was moved away or cut off by somebody.
    length: u64,
}

/// No inbox has lost more lines: what says so is garbage.
const MOST_LOST: u64 = 1_000_000;

/// Why a dispatch was not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotAccepted {
    /// Nothing of it is left: it never runs.
    #[error("the inbox could not be written: {0}")]
    Refused(io::Error),
    /// The inbox could neither be written nor be mended. It may run, now or after a restart.
    #[error("the inbox could neither be written nor mended: {0}; {1}")]
    Unsure(io::Error, io::Error),
}

/// One line of the inbox that is to be run, with its number counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) line: u64,
    pub(super) context: Option<String>,
    pub(super) text: String,
    /// Whether its sender sent more.
    pub(super) cut: bool,
    /// What its sender said beside the text.
    pub(super) task: Option<Kept>,
}

impl Receiver {
    /// Accepts a dispatch: once this returns, the dispatch survives every crash.
    pub(super) async fn accept(
        &self,
        context: &str,
        text: &str,
        cut: bool,
        task: Option<&Kept>,
    ) -> Result<(), NotAccepted> {
        let event = json!({
            "ts": self.stamp(), "from": InboxRecord::HERMES, "contextId": context, "text": text, "cut": cut,
            "file": self.settings.mode.files.inbox, "task": task.map(Kept::to_value),
        });
        let passed = self.pass(Point::ReceiverInbox, event).await;
        let mut writer = self.inbox.lock().await;
        self.look_for_loss(&mut writer).await.map_err(NotAccepted::Refused)?;
        self.journal.write_owed(&self.host).await.map_err(NotAccepted::Refused)?;
        for event in passed.events {
            let member =
                |name| event.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let path = self.file(&member("file"));
            let record = InboxRecord {
                ts: member("ts"),
                from: member("from"),
                context: Some(member("contextId")),
                text: member("text"),
                cut: event.get("cut").and_then(|cut| cut.as_bool()).unwrap_or_default(),
                task: event.get("task").and_then(Kept::from_value),
            };
            let mut line = passed.mangle.apply(record.to_line().into_bytes());
            if writer.torn {
                line.insert(0, b'\n');
            }
            if let Err(error) = self.names.append(&self.host, &path, &line).await {
                // Who is told that nothing was accepted sends again, so nothing may be left that could be run.
                // What is there now is looked at anew.
                writer.length = 0;
                return Err(match self.take_back(&path, &line).await {
                    Ok(torn) => {
                        writer.torn = torn;
                        NotAccepted::Refused(error)
                    }
                    Err(second) => {
                        (writer.torn, writer.unsynced) = (true, true);
                        NotAccepted::Unsure(error, second)
                    }
                });
            }
            (writer.torn, writer.unsynced) = (false, false);
            writer.length += line.len() as u64;
        }
        Ok(())
    }

    /// Lines keep their numbers also when the file was moved away or cut off while the receiver runs.
    async fn look_for_loss(&self, writer: &mut Writer) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.inbox);
        let length = match self.host.disk().stat(&path).await {
            Ok(meta) => meta.len,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.names.forget(&path);
                0
            }
            Err(error) => return Err(error),
        };
        let is_lost = length < writer.length;
        writer.length = length;
        if is_lost {
            self.names.forget(&path);
            self.stand_in_for_lost(writer, self.handed_off.get()).await?;
        }
        Ok(())
    }

    /// Puts blank lines in the place of those that an inbox of so many lines has lost: the number of a line is what all else that is kept
    /// knows it by, and the lines of a new file are not the old ones.
    pub(super) async fn stand_in_for_lost(&self, writer: &mut Writer, lines: u64) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.inbox);
        let content = self.host.disk().read_if_present(&path).await?.unwrap_or_default();
        let there = Lines::new(&content).count() as u64;
        writer.length = content.len() as u64;
        let lost = lines.saturating_sub(there);
        if lost == 0 || lost > MOST_LOST {
            return Ok(());
        }
        let event = json!({ "lines": lines, "lost": lost });
        if self.pass(Point::ReceiverInboxLost, event).await.events.is_empty() {
            return Ok(());
        }
        self.log(format!("the inbox has lost {lost} lines")).await;
        let blank = vec![b'\n'; usize::try_from(lost).unwrap_or_default()];
        self.names.forget(&path);
        self.names.append(&self.host, &path, &blank).await?;
        writer.torn = false;
        writer.length += lost;
        Ok(())
    }

    /// Takes what is there of a line that could not be written out of the inbox again, and says whether what is left lacks its line end:
    /// a part of that line that cannot be run, or of one that an earlier life left torn. An error: it may be there, whole.
    async fn take_back(&self, path: &Path, line: &[u8]) -> io::Result<bool> {
        let content = self.host.disk().read_if_present(path).await?.unwrap_or_default();
        let (kept, could_run) = match content.strip_suffix(line) {
            Some(before) => (before, true),
            None => {
                let torn = Lines::new(&content).torn();
                // Without its line end alone, it would be whole as soon as the next line begins.
                (&content[..content.len() - torn.len()], InboxRecord::parse_line(torn).is_ok())
            }
        };
        let is_torn = !kept.is_empty() && !kept.ends_with(b"\n");
        if kept.len() == content.len() {
            return Ok(is_torn);
        }
        match self.host.disk().replace(path, kept).await {
            Ok(()) => Ok(is_torn),
            Err(_) if !could_run => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// The inbox. Nobody is writing to it meanwhile, so that no line is handed off before it is durable: the power could
    /// take such a line and give its number to another one.
    pub(super) async fn inbox_content(&self) -> io::Result<Vec<u8>> {
        let mut writer = self.inbox.lock().await;
        let path = self.file(self.settings.mode.files.inbox);
        if writer.unsynced {
            self.host.disk().sync(&path).await?;
            writer.unsynced = false;
        }
        Ok(self.host.disk().read_if_present(path).await?.unwrap_or_default())
    }

    /// How many lines an earlier life handed off, as the file says.
    pub(super) async fn offset(&self) -> io::Result<u64> {
        let content = self.host.disk().read_if_present(self.file(self.settings.mode.files.offset)).await?;
        Ok(content.map_or(0, |content| parse_offset(&content)))
    }

    /// Records that so many lines were handed off.
    pub(super) async fn set_offset(&self, lines: u64) -> io::Result<()> {
        let path = self.file(self.settings.mode.files.offset);
        let event = json!({ "lines": lines, "whole": true });
        let passed = self.pass(Point::ReceiverOffset, event).await.first();
        if let Some(event) = passed
            && let Some(written) = event["lines"].as_u64()
        {
            let written = offset_bytes(written);
            match event["whole"] == false {
                false => self.host.disk().replace(path, &written).await?,
                true => self.host.disk().write(path, &written).await?,
            }
        }
        self.handed_off.set(lines);
        Ok(())
    }
}

/// What stands in a line of the inbox, counted from 1.
pub(super) fn text_of_line(content: &[u8], line: u64) -> String {
    let bytes = Lines::new(content).find(|(number, _)| *number == line).map(|(_, bytes)| bytes);
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// The complete lines of the inbox beyond the first `skip`: the number of each, and what it asks for unless it is blank,
/// malformed or not from Hermes (FLEET-INB-06).
pub(super) fn lines_after(content: &[u8], skip: u64) -> Vec<(u64, Option<Accepted>)> {
    Lines::new(content)
        .filter(|(number, _)| *number > skip)
        .map(|(line, bytes)| {
            let record =
                InboxRecord::parse_line(bytes).ok().filter(|record| record.from == InboxRecord::HERMES);
            (
                line,
                record.map(|record| Accepted {
                    line,
                    context: record.context,
                    text: record.text,
                    cut: record.cut,
                    task: record.task,
                }),
            )
        })
        .collect()
}
