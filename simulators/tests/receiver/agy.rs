//! The receiver in front of a CLI that prints its whole conversation each time, and names it in a file alone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::path::Path;
use std::rc::Rc;

use gauntlet_protocol::agy::MODE as AGY;
use gauntlet_world::Host;
use gauntlet_world::simulated::program;
use serde_json::{Value, json};

use crate::rig::{FOLDER, Rig, config, run_as, seconds};

const CACHE: &str = "/home/.gemini/antigravity-cli/cache/last_conversations.json";

/// What the CLI does in one turn.
#[derive(Clone, Default)]
struct Turn {
    stdout: &'static [u8],
    stderr: &'static str,
    code: i32,
    /// What it leaves in its file; nothing: it leaves that as it is.
    cache: Option<&'static str>,
    after: f64,
}

fn turn(stdout: &'static str, cache: &'static str) -> Turn {
    Turn { stdout: stdout.as_bytes(), cache: Some(cache), ..Turn::default() }
}

type Runs = Rc<RefCell<Vec<Vec<String>>>>;

/// A rig whose CLI does these turns in this order, and what it was called with but for probes.
fn install(rig: &Rig, turns: Vec<Turn>) -> Runs {
    let (turns, runs) = (Rc::new(RefCell::new(VecDeque::from(turns))), Runs::default());
    let seen = runs.clone();
    let cli = program(move |host: Host| {
        let (turns, seen) = (turns.clone(), seen.clone());
        async move {
            if host.args() == ["--help"] {
                return 0;
            }
            seen.borrow_mut().push(host.args().to_vec());
            let turn = turns.borrow_mut().pop_front().unwrap_or_default();
            host.clock().sleep(seconds(turn.after)).await;
            if let Some(cache) = turn.cache {
                host.disk().make_dir(Path::new(CACHE).parent().expect("a folder")).await.expect("a home");
                host.disk().write(CACHE, cache.as_bytes()).await.expect("a home");
            }
            let _ = host.processes().print(turn.stdout).await;
            let _ = host.processes().print_error(turn.stderr.as_bytes()).await;
            turn.code
        }
    });
    rig.machine.install(Path::new("/bin/agy"), "agy", cli).expect("the CLI can be installed");
    runs
}

fn agy<R: Future<Output = ()>>(further: Value, body: impl FnOnce(Rig) -> R) {
    run_as(&AGY, config(further).to_string().as_bytes(), body);
}

fn entry(rig: &Rig, context: &str) -> Value {
    let map = rig.file("a2a-agy-sessions.json").unwrap_or_else(|| "{}".to_owned());
    serde_json::from_str::<Value>(&map).expect("a map is JSON")[context].clone()
}

async fn replies(rig: &Rig, context: &str, texts: &[&str]) -> Vec<String> {
    let before = rig.calls().len();
    for (number, text) in texts.iter().enumerate() {
        assert!(rig.dispatch(context, text).await, "{text} is acknowledged");
        rig.callbacks(before + number + 1).await;
    }
    rig.calls()[before..].iter().map(|call| call.text.clone()).collect()
}

