//! The checks can fail: the subject is broken once in each area, and the named requirement must fail.
//!
//! A mutant is a quirk that is not in the data, or a wrong configuration. It is not scored; it only shows that the scenario and
//! the requirement would notice.

mod cells;

use std::collections::BTreeMap;
use std::sync::Arc;

use cells::{explain, library, plain, run, settings};
use gauntlet_engine::cell::{Deviation, Plan};
use gauntlet_engine::scenario::Scenario;
use gauntlet_reports::Verdict;
use gauntlet_simulators::injection::Quirk;
use serde_json::{Value, json};

const VERSION: &str = "0.169.0";

/// The cell of a scenario on the newest version.
fn cell(scenario: &str) -> Plan {
    let cells = plain(&library(), &format!("fleet/{scenario}@codex-{VERSION}#0"));
    cells.into_iter().next().unwrap_or_else(|| panic!("there is no scenario {scenario}"))
}

fn must_fail(plan: Plan, requirement: &str) {
    let record = run(vec![plan], &library(), &settings(1)).remove(0);
    let verdict = record.judgements.get(requirement).map(|judgement| judgement.verdict);
    assert_eq!(verdict, Some(Verdict::Fail), "{requirement} should have failed\n{}", explain(&record));
}

/// Breaks the subject at an injection point.
fn at_point(scenario: &str, at: &str, deviation: Value, matches: Value, requirement: &str) {
    let quirk: Quirk = serde_json::from_value(json!({
        "id": "mutant", "title": "A mutant.", "role": "receiver", "at": at, "do": deviation,
        "when": { "matches": matches }, "violates": [requirement], "seen_in": ["tests/mutants.rs"],
    }))
    .expect("a mutant is a quirk");
    must_fail(Plan { deviation: Some(Deviation::Quirk(Arc::new(quirk))), ..cell(scenario) }, requirement);
}

/// Breaks the subject by its configuration.
fn by_configuration(scenario: &str, member: &str, value: Value, requirement: &str) {
    let plan = cell(scenario);
    let mut broken = Scenario::clone(&plan.scenario);
    broken.given.receiver.config.extend(BTreeMap::from([(member.to_owned(), value)]));
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, requirement);
}
