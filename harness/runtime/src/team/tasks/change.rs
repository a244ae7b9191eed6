//! Claims and steps of tasks: each task is changed by one at a time, which is more than the sheet's HEAD does (TEAM-TASK-12).

use gauntlet_world::injection::Point;
use serde_json::json;

use super::list::TaskList;
use super::record::{Task, TaskStatus};
use crate::team::error::TeamError;
use crate::team::lock::{self, LockFile};
use crate::team::names::TaskId;

/// A change that somebody asks for.
pub(crate) struct Update<'a> {
    /// The task.
    pub(crate) task: &'a TaskId,
    /// Where it is to go.
    pub(crate) to: TaskStatus,
    /// Who asks.
    pub(crate) by: &'a str,
    /// Whom the call names as the owner.
    pub(crate) named: Option<&'a str>,
}

impl TaskList<'_> {
    /// Changes a task. To where it stands already is fine, and changes nothing (TEAM-TASK-05).
    pub(crate) async fn update(&self, update: Update<'_>) -> Result<Task, TeamError> {
        let Update { task: id, to, by, named } = update;
        let task = self.get(id).await?;
        let claims = claims(&task, to);
        // Before the lock: who is told that somebody has it, that others come first, or that nothing is to do need not wait for them.
        if (claims || is_there(&task, to, by)) && self.judged(&task, to, by, named).await?.is_none() {
            return Ok(task);
        }
        let lock = self.lock(id, by, claims).await?;
        let outcome = self.update_alone(id, to, by, named).await;
        lock.release(&self.store.host).await;
        outcome
    }

    async fn update_alone(
        &self,
        id: &TaskId,
        to: TaskStatus,
        by: &str,
        named: Option<&str>,
    ) -> Result<Task, TeamError> {
        // As it is now that nobody else changes it.
        let mut task = self.get(id).await?;
        let now = self.store.host.clock().wall().millis().max(1);
        let Some(by) = self.judged(&task, to, by, named).await? else { return Ok(task) };
        if claims(&task, to) {
            task.claim(&by, now);
        }
        if to != TaskStatus::Claimed {
            task.step(to, now);
        }
        self.write(&task).await?;
        Ok(task)
    }

    /// Judges a change: whose it is, nothing when there is nothing to do. Where no step leads is said before whose the task is (team sheet 7).
    async fn judged(
        &self,
        task: &Task,
        to: TaskStatus,
        by: &str,
        named: Option<&str>,
    ) -> Result<Option<String>, TeamError> {
        let same = is_there(task, to, by);
        let refusal = if same { None } else { self.refusal(task, to, by).await? };
        let because = refusal.as_ref().map(|error| match error {
            TeamError::AlreadyClaimed => "claimed",
            TeamError::BlockedBy(_) => "blocked",
            TeamError::CrossOwner => "owner",
            _ => "transition",
        });
        let event = json!({
            "from": task.status(), "to": to, "by": by, "named": named, "owner": task.owner, "refused": because, "same": same,
        });
        let decided = self.store.decide(Point::RuntimeTeamTask, event).await;
        if let Some(error) = refusal.filter(|_| decided.text("refused").is_some()) {
            return Err(error);
        }
        if same && !decided.yes("same") {
            return Err(TeamError::InvalidTaskTransition { from: task.status(), to });
        }
        Ok((!same).then(|| decided.text("by").unwrap_or_default().to_owned()))
    }

    async fn refusal(&self, task: &Task, to: TaskStatus, by: &str) -> Result<Option<TeamError>, TeamError> {
        if claims(task, to) {
            // First whether nobody has it, then whether others must be done before.
            if task.status() != TaskStatus::Pending {
                return Ok(Some(TeamError::AlreadyClaimed));
            }
            let blockers = self.blockers(task).await?;
            return Ok((!blockers.is_empty()).then(|| TeamError::BlockedBy(blockers)));
        }
        Ok(task.refusal(to, by))
    }

    /// Takes the lock of a task. A claim does not wait for another one: it has lost (TEAM-TASK-02, TEAM-TASK-10).
    async fn lock(&self, id: &TaskId, by: &str, claims: bool) -> Result<LockFile, TeamError> {
        let host = &self.store.host;
        let folder = self.store.layout.claims(self.run);
        if host.disk().stat(&folder).await.is_err() {
            self.make().await?;
        }
        let file = self.store.layout.claim(self.run, id);
        if claims {
            return lock::try_acquire(host, &file, by).await?.ok_or(TeamError::AlreadyClaimed);
        }
        lock::acquire(host, &file, by).await
    }
}

/// Whether a change gives a task to who asks.
fn claims(task: &Task, to: TaskStatus) -> bool {
    to == TaskStatus::Claimed || (to == TaskStatus::InProgress && task.status() == TaskStatus::Pending)
}

/// Whether a task stands already where it is to go. A claim of somebody else's task is no such thing.
fn is_there(task: &Task, to: TaskStatus, by: &str) -> bool {
    task.status() == to && (to != TaskStatus::Claimed || task.owner.as_deref() == Some(by))
}