#[test]
fn a_conversation_is_found_by_the_configured_path_before_the_one_without_links() {
    for (cache, found) in [
        (r#"{"/repo/here": "by-path", "/repo": "by-real-path"}"#, json!("by-path")),
        (r#"{"/repo/here/": "no", "/repo": "by-real-path"}"#, json!("by-real-path")),
        (r#"{"/repo/here": " ", "/repo": " by-real-path\n"}"#, json!("by-real-path")),
        (r#"{"/repo/here": 7, "/": "no"}"#, Value::Null),
        (r#"[{"/repo": "no"}]"#, Value::Null),
        ("", Value::Null),
    ] {
        agy(json!({ "repo_path": "/repo/here" }), async |rig| {
            rig.machine.disk_mut(|disk| disk.link(Path::new("."), Path::new("/repo/here"))).expect("a link");
            install(&rig, vec![turn("PONG\n", cache)]);
            rig.start().await;
            assert_eq!(replies(&rig, "c", &["x"]).await, ["PONG"]);
            assert_eq!(entry(&rig, "c")["conversation_id"], found, "{cache}");
        });
    }
}

#[test]
fn a_conversation_that_was_named_before_the_turn_is_not_the_one_that_it_began() {
    agy(json!({}), async |rig| {
        let cache = r#"{"/repo": "u1"}"#;
        let turns = vec![turn("one\n", cache), turn("two\n", cache), turn("one\nthree\n", cache)];
        let runs = install(&rig, turns);
        rig.start().await;
        assert_eq!(replies(&rig, "a", &["1"]).await, ["one"]);
        assert_eq!(replies(&rig, "b", &["2"]).await, ["two"]);
        assert_eq!(entry(&rig, "b"), Value::Null, "it is another context's");
        assert_eq!(replies(&rig, "a", &["3"]).await, ["three"]);
        assert_eq!(runs.borrow()[2][..2], ["--conversation", "u1"]);
        assert_eq!(entry(&rig, "a")["last_stdout"], "one\nthree\n");
    });
}

#[test]
fn a_dead_conversation_is_forgotten_in_the_same_turn_and_nothing_is_run_again() {
    let gone = "Warning: conversation \"u1\" not found.\nfresh\n";
    for (cache, kept) in
        [(r#"{"/repo": "u2"}"#, json!("u2")), (r#"{"/repo": "u1"}"#, Value::Null), ("{}", Value::Null)]
    {
        agy(json!({}), async |rig| {
            let runs = install(&rig, vec![turn("one\n", r#"{"/repo": "u1"}"#), turn(gone, cache)]);
            rig.start().await;
            assert_eq!(replies(&rig, "c", &["1", "2"]).await, ["one", "fresh"]);
            assert_eq!(runs.borrow().len(), 2);
            assert_eq!(entry(&rig, "c")["conversation_id"], kept, "{cache}");
            if !kept.is_null() {
                assert_eq!(entry(&rig, "c")["last_stdout"], "fresh\n", "without the warning");
            }
        });
    }
}

#[test]
fn after_a_warning_without_a_word_nobody_is_signed_in_and_the_dead_conversation_is_gone() {
    agy(json!({}), async |rig| {
        let gone = turn("Warning: conversation \"u1\" not found.\n", r#"{"/repo": "u2"}"#);
        install(&rig, vec![turn("one\n", r#"{"/repo": "u1"}"#), gone]);
        rig.start().await;
        let said = replies(&rig, "c", &["1", "2"]).await;
        assert_eq!(Some(&said[1]), AGY.signed_out_text().as_ref());
        assert_eq!(entry(&rig, "c"), Value::Null);
    });
}

#[test]
fn a_drift_is_marked_with_its_time_and_a_fit_takes_the_mark_away() {
    agy(json!({}), async |rig| {
        let cache = r#"{"/repo": "u1"}"#;
        let turns = [turn("one\n", cache), turn("ONE\ntwo\n", cache), turn("ONE\ntwo\n\nthree\n", cache)];
        install(&rig, turns.to_vec());
        rig.start().await;
        assert_eq!(replies(&rig, "c", &["1", "2"]).await, ["one", "ONE\ntwo"]);
        let drifted = entry(&rig, "c");
        assert_eq!(drifted["prefix_drifted"], true);
        assert_eq!(drifted["drifted_at"], drifted["updated_at"]);
        assert_eq!(replies(&rig, "c", &["3"]).await, ["three"]);
        let clean = entry(&rig, "c");
        assert_eq!((&clean["prefix_drifted"], clean.get("drifted_at")), (&json!(false), None));
    });
}

#[test]
fn first_turns_wait_for_each_other_and_a_later_turn_waits_for_nobody() {
    agy(json!({ "poll_interval_s": 0.1 }), async |rig| {
        let slow = |cache| Turn { after: 10.0, ..turn("x\n", cache) };
        let again = turn("one\ntwo\n", r#"{"/repo": "u1"}"#);
        let turns = [
            turn("one\n", r#"{"/repo": "u1"}"#),
            slow(r#"{"/repo": "u2"}"#),
            again,
            slow(r#"{"/repo": "u3"}"#),
        ];
        let runs = install(&rig, turns.to_vec());
        rig.start().await;
        replies(&rig, "a", &["1"]).await;
        for context in ["b", "c"] {
            rig.dispatch(context, "x").await;
        }
        rig.pass(1.0).await;
        assert_eq!(runs.borrow().len(), 2, "c waits for b");
        assert_eq!(replies(&rig, "a", &["2"]).await, ["two"]);
        assert_eq!(rig.running("agy").len(), 1, "b is still at work");
        rig.callbacks(4).await;
        let known = ["a", "b", "c"].map(|context| entry(&rig, context)["conversation_id"].clone());
        assert_eq!(known, [json!("u1"), json!("u2"), json!("u3")]);
    });
}

#[test]
fn a_turn_that_waited_to_begin_when_the_receiver_was_killed_is_run_by_the_next_one() {
    agy(json!({ "poll_interval_s": 0.1 }), async |rig| {
        let slow = Turn { after: 10.0, ..turn("b\n", r#"{"/repo": "u1"}"#) };
        let runs = install(&rig, vec![slow, turn("c\n", r#"{"/repo": "u2"}"#)]);
        let (pid, _) = rig.start().await;
        for context in ["b", "c"] {
            rig.dispatch(context, "x").await;
        }
        rig.pass(1.0).await;
        assert_eq!(runs.borrow().len(), 1, "c waits for b");
        rig.machine.kill(pid);
        rig.start().await;
        let calls = rig.callbacks(2).await;
        let said =
            |context| calls.iter().find(|call| call.context == context).expect("it is answered").text.clone();
        assert!(said("b").starts_with("[interrupted]"), "{calls:?}");
        assert_eq!(said("c"), "c");
        assert_eq!(runs.borrow().len(), 2);
    });
}

#[test]
fn a_turn_that_hangs_is_ended_a_minute_after_its_own_limit() {
    agy(json!({ "agy_timeout_s": 29.5 }), async |rig| {
        let runs = install(&rig, vec![Turn { after: 1000.0, ..Turn::default() }]);
        rig.start().await;
        let said = replies(&rig, "c", &["x"]).await;
        assert!(
            said[0].starts_with("[error] agy turn timed out after 30s (agy not authenticated"),
            "{said:?}"
        );
        let ended = rig.calls()[0].at_ms;
        assert!((90_000..95_000).contains(&ended), "{ended}");
        assert!(runs.borrow()[0].windows(2).any(|pair| pair == ["--print-timeout", "30s"]));
        assert_eq!(entry(&rig, "c"), Value::Null);
    });
}

#[test]
fn output_that_is_no_text_is_no_reason_to_lose_it() {
    agy(json!({}), async |rig| {
        let torn = Turn { stdout: b"na\xffve \xc3", ..turn("", r#"{"/repo": "u1"}"#) };
        install(&rig, vec![torn]);
        rig.start().await;
        assert_eq!(replies(&rig, "c", &["x"]).await, ["na\u{fffd}ve"]);
    });
}

#[test]
fn the_probe_asks_for_help_and_the_files_are_its_own() {
    agy(json!({}), async |rig| {
        let runs = install(&rig, vec![turn("PONG\n", "{}")]);
        rig.start().await;
        assert!(!rig.log().contains("probe"), "{}", rig.log());
        assert_eq!(replies(&rig, "c", &["x"]).await, ["PONG"]);
        assert_eq!(runs.borrow().len(), 1, "the probe is no turn");
        for file in
            ["a2a-agy-inbox.jsonl", "a2a-agy-transcript.jsonl", "a2a-agy-inbox.offset", "agy_receiver.pid"]
        {
            assert!(rig.file(file).is_some(), "{FOLDER}/{file}");
        }
    });
}
