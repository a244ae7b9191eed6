//! The crown: a receiver that dies at any moment, by a kill or a power cut, keeps what it owes. An acknowledged dispatch
//! starts its CLI at most once and comes to exactly one outcome, and no child of the dead receiver lives once the next one
//! is ready.

use std::collections::BTreeMap;

use gauntlet_world::WorldSettings;
use gauntlet_world::fault::{Happening, Moment, Rule, Unsynced};
use gauntlet_world::simulated::{Exploration, ProcessState};
use gauntlet_world::touch::{Op, Touch};
use serde_json::json;

use crate::rig::{Play, Rig, config, run_with};

/// A touch of the receiver: the nth of its kind.
type Place = (Op, u32);

fn places(touches: &[Touch]) -> Vec<Place> {
    let mut counts = BTreeMap::<Op, u32>::new();
    let of_receiver = touches.iter().filter(|touch| touch.host == "receiver");
    of_receiver
        .map(|touch| {
            let count = counts.entry(touch.op).or_default();
            *count += 1;
            (touch.op, *count)
        })
        .collect()
}

fn rule((at, nth): Place, moment: Moment, happening: Happening) -> Rule {
    Rule { host: "receiver".to_owned(), at, target: None, nth, moment, happening }
}

/// One dispatch under a fault, as many restarts as it takes, and one more dispatch afterwards. `story` names it in failures.
/// Gives the touches up to the end of the first dispatch.
fn survives(faults: Vec<Rule>, story: &str) -> Vec<Touch> {
    survives_in(WorldSettings { faults, ..WorldSettings::default() }, story)
}

fn survives_in(settings: WorldSettings, story: &str) -> Vec<Touch> {
    run_with(settings, config(json!({})).to_string().as_bytes(), async |rig: Rig| {
        rig.play(Play { after: 3.0, ..Play::default() });
        let (_, mut exit) = rig.start().await;
        let acknowledged = rig.dispatch("c1", "first").await;
        let mut restarts = 0;
        for _ in 0..40 {
            rig.pass(0.5).await;
            while exit.state() != ProcessState::Running {
                restarts += 1;
                assert!(restarts < 5, "{story}: the receiver does not come up");
                let orphans = rig.running("codex");
                exit = rig.start().await.1;
                if exit.state() == ProcessState::Running {
                    let left: Vec<_> =
                        orphans.into_iter().filter(|pid| rig.running("codex").contains(pid)).collect();
                    assert!(left.is_empty(), "{story}: {left:?} outlived the start");
                }
            }
        }
        let starts = rig.runs().iter().filter(|run| run.is_about("first")).count();
        let (ids, endings) = (rig.ids("c1"), rig.endings("c1"));
        assert!(starts <= 1, "{story}: the CLI was started {starts} times");
        if acknowledged {
            assert_eq!((ids.len(), endings.len()), (1, 1), "{story}: {ids:?} {endings:?}\n{}", rig.log());
        } else {
            assert!(ids.len() <= 1 && endings.len() == ids.len(), "{story}: {ids:?} {endings:?}");
        }
        let lives = rig.world.log();
        let before = ids.len();
        assert!(rig.dispatch("c1", "second").await, "{story}: nothing is taken any more");
        rig.pass(20.0).await;
        let starts = rig.runs().iter().filter(|run| run.is_about("second")).count();
        let after = (rig.ids("c1").len() - before, rig.endings("c1").len() - before);
        assert_eq!((starts, after), (1, (1, 1)), "{story}: the next dispatch\n{}", rig.log());
        lives
    })
}

const CRASHES: [(&str, Happening); 4] = [
    ("kill", Happening::Kill),
    ("power cut, unsynced lost", Happening::PowerCut(Unsynced::Lost)),
    ("power cut, unsynced kept", Happening::PowerCut(Unsynced::Kept)),
    ("power cut, unsynced torn", Happening::PowerCut(Unsynced::Torn)),
];

#[test]
fn a_dispatch_survives_a_crash_at_every_touch() {
    let all = places(&survives(Vec::new(), "no fault"));
    assert!(all.len() > 60, "only {} touches", all.len());
    for place in all {
        for moment in [Moment::Before, Moment::After] {
            for (name, happening) in CRASHES {
                let story = format!("{name} {moment:?} {} {}", place.0.name(), place.1);
                survives(vec![rule(place, moment, happening)], &story);
            }
        }
    }
}

#[test]
fn a_dispatch_survives_a_second_crash_during_recovery() {
    let all = places(&survives(Vec::new(), "no fault"));
    for first in all.iter().step_by(3) {
        let [kill, lost, _, torn] = CRASHES;
        for (one, two) in [(kill, kill), (kill, lost), (kill, torn), (lost, lost), (torn, torn), (lost, kill)]
        {
            let once = rule(*first, Moment::After, one.1);
            let lives = places(&survives(vec![once.clone()], "one crash"));
            let at = lives.iter().position(|place| place == first).expect("it crashed there");
            for second in lives[at + 1..].iter().take(60).step_by(2) {
                let story = format!("{} after {first:?}, then {} at {second:?}", one.0, two.0);
                survives(vec![once.clone(), rule(*second, Moment::Before, two.1)], &story);
            }
        }
    }
}

#[test]
fn a_drawn_fate_of_unsynced_data_changes_nothing() {
    let all = places(&survives(Vec::new(), "no fault"));
    for place in all.into_iter().step_by(2) {
        let happening = Happening::PowerCut(Unsynced::Drawn);
        survives(vec![rule(place, Moment::Before, happening)], &format!("drawn at {place:?}"));
    }
}

#[test]
fn whatever_runs_first_a_dispatch_survives() {
    for seed in 1..9 {
        let shaken = |faults| WorldSettings {
            seed: [seed; 32],
            exploration: Exploration::Shake,
            faults,
            ..WorldSettings::default()
        };
        let all = places(&survives_in(shaken(Vec::new()), "no fault"));
        for place in all.into_iter().step_by(4) {
            for (name, happening) in [CRASHES[0], CRASHES[1], CRASHES[3]] {
                let story = format!("seed {seed}, {name} after {place:?}");
                survives_in(shaken(vec![rule(place, Moment::After, happening)]), &story);
            }
        }
    }
}
