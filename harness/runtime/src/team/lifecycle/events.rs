//! What the session host tells of sessions (team sheet 9.3).

use std::time::Duration;

use gauntlet_world::injection::Point;
use serde_json::json;

use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::mailbox::{Inbox, Kind, Outgoing, SAME};
use crate::team::names::{MemberName, MessageId, RunId};
use crate::team::sessions::History;
use crate::team::state::{MemberStep, RunStep};

/// How long a session may take to show that it goes on.
const SETTLE: Duration = Duration::from_millis(150);

/// Something that happened to a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It came to the end of a turn.
    Idle {
        /// Which.
        session: String,
    },
    /// Something went wrong in it.
    Error {
        /// Which.
        session: String,
        /// What it said.
        said: Option<String>,
    },
    /// It is gone.
    Deleted {
        /// Which.
        session: String,
    },
}

impl Team {
    /// Takes an event. What goes wrong is told in the log: nobody waits for it, and no other event is kept from its way (F86).
    pub async fn on_event(&self, event: Event) {
        let team = self.clone();
        // On its own: whoever tells of it may stop waiting, and what holds a lock comes to its end.
        let handled = self.host().spawn(async move {
            let outcome = match &event {
                Event::Idle { session } => {
                    let is_new = team.idles().borrow_mut().is_new(session, team.host().clock().now());
                    let acts = is_new || {
                        let told = json!({ "again": true, "active": false, "acts": false });
                        team.decide(Point::RuntimeTeamIdle, told).await.yes("acts")
                    };
                    match acts {
                        true => team.on_idle(session).await,
                        false => team.look_later(session).await,
                    }
                }
                Event::Error { session, said } => team.on_error(session, said.as_deref()).await,
                Event::Deleted { session } => team.on_deleted(session).await,
            };
            if let Err(error) = outcome {
                tracing::warn!(?event, %error, "an event of a session of a team failed");
            }
        });
        handled.join().await;
    }

    /// An idle that comes right after another one may be the same, or the end of a short turn: when there can be no doubt any more, it is
    /// looked once.
    async fn look_later(&self, session: &str) -> Result<(), TeamError> {
        if !self.idles().borrow_mut().look_again(session) {
            return Ok(());
        }
        self.host().clock().sleep(SAME).await;
        self.idles().borrow_mut().looks_again(session);
        self.on_idle(session).await
    }

    /// A session says that something went wrong. It is broken only when it is gone: whatever else is passing (TEAM-EVT-01).
    async fn on_error(&self, session: &str, said: Option<&str>) -> Result<(), TeamError> {
        let Some((run, seat)) = self.taking_part(session).await else { return Ok(()) };
        self.host().clock().sleep(SETTLE).await;
        // Nobody can tell whether it exists: so it does.
        let active = self.sessions().is_active(session).await;
        let there = active || self.session_exists(session).await.unwrap_or(true);
        let state = self.store().load(&run).await?;
        let member = state.member(&seat.member);
        let pending = member.map(|member| member.pending_injected_message_ids.clone()).unwrap_or_default();
        let heard = !there
            && !pending.is_empty()
            && match self.history(session).await {
                History::Text(text) => pending.iter().any(|id| text.contains(id.as_str())),
                History::Unavailable | History::Failed(_) => false,
            };
        let own = member.and_then(|member| member.session_id.as_deref());
        let replaced = own.is_some_and(|own| own != session);
        let lead = state.lead().map(|lead| lead.name.clone()).filter(|lead| *lead != seat.member);
        let acts = !there && !heard && !replaced;
        let event = json!({
            "event": "error", "seat": if lead.is_some() { "member" } else { "lead" }, "there": there, "active": active,
            "heard": heard, "replaced": replaced, "acts": acts, "tells": acts && lead.is_some(),
        });
        let decided = self.decide(Point::RuntimeTeamEvent, event).await;
        if !decided.yes("acts") || !self.mark_broken(&run, &seat.member, session, replaced).await? {
            return Ok(());
        }
        match lead.filter(|_| decided.yes("tells")) {
            Some(lead) => {
                let body = format!("{} failed: {}", seat.member, said.unwrap_or("unknown error"));
                let message = Outgoing::own("system", &lead, Kind::Announcement, body);
                self.leave_mail(&run, message.once(&[run.as_str(), &seat.member, "error", session])).await
            }
            _ => Ok(()),
        }
    }

    /// A member is broken, unless it has another session by now (TEAM-EVT-03): what it was given waits for whoever comes.
    async fn mark_broken(
        &self,
        run: &RunId,
        name: &str,
        session: &str,
        by_mistake: bool,
    ) -> Result<bool, TeamError> {
        let member_name = MemberName::new(name)?;
        let inbox = Inbox { store: self.store(), run, member: &member_name };
        self.store()
            .update(run, async |state| {
                let Some(member) = state.member_mut(name) else { return Ok(false) };
                if !by_mistake && member.session_id.as_deref().is_some_and(|own| own != session) {
                    return Ok(false);
                }
                for id in &member.pending_injected_message_ids {
                    inbox.release(&MessageId::new(id)?).await?;
                }
                member.pending_injected_message_ids.clear();
                member.step(MemberStep::Err)?;
                Ok(true)
            })
            .await
    }

    /// A session is gone: a member is done, and without its lead a run is nobody's and goes, too (TEAM-EVT-04).
    async fn on_deleted(&self, session: &str) -> Result<(), TeamError> {
        let Some((run, seat)) = self.taking_part(session).await else { return Ok(()) };
        let event = json!({
            "event": "deleted", "seat": if seat.leads { "lead" } else { "member" }, "there": false, "active": false,
            "heard": false, "replaced": false, "acts": true, "tells": false,
        });
        if !self.decide(Point::RuntimeTeamEvent, event).await.yes("acts") {
            return Ok(());
        }
        let leads = self
            .store()
            .update(&run, async |state| {
                let leads = state.lead_session_id.as_deref() == Some(session);
                if leads {
                    // One that is being deleted already goes on to be.
                    if state.status().is_live() {
                        state.step(RunStep::Orphan)?;
                    }
                } else if let Some(member) = state.member_mut(&seat.member)
                    && member.session_id.as_deref() == Some(session)
                {
                    member.try_step(MemberStep::Complete);
                }
                Ok(leads)
            })
            .await?;
        if leads && let Err(error) = self.delete(&run, true).await {
            tracing::warn!(%run, %error, "a team without a lead stays until somebody deletes it by force");
        }
        Ok(())
    }
}
