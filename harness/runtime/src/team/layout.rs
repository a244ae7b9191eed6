//! Where the files of team mode are (team sheet 4).

use std::path::{Path, PathBuf};

use super::names::{MemberName, MessageId, RunId, TaskId, TeamName};

/// The beginning of a file's name while its message is on its way into a session.
pub(crate) const RESERVED: &str = ".delivering-";

/// The places below the base directory and the project.
#[derive(Debug, Clone)]
pub struct Layout {
    base: PathBuf,
    project: PathBuf,
}

impl Layout {
    /// The places below these two folders.
    pub fn new(base: PathBuf, project: PathBuf) -> Self {
        Self { base, project }
    }

    pub(crate) fn base(&self) -> &Path {
        &self.base
    }

    pub(crate) fn project(&self) -> &Path {
        &self.project
    }

    /// The folders that are made before anything else, in order.
    pub(crate) fn base_dirs(&self) -> [PathBuf; 4] {
        [self.base.clone(), self.user_teams(), self.runs(), self.base.join("worktrees")]
    }

    pub(crate) fn user_teams(&self) -> PathBuf {
        self.base.join("teams")
    }

    pub(crate) fn project_teams(&self) -> PathBuf {
        self.project.join(".omo").join("teams")
    }

    pub(crate) fn user_spec(&self, name: &TeamName) -> PathBuf {
        self.user_teams().join(name.as_str()).join("config.json")
    }

    pub(crate) fn project_spec(&self, name: &TeamName) -> PathBuf {
        self.project_teams().join(name.as_str()).join("config.json")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.base.join("runtime")
    }

    /// The folder of one run.
    pub fn run(&self, run: &RunId) -> PathBuf {
        self.runs().join(run.as_str())
    }

    /// The state of one run.
    pub fn state(&self, run: &RunId) -> PathBuf {
        self.run(run).join("state.json")
    }

    pub(crate) fn state_lock(&self, run: &RunId) -> PathBuf {
        self.run(run).join("state.lock")
    }

    /// The inbox of one member.
    pub fn inbox(&self, run: &RunId, member: &MemberName) -> PathBuf {
        self.run(run).join("inboxes").join(member.as_str())
    }

    pub(crate) fn inbox_lock(&self, run: &RunId, member: &MemberName) -> PathBuf {
        self.run(run).join("inboxes").join(format!("{member}.lock"))
    }

    pub(crate) fn unread(&self, run: &RunId, member: &MemberName, id: &MessageId) -> PathBuf {
        self.inbox(run, member).join(format!("{id}.json"))
    }

    pub(crate) fn reserved(&self, run: &RunId, member: &MemberName, id: &MessageId) -> PathBuf {
        self.inbox(run, member).join(format!("{RESERVED}{id}.json"))
    }

    pub(crate) fn processed(&self, run: &RunId, member: &MemberName, id: &MessageId) -> PathBuf {
        self.inbox(run, member).join("processed").join(format!("{id}.json"))
    }

    /// The folder of a run's tasks.
    pub fn tasks(&self, run: &RunId) -> PathBuf {
        self.run(run).join("tasks")
    }

    pub(crate) fn task(&self, run: &RunId, task: &TaskId) -> PathBuf {
        self.tasks(run).join(format!("{task}.json"))
    }

    pub(crate) fn claims(&self, run: &RunId) -> PathBuf {
        self.tasks(run).join("claims")
    }

    pub(crate) fn claim(&self, run: &RunId, task: &TaskId) -> PathBuf {
        self.claims(run).join(format!("{task}.lock"))
    }
}
