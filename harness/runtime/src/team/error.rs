//! What goes wrong in team mode: each error says what was expected, which file it is about, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::spec::SpecError;
use super::state::{MemberStatus, RunStatus};
use super::tasks::TaskStatus;

/// Why a tool of team mode did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum TeamError {
    /// A name that leads out of its folder.
    #[error("team path escapes base directory: {what} {given:?} must be one plain name")]
    Traversal {
        /// Which name.
        what: &'static str,
        /// What came.
        given: String,
    },
    /// There is no such file.
    #[error("ENOENT: no such file or directory, open '{}' ({what})", .file.display())]
    Missing {
        /// What it would have been.
        what: String,
        /// Where it was looked for.
        file: PathBuf,
    },
    /// The disk refused something.
    #[error("cannot {doing} {}: {error}", .file.display())]
    Disk {
        /// What was tried.
        doing: &'static str,
        /// With what.
        file: PathBuf,
        /// What the disk said.
        error: io::Error,
    },
    /// A state file that cannot be used.
    #[error(
        "runtime state invalid for {run}: {reason} (in {}; mend or restore that file, or remove its folder when the team is over)",
        .file.display()
    )]
    State {
        /// Of which run.
        run: String,
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A step of a run that cannot be made from where it stands.
    #[error("invalid transition {from} -> {to}")]
    InvalidTransition {
        /// Where the run stands.
        from: RunStatus,
        /// Where it was to go.
        to: RunStatus,
    },
    /// A step of a member that cannot be made from where it stands.
    #[error("invalid member transition {from} -> {to}")]
    InvalidMemberTransition {
        /// Where the member stands.
        from: MemberStatus,
        /// Where it was to go.
        to: MemberStatus,
    },
    /// Somebody else holds a lock and does not let go of it.
    #[error("Timed out acquiring lock: {} ({holder}; when that process is gone, remove the file)", .file.display())]
    LockTimeout {
        /// The lock's file.
        file: PathBuf,
        /// Who holds it, as far as the file says.
        holder: String,
    },
    /// A specification of a team that does not keep the rules.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The configuration does not keep the rules.
    #[error("{file}: team_mode.{key} {reason}")]
    Config {
        /// Where it was read.
        file: String,
        /// Which key.
        key: String,
        /// What was expected, and what came.
        reason: String,
    },
    /// Arguments that do not go together, or are no arguments of this tool.
    #[error("{0}")]
    Usage(String),
    /// The caller may not do this.
    #[error("{0}")]
    Denied(String),
    /// A message that does not keep its schema.
    #[error("invalid message: {field} {reason}")]
    InvalidMessage {
        /// The member of the message.
        field: &'static str,
        /// What was expected, and what came.
        reason: String,
    },
    /// Only the lead may write to everybody.
    #[error("broadcast requires lead role")]
    BroadcastNotPermitted,
    /// Nobody of this name takes part.
    #[error("unknown or inactive team recipient: {0}")]
    InvalidRecipient(String),
    /// A body over the limit.
    #[error("payload exceeds {} KB (the body has {bytes} bytes, {limit} are allowed; put long texts into a file and refer to it)", .limit / 1024)]
    PayloadTooLarge {
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The recipient has not read what is there already.
    #[error(
        "recipient inbox full (backpressure): {recipient} holds {held} bytes, and {more} more than {limit}; wait until it has read some"
    )]
    Backpressure {
        /// Whose inbox.
        recipient: String,
        /// What it holds.
        held: u64,
        /// What was to come.
        more: u64,
        /// What it may hold.
        limit: u64,
    },
    /// A message of this id is there.
    #[error("duplicate message id {0}")]
    DuplicateMessage(String),
    /// The run has sent as many messages as it may (TEAM-CFG-06).
    #[error(
        "this run has sent {0} messages, which is its max_messages_per_run; delete the team or raise the limit for the next one"
    )]
    MessageLimit(u64),
    /// The run is over.
    #[error("team is deleting")]
    Deleting,
    /// Somebody else has the task.
    #[error("already_claimed")]
    AlreadyClaimed,
    /// A task that others must be done before.
    #[error("blocked by {}", .0.join(","))]
    BlockedBy(Vec<String>),
    /// A step that no task makes.
    #[error("no reverse transitions from {from} to {to}")]
    InvalidTaskTransition {
        /// Where the task stands.
        from: TaskStatus,
        /// Where it was to go.
        to: TaskStatus,
    },
    /// A task of somebody else.
    #[error("cross-owner updates are not allowed")]
    CrossOwner,
    /// A task file that cannot be used.
    #[error("task {task} is invalid: {reason} (in {}; mend that file, or delete it and create the task anew)", .file.display())]
    InvalidTask {
        /// Which.
        task: String,
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A name that no member has.
    #[error("unknown member '{0}'")]
    UnknownMember(String),
    /// Nobody asked this member to shut down.
    #[error("shutdown request missing for '{0}'")]
    NoShutdownRequest(String),
    /// A request that was approved is not taken back.
    #[error("shutdown of '{0}' was approved already")]
    AlreadyApproved(String),
    /// Members work, or tasks of theirs run.
    #[error("members still active: {}", .0.join(", "))]
    MembersActive(Vec<String>),
    /// A run in this state is not deleted so.
    #[error("team cannot be deleted from '{0}'")]
    Undeletable(RunStatus),
    /// A worktree that cannot be made or removed.
    #[error("{0}")]
    Worktree(String),
    /// A team could not be made. What was made of it is cleaned up, as the report says.
    #[error("Failed to create team run '{name}': {cause}")]
    Create {
        /// The team.
        name: String,
        /// Why.
        cause: String,
        /// What was undone.
        report: Value,
    },
    /// The window that members are shown in.
    #[error("tmux: {0}")]
    Layout(String),
    /// Whoever answers for sessions does not answer.
    #[error("session {session}: {reason}")]
    Session {
        /// Which.
        session: String,
        /// What came instead.
        reason: String,
    },
}

