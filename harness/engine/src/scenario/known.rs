//! The names that a scenario gives to its steps and contexts, so that a check of one that nobody gave is a mistake and not a
//! check that nothing ever fits.

use std::collections::BTreeSet;

use super::{Scenario, Subject, Verb, Which, reference};
use crate::cell::{key, line_name};
use crate::data::nearest;

/// What is wrong, and what to do about it.
type Wrong = (String, Option<String>);

/// The names that a scenario gives.
pub(super) struct Names<'a> {
    /// Of its steps.
    steps: BTreeSet<&'a str>,
    /// Of the lines that its steps write into files.
    lines: BTreeSet<String>,
    /// What nonces can be of: all of these, and steps by their number.
    keys: BTreeSet<String>,
    /// Of its contexts.
    contexts: BTreeSet<&'a str>,
    /// Of values that are saved.
    saved: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    pub(super) fn of(scenario: &'a Scenario) -> Self {
        let steps: BTreeSet<&str> = scenario.steps.iter().filter_map(|step| step.name()).collect();
        let mut contexts = reference::contexts_named(scenario);
        contexts.extend(&steps);
        let (mut lines, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for (number, step) in scenario.steps.iter().enumerate() {
            let key = key(number, step);
            match step.verb() {
                Some(Verb::Dispatch(dispatch)) => contexts.extend(dispatch.context.as_deref()),
                Some(Verb::Write(write)) => {
                    contexts.extend(write.asks.iter().map(String::as_str));
                    lines.extend((1..=write.asks.len()).map(|line| line_name(&key, line)));
                }
                // Requests and calls name contexts in their texts.
                Some(Verb::Request(request)) if request.body_of.is_some() => {
                    contexts.insert("filled");
                }
                _ => {}
            }
            keys.insert(key);
        }
        keys.extend(lines.iter().cloned());
        let saved = super::team::saved(scenario).collect();
        Self { steps, lines, keys, contexts, saved }
    }

    /// What is wrong with the names that a subject uses, if anything is.
    pub(super) fn wrong(&self, subject: Subject<'_>) -> Option<Wrong> {
        match subject {
            Subject::Result(name) => self.no_step(name),
            Subject::CliTurns(which) | Subject::Refusals(which) | Subject::Overlaps(which) => {
                self.of_turns(which)
            }
            Subject::AgentTurns(which)
            | Subject::Callbacks(which)
            | Subject::Deliveries(which)
            | Subject::Transcript(which)
            | Subject::Inbox(which) => match &which.dispatch {
                Some(_) => Some((
                    "expected a context alone: callbacks, deliveries and records name no dispatch".to_owned(),
                    None,
                )),
                None => self.no_context(which.context.as_deref()?),
            },
            Subject::Host(seen) => self.not_saved(seen.session.as_deref()?),
            Subject::File(_)
            | Subject::Files(_)
            | Subject::Conversation(_)
            | Subject::Leftovers
            | Subject::ModelCalls => None,
        }
    }

    fn of_turns(&self, which: &Which) -> Option<Wrong> {
        let known: Vec<&str> =
            self.steps.iter().copied().chain(self.lines.iter().map(String::as_str)).collect();
        match &which.dispatch {
            Some(name) if !known.contains(&name.as_str()) => {
                Some(unknown("the name of a dispatch", name, known))
            }
            _ => self.no_context(which.context.as_deref()?),
        }
    }

    fn no_step(&self, name: &str) -> Option<Wrong> {
        (!self.steps.contains(name)).then(|| unknown("the name of a step", name, self.steps.iter().copied()))
    }

    /// What is wrong with the name of a dispatch whose nonce is meant, if anything is.
    pub(super) fn no_dispatch(&self, name: &str) -> Option<Wrong> {
        let known = || self.keys.iter().map(String::as_str);
        (!self.keys.contains(name)).then(|| unknown("the name of a dispatch", name, known()))
    }

    /// What is wrong with the name of a value that is saved, if anything is.
    pub(super) fn not_saved(&self, name: &str) -> Option<Wrong> {
        let known = || self.saved.iter().copied();
        (!self.saved.contains(name))
            .then(|| unknown("the name of a session, or of a saved value", name, known()))
    }

    /// What is wrong with the name of a context, if anything is.
    pub(super) fn no_context(&self, name: &str) -> Option<Wrong> {
        let known = || self.contexts.iter().copied();
        (!self.contexts.contains(name)).then(|| unknown("a context that some step names", name, known()))
    }
}

pub(super) fn unknown<'a>(expected: &str, found: &str, known: impl IntoIterator<Item = &'a str>) -> Wrong {
    let help = nearest(found, known).map(|near| format!("did you mean {near:?}?"));
    (format!("expected {expected}; found {found:?}"), help)
}
