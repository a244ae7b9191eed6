//! Exploration, the wall clock, and the world's log.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::FutureExt;
use gauntlet_world::simulated::Exploration;
use gauntlet_world::touch::{Op, Touch};
use gauntlet_world::{Host, WorldSettings};

use crate::lab::{MS, run, run_with};

/// Three tasks that write their letters to one file; the order of letters, the touches and the choices.
fn order(seed: u8, exploration: Exploration) -> (String, Vec<Touch>, Vec<u8>) {
    let settings = WorldSettings { seed: [seed; 32], exploration, ..WorldSettings::default() };
    run_with(settings, async |lab| {
        let tasks = ["a", "b", "c"].map(|letter| {
            let host = lab.visitor.clone();
            lab.visitor.spawn(async move {
                for _ in 0..3 {
                    host.disk().append("letters", letter.as_bytes()).await.unwrap();
                }
            })
        });
        for task in tasks {
            task.join().await.unwrap();
        }
        (lab.file("letters").unwrap(), lab.world.log(), lab.world.choices())
    })
}

#[test]
fn without_exploration_the_order_never_changes() {
    for seed in 0..10 {
        let (letters, log, choices) = order(seed, Exploration::Off);
        assert_eq!(letters, "aaabbbccc");
        assert_eq!(log.len(), 9);
        assert_eq!(choices, [0_u8; 0]);
    }
}

#[test]
fn a_seed_shakes_the_order_and_shakes_it_the_same_way_again() {
    let mut orders = BTreeSet::new();
    for seed in 0..20 {
        let (letters, log, choices) = order(seed, Exploration::Shake);
        assert_eq!(order(seed, Exploration::Shake), (letters.clone(), log, choices.clone()));
        assert_eq!(choices.len(), 9, "one choice for each call");
        assert!(choices.iter().all(|choice| *choice < 8));
        orders.insert(letters);
    }
    assert!(orders.len() > 10, "{orders:?}");
}

#[test]
fn a_kill_in_the_scheduler_point_comes_before_the_effect() {
    let mut waited = 0;
    for seed in 0..20 {
        let settings =
            WorldSettings { seed: [seed; 32], exploration: Exploration::Shake, ..WorldSettings::default() };
        waited += run_with(settings, async |lab| {
            let handle: Rc<RefCell<Option<Host>>> = Rc::default();
            let leave = handle.clone();
            let (pid, _) = lab.launch(move |host| {
                *leave.borrow_mut() = Some(host);
                std::future::pending()
            });
            lab.pass(MS).await;
            // Even a call that somebody else drives for the process stops with it.
            let host = handle.take().unwrap();
            let disk = host.disk();
            let mut write = Box::pin(disk.write("a", b"x"));
            let was_done = (&mut write).now_or_never().is_some();
            lab.machine.kill(pid);
            if !was_done {
                assert!(lab.visitor.clock().within(1000 * MS, write).await.is_none());
            }
            assert_eq!(lab.file("a").is_some(), was_done);
            u32::from(!was_done)
        });
    }
    assert!((5..15).contains(&waited), "both cases came about: {waited}");
}

#[test]
fn the_log_tells_who_did_what_to_what_and_when() {
    run(async |lab| {
        lab.pass(7 * MS).await;
        lab.visitor.disk().write("a", b"x").await.unwrap();
        let touch = Touch { at_ms: 7, host: "tester".into(), op: Op::DiskWrite, target: "/lab/a".into() };
        assert_eq!(lab.world.log(), [touch]);
    });
    run_with(WorldSettings { log_touches: false, ..WorldSettings::default() }, async |lab| {
        lab.visitor.disk().write("a", b"x").await.unwrap();
        assert_eq!((lab.world.log().len(), lab.world.touches()), (0, 1), "the count is kept always");
    });
}

#[test]
fn the_wall_clock_jumps_and_waits_do_not() {
    run(async |lab| {
        let clock = lab.visitor.clock();
        let epoch = lab.world.settings().epoch_ms;
        assert_eq!(clock.wall().stamp(), "2026-01-01 00:00:00");
        lab.pass(1500 * MS).await;
        assert_eq!(clock.wall().millis(), epoch + 1500);
        let began = clock.now();
        lab.machine.jump(-3_600_000);
        assert_eq!(clock.wall().stamp(), "2025-12-31 23:00:01");
        lab.machine.jump(2 * 3_600_000);
        assert_eq!(clock.wall().millis(), epoch + 1500 + 3_600_000, "jumps add up");
        assert_eq!(clock.now(), began);
        lab.visitor.disk().write("a", b"x").await.unwrap();
        assert_eq!(lab.visitor.disk().stat("a").await.unwrap().modified_ms, clock.wall().millis());
        lab.machine.jump(i64::MAX);
        assert_eq!(clock.wall().stamp(), "9999-12-31 23:59:59", "no jump is too far");
    });
}
