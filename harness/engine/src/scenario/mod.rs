//! The scenario grammar: what is given, the steps, what is expected. A file of it reads like a story.
//!
//! One way to say each thing: a step has one verb, a check has one subject and one comparison. The JSON Schema for editors is
//! generated from these types ([`schema`]).

mod check;
mod disturbances;
mod given;
mod known;
mod limits;
mod mistake;
mod path;
mod read;
mod reference;
pub(crate) mod schema;
mod step;
mod subject;
mod team;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

#[cfg(test)]
pub(crate) use check::{CALLBACK, DELIVERY, FILE, REFUSAL, TURN};
pub use check::{Check, Column, Comparison, Subject, Which};
pub use disturbances::Disturbances;
pub use gauntlet_reports::Lane;
pub use given::{ExecutorGiven, Given, HermesGiven, MindPart, Misbehaviour, Neighbour, ReceiverGiven};
pub use limits::Limits;
pub(crate) use path::{Folder, in_trace, leads_out};
pub(crate) use read::read_with;
pub use read::{expand, read};
pub(crate) use reference::{Reference, unknown_word};
pub use schema::schema;
pub use step::{
    Await, Bearer, Call, CommandLine, Dispatch, Expect, HostName, Jump, Leaves, LinkFile, Meanwhile, Nodes,
    Request, Run, SignalName, Step, Stranger, Verb, WriteFile,
};
pub use team::{HostSeen, SessionStep, TeamGiven};

/// A file of scenarios.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The name: the suite, a slash, and words joined by hyphens.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// One sentence that says what holds when the scenario passes.
    pub title: String,
    /// What is judged.
    pub subject: SubjectKind,
    /// The executors for which it makes sense; all when empty.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub executors: Vec<Spanned<String>>,
    /// Why it cannot run in the real lane, if so; for instance because a step needs a power cut.
    #[serde(default)]
    pub virtual_only: Option<String>,
    /// Why no quirk is caught by it, if so; `run` lists every other story that catches none.
    #[serde(default)]
    pub no_quirk: Option<String>,
    /// Rows of values. Each row makes a scenario of its own: `{name}` anywhere in the file stands for the row's value, and the
    /// row's `case` is added to the id.
    #[serde(default)]
    pub params: Vec<std::collections::BTreeMap<String, serde_json::Value>>,
    /// What is there before the first step.
    #[serde(default)]
    pub given: Given,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// What is expected at the end.
    #[serde(default)]
    pub then: Vec<Check>,
    /// The limits that its file speaks of, by their names.
    #[serde(skip)]
    pub waits_for: std::collections::BTreeSet<&'static str>,
}

/// What a scenario judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// The receiver in front of an executor.
    Receiver,
    /// The runtime that dispatches.
    Runtime,
    /// A Hermes node, judged by what it answers. Such a cell has no receiver.
    Hermes,
    /// Team mode of the runtime, judged by its tools, its files, and what a session host is asked. Such a cell has no receiver.
    Team,
}

/// The executor whose profiles are Hermes nodes.
pub(crate) const HERMES: &str = "hermes";
/// The executor whose profiles are session hosts, in which the members of teams live.
pub(crate) const TEAM: &str = "team";

impl Scenario {
    /// Every executor that is named, where it is named.
    pub fn executors(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.executors.iter().chain(self.then.iter().filter_map(|check| check.executor.as_ref()))
    }

    /// Whether it makes sense for an executor. Hermes nodes and teams are judged by scenarios of their own, and by no others.
    pub fn is_for(&self, executor: &str) -> bool {
        let alone = [(SubjectKind::Hermes, HERMES), (SubjectKind::Team, TEAM)];
        if alone.into_iter().any(|(subject, name)| (self.subject == subject) != (executor == name)) {
            return false;
        }
        self.executors.is_empty() || self.executors.iter().any(|named| named.value == executor)
    }

    /// Why it cannot be told on a simulated machine, if so.
    pub fn real_only(&self) -> Option<&'static str> {
        let runs = self.steps.iter().any(|step| step.run.is_some());
        let works =
            self.given.executor.turns.iter().flat_map(|part| &part.commands).any(|command| command.run);
        let agents = self.given.hermes.agents().flat_map(|(_, parts)| parts);
        let agents_work = agents.flat_map(|part| &part.commands).any(|command| command.run);
        let freezes = self.steps.iter().any(|step| step.freeze.is_some());
        let runs = runs || works || agents_work || self.given.git;
        let why =
            [(runs, "programs of this computer are run"), (freezes, "a process is stopped and continued")];
        why.into_iter().find_map(|(is_so, why)| is_so.then_some(why))
    }

    /// Why its steps do not fit into the time that a lane gives a cell, if they do not.
    pub fn too_long_for(&self, lane: Lane) -> Option<String> {
        self.longer_than(Limits::horizon(lane))
    }

    /// The same for a cell that has so long.
    pub(crate) fn longer_than(&self, horizon: std::time::Duration) -> Option<String> {
        let (number, end) = step::beyond(&self.steps, horizon)?;
        Some(format!("a cell of this lane has {horizon:?}, and step {} can last until {end:?}", number + 1))
    }

    /// Every requirement that the scenario judges, where it is named.
    pub fn requirements(&self) -> Vec<&Spanned<String>> {
        let of_steps = self.steps.iter().filter_map(|step| step.requirement.as_ref());
        of_steps.chain(self.then.iter().map(|check| &check.requirement)).collect()
    }
}
