//! The record of one run: `state.json` (team sheet 4.1).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::status::{MemberStatus, MemberStep, RunStatus, RunStep};
use crate::team::error::TeamError;
use crate::team::names::{MemberName, RunId};

/// Where the specification of a run came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecSource {
    /// The project's folder.
    Project,
    /// The user's folder.
    User,
}

/// What a run may use, as the configuration had it when it began (TEAM-CFG-03).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bounds {
    /// Members.
    pub max_members: u64,
    /// Members that are started at once.
    pub max_parallel_members: u64,
    /// Messages.
    pub max_messages_per_run: u64,
    /// Minutes.
    pub max_wall_clock_minutes: u64,
    /// Turns of one member.
    pub max_member_turns: u64,
}

/// What a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AgentType {
    /// It leads.
    Leader,
    /// It works.
    GeneralPurpose,
}

/// What of a terminal belongs to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TmuxLayout {
    /// Whether the session was made for the run. Older releases say so by not saying it.
    #[serde(default = "yes")]
    pub owned_session: bool,
    /// The session that the panes are in.
    pub target_session_id: String,
    /// A window that was made for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focus_window_id: Option<String>,
    /// Another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_window_id: Option<String>,
    /// The panes that were made for the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pane_ids: Option<Vec<String>>,
}

fn yes() -> bool {
    true
}

/// One member of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its session, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Its pane in a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmux_pane_id: Option<String>,
    /// Another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmux_grid_pane_id: Option<String>,
    /// Whether it leads.
    pub agent_type: AgentType,
    /// The agent that it runs.
    #[serde(rename = "subagent_type", skip_serializing_if = "Option::is_none")]
    pub subagent_type: Option<String>,
    /// The category whose model it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Its model, which live prompts use again (TEAM-DLV-12).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Value>,
    status: MemberStatus,
    /// The colour it is shown in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Where it works, when not where its lead does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worktree_path: Option<String>,
    /// The last turn that mail was put into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_injected_turn_marker: Option<String>,
    /// Messages that its session was given and has not acknowledged by being idle.
    #[serde(default)]
    pub pending_injected_message_ids: Vec<String>,
    /// A counter of older releases, which is read and dropped.
    #[serde(default, skip_serializing, rename = "delegateTaskCallsUsed")]
    _delegated: Option<Value>,
}

impl Member {
    /// A member that has not begun.
    pub(crate) fn new(name: &str, agent_type: AgentType) -> Self {
        Self {
            name: name.to_owned(),
            session_id: None,
            tmux_pane_id: None,
            tmux_grid_pane_id: None,
            agent_type,
            subagent_type: None,
            category: None,
            model: None,
            status: MemberStatus::Pending,
            color: None,
            worktree_path: None,
            last_injected_turn_marker: None,
            pending_injected_message_ids: Vec::new(),
            _delegated: None,
        }
    }

    /// Where it stands.
    pub fn status(&self) -> MemberStatus {
        self.status
    }

    /// Makes a step, if there is one from where it stands.
    pub fn step(&mut self, step: MemberStep) -> Result<(), TeamError> {
        self.status = self.status.after(step)?;
        Ok(())
    }

    /// Makes a step, or stays where there is none.
    pub(crate) fn try_step(&mut self, step: MemberStep) {
        if let Ok(status) = self.status.after(step) {
            self.status = status;
        }
    }

    /// Notes that its session was given a message, once (TEAM-DLV-07).
    pub(crate) fn note_pending(&mut self, id: &str) {
        if !self.pending_injected_message_ids.iter().any(|known| known == id) {
            self.pending_injected_message_ids.push(id.to_owned());
        }
    }

    /// Whether it leads.
    pub fn leads(&self) -> bool {
        self.agent_type == AgentType::Leader
    }
}

/// A request to a member to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShutdownRequest {
    /// Who is to end.
    pub member_id: String,
    /// Who asked.
    pub requester_name: String,
    /// When.
    pub requested_at: i64,
    /// When it was agreed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<i64>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_reason: Option<String>,
    /// When it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_at: Option<i64>,
}

impl ShutdownRequest {
    /// Whether nobody answered it.
    pub(crate) fn is_open(&self) -> bool {
        self.approved_at.is_none() && self.rejected_at.is_none()
    }
}

/// One run of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunState {
    version: u32,
    team_run_id: String,
    /// The team.
    pub team_name: String,
    /// Where its specification came from.
    pub spec_source: SpecSource,
    /// When it began, in milliseconds since 1970.
    pub created_at: i64,
    status: RunStatus,
    /// The session that leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lead_session_id: Option<String>,
    /// What of a terminal belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tmux_layout: Option<TmuxLayout>,
    /// Its members, in the order of the specification.
    pub members: Vec<Member>,
    /// All requests to end, in order.
    #[serde(default)]
    pub shutdown_requests: Vec<ShutdownRequest>,
    /// What it may use.
    pub bounds: Bounds,
}

