//! Every deviation and every condition, bitten and not.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use crate::{Host, Machine, World, WorldSettings};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn run<R: Future>(body: impl FnOnce(Host) -> R) -> R::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let machine = Machine::new(&World::new(WorldSettings::default()), "box");
        body(machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None)).await
    })
}

fn quirk(at: Point, deviation: Deviation, when: When) -> Quirk {
    Quirk {
        id: "odd".to_owned(),
        title: "It is odd.".to_owned(),
        role: at.role().to_owned(),
        virtual_only: None,
        executors: Vec::new(),
        at,
        deviation,
        when,
        violates: Vec::new(),
        seen_in: Vec::new(),
    }
}

fn with(deviation: Deviation, when: When) -> Injector {
    Injector::new(
        vec![quirk(Point::ReceiverAck, deviation, when)],
        [("token".to_owned(), "s3cret".to_owned())].into(),
    )
}

fn values(pairs: &[(&str, Value)]) -> BTreeMap<String, Value> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

async fn pass(injector: &Injector, host: &Host, event: Value) -> Passed {
    injector.pass(host, Point::ReceiverAck, event).await
}

#[test]
fn without_a_quirk_at_its_point_an_event_comes_back_as_it_went_in() {
    run(async |host| {
        let event = json!({ "text": "x" });
        let seen = [(Point::CliLine, event.clone())];
        // The default one is of a process that nobody watches.
        for (injector, logged) in
            [(Injector::default(), &[][..]), (with(Deviation::Omit, When::default()), &seen[..])]
        {
            let passed = injector.pass(&host, Point::CliLine, event.clone()).await;
            assert_eq!(passed, Passed { events: vec![event.clone()], mangle: Mangle::Nothing, exit: None });
            assert_eq!(injector.log(), logged);
        }
    });
}

#[test]
fn each_deviation_does_what_its_name_says() {
    run(async |host| {
        let event = json!({ "text": "x", "deep": { "a": 1 } });
        let when = When::default;
        assert_eq!(
            pass(&with(Deviation::Omit, when()), &host, event.clone()).await.events,
            Vec::<Value>::new()
        );
        let replaced = values(&[
            ("/text", json!("y")),
            ("/deep/b", json!(2)),
            ("/new", json!(null)),
            ("/no/where", json!(1)),
        ]);
        let passed = pass(&with(Deviation::Replace(replaced), when()), &host, event.clone()).await;
        assert_eq!(passed.events, [json!({ "text": "y", "deep": { "a": 1, "b": 2 }, "new": null })]);
        let passed =
            pass(&with(Deviation::Duplicate(values(&[("/text", json!("y"))])), when()), &host, event.clone())
                .await;
        assert_eq!(passed.events, [event.clone(), json!({ "text": "y", "deep": { "a": 1 } })]);
        assert_eq!(
            pass(&with(Deviation::Truncate(3), when()), &host, event.clone()).await.mangle,
            Mangle::Truncate(3)
        );
        assert_eq!(
            pass(&with(Deviation::Garble(3), when()), &host, event.clone()).await.mangle,
            Mangle::Garble(3)
        );
        assert_eq!(pass(&with(Deviation::Exit(9), when()), &host, event.clone()).await.exit, Some(9));
        let before = host.clock().now();
        let delayed = pass(&with(Deviation::Delay(Millis(1500)), when()), &host, event.clone()).await;
        assert_eq!(delayed, Passed { events: vec![event.clone()], mangle: Mangle::Nothing, exit: None });
        assert_eq!(host.clock().now() - before, Duration::from_millis(1500));
        let injector = with(Deviation::Stall, when());
        assert_eq!(
            host.clock().within(Duration::from_secs(86_400), pass(&injector, &host, event)).await,
            None
        );
    });
}

