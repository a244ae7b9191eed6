//! Where one run stands, for its participants (team sheet 5.11). It only reads.

use serde_json::{Map, Value, json};

use super::Team;
use super::error::TeamError;
use super::lifecycle::is_working;
use super::mailbox::Inbox;
use super::names::{MemberName, RunId};
use super::state::MemberStatus;
use super::tasks::{TaskList, TaskStatus};

impl Team {
    /// What `team_status` tells.
    pub(crate) async fn status(&self, run: &RunId) -> Result<Value, TeamError> {
        let state = self.store().load(run).await?;
        let list = TaskList { store: self.store(), run };
        let mut members = Vec::new();
        for member in &state.members {
            let name = MemberName::new(&member.name)?;
            let unread = Inbox { store: self.store(), run, member: &name }.unread_messages().await?.len();
            let mut told = json!({ "name": member.name });
            let optional = [
                ("sessionId", json!(member.session_id)),
                ("status", json!(member.status())),
                ("color", json!(member.color)),
                ("worktreePath", json!(member.worktree_path)),
                ("unreadMessages", json!(unread)),
                ("paneId", json!(member.tmux_pane_id)),
            ];
            for (key, value) in optional {
                if !value.is_null() {
                    told[key] = value;
                }
            }
            members.push(told);
        }
        let tasks = list.all(None, None).await?;
        let mut counted = Map::new();
        for status in TaskStatus::ALL {
            counted.insert(
                status.name().to_owned(),
                json!(tasks.iter().filter(|task| task.status() == status).count()),
            );
        }
        counted.insert("total".to_owned(), json!(tasks.len()));
        let standing = |status| state.members.iter().filter(|member| member.status() == status).count();
        let working = match state.lead_session_id.as_deref() {
            Some(lead) => {
                self.sessions().tasks(lead).await.iter().filter(|task| is_working(run, task)).count()
            }
            None => 0,
        };
        let mut told =
            json!({ "teamName": state.team_name, "teamRunId": run.as_str(), "status": state.status() });
        if let Some(lead) = &state.lead_session_id {
            told["leadSessionId"] = json!(lead);
        }
        told["createdAt"] = json!(state.created_at);
        told["members"] = json!(members);
        told["tasks"] = Value::Object(counted);
        told["shutdownRequests"] = json!(state.shutdown_requests);
        told["concurrency"] = json!({
            "runningOnSameModel": standing(MemberStatus::Running),
            "queuedOnSameModel": standing(MemberStatus::Pending),
            "teamRunIdSpecific": working,
        });
        told["bounds"] = json!(state.bounds);
        told["staleLocks"] = json!(list.stale_locks().await?);
        Ok(told)
    }
}
