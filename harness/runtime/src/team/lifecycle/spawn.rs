//! Starting the members of a run, a few at once (TEAM-CREATE-03).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_world::injection::Point;
use serde_json::json;
use tokio::time::Instant;

use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::names::RunId;
use crate::team::participants::Seat;
use crate::team::rules;
use crate::team::sessions::Launch;
use crate::team::spec::{SpecMember, TeamSpec};
use crate::team::state::MemberStep;

const LOOK: Duration = Duration::from_millis(25);

/// What was made for members so far.
#[derive(Default)]
pub(super) struct Spawned {
    tasks: RefCell<BTreeMap<String, String>>,
    worktrees: RefCell<BTreeMap<String, PathBuf>>,
}

impl Spawned {
    pub(super) fn task(&self, member: &str) -> Option<String> {
        self.tasks.borrow().get(member).cloned()
    }

    pub(super) fn worktree(&self, member: &str) -> Option<PathBuf> {
        self.worktrees.borrow().get(member).cloned()
    }
}

/// What all members of a run are started with.
pub(super) struct Spawning {
    pub(super) run: RunId,
    pub(super) spec: Rc<TeamSpec>,
    pub(super) lead_session: String,
    /// The session that creates is the lead, so that none is made for it (TEAM-CREATE-05).
    pub(super) leads_itself: bool,
    pub(super) message: Option<String>,
    pub(super) directory: Option<String>,
    pub(super) deadline: Instant,
    pub(super) spawned: Rc<Spawned>,
}

impl Team {
    /// Starts all members in order, as many at once as may be. After a failure no further one begins.
    pub(super) async fn spawn_all(&self, spawning: Rc<Spawning>) -> Result<(), TeamError> {
        let members = spawning.spec.members.len();
        let workers =
            usize::try_from(self.config().max_parallel_members).unwrap_or(members).clamp(1, members.max(1));
        let event = json!({ "parallel": workers, "members": members, "all": true });
        let workers = self.decide(Point::RuntimeTeamStart, event).await.number("parallel").unwrap_or(workers);
        let (next, failure) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
        let running: Vec<_> = (0..workers)
            .map(|_| {
                let (team, spawning) = (self.clone(), spawning.clone());
                let (next, failure) = (next.clone(), failure.clone());
                self.host().spawn(async move {
                    while failure.borrow().is_none() {
                        let Some(member) = spawning.spec.members.get(next.replace(next.get() + 1)) else {
                            break;
                        };
                        if let Err(error) = team.spawn_member(&spawning, member).await {
                            failure.borrow_mut().get_or_insert(error);
                        }
                    }
                })
            })
            .collect();
        for worker in running {
            worker.join().await;
        }
        let failure = failure.borrow_mut().take();
        failure.map_or(Ok(()), Err)
    }

    async fn spawn_member(&self, spawning: &Spawning, member: &SpecMember) -> Result<(), TeamError> {
        let Spawning { run, spec, lead_session, spawned, .. } = spawning;
        let in_time = || match self.host().clock().now() < spawning.deadline {
            true => Ok(()),
            false => Err(TeamError::Usage("team creation exceeded max_wall_clock_minutes".to_owned())),
        };
        in_time()?;
        let worktree = match member.worktree_path.as_deref() {
            Some(written) => {
                let place = self.worktree_place(written);
                self.make_worktree(run, &place).await?;
                spawned.worktrees.borrow_mut().insert(member.name.clone(), place.clone());
                Some(place)
            }
            None => None,
        };
        let leads = member.name == spec.lead;
        let event = json!({
            "member": member.name, "leads": leads, "spawns": !(spawning.leads_itself && leads), "parent": lead_session,
            "prompt": rules::launch_prompt(&spec.name, run, member, worktree.as_deref()), "registers": true,
        });
        let decided = self.decide(Point::RuntimeTeamMember, event).await;
        if !decided.yes("spawns") {
            return Ok(());
        }
        let registers = decided.yes("registers");
        let launch = Launch {
            description: format!("Create team member {}/{}", spec.name, member.name),
            prompt: decided.text("prompt").unwrap_or_default().to_owned(),
            agent: member.agent().to_owned(),
            category: member.category().map(str::to_owned),
            parent_session: decided.text("parent").unwrap_or_default().to_owned(),
            parent_message: spawning
                .message
                .clone()
                .unwrap_or_else(|| format!("team-create:{run}:{}", member.name)),
            team_run: run.as_str().to_owned(),
            directory: worktree
                .map(|place| place.to_string_lossy().into_owned())
                .or(spawning.directory.clone()),
        };
        let unresolved = |reason: String| {
            TeamError::Usage(format!("Failed to resolve member '{}': {reason}", member.name))
        };
        // Before it is told anything, and before its state is written: it may call tools at once (TEAM-CREATE-11).
        let seat = Seat { member: member.name.clone(), leads: member.name == spec.lead };
        let (team, of_run, early) = (self.clone(), run.clone(), seat.clone());
        let known = move |session: &str| {
            if registers {
                team.registered().add(session, &of_run, early.clone());
            }
        };
        let launched = self.sessions().launch(launch, Rc::new(known)).await.map_err(unresolved)?;
        spawned.tasks.borrow_mut().insert(member.name.clone(), launched.task.clone());
        let session = loop {
            if let Some(session) = self.sessions().session_of(&launched.task).await.map_err(unresolved)? {
                break session;
            }
            in_time().map_err(|error| {
                TeamError::Usage(format!(
                    "{error}: timed out waiting for child session for task {}",
                    launched.task
                ))
            })?;
            self.host().clock().sleep(LOOK).await;
        };
        self.registered().add(&session, run, seat);
        self.store()
            .update(run, async |state| {
                let Some(record) = state.member_mut(&member.name) else { return Ok(()) };
                record.session_id = Some(session.clone());
                record.model.clone_from(&launched.model);
                if let Some(agent) = &launched.agent {
                    record.subagent_type = Some(agent.clone());
                }
                record.step(MemberStep::Run)
            })
            .await
    }
}
