//! What the session host tells of sessions (team sheet 9.3).

use std::time::Duration;

use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::mailbox::{Inbox, Kind, Outgoing};
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
                    if is_new { team.on_idle(session).await } else { Ok(()) }
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

    /// A session says that something went wrong. It is broken only when it is gone: whatever else is passing (TEAM-EVT-01).
    async fn on_error(&self, session: &str, said: Option<&str>) -> Result<(), TeamError> {
        let Some((run, seat)) = self.taking_part(session).await else { return Ok(()) };
        self.host().clock().sleep(SETTLE).await;
        // Nobody can tell whether it exists: so it does.
        if self.sessions().is_active(session).await || self.session_exists(session).await.unwrap_or(true) {
            return Ok(());
        }
        let state = self.store().load(&run).await?;
        let pending = state.member(&seat.member).map(|member| member.pending_injected_message_ids.clone());
        let pending = pending.unwrap_or_default();
        if !pending.is_empty()
            && let History::Text(text) = self.history(session).await
            && pending.iter().any(|id| text.contains(id.as_str()))
        {
            return Ok(());
        }
        if !self.mark_broken(&run, &seat.member, session).await? {
            return Ok(());
        }
        match state.lead().map(|lead| lead.name.clone()) {
            Some(lead) if lead != seat.member => {
                let body = format!("{} failed: {}", seat.member, said.unwrap_or("unknown error"));
                let message = Outgoing::own("system", &lead, Kind::Announcement, body);
                self.leave_mail(&run, message.once(&[run.as_str(), &seat.member, "error", session])).await
            }
            _ => Ok(()),
        }
    }

    /// A member is broken, unless it has another session by now (TEAM-EVT-03): what it was given waits for whoever comes.
    async fn mark_broken(&self, run: &RunId, name: &str, session: &str) -> Result<bool, TeamError> {
        let member_name = MemberName::new(name)?;
        let inbox = Inbox { store: self.store(), run, member: &member_name };
        self.store()
            .update(run, async |state| {
                let Some(member) = state.member_mut(name) else { return Ok(false) };
                if member.session_id.as_deref().is_some_and(|own| own != session) {
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
