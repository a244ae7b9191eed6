//! One task, and the steps that it makes (team sheet 1.3, 4.3).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::team::error::TeamError;
use crate::team::names::TaskId;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Nobody has it.
    Pending,
    /// Somebody has it.
    Claimed,
    /// Its owner works on it.
    InProgress,
    /// It is done.
    Completed,
    /// It is not wanted any more.
    Deleted,
}

impl TaskStatus {
    /// All of them, in order.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Claimed, Self::InProgress, Self::Completed, Self::Deleted];

    /// As it is in files and calls.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Deleted => "deleted",
        }
    }

    /// The status of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether a task goes from here to there without a claim in between.
    fn leads_to(self, to: Self) -> bool {
        use TaskStatus::{Claimed, Completed, Deleted, InProgress, Pending};
        match to {
            Pending => false,
            Claimed => self == Pending,
            InProgress => self == Claimed,
            Completed => self == InProgress,
            Deleted => self != Deleted,
        }
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Task {
    version: u32,
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    active_form: Option<String>,
    status: TaskStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owner: Option<String>,
    #[serde(default)]
    pub(crate) blocks: Vec<String>,
    #[serde(default)]
    pub(crate) blocked_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) claimed_at: Option<i64>,
}

impl Task {
    /// A task that nobody has.
    pub(crate) fn new(
        id: &TaskId,
        subject: String,
        description: String,
        blocked_by: Vec<String>,
        now: i64,
    ) -> Self {
        Self {
            version: 1,
            id: id.as_str().to_owned(),
            subject,
            description,
            active_form: None,
            status: TaskStatus::Pending,
            owner: None,
            blocks: Vec::new(),
            blocked_by,
            metadata: None,
            created_at: now,
            updated_at: now,
            claimed_at: None,
        }
    }

    /// Reads the file of the task with this id. The reason says why it is none.
    pub(crate) fn parse(id: &TaskId, content: &[u8]) -> Result<Self, String> {
        let task: Self = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        if task.version != 1 {
            return Err(format!("version must be 1, found {}", task.version));
        }
        if task.id != id.as_str() {
            return Err(format!("id must be that of the file, found {:?}", task.id));
        }
        Ok(task)
    }

    /// Where it stands.
    pub(crate) fn status(&self) -> TaskStatus {
        self.status
    }

    /// Gives it to somebody.
    pub(crate) fn claim(&mut self, owner: &str, now: i64) {
        self.status = TaskStatus::Claimed;
        self.owner = Some(owner.to_owned());
        self.claimed_at = Some(now);
        self.updated_at = now;
    }

    /// Why who asks cannot make a step, if so. Where no step leads is said before whose the task is (team sheet 7).
    pub(crate) fn refusal(&self, to: TaskStatus, by: &str) -> Option<TeamError> {
        if !self.status.leads_to(to) {
            return Some(TeamError::InvalidTaskTransition { from: self.status, to });
        }
        (to != TaskStatus::Deleted && self.owner.as_deref() != Some(by)).then_some(TeamError::CrossOwner)
    }

    /// Makes a step.
    pub(crate) fn step(&mut self, to: TaskStatus, now: i64) {
        self.status = to;
        self.updated_at = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn task(status: TaskStatus) -> Task {
        let mut task = Task::new(&TaskId::numbered(1), "s".into(), "d".into(), vec![], 1);
        task.status = status;
        task.owner = (status != TaskStatus::Pending).then(|| "a".to_owned());
        task
    }

    #[test]
    fn a_task_makes_the_steps_of_the_table_and_no_others() {
        let expected = [
            "claimed->in_progress",
            "in_progress->completed",
            "pending->deleted",
            "claimed->deleted",
            "in_progress->deleted",
            "completed->deleted",
        ];
        let mut made = Vec::new();
        for to in [TaskStatus::Pending, TaskStatus::InProgress, TaskStatus::Completed, TaskStatus::Deleted] {
            for from in TaskStatus::ALL {
                if task(from).refusal(to, "a").is_none() {
                    made.push(format!("{from}->{to}"));
                }
            }
        }
        assert_eq!(made, expected);
        let refused = task(TaskStatus::Completed).refusal(TaskStatus::Pending, "b").unwrap();
        assert_eq!(refused.to_string(), "no reverse transitions from completed to pending");
        assert!(matches!(
            task(TaskStatus::Claimed).refusal(TaskStatus::InProgress, "b"),
            Some(TeamError::CrossOwner)
        ));
        assert!(task(TaskStatus::Claimed).refusal(TaskStatus::Deleted, "b").is_none());
    }

    proptest! {
        #[test]
        fn a_task_is_read_as_it_was_written_and_never_in_part(subject in any::<String>(), cut in 0..400usize) {
            let task = Task::new(&TaskId::numbered(3), subject, "d".into(), vec!["1".into()], 5);
            let file = crate::team::files::pretty(&task);
            prop_assert_eq!(Task::parse(&TaskId::numbered(3), &file).unwrap(), task);
            if cut + 2 < file.len() {
                prop_assert!(Task::parse(&TaskId::numbered(3), &file[..cut]).is_err());
            }
        }
    }
}
