//! Taking up what an earlier life left (team sheet 8.4).

use std::collections::BTreeSet;

use gauntlet_world::disk::Kind;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use crate::team::error::TeamError;
use crate::team::mailbox::Inbox;
use crate::team::names::{MemberName, RunId};
use crate::team::sessions::History;
use crate::team::state::{Member, MemberStep, RunState, RunStatus, RunStep};
use crate::team::{Team, files};

/// How long a creation may take before it counts as never finished.
const CREATING_MS: i64 = 1_800_000;

/// What was made of the runs that were found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Resumed {
    /// How many go on.
    pub resumed: u64,
    /// How many were never made.
    pub marked_failed: u64,
    /// How many have no lead, or no workers.
    pub marked_orphaned: u64,
    /// How many are gone.
    pub cleaned: u64,
    /// What went wrong, each with its run.
    pub errors: Vec<String>,
}

impl Resumed {
    /// The same as JSON.
    pub fn to_value(&self) -> Value {
        json!({
            "resumed": self.resumed, "marked_failed": self.marked_failed, "marked_orphaned": self.marked_orphaned,
            "cleaned": self.cleaned, "errors": self.errors,
        })
    }
}

enum Outcome {
    Nothing,
    Resumed,
    Failed,
    Orphaned,
    Cleaned,
}

impl Team {
    /// Takes up all runs. One that fails keeps no other one from it (TEAM-RES-05).
    pub async fn resume(&self) -> Resumed {
        let mut report = Resumed::default();
        let runs = match self.store().run_ids().await {
            Ok(runs) => runs,
            Err(error) => {
                report.errors.push(error.to_string());
                return report;
            }
        };
        for run in runs {
            match self.resume_one(&run).await {
                Ok(Outcome::Nothing) => {}
                Ok(Outcome::Resumed) => report.resumed += 1,
                Ok(Outcome::Failed) => report.marked_failed += 1,
                Ok(Outcome::Orphaned) => report.marked_orphaned += 1,
                Ok(Outcome::Cleaned) => report.cleaned += 1,
                Err(error) => report.errors.push(format!("{run}: {error}")),
            }
        }
        report
    }

    async fn resume_one(&self, run: &RunId) -> Result<Outcome, TeamError> {
        let state = match self.store().load(run).await {
            Err(TeamError::Missing { .. }) => return self.clear_empty(run).await,
            state => state?,
        };
        let age = self.host().clock().wall().millis().saturating_sub(state.created_at);
        let old = age > CREATING_MS;
        match state.status() {
            RunStatus::Creating => {
                let does = self.resumes(&state, old, "unasked", (0, 0), if old { "fail" } else { "nothing" });
                if does.await != "fail" {
                    return Ok(Outcome::Nothing);
                }
                self.remove_worktrees(run, &state).await?;
                self.store().update(run, async |state| state.step(RunStep::Fail)).await?;
                self.forget(run);
                Ok(Outcome::Failed)
            }
            RunStatus::Active => self.resume_active(run, &state).await,
            RunStatus::Deleting | RunStatus::Deleted => {
                if self.resumes(&state, old, "unasked", (0, 0), "clean").await != "clean" {
                    return Ok(Outcome::Nothing);
                }
                self.finish_delete(run, &state, true).await?;
                Ok(Outcome::Cleaned)
            }
            RunStatus::Failed => {
                self.clean_up(run, &state).await?;
                Ok(Outcome::Cleaned)
            }
            RunStatus::ShutdownRequested | RunStatus::Orphaned => Ok(Outcome::Nothing),
        }
    }

    /// Removes a run of which nothing is to stay.
    pub(crate) async fn clean_up(&self, run: &RunId, state: &RunState) -> Result<(), TeamError> {
        if let Err(error) = self.remove_worktrees(run, state).await {
            tracing::warn!(%run, %error, "worktrees of a team stay behind");
        }
        self.store().remove(run).await?;
        self.forget(run);
        Ok(())
    }

    /// A folder in which no state was ever written, or is left: it holds nothing of anybody when it is old and has no files (F80).
    async fn clear_empty(&self, run: &RunId) -> Result<Outcome, TeamError> {
        let folder = self.layout().run(run);
        let meta = self
            .host()
            .disk()
            .stat(&folder)
            .await
            .map_err(|error| TeamError::disk("look at", &folder, error))?;
        let age = self.host().clock().wall().millis().saturating_sub(meta.modified_ms);
        let leftovers = files::list(self.host(), &folder).await?;
        let is_ours = |(name, kind): &(String, Kind)| *kind == Kind::File && name.starts_with("state.");
        if age <= CREATING_MS || !leftovers.iter().all(is_ours) {
            return Ok(Outcome::Nothing);
        }
        self.store().remove(run).await?;
        Ok(Outcome::Cleaned)
    }

