//! What of a scenario a receiver that is not ours can be judged by. Nothing is left out in silence: what is not judged is skipped with
//! the reason.

use std::collections::BTreeMap;
use std::sync::Arc;

use gauntlet_reports::{Class, Lane};
use serde_json::Value;

use super::foreign::Foreign;
use super::limit::Limit;
use crate::cell::Plan;
use crate::data::catalogue::{Catalogue, Role};
use crate::driver::ForeignRuntime;
use crate::scenario::{Check, Scenario, Step, Subject, SubjectKind, Verb};

/// A subject that is not ours.
#[derive(Debug, Clone)]
pub enum Certified {
    /// A receiver.
    Receiver(Arc<Foreign>),
    /// A runtime.
    Runtime(Arc<ForeignRuntime>),
}

/// A subject that is not ours in one cell.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The subject.
    pub subject: Certified,
    /// Why the cell cannot be run with it, if so.
    pub cannot: Option<String>,
    /// The requirements that the scenario judges otherwise, and why not here.
    pub left_out: BTreeMap<String, String>,
}

/// What the members of the product line's configuration set, by the word that does so for others. `{cli}` is in front of some.
const SETTINGS: [(&str, &str); 6] = [
    ("context_lock_wait_s", "lock_wait"),
    ("idle_timeout_s", "idle"),
    ("max_concurrent_turns", "slots"),
    ("max_tracked_contexts", "contexts"),
    ("{cli}_model", "model"),
    ("role_prompt", "role"),
];

impl Foreign {
    /// The plan of a cell with this receiver in the place of ours. Nothing when the scenario judges no receiver.
    pub(crate) fn fit(self: &Arc<Self>, catalogue: &Catalogue, plan: Plan) -> Option<Plan> {
        if plan.scenario.subject != SubjectKind::Receiver {
            return None;
        }
        let cannot = self.cannot(&plan.scenario);
        let mut scenario = Scenario::clone(&plan.scenario);
        let mut left_out = BTreeMap::new();
        let owes = |id: &str| self.does_not_owe(catalogue, id);
        for step in &mut scenario.steps {
            let Some(id) = step.requirement.as_ref().map(|id| id.value.clone()) else { continue };
            let reason = owes(&id).or_else(|| self.lacks_file(&format!("{:?}", step.expect)));
            if let Some(reason) = reason {
                left_out.insert(id, reason);
                (step.expect, step.requirement) = (None, None);
            }
        }
        let executor = plan.executor.id.value.clone();
        scenario.then.retain(|check| {
            let is_meant = check.executor.as_ref().is_none_or(|named| named.value == executor);
            match owes(&check.requirement.value).or_else(|| self.cannot_look_at(check)) {
                Some(reason) if is_meant => {
                    left_out.insert(check.requirement.value.clone(), reason);
                    false
                }
                reason => reason.is_none(),
            }
        });
        let fitted = Fitted { subject: Certified::Receiver(self.clone()), cannot, left_out };
        Some(Plan {
            scenario: Arc::new(scenario),
            executor: self.executor.clone(),
            release: self.release.clone(),
            release_quirks: Vec::new(),
            fitted: Some(Arc::new(fitted)),
            ..plan
        })
    }

    /// Why it does not owe a requirement, if so.
    fn does_not_owe(&self, catalogue: &Catalogue, id: &str) -> Option<String> {
        let row = catalogue.get(id)?;
        let is_parity = row.role == Role::Receiver && row.class == Class::Parity;
        (is_parity && !self.is_of_fleet())
            .then(|| "parity is owed by subjects of the dialect a2a_fleet alone".to_owned())
    }

    /// Why a check has nothing to look at, if so.
    fn cannot_look_at(&self, check: &Check) -> Option<String> {
        let no_file = |name: &str| {
            self.executor.file(name).is_none().then(|| format!("the manifest names no file `where.{name}`"))
        };
        let by_subject = match check.subject()? {
            Subject::Transcript(_) => no_file("transcript"),
            Subject::Inbox(_) => no_file("inbox"),
            _ => None,
        };
        let shown = format!("{check:?}");
        let is_elsewhere = self.runs_already() && shown.contains("{workdir}");
        let elsewhere = || is_elsewhere.then(|| "it runs already, in a folder of its own".to_owned());
        by_subject.or_else(|| self.lacks_file(&shown)).or_else(elsewhere)
    }

