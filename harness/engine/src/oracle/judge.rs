//! One verdict for each requirement that a cell touches.

use std::collections::BTreeMap;

use gauntlet_reports::Verdict;
use gauntlet_simulators::stage::Purpose;

use super::expect;
use super::invariants::{self, Held};
use super::memory::Memory;
use super::view::View;
use crate::cell::{Names, Plan, key};
use crate::data::catalogue::{Catalogue, Role};
use crate::scenario::{Check, HostName, Scenario, Step, SubjectKind, Verb};
use crate::trace::{Observation, What};

/// The verdict of one requirement in one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What did not hold.
    pub findings: Vec<Finding>,
    /// Why there is no plain verdict.
    pub reason: Option<String>,
}

/// Something that did not hold, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was expected.
    pub expected: String,
    /// What was observed.
    pub observed: String,
    /// Where in the trace.
    pub trace: Vec<usize>,
}

impl Judgement {
    fn new(verdict: Verdict) -> Self {
        Self { verdict, findings: Vec::new(), reason: None }
    }

    fn because(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { verdict, findings: Vec::new(), reason: Some(reason.into()) }
    }

    /// It is not judged, for this reason.
    pub(crate) fn skipped(reason: &str) -> Self {
        Self::because(Verdict::Skipped, reason)
    }

    fn join(&mut self, other: Judgement) {
        self.verdict = Verdict::worst([self.verdict, other.verdict]);
        self.findings.extend(other.findings);
        self.reason = self.reason.take().or(other.reason);
    }
}

/// Judges a cell: what its scenario expects, and what holds in every cell. What its subject cannot be judged by is skipped.
pub(crate) fn judge(
    plan: &Plan,
    catalogue: &Catalogue,
    names: &Names,
    observations: &[Observation],
    memory: &Memory,
) -> BTreeMap<String, Judgement> {
    let view = View::new(observations, names, memory);
    let mut verdicts: BTreeMap<String, Judgement> = BTreeMap::new();
    let mut note = |id: &str, judgement: Judgement| match verdicts.get_mut(id) {
        Some(known) => known.join(judgement),
        None => {
            verdicts.insert(id.to_owned(), judgement);
        }
    };
    // A scenario is written for a world that behaves; under a fault only what holds in every world is judged.
    if !plan.is_only_judged_by_invariants() {
        for (id, judgement) in expectations(plan, &view) {
            note(&id, judgement);
        }
    }
    for (id, held) in invariants::all(plan, &view) {
        if catalogue.get(id).is_some() {
            note(id, of_invariant(held));
        }
    }
    if !plan.scenario.given.receiver.misbehaves.is_empty() {
        let role = |id: &str| catalogue.get(id).map(|row| row.role);
        verdicts.retain(|id, _| !matches!(role(id), Some(Role::Receiver | Role::Cli)));
    }
    if let Some((from, reason)) = unplayed(observations) {
        for (id, judgement) in &mut verdicts {
            if judgement.verdict == Verdict::Fail
                && !invariants::NO_SECRET.contains(&id.as_str())
                && rests_on(judgement, from)
            {
                judgement.verdict = Verdict::Inconclusive;
                judgement.reason = Some(reason.clone());
            }
        }
    }
    rest_on_foundations(catalogue, &mut verdicts);
    for (id, reason) in plan.fitted.iter().flat_map(|fitted| &fitted.left_out) {
        verdicts.entry(id.clone()).or_insert_with(|| Judgement::skipped(reason));
    }
    verdicts
}

/// What a step was expected to come to and did not, as far as its result is in the trace.
pub(crate) fn failed_step(
    plan: &Plan,
    names: &Names,
    observations: &[Observation],
    memory: &Memory,
    number: usize,
) -> Option<Finding> {
    let step = plan.scenario.steps.get(number)?;
    let view = View::new(observations, names, memory);
    let (index, value) = view.result(&key(number, step))?;
    let difference = expect::step(step.expect.as_ref()?, value, &view)?;
    Some(Finding { expected: difference.expected, observed: difference.observed, trace: vec![index] })
}

