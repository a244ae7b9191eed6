//! Reading a scenario file: parameters, limits, types, and the rules that types cannot hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::{Location, Spanned};

use super::known::{self, Names};
use super::{Lane, Limits, Scenario, check, path, reference, step, subject};
use crate::data::{DataError, parse_yaml};

/// Reads the scenarios of a file: one, or one for each row of its parameters.
pub fn read(file: &str, text: &str, lane: Lane) -> Result<Vec<Scenario>, DataError> {
    read_with(file, text, &Limits::of(lane))
}

/// The same with limits of the caller's choice.
pub(crate) fn read_with(file: &str, text: &str, limits: &Limits) -> Result<Vec<Scenario>, DataError> {
    let waits_for = Limits::named_in(text);
    expand_with(text, limits)
        .iter()
        .map(|(case, text)| {
            let mut scenario = one(file, text)?;
            if let Some(case) = case {
                scenario.id.value = format!("{}-{case}", scenario.id.value);
            }
            scenario.waits_for.clone_from(&waits_for);
            Ok(scenario)
        })
        .collect()
}

/// The texts that a file stands for, with its parameters and the lane's limits filled in: one, or one for each row, with the
/// row's case.
pub fn expand(text: &str, lane: Lane) -> Vec<(Option<String>, String)> {
    expand_with(text, &Limits::of(lane))
}

fn expand_with(text: &str, limits: &Limits) -> Vec<(Option<String>, String)> {
    let rows = rows(text);
    if rows.is_empty() {
        return vec![(None, limits.fill(text))];
    }
    rows.iter()
        .map(|row| {
            let mut filled = text.to_owned();
            for (name, value) in row {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                filled = filled.replace(&format!("{{{name}}}"), &value);
            }
            (row.get("case").and_then(Value::as_str).map(str::to_owned), limits.fill(&filled))
        })
        .collect()
}

/// Only the parameters of a file; its other mistakes are found when it is read whole.
#[derive(Deserialize)]
struct OnlyParams {
    #[serde(default)]
    params: Vec<BTreeMap<String, Value>>,
}

fn rows(text: &str) -> Vec<BTreeMap<String, Value>> {
    serde_saphyr::from_str::<OnlyParams>(text).map(|only| only.params).unwrap_or_default()
}

fn one(file: &str, text: &str) -> Result<Scenario, DataError> {
    let scenario: Scenario = parse_yaml(file, text)?;
    let fail = |location: Location, message: String, help: Option<&str>| {
        let place = (location.line(), location.column());
        Err(DataError::new(file, text, place, message, help.map(str::to_owned)))
    };
    let id = &scenario.id;
    let well_formed = id.value.split('/').count() == 2
        && id
            .value
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-/".contains(&byte));
    if !well_formed {
        let message = format!("expected an id such as suite/words-with-hyphens; found {:?}", id.value);
        return fail(id.referenced, message, None);
    }
    let mut names = BTreeSet::new();
    for (number, step) in scenario.steps.iter().enumerate() {
        let place = || nth_step(text, number, &scenario);
        match step.verbs().len() {
            1 => {}
            0 => {
                return fail_at(file, text, place(), "expected a verb in this step, found none", Some(VERBS));
            }
            _ => {
                return fail_at(
                    file,
                    text,
                    place(),
                    "expected one verb in this step, found several",
                    Some("make it several steps"),
                );
            }
        }
        if step.expect.is_some() != step.requirement.is_some() {
            let message =
                "expected `expect` and `requirement` together: every expectation judges a requirement";
            return fail_at(file, text, place(), message, None);
        }
        if let Some(wait) = &step.wait {
            let events = [
                wait.reply_to.is_some(),
                wait.turn_of.is_some(),
                wait.end_of.is_some(),
                wait.answer_to.is_some(),
            ];
            if events.iter().filter(|event| **event).count() != 1 {
                let message = "expected one of reply_to, turn_of, end_of, answer_to in `await`";
                return fail_at(file, text, place(), message, None);
            }
            for named in [&wait.reply_to, &wait.turn_of, &wait.answer_to].into_iter().flatten() {
                if !names.contains(named.as_str()) {
                    let known = names.iter().copied();
                    let (message, help) = known::unknown("the name of an earlier step", named, known);
                    return fail_at(file, text, place(), &message, help.as_deref());
                }
            }
        }
        if let Some(name) = step.name().filter(|name| is_number_of_step(name)) {
            let message =
                format!("expected a name of its own; {name:?} is what a step without a name is called");
            return fail_at(file, text, place(), &message, None);
        }
        if let Some(name) = step.name()
            && !names.insert(name)
        {
            let message = format!("expected a new name; an earlier step is called {name:?} already");
            return fail_at(file, text, place(), &message, None);
        }
    }
    let known = Names::of(&scenario);
    for check in &scenario.then {
        let place = check.requirement.referenced;
        if check.subjects().len() != 1 {
            let message =
                "expected one subject in this check (result, cli_turns, callbacks, file, …)".to_owned();
            return fail(place, message, None);
        }
        if check.comparisons().len() != 1 {
            let message = "expected one comparison in this check (equals, contains, count, …)".to_owned();
            return fail(place, message, None);
        }
        if let Some((message, help)) = check.subject().and_then(|subject| known.wrong(subject)) {
            return fail(place, message, help.as_deref());
        }
    }
    let mistake = path::mistake(&scenario)
        .or_else(|| subject::mistake(&scenario))
        .or_else(|| super::team::mistake(&scenario))
        .or_else(|| step::mistake(&scenario))
        .or_else(|| reference::mistake(&scenario, &known))
        .or_else(|| check::mistake(&scenario));
    match mistake {
        Some(mistake) => Err(mistake.in_file(file, text)),
        None => Ok(scenario),
    }
}

/// Steps without a name, and lines that they write, have such names in a trace.
fn is_number_of_step(name: &str) -> bool {
    name.strip_prefix("step ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

const VERBS: &str = "verbs are dispatch, request, call, run, command, await, advance, connect, disconnect, kill, stop, start, power_cut, write, remove, link, stranger, fault, mend, session";

fn fail_at<T>(
    file: &str,
    text: &str,
    place: (u64, u64),
    message: &str,
    help: Option<&str>,
) -> Result<T, DataError> {
    Err(DataError::new(file, text, place, message.to_owned(), help.map(str::to_owned)))
}

/// Where the nth step begins.
fn nth_step(text: &str, number: usize, scenario: &Scenario) -> (u64, u64) {
    #[derive(Deserialize)]
    struct OnlySteps {
        steps: Vec<Spanned<serde::de::IgnoredAny>>,
    }
    let steps = serde_saphyr::from_str::<OnlySteps>(text).map(|only| only.steps).unwrap_or_default();
    let place = steps.get(number).map_or(scenario.id.referenced, |step| step.referenced);
    (place.line(), place.column())
}
