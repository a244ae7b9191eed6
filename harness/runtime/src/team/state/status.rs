//! Where a run and its members stand, and the only steps that lead on (team sheet 1.1, 1.2).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::team::error::TeamError;

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Its members are being started.
    Creating,
    /// All members have a session.
    Active,
    /// It is to come to its end.
    ShutdownRequested,
    /// What belongs to it is being removed.
    Deleting,
    /// Nothing belongs to it any more but its folder.
    Deleted,
    /// It never came to be.
    Failed,
    /// Nobody leads it, or nobody works in it.
    Orphaned,
}

/// A step of a run. What is not listed at `RunStep::from` cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStep {
    /// Every member has a session.
    Activate,
    /// It could not be made, or was never finished.
    Fail,
    /// It is to come to its end.
    RequestShutdown,
    /// It is deleted in the ordinary way.
    Delete,
    /// It is deleted by force.
    ForceDelete,
    /// All that belonged to it is gone.
    FinishDelete,
    /// Its lead or all its workers are gone.
    Orphan,
}

impl RunStep {
    fn to(self) -> RunStatus {
        match self {
            Self::Activate => RunStatus::Active,
            Self::Fail => RunStatus::Failed,
            Self::RequestShutdown => RunStatus::ShutdownRequested,
            Self::Delete | Self::ForceDelete => RunStatus::Deleting,
            Self::FinishDelete => RunStatus::Deleted,
            Self::Orphan => RunStatus::Orphaned,
        }
    }

    /// From where it can be made, beside from where it leads to.
    fn from(self) -> &'static [RunStatus] {
        use RunStatus::{Active, Creating, Deleting, Orphaned, ShutdownRequested};
        match self {
            Self::Activate | Self::Fail => &[Creating],
            Self::RequestShutdown => &[Active],
            Self::Delete => &[Active, ShutdownRequested],
            Self::ForceDelete => &[Creating, Active, ShutdownRequested, Orphaned],
            Self::FinishDelete => &[Deleting],
            // Not from where nothing leads away (TEAM-STATE-06).
            Self::Orphan => &[Creating, Active, ShutdownRequested, Deleting],
        }
    }
}

impl RunStatus {
    /// Where a step leads from here. To stay is always fine (TEAM-STATE-01).
    pub fn after(self, step: RunStep) -> Result<Self, TeamError> {
        let to = step.to();
        if self == to || step.from().contains(&self) {
            return Ok(to);
        }
        Err(TeamError::InvalidTransition { from: self, to })
    }

    /// Whether sessions take part in it.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Creating | Self::Active | Self::ShutdownRequested)
    }

    /// As it is in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Active => "active",
            Self::ShutdownRequested => "shutdown_requested",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Failed => "failed",
            Self::Orphaned => "orphaned",
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a member stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberStatus {
    /// It has no session yet.
    Pending,
    /// It works.
    Running,
    /// It has come to the end of a turn.
    Idle,
    /// Its session is gone or broken.
    Errored,
    /// Its session has ended.
    Completed,
    /// It agreed to end.
    ShutdownApproved,
}

/// A step of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberStep {
    /// Its session is known.
    Run,
    /// Its session is idle.
    Idle,
    /// Its session was ended.
    Complete,
    /// Its session is gone or broken.
    Err,
    /// It agreed to end, or its lead agreed for it.
    ApproveShutdown,
}

impl MemberStatus {
    /// Where a step leads from here.
    pub fn after(self, step: MemberStep) -> Result<Self, TeamError> {
        use MemberStatus::{Completed, Errored, Idle, Pending, Running, ShutdownApproved};
        let (to, from): (_, &[Self]) = match step {
            MemberStep::Run => (Running, &[Pending]),
            MemberStep::Idle => (Idle, &[Running]),
            MemberStep::Complete => (Completed, &[Pending, Running, Idle]),
            MemberStep::Err => (Errored, &[Pending, Running, Idle, Completed, ShutdownApproved]),
            MemberStep::ApproveShutdown => (ShutdownApproved, &[Pending, Running, Idle]),
        };
        if self == to || from.contains(&self) {
            return Ok(to);
        }
        Err(TeamError::InvalidMemberTransition { from: self, to })
    }

    /// Whether its run can be deleted in the ordinary way, as far as it is concerned.
    pub fn is_deletable(self) -> bool {
        matches!(self, Self::Completed | Self::ShutdownApproved | Self::Errored)
    }

    /// As it is in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Idle => "idle",
            Self::Errored => "errored",
            Self::Completed => "completed",
            Self::ShutdownApproved => "shutdown_approved",
        }
    }
}

impl fmt::Display for MemberStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: [RunStatus; 7] = [
        RunStatus::Creating,
        RunStatus::Active,
        RunStatus::ShutdownRequested,
        RunStatus::Deleting,
        RunStatus::Deleted,
        RunStatus::Failed,
        RunStatus::Orphaned,
    ];

    #[test]
    fn a_run_makes_the_steps_of_the_table_and_no_others() {
        let steps = [
            (RunStep::Activate, "creating active"),
            (RunStep::Fail, "creating failed"),
            (RunStep::RequestShutdown, "active shutdown_requested"),
            (RunStep::Delete, "active shutdown_requested deleting"),
            (RunStep::ForceDelete, "creating active shutdown_requested deleting orphaned"),
            (RunStep::FinishDelete, "deleting deleted"),
            (RunStep::Orphan, "creating active shutdown_requested deleting orphaned"),
        ];
        for (step, expected) in steps {
            let from = RUNS.iter().filter(|from| from.after(step).is_ok()).map(|from| from.name());
            assert_eq!(from.collect::<Vec<_>>().join(" "), expected, "{step:?}");
        }
        let refused = RunStatus::Deleted.after(RunStep::Activate).expect_err("it is over");
        assert_eq!(refused.to_string(), "invalid transition deleted -> active");
    }

    #[test]
    fn a_member_that_is_done_or_broken_does_not_agree_to_end() {
        for from in [MemberStatus::Completed, MemberStatus::Errored] {
            assert!(from.after(MemberStep::ApproveShutdown).is_err(), "{from}");
        }
        assert!(MemberStatus::Pending.after(MemberStep::Idle).is_err());
        assert_eq!(MemberStatus::Running.after(MemberStep::Idle).unwrap(), MemberStatus::Idle);
    }
}
