//! The order of turns, their caps, sessions, callbacks, and what is found in the files at a start.

use gauntlet_world::WorldSettings;
use gauntlet_world::fault::{Errno, Happening, Moment, Rule};
use gauntlet_world::simulated::Exploration;
use gauntlet_world::touch::Op;
use serde_json::{Value, json};

use crate::rig::{Play, Rig, config, run, run_with, seconds};

const INBOX: &str = "a2a-codex-inbox.jsonl";
const JOURNAL: &str = "a2a-codex-turns.jsonl";
const OFFSET: &str = "a2a-codex-inbox.offset";

fn line(context: &str, text: &str) -> String {
    format!("{}\n", json!({ "ts": "", "from": "hermes", "contextId": context, "text": text }))
}

#[test]
fn turns_of_one_context_run_one_after_the_other_in_order() {
    for seed in 0..20 {
        let exploration = if seed == 0 { Exploration::Off } else { Exploration::Shake };
        let settings = WorldSettings { seed: [seed; 32], exploration, ..WorldSettings::default() };
        run_with(settings, config(json!({})).to_string().as_bytes(), async |rig: Rig| {
            rig.start().await;
            for text in ["one", "two", "three", "four"] {
                assert!(rig.dispatch("c", text).await);
            }
            rig.callbacks(4).await;
            let runs = rig.runs();
            for (run, text) in runs.iter().zip(["one", "two", "three", "four"]) {
                assert!(run.is_about(text), "seed {seed}: {runs:?}");
            }
            assert!(runs.windows(2).all(|pair| pair[0].ended_ms.is_some_and(|end| end <= pair[1].began_ms)));
        });
    }
}

#[test]
fn contexts_run_side_by_side_up_to_the_number_of_slots_and_the_longest_waiting_comes_next() {
    run(&config(json!({ "max_concurrent_turns": 2 })), async |rig: Rig| {
        rig.start().await;
        for (context, after) in [("a", 10.0), ("b", 20.0), ("c", 10.0), ("d", 10.0), ("e", 10.0)] {
            rig.play(Play { after, ..Play::default() });
            rig.dispatch(context, context).await;
        }
        rig.callbacks(5).await;
        let runs = rig.runs();
        let order: Vec<usize> = ["a", "b", "c", "d", "e"]
            .iter()
            .filter_map(|text| runs.iter().position(|run| run.is_about(&format!("\n{text}"))))
            .collect();
        assert_eq!(order, [0, 1, 2, 3, 4], "{runs:?}");
        for run in &runs {
            let beside = runs.iter().filter(|other| {
                other.began_ms <= run.began_ms && other.ended_ms.is_none_or(|end| end > run.began_ms)
            });
            assert!(beside.count() <= 2, "{runs:?}");
        }
    });
}

#[test]
fn turns_behind_a_busy_context_hold_no_slots() {
    run(&config(json!({})), async |rig: Rig| {
        rig.start().await;
        rig.play(Play { after: 60.0, ..Play::default() });
        for _ in 0..4 {
            rig.dispatch("busy", "x").await;
        }
        rig.pass(5.0).await;
        rig.dispatch("other", "y").await;
        let first = &rig.callbacks(1).await[0];
        assert_eq!(first.context, "other");
    });
}

#[test]
fn who_waits_too_long_for_a_context_or_a_slot_is_told_so_once() {
    run(&config(json!({ "context_lock_wait_s": 5, "max_concurrent_turns": 1 })), async |rig: Rig| {
        rig.start().await;
        rig.play(Play { after: 60.0, ..Play::default() });
        for context in ["c", "c", "d"] {
            rig.dispatch(context, "x").await;
        }
        let calls = rig.callbacks(3).await;
        assert!(calls[..2].iter().all(|call| call.text.starts_with("[busy]")), "{calls:?}");
        assert_eq!(rig.runs().len(), 1);
        assert_eq!((rig.endings("c").len(), rig.endings("d").len()), (2, 1));
        assert_eq!(rig.ids("c").len(), 2);
    });
}

