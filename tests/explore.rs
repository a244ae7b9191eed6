//! `gauntlet explore`: every crash of a story, worlds that nobody thought of, and bugs that are planted for them to find.

mod cells;
mod own;

use std::path::Path;
use std::sync::Arc;

use cells::{library, settings};
use gauntlet_engine::explore::faults::{Request, explore};
use gauntlet_world::injection::Quirk;
use gauntlet_world::simulated::Forgotten;
use gauntlet_world::touch::Op;
use own::{Folder, gauntlet, shown};
use serde_json::{Value, json};

fn valid(schema: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/schema").join(schema);
    let schema = own::json(&path);
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let mistakes: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

/// What a command prints as JSON, without what no two runs share, and its exit code.
fn told(command: &mut assert_cmd::Command) -> (Value, i32) {
    let output = command.args(["--format", "json"]).output().expect("it runs");
    let mut value: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    value["took_ms"] = json!(0);
    (value, output.status.code().expect("it ended by itself"))
}

/// A story whose receiver runs again what it ran before it died.
const RUNS_AGAIN: &str = "id: mine/runs-again\ntitle: A receiver that forgets.\nsubject: receiver\nexecutors: [codex]\ngiven:\n  \
                          disturbances: { quirks: [done-lines-run-again] }\nsteps:\n  - dispatch: { as: first, context: c1, text: hello }\n  \
                          - await: { reply_to: first, within: 30s }\n";

#[test]
fn every_crash_of_a_story_is_tried_and_every_kind_of_call_is_one_at_which_its_host_died() {
    let (found, code) = told(gauntlet().args([
        "explore",
        "crash",
        "--executor",
        "codex",
        "--only",
        "fleet/killed-during-a-turn",
    ]));
    valid("explore-crash-1.json", &found);
    assert_eq!((code, &found["findings"]), (0, &json!([])));
    let kinds: Vec<&Value> = found["hosts"]
        .as_array()
        .expect("hosts")
        .iter()
        .flat_map(|host| host["kinds"].as_array().expect("kinds"))
        .collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    for kind in kinds {
        assert_eq!(kind["reached"], kind["crashes"], "a crash that did not come about: {kind}");
        assert_eq!(kind["covered"].as_u64(), kind["points"].as_u64().map(|points| 2 * points), "{kind}");
    }
    assert!(found["double_crashes"].as_u64() > Some(5));
}

#[test]
fn what_a_crash_brings_out_is_told_with_the_command_that_runs_it_alone() {
    let folder = Folder::with(&[("suites/again.yaml", RUNS_AGAIN)]);
    let (data, out) =
        (folder.path().to_string_lossy().into_owned(), folder.out().to_string_lossy().into_owned());
    let explore = |args: &[&str]| {
        told(
            gauntlet()
                .args(["explore", "crash", "--scenarios", &data, "--out", &out, "--twice", "0"])
                .args(args),
        )
    };
    let (found, code) = explore(&["--only", "mine/runs-again", "--host", "receiver"]);
    assert_eq!(code, 1);
    valid("explore-crash-1.json", &found);
    assert_eq!(own::json(&folder.out().join("explore-crash.json"))["findings"], found["findings"]);
    let finding = &found["findings"][0];
    assert_eq!(
        (&finding["role"], &finding["cell"]),
        (&json!("receiver"), &json!("mine/runs-again@codex-0.169.0#0"))
    );
    let trace =
        found["findings"].as_array().into_iter().flatten().find_map(|finding| finding["trace"].as_str());
    assert!(folder.out().join(trace.expect("a trace")).is_file());
    let point = finding["point"].as_str().expect("a point");
    let replay = finding["replay"].as_str().expect("a command");
    assert!(
        replay.ends_with(&format!("--scenarios '{data}'"))
            && replay.contains(&format!("--host receiver --point {point}")),
        "{replay}"
    );
    let (alone, code) =
        explore(&["--only", "mine/runs-again@codex-0.169.0#0", "--host", "receiver", "--point", point]);
    assert_eq!((code, alone["crashes"].as_u64()), (1, Some(1)));
    assert_eq!(alone["findings"][0]["observed"], finding["observed"]);
}

#[test]
fn mistakes_in_what_is_asked_for_end_with_2_and_nothing_selected_with_4() {
    for (args, code, said) in [
        (vec!["--point", "17:maim", "--host", "receiver", "--only", "fleet/*"], 2, "expected a point"),
        (vec!["--point", "17"], 2, "--host"),
        (vec!["--executor", "codx"], 2, "did you mean \"codex\""),
        (vec!["--only", "fleet/no-such-story"], 4, "nothing was selected"),
        (
            vec![
                "--only",
                "fleet/killed-during-a-turn@codex-0.169.0#0",
                "--host",
                "receiver",
                "--point",
                "99999",
            ],
            4,
            "0 crashes",
        ),
    ] {
        let run = gauntlet().args(["explore", "crash"]).args(&args).assert().code(code);
        assert!(shown(&run).contains(said), "{args:?}: {}", shown(&run));
    }
    gauntlet().args(["explore", "faults", "--cells", "0"]).assert().code(2);
}

#[test]
fn the_same_seed_draws_the_same_cells_whoever_runs_them() {
    let search = |jobs: &str, seed: &str| {
        told(gauntlet().args(["explore", "faults", "--cells", "600", "--seed", seed, "--jobs", jobs]))
    };
    let (found, code) = search("1", "7");
    valid("explore-faults-1.json", &found);
    assert_eq!((code, &found["findings"]), (0, &json!([])), "the reference keeps every invariant");
    assert_eq!(search("2", "7").0, found);
    assert_ne!(search("2", "8").0["pairs"], found["pairs"]);
}

/// A deviation of the receiver that no file holds.
fn planted(at: &str, deviation: Value, when: Value) -> Arc<Quirk> {
    let quirk = json!({
        "id": "planted", "title": "A planted bug.", "role": "receiver", "at": at, "do": deviation, "when": when,
        "violates": ["FLEET-INV-02"], "seen_in": ["tests/explore.rs"],
    });
    Arc::new(serde_json::from_value(quirk).expect("a quirk"))
}

/// The search must find a planted bug within 20,000 cells, by one of these requirements.
fn must_be_found(request: Request, requirements: &[&str]) {
    let request = Request { cells: 20_000, most: 1, attempts: 60, ..request };
    let found = explore(&library(), &request, &settings(2), &mut |_| {}).expect("nothing is written");
    let finding = found.findings.first().expect("the bug is found");
    assert!(requirements.contains(&finding.requirement.as_str()), "{finding:?}");
    assert!(finding.scenario.contains("steps:"), "{finding:?}");
}

fn forgotten(target: &str) -> Request {
    let forgotten =
        Forgotten { host: "receiver".to_owned(), at: Op::DiskSync, target: Some(target.to_owned()) };
    Request { forgotten: vec![forgotten], ..Request::default() }
}

fn with(quirk: Arc<Quirk>) -> Request {
    Request { planted: vec![quirk], ..Request::default() }
}

fn known(id: &str) -> Request {
    with(library().quirks[id].clone())
}

#[test]
fn an_inbox_that_is_not_synced_is_found() {
    must_be_found(forgotten("inbox.jsonl"), &["FLEET-INV-02"]);
}

#[test]
fn a_journal_that_is_not_synced_is_found() {
    must_be_found(forgotten("turns.jsonl"), &["FLEET-INV-01", "FLEET-INV-02"]);
}

#[test]
fn a_turn_that_is_acknowledged_and_then_not_kept_is_found() {
    must_be_found(with(planted("receiver.inbox", json!("omit"), json!({ "nth": 2 }))), &["FLEET-INV-02"]);
}

#[test]
fn a_lock_of_a_context_that_nobody_gives_back_is_found() {
    must_be_found(
        with(planted("receiver.context_lock", json!("stall"), json!({ "nth": 3 }))),
        &["FLEET-INV-02"],
    );
}

#[test]
fn processes_that_nobody_reaps_are_found() {
    must_be_found(known("leftovers-of-an-earlier-life"), &["FLEET-INV-07"]);
}

#[test]
fn what_is_sent_twice_after_a_restart_is_found() {
    must_be_found(known("done-lines-run-again"), &["FLEET-INV-01", "FLEET-INV-02"]);
}

#[test]
fn a_wake_up_that_is_lost_is_found() {
    must_be_found(with(planted("receiver.handoff", json!("omit"), json!({ "nth": 4 }))), &["FLEET-INV-02"]);
    must_be_found(known("waiting-lines-forgotten"), &["FLEET-INV-02"]);
}

#[test]
fn a_reply_that_goes_to_another_context_is_found() {
    let elsewhere = json!({ "replace": { "/contextId": "{context}-of-someone-else" } });
    must_be_found(
        with(planted("receiver.callback", elsewhere, json!({ "nth": 2 }))),
        &["FLEET-INV-02", "FLEET-INV-03"],
    );
}
