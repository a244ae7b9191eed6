//! Bugs of the kinds that such programs have are planted, and the search must find each within 20,000 cells, and say which requirement
//! does not hold and whose it is. With the same seeds it finds nothing where nothing was planted.
//!
//! What a peer does wrong is a quirk; what it forgets of its disk is a slip, which the world makes for it.

mod cells;
mod own;

use std::sync::Arc;
use std::time::Duration;

use cells::{library, settings};
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::explore::crash;
use gauntlet_engine::explore::faults::{Request, explore};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_reports::Lane;
use gauntlet_world::injection::Quirk;
use gauntlet_world::simulated::{Mistake, Slip};
use gauntlet_world::touch::Op;
use own::Folder;
use serde_json::{Value, json};

/// The search must find it by then.
const CELLS: u64 = 20_000;

/// A deviation of the receiver that no file holds.
fn planted(at: &str, deviation: Value, when: Value) -> Request {
    let quirk = json!({
        "id": "planted", "title": "A planted bug.", "role": "receiver", "at": at, "do": deviation, "when": when,
        "violates": ["FLEET-INV-02"], "seen_in": ["tests/planted.rs"],
    });
    let quirk: Quirk = serde_json::from_value(quirk).expect("a quirk");
    Request { planted: vec![Arc::new(quirk)], ..Request::default() }
}

fn known(id: &str) -> Request {
    Request { planted: vec![library().quirks[id].clone()], ..Request::default() }
}

fn slip(host: &str, target: &str, mistake: Mistake) -> Slip {
    Slip { host: host.to_owned(), target: Some(target.to_owned()), mistake }
}

fn slips(host: &str, target: &str, mistake: Mistake) -> Request {
    Request { slips: vec![slip(host, target, mistake)], ..Request::default() }
}

/// The search must find it, by one of these requirements of a role.
fn must_be_found(request: Request, role: &str, requirements: &[&str]) {
    let request = Request { cells: CELLS, most: 1, attempts: 40, ..request };
    let found = explore(&library(), &request, &settings(2), &mut |_| {}).expect("nothing is written");
    let finding = found.findings.first().expect("the bug is found");
    assert!(found.cells <= CELLS);
    assert_eq!(finding.role, role, "{finding:?}");
    assert!(requirements.contains(&finding.requirement.as_str()), "{finding:?}");
    assert!(finding.scenario.contains("steps:"), "{finding:?}");
}

#[test]
fn with_the_same_seed_nothing_is_found_where_nothing_was_planted() {
    let request = Request { cells: 1_000, most: 1, ..Request::default() };
    let found = explore(&library(), &request, &settings(2), &mut |_| {}).expect("nothing is written");
    assert_eq!((found.cells, found.findings), (1_000, Vec::new()));
}

#[test]
fn fsync_forgotten_of_the_inbox() {
    let forgets = Mistake::Forgets(Op::DiskSync);
    must_be_found(slips("receiver", "inbox.jsonl", forgets), "receiver", &["FLEET-INV-02"]);
}

#[test]
fn fsync_forgotten_of_the_journal() {
    let forgets = Mistake::Forgets(Op::DiskSync);
    must_be_found(slips("receiver", "turns.jsonl", forgets), "receiver", &["FLEET-INV-01", "FLEET-INV-02"]);
}

#[test]
fn fsync_forgotten_of_the_replies_that_the_runtime_confirmed() {
    let forgets = Mistake::Forgets(Op::DiskSync);
    must_be_found(slips("runtime", "deliveries.jsonl", forgets), "hermes", &["FLEET-INV-04"]);
}

/// A story in which an inbox is replaced: its last line could not be written whole, and is taken out again.
const TAKEN_BACK: &str = "id: mine/taken-back\ntitle: A line is taken back.\nsubject: receiver\nexecutors: [codex]\ngiven:\n  \
    executor: { turns: [ { for: first, after: 60s, reply: done } ] }\n  \
    disturbances: { faults: [ { host: receiver, at: disk.append, target: inbox.jsonl, nth: 3, do: { torn: io } } ] }\nsteps:\n  \
    - dispatch: { as: first, context: c1, text: hello }\n  - dispatch: { as: second, context: c2, text: hello }\n  \
    - await: { reply_to: first, within: 400s }\n";

