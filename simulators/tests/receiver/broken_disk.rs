//! Writes that fail, and a crash on top: what the sender was told still holds.

use gauntlet_world::WorldSettings;
use gauntlet_world::fault::{Errno, Happening, Moment, Rule, Unsynced};
use gauntlet_world::simulated::ProcessState;
use gauntlet_world::touch::{Op, Touch};
use serde_json::{Value, json};

use crate::rig::{Rig, config, run_with, send_message};

/// A touch of the receiver on a file: the nth of its kind there.
#[derive(Debug, Clone, PartialEq)]
struct Place {
    at: Op,
    target: String,
    nth: u32,
}

impl Place {
    fn rule(&self, happening: Happening) -> Rule {
        let Self { at, target, nth } = self.clone();
        Rule { host: "receiver".to_owned(), at, target: Some(target), nth, moment: Moment::Before, happening }
    }

    fn fails(&self) -> Rule {
        self.rule(Happening::Fail(Errno::Io))
    }
}

/// The receiver's touches of the disk and the network, in order.
fn places(touches: &[Touch]) -> Vec<Place> {
    let of_receiver: Vec<&Touch> = touches.iter().filter(|touch| touch.host == "receiver").collect();
    let places = of_receiver.iter().enumerate().map(|(index, touch)| {
        let earlier = of_receiver[..index].iter();
        // A rule's target is the end of a touch's, so it counts longer ones too.
        let same = earlier.filter(|one| one.op == touch.op && one.target.ends_with(&touch.target));
        Place {
            at: touch.op,
            target: touch.target.clone(),
            nth: u32::try_from(same.count() + 1).expect("a small number"),
        }
    });
    places.filter(|place| place.at.name().starts_with("disk.") || place.at == Op::NetConnect).collect()
}

/// What one dispatch came to, after as many restarts as it took.
#[derive(Debug)]
struct Story {
    /// The answer to the dispatch; null when none came.
    answer: Value,
    /// How often the CLI was started for it.
    starts: usize,
    /// The different callbacks that came for it.
    ids: usize,
    touches: Vec<Touch>,
    log: String,
}

impl Story {
    fn accepted(&self) -> bool {
        self.answer.get("result").is_some()
    }

    /// The sender was told that its dispatch was not taken.
    fn refused(&self) -> bool {
        self.answer.pointer("/error/code").is_some()
    }
}

/// One dispatch under faults, and another one afterwards, which must fare well.
fn story(faults: Vec<Rule>) -> Story {
    let name = format!("{faults:?}");
    let settings = WorldSettings { faults, ..WorldSettings::default() };
    run_with(settings, config(json!({})).to_string().as_bytes(), async |rig: Rig| {
        let mut exit = rig.start().await.1;
        let answer = rig.rpc(&send_message("c1", "first")).await.unwrap_or_default();
        let mut restarts = 0;
        for _ in 0..100 {
            rig.pass(1.0).await;
            while exit.state() != ProcessState::Running {
                restarts += 1;
                assert!(restarts < 5, "{name}: the receiver does not come up");
                exit = rig.start().await.1;
            }
        }
        let runs_of = |text: &str| rig.runs().iter().filter(|run| run.is_about(text)).count();
        let (starts, ids, touches) = (runs_of("first"), rig.ids("c1").len(), rig.world.log());
        assert!(rig.dispatch("c1", "second").await, "{name}: nothing is taken any more");
        rig.pass(20.0).await;
        assert_eq!((runs_of("second"), rig.ids("c1").len() - ids), (1, 1), "{name}: the next dispatch");
        assert_eq!(runs_of("first"), starts, "{name}: it ran late");
        Story { answer, starts, ids, touches, log: rig.log() }
    })
}

fn on(file: &str, places: &[Place]) -> Vec<Place> {
    places.iter().filter(|place| place.target.contains(file)).cloned().collect()
}

/// What came after a place.
fn after(place: &Place, story: &Story) -> Vec<Place> {
    let all = places(&story.touches);
    all.into_iter().skip_while(|one| one != place).skip(1).collect()
}

#[test]
fn a_journal_that_cannot_be_written_and_a_crash_give_no_second_outcome() {
    let failing = on("a2a-codex-turns.jsonl", &places(&story(Vec::new()).touches));
    let failing =
        failing.iter().filter(|place| matches!(place.at, Op::DiskAppend | Op::DiskSync) && place.nth > 1);
    let mut crashes = 0;
    for place in failing {
        let once = story(vec![place.fails()]);
        assert_eq!((once.accepted(), once.ids), (true, 1), "{place:?}\n{}", once.log);
        for crash in after(place, &once) {
            let both = story(vec![place.fails(), crash.rule(Happening::Kill)]);
            assert!(both.starts <= 1, "{place:?}, killed at {crash:?}: {} starts", both.starts);
            assert_eq!(both.ids, 1, "{place:?}, killed at {crash:?}\n{}", both.log);
            crashes += 1;
        }
    }
    assert!(crashes > 20, "only {crashes} crashes");
}

#[test]
fn a_dispatch_that_was_refused_never_runs_whatever_else_fails() {
    let inbox = on("a2a-codex-inbox.jsonl", &places(&story(Vec::new()).touches));
    let append = inbox.iter().find(|place| place.at == Op::DiskAppend && place.nth == 2).expect("an append");
    let sync = inbox.iter().find(|place| place.at == Op::DiskSync).expect("a sync");
    let torn = append.rule(Happening::Torn(Errno::NoSpace));
    let (mut refused, mut unsure) = (0, 0);
    for (place, first) in [(append, torn), (append, append.fails()), (sync, sync.fails())] {
        let once = story(vec![first.clone()]);
        assert_eq!((once.refused(), once.starts, once.ids), (true, 0, 0), "{first:?}: {once:?}");
        for second in on("a2a-codex-inbox.jsonl", &after(place, &once)) {
            let twice = vec![first.clone(), second.fails()];
            let uncrashed = story(twice.clone());
            let crashes = after(&second, &uncrashed);
            let crashed = crashes.iter().flat_map(|crash| {
                [Happening::Kill, Happening::PowerCut(Unsynced::Lost), Happening::PowerCut(Unsynced::Kept)]
                    .map(|happening| story([twice.clone(), vec![crash.rule(happening)]].concat()))
            });
            for told in crashed.chain([uncrashed]) {
                assert!(told.starts <= 1 && told.ids <= 1, "{twice:?}: {told:?}");
                if told.refused() {
                    refused += 1;
                    assert_eq!((told.starts, told.ids), (0, 0), "{twice:?}: {told:?}");
                } else if told.answer.get("error").is_some() {
                    unsure += 1;
                }
            }
        }
    }
    assert!(refused > 0 && unsure > 50, "{refused} were refused, of {unsure} nobody knows");
}
