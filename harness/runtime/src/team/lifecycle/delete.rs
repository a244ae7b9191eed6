//! Deleting a run (team sheet 8.2). Whatever crashes in between, the same call, or the next resume, brings it to its end.

use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::names::RunId;
use crate::team::sessions::{Background, Cancel};
use crate::team::state::{MemberStep, RunState, RunStatus, RunStep};

impl Team {
    /// Deletes a run, by force if need be.
    pub(crate) async fn delete(&self, run: &RunId, force: bool) -> Result<Value, TeamError> {
        let state = self.store().load(run).await?;
        let all: Vec<Background> = match state.lead_session_id.as_deref() {
            Some(lead) => self.sessions().tasks(lead).await,
            None => Vec::new(),
        };
        let working: Vec<&Background> = all.iter().filter(|task| is_working(run, task)).collect();
        let mut refusal = if force { None } else { may_end(&state).err().map(|error| ("active", error)) };
        if refusal.is_none() {
            refusal = may_delete(&state, force).err().map(|error| ("status", error));
        }
        if refusal.is_none() && !force && !working.is_empty() {
            let names = working.iter().map(|task| task.task.clone()).collect();
            refusal = Some(("working", TeamError::MembersActive(names)));
        }
        let names = |tasks: &[&Background]| json!(tasks.iter().map(|task| &task.task).collect::<Vec<_>>());
        let event = json!({
            "force": force, "status": state.status(), "refused": refusal.as_ref().map(|(because, _)| *because),
            "cancels": if refusal.is_none() { names(&working) } else { json!([]) },
            "tasks": names(&all.iter().collect::<Vec<_>>()), "removes": true,
        });
        let decided = self.decide(Point::RuntimeTeamDelete, event).await;
        let goes_on = refusal.is_some() && decided.text("refused").is_none();
        let cancelled = decided.value("cancels").as_array().cloned().unwrap_or_default();
        let cancelled: Vec<&Background> =
            all.iter().filter(|task| cancelled.iter().any(|id| *id == task.task.as_str())).collect();
        if refusal.is_none() && decided.text("refused").is_some() {
            return Err(TeamError::Undeletable(state.status()));
        }
        if let Some((_, error)) = refusal.filter(|_| !goes_on && cancelled.is_empty()) {
            return Err(error);
        }
        for task in cancelled {
            let why =
                Cancel { source: "team-mode-delete", reason: format!("delete team {run}"), notifies: true };
            if let Err(error) = self.sessions().cancel(&task.task, why).await {
                tracing::warn!(%run, task = task.task, error, "a task cannot be cancelled");
            }
        }
        let state = self
            .store()
            .update(run, async |state| {
                // A member may have begun again since it was looked (TEAM-DEL-08).
                if goes_on {
                    state.step(RunStep::ForceDelete)?;
                    return Ok(state.clone());
                }
                may_delete(state, force)?;
                if force {
                    for member in state.members.iter_mut().filter(|member| !member.leads()) {
                        member.try_step(MemberStep::Complete);
                    }
                } else {
                    may_end(state)?;
                }
                if state.status() != RunStatus::Deleted {
                    state.step(if force { RunStep::ForceDelete } else { RunStep::Delete })?;
                }
                Ok(state.clone())
            })
            .await?;
        if !decided.yes("removes") {
            return Ok(json!({
                "teamRunId": run.as_str(), "teamName": state.team_name, "deleted": true, "removedWorktrees": [],
                "removedLayout": false,
            }));
        }
        let (worktrees, layout) = self.finish_delete(run, &state, force).await?;
        self.sweep_tmux().await;
        Ok(json!({
            "teamRunId": run.as_str(), "teamName": state.team_name, "deleted": true, "removedWorktrees": worktrees,
            "removedLayout": layout,
        }))
    }

    /// Removes what belongs to a run that is being deleted, its folder last.
    pub(super) async fn finish_delete(
        &self,
        run: &RunId,
        state: &RunState,
        force: bool,
    ) -> Result<(Vec<String>, bool), TeamError> {
        let layout = match self.hide_members(run, state.tmux_layout.as_ref()).await {
            Err(error) if force => {
                tracing::warn!(%run, %error, "the panes of a team may stay open");
                false
            }
            hidden => hidden?,
        };
        let worktrees = match self.remove_worktrees(run, state).await {
            Err(error) if force => {
                tracing::warn!(%run, %error, "worktrees of a team may stay behind");
                Vec::new()
            }
            removed => removed?,
        };
        if state.status() != RunStatus::Deleted {
            self.store().update(run, async |state| state.step(RunStep::FinishDelete)).await?;
        }
        self.store().remove(run).await?;
        self.forget(run);
        Ok((worktrees, layout))
    }

    /// Ends the runs that this life made, when it ends itself (team sheet 8.3). What goes wrong is named by run.
    pub async fn end_own_runs(&self) -> Vec<(RunId, TeamError)> {
        let runs: Vec<RunId> = self.own_runs().borrow().iter().cloned().collect();
        let mut errors = Vec::new();
        for run in runs {
            if let Err(error) = self.delete(&run, true).await {
                errors.push((run.clone(), error));
            }
            self.forget(&run);
        }
        errors
    }
}

/// Whether a task works for this run, among all that belong to its lead (TEAM-DEL-04).
pub(crate) fn is_working(run: &RunId, task: &Background) -> bool {
    let mark = format!("team-create:{run}:");
    let is_ours = task.team_run.as_deref() == Some(run.as_str())
        || task.parent_message.as_deref().is_some_and(|message| message.starts_with(&mark));
    task.works && is_ours
}

/// Whether no member works any more.
fn may_end(state: &RunState) -> Result<(), TeamError> {
    let works = |member: &&crate::team::state::Member| !member.leads() && !member.status().is_deletable();
    let working: Vec<String> = state.members.iter().filter(works).map(|member| member.name.clone()).collect();
    if working.is_empty() { Ok(()) } else { Err(TeamError::MembersActive(working)) }
}

/// Whether a run can be deleted from where it stands.
fn may_delete(state: &RunState, force: bool) -> Result<(), TeamError> {
    use RunStatus::{Active, Creating, Deleted, Deleting, Orphaned, ShutdownRequested};
    match state.status() {
        Active | ShutdownRequested | Deleting | Deleted => Ok(()),
        Creating | Orphaned if force => Ok(()),
        other => Err(TeamError::Undeletable(other)),
    }
}
