//! The simulated codex as a process: standard input, files, children, signals, threads and quirks.
#![expect(clippy::disallowed_methods, reason = "a test reads a profile and has no host of its own")]

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_simulators::cli::profile::Profile;
use gauntlet_simulators::stage::{Failure, Part, Purpose};
use gauntlet_world::injection::Millis;
use gauntlet_world::injection::{Point, Quirk};
use gauntlet_world::process::{Signal, Stdin};
use gauntlet_world::touch::Op;
use serde_json::{Value, json};

use super::{VERSIONS, thread_of};
use crate::rig::{Rig, answer, cell, finish, repository, rest};

const FIRST: [&str; 6] = ["exec", "do it", "-s", "workspace-write", "--json", "--skip-git-repo-check"];

fn quirk(at: &str, deviation: Value, matches: Value) -> Vec<Quirk> {
    let quirk = json!({
        "id": "test", "title": "A quirk of a test.", "role": "cli", "at": at, "do": deviation,
        "when": { "matches": matches }, "violates": [], "seen_in": [],
    });
    vec![serde_json::from_value(quirk).expect("a good quirk")]
}

async fn pass(rig: &Rig, seconds: u64) {
    rig.shell.clock().sleep(Duration::from_secs(seconds)).await;
}

#[test]
fn a_held_standard_input_blocks_only_the_versions_that_read_it() {
    for version in VERSIONS {
        let reads = matches!(version, "0.135.0" | "0.169.0");
        cell(async {
            let rig = Rig::new(version);
            let child = rig.start(&FIRST, answer("hi"), Stdin::Held).await;
            pass(&rig, 600).await;
            let runs = rig.machine.running().iter().any(|(pid, ..)| *pid == child.pid);
            assert_eq!(runs, reads, "{version}");
            assert!(!rig.script.entered.borrow()[0].stdin_at_end, "{version}: the stage is told");
            rig.machine.send(child.pid, Signal::Kill);
            assert_eq!(
                finish(child).await.stdout.is_empty(),
                reads,
                "{version}: nothing is printed while it waits"
            );
        });
    }
}