#[test]
fn an_event_changes_places_with_the_next_one_and_is_not_lost_without_one() {
    run(async |host| {
        let injector = with(Deviation::Reorder, When { nth: Some(2), ..When::default() });
        assert_eq!(pass(&injector, &host, json!(1)).await.events, [json!(1)]);
        assert_eq!(pass(&injector, &host, json!(2)).await.events, Vec::<Value>::new());
        assert_eq!(pass(&injector, &host, json!(3)).await.events, [json!(3), json!(2)]);
        assert_eq!(pass(&injector, &host, json!(4)).await.events, [json!(4)]);
        assert_eq!(injector.leftover(Point::ReceiverAck), None);
        let injector = with(Deviation::Reorder, When::default());
        pass(&injector, &host, json!(1)).await;
        assert_eq!(injector.leftover(Point::CliLine), None);
        assert_eq!(injector.leftover(Point::ReceiverAck), Some(json!(1)));
    });
}

#[test]
fn references_in_a_replacement_stand_for_secrets_and_for_the_event_as_it_was() {
    run(async |host| {
        let replaced =
            values(&[("/text", json!("{token} {context} {text} {id} {unknown}")), ("/number", json!(5))]);
        let injector = with(Deviation::Replace(replaced), When::default());
        let passed = pass(&injector, &host, json!({ "text": "t", "contextId": "c" })).await;
        assert_eq!(passed.events[0]["text"], "s3cret c t {id} {unknown}");
        assert_eq!(passed.events[0]["number"], 5);
    });
}

#[test]
fn a_replacement_adds_behind_the_last_element_of_a_list_and_to_no_other_kind() {
    run(async |host| {
        let more = with(Deviation::Replace(values(&[("/args/-", json!("last"))])), When::default());
        let added = pass(&more, &host, json!({ "args": ["first"] })).await;
        assert_eq!(added.events, [json!({ "args": ["first", "last"] })]);
        let elsewhere = pass(&more, &host, json!({ "args": "first" })).await;
        assert_eq!(elsewhere.events, [json!({ "args": "first" })]);
    });
}

#[test]
fn a_quirk_bites_only_what_matches_and_counts_only_that() {
    run(async |host| {
        let when = When { matches: values(&[("/a", json!(1))]), nth: Some(2), ..When::default() };
        let injector = with(Deviation::Omit, when);
        let mut bitten = Vec::new();
        for event in [json!({ "a": 1 }), json!({ "a": 2 }), json!({}), json!({ "a": 1 }), json!({ "a": 1 })] {
            bitten.push(pass(&injector, &host, event).await.events.is_empty());
        }
        assert_eq!(bitten, [false, false, false, true, false]);
    });
}

#[test]
fn chance_is_drawn_from_the_seed() {
    run(async |host| {
        for (percent, least, most) in [(0, 0, 0), (50, 350, 650), (100, 1000, 1000)] {
            let injector = with(Deviation::Omit, When { percent: Some(percent), ..When::default() });
            let mut bitten = 0;
            for _ in 0..1000 {
                bitten += usize::from(pass(&injector, &host, json!({})).await.events.is_empty());
            }
            assert!((least..=most).contains(&bitten), "{percent} %: {bitten} of 1000");
        }
    });
}

#[test]
fn of_two_quirks_the_first_bites_and_the_second_counts_on() {
    run(async |host| {
        let first = quirk(Point::ReceiverAck, Deviation::Omit, When { nth: Some(1), ..When::default() });
        let second = quirk(Point::ReceiverAck, Deviation::Exit(3), When { nth: Some(2), ..When::default() });
        let injector = Injector::new(vec![first, second], BTreeMap::new());
        let one = pass(&injector, &host, json!({})).await;
        let two = pass(&injector, &host, json!({})).await;
        assert_eq!((one.events.len(), one.exit, two.events.len(), two.exit), (0, None, 1, Some(3)));
    });
}

