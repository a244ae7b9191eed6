//! The files of one inbox: unread, on its way into a session (reserved), or read (processed). Team sheet 1.4, 6.1, 6.3.

use std::io;

use gauntlet_world::disk::Kind as Entry;
use gauntlet_world::injection::Point;
use serde_json::json;

use super::message::Message;
use crate::team::error::TeamError;
use crate::team::layout::RESERVED;
use crate::team::names::{MemberName, MessageId, RunId};
use crate::team::state::Store;
use crate::team::{files, lock};

/// From which age on a reservation is nobody's any more.
const RESERVATION_MS: i64 = 600_000;

/// The inbox of one member of a run.
pub(crate) struct Inbox<'a> {
    pub(crate) store: &'a Store,
    pub(crate) run: &'a RunId,
    pub(crate) member: &'a MemberName,
}

/// Where a message is written first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Unread,
    Reserved,
}

impl Inbox<'_> {
    /// Makes its folders.
    pub(crate) async fn make(&self) -> Result<(), TeamError> {
        let folder = self.store.layout.inbox(self.run, self.member);
        if let Some(all) = folder.parent() {
            files::make_private_dir(&self.store.host, all).await?;
        }
        files::make_private_dir(&self.store.host, &folder).await?;
        files::make_private_dir(&self.store.host, &folder.join("processed")).await
    }

    /// Writes a message, alone, if there is room and no other one of its id (TEAM-MSG-05, TEAM-MSG-06).
    pub(crate) async fn put(&self, message: &Message, slot: Slot, limit: u64) -> Result<(), TeamError> {
        let host = &self.store.host;
        let file = self.store.layout.inbox_lock(self.run, self.member);
        let owner = format!("team-mailbox:{}", self.member);
        let taken = match lock::acquire(host, &file, &owner).await {
            // The folder is not there: the inbox was never made, or its run is gone meanwhile.
            Err(TeamError::Disk { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                self.store.load(self.run).await?;
                self.make().await?;
                lock::acquire(host, &file, &owner).await?
            }
            taken => taken?,
        };
        let outcome = self.put_alone(message, slot, limit).await;
        taken.release(host).await;
        outcome
    }

    async fn put_alone(&self, message: &Message, slot: Slot, limit: u64) -> Result<(), TeamError> {
        let (host, id) = (&self.store.host, MessageId::new(&message.message_id)?);
        let folder = self.store.layout.inbox(self.run, self.member);
        if host.disk().stat(folder.join("processed")).await.is_err() {
            self.make().await?;
        }
        let mut held = 0;
        for (name, kind) in files::list(host, &folder).await? {
            if kind == Entry::File && (is_unread(&name) || is_reserved(&name)) {
                // One that is put away in this moment does not count any more.
                held += host.disk().stat(folder.join(&name)).await.map_or(0, |meta| meta.len);
            }
        }
        let content = files::pretty(message);
        let more = content.len() as u64;
        let mut known = false;
        for place in [self.unread(&id), self.reserved(&id), self.processed(&id)] {
            known |= host.disk().stat(place).await.is_ok();
        }
        let event = json!({
            "member": self.member.as_str(), "held": held, "more": more, "limit": limit, "fits": held + more <= limit,
            "known": known,
        });
        let decided = self.store.decide(Point::RuntimeTeamPut, event).await;
        if decided.is_omitted() {
            return Ok(());
        }
        if !decided.yes("fits") {
            return Err(TeamError::Backpressure { recipient: self.member.to_string(), held, more, limit });
        }
        if decided.yes("known") {
            return Err(TeamError::DuplicateMessage(message.message_id.clone()));
        }
        let file = match slot {
            Slot::Unread => self.unread(&id),
            Slot::Reserved => self.reserved(&id),
        };
        files::replace(host, &file, &content).await
    }

    fn unread(&self, id: &MessageId) -> std::path::PathBuf {
        self.store.layout.unread(self.run, self.member, id)
    }

    fn reserved(&self, id: &MessageId) -> std::path::PathBuf {
        self.store.layout.reserved(self.run, self.member, id)
    }

    fn processed(&self, id: &MessageId) -> std::path::PathBuf {
        self.store.layout.processed(self.run, self.member, id)
    }

    /// Reserves a message. False: there is none of this id.
    pub(crate) async fn reserve(&self, id: &MessageId) -> Result<bool, TeamError> {
        let host = &self.store.host;
        if host.disk().stat(self.reserved(id)).await.is_ok() {
            return Ok(true);
        }
        files::shift(host, &self.unread(id), &self.reserved(id)).await
    }

    /// Lets a reservation go: the message is unread.
    pub(crate) async fn release(&self, id: &MessageId) -> Result<bool, TeamError> {
        files::shift(&self.store.host, &self.reserved(id), &self.unread(id)).await
    }

    /// Whether a message is on its way.
    pub(crate) async fn is_reserved(&self, id: &MessageId) -> bool {
        self.store.host.disk().stat(self.reserved(id)).await.is_ok()
    }

    /// Puts a message away, from whichever slot it is in: from both, if it is there twice.
    pub(crate) async fn ack(&self, id: &MessageId) -> Result<(), TeamError> {
        let host = &self.store.host;
        for slot in [self.unread(id), self.reserved(id)] {
            files::shift(host, &slot, &self.processed(id)).await?;
        }
        Ok(())
    }

    /// The messages that nobody read, in order of time and id. What is no message is told of in the log and left (TEAM-MSG-11). What was
    /// put away already, and is here again after a power cut, is no news.
    pub(crate) async fn unread_messages(&self) -> Result<Vec<(MessageId, Message)>, TeamError> {
        let host = &self.store.host;
        let folder = self.store.layout.inbox(self.run, self.member);
        let mut messages = Vec::new();
        for (name, kind) in files::list(host, &folder).await? {
            let id = name.strip_suffix(".json").filter(|_| is_unread(&name) && kind == Entry::File);
            let Some(id) = id.and_then(|id| MessageId::new(id).ok()) else { continue };
            if host.disk().stat(self.processed(&id)).await.is_ok() {
                continue;
            }
            match files::read(host, &folder.join(&name)).await {
                // It was put away in this moment.
                Ok(None) => {}
                Ok(Some(content)) => match Message::parse(&id, &content) {
                    Ok(message) => messages.push((id, message)),
                    Err(reason) => {
                        tracing::warn!(inbox = %folder.display(), file = name, reason, "a file in an inbox is passed over");
                    }
                },
                Err(error) => tracing::warn!(%error, "a file in an inbox is passed over"),
            }
        }
        messages.sort_by(|(a, x), (b, y)| (x.timestamp, a).cmp(&(y.timestamp, b)));
        Ok(messages)
    }

    /// The reservations, each with whether nobody will come back to it (TEAM-RES-04). A clock that was set back makes ages of the future,
    /// which count by their distance.
    pub(crate) async fn reservations(&self) -> Result<Vec<(MessageId, bool)>, TeamError> {
        let host = &self.store.host;
        let folder = self.store.layout.inbox(self.run, self.member);
        let mut reserved = Vec::new();
        for (name, _) in files::list(host, &folder).await? {
            let id = name.strip_prefix(RESERVED).and_then(|rest| rest.strip_suffix(".json"));
            let Some(id) = id.and_then(|id| MessageId::new(id).ok()) else { continue };
            let Ok(meta) = host.disk().stat(folder.join(&name)).await else { continue };
            let age = host.clock().wall().millis().saturating_sub(meta.modified_ms);
            reserved.push((id, age.saturating_abs() >= RESERVATION_MS));
        }
        Ok(reserved)
    }

    /// How many messages were ever written here.
    pub(crate) async fn count_all(&self) -> Result<u64, TeamError> {
        let folder = self.store.layout.inbox(self.run, self.member);
        let here = files::list(&self.store.host, &folder).await?;
        let read = files::list(&self.store.host, &folder.join("processed")).await?;
        let here = here.iter().filter(|(name, _)| is_unread(name) || is_reserved(name)).count();
        Ok((here + read.len()) as u64)
    }
}

fn is_unread(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

fn is_reserved(name: &str) -> bool {
    name.starts_with(RESERVED) && name.ends_with(".json")
}
