//! The simulated opencode as a process: files, children, signals, sessions and quirks.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_simulators::stage::{Failure, Part, Purpose, ShellCommand};
use gauntlet_world::injection::{Millis, Quirk};
use gauntlet_world::process::{Signal, Stdin};
use serde_json::{Value, json};

use super::{AS_RECEIVER, session_of};
use crate::rig::{Rig, answer, cell, finish, rest};

fn quirk(at: &str, deviation: Value, matches: Value) -> Vec<Quirk> {
    let quirk = json!({
        "id": "test", "title": "A quirk of a test.", "role": "cli", "at": at, "do": deviation,
        "when": { "matches": matches }, "violates": [], "seen_in": [],
    });
    vec![serde_json::from_value(quirk).expect("a good quirk")]
}

fn first_turn() -> Vec<&'static str> {
    [&["run", "do it"][..], &AS_RECEIVER].concat()
}

fn events(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).expect("an event is JSON")).collect()
}

#[test]
fn the_stage_is_told_what_was_asked_and_what_was_done() {
    cell(async {
        let rig = Rig::opencode("1.0.0");
        let probe = rig.run(&["--version"], Part::default()).await;
        assert_eq!((probe.stdout.as_str(), probe.code), ("1.0.0\n", 0));
        rig.say("hello\nworld", answer("hi")).await;
        let rig_of_today = Rig::opencode("1.18.33");
        let turn = rig_of_today.say("hello\nworld", answer("hi")).await;
        let purposes = |rig: &Rig| {
            rig.script.entered.borrow().iter().map(|entered| entered.purpose.clone()).collect::<Vec<_>>()
        };
        let refused = Purpose::Refused("Unknown argument: dangerously-skip-permissions".to_owned());
        assert_eq!(purposes(&rig), [Purpose::Probe, refused]);
        assert_eq!(
            purposes(&rig_of_today),
            [Purpose::Turn { prompt: "hello\nworld".to_owned(), session: None }]
        );
        let endings = rig_of_today.script.left.borrow();
        assert_eq!(endings[0].session, Some(session_of(&turn.stdout)));
        assert_eq!((endings[0].stdout.clone(), endings[0].code), (turn.stdout, 0));
    });
}

#[test]
fn a_held_standard_input_blocks_a_turn() {
    cell(async {
        let rig = Rig::opencode("1.18.33");
        let child = rig.start(&first_turn(), answer("hi"), Stdin::Held).await;
        rig.shell.clock().sleep(Duration::from_secs(600)).await;
        assert!(rig.machine.running().iter().any(|(pid, ..)| *pid == child.pid), "it waits");
        rig.machine.send(child.pid, Signal::Kill);
        assert_eq!(finish(child).await.stdout, "");
    });
}

#[test]
fn ids_sort_as_the_real_ones_do_and_each_step_is_a_message_of_its_own() {
    cell(async {
        let rig = Rig::opencode("1.18.33");
        let ls = |command: &str| ShellCommand {
            command: command.to_owned(),
            output: String::new(),
            exit: 2,
            after: None,
            run: false,
        };
        let part = Part { commands: vec![ls("ls"), ls("ls /")], ..answer("hi") };
        let first = events(&rig.say("x", part).await.stdout);
        let member = |pointer: &str| -> Vec<String> {
            first
                .iter()
                .map(|event| event.pointer(pointer).and_then(Value::as_str).expect(pointer).to_owned())
                .collect()
        };
        let parts = member("/part/id");
        assert!(parts.is_sorted() && parts.windows(2).all(|pair| pair[0] != pair[1]), "{parts:?}");
        let mut messages = member("/part/messageID");
        assert!(messages.is_sorted());
        messages.dedup();
        assert_eq!(messages.len(), 3);
        let reasons: Vec<&Value> = first.iter().filter_map(|event| event.pointer("/part/reason")).collect();
        assert_eq!(reasons, ["tool-calls", "tool-calls", "stop"]);
        assert_eq!(first[1].pointer("/part/state/metadata/exit"), Some(&json!(2)));
        rig.shell.clock().sleep(Duration::from_millis(5)).await;
        let second = rig.say("y", answer("hi")).await;
        assert!(*session_of(&second.stdout) < *first[0]["sessionID"].as_str().expect("a text"));
    });
}

#[test]
fn a_session_goes_on_in_its_file_across_processes() {
    cell(async {
        let rig = Rig::opencode("1.18.33");
        let session = session_of(&rig.say("one", answer("first")).await.stdout);
        let second = rig.go_on(&session, "two", answer("second")).await;
        assert_eq!((second.code, session_of(&second.stdout)), (0, session.clone()));
        let expected = "{\"prompt\":\"one\",\"reply\":\"first\",\"calls\":1}\n{\"prompt\":\"two\",\"reply\":\"second\",\"calls\":1}\n";
        assert_eq!(rig.sessions(), BTreeMap::from([(format!("{session}.jsonl"), expected.to_owned())]));
    });
}

