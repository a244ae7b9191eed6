//! Start, configuration, idleness, signals and end.

use gauntlet_world::WorldSettings;
use gauntlet_world::fault::{Errno, Happening, Moment, Rule};
use gauntlet_world::process::{ExitStatus, Signal};
use gauntlet_world::simulated::{Exploration, ProcessState};
use gauntlet_world::touch::Op;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rig::{Play, Rig, config, run, run_with};

const LIMITS: [&str; 10] = [
    "codex_timeout_s",
    "context_lock_wait_s",
    "poll_interval_s",
    "idle_timeout_s",
    "max_concurrent_turns",
    "max_tracked_contexts",
    "codex_extra_flags",
    "codex_model",
    "repo_path",
    "hermes_url",
];

fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(vec![0.0, 1e-12, 1e-9, 1e19, 1.8e19, 1e300, -1.0]).prop_map(Value::from),
        ".*".prop_map(Value::from),
        prop::collection::vec(any::<u8>().prop_map(Value::from), 0..3).prop_map(Value::from),
        Just(json!({})),
    ]
}

/// A receiver with this configuration starts and takes a dispatch, and never panics (which the rig sees).
fn starts_and_takes(content: &[u8]) {
    run_with(WorldSettings::default(), content, async |rig: Rig| {
        let (_, exit) = rig.launch();
        rig.pass(1.0).await;
        assert_eq!(exit.state(), ProcessState::Running, "{}", rig.log());
        rig.dispatch("c", "x").await;
        rig.pass(20.0).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_for_a_configuration_let_it_start(content in prop::collection::vec(any::<u8>(), 0..60)) {
        starts_and_takes(&content);
    }

    #[test]
    fn any_values_in_a_configuration_let_it_start(
        values in prop::collection::btree_map(prop::sample::select(&LIMITS[..]), anything(), 0..6),
    ) {
        let config: serde_json::Map<String, Value> =
            values.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let mut config = config;
        config.insert("bind_port".to_owned(), json!(crate::rig::PORT));
        starts_and_takes(Value::Object(config).to_string().as_bytes());
    }
}

#[test]
fn limits_beyond_every_clock_and_counter_let_it_start() {
    for key in LIMITS {
        for value in [json!(u64::MAX), json!(1.8e19), json!(1e-9)] {
            starts_and_takes(config(json!({ (key): value })).to_string().as_bytes());
        }
    }
}

#[test]
fn it_refuses_to_listen_beyond_loopback_without_a_bearer() {
    let open = json!({ "bind_host": "0.0.0.0", "auth_token_env": null });
    run(&config(open), async |rig: Rig| {
        let (_, exit) = rig.launch();
        assert_eq!(exit.wait().await, ExitStatus::Code(2));
        assert_eq!(rig.file("codex_receiver.pid"), None);
    });
}

#[test]
fn a_second_instance_on_the_same_port_ends_and_touches_nothing_of_the_first() {
    run(&config(json!({})), async |rig: Rig| {
        let (first, exit) = rig.start().await;
        let pid = rig.file("codex_receiver.pid");
        assert_eq!(pid, Some(format!("{first}\n")));
        rig.dispatch("c", "x").await;
        rig.pass(2.5).await;
        // The first one is in the middle of writing a line of each of its files.
        let names = ["a2a-codex-inbox.jsonl", "a2a-codex-transcript.jsonl", "a2a-codex-turns.jsonl"];
        for name in names {
            let half = rig.file(name).unwrap_or_default() + "{\"half";
            rig.put(name, &half);
        }
        let (_, second) = rig.launch();
        assert_eq!(second.wait().await, ExitStatus::Code(2));
        assert_eq!(rig.file("codex_receiver.pid"), pid);
        for name in names {
            assert!(rig.file(name).is_some_and(|content| content.ends_with("{\"half")), "{name} was changed");
        }
        assert_eq!(rig.running("codex").len(), 1, "the first one's turn was ended");
        assert_eq!(exit.state(), ProcessState::Running);
    });
}

#[test]
fn it_ends_when_idle_and_takes_its_pid_file_with_it() {
    run(&config(json!({ "idle_timeout_s": 40 })), async |rig: Rig| {
        let (_, exit) = rig.start().await;
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
        assert!((40_000..60_000).contains(&rig.world.elapsed_ms()), "after {} ms", rig.world.elapsed_ms());
        assert_eq!(rig.file("codex_receiver.pid"), None);
    });
}

#[test]
fn a_turn_and_a_callback_in_progress_are_no_idleness() {
    run(&config(json!({ "idle_timeout_s": 10, "codex_timeout_s": 200 })), async |rig: Rig| {
        let (_, exit) = rig.start().await;
        rig.play(Play { after: 100.0, ..Play::default() });
        rig.dispatch("c", "x").await;
        rig.callbacks(1).await;
        assert_eq!(exit.state(), ProcessState::Running);
        assert_eq!(exit.wait().await, ExitStatus::Code(0));
        assert!(rig.world.elapsed_ms() >= 110_000);
    });
}

#[test]
fn health_checks_and_refusals_do_not_keep_it_from_ending() {
    run(&config(json!({ "idle_timeout_s": 40 })), async |rig: Rig| {
        let (_, exit) = rig.start().await;
        while exit.state() == ProcessState::Running {
            rig.raw(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n").await;
            rig.rpc(b"[]").await;
            rig.pass(3.0).await;
            assert!(rig.world.elapsed_ms() < 80_000, "it lives on");
        }
    });
}

#[test]
fn no_idle_time_means_for_ever() {
    run(&config(json!({ "idle_timeout_s": 0 })), async |rig: Rig| {
        let (_, exit) = rig.start().await;
        rig.pass(86_400.0 * 3.0).await;
        assert_eq!(exit.state(), ProcessState::Running);
    });
}

#[test]
fn told_to_end_it_is_gone_within_three_seconds_with_all_its_children() {
    for signal in [Signal::Terminate, Signal::Interrupt] {
        run(&config(json!({})), async |rig: Rig| {
            let (pid, exit) = rig.start().await;
            for context in ["a", "b", "c", "d", "e"] {
                rig.play(Play {
                    after: 100.0,
                    ignores_term: true,
                    grandchild: Some(500.0),
                    ..Play::default()
                });
                assert!(rig.dispatch(context, "x").await);
            }
            rig.pass(10.0).await;
            assert_eq!(rig.running("codex").len(), 3);
            rig.machine.send(pid, signal);
            let ended = rig.visitor.clock().within(crate::rig::seconds(3.0), exit.wait()).await;
            assert_eq!(ended, Some(ExitStatus::Code(0)));
            assert_eq!((rig.running("codex"), rig.running("sleep")), (vec![], vec![]));
            assert_eq!(rig.file("codex_receiver.pid"), None);
            // What was cut short, and what had not begun, comes to its outcome at the next start.
            rig.start().await;
            rig.pass(150.0).await;
            for context in ["a", "b", "c", "d", "e"] {
                assert_eq!((rig.ids(context).len(), rig.endings(context).len()), (1, 1), "{context}");
            }
            assert_eq!(rig.runs().len(), 5);
        });
    }
}

#[test]
fn told_to_end_at_any_moment_it_leaves_no_child() {
    for seed in 0..40 {
        let settings =
            WorldSettings { seed: [seed; 32], exploration: Exploration::Shake, ..WorldSettings::default() };
        run_with(
            settings,
            config(json!({ "max_concurrent_turns": 1 })).to_string().as_bytes(),
            async |rig: Rig| {
                let (pid, exit) = rig.start().await;
                for context in ["a", "b", "c", "d"] {
                    rig.dispatch(context, "x").await;
                }
                rig.pass(2.0 + f64::from(seed) * 0.05).await;
                rig.machine.send(pid, Signal::Terminate);
                exit.wait().await;
                assert_eq!(rig.running("codex"), vec![], "seed {seed}");
            },
        );
    }
}

#[test]
fn told_to_end_while_it_starts_it_ends_too() {
    run(&config(json!({})), async |rig: Rig| {
        rig.slow_probe(1000.0);
        let (pid, exit) = rig.launch();
        rig.pass(2.0).await;
        rig.machine.send(pid, Signal::Terminate);
        assert!(rig.visitor.clock().within(crate::rig::seconds(3.0), exit.wait()).await.is_some());
        assert_eq!(rig.running("codex"), vec![], "the probe lives on");
    });
}

#[test]
fn a_probe_that_never_ends_neither_blocks_the_start_nor_lives_on() {
    run(&config(json!({})), async |rig: Rig| {
        rig.slow_probe(1e6);
        rig.start().await;
        assert!(rig.world.elapsed_ms() < 12_000);
        assert_eq!(rig.running("codex"), vec![], "the probe lives on");
    });
}

#[test]
fn the_probe_of_a_killed_receiver_does_not_outlive_the_next_start() {
    run(&config(json!({})), async |rig: Rig| {
        rig.slow_probe(1e6);
        let (pid, _) = rig.launch();
        rig.pass(2.0).await;
        rig.machine.kill(pid);
        let orphans = rig.running("codex");
        assert_eq!(orphans.len(), 1);
        rig.start().await;
        assert!(!rig.running("codex").contains(&orphans[0]));
    });
}

#[test]
fn a_disk_that_fails_at_any_touch_is_survived() {
    let touches = run(&config(json!({})), story);
    let mut counts = std::collections::BTreeMap::<Op, u32>::new();
    for touch in touches.into_iter().filter(|touch| touch.host == "receiver") {
        let nth = counts.entry(touch.op).or_default();
        *nth += 1;
        for happening in [Happening::Fail(Errno::Io), Happening::Torn(Errno::NoSpace)] {
            let rule = Rule {
                host: "receiver".to_owned(),
                at: touch.op,
                target: None,
                nth: *nth,
                moment: Moment::Before,
                happening,
            };
            let settings = WorldSettings { faults: vec![rule.clone()], ..WorldSettings::default() };
            run_with(settings, config(json!({})).to_string().as_bytes(), async |rig: Rig| {
                let (pid, exit) = rig.start().await;
                if exit.state() != ProcessState::Running {
                    // It says so and does not start: an operator starts it again.
                    assert_eq!(exit.wait().await, ExitStatus::Code(2), "{rule:?}");
                    rig.start().await;
                }
                let acknowledged = rig.dispatch("c1", "first").await;
                rig.pass(20.0).await;
                let told = (rig.runs().len(), rig.ids("c1").len());
                assert!(told.0 <= 1 && told.1 <= 1, "{rule:?}: {told:?}");
                assert!(!acknowledged || told.1 == 1, "{rule:?}: no outcome\n{}", rig.log());
                // A later crash shows what the failure left behind on the disk.
                rig.machine.kill(pid);
                rig.start().await;
                rig.pass(20.0).await;
                let (runs, ids) = (rig.runs().len(), rig.ids("c1"));
                assert!(runs <= 1 && ids.len() <= 1, "{rule:?}: after a restart {runs} runs, {ids:?}");
                assert!(!acknowledged || ids.len() == 1, "{rule:?}");
                assert!(rig.dispatch("c1", "second").await, "{rule:?}");
                rig.pass(20.0).await;
                assert_eq!(rig.runs().iter().filter(|run| run.is_about("second")).count(), 1, "{rule:?}");
                assert_eq!(rig.ids("c1").len(), ids.len() + 1, "{rule:?}");
            });
        }
    }
}

async fn story(rig: Rig) -> Vec<gauntlet_world::touch::Touch> {
    rig.start().await;
    rig.dispatch("c1", "first").await;
    rig.pass(20.0).await;
    rig.world.log()
}
