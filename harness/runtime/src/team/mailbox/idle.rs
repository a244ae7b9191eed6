//! A session is idle: what it was given is put away, and it is woken when more waits (team sheet 6.9).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use gauntlet_world::injection::Point;
use serde_json::json;
use tokio::time::Instant;

use super::inbox::Inbox;
use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::names::{MemberName, MessageId, RunId};
use crate::team::sessions::{History, Prompt};
use crate::team::state::{Member, MemberStatus, MemberStep, RunState};

/// Two idle events of one session within this time are one.
pub(crate) const SAME: Duration = Duration::from_millis(500);
/// The same unread mail wakes its reader once in this time.
const HINTED: Duration = Duration::from_secs(30);

/// What was made of idle events lately. It is lost with the process, which does no harm but a hint more.
#[derive(Default)]
pub(crate) struct Idles {
    seen: BTreeMap<String, Instant>,
    hinted: BTreeMap<(RunId, String, Vec<String>), Instant>,
    /// Sessions that are looked at again, since an idle of theirs was passed over.
    again: BTreeSet<String>,
}

impl Idles {
    /// Whether this event says something new (TEAM-WAKE-02).
    pub(crate) fn is_new(&mut self, session: &str, now: Instant) -> bool {
        self.seen.retain(|_, at| now.saturating_duration_since(*at) < SAME);
        if self.seen.contains_key(session) {
            return false;
        }
        self.seen.insert(session.to_owned(), now);
        true
    }

    /// Notes that a session is to be looked at again. False: that is noted already.
    pub(crate) fn look_again(&mut self, session: &str) -> bool {
        self.again.insert(session.to_owned())
    }

    /// It is looked at now.
    pub(crate) fn looks_again(&mut self, session: &str) {
        self.again.remove(session);
    }

    fn may_hint(&mut self, batch: (RunId, String, Vec<String>), now: Instant) -> bool {
        self.hinted.retain(|_, at| now.saturating_duration_since(*at) < HINTED);
        if self.hinted.contains_key(&batch) {
            return false;
        }
        self.hinted.insert(batch, now);
        true
    }
}

/// What becomes of a message that a session was given.
enum Fate {
    /// It was read.
    Read,
    /// It was not.
    Requeued,
    /// It is not there any more.
    Gone,
}

impl Team {
    /// A session of a team has come to the end of a turn.
    pub(crate) async fn on_idle(&self, session: &str) -> Result<(), TeamError> {
        let Some((run, seat)) = self.taking_part(session).await else { return Ok(()) };
        // An idle that is late: the session works again (TEAM-DLV-09).
        let active = self.sessions().is_active(session).await;
        let event = json!({ "again": false, "active": active, "acts": !active });
        if !self.decide(Point::RuntimeTeamIdle, event).await.yes("acts") {
            return Ok(());
        }
        let name = MemberName::new(&seat.member)?;
        self.put_away(&run, &name, session).await?;
        if self.settings().turns_carry_mail {
            self.wake(&run, &name, session).await?;
        }
        self.store()
            .update(&run, async |state| {
                if let Some(member) = state.member_mut(name.as_str()) {
                    member.try_step(MemberStep::Idle);
                }
                Ok(())
            })
            .await?;
        if !self.settings().turns_carry_mail {
            self.tell_next(&run, &name).await?;
        }
        Ok(())
    }

    /// Tells an idle member the oldest of its mail. The next one follows when it is idle again.
    async fn tell_next(&self, run: &RunId, name: &MemberName) -> Result<(), TeamError> {
        let unread = Inbox { store: self.store(), run, member: name }.unread_messages().await?;
        if let Some((id, message)) = unread.first() {
            self.deliver(run, name, id, message, None).await;
        }
        Ok(())
    }

    /// Puts away what the session has read, and takes back what it has not (TEAM-DLV-08, TEAM-DLV-10).
    async fn put_away(&self, run: &RunId, name: &MemberName, session: &str) -> Result<(), TeamError> {
        let pending = |state: &RunState| -> Vec<String> {
            state
                .member(name.as_str())
                .map(|member| member.pending_injected_message_ids.clone())
                .unwrap_or_default()
        };
        let before = pending(&self.store().load(run).await?);
        if before.is_empty() {
            return Ok(());
        }
        let history = self.history(session).await;
        let inbox = Inbox { store: self.store(), run, member: name };
        self.store()
            .update(run, async |state| {
                let Some(member) = state.member_mut(name.as_str()) else { return Ok(()) };
                let mut kept = Vec::new();
                for id in std::mem::take(&mut member.pending_injected_message_ids) {
                    // Files first: whatever crashes, a message that was read is never taken for a new one.
                    if !before.contains(&id) || self.settle(&inbox, &id, &history).await.is_err() {
                        kept.push(id);
                    }
                }
                member.pending_injected_message_ids = kept;
                Ok(())
            })
            .await
    }

