//! The names that a scenario gives to its steps and contexts, so that a check of one that nobody gave is a mistake and not a
//! check that nothing ever fits.

use std::collections::BTreeSet;

use super::{Scenario, Subject, Verb, Which};
use crate::cell::{key, line_name};
use crate::data::nearest;

/// What is wrong, and what to do about it.
type Mistake = (String, Option<String>);

/// What is wrong with the names that a subject uses, if anything is. `text` is the file.
pub(super) fn mistake(scenario: &Scenario, text: &str, subject: Subject<'_>) -> Option<Mistake> {
    let steps: BTreeSet<&str> = scenario.steps.iter().filter_map(|step| step.name()).collect();
    let written = written_lines(scenario);
    let of_turns = |which: &Which| {
        let mut dispatches = steps.clone();
        dispatches.extend(written.iter().map(String::as_str));
        match which.dispatch.as_deref().filter(|name| !dispatches.contains(name)) {
            Some(name) => Some(unknown("the name of a dispatch", name, &dispatches)),
            None => of_context(scenario, text, which, &steps),
        }
    };
    match subject {
        Subject::Result(name) if !steps.contains(name) => Some(unknown("the name of a step", name, &steps)),
        Subject::CliTurns(which) | Subject::Refusals(which) | Subject::Overlaps(which) => of_turns(which),
        Subject::Callbacks(which)
        | Subject::Deliveries(which)
        | Subject::Transcript(which)
        | Subject::Inbox(which) => match &which.dispatch {
            Some(_) => Some((
                "expected a context alone: callbacks, deliveries and records name no dispatch".to_owned(),
                None,
            )),
            None => of_context(scenario, text, which, &steps),
        },
        Subject::Result(_) | Subject::File(_) | Subject::Leftovers => None,
    }
}

/// The names of dispatches that are lines of a file which a step writes.
fn written_lines(scenario: &Scenario) -> Vec<String> {
    let steps = scenario.steps.iter().enumerate();
    let written = steps.filter_map(|(number, step)| match step.verb() {
        Some(Verb::Write(write)) => Some((key(number, step), write.asks.len())),
        _ => None,
    });
    written.flat_map(|(key, lines)| (1..=lines).map(move |line| line_name(&key, line))).collect()
}

fn of_context(scenario: &Scenario, text: &str, which: &Which, steps: &BTreeSet<&str>) -> Option<Mistake> {
    let name = which.context.as_deref()?;
    let mut contexts = steps.clone();
    for step in &scenario.steps {
        match step.verb() {
            Some(Verb::Dispatch(dispatch)) => contexts.extend(dispatch.context.as_deref()),
            Some(Verb::Write(write)) => contexts.extend(write.asks.iter().map(String::as_str)),
            Some(Verb::Request(request)) if request.body_of.is_some() => {
                contexts.insert("filled");
            }
            _ => {}
        }
    }
    // Requests and calls name contexts in their texts.
    contexts.extend(
        text.split("{context:").skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name),
    );
    (!contexts.contains(name)).then(|| unknown("a context that some step names", name, &contexts))
}

fn unknown(expected: &str, found: &str, known: &BTreeSet<&str>) -> Mistake {
    let help = nearest(found, known.iter().copied()).map(|near| format!("did you mean {near:?}?"));
    (format!("expected {expected}; found {found:?}"), help)
}
