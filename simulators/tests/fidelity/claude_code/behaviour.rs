//! The simulated Claude Code as a process: sessions across processes, files, signals, and what it tells the stage.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_simulators::stage::{Part, Purpose, ShellCommand};
use gauntlet_world::injection::{Millis, Quirk};
use gauntlet_world::process::{Signal, Stdin};
use serde_json::{Value, json};

use super::{ID, line};
use crate::rig::{Rig, answer, cell, finish, rest};

fn result(stdout: &str) -> Value {
    serde_json::from_str(stdout.lines().last().expect("a frame")).expect("a frame is JSON")
}

#[test]
fn the_stage_is_told_what_was_asked_and_what_was_done() {
    cell(async {
        let rig = Rig::claude("2.0.0");
        rig.run(&["--version"], Part::default()).await;
        let turn = rig.claude_turn("--session-id", ID, answer("hi")).await;
        rig.claude_turn("--resume", ID, answer("again")).await;
        rig.run(&["-p", "x", "--bare"], Part::default()).await;
        let purposes: Vec<Purpose> =
            rig.script.entered.borrow().iter().map(|entered| entered.purpose.clone()).collect();
        let turn_of = |session: Option<&str>| Purpose::Turn {
            prompt: "do it".to_owned(),
            session: session.map(str::to_owned),
        };
        let refused = Purpose::Refused("unknown option '--bare'".to_owned());
        assert_eq!(purposes, [Purpose::Probe, turn_of(None), turn_of(Some(ID)), refused]);
        let endings = rig.script.left.borrow();
        assert_eq!(endings[1].session.as_deref(), Some(ID));
        assert_eq!((endings[1].stdout.clone(), endings[1].code), (turn.stdout, 0));
    });
}

#[test]
fn a_session_goes_on_in_its_file_below_the_project_and_can_be_begun_once() {
    cell(async {
        let rig = Rig::claude("1.0.128");
        rig.claude_turn("--session-id", ID, answer("first")).await;
        assert_eq!(rig.claude_turn("--session-id", ID, answer("x")).await.code, 1);
        assert_eq!(rig.claude_turn("--resume", ID, answer("second")).await.code, 0);
        let expected = "{\"prompt\":\"do it\",\"reply\":\"first\",\"calls\":1}\n{\"prompt\":\"do it\",\"reply\":\"second\",\"calls\":1}\n";
        let files = rig.files_below(".claude/projects/-scratch-repo");
        assert_eq!(files, BTreeMap::from([(format!("{ID}.jsonl"), expected.to_owned())]));
    });
}

#[test]
fn a_killed_turn_leaves_its_session() {
    cell(async {
        let rig = Rig::claude("2.1.330");
        let part = Part { after: Some(Millis(10_000)), ..answer("never") };
        let child = rig.start(&line("--session-id", ID), part, Stdin::Null).await;
        rig.shell.clock().sleep(Duration::from_secs(5)).await;
        rig.machine.kill(child.pid);
        let ran = finish(child).await;
        assert_eq!((ran.stdout.lines().count(), ran.code), (1, -9), "only the init frame was printed");
        assert_eq!(rig.claude_turn("--resume", ID, answer("now")).await.code, 0);
    });
}

#[test]
fn an_id_that_names_another_place_is_an_unknown_session() {
    cell(async {
        let ran = Rig::claude("2.0.0").claude_turn("--resume", "../../secret", answer("x")).await;
        assert!(ran.code == 1 && ran.stderr.starts_with("No conversation found"), "{ran:?}");
    });
}

#[test]
fn edits_commands_noise_and_codes_are_the_parts() {
    cell(async {
        let rig = Rig::claude("2.1.330");
        let part = Part {
            edits: BTreeMap::from([("src/lib.rs".to_owned(), "pub fn one() {}".to_owned())]),
            commands: vec![ShellCommand {
                command: "ls".to_owned(),
                output: "a".to_owned(),
                exit: 2,
                after: None,
                run: false,
            }],
            noise: vec!["warming up".to_owned()],
            stderr: Some("careful".to_owned()),
            exit: Some(5),
            ..answer("done")
        };
        let ran = rig.claude_turn("--session-id", ID, part).await;
        assert!(
            ran.stdout.starts_with("warming up\n") && ran.stderr == "careful\n" && ran.code == 5,
            "{ran:?}"
        );
        assert!(ran.stdout.contains(r#""is_error":true"#), "the command failed");
        assert_eq!(
            (&result(&ran.stdout)["num_turns"], &result(&ran.stdout)["result"]),
            (&json!(2), &json!("done"))
        );
        let written = rig.machine.disk().read(&rig.shell.cwd().join("src/lib.rs"));
        assert_eq!(written.expect("the file is there"), b"pub fn one() {}");
    });
}

#[test]
fn a_grandchild_keeps_standard_output_open_and_sigterm_can_be_ignored() {
    cell(async {
        let rig = Rig::claude("2.0.0");
        let part = Part {
            grandchild: Some(Millis(30_500)),
            after: Some(Millis(10_000)),
            ignores_term: true,
            ..answer("hi")
        };
        let mut child = rig.start(&line("--session-id", ID), part, Stdin::Null).await;
        rig.shell.clock().sleep(Duration::from_secs(5)).await;
        rig.machine.send(child.pid, Signal::Terminate);
        child.wait().await.expect("it ends");
        assert_eq!(rig.machine.world().elapsed_ms(), 10_000, "SIGTERM was ignored");
        let stdout = rest(child.stdout.take()).await;
        assert_eq!(result(&stdout)["duration_ms"], 10_000);
        assert_eq!(rig.machine.world().elapsed_ms(), 30_500, "its output ends with the grandchild");
    });
}

#[test]
fn a_quirk_reaches_the_frames_and_the_lookup_of_a_session() {
    let quirk = |at: &str, deviation: Value, matches: Value| -> Vec<Quirk> {
        let quirk = json!({
            "id": "test", "title": "A quirk of a test.", "role": "cli", "at": at, "do": deviation,
            "when": { "matches": matches }, "violates": [], "seen_in": [],
        });
        vec![serde_json::from_value(quirk).expect("a good quirk")]
    };
    cell(async {
        let renamed =
            quirk("cli.line", json!({ "replace": { "/type": "end" } }), json!({ "/type": "result" }));
        let ran = Rig::claude_with("2.0.0", renamed).claude_turn("--session-id", ID, answer("hi")).await;
        assert_eq!(result(&ran.stdout)["type"], "end");
        let lost = quirk("cli.resume", json!({ "replace": { "/session": "" } }), json!({ "/found": true }));
        let rig = Rig::claude_with("2.0.0", lost);
        rig.claude_turn("--session-id", ID, answer("first")).await;
        let second = rig.claude_turn("--resume", ID, answer("second")).await;
        assert!(second.code == 0 && result(&second.stdout)["session_id"] != ID, "{second:?}");
    });
}