    async fn resume_active(&self, run: &RunId, state: &RunState) -> Result<Outcome, TeamError> {
        let lead = match &state.lead_session_id {
            Some(lead) => self.session_exists(lead).await,
            None => Ok(false),
        };
        let word = match &lead {
            Ok(true) => "there",
            Ok(false) => "gone",
            Err(_) => "unknown",
        };
        let does = match &lead {
            Ok(true) => "resume",
            Ok(false) => "orphan",
            Err(_) => "nothing",
        };
        let does = self.resumes(state, false, word, (0, 0), does).await;
        if let (Err(error), "nothing") = (lead, does.as_str()) {
            return Err(error);
        }
        if does == "orphan" {
            self.store().update(run, async |state| state.step(RunStep::Orphan)).await?;
            return Ok(Outcome::Orphaned);
        }
        for member in &state.members {
            if let Err(error) = self.reclaim(run, member).await {
                tracing::warn!(%run, member = member.name, %error, "reservations are not reclaimed");
            }
        }
        let (mut dead, mut alive) = (Vec::new(), 0);
        for member in state.members.iter().filter(|member| !member.leads()) {
            match &member.session_id {
                // It was found dead before, and has no session since (F46).
                _ if member.status() == crate::team::state::MemberStatus::Errored => dead.push(None),
                None => alive += 1,
                Some(session) if self.session_exists(session).await? => alive += 1,
                Some(session) => dead.push(Some((member.name.clone(), session.clone()))),
            }
        }
        let orphaned = alive == 0 && !dead.is_empty();
        let does = if orphaned { "orphan" } else { "resume" };
        let does = self.resumes(state, false, "there", (alive, dead.len()), does).await;
        let orphaned = does == "orphan";
        if does == "nothing" {
            return Ok(Outcome::Resumed);
        }
        if !dead.is_empty() {
            self.store()
                .update(run, async |state| {
                    for (name, session) in dead.iter().flatten() {
                        let Some(member) = state.member_mut(name) else { continue };
                        // Who ended in good order is not broken for having ended, and who has another session by now lives.
                        if member.session_id.as_ref() == Some(session) && !member.status().is_deletable() {
                            member.step(MemberStep::Err)?;
                            member.session_id = None;
                        }
                    }
                    if orphaned { state.step(RunStep::Orphan) } else { Ok(()) }
                })
                .await?;
        }
        Ok(if orphaned { Outcome::Orphaned } else { Outcome::Resumed })
    }

    /// Passes what is about to be done about a run.
    async fn resumes(
        &self,
        state: &RunState,
        old: bool,
        lead: &str,
        (alive, dead): (usize, usize),
        does: &str,
    ) -> String {
        let event = json!({
            "status": state.status(), "old": old, "lead": lead, "alive": alive, "dead": dead, "does": does,
        });
        self.decide(Point::RuntimeTeamResume, event).await.text("does").unwrap_or("nothing").to_owned()
    }

    /// Whether a session exists. What cannot be looked up is not missing.
    pub(crate) async fn session_exists(&self, session: &str) -> Result<bool, TeamError> {
        let failed = |reason: String| TeamError::Session { session: session.to_owned(), reason };
        let asked = self.sessions().exists(session);
        let limit = std::time::Duration::from_secs(30);
        match self.host().clock().within(limit, asked).await {
            Some(answer) => answer.map_err(failed),
            None => Err(failed("nobody answered whether it exists".to_owned())),
        }
    }

    /// Frees the mail that was on its way when an earlier life ended: what the session has is put away, the rest is unread (TEAM-RES-04).
    async fn reclaim(&self, run: &RunId, member: &Member) -> Result<(), TeamError> {
        let name = MemberName::new(&member.name)?;
        let inbox = Inbox { store: self.store(), run, member: &name };
        let reserved = inbox.reservations().await?;
        if reserved.is_empty() {
            return Ok(());
        }
        let history = match &member.session_id {
            Some(session) => self.history(session).await,
            None => History::Unavailable,
        };
        let (mut stale, mut heard_of) = (Vec::new(), BTreeSet::new());
        for (id, old) in reserved {
            let heard = matches!(&history, History::Text(text) if text.contains(id.as_str()));
            let does = match (old, heard) {
                (false, _) => "keep",
                (true, true) => "read",
                (true, false) => "requeue",
            };
            let event = json!({ "old": old, "heard": heard, "does": does });
            let decided = self.decide(Point::RuntimeTeamReclaim, event).await;
            match decided.text("does") {
                Some("read") => drop(heard_of.insert(id.clone())),
                Some("requeue") => {}
                _ => continue,
            }
            stale.push(id);
        }
        if stale.is_empty() {
            return Ok(());
        }
        self.store()
            .update(run, async |state| {
                for id in &stale {
                    // Before it can be read as unread: whoever has it already does not get it again.
                    if heard_of.contains(id) {
                        inbox.ack(id).await?;
                    } else {
                        inbox.release(id).await?;
                    }
                }
                if let Some(member) = state.member_mut(name.as_str()) {
                    member
                        .pending_injected_message_ids
                        .retain(|known| !stale.iter().any(|id| id.as_str() == known));
                }
                Ok(())
            })
            .await
    }
}