    /// Moves the file of a message to where its fate says. One that a person removed is no error (F82).
    async fn settle(&self, inbox: &Inbox<'_>, id: &str, history: &History) -> Result<(), TeamError> {
        let Ok(id) = MessageId::new(id) else { return Ok(()) };
        let (fate, slot) = self.fate(inbox, &id, history).await;
        let heard = match history {
            History::Unavailable => "none",
            History::Failed(_) => "failed",
            History::Text(text) if text.contains(id.as_str()) => "has",
            History::Text(_) => "lacks",
        };
        let name = match fate {
            Fate::Read => "read",
            Fate::Requeued => "requeued",
            Fate::Gone => "gone",
        };
        let event = json!({ "member": inbox.member.as_str(), "slot": slot, "history": heard, "fate": name });
        let decided = self.decide(Point::RuntimeTeamFate, event).await;
        if decided.is_omitted() {
            return Err(TeamError::Usage("it stays as it is".to_owned()));
        }
        let fate = match decided.text("fate") {
            Some("read") => Fate::Read,
            Some("requeued") => Fate::Requeued,
            _ => Fate::Gone,
        };
        let moved = match fate {
            Fate::Read => inbox.ack(&id).await.map(|()| self.forget_injected(inbox.run, inbox.member, &id)),
            Fate::Requeued => inbox.release(&id).await.map(drop),
            Fate::Gone => Ok(()),
        };
        if let Err(error) = &moved {
            tracing::warn!(%id, %error, "mail that was read stays pending");
        }
        moved
    }

    /// What becomes of a message, and in which slot its file is.
    async fn fate(&self, inbox: &Inbox<'_>, id: &MessageId, history: &History) -> (Fate, &'static str) {
        let is_reserved = inbox.is_reserved(id).await;
        let slot = if is_reserved { "reserved" } else { "unread" };
        let heard = match history {
            History::Unavailable => return (Fate::Read, slot),
            History::Failed(_) => false,
            History::Text(text) => text.contains(id.as_str()),
        };
        if heard {
            return (Fate::Read, slot);
        }
        if is_reserved {
            return (Fate::Requeued, slot);
        }
        // What was put into a turn by this life was read, also where hosts keep no record of it. An earlier life may have died before
        // the turn had it.
        let fate = if self.was_injected(inbox.run, inbox.member, id) { Fate::Read } else { Fate::Gone };
        (fate, slot)
    }

    /// What a session has in its history, if that is told in time.
    pub(crate) async fn history(&self, session: &str) -> History {
        let asked = self.sessions().history(session);
        let answer = self.host().clock().within(Duration::from_secs(5), asked).await;
        answer.unwrap_or_else(|| History::Failed("timed out".to_owned()))
    }

    /// Wakes a member for whom mail waits (TEAM-WAKE-01).
    async fn wake(&self, run: &RunId, name: &MemberName, session: &str) -> Result<(), TeamError> {
        let state = self.store().load(run).await?;
        let Some(member) = state.member(name.as_str()) else { return Ok(()) };
        let unread = Inbox { store: self.store(), run, member: name }.unread_messages().await?;
        let pending = &member.pending_injected_message_ids;
        let waiting: Vec<String> =
            unread.iter().map(|(id, _)| id.as_str().to_owned()).filter(|id| !pending.contains(id)).collect();
        let count = waiting.len();
        let batch = (run.clone(), name.as_str().to_owned(), waiting);
        let fresh = count > 0 && self.idles().borrow_mut().may_hint(batch, self.host().clock().now());
        let event = json!({
            "status": member.status(), "unread": count, "again": !fresh, "wakes": fresh && wakes(member),
        });
        if !self.decide(Point::RuntimeTeamWake, event).await.yes("wakes") {
            return Ok(());
        }
        let noun = if count == 1 { "message waits" } else { "messages wait" };
        let prompt = Prompt {
            session: session.to_owned(),
            text: format!("{count} unread team {noun} for you. They come with this turn."),
            agent: member.subagent_type.clone(),
            model: member.model.clone(),
            directory: member.worktree_path.clone(),
        };
        if let Some(answer) = self.sessions().prompt(prompt) {
            let prompted = answer.await;
            tracing::debug!(%run, member = name.as_str(), ?prompted, "a member was woken");
        }
        Ok(())
    }
}

fn wakes(member: &Member) -> bool {
    use MemberStatus::{Completed, Errored, ShutdownApproved};
    !matches!(member.status(), Errored | Completed | ShutdownApproved)
}