#[test]
fn at_its_cap_a_turn_is_killed_with_everything_that_it_started() {
    run(&config(json!({ "codex_timeout_s": 30 })), async |rig: Rig| {
        rig.start().await;
        rig.play(Play { after: 1000.0, ignores_term: true, grandchild: Some(1000.0), ..Play::default() });
        rig.dispatch("c", "x").await;
        let calls = rig.callbacks(1).await;
        assert!((30_000..40_000).contains(&calls[0].at_ms), "{calls:?}");
        assert!(calls[0].text.contains("30"), "{calls:?}");
        assert_eq!((rig.running("codex"), rig.running("sleep")), (vec![], vec![]));
    });
}

#[test]
fn a_grandchild_that_holds_the_output_open_does_not_hold_the_reply() {
    run(&config(json!({})), async |rig: Rig| {
        rig.start().await;
        rig.play(Play { grandchild: Some(250.0), ..Play::default() });
        rig.dispatch("c", "x").await;
        let calls = rig.callbacks(1).await;
        assert!(calls[0].text == "done" && calls[0].at_ms < 15_000, "{calls:?}");
        assert_eq!(rig.running("sleep"), vec![]);
    });
}

#[test]
fn a_session_goes_on_and_a_dead_one_is_replaced_once() {
    run(&config(json!({})), async |rig: Rig| {
        rig.start().await;
        rig.dispatch("c", "one").await;
        rig.callbacks(1).await;
        let dead = Play {
            reply: None,
            stderr: "no rollout found for thread id thread-0",
            code: 1,
            ..Play::default()
        };
        rig.play(dead.clone());
        rig.play(dead);
        rig.dispatch("c", "two").await;
        rig.callbacks(2).await;
        let runs = rig.runs();
        assert_eq!(runs.len(), 3, "{runs:?}");
        assert_eq!(runs[1].args[..3], ["exec", "resume", "thread-0"]);
        assert_eq!(runs[2].args[0], "exec");
        assert_ne!(runs[2].args[1], "resume");
    });
}

#[test]
fn a_session_map_that_cannot_be_read_for_a_moment_is_not_emptied() {
    run(&config(json!({})), async |rig: Rig| {
        rig.start().await;
        rig.dispatch("a", "one").await;
        rig.callbacks(1).await;
        for nth in [1, 2] {
            rig.world.arm(Rule {
                host: "receiver".to_owned(),
                at: Op::DiskRead,
                target: Some("a2a-codex-sessions.json".to_owned()),
                nth,
                moment: Moment::Before,
                happening: Happening::Fail(Errno::Io),
            });
        }
        rig.dispatch("b", "two").await;
        rig.callbacks(2).await;
        let map: Value =
            serde_json::from_str(&rig.file("a2a-codex-sessions.json").expect("a map")).expect("JSON");
        assert_eq!(map["a"]["thread_id"], "thread-0", "{map}");
    });
}

#[test]
fn a_callback_is_tried_three_times_with_one_id_and_then_given_up() {
    for (answers, count) in [(&[500, 200][..], 2), (&[500, 404, 301], 3), (&[], 1)] {
        run(&config(json!({})), async |rig: Rig| {
            rig.start().await;
            rig.hermes_answers(answers);
            rig.dispatch("c", "x").await;
            rig.pass(300.0).await;
            let calls = rig.calls();
            assert_eq!((calls.len(), rig.ids("c").len()), (count, 1), "{answers:?}: {calls:?}");
            assert_eq!(rig.endings("c"), ["done"]);
        });
    }
}