fn expectations(plan: &Plan, view: &View<'_>) -> Vec<(String, Judgement)> {
    let mut found = Vec::new();
    let mut reached = true;
    for (number, step) in plan.scenario.steps.iter().enumerate() {
        let result = view.result(&key(number, step));
        let first_missing = reached && result.is_none();
        reached &= result.is_some();
        let (Some(expect), Some(requirement)) = (&step.expect, &step.requirement) else { continue };
        let judgement = match result {
            Some((_, value)) if value.pointer("/tool/interrupted").is_some() => {
                Judgement::because(Verdict::Inconclusive, "the runtime died during the step")
            }
            Some((index, value)) => compared(expect::step(expect, value, view), vec![index]),
            None if first_missing => compared(
                Some(expect::Difference {
                    expected: "the step comes to its end".to_owned(),
                    observed: "it did not".to_owned(),
                }),
                Vec::new(),
            ),
            None => Judgement::because(Verdict::Inconclusive, "an earlier step did not come to its end"),
        };
        found.push((requirement.value.clone(), judgement));
    }
    let is_meant = |check: &&Check| {
        check.executor.as_ref().is_none_or(|executor| executor.value == plan.executor.id.value)
    };
    let nobody = !receiver_showed(&plan.scenario, view.observations);
    for check in plan.scenario.then.iter().filter(is_meant) {
        let judgement = match expect::check(check, view) {
            Some((None, _)) if nobody && check.holds_of_nothing() => Judgement::because(
                Verdict::Inconclusive,
                "the receiver was never ready: nothing could come of it",
            ),
            Some((difference, trace)) => compared(difference, trace),
            None => Judgement::because(Verdict::Inconclusive, "what the check looks at never came about"),
        };
        found.push((check.requirement.value.clone(), judgement));
    }
    found
}

/// Whether what a receiver left undone says something: it was ready at some time, or it refused to start as the scenario
/// expects. Where the runtime is judged, a receiver that is not there is part of the story.
fn receiver_showed(scenario: &Scenario, observations: &[Observation]) -> bool {
    let is_refusal = |step: &Step| {
        matches!(step.verb(), Some(Verb::Start(HostName::Receiver)))
            && step.expect.as_ref().is_some_and(|expect| expect.happens == Some(false))
    };
    let may_refuse = scenario.steps.iter().any(is_refusal);
    matches!(scenario.subject, SubjectKind::Runtime | SubjectKind::Hermes | SubjectKind::Team)
        || observations.iter().any(|seen| match &seen.what {
            What::Ready { host } => host == "receiver",
            What::Ended { host, .. } => may_refuse && host == "receiver",
            _ => false,
        })
}

fn compared(difference: Option<expect::Difference>, trace: Vec<usize>) -> Judgement {
    match difference {
        None => Judgement::new(Verdict::Pass),
        Some(expect::Difference { expected, observed }) => Judgement {
            verdict: Verdict::Fail,
            findings: vec![Finding { expected, observed, trace }],
            reason: None,
        },
    }
}

fn of_invariant(held: Held) -> Judgement {
    match held {
        Held::NotExercised => Judgement::new(Verdict::NotExercised),
        Held::Yes => Judgement::new(Verdict::Pass),
        Held::No(findings) => Judgement { verdict: Verdict::Fail, findings, reason: None },
        Held::Unclear(reason) => Judgement::because(Verdict::Inconclusive, reason),
    }
}

/// Where the stand-in was called in a way that the real CLI would accept and that it cannot play, and how: nothing can be said
/// of what came of it.
fn unplayed(observations: &[Observation]) -> Option<(usize, String)> {
    observations.iter().enumerate().find_map(|(index, seen)| match &seen.what {
        What::CliEntered { invocation, .. } => match &invocation.purpose {
            Purpose::Unplayed(reason) => {
                Some((index, format!("{reason}; called with {:?}", invocation.args)))
            }
            _ => None,
        },
        _ => None,
    })
}

/// Whether a failure can come of what was observed from there on: what was seen before does not rest on it.
fn rests_on(judgement: &Judgement, from: usize) -> bool {
    judgement
        .findings
        .iter()
        .any(|finding| finding.trace.is_empty() || finding.trace.iter().any(|index| *index >= from))
}

/// A requirement whose foundation failed in the same cell cannot be judged there.
fn rest_on_foundations(catalogue: &Catalogue, verdicts: &mut BTreeMap<String, Judgement>) {
    let failed: Vec<String> = verdicts
        .iter()
        .filter(|(_, judgement)| judgement.verdict == Verdict::Fail)
        .map(|(id, _)| id.clone())
        .collect();
    if failed.is_empty() {
        return;
    }
    for (id, judgement) in verdicts.iter_mut() {
        let base =
            catalogue.foundations(id).into_iter().find(|base| failed.iter().any(|failed| failed == base));
        if let Some(base) = base
            && matches!(judgement.verdict, Verdict::Pass | Verdict::Fail)
        {
            judgement.verdict = Verdict::Inconclusive;
            judgement.reason = Some(format!("{base} failed in this cell"));
        }
    }
}
