//! Claims and steps of tasks: each task is changed by one at a time, which is more than the sheet's HEAD does (TEAM-TASK-12).

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
}

impl TaskList<'_> {
    /// Changes a task. To where it stands already is fine, and changes nothing (TEAM-TASK-05).
    pub(crate) async fn update(&self, update: Update<'_>) -> Result<Task, TeamError> {
        let Update { task: id, to, by } = update;
        let task = self.get(id).await?;
        if is_there(&task, to, by) {
            return Ok(task);
        }
        let claims = to == TaskStatus::Claimed
            || (to == TaskStatus::InProgress && task.status() == TaskStatus::Pending);
        if claims {
            // Before the lock: who is told that somebody has it need not wait for them.
            self.may_claim(&task).await?;
        }
        let lock = self.lock(id, by, claims).await?;
        let outcome = self.update_alone(id, to, by).await;
        lock.release(&self.store.host).await;
        outcome
    }

    async fn update_alone(&self, id: &TaskId, to: TaskStatus, by: &str) -> Result<Task, TeamError> {
        // As it is now that nobody else changes it.
        let mut task = self.get(id).await?;
        if is_there(&task, to, by) {
            return Ok(task);
        }
        let now = self.store.host.clock().wall().millis().max(1);
        if to == TaskStatus::Claimed || (to == TaskStatus::InProgress && task.status() == TaskStatus::Pending)
        {
            self.may_claim(&task).await?;
            task.claim(by, now)?;
        }
        if to != TaskStatus::Claimed {
            task.step(to, by, now)?;
        }
        self.write(&task).await?;
        Ok(task)
    }

    /// Whether somebody can have it: first whether nobody has it, then whether others must be done before.
    async fn may_claim(&self, task: &Task) -> Result<(), TeamError> {
        if task.status() != TaskStatus::Pending {
            return Err(TeamError::AlreadyClaimed);
        }
        let blockers = self.blockers(task).await?;
        if blockers.is_empty() { Ok(()) } else { Err(TeamError::BlockedBy(blockers)) }
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

/// Whether a task stands already where it is to go. A claim of somebody else's task is no such thing.
fn is_there(task: &Task, to: TaskStatus, by: &str) -> bool {
    task.status() == to && (to != TaskStatus::Claimed || task.owner.as_deref() == Some(by))
}