#[test]
fn every_point_has_the_name_that_quirk_files_and_their_schema_use() {
    let schema = schemars::schema_for!(Point).to_value();
    let listed = schema.get("oneOf").and_then(Value::as_array).expect("a schema lists the points");
    assert!(listed.len() > 10);
    for listed in listed {
        let name = listed.get("const").expect("a point has a name");
        let point: Point = serde_json::from_value(name.clone()).expect("a listed name is a point's");
        assert_eq!(*name, point.name());
        assert!(["receiver", "runtime", "cli", "hermes", "host"].contains(&point.role()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mangling_is_for_any_length(bytes in prop::collection::vec(any::<u8>(), 0..20), at in 0usize..30) {
        prop_assert_eq!(Mangle::Nothing.apply(bytes.clone()), bytes.clone());
        prop_assert_eq!(Mangle::Truncate(at).apply(bytes.clone()), &bytes[..at.min(bytes.len())]);
        let garbled = Mangle::Garble(at).apply(bytes.clone());
        prop_assert_eq!(garbled.len(), bytes.len());
        let changed: Vec<usize> = (0..bytes.len()).filter(|place| garbled[*place] != bytes[*place]).collect();
        prop_assert_eq!(changed, if at < bytes.len() { vec![at] } else { vec![] });
    }

    #[test]
    fn a_duration_reads_back(millis: u64) {
        prop_assert_eq!(Millis(millis).to_string().parse(), Ok(Millis(millis)));
    }

    #[test]
    fn any_text_is_a_duration_or_an_error(text in ".*") {
        let _: Result<Millis, String> = text.parse();
    }
}

#[test]
fn an_event_is_known_by_how_its_text_begins_whatever_comes_then() {
    let when = When { begins: [("/text".to_owned(), "[error] ".to_owned())].into(), ..When::default() };
    assert!(when.matches(&json!({ "text": "[error] the disk is on fire" })));
    for other in [json!({ "text": "an [error] " }), json!({ "text": null }), json!({})] {
        assert!(!when.matches(&other), "{other}");
    }
}

#[test]
fn durations_are_written_in_three_units() {
    for (text, millis) in [("250ms", 250), ("5s", 5000), ("2m", 120_000), ("1 s", 1000), ("0s", 0)] {
        assert_eq!(text.parse(), Ok(Millis(millis)), "{text}");
    }
    for text in ["", "5", "s", "-1s", "1.5s", "1h", "99999999999999999999s", "400000000000000000m", "5µs"] {
        assert!(text.parse::<Millis>().is_err(), "{text}");
    }
}

#[test]
fn a_replacement_can_take_what_passed_the_point_before() {
    run(async |host| {
        let injector =
            with(Deviation::Replace(values(&[("/contextId", json!("{before.context}"))])), When::default());
        let mut seen = Vec::new();
        for context in ["a", "b", "c"] {
            let passed = pass(&injector, &host, json!({ "contextId": context })).await;
            seen.push(passed.first().expect("it passes")["contextId"].clone());
        }
        assert_eq!(seen, [json!("a"), json!("a"), json!("b")], "the first has nothing before it");
    });
}

#[test]
fn a_quirk_that_waits_for_an_event_bites_what_comes_behind_it() {
    run(async |host| {
        let since = |nth| Since {
            at: Point::ReceiverAck,
            matches: values(&[("/a", json!(1))]),
            begins: BTreeMap::new(),
            nth,
        };
        for (nth, bitten) in [(None, [false, false, true, true]), (Some(2), [false, false, false, true])] {
            let injector = with(Deviation::Omit, When { since: Some(since(nth)), ..When::default() });
            let mut seen = Vec::new();
            for a in [0, 1, 1, 0] {
                seen.push(pass(&injector, &host, json!({ "a": a })).await.events.is_empty());
            }
            assert_eq!(seen, bitten, "{nth:?}");
        }
        let mut waits = quirk(Point::ReceiverAck, Deviation::Omit, When::default());
        waits.when.since = Some(Since { at: Point::CliLine, ..since(None) });
        assert_eq!(waits.misfit().expect("another role").path, ["when", "since", "at"]);
    });
}