impl RunState {
    /// A run that begins.
    pub(crate) fn begin(
        run: &RunId,
        team_name: &str,
        spec_source: SpecSource,
        created_at: i64,
        lead_session_id: &str,
        members: Vec<Member>,
        bounds: Bounds,
    ) -> Self {
        Self {
            version: 1,
            team_run_id: run.as_str().to_owned(),
            team_name: team_name.to_owned(),
            spec_source,
            created_at,
            status: RunStatus::Creating,
            lead_session_id: Some(lead_session_id.to_owned()),
            tmux_layout: None,
            members,
            shutdown_requests: Vec::new(),
            bounds,
        }
    }

    /// Reads a state file of this run. The reason names what is wrong.
    pub fn parse(run: &RunId, content: &[u8]) -> Result<Self, String> {
        let state: Self = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        state.check(run).map(|()| state)
    }

    fn check(&self, run: &RunId) -> Result<(), String> {
        if self.version != 1 {
            return Err(format!("version must be 1, found {}", self.version));
        }
        if self.team_run_id != run.as_str() {
            return Err(format!("teamRunId must be that of its folder, found {:?}", self.team_run_id));
        }
        if self.created_at <= 0 {
            return Err(format!("createdAt must be over 0, found {}", self.created_at));
        }
        for (place, member) in self.members.iter().enumerate() {
            MemberName::new(&member.name).map_err(|error| format!("members[{place}].name: {error}"))?;
            if self.members.iter().take(place).any(|other| other.name == member.name) {
                return Err(format!("members[{place}].name {:?} is there twice", member.name));
            }
            let ids = &member.pending_injected_message_ids;
            if let Some(twice) =
                ids.iter().enumerate().find(|(at, id)| ids.iter().take(*at).any(|other| &other == id))
            {
                return Err(format!("members[{place}].pendingInjectedMessageIds holds {:?} twice", twice.1));
            }
        }
        Ok(())
    }

    /// Its id.
    pub fn run_id(&self) -> &str {
        &self.team_run_id
    }

    /// Where it stands.
    pub fn status(&self) -> RunStatus {
        self.status
    }

    /// Makes a step, if there is one from where it stands.
    pub fn step(&mut self, step: RunStep) -> Result<(), TeamError> {
        self.status = self.status.after(step)?;
        Ok(())
    }

    /// A member by name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// A member by name, to change.
    pub(crate) fn member_mut(&mut self, name: &str) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.name == name)
    }

    /// The member that leads.
    pub fn lead(&self) -> Option<&Member> {
        self.members.iter().find(|member| member.leads())
    }

    /// What `team_create` tells of it: all but what mail needs to know (TEAM-CREATE-10).
    pub(crate) fn told(&self) -> Value {
        let mut told = json!(self);
        for member in told.get_mut("members").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(member) = member {
                member.shift_remove("lastInjectedTurnMarker");
                member.shift_remove("pendingInjectedMessageIds");
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run() -> RunId {
        RunId::new("r").unwrap()
    }

    fn state() -> Value {
        json!({
            "version": 1, "teamRunId": "r", "teamName": "t", "specSource": "user", "createdAt": 5, "status": "active",
            "members": [{ "name": "a", "agentType": "leader", "status": "running" }],
            "bounds": { "maxMembers": 8, "maxParallelMembers": 4, "maxMessagesPerRun": 1, "maxWallClockMinutes": 1, "maxMemberTurns": 1 },
        })
    }

    fn parse(state: &Value) -> Result<RunState, String> {
        RunState::parse(&run(), state.to_string().as_bytes())
    }

    #[test]
    fn unknown_fields_of_the_run_are_dropped_and_those_of_a_member_refused() {
        let mut state = state();
        state["later"] = json!(1);
        state["members"][0]["delegateTaskCallsUsed"] = json!(7);
        let read = parse(&state).expect("it is fine");
        let written = json!(read);
        assert_eq!((written.get("later"), written["members"][0].get("delegateTaskCallsUsed")), (None, None));
        state["members"][0]["later"] = json!(1);
        assert!(parse(&state).expect_err("a member with more").contains("later"));
    }

    #[test]
    fn a_state_that_cannot_be_is_refused_and_says_what_is_wrong() {
        for (path, value, reason) in [
            ("/version", json!(2), "version"),
            ("/teamRunId", json!("other"), "teamRunId"),
            ("/createdAt", json!(0), "createdAt"),
            ("/status", json!("asleep"), "asleep"),
            ("/members/0/name", json!("../a"), "members[0].name"),
            ("/members/0/pendingInjectedMessageIds", json!(["x", "x"]), "twice"),
        ] {
            let mut state = state();
            match state.pointer_mut(path) {
                Some(place) => *place = value,
                None => state["members"][0]["pendingInjectedMessageIds"] = value,
            }
            let refused = parse(&state).expect_err(path);
            assert!(refused.contains(reason), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..400usize) {
            let _ = RunState::parse(&run(), &bytes);
            let text = state().to_string();
            if cut < text.len() {
                prop_assert!(RunState::parse(&run(), &text.as_bytes()[..cut]).is_err());
            }
        }
    }
}
