//! A runtime that dies at any moment of a callback: the receiver tries again, and the reply is delivered exactly once.

use std::collections::BTreeMap;

use gauntlet_world::WorldSettings;
use gauntlet_world::fault::{Happening, Moment, Rule, Unsynced};
use gauntlet_world::simulated::ProcessState;
use gauntlet_world::touch::{Op, Touch};

use crate::rig::{Rig, run};

/// Starts a runtime, lets a receiver call back until it is heard, and restarts the runtime whenever it dies. Gives the
/// touches of all its lives.
fn survives(fault: Option<Rule>, story: &str) -> Vec<Touch> {
    let settings = WorldSettings { faults: fault.into_iter().collect(), ..WorldSettings::default() };
    run(settings, async |rig: Rig| {
        let (_, mut exit) = rig.start().await;
        for reply in ["1", "2"] {
            let mut attempts = 0;
            while !rig.call_back(reply, "c", reply).await {
                attempts += 1;
                assert!(attempts < 5, "{story}: the reply is never taken");
                rig.pass(1.0).await;
                if exit.state() != ProcessState::Running {
                    exit = rig.start().await.1;
                }
            }
        }
        if exit.state() != ProcessState::Running {
            rig.start().await;
        }
        assert_eq!(rig.delivered("c"), ["\"1\"", "\"2\""], "{story}");
        // What this life holds in memory, the next one reads from the disk.
        let touches = rig.world.log();
        rig.machine.power_cut(Unsynced::Lost);
        rig.start().await;
        assert_eq!(rig.delivered("c"), ["\"1\"", "\"2\""], "{story}: after a power cut at the end");
        assert!(rig.call_back("1", "c", "1").await);
        assert_eq!(rig.delivered("c").len(), 2, "{story}: delivered again after a power cut");
        touches
    })
}

#[test]
fn a_reply_is_delivered_exactly_once_across_a_crash_at_every_touch() {
    let touches = survives(None, "no fault");
    let mut counts = BTreeMap::<Op, u32>::new();
    let mut tried = 0;
    for touch in touches.iter().filter(|touch| touch.host == "runtime") {
        let nth = counts.entry(touch.op).or_default();
        *nth += 1;
        for moment in [Moment::Before, Moment::After] {
            for happening in [
                Happening::Kill,
                Happening::PowerCut(Unsynced::Lost),
                Happening::PowerCut(Unsynced::Kept),
                Happening::PowerCut(Unsynced::Torn),
                Happening::PowerCut(Unsynced::Drawn),
            ] {
                let rule = Rule {
                    host: "runtime".to_owned(),
                    at: touch.op,
                    target: None,
                    nth: *nth,
                    moment,
                    happening,
                };
                survives(Some(rule.clone()), &format!("{rule:?}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 150, "only {tried} crashes were tried");
}