impl TeamError {
    /// What the disk said about a file.
    pub(crate) fn disk(doing: &'static str, file: &Path, error: io::Error) -> Self {
        Self::Disk { doing, file: file.to_path_buf(), error }
    }

    /// The class that callers match on.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Traversal { .. } => "TeamPathTraversalError",
            Self::Missing { .. } => "ENOENT",
            Self::Disk { .. } => "DiskError",
            Self::State { .. } => "RuntimeStateError",
            Self::InvalidTransition { .. } | Self::InvalidMemberTransition { .. } => "InvalidTransitionError",
            Self::LockTimeout { .. } => "LockTimeoutError",
            Self::Spec(_) => "TeamSpecValidationError",
            Self::Config { .. } => "ConfigError",
            Self::Usage(_) => "UsageError",
            Self::Denied(_) => "DeniedError",
            Self::InvalidMessage { .. } => "InvalidMessageError",
            Self::BroadcastNotPermitted => "BroadcastNotPermittedError",
            Self::InvalidRecipient(_) => "InvalidRecipientError",
            Self::PayloadTooLarge { .. } => "PayloadTooLargeError",
            Self::Backpressure { .. } => "RecipientBackpressureError",
            Self::DuplicateMessage(_) => "DuplicateMessageIdError",
            Self::MessageLimit(_) => "MessageLimitError",
            Self::Deleting => "TeamDeletingError",
            Self::AlreadyClaimed => "AlreadyClaimedError",
            Self::BlockedBy(_) => "BlockedByError",
            Self::InvalidTaskTransition { .. } => "InvalidTaskTransitionError",
            Self::CrossOwner => "CrossOwnerUpdateError",
            Self::InvalidTask { .. } => "InvalidTaskError",
            Self::UnknownMember(_) => "UnknownMemberError",
            Self::NoShutdownRequest(_) | Self::AlreadyApproved(_) => "ShutdownRequestError",
            Self::MembersActive(_) => "MembersActiveError",
            Self::Undeletable(_) => "UndeletableError",
            Self::Worktree(_) => "WorktreeError",
            Self::Create { .. } => "TeamRunCreateError",
            Self::Layout(_) => "LayoutError",
            Self::Session { .. } => "SessionError",
        }
    }

    /// The code below the class, where there is one.
    fn code(&self) -> Option<&'static str> {
        match self {
            Self::Spec(error) => Some(error.code),
            Self::State { .. } => Some("invalid_runtime_state"),
            _ => None,
        }
    }

    /// How it is told to who called: a tool of this registry never fails, so what is thrown is a result with `error`.
    pub fn to_value(&self) -> Value {
        let mut told = Map::new();
        told.insert("error".to_owned(), json!(self.to_string()));
        told.insert("class".to_owned(), json!(self.class()));
        if let Some(code) = self.code() {
            told.insert("code".to_owned(), json!(code));
        }
        match self {
            Self::Spec(error) => {
                told.insert("field".to_owned(), json!(error.field));
                if let Some(member) = &error.member {
                    told.insert("memberName".to_owned(), json!(member));
                }
            }
            Self::BlockedBy(blockers) => drop(told.insert("blockers".to_owned(), json!(blockers))),
            Self::Create { report, .. } => drop(told.insert("cleanupReport".to_owned(), report.clone())),
            Self::Missing { file, .. }
            | Self::Disk { file, .. }
            | Self::State { file, .. }
            | Self::LockTimeout { file, .. }
            | Self::InvalidTask { file, .. } => {
                told.insert("file".to_owned(), json!(file.to_string_lossy()));
            }
            _ => {}
        }
        Value::Object(told)
    }
}