#[test]
fn rename_before_write_of_an_inbox_that_is_replaced() {
    let folder = Folder::with(&[("suites/taken-back.yaml", TAKEN_BACK)]);
    let sources = [Source::Embedded, Source::Folder(folder.path().to_path_buf())];
    let library = Arc::new(Library::load(&sources).expect("sound data"));
    let search = |slips: Vec<Slip>| {
        let request = crash::Request {
            selection: Selection {
                only: vec![Pattern::parse("mine/taken-back").expect("a pattern")],
                lanes: vec![Lane::Virtual],
                ..Selection::default()
            },
            thorough: false,
            hosts: vec![crash::Subject::Receiver],
            asked: None,
            twice: 0,
            limit: None,
            slips,
            out: None,
        };
        let found = crash::explore(&library, &request, &settings(2), &mut |_| {});
        found.expect("nothing is written").expect("a story is selected")
    };
    let clean = search(Vec::new());
    assert_eq!(clean.findings, Vec::new());
    let found = search(vec![slip("receiver", "inbox.jsonl", Mistake::RenamesFirst)]);
    let finding = found.findings.first().expect("the bug is found");
    assert!(found.cells + found.crashes <= CELLS);
    assert_eq!((finding.requirement.as_str(), finding.role.as_str()), ("FLEET-INV-02", "receiver"));
}

#[test]
fn ack_before_journal_in_the_receiver() {
    let later = Mistake::AddsLater(Duration::from_millis(20));
    must_be_found(slips("receiver", "inbox.jsonl", later), "receiver", &["FLEET-INV-02"]);
}

#[test]
fn ack_before_journal_in_the_runtime() {
    let later = Mistake::AddsLater(Duration::from_millis(20));
    must_be_found(slips("runtime", "deliveries.jsonl", later), "hermes", &["FLEET-INV-04"]);
}

#[test]
fn ack_without_a_journal() {
    must_be_found(
        planted("receiver.inbox", json!("omit"), json!({ "nth": 2 })),
        "receiver",
        &["FLEET-INV-02"],
    );
}

#[test]
fn lock_not_reaped_of_a_context() {
    must_be_found(
        planted("receiver.context_lock", json!("stall"), json!({ "nth": 3 })),
        "receiver",
        &["FLEET-INV-02"],
    );
}

#[test]
fn processes_of_an_earlier_life_not_reaped() {
    must_be_found(known("leftovers-of-an-earlier-life"), "receiver", &["FLEET-INV-07"]);
}

#[test]
fn double_send_on_restart() {
    must_be_found(known("done-lines-run-again"), "receiver", &["FLEET-INV-01", "FLEET-INV-02"]);
}

#[test]
fn lost_wake_up_of_who_hands_off() {
    must_be_found(
        planted("receiver.wake", json!("omit"), json!({ "nth": 2 })),
        "receiver",
        &["FLEET-INV-02"],
    );
}

#[test]
fn lost_wake_up_of_lines_that_wait_for_a_start() {
    must_be_found(known("waiting-lines-forgotten"), "receiver", &["FLEET-INV-02"]);
}

#[test]
fn reply_matched_to_a_context_that_nobody_knows() {
    let elsewhere = json!({ "replace": { "/contextId": "{context}-of-someone-else" } });
    must_be_found(
        planted("receiver.callback", elsewhere, json!({ "nth": 2 })),
        "receiver",
        &["FLEET-INV-02", "FLEET-INV-03"],
    );
}

#[test]
fn reply_matched_to_the_context_that_was_answered_before() {
    let another = json!({ "replace": { "/contextId": "{before.context}" } });
    must_be_found(planted("receiver.callback", another, json!({})), "receiver", &["FLEET-INV-02"]);
}
