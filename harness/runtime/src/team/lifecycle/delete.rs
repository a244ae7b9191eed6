//! Deleting a run (team sheet 8.2). Whatever crashes in between, the same call, or the next resume, brings it to its end.

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
        if !force {
            may_end(&state)?;
        }
        may_delete(&state, force)?;
        let working: Vec<Background> = match state.lead_session_id.as_deref() {
            Some(lead) => self.working_tasks(run, lead).await,
            None => Vec::new(),
        };
        if !force && !working.is_empty() {
            return Err(TeamError::MembersActive(working.into_iter().map(|task| task.task).collect()));
        }
        for task in &working {
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

    /// The tasks of this run that work, among all that belong to its lead (TEAM-DEL-04).
    pub(crate) async fn working_tasks(&self, run: &RunId, lead_session: &str) -> Vec<Background> {
        let mark = format!("team-create:{run}:");
        let is_ours = |task: &Background| {
            task.team_run.as_deref() == Some(run.as_str())
                || task.parent_message.as_deref().is_some_and(|message| message.starts_with(&mark))
        };
        let tasks = self.sessions().tasks(lead_session).await;
        tasks.into_iter().filter(|task| task.works && is_ours(task)).collect()
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
