//! What a scenario says of team mode: what is given, what happens to sessions, and what the session host was asked.

use std::collections::BTreeMap;

use gauntlet_simulators::session_host::HostScript;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::mistake::Mistake;
use super::{Scenario, SubjectKind};

/// Team mode, where it is the subject.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamGiven {
    /// Members of `team_mode` in the configuration of the user that differ from the usual ones, which only switch it on. A file
    /// `~/.omo/config.jsonc` among the given ones stands in place of it.
    pub config: BTreeMap<String, Value>,
    /// What the session host and the members in it do.
    pub host: HostScript,
    /// The sessions that are there before the first step, by name, each with the agent that it runs; nobody's when that is empty.
    pub sessions: BTreeMap<String, String>,
    /// Whether mail comes into turns, which the step `turn` makes. Otherwise a member that is idle is told its mail at once.
    pub turns_carry_mail: bool,
}

impl Default for TeamGiven {
    fn default() -> Self {
        let sessions = [("lead", "sisyphus"), ("outsider", "sisyphus")];
        Self {
            config: BTreeMap::new(),
            host: HostScript::default(),
            sessions: sessions.map(|(name, agent)| (name.to_owned(), agent.to_owned())).into(),
            turns_carry_mail: false,
        }
    }
}

impl TeamGiven {
    /// Whether it says anything.
    fn is_said(&self) -> bool {
        let usual = Self::default();
        !self.config.is_empty()
            || self.host != usual.host
            || self.sessions != usual.sessions
            || self.turns_carry_mail
    }
}

/// Something happens to a session: exactly one of the members beside its name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionStep {
    /// The session, by a name of `given.team.sessions` or one under which a call saved it.
    pub of: String,
    /// Its user asks it something.
    #[serde(default)]
    pub prompt: Option<String>,
    /// Its user deletes it.
    #[serde(default)]
    pub deleted: Option<bool>,
}

/// Which of the things that the session host did are meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HostSeen {
    /// Only these: `created`, `prompted`, `aborted`, `deleted`.
    pub what: Option<String>,
    /// Only those of this session, by its name in the scenario.
    pub session: Option<String>,
}

/// The first thing of team mode that does not fit, if there is one.
pub(super) fn mistake(scenario: &Scenario) -> Option<Mistake> {
    let is_team = scenario.subject == SubjectKind::Team;
    if !is_team && scenario.given.team.is_said() {
        return Some(Mistake::at(
            &["given", "team"],
            "expected nothing of a team, which is no subject here; found some",
        ));
    }
    scenario.steps.iter().enumerate().find_map(|(number, step)| {
        let number = number.to_string();
        if let Some(call) = &step.call
            && !is_team
            && (call.by.is_some() || !call.by_each.is_empty() || !call.saves.is_empty())
        {
            let message =
                "expected no session that calls, and nothing saved, where no team is the subject; found some";
            return Some(Mistake::at(&["steps", &number, "call"], message));
        }
        let session = step.session.as_ref()?;
        let message = if !is_team {
            "expected a step that fits the subject; found `session`"
        } else if session.prompt.is_some() == (session.deleted == Some(true)) {
            "expected one of `prompt` and `deleted: true`"
        } else {
            return None;
        };
        Some(Mistake::at(&["steps", &number, "session"], message))
    })
}

/// The names under which values of a scenario are known before a step uses them.
pub(super) fn saved(scenario: &Scenario) -> impl Iterator<Item = &str> {
    let given = scenario.given.team.sessions.keys().map(String::as_str);
    let is_team = scenario.subject == SubjectKind::Team;
    let calls = scenario.steps.iter().filter_map(|step| step.call.as_ref());
    given.filter(move |_| is_team).chain(calls.flat_map(|call| call.saves.keys().map(String::as_str)))
}