    /// The first file that a part of a scenario speaks of and that this receiver does not have. `shown` is that part as it is shown to
    /// programmers, since any text in it can hold the word.
    fn lacks_file(&self, shown: &str) -> Option<String> {
        let named = shown.split("{file.").skip(1).filter_map(|rest| rest.split_once('}'));
        let mut lacking = named.map(|(name, _)| name).filter(|name| self.executor.file(name).is_none());
        lacking.next().map(|name| format!("the manifest names no file `where.{name}`"))
    }

    /// Why a scenario cannot be run with it, if so.
    fn cannot(&self, scenario: &Scenario) -> Option<String> {
        if self.runs_already() && !only_asks(scenario) {
            return Some("it runs already: its CLI, files, restarts and limits are out of reach".to_owned());
        }
        self.cannot_be_set(scenario)
            .or_else(|| self.cannot_wait_for(scenario))
            .or_else(|| self.lacks_file(&format!("{:?}", scenario.given)))
            .or_else(|| scenario.steps.iter().find_map(|step| self.lacks_file_of(step)))
            .or_else(|| {
                let lacks = scenario.given.receiver.lacks.iter();
                let mut takes = lacks.filter(|uri| self.release.takes(&uri.value));
                let uri = &takes.next()?.value;
                Some(format!("nobody can take {uri} away from it, which it declares"))
            })
            .or_else(|| scenario.longer_than(self.horizon()))
    }

    fn lacks_file_of(&self, step: &Step) -> Option<String> {
        self.lacks_file(&format!("{:?}", step.verb()?))
    }

    /// Why what is given of the receiver cannot be given to it, if so.
    fn cannot_be_set(&self, scenario: &Scenario) -> Option<String> {
        let given = &scenario.given.receiver;
        if self.takes_fleet_config() {
            return None;
        }
        if !given.auth && !self.runs_already() {
            return Some("only {fleet_config} tells a receiver to want no bearer".to_owned());
        }
        given.config.iter().find_map(|(member, value)| self.cannot_set(member, value))
    }

    fn cannot_set(&self, member: &str, value: &Value) -> Option<String> {
        let own = self.executor.cli.as_str();
        // How often it looks makes no difference to what comes of it.
        if member == "poll_interval_s" {
            return None;
        }
        if member == "{cli}_timeout_s" || member.strip_suffix("_timeout_s") == Some(own) {
            let asked = value.as_f64().unwrap_or_default();
            return match self.limit("turn_cap") {
                Limit::Set | Limit::None => None,
                Limit::Seconds(seconds) if seconds >= asked => None,
                Limit::Seconds(seconds) => {
                    Some(format!("a turn has to last {asked} s, and its cap is {seconds} s"))
                }
            };
        }
        let of_cli = |name: &str| name.replace("{cli}", own);
        let known = SETTINGS.iter().find(|(name, _)| *name == member || of_cli(name) == member);
        match known {
            Some((_, word)) if self.has_word(word) => None,
            Some((_, word)) => Some(format!("the word {{{word}}} is in no template of the manifest")),
            None => Some(format!("only {{fleet_config}} tells a receiver of {member:?}")),
        }
    }

    /// Why a limit that a scenario waits for is out of reach, if so.
    fn cannot_wait_for(&self, scenario: &Scenario) -> Option<String> {
        // Somebody who looks at once is never late.
        let waited_for = scenario.waits_for.iter().filter(|name| **name != "poll");
        waited_for
            .filter_map(|name| match self.limit(name) {
                Limit::Set => None,
                Limit::Seconds(_) if self.slow => None,
                Limit::Seconds(seconds) => {
                    Some(format!("not run: needs {seconds} s (its {name}), which --slow waits for"))
                }
                Limit::None => Some(format!("by its manifest it has no limit {name}")),
            })
            .next()
    }
}

/// Whether a scenario sends requests and looks at their answers, and does nothing else.
fn only_asks(scenario: &Scenario) -> bool {
    let asks = |step: &Step| matches!(step.verb(), Some(Verb::Request(request)) if request.at_once.is_none());
    let looks = |check: &Check| matches!(check.subject(), Some(Subject::Result(_)));
    let given = &scenario.given;
    scenario.steps.iter().all(asks)
        && scenario.then.iter().all(looks)
        && given.executor.turns.is_empty()
        && given.files.is_empty()
        && given.receiver.auth
        && given.receiver.config.is_empty()
        && scenario.virtual_only.is_none()
        && scenario.too_long_for(Lane::Real).is_none()
}