#[test]
fn an_id_that_names_another_place_is_an_unknown_session() {
    cell(async {
        let ran = Rig::opencode("1.18.33").go_on("../../secret", "go on", answer("x")).await;
        assert!(
            ran.code == 1 && ran.stdout.is_empty() && ran.stderr.contains("Session not found"),
            "{ran:?}"
        );
    });
}

#[test]
fn edits_are_on_disk_and_change_the_snapshot() {
    cell(async {
        let rig = Rig::opencode("1.18.33");
        let before = events(&rig.say("look", answer("ok")).await.stdout);
        let edits = BTreeMap::from([("src/lib.rs".to_owned(), "pub fn one() {}".to_owned())]);
        let after = events(&rig.say("add one()", Part { edits, ..answer("done") }).await.stdout);
        let written =
            rig.machine.disk().read(&rig.shell.cwd().join("src/lib.rs")).expect("the file is there");
        assert_eq!(written, b"pub fn one() {}");
        assert_ne!(before[0].pointer("/part/snapshot"), after[0].pointer("/part/snapshot"));
    });
}

#[test]
fn nothing_is_said_before_its_time_and_a_killed_turn_leaves_its_session() {
    cell(async {
        let rig = Rig::opencode("1.18.33");
        let part = Part { after: Some(Millis(10_000)), ..answer("never") };
        let child = rig.start(&first_turn(), part, Stdin::Null).await;
        rig.shell.clock().sleep(Duration::from_secs(5)).await;
        rig.machine.kill(child.pid);
        let ran = finish(child).await;
        assert_eq!((ran.stdout.as_str(), ran.code), ("", -9));
        let session = rig.sessions().into_keys().next().expect("a session has begun").replace(".jsonl", "");
        assert_eq!(rig.go_on(&session, "again", answer("now")).await.code, 0);
    });
}

#[test]
fn a_grandchild_keeps_standard_output_open_and_sigterm_can_be_ignored() {
    cell(async {
        let rig = Rig::opencode("1.18.33");
        let part = Part {
            grandchild: Some(Millis(30_500)),
            after: Some(Millis(10_000)),
            ignores_term: true,
            ..answer("hi")
        };
        let mut child = rig.start(&first_turn(), part, Stdin::Null).await;
        rig.shell.clock().sleep(Duration::from_secs(5)).await;
        rig.machine.send(child.pid, Signal::Terminate);
        child.wait().await.expect("it ends");
        assert_eq!(rig.machine.world().elapsed_ms(), 10_000, "SIGTERM was ignored");
        assert!(rest(child.stdout.take()).await.contains(r#""text":"hi""#));
        assert_eq!(rig.machine.world().elapsed_ms(), 30_500, "its output ends with the grandchild");
    });
}

#[test]
fn noise_comes_first_text_on_standard_error_last_and_the_code_is_the_parts() {
    cell(async {
        let rig = Rig::opencode("1.15.13");
        let part = Part {
            noise: vec!["a warning".to_owned()],
            stderr: Some("a last\nword".to_owned()),
            exit: Some(42),
            ..Part::default()
        };
        let ran = rig.say("x", part).await;
        assert!(ran.stdout.starts_with("a warning\n{\"type\":\"step_start\""), "{ran:?}");
        assert!(!ran.stdout.contains("\"type\":\"text\""), "no reply, no text: {ran:?}");
        assert!(ran.stderr.starts_with("Performing one time") && ran.stderr.ends_with("\na last\nword\n"));
        assert_eq!(ran.code, 42);
    });
}

#[test]
fn quirks_bite_on_its_lines_its_session_and_its_end() {
    let renamed = quirk("cli.line", json!({"replace": {"/type": "message"}}), json!({"/type": "text"}));
    let ran = cell(async { Rig::opencode_with("1.18.33", renamed).say("x", answer("hi")).await });
    assert!(ran.stdout.contains(r#"{"type":"message","timestamp""#), "{ran:?}");
    let lost = quirk("cli.resume", json!({"replace": {"/session": ""}}), json!({"/found": true}));
    cell(async {
        let rig = Rig::opencode_with("1.18.33", lost);
        let first = session_of(&rig.say("one", answer("1")).await.stdout);
        assert_ne!(session_of(&rig.go_on(&first, "two", answer("2")).await.stdout), first);
    });
    let code = quirk("cli.exit", json!({"replace": {"/code": 3}}), json!({"/code": 1}));
    let part = Part { failure: Some(Failure::Unauthorized), ..Part::default() };
    assert_eq!(cell(async { Rig::opencode_with("1.18.33", code).say("x", part).await.code }), 3);
}

#[test]
fn the_same_cell_prints_the_same_bytes() {
    let run = || cell(async { Rig::opencode("1.18.33").say("x", answer("hi")).await });
    assert_eq!(run(), run());
}