#[test]
fn ids_of_callbacks_stay_different_when_the_clock_goes_backwards_and_across_restarts() {
    run(&config(json!({})), async |rig: Rig| {
        let (mut pid, _) = rig.start().await;
        for round in 0..4 {
            for context in ["a", "b", "c"] {
                rig.dispatch(context, "x").await;
            }
            rig.callbacks((round + 1) * 3).await;
            rig.pass(1.0).await;
            rig.machine.jump(-3_600_000);
            rig.machine.kill(pid);
            pid = rig.start().await.0;
        }
        let ids: std::collections::BTreeSet<String> = rig.calls().into_iter().map(|call| call.id).collect();
        assert_eq!(ids.len(), 12);
    });
}

#[test]
fn lines_that_are_none_are_passed_over_and_those_without_a_context_get_one() {
    run(&config(json!({})), async |rig: Rig| {
        let foreign = r#"{"from": "somebody", "text": "no"}"#;
        let anonymous = r#"{"from": "hermes", "text": "yes"}"#;
        rig.put(INBOX, &format!("\nnot json\n[]\n{foreign}\n{anonymous}\n"));
        rig.start().await;
        let calls = rig.callbacks(1).await;
        assert!(calls[0].context.starts_with("anon-"));
        assert!(rig.runs()[0].is_about("yes"));
        assert_eq!(rig.file(OFFSET).as_deref(), Some("5"));
    });
}

#[test]
fn a_torn_tail_of_the_inbox_swallows_nothing() {
    for tail in
        ["{\"from\": \"her", "\u{fffd}", "{\"from\": \"hermes\", \"contextId\": \"t\", \"text\": \"torn\"}"]
    {
        run(&config(json!({})), async |rig: Rig| {
            rig.put(INBOX, tail);
            rig.start().await;
            assert!(rig.dispatch("c", "whole").await);
            rig.pass(30.0).await;
            assert_eq!(rig.runs().iter().filter(|run| run.is_about("whole")).count(), 1, "{tail}");
            assert!(rig.runs().iter().filter(|run| run.is_about("torn")).count() <= 1, "{tail}");
        });
    }
}

#[test]
fn what_is_left_of_a_write_that_failed_is_never_run() {
    // Everything of the line came to the disk but its end, and the sender was told that it failed.
    for at in [Op::DiskAppend, Op::DiskSync] {
        run(&config(json!({})), async |rig: Rig| {
            let (pid, _) = rig.start().await;
            rig.world.arm(Rule {
                host: "receiver".to_owned(),
                at,
                target: Some(INBOX.to_owned()),
                nth: 1,
                moment: Moment::Before,
                happening: Happening::Torn(Errno::NoSpace),
            });
            assert!(!rig.dispatch("c", "refused").await);
            assert!(rig.dispatch("c", "taken").await);
            rig.pass(30.0).await;
            rig.machine.kill(pid);
            rig.start().await;
            rig.pass(30.0).await;
            let texts: Vec<bool> = rig.runs().iter().map(|run| run.is_about("refused")).collect();
            assert_eq!(texts, [false], "{at:?}");
        });
    }
}

#[test]
fn the_journal_is_believed_over_a_lost_offset() {
    for offset in [None, Some("garbage"), Some("0"), Some("1")] {
        run(&config(json!({})), async |rig: Rig| {
            rig.put(INBOX, &[line("a", "one"), line("b", "two"), line("c", "three")].concat());
            rig.put(
                JOURNAL,
                "{\"line\": 1, \"state\": \"started\", \"contextId\": \"a\"}\n\
                 {\"line\": 1, \"state\": \"ended\", \"id\": \"codex-5\", \"contextId\": \"a\", \"busy\": false, \"text\": \"r\"}\n\
                 {\"line\": 1, \"state\": \"settled\"}\n\
                 {\"line\": 2, \"state\": \"started\", \"contextId\": \"b\"}\n",
            );
            if let Some(offset) = offset {
                rig.put(OFFSET, offset);
            }
            rig.start().await;
            rig.pass(30.0).await;
            let runs = rig.runs();
            assert!(runs.len() == 1 && runs[0].is_about("three"), "{offset:?}: {runs:?}");
            assert_eq!((rig.ids("a").len(), rig.ids("b").len(), rig.ids("c").len()), (0, 1, 1), "{offset:?}");
            assert_eq!(rig.file(OFFSET).as_deref(), Some("3"));
        });
    }
}

