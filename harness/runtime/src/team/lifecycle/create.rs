//! Making a run (team sheet 5.1): all of it comes to be, or nothing stays.

use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::json;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::spawn::{Spawned, Spawning};
use crate::registry::Session;
use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::mailbox::Inbox;
use crate::team::names::{MemberName, RunId};
use crate::team::participants::Seat;
use crate::team::sessions::Cancel;
use crate::team::spec::agents::{self, Verdict};
use crate::team::spec::{self, Author, SpecError, TeamSpec};
use crate::team::state::{AgentType, Member, MemberStep, RunState, RunStatus, RunStep, SpecSource};
use crate::team::tasks::TaskList;

const USAGE: &str = "team_create requires exactly one of teamName or inline_spec: the name of a declared team, or an object with name and \
                     members";

impl Team {
    /// Makes a run for a session, which leads it.
    pub(crate) async fn create(&self, caller: &Session, arguments: &Value) -> Result<Value, TeamError> {
        let text = |name: &str| {
            arguments
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.trim().is_empty())
                .map(str::to_owned)
        };
        let inline = arguments.get("inline_spec").filter(|spec| !spec.is_null() && spec.as_str() != Some(""));
        let named = text("teamName");
        if named.is_some() == inline.is_some() {
            let event = json!({ "refused": "usage" });
            if named.is_none() || self.decide(Point::RuntimeTeamCreate, event).await.text("refused").is_some()
            {
                return Err(TeamError::Usage(USAGE.to_owned()));
            }
        }
        let lead_session = text("leadSessionId").or_else(|| caller.id.clone()).ok_or_else(|| {
            TeamError::Usage("team_create requires leadSessionId or tool context sessionID".to_owned())
        })?;
        let agent = caller.agent.as_deref().map(agents::plain_name).filter(|agent| !agent.is_empty());
        if let Some(Verdict::Rejected(why)) = agent.as_deref().map(agents::judge) {
            let event = json!({ "refused": "caller" });
            if self.decide(Point::RuntimeTeamCreate, event).await.text("refused").is_some() {
                let agent = agent.unwrap_or_default();
                let denied = format!("team_create denied: caller '{agent}' is a hard-reject agent; {why}");
                return Err(TeamError::Denied(denied));
            }
        }
        let (spec, source) = self.spec_of(named, inline, agent.clone()).await?;
        let (run, state) = {
            let _one_at_a_time = self.creating().lock().await;
            if let Some(existing) = self.known(caller, &lead_session, &spec).await? {
                return Ok(existing);
            }
            self.sweep_tmux().await;
            self.prepare().await?;
            let run = RunId::new(&self.host().entropy().uuid().to_string())?;
            let state = self.first_state(&run, &spec, source, &lead_session);
            self.store().begin(&run, &state).await?;
            self.own_runs().borrow_mut().insert(run.clone());
            self.registered().add(&lead_session, &run, Seat { member: spec.lead.clone(), leads: true });
            (run, state)
        };
        let spec = Rc::new(spec);
        let spawned = Rc::new(Spawned::default());
        let made = self.bring_up(&run, &state, spec.clone(), &lead_session, agent, caller, spawned.clone());
        match made.await {
            Ok(state) => Ok(json!({ "teamRunId": run.as_str(), "runtimeState": state.told() })),
            Err(cause) => {
                let report = self.roll_back(&run, &spec, &spawned).await;
                Err(TeamError::Create { name: spec.name.clone(), cause: cause.to_string(), report })
            }
        }
    }

    async fn spec_of(
        &self,
        named: Option<String>,
        inline: Option<&Value>,
        caller: Option<String>,
    ) -> Result<(TeamSpec, SpecSource), TeamError> {
        let max_members = usize::try_from(self.config().max_members).unwrap_or(8);
        let mut author = Author { caller, default_category: None, max_members };
        let Some(inline) = inline else {
            let name = named.unwrap_or_default();
            return spec::load::named(self.host(), self.layout(), &name, &author).await;
        };
        author.default_category = Some(self.settings().default_category.clone());
        let parsed;
        let written = match inline {
            Value::String(text) => {
                parsed = json::parse("inline_spec", text.as_bytes()).map_err(|error| {
                    let message = format!("inline_spec is a string but not valid JSON: {error}");
                    SpecError::new("INVALID_JSON", "inline_spec", message)
                })?;
                &parsed
            }
            object => object,
        };
        let spec = spec::read(written, &author).map_err(|error| match error.code {
            "INVALID_TEAM_SPEC" => {
                let reason =
                    error.message.split_once("': ").map_or(error.message.as_str(), |(_, reason)| reason);
                let message = format!("Invalid inline_spec for team_create: {}: {reason}", error.field);
                SpecError { message, ..error }
            }
            _ => error,
        })?;
        let source = spec::load::source_of_inline(self.host(), self.layout(), &spec.name).await;
        Ok((spec, source))
    }

    /// The run that the caller has already, if it is the one that is asked for. Any other one keeps it from making another (TEAM-CREATE-08,
    /// TEAM-CREATE-09).
    async fn known(
        &self,
        caller: &Session,
        lead_session: &str,
        spec: &TeamSpec,
    ) -> Result<Option<Value>, TeamError> {
        for session in [Some(lead_session), caller.id.as_deref()].into_iter().flatten() {
            let Some((run, seat)) = self.taking_part(session).await else { continue };
            let state = match self.store().load(&run).await {
                Ok(state) => state,
                // Another process removed it.
                Err(TeamError::Missing { .. }) => {
                    self.forget(&run);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let same = seat.leads
                && state.team_name == spec.name
                && state.lead_session_id.as_deref() == Some(lead_session);
            let whole = state.members.iter().all(|member| member.session_id.is_some());
            let event = json!({ "refused": "same" });
            if same
                && whole
                && matches!(state.status(), RunStatus::Creating | RunStatus::Active)
                && self.decide(Point::RuntimeTeamCreate, event).await.text("refused").is_some()
            {
                return Ok(Some(json!({ "teamRunId": run.as_str(), "runtimeState": state.told() })));
            }
            let event = json!({ "refused": "participant" });
            if same && whole {
                continue;
            }
            if self.decide(Point::RuntimeTeamCreate, event).await.text("refused").is_none() {
                continue;
            }
            let denied = format!("team_create denied: session is already a participant of team {run}");
            return Err(TeamError::Denied(denied));
        }
        Ok(None)
    }

    fn first_state(&self, run: &RunId, spec: &TeamSpec, source: SpecSource, lead_session: &str) -> RunState {
        let members = spec.members.iter().map(|member| {
            let agent_type =
                if member.name == spec.lead { AgentType::Leader } else { AgentType::GeneralPurpose };
            let mut record = Member::new(&member.name, agent_type);
            record.subagent_type = Some(member.agent().to_owned());
            record.category = member.category().map(str::to_owned);
            record.color.clone_from(&member.color);
            record.worktree_path = member
                .worktree_path
                .as_deref()
                .map(|path| self.worktree_place(path).to_string_lossy().into_owned());
            record
        });
        let now = self.host().clock().wall().millis().max(1);
        RunState::begin(run, &spec.name, source, now, lead_session, members.collect(), self.config().bounds())
    }

    /// Starts all members, and makes the run active.
    #[expect(clippy::too_many_arguments, reason = "they are what one call is about")]
    async fn bring_up(
        &self,
        run: &RunId,
        state: &RunState,
        spec: Rc<TeamSpec>,
        lead_session: &str,
        agent: Option<String>,
        caller: &Session,
        spawned: Rc<Spawned>,
    ) -> Result<RunState, TeamError> {
        if let Some(agent) = &agent {
            self.store()
                .update(run, async |state| {
                    let Some(lead) = state.member_mut(&spec.lead) else { return Ok(()) };
                    lead.session_id = Some(lead_session.to_owned());
                    lead.subagent_type = Some(agent.clone());
                    lead.step(MemberStep::Run)
                })
                .await?;
        }
        for member in &state.members {
            let member = MemberName::new(&member.name)?;
            Inbox { store: self.store(), run, member: &member }.make().await?;
        }
        TaskList { store: self.store(), run }.make().await?;
        let minutes = self.config().max_wall_clock_minutes;
        let spawning = Spawning {
            run: run.clone(),
            spec: spec.clone(),
            lead_session: lead_session.to_owned(),
            leads_itself: agent.is_some(),
            message: caller.message.clone(),
            directory: caller.directory.clone(),
            deadline: self.host().clock().now()
                + Duration::from_secs(minutes.saturating_mul(60).min(10_000_000)),
            spawned,
        };
        self.spawn_all(Rc::new(spawning)).await?;
        let state = self.store().load(run).await?;
        let unresolved: Vec<String> = state
            .members
            .iter()
            .filter(|member| member.session_id.is_none())
            .map(|member| format!("{} ({})", member.name, member.status()))
            .collect();
        if !unresolved.is_empty() {
            let text = format!(
                "team runtime cannot transition to active with unresolved member(s): {}",
                unresolved.join(", ")
            );
            return Err(TeamError::Usage(text));
        }
        if let Some(layout) = self.show_members(run, &state).await {
            let noted = self.store().update(run, async |state| {
                state.tmux_layout = Some(layout.clone());
                Ok(())
            });
            if let Err(error) = noted.await {
                // What nobody knows of is not left (F07).
                tracing::warn!(%run, %error, "the panes cannot be noted, and are closed");
                let _ = self.hide_members(run, Some(&layout)).await;
            }
        }
        self.store()
            .update(run, async |state| {
                state.step(RunStep::Activate)?;
                Ok(state.clone())
            })
            .await
    }

    /// Whether a step of a creation that failed is taken back: it is.
    async fn takes_back(&self, does: &str, member: &str) -> bool {
        let event = json!({ "does": does, "member": member });
        !self.decide(Point::RuntimeTeamUndo, event).await.is_omitted()
    }

    /// Undoes what was done, the last member first. A step that fails is reported and stops no other one (TEAM-CREATE-07).
    async fn roll_back(&self, run: &RunId, spec: &TeamSpec, spawned: &Spawned) -> Value {
        let (mut cancelled, mut removed, mut errors) = (Vec::new(), Vec::new(), Vec::new());
        for member in spec.members.iter().rev() {
            if let Some(task) = spawned.task(&member.name)
                && self.takes_back("cancel", &member.name).await
            {
                let why = Cancel {
                    source: "team-create-rollback",
                    reason: "creating_rollback".to_owned(),
                    notifies: false,
                };
                match self.sessions().cancel(&task, why).await {
                    Ok(()) => cancelled.push(task),
                    Err(error) => errors.push(format!("task {task} cannot be cancelled: {error}")),
                }
            }
            if let Some(place) = spawned.worktree(&member.name)
                && self.takes_back("worktree", &member.name).await
            {
                match self.remove_worktree(run, &place).await {
                    Ok(true) => removed.push(place.to_string_lossy().into_owned()),
                    Ok(false) => {}
                    Err(error) => errors.push(error.to_string()),
                }
            }
        }
        let layout = self.store().load(run).await.ok().and_then(|state| state.tmux_layout);
        let hidden = self.hide_members(run, layout.as_ref()).await;
        let removed_layout = hidden.unwrap_or_else(|error| {
            errors.push(error.to_string());
            false
        });
        if self.takes_back("fail", "").await {
            let failed = self.store().update(run, async |state| state.step(RunStep::Fail)).await;
            errors.extend(failed.err().map(|error| error.to_string()));
        }
        self.forget(run);
        json!({
            "cancelledTaskIds": cancelled,
            "removedLayout": removed_layout,
            "removedWorktrees": removed,
            "errors": errors,
        })
    }
}