#[test]
fn a_resumed_turn_does_not_read_standard_input() {
    cell(async {
        let rig = Rig::new("0.169.0");
        let thread = thread_of(&rig.turn("one", answer("1")).await.stdout);
        let args = ["exec", "resume", &thread, "two", "--json"];
        let child = rig.start(&args, answer("2"), Stdin::Held).await;
        let ran = finish(child).await;
        assert!(ran.code == 0 && ran.stdout.contains(r#""text":"2""#), "{ran:?}");
    });
}

#[test]
fn the_stage_is_told_what_was_asked_and_what_was_done() {
    cell(async {
        let rig = Rig::new("0.44.0");
        let probe = rig.run(&["--version"], Part::default()).await;
        assert_eq!((probe.stdout.as_str(), probe.code), ("codex-cli 0.44.0\n", 0));
        let turn = rig.turn("hello\nworld", answer("hi")).await;
        rig.resume("some-thread", "go on", answer("never used")).await;
        let purposes: Vec<Purpose> =
            rig.script.entered.borrow().iter().map(|invocation| invocation.purpose.clone()).collect();
        assert_eq!(purposes[0], Purpose::Probe);
        assert_eq!(purposes[1], Purpose::Turn { prompt: "hello\nworld".to_owned(), session: None });
        assert_eq!(purposes[2], Purpose::Refused("unexpected argument '--json' found".to_owned()));
        let endings = rig.script.left.borrow();
        assert_eq!(endings[1].session, Some(thread_of(&turn.stdout)));
        assert_eq!((endings[1].stdout.clone(), endings[1].code), (turn.stdout, 0));
        assert_eq!(endings[2].code, 2);
    });
}

#[test]
fn edits_are_on_disk_before_the_reply_is_printed() {
    cell(async {
        let rig = Rig::new("0.80.0");
        let edits = BTreeMap::from([("src/lib.rs".to_owned(), "pub fn one() {}".to_owned())]);
        let after = Some(Millis(5_000));
        rig.turn("add one()", Part { edits, after, ..answer("done") }).await;
        let written =
            rig.machine.disk().read(&rig.shell.cwd().join("src/lib.rs")).expect("the file is there");
        assert_eq!(written, b"pub fn one() {}");
        let log = rig.machine.world().log();
        let at = |wanted: &dyn Fn(Op, &str) -> bool| {
            log.iter().position(|touch| wanted(touch.op, &touch.target)).expect("it happened")
        };
        let written = at(&|op, target| op == Op::DiskWrite && target.ends_with("src/lib.rs"));
        let prints = |touches: &[gauntlet_world::touch::Touch]| {
            touches.iter().filter(|touch| touch.op == Op::ProcessPrint).count()
        };
        // thread.started and turn.started come before it; the answer and turn.completed after it.
        assert_eq!((prints(&log[..written]), prints(&log[written..])), (2, 2));
        assert!(log[written].at_ms >= 5_000, "not before the turn's time");
    });
}

#[test]
fn an_edit_outside_the_working_directory_fails_the_turn() {
    for name in ["../other/file", "/etc/passwd", ""] {
        cell(async {
            let rig = Rig::new("0.80.0");
            let edits = BTreeMap::from([(name.to_owned(), "x".to_owned())]);
            let ran = rig.turn("x", Part { edits, ..answer("done") }).await;
            assert!(ran.code == 1 && ran.stderr.contains("below the working directory"), "{name}: {ran:?}");
        });
    }
}

#[test]
fn a_grandchild_keeps_standard_output_open_after_the_end() {
    cell(async {
        let rig = Rig::new("0.135.0");
        let part = Part { grandchild: Some(Millis(30_500)), ..answer("hi") };
        let mut child = rig.start(&FIRST, part, Stdin::Null).await;
        let group = child.pid;
        child.wait().await.expect("it ends");
        assert_eq!(rig.machine.world().elapsed_ms(), 0, "the CLI itself ends at once");
        let running = rig.machine.running();
        assert_eq!(
            running.iter().map(|(_, name, group)| (name.as_str(), *group)).collect::<Vec<_>>(),
            [("sleep", group)]
        );
        let stdout = rest(child.stdout.take()).await;
        assert!(stdout.contains(r#""text":"hi""#));
        assert_eq!(rig.machine.world().elapsed_ms(), 30_500, "its output ends with the grandchild");
    });
}

#[test]
fn a_resumed_turn_goes_on_in_the_file_of_its_thread() {
    cell(async {
        let rig = Rig::new("0.169.0");
        let thread = thread_of(&rig.turn("one", answer("first")).await.stdout);
        rig.resume(&thread, "two", answer("second")).await;
        let threads = rig.threads();
        assert_eq!(threads.keys().cloned().collect::<Vec<_>>(), [format!("{thread}.jsonl")]);
        let turns: Vec<Value> = threads
            .values()
            .flat_map(|content| content.lines())
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(turns[0], json!({"prompt": "one", "reply": "first", "calls": 1}));
        assert_eq!(turns[1], json!({"prompt": "two", "reply": "second", "calls": 1}));
    });
}

#[test]
fn an_id_that_names_another_place_is_an_unknown_thread() {
    cell(async {
        let ran = Rig::new("0.135.0").resume("../../secret", "go on", answer("x")).await;
        assert!(
            ran.code == 1 && ran.stderr.contains("no rollout found for thread id ../../secret"),
            "{ran:?}"
        );
    });
}

#[test]
fn an_ephemeral_thread_leaves_no_file() {
    cell(async {
        let rig = Rig::new("0.135.0");
        let ran = rig.run(&["exec", "one", "--json", "--ephemeral"], answer("first")).await;
        assert_eq!((ran.code, rig.threads().len()), (0, 0));
    });
}

#[test]
fn a_quirk_that_omits_a_line_omits_exactly_that_line() {
    let stdout =
        |quirks| cell(async { Rig::with_quirks("0.80.0", quirks).turn("x", answer("hi")).await.stdout });
    let plain: String = stdout(Vec::new());
    let omitted = stdout(quirk("cli.line", json!("omit"), json!({"/type": "turn.started"})));
    let expected: Vec<&str> = plain.lines().filter(|line| !line.contains("turn.started")).collect();
    assert_eq!(plain.lines().count(), expected.len() + 1);
    assert_eq!(omitted.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_truncated_line_does_not_take_the_next_one_with_it() {
    let quirks = quirk("cli.line", json!({"truncate": 20}), json!({"/type": "item.completed"}));
    let ran = cell(async { Rig::with_quirks("0.80.0", quirks).turn("x", answer("hi")).await });
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[2], r#"{"type":"item.comple"#);
    assert!(lines[3].starts_with(r#"{"type":"turn.completed""#));
}

#[test]
fn a_line_held_back_is_printed_after_the_next_or_at_the_end() {
    let at = |kind: &str| {
        let quirks = quirk("cli.line", json!("reorder"), json!({"/type": kind}));
        cell(async { Rig::with_quirks("0.80.0", quirks).turn("x", answer("hi")).await.stdout })
    };
    let kinds = |stdout: String| -> Vec<String> {
        let kind = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["type"].to_string();
        stdout.lines().map(kind).collect()
    };
    assert_eq!(kinds(at("turn.started"))[1..3], ["\"item.completed\"", "\"turn.started\""]);
    assert_eq!(kinds(at("turn.completed")).len(), 4, "the last line is not lost");
}

#[test]
fn a_quirk_can_end_the_process_before_a_line_and_change_its_code() {
    let quirks = quirk("cli.line", json!({"exit": 7}), json!({"/type": "item.completed"}));
    let ran = cell(async { Rig::with_quirks("0.80.0", quirks).turn("x", answer("hi")).await });
    assert_eq!((ran.stdout.lines().count(), ran.code), (2, 7));
    let quirks = quirk("cli.exit", json!({"replace": {"/code": 3}}), json!({}));
    let ran = cell(async { Rig::with_quirks("0.80.0", quirks).turn("x", answer("hi")).await });
    assert_eq!((ran.stdout.lines().count(), ran.code), (4, 3));
}

#[test]
fn a_quirk_can_lose_the_thread_of_a_resumed_turn() {
    for (deviation, code) in [
        (json!({"replace": {"/session": null}}), 0),
        (json!("omit"), 0),
        (json!({"replace": {"/found": false}}), 1),
    ] {
        cell(async {
            let rig = Rig::with_quirks("0.169.0", quirk("cli.resume", deviation, json!({})));
            let first = thread_of(&rig.turn("one", answer("first")).await.stdout);
            let second = rig.resume(&first, "two", answer("second")).await;
            assert_eq!(second.code, code);
            let points = rig.injector.log();
            let looked_up =
                points.iter().find(|(point, _)| *point == Point::CliResume).map(|(_, event)| event);
            assert_eq!(looked_up, Some(&json!({"session": first, "found": true})));
            if code == 0 {
                assert_ne!(thread_of(&second.stdout), first, "it goes on in another thread");
                assert!(second.stdout.contains(r#""input_tokens":10,"#), "which knows nothing of the first");
            }
        });
    }
}

#[test]
fn a_process_killed_in_the_middle_leaves_no_reply() {
    cell(async {
        let rig = Rig::new("0.135.0");
        let part = Part { after: Some(Millis(10_000)), ..answer("never") };
        let child = rig.start(&FIRST, part, Stdin::Null).await;
        pass(&rig, 5).await;
        rig.machine.kill(child.pid);
        let ran = finish(child).await;
        assert_eq!((ran.stdout.lines().count(), ran.code), (2, -9));
        assert!(rig.script.left.borrow().is_empty(), "it can say nothing any more");
        let thread = thread_of(&ran.stdout);
        assert_eq!(rig.threads().get(&format!("{thread}.jsonl")).map(String::as_str), Some(""));
        let resumed = rig.resume(&thread, "again", answer("now")).await;
        assert!(resumed.code == 0 && thread_of(&resumed.stdout) == thread, "the thread itself lives on");
    });
}

#[test]
fn sigterm_ends_a_turn_unless_its_part_ignores_it() {
    for (ignores_term, code) in [(false, -15), (true, 0)] {
        cell(async {
            let rig = Rig::new("0.80.0");
            let part = Part { after: Some(Millis(10_000)), ignores_term, ..answer("hi") };
            let child = rig.start(&FIRST, part, Stdin::Null).await;
            pass(&rig, 5).await;
            rig.machine.send(child.pid, Signal::Terminate);
            let ran = finish(child).await;
            assert_eq!((ran.code, ran.stdout.contains(r#""text":"hi""#)), (code, ignores_term));
        });
    }
}

#[test]
fn one_that_ignores_sigterm_still_ends_on_an_interrupt() {
    cell(async {
        let rig = Rig::new("0.80.0");
        let part = Part { after: Some(Millis(10_000)), ignores_term: true, ..answer("hi") };
        let child = rig.start(&FIRST, part, Stdin::Null).await;
        pass(&rig, 5).await;
        rig.machine.send(child.pid, Signal::Interrupt);
        assert_eq!(finish(child).await.code, 130);
    });
}

#[test]
fn noise_comes_first_text_on_standard_error_last_and_the_code_is_the_parts() {
    cell(async {
        let rig = Rig::new("0.135.0");
        let part = Part {
            noise: vec!["npm warn something".to_owned(), "{not json".to_owned()],
            stderr: Some("a last\nword".to_owned()),
            exit: Some(42),
            ..Part::default()
        };
        let ran = rig.turn("x", part).await;
        let lines: Vec<&str> = ran.stdout.lines().collect();
        assert_eq!(lines[..2], ["npm warn something", "{not json"]);
        assert!(lines[2].contains("thread.started") && !ran.stdout.contains("agent_message"), "{ran:?}");
        assert!(ran.stderr.ends_with("\na last\nword\n") && ran.code == 42, "{ran:?}");
    });
}

#[test]
fn a_failed_turn_counts_in_its_thread_without_a_reply() {
    cell(async {
        let rig = Rig::new("0.80.0");
        let part = Part { failure: Some(Failure::Cut), ..answer("never") };
        let ran = rig.turn("one", part).await;
        let thread = thread_of(&ran.stdout);
        let file = rig.threads().remove(&format!("{thread}.jsonl")).expect("the thread has a file");
        assert_eq!(file, "{\"prompt\":\"one\",\"reply\":null,\"calls\":0}\n");
    });
}

#[test]
fn the_same_cell_prints_the_same_bytes() {
    let run = || {
        cell(async {
            Rig::new("0.36.0").turn("x", Part { failure: Some(Failure::NoProvider), ..answer("") }).await
        })
    };
    assert_eq!(run(), run());
}

#[test]
fn a_mistake_in_a_profile_is_reported_with_its_place() {
    let path = repository("scenarios/profiles/codex-0.80.0.yaml");
    let good = std::fs::read_to_string(path).expect("the profile is there");
    for (right, wrong, expected) in [
        ("{thread}", "{thraed}", "unknown slot {thraed}"),
        ("unknown_thread: start_new", "unknown_thread: start_now", "start_now"),
        ("  model: mock-1", "  modle: mock-1", "modle"),
    ] {
        let bad = good.replacen(right, wrong, 1);
        let line = bad.lines().position(|line| line.contains(wrong)).expect("it was changed") + 1;
        let error = serde_saphyr::from_str::<Profile>(&bad).expect_err("a mistake").to_string();
        assert!(error.contains(expected) && error.contains(&format!("line {line}")), "{error}");
    }
}
