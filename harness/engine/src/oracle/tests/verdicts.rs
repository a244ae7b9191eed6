//! How single findings come to one verdict for each requirement.

use std::sync::Arc;

use gauntlet_reports::Verdict::{Fail, Inconclusive, Pass};
use gauntlet_simulators::stage::Purpose;
use serde_json::json;

use super::{Story, taken};
use crate::cell::Deviation;
use crate::trace::What;

const STEPS: &str = "id: made/by-hand
title: A story.
subject: receiver
steps:
  - dispatch: { as: one, context: c, text: x }
    expect: { acknowledged: true }
    requirement: FLEET-HTTP-17
  - dispatch: { as: two, context: c, text: y }
    expect: { acknowledged: true }
    requirement: FLEET-CB-01
then:
  - { result: two, at: /acknowledged, equals: true, requirement: FLEET-ACK-01 }
";

fn result(step: &str, acknowledged: bool) -> What {
    What::Result { step: step.to_owned(), value: json!({ "acknowledged": acknowledged }) }
}

#[test]
fn the_first_step_without_an_end_fails_and_what_rests_on_it_cannot_be_judged() {
    let story = Story::of(STEPS).see(result("one", true));
    assert_eq!(story.verdict("FLEET-HTTP-17"), Pass);
    assert_eq!(story.verdict("FLEET-CB-01"), Fail);
    assert_eq!(story.verdict("FLEET-ACK-01"), Inconclusive);
    let story = Story::of(STEPS);
    assert_eq!((story.verdict("FLEET-HTTP-17"), story.verdict("FLEET-CB-01")), (Fail, Inconclusive));
}

#[test]
fn a_step_in_which_the_runtime_died_says_nothing_of_the_receiver() {
    let value = json!({ "acknowledged": false, "tool": { "interrupted": true } });
    let story = Story::of(STEPS).see(What::Result { step: "one".to_owned(), value });
    assert_eq!(story.verdict("FLEET-HTTP-17"), Inconclusive);
}

#[test]
fn what_rests_on_something_that_failed_is_inconclusive_and_names_it() {
    let story = Story::of(STEPS).see(result("one", false)).see(result("two", true));
    let base = "FLEET-HTTP-17";
    assert!(story.library.catalogue.foundations("FLEET-ACK-01").contains(&base), "the data has changed");
    assert_eq!(story.verdict(base), Fail);
    let judged = &story.judged()["FLEET-ACK-01"];
    assert_eq!(judged.verdict, Inconclusive);
    assert!(judged.reason.as_deref().is_some_and(|reason| reason.contains(base)), "{judged:?}");
    // The other way round it is a failure of its own.
    let story = Story::of(STEPS).see(result("one", true)).see(result("two", false));
    assert_eq!((story.verdict(base), story.verdict("FLEET-ACK-01")), (Pass, Fail));
}

#[test]
fn what_rests_on_it_through_others_is_inconclusive_too() {
    let catalogue = &Story::new().library.catalogue;
    let deep = catalogue.ids().find(|id| {
        let direct = &catalogue.get(id).expect("it is there").depends_on;
        catalogue.foundations(id).len() > direct.len()
    });
    let deep = deep.expect("some requirement rests on another through a third").to_owned();
    let direct = &catalogue.get(&deep).expect("it is there").depends_on;
    let far =
        catalogue.foundations(&deep).into_iter().find(|base| direct.iter().all(|named| named.value != *base));
    let far = far.expect("a base of a base");
    let scenario = format!(
        "id: made/by-hand\ntitle: A story.\nsubject: receiver\nsteps:\n  - dispatch: {{ as: one, context: c, text: x }}\nthen:\n  - {{ result: one, at: /body/a, equals: 1, requirement: {far} }}\n  - {{ result: one, at: /body/b, equals: 1, requirement: {deep} }}\n"
    );
    let value = json!({ "body": { "a": 2, "b": 1 } });
    let story = Story::of(&scenario).see(What::Result { step: "one".to_owned(), value });
    assert_eq!((story.verdict(far), story.verdict(&deep)), (Fail, Inconclusive));
}

#[test]
fn the_worst_of_several_findings_counts_and_none_is_lost() {
    let scenario = STEPS.replace("FLEET-CB-01", "FLEET-HTTP-17");
    let story = Story::of(&scenario).see(result("one", false)).see(result("two", true));
    let judged = &story.judged()["FLEET-HTTP-17"];
    assert_eq!((judged.verdict, judged.findings.len()), (Fail, 1));
    let story = Story::of(&scenario).see(result("one", false)).see(result("two", false));
    let judged = &story.judged()["FLEET-HTTP-17"];
    let traces: Vec<_> = judged.findings.iter().map(|finding| finding.trace.clone()).collect();
    assert_eq!(traces, [vec![0], vec![1]]);
}