#[test]
fn torn_and_unknown_lines_of_the_journal_are_passed_over() {
    run(&config(json!({})), async |rig: Rig| {
        rig.put(INBOX, &line("a", "one"));
        rig.put(OFFSET, "1");
        let ended = "{\"line\": 1, \"state\": \"ended\", \"id\": \"codex-5\", \"contextId\": \"a\", \"busy\": false, \"text\": \"r\"}";
        rig.put(JOURNAL, &format!("junk\n[1]\n{{\"line\": 1, \"state\": \"started\", \"contextId\": \"a\"}}\n{{\"line\": 1, \"state\": \"dreamt\"}}\n{ended}"));
        let (pid, _) = rig.start().await;
        rig.pass(10.0).await;
        let calls = rig.calls();
        assert!(calls.len() == 1 && calls[0].text.starts_with("[interrupted]"), "{calls:?}");
        rig.machine.kill(pid);
        rig.start().await;
        rig.pass(10.0).await;
        assert_eq!(rig.calls().len(), 1, "what was settled is sent again");
        assert_eq!(rig.endings("a").len(), 1);
    });
}

#[test]
fn the_outcome_that_the_transcript_lacks_is_added_and_no_other() {
    run(&config(json!({})), async |rig: Rig| {
        // The second turn of the context gave up waiting, and was recorded, before the first one came to its end.
        rig.put(INBOX, &[line("a", "one"), line("a", "two")].concat());
        rig.put(OFFSET, "2");
        let entry = |line: u64, id: &str, busy: bool, text: &str| {
            json!({ "line": line, "state": "ended", "id": id, "contextId": "a", "busy": busy, "text": text })
                .to_string()
        };
        rig.put(
            JOURNAL,
            &format!("{}\n{}\n", entry(2, "codex-5", true, "[busy] x"), entry(1, "codex-6", false, "r")),
        );
        let record = json!({ "ts": "", "dir": "codex->hermes (busy)", "from": "codex", "to": "hermes", "contextId": "a", "text": "[busy] x" });
        rig.put("a2a-codex-transcript.jsonl", &format!("{record}\n{{\"torn"));
        rig.start().await;
        rig.callbacks(2).await;
        let mut endings = rig.endings("a");
        endings.sort();
        assert_eq!(endings, ["[busy] x", "r"]);
    });
}

#[test]
fn dispatches_that_come_together_with_a_power_cut_are_never_confused() {
    // One line is handed off while the next one is being written; then the power goes and the unsynced line is lost.
    for seed in 0..60 {
        let settings =
            WorldSettings { seed: [seed; 32], exploration: Exploration::Shake, ..WorldSettings::default() };
        run_with(
            settings,
            config(json!({ "poll_interval_s": 0.001 })).to_string().as_bytes(),
            async |rig: Rig| {
                rig.start().await;
                let senders = ["a", "b", "c"].map(|context| rig.dispatch(context, context));
                let senders = futures_util::future::join_all(senders);
                rig.visitor.clock().within(seconds(0.002 + f64::from(seed) * 0.001), senders).await;
                rig.machine.power_cut(gauntlet_world::fault::Unsynced::Lost);
                rig.start().await;
                rig.pass(30.0).await;
                assert!(rig.dispatch("z", "after").await);
                rig.pass(30.0).await;
                assert_eq!(rig.runs().iter().filter(|run| run.is_about("after")).count(), 1, "seed {seed}");
                assert_eq!(rig.ids("z").len(), 1, "seed {seed}");
            },
        );
    }
}
