//! A dispatch whose reply is read in the peer's transcript, on the same machine (fleet sheet 5.2).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_protocol::fleet::extension::task::Task;
use gauntlet_protocol::fleet::{ContextId, Lines, Mode, TranscriptRecord};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client::deadline_over;
use super::{Class, Fleet, SendError};

#[cfg(test)]
mod model;

const POLL: Duration = Duration::from_secs(2);

/// What became of a wait.
enum Seen {
    /// The reply.
    Reply(String),
    /// That it came here and is for this profile, another one.
    Astray(String),
    /// Nothing, and from now on a reply is late.
    Due,
    /// Nothing, and nobody waits longer; and why the transcript could not be read, if it could not be last.
    Nothing(Option<io::Error>),
}

impl Fleet {
    /// The transcript of a peer on this machine: its mode's own file (FLEET-CLI-10).
    async fn transcript_of_peer(&self, peer: &PeerEntry) -> Option<PathBuf> {
        let mode = Mode::named(peer.mode.as_deref()?)?;
        let repo = self.repo(peer.repo_path.as_deref()?).await;
        Some(repo.join(".hermes").join(mode.files.transcript))
    }

    /// Sends, and waits for the final reply in the peer's transcript. The place in the transcript is taken before the send,
    /// so that a reply written meanwhile is found (FLEET-CLI-07).
    pub(super) async fn send_and_wait(
        &self,
        peer_name: &str,
        text: &str,
        context: Option<ContextId>,
        max_wait: Duration,
        task: Option<&Task>,
        choice: Option<&Choice>,
    ) -> Result<Value, SendError> {
        let began = self.host.clock().now();
        let whole_ms = task.and_then(|task| task.deadline_ms);
        let transcript = self.transcript_of_peer(&self.peer(peer_name).await?).await;
        let mut offset = match &transcript {
            Some(path) => self.length(path).await.map_err(|error| {
                // From the start on, an old reply would be taken for the new one.
                let text = format!("the transcript of '{peer_name}' cannot be read: {error}");
                SendError::new(Class::NotSent, "transcript", text)
            })?,
            None => 0,
        };
        let strays = self.astray().arrived();
        let ack = self.send(peer_name, text, context, task, choice).await?;
        let elsewhere = task.and_then(|task| task.reply_to.as_ref()?.context.as_ref());
        let context = match elsewhere {
            Some(elsewhere) => elsewhere.to_string(),
            None => ack.context.clone().unwrap_or_default(),
        };
        let unwaited = |reason: Option<String>| match reason {
            Some(reason) => {
                json!({ "reply": ack.text, "context_id": context, "waited": false, "reason": reason })
            }
            None => json!({ "reply": ack.text, "context_id": context, "waited": false }),
        };
        let queued = ack.text.contains("[queued]");
        let wait = json!({
            "peer": peer_name,
            "queued": queued,
            "waits": queued,
            "seconds": max_wait.as_secs(),
            "file": transcript.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy()),
            "from": offset,
            "older": offset > 0,
        });
        let wait = self.decide(Point::RuntimeWait, wait).await;
        if !wait.yes("waits") {
            return Ok(unwaited(None));
        }
        offset = wait.number("from").unwrap_or(offset);
        let max_wait = match wait.number("seconds") {
            Some(seconds) if seconds != max_wait.as_secs() => Duration::from_secs(seconds),
            _ => max_wait,
        };
        let named = |path: PathBuf| wait.text("file").map_or(path.clone(), |name| path.with_file_name(name));
        let Some(transcript) = transcript.map(named) else {
            let reason = "queued ack but no transcript_path resolvable (peer entry has no repo_path; pass transcript_path=)";
            return Ok(unwaited(Some(reason.to_owned())));
        };
        if context.is_empty() {
            return Ok(unwaited(Some("queued ack had no context_id to correlate".to_owned())));
        }
        let mut deadline = self.host.clock().now() + max_wait;
        // Whichever is earlier: the caller's patience, or the moment from which a reply is late.
        let due = whole_ms.map(|whole| began + Duration::from_millis(whole)).filter(|due| *due <= deadline);
        let due = match due {
            Some(due) => {
                let event = json!({ "contextId": context, "ends": true });
                self.decide(Point::RuntimeDeadline, event).await.yes("ends").then_some(due)
            }
            None => None,
        };
        deadline = due.unwrap_or(deadline);
        match self.watch((&transcript, offset), (&context, strays), (due, deadline)).await {
            Seen::Reply(reply) => Ok(json!({ "reply": reply, "context_id": context, "waited": true })),
            Seen::Astray(profile) => {
                let text = format!(
                    "expected the reply of '{peer_name}' on context '{context}'; it came for the profile '{profile}', and is kept \
                     for that one"
                );
                let mut astray = SendError::new(Class::RepliedElsewhere, "astray", text);
                astray.context = Some(context);
                Err(astray)
            }
            Seen::Due => {
                let mut over = deadline_over(peer_name, whole_ms);
                over.context = Some(context);
                Err(over)
            }
            Seen::Nothing(unread) => {
                let mut reason = format!("no final reply in transcript within {}s", max_wait.as_secs_f64());
                if let Some(error) = unread {
                    reason.push_str(&format!(", which cannot be read: {error}"));
                }
                Ok(unwaited(Some(reason)))
            }
        }
    }

    /// Looks for the reply on a context in a transcript, from an offset on, until it is due or the patience ends; or until one that
    /// is another profile's came on it, when so many had come before. What is in the transcript counts for more: a receiver
    /// records a reply before it sends it.
    async fn watch(
        &self,
        (transcript, mut offset): (&Path, u64),
        (context, strays): (&str, u64),
        (due, deadline): (Option<Instant>, Instant),
    ) -> Seen {
        let mut unread = None;
        loop {
            let now = self.host.clock().now();
            if due.is_some_and(|due| now >= due) {
                return Seen::Due;
            }
            if now >= deadline {
                return Seen::Nothing(unread);
            }
            self.host.clock().sleep(POLL.min(deadline - now)).await;
            // What is recorded from this moment on is late, also when it is seen at once.
            if due.is_some_and(|due| self.host.clock().now() >= due) {
                continue;
            }
            let astray = self.astray().came_since(strays, context);
            match self.look(transcript, &mut offset, context).await {
                Ok(Some(reply)) => return Seen::Reply(reply),
                Ok(None) => unread = None,
                Err(error) => unread = Some(error),
            }
            if let Some(profile) = astray {
                let event = json!({ "contextId": context, "profile": profile, "ends": true });
                if self.decide(Point::RuntimeAstrayAwaited, event).await.yes("ends") {
                    return Seen::Astray(profile);
                }
            }
        }
    }

    /// Looks once for the reply on a context in what was added to a transcript behind an offset, which goes on behind what was read.
    async fn look(&self, transcript: &Path, offset: &mut u64, context: &str) -> io::Result<Option<String>> {
        let fresh = self.since(transcript, offset).await?;
        let lines = Lines::new(&fresh);
        // A half-written line stays ahead of the offset until it is whole (FLEET-CLI-11).
        *offset += (fresh.len() - lines.torn().len()) as u64;
        if !lines.torn().is_empty() && self.takes(None, context).await {
            *offset += lines.torn().len() as u64;
        }
        for (_, line) in lines {
            let Ok(record) = TranscriptRecord::parse_line(line) else { continue };
            if self.takes(Some(&record), context).await {
                return Ok(Some(record.text));
            }
        }
        Ok(None)
    }

    /// How long a transcript is. One that is not written yet, or is between the two files of a rotation, is empty.
    async fn length(&self, transcript: &Path) -> io::Result<u64> {
        match self.host.disk().stat(transcript).await {
            Ok(meta) => Ok(meta.len),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// What was added to a transcript behind an offset. One that is shorter by now was begun anew, and so is the reading of it.
    async fn since(&self, transcript: &Path, offset: &mut u64) -> io::Result<Vec<u8>> {
        let length = self.length(transcript).await?;
        if length < *offset {
            let event = json!({ "from": *offset, "length": length, "anew": true });
            if self.decide(Point::RuntimeRotated, event).await.yes("anew") {
                *offset = 0;
            }
        }
        if length <= *offset {
            return Ok(Vec::new());
        }
        self.host.disk().read_from(transcript, *offset).await
    }

    /// Whether a record is the reply that is waited for. One that is not whole yet never is.
    async fn takes(&self, record: Option<&TranscriptRecord>, context: &str) -> bool {
        let event = match record {
            Some(record) => json!({
                "whole": true,
                "contextId": record.context,
                "from": record.from,
                "to": record.to,
                "dir": record.dir,
                "text": record.text,
                "taken": is_reply(record, context),
            }),
            None => json!({ "whole": false, "taken": false }),
        };
        self.decide(Point::RuntimeRecord, event).await.yes("taken")
    }
}

/// Whether a record is the final reply on a context: not an acknowledgement, not a busy notice, not somebody else's.
fn is_reply(record: &TranscriptRecord, context: &str) -> bool {
    record.context == context
        && record.to == "hermes"
        && record.from != "hermes"
        && !record.dir.contains("(ack)")
        && !record.dir.contains("(busy)")
        // An acknowledgement whose direction is not marked still ends in its fixed word.
        && !record.text.trim_end().ends_with("[queued]")
}