#[test]
fn a_stand_in_that_cannot_play_its_part_lets_nobody_fail() {
    let called = |purpose| {
        Story::of(STEPS).invoked(None, 100, purpose).see(result("one", false)).see(result("two", true))
    };
    let unplayed = || Purpose::Unplayed("this stand-in does not play --odd".to_owned());
    let story = called(unplayed());
    let judged = &story.judged()["FLEET-HTTP-17"];
    assert_eq!(judged.verdict, Inconclusive);
    assert!(
        judged.reason.as_deref().is_some_and(|reason| reason.contains("--odd") && reason.contains("exec"))
    );
    assert_eq!(story.verdict("FLEET-CB-01"), Pass, "what held still holds");
    // A call that the real CLI would refuse as well is the receiver's own mistake.
    let refused = called(Purpose::Refused("unexpected argument".to_owned()));
    assert_eq!(refused.verdict("FLEET-HTTP-17"), Fail);
    // What failed before does not rest on the CLI, and neither does a secret that is out.
    let before = Story::of(STEPS).see(result("one", false)).invoked(None, 100, unplayed());
    assert_eq!(before.see(result("two", true)).verdict("FLEET-HTTP-17"), Fail);
    let token = story.names.token.clone();
    let delivered = What::Delivered { id: "1".to_owned(), context: "c".to_owned(), text: token, late: false };
    assert_eq!(called(unplayed()).see(delivered).verdict("FLEET-INV-06"), Fail);
}

#[test]
fn under_a_fault_only_what_holds_in_every_world_is_judged() {
    let mut story =
        Story::of(STEPS).see(result("one", false)).dispatched("one", "c", true).called("1", "c", &taken());
    let fault = story.library.faults.values().next().expect("a fault").clone();
    story.plan.deviation = Some(Deviation::Fault(Arc::clone(&fault)));
    let judged = story.judged();
    let invariant = |id: &str| id.starts_with("FLEET-INV-") || id == "FLEET-AUTH-09";
    assert!(judged.keys().all(|id| invariant(id)), "{:?}", judged.keys());
    assert_eq!(story.verdict("FLEET-INV-03"), Pass);
    assert_eq!(story.verdict("FLEET-INV-04"), Fail);
}

#[test]
fn every_invariant_is_a_requirement_that_is_marked_as_one() {
    let of_receiver = Story::new();
    let of_node = Story::of(&super::PLAIN.replace("subject: receiver", "subject: hermes"));
    let of_team = Story::of(&super::PLAIN.replace("subject: receiver", "subject: team"));
    let judged = [of_receiver.judged(), of_node.judged(), of_team.judged()];
    for requirement in super::LIBRARY.catalogue.all() {
        let id = &requirement.id.value;
        let is_judged = judged.iter().any(|judged| judged.contains_key(id));
        assert_eq!(requirement.invariant, is_judged, "{id}");
    }
}

#[test]
fn a_receiver_that_was_never_ready_is_not_praised_for_what_it_left_undone() {
    let judged = |subject: &str, steps: &str, check: &str, seen: &[What]| {
        let scenario = format!(
            "id: made/by-hand\ntitle: A story.\nsubject: {subject}\ngiven: {{ receiver: {{ started: false }} }}\nsteps:\n{steps}then:\n  - {{ \
             {check}, requirement: FLEET-CB-01 }}\n"
        );
        let story = seen.iter().fold(Story::of(&scenario), |story, what| story.see(what.clone()));
        story.verdict("FLEET-CB-01")
    };
    let (idle, refused) = (
        "  - advance: 1s\n",
        "  - start: receiver\n    expect: { happens: false }\n    requirement: FLEET-AUTH-07\n",
    );
    let (ready, ended) =
        (What::Ready { host: "receiver".to_owned() }, What::Ended { host: "receiver".to_owned(), code: 2 });
    for check in [
        "callbacks: {}, count: 0",
        "cli_turns: {}, equals: []",
        "transcript: {}, lacks: x",
        "inbox: {}, column: { of: /text, is: [] }",
        "deliveries: {}, differs: [x]",
    ] {
        for (subject, steps, seen, verdict) in [
            ("receiver", idle, &[][..], Inconclusive),
            ("receiver", idle, std::slice::from_ref(&ready), Pass),
            // Its end says nothing when it should have come up, and all when it should not.
            ("receiver", idle, std::slice::from_ref(&ended), Inconclusive),
            ("receiver", refused, std::slice::from_ref(&ended), Pass),
            ("receiver", refused, &[], Inconclusive),
            ("runtime", idle, &[], Pass),
        ] {
            assert_eq!(judged(subject, steps, check, seen), verdict, "{check} {subject} {steps} {seen:?}");
        }
    }
    // What should be there and is not is a failure all the same.
    assert_eq!(judged("receiver", idle, "callbacks: {}, count: 1", &[]), Fail);
    assert_eq!(judged("receiver", idle, "file: x, at: /exists, equals: false", &[]), Pass);
}
