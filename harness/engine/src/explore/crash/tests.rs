//! Points, and which of them are one.

use gauntlet_world::fault::{Happening, Moment};
use gauntlet_world::touch::{Op, Touch};

use super::coverage::Coverage;
use super::point::{Asked, Crash, Point, Subject};
use super::rule::rule;
use super::twice::second;
use super::worlds::{Place, worlds};

fn touch(at_ms: u64, host: &str, op: Op) -> Touch {
    Touch { at_ms, host: host.to_owned(), op, target: "/cell/file".to_owned() }
}

fn tried(log: &[Touch]) -> Vec<String> {
    let tried = worlds(log, "receiver").tried;
    tried
        .iter()
        .map(|(place, stands_for)| format!("{} x{}", place.point(Crash::Kill), stands_for.len()))
        .collect()
}

#[test]
fn a_point_reads_back_as_it_was_written() {
    for text in ["17:kill:before", "1:cut:after", "2:cut:before"] {
        let points = text.parse::<Asked>().expect("a point").points();
        assert_eq!(points.iter().map(Point::to_string).collect::<Vec<_>>(), [text]);
    }
    assert_eq!("17".parse::<Asked>().expect("a point").points().len(), 4, "what is not said can be anything");
    assert_eq!("17:after".parse::<Asked>().expect("a point").points().len(), 2);
    let twice: Asked = "17:kill:before,runtime:88:cut:after".parse().expect("two points");
    assert_eq!(twice.then.map(|(host, point)| (host, point.number)), Some((Subject::Runtime, 88)));
}

#[test]
fn what_is_no_point_is_refused_with_an_example() {
    for text in
        ["", "0", "kill", "17:maim", "17:kill:cut", "17:kill,88", "17:kill:before,88:kill:after", "-1"]
    {
        let error = text.parse::<Asked>().expect_err(text);
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn between_two_calls_that_follow_each_other_there_is_one_world() {
    let log = [Op::DiskAppend, Op::DiskSync, Op::DiskSync].map(|op| touch(5, "receiver", op));
    // After the append is before the sync, but the first call of a kind stands for itself.
    assert_eq!(
        tried(&log),
        ["1:kill:before x1", "1:kill:after x1", "2:kill:before x1", "2:kill:after x2", "3:kill:after x1"]
    );
}

#[test]
fn looking_changes_nothing() {
    let log = [Op::DiskRead, Op::DiskAppend, Op::DiskRead, Op::DiskRead].map(|op| touch(5, "receiver", op));
    let last = worlds(&log, "receiver").tried.pop().expect("points");
    assert_eq!((last.0.number, last.0.moment, last.1.len()), (2, Moment::After, 5));
}

#[test]
fn time_and_others_make_another_world() {
    let alone = [touch(5, "receiver", Op::DiskSync), touch(5, "receiver", Op::DiskSync)];
    let later = [touch(5, "receiver", Op::DiskSync), touch(6, "receiver", Op::DiskSync)];
    let [first, second] = alone.clone();
    let beside = [first, touch(5, "runtime", Op::DiskRead), second];
    assert_eq!((tried(&alone).len(), tried(&later).len(), tried(&beside).len()), (3, 4, 4));
}

#[test]
fn the_effect_of_a_call_that_waits_comes_at_a_time_of_its_own() {
    let log = [Op::NetAccept, Op::DiskRead, Op::DiskRead].map(|op| touch(5, "receiver", op));
    assert_eq!(tried(&log)[..3], ["1:kill:before x1", "1:kill:after x1", "2:kill:before x1"]);
}

#[test]
fn every_point_is_one_of_a_world() {
    let log: Vec<Touch> = (0..40)
        .map(|n| {
            let op = [Op::DiskRead, Op::DiskAppend, Op::NetWrite, Op::DiskSync, Op::ProcessLook][n % 5];
            touch(n as u64 / 7, if n % 11 == 3 { "runtime" } else { "receiver" }, op)
        })
        .collect();
    let worlds = worlds(&log, "receiver");
    let mut covered: Vec<Op> = worlds.tried.iter().flat_map(|(_, kinds)| kinds.clone()).collect();
    let mut all = worlds.all;
    all.sort();
    covered.sort();
    assert_eq!(all, covered);
}

#[test]
fn a_point_counts_all_calls_and_its_fault_those_of_its_kind() {
    let log = [Op::DiskRead, Op::DiskAppend, Op::DiskRead].map(|op| touch(5, "receiver", op));
    let place = Place::find(&log, "receiver", 3, Moment::After).expect("a third call");
    let rule = rule(Subject::Receiver, place, Crash::Kill, "");
    assert_eq!(
        (rule.at, rule.nth, rule.moment, rule.happening),
        (Op::DiskRead, 2, Moment::After, Happening::Kill)
    );
    assert_eq!(Place::find(&log, "receiver", 4, Moment::After), None);
    assert_eq!(Place::find(&log, "runtime", 1, Moment::After), None);
}

#[test]
fn the_second_crash_is_one_of_what_came_back() {
    let mut log: Vec<Touch> = (0..9).map(|_| touch(5, "receiver", Op::DiskAppend)).collect();
    log.extend((0..9).map(|_| touch(9, "runtime", Op::DiskAppend)));
    log.extend((0..5).map(|_| touch(1005, "receiver", Op::DiskRead)));
    let first = |crash| Point { number: 9, crash, moment: Moment::After };
    for salt in 0..40 {
        let (host, point) =
            second(&log, Subject::Receiver, first(Crash::Kill), &salt.to_string()).expect("one");
        assert_eq!(host, Subject::Receiver, "the runtime never died");
        assert!((10..=14).contains(&point.number), "{point}");
    }
    let hosts = (0..40).map(|salt| second(&log, Subject::Receiver, first(Crash::Cut), &salt.to_string()));
    assert_eq!(hosts.flatten().map(|(host, _)| host).collect::<std::collections::BTreeSet<_>>().len(), 2);
    assert_eq!(second(&log[..9], Subject::Receiver, first(Crash::Kill), ""), None, "nobody came back");
}

#[test]
fn a_kind_of_call_that_is_in_use_and_at_which_nobody_died_is_told_of() {
    let mut coverage = Coverage::default();
    let (append, sync) = ([Op::DiskAppend; 2], [Op::DiskSync; 2]);
    coverage.there_are(Subject::Receiver, &append);
    coverage.there_are(Subject::Receiver, &sync);
    coverage.tried(Subject::Receiver, Op::DiskAppend, &append, true);
    // The story went another way, and the crash never came about.
    coverage.tried(Subject::Receiver, Op::DiskSync, &sync, false);
    coverage.there_are(Subject::Runtime, &append);
    assert_eq!(coverage.unreached(), ["runtime disk.append", "receiver disk.sync"]);
    coverage.tried(Subject::Receiver, Op::DiskSync, &sync, true);
    assert_eq!(coverage.unreached(), ["runtime disk.append"]);
}
