//! The files of a task list: making a task, reading one and all.

use gauntlet_world::disk::Kind;
use gauntlet_world::injection::Point;
use serde_json::json;

use super::record::{Task, TaskStatus};
use crate::team::error::TeamError;
use crate::team::names::{RunId, TaskId};
use crate::team::state::Store;
use crate::team::{files, lock};

/// The tasks of one run.
pub(crate) struct TaskList<'a> {
    pub(crate) store: &'a Store,
    pub(crate) run: &'a RunId,
}

impl TaskList<'_> {
    /// Makes a task with a number that no task of this run ever had (TEAM-TASK-01).
    pub(crate) async fn create(
        &self,
        subject: String,
        description: String,
        blocked_by: Vec<String>,
    ) -> Result<Task, TeamError> {
        for blocker in &blocked_by {
            TaskId::new(blocker)?;
        }
        let host = &self.store.host;
        let folder = self.store.layout.tasks(self.run);
        if host.disk().stat(self.store.layout.claims(self.run)).await.is_err() {
            self.make().await?;
        }
        let owner = format!("create-task:{}", self.run);
        let taken = lock::acquire(host, &folder.join(".lock"), &owner).await?;
        let outcome = self.create_alone(subject, description, blocked_by).await;
        taken.release(host).await;
        outcome
    }

    /// Makes its folders.
    pub(crate) async fn make(&self) -> Result<(), TeamError> {
        files::make_private_dir(&self.store.host, &self.store.layout.tasks(self.run)).await?;
        files::make_private_dir(&self.store.host, &self.store.layout.claims(self.run)).await
    }

    async fn create_alone(
        &self,
        subject: String,
        description: String,
        blocked_by: Vec<String>,
    ) -> Result<Task, TeamError> {
        let host = &self.store.host;
        let watermark = self.store.layout.tasks(self.run).join(".highwatermark");
        let said = files::read(host, &watermark).await?.unwrap_or_default();
        let said = std::str::from_utf8(&said).ok().and_then(|text| text.trim().parse::<u64>().ok());
        let mut last = match said {
            Some(said) => said,
            // Nobody knows how far it went: as far as files are there (TEAM-TASK-11).
            None => self.ids().await?.last().copied().unwrap_or(0),
        };
        let id = loop {
            last = last.saturating_add(1);
            let id = TaskId::numbered(last);
            if host.disk().stat(self.store.layout.task(self.run, &id)).await.is_err() {
                break id;
            }
        };
        let highest = self.ids().await?.last().copied().unwrap_or(0);
        let event = json!({ "said": said, "highest": highest, "number": last });
        let number = self.store.decide(Point::RuntimeTeamTaskNumber, event).await.number("number");
        let id = number.filter(|number| *number != last).map_or(id, TaskId::numbered);
        // The mark first: a crash in between costs a number, and none is ever given twice.
        files::replace(host, &watermark, id.as_str().as_bytes()).await?;
        let task = Task::new(&id, subject, description, blocked_by, host.clock().wall().millis().max(1));
        self.write(&task).await?;
        Ok(task)
    }

    pub(super) async fn write(&self, task: &Task) -> Result<(), TeamError> {
        let id = TaskId::new(&task.id)?;
        files::replace(&self.store.host, &self.store.layout.task(self.run, &id), &files::pretty(task)).await
    }

    /// A task.
    pub(crate) async fn get(&self, id: &TaskId) -> Result<Task, TeamError> {
        let file = self.store.layout.task(self.run, id);
        let Some(content) = files::read(&self.store.host, &file).await? else {
            return Err(TeamError::Missing { what: format!("there is no task {id}"), file });
        };
        Task::parse(id, &content).map_err(|reason| TeamError::InvalidTask {
            task: id.to_string(),
            file,
            reason,
        })
    }

    /// The numbers of all files of tasks, in order.
    async fn ids(&self) -> Result<Vec<u64>, TeamError> {
        let names = files::list(&self.store.host, &self.store.layout.tasks(self.run)).await?;
        let numbers = names.iter().filter(|(_, kind)| *kind == Kind::File).filter_map(|(name, _)| {
            let digits = name.strip_suffix(".json")?;
            TaskId::new(digits).ok()?;
            digits.parse().ok()
        });
        let mut numbers: Vec<u64> = numbers.collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// All tasks by number, of a status and an owner where those are asked for. What is no task is told of in the log (TEAM-TASK-09).
    pub(crate) async fn all(
        &self,
        status: Option<TaskStatus>,
        owner: Option<&str>,
    ) -> Result<Vec<Task>, TeamError> {
        let mut tasks = Vec::new();
        for number in self.ids().await? {
            match self.get(&TaskId::numbered(number)).await {
                Ok(task) => tasks.push(task),
                Err(error) => tracing::warn!(run = %self.run, %error, "a task is passed over"),
            }
        }
        tasks.retain(|task| status.is_none_or(|status| task.status() == status));
        tasks.retain(|task| owner.is_none_or(|owner| task.owner.as_deref() == Some(owner)));
        let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
        let event = json!({ "status": status.map(TaskStatus::name), "owner": owner, "ids": ids });
        let decided = self.store.decide(Point::RuntimeTeamTaskList, event).await;
        let order: Vec<&str> =
            decided.value("ids").as_array().into_iter().flatten().filter_map(|id| id.as_str()).collect();
        let told = order.iter().filter_map(|id| tasks.iter().find(|task| task.id == *id));
        Ok(told.cloned().collect())
    }

    /// Which of the tasks that must be done before are not. One that is not there, or is none, holds nobody up.
    pub(super) async fn blockers(&self, task: &Task) -> Result<Vec<String>, TeamError> {
        let mut blockers = Vec::new();
        for blocker in &task.blocked_by {
            let Ok(id) = TaskId::new(blocker) else { continue };
            match self.get(&id).await {
                Ok(before) if before.status() != TaskStatus::Completed => blockers.push(blocker.clone()),
                Ok(_) | Err(TeamError::Missing { .. }) => {}
                Err(TeamError::InvalidTask { file, reason, .. }) => {
                    tracing::warn!(file = %file.display(), reason, "a task that others wait for cannot be read");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(blockers)
    }

    /// The claim locks whose holder is dead, for whoever looks (team sheet 5.11).
    pub(crate) async fn stale_locks(&self) -> Result<Vec<String>, TeamError> {
        let folder = self.store.layout.claims(self.run);
        let mut stale = Vec::new();
        for (name, _) in files::list(&self.store.host, &folder).await? {
            let file = folder.join(&name);
            if name.ends_with(".lock") && lock::is_stale(&self.store.host, &file).await? {
                stale.push(file.to_string_lossy().into_owned());
            }
        }
        Ok(stale)
    }
}
