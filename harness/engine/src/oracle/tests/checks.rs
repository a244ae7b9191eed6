//! Every subject and every comparison of a check, and every member of a step's expectation, both ways.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use gauntlet_simulators::stage::Purpose;

use super::{Story, answer, callback, taken};
use crate::matrix::Selection;
use crate::oracle::expect;
use crate::runner::{Settings, outcome};
use crate::scenario::{self, CALLBACK, Check, DELIVERY, Expect, FILE, Lane, REFUSAL, TURN};
use crate::trace::What;

fn parse_check(text: &str) -> Check {
    let file = format!(
        "id: made/by-hand\ntitle: A story.\nsubject: receiver\nsteps:\n  - dispatch: {{ as: d, context: c, text: x }}\n  - dispatch: {{ as: e, context: other, text: x }}\nthen:\n  - {{ {text}, requirement: FLEET-ACK-01 }}\n"
    );
    let mut scenarios = scenario::read("x.yaml", &file, Lane::Virtual).expect("a check");
    scenarios.remove(0).then.remove(0)
}

/// Whether a check holds; nothing when its subject never came about.
fn holds(story: &Story, check: &str) -> Option<bool> {
    expect::check(&parse_check(check), &story.view()).map(|(difference, _)| difference.is_none())
}

/// A story in which the answer to a dispatch has this body.
fn result(body: Value) -> Story {
    Story::new().see(What::Result { step: "d".to_owned(), value: json!({ "body": body }) })
}

#[test]
fn every_comparison_holds_and_fails() {
    let story =
        result(json!({ "text": "hello", "list": [1, "two", null], "number": 5, "nothing": null, "c": "c" }));
    for (check, holding) in [
        ("at: /body/text, equals: hello", true),
        ("at: /body/text, equals: hell", false),
        ("at: /body/absent, equals: \"\"", false),
        ("at: /body/number, equals: 5", true),
        ("at: /body/number, equals: \"5\"", false),
        ("at: /body/text, differs: hell", true),
        ("at: /body/text, differs: hello", false),
        ("at: /body/absent, differs: hello", false),
        ("at: /body/text, contains: ell", true),
        ("at: /body/text, contains: elk", false),
        ("at: /body/list, contains: two", true),
        ("at: /body/list, contains: tw", false),
        ("at: /body/number, contains: 5", false),
        ("contains: body", true),
        ("contains: absent", false),
        ("at: /body/text, lacks: elk", true),
        ("at: /body/text, lacks: ell", false),
        ("at: /body/list, lacks: three", true),
        ("at: /body/list, lacks: two", false),
        ("at: /body/list, count: 3", true),
        ("at: /body/list, count: 2", false),
        ("at: /body/text, count: 5", true),
        ("at: /body/text, count: 4", false),
        ("at: /body/number, count: 5", false),
        ("at: /body/number, at_most: 5", true),
        ("at: /body/number, at_most: 4.9", false),
        ("at: /body/text, at_most: 9", false),
        ("at: /body/number, at_least: 5", true),
        ("at: /body/number, at_least: 5.1", false),
        ("at: /body/absent, at_least: 0", false),
        ("at: /body/text, present: true", true),
        ("at: /body/absent, present: true", false),
        ("at: /body/nothing, present: true", false),
        ("at: /body/absent, present: false", true),
        ("at: /body/text, present: false", false),
    ] {
        assert_eq!(holds(&story, &format!("result: d, {check}")), Some(holding), "{check}");
    }
    assert_eq!(holds(&Story::new(), "result: d, equals: 1"), None, "the step has no result");
    for check in [
        "at: /body/absent, lacks: x",
        "at: /body/nothing, lacks: x",
        "at: /body/absent, count: 0",
        "at: /body/absent/deep, present: false",
        "at: /body/nothing/deep, present: false",
        "at: /body/absent, column: { of: /a, is: [] }",
    ] {
        assert_eq!(holds(&story, &format!("result: d, {check}")), None, "{check}: nothing says so");
    }
}

#[test]
fn null_is_a_value_to_compare_with() {
    let story = result(json!({ "nothing": null, "text": "x" }));
    assert_eq!(holds(&story, "result: d, at: /body/nothing, equals: null"), Some(true));
    assert_eq!(holds(&story, "result: d, at: /body/text, equals: null"), Some(false));
    assert_eq!(holds(&story, "result: d, at: /body/text, differs: null"), Some(true));
}

#[test]
fn a_finding_shows_no_part_of_a_secret_and_where_its_subject_is_from() {
    let token = Story::new().names.token;
    // The cut is at 600 characters: the secret would lie across it.
    let story = result(json!({ "text": format!("{}{token}", "x".repeat(580)) }));
    let (difference, trace) =
        expect::check(&parse_check("result: d, equals: 1"), &story.view()).expect("a result");
    let observed = difference.expect("it differs").observed;
    assert!(observed.len() > 500 && !observed.contains(&token[..8]), "{observed}");
    assert_eq!(trace, [1]);
}

#[test]
fn a_column_is_one_member_of_every_element_in_order() {
    let story = result(json!({ "list": [{ "a": 1 }, { "a": 2 }, {}] }));
    for (is, holding) in [("[1, 2, null]", true), ("[2, 1, null]", false), ("[1, 2]", false), ("[]", false)] {
        let check = format!("result: d, at: /body/list, column: {{ of: /a, is: {is} }}");
        assert_eq!(holds(&story, &check), Some(holding), "{is}");
    }
}

#[test]
fn references_in_what_is_expected_stand_for_the_names_of_the_cell() {
    let names = Story::new().names;
    let story = result(json!({ "context": names.context("c"), "text": format!("x {}", names.nonce("d")) }));
    assert_eq!(holds(&story, "result: d, at: /body/context, equals: \"{context:c}\""), Some(true));
    assert_eq!(holds(&story, "result: d, at: /body/context, equals: \"{context:d}\""), Some(false));
    assert_eq!(holds(&story, "result: d, at: /body/text, contains: \"{nonce:d}\""), Some(true));
}

#[test]
fn turns_are_seen_as_the_cli_saw_them() {
    let stdout = "{\"type\":\"thread.started\",\"thread_id\":\"t\"}\nnoise\n\
        {\"type\":\"item.completed\",\"item\":{\"type\":\"agent_message\",\"text\":\"one\"}}\n\
        {\"id\":\"0\",\"msg\":{\"type\":\"agent_message\",\"message\":\"two\"}}\n";
    let story = Story::new()
        .dispatched("d", "c", true)
        .dispatched("e", "other", true)
        .turn("d", 100, Some("s"))
        .wait(50)
        .turn("e", 101, None)
        .wait(50)
        .left(100, stdout);
    for check in [
        "cli_turns: {}, count: 2",
        "cli_turns: { context: c }, count: 1",
        "cli_turns: { dispatch: e }, at: /0/session, present: false",
        "cli_turns: { context: c }, at: /0/prompt, equals: do d",
        "cli_turns: { context: c }, at: /0/ended_ms, equals: 100",
        "cli_turns: { context: other }, at: /0/ended_ms, present: false",
        "cli_turns: { context: c }, at: /0/thread_lines, equals: [t]",
        "cli_turns: { context: c }, at: /0/messages, equals: [one, two]",
        "overlaps: {}, equals: 1",
    ] {
        assert_eq!(holds(&story, check), Some(true), "{check}");
    }
    assert_eq!(holds(&story, "overlaps: { context: c }, equals: 0"), None, "one turn overlaps with none");
    let in_turn = Story::new().turn("d", 100, None).wait(50).left(100, "").turn("e", 101, None);
    assert_eq!(holds(&in_turn, "overlaps: {}, equals: 0"), Some(true), "one begins when the other ends");
}

#[test]
fn an_end_belongs_to_the_start_before_it_when_pids_come_again() {
    let story = Story::new()
        .turn("d", 100, None)
        .wait(10)
        .left(100, "")
        .wait(10)
        .turn("e", 100, None)
        .wait(10)
        .left(100, "");
    assert_eq!(holds(&story, "cli_turns: {}, column: { of: /ended_ms, is: [10, 30] }"), Some(true));
}

#[test]
fn callbacks_are_seen_as_they_came() {
    let plain = Story::new().dispatched("d", "c", true).transcript("c", 1);
    let right = callback("codex-1", &plain.names.context("c"), "done").replacen(
        "Host: x",
        &format!("Authorization: Bearer {}", plain.names.hermes_token),
        1,
    );
    let wrong = callback("codex-2", "stranger", "other").replacen("Host: x", "Authorization: Bearer x", 1);
    let story =
        plain.called_back(&right, &taken()).called_back(&wrong, "").called("3", "c", &answer(503, ""));
    for check in [
        "callbacks: {}, count: 3",
        "callbacks: { context: c }, count: 2",
        "callbacks: {}, column: { of: /id, is: [codex-1, codex-2, \"3\"] }",
        "callbacks: {}, column: { of: /context, is: [c, stranger, c] }",
        "callbacks: {}, column: { of: /authorization, is: [right, wrong, none] }",
        "callbacks: {}, column: { of: /status, is: [200, null, 503] }",
        "callbacks: {}, column: { of: /recorded, is: [true, false, true] }",
        "callbacks: {}, at: /0/role, equals: agent",
        "callbacks: {}, at: /0/path, equals: /jsonrpc",
        "callbacks: {}, at: /0/method, equals: SendMessage",
        "callbacks: {}, at: /0/jsonrpc, equals: \"2.0\"",
    ] {
        assert_eq!(holds(&story, check), Some(true), "{check}");
    }
}

#[test]
fn a_record_that_comes_after_its_callback_was_not_there_before() {
    let story = Story::new().dispatched("d", "c", true).called("1", "c", &taken()).transcript("c", 1);
    assert_eq!(holds(&story, "callbacks: {}, at: /0/recorded, equals: false"), Some(true));
}

#[test]
fn deliveries_records_files_and_leftovers_are_seen() {
    let story = Story::new()
        .delivered("1", "c")
        .transcript("c", 2)
        .file(
            "repo/.hermes/a2a-codex-inbox.jsonl",
            Some("{\"from\":\"hermes\",\"contextId\":\"x\"}\n[1]\n{\"torn"),
        )
        .file("repo/a.json", Some("{\"a\": 1}"))
        .file("repo/b.token", Some("old"))
        .file("repo/b.token", Some("\u{fffd}"))
        .file("home/.config/x", Some("at home"))
        .file("hermes/deliveries.jsonl", Some("delivered"))
        .file("repo/gone", Some("x"))
        .file("repo/gone", None)
        .see(What::Leftovers { moment: "end".to_owned(), processes: vec!["codex".to_owned()] });
    for check in [
        "deliveries: {}, count: 1",
        "deliveries: { context: c }, at: /0/text, equals: done",
        "transcript: { context: c }, count: 3",
        "inbox: {}, column: { of: /context, is: [x] }",
        "file: a.json, at: /json/a, equals: 1",
        "file: a.json, at: /mode, equals: \"0600\"",
        "file: b.token, at: /text, equals: \"\u{fffd}\"",
        "file: b.token, at: /mode, equals: \"0600\"",
        "file: ~/.config/x, at: /text, equals: at home",
        "file: ~hermes/deliveries.jsonl, at: /text, equals: delivered",
        "file: gone, at: /exists, equals: false",
        "file: never, at: /exists, equals: false",
        "leftovers: true, equals: [codex]",
    ] {
        assert_eq!(holds(&story, check), Some(true), "{check}");
    }
}

#[test]
fn refusals_are_those_of_the_cli_and_need_a_start() {
    let refused = |purpose| Story::new().turn("d", 100, None).invoked(Some("e"), 101, purpose);
    let story = refused(Purpose::Refused("unexpected argument '--json' found".to_owned()));
    assert_eq!(holds(&story, "refusals: {}, count: 1"), Some(true));
    assert_eq!(holds(&story, "refusals: { dispatch: d }, count: 0"), Some(true));
    assert_eq!(
        holds(&story, "refusals: {}, column: { of: /reason, is: [\"unexpected argument '--json' found\"] }"),
        Some(true)
    );
    let unplayed = refused(Purpose::Unplayed("this stand-in does not play --odd".to_owned()));
    assert_eq!(holds(&unplayed, "refusals: {}, count: 0"), Some(true));
    assert_eq!(holds(&Story::new(), "refusals: {}, count: 0"), None, "it was never started");
    assert_eq!(holds(&Story::new(), "leftovers: true, count: 0"), None, "nobody looked");
}

#[test]
fn a_check_of_a_name_that_nobody_gave_is_a_mistake() {
    let mistake = |check: &str| {
        let file = format!(
            "id: made/by-hand\ntitle: A story.\nsubject: receiver\nsteps:\n  - dispatch: {{ as: first, context: c1, text: x }}\n  - write: {{ path: x, text: \"{{context:c2}}\", asks: [c3] }}\nthen:\n  - {{ {check}, count: 0, requirement: FLEET-ACK-01 }}\n"
        );
        scenario::read("x.yaml", &file, Lane::Virtual)
            .err()
            .map(|error| (error.line, error.message, error.help))
    };
    for known in ["c1", "c2", "c3", "first"] {
        assert_eq!(
            mistake(&format!("callbacks: {{ context: {known} }}")).map(|found| found.1),
            None,
            "{known}"
        );
    }
    let (line, message, help) = mistake("cli_turns: { dispatch: fist }").expect("a mistake");
    assert_eq!((line, message.as_str()), (8, "expected the name of a dispatch; found \"fist\""));
    assert_eq!(help.as_deref(), Some("did you mean \"first\"?"));
    for wrong in [
        "callbacks: { context: c4 }",
        "overlaps: { context: c4 }",
        "transcript: { dispatch: first }",
        "deliveries: { dispatch: first }",
        "refusals: { dispatch: c1 }",
        "result: c1",
    ] {
        assert!(mistake(wrong).is_some(), "{wrong}");
    }
}

#[test]
fn every_member_of_an_expectation_is_looked_at() {
    let value = json!({
        "acknowledged": true,
        "status": 200,
        "body": { "error": { "code": -32001, "message": "busy" } },
        "text": "hello",
        "tool": { "class": "refused" },
        "happens": false,
        "code": 2,
        "elapsed_ms": 1500,
    });
    let story = Story::new();
    let held = |text: &str| {
        let verb = match text {
            _ if text.contains("happens") || text.contains("exit_code") => "stop: receiver",
            _ => "dispatch: { context: c, text: x }",
        };
        let file = format!(
            "id: made/by-hand\ntitle: A story.\nsubject: receiver\nsteps:\n  - {verb}\n    expect: {{ {text} }}\n    requirement: FLEET-ACK-01\n"
        );
        let scenario = scenario::read("x.yaml", &file, Lane::Virtual).expect("an expectation").remove(0);
        let expect: Expect = scenario.steps[0].expect.clone().expect("it is there");
        (
            expect::step(&expect, &value, &story.view()).is_none(),
            expect::step(&expect, &json!({}), &story.view()).is_none(),
        )
    };
    for (right, wrong) in [
        ("acknowledged: true", "acknowledged: false"),
        ("rpc_error: -32001", "rpc_error: -32000"),
        ("rpc_message: busy", "rpc_message: bus"),
        ("status: 200", "status: 201"),
        ("body: { error: { code: -32001, message: busy } }", "body: { error: { code: -32001 } }"),
        ("text: hello", "text: hell"),
        ("text_contains: ell", "text_contains: elk"),
        ("error_class: refused", "error_class: unknown"),
        ("happens: false", "happens: true"),
        ("exit_code: 2", "exit_code: 0"),
        ("at_most: 1500ms", "at_most: 1499ms"),
    ] {
        assert_eq!(held(right), (true, false), "{right}");
        assert_eq!(held(wrong), (false, false), "{wrong}");
        let other = if right.starts_with("at_most") { "status: 201" } else { "at_most: 1ms" };
        let both = format!("{right}, {other}");
        assert!(!held(&both).0, "{both}: all must hold");
    }
}

fn members(value: Option<&Value>) -> BTreeSet<&str> {
    value.and_then(Value::as_object).expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn subjects_have_the_members_that_checks_may_look_at() {
    let story = Story::new()
        .dispatched("d", "c", true)
        .turn("d", 100, Some("s"))
        .left(100, "")
        .invoked(Some("d"), 101, Purpose::Refused("no".to_owned()))
        .called("1", "c", &taken())
        .delivered("1", "c");
    for (subject, place, known) in [
        ("cli_turns: {}", "/0", TURN),
        ("refusals: {}", "/0", REFUSAL),
        ("callbacks: {}", "/0", CALLBACK),
        ("deliveries: {}", "/0", DELIVERY),
        ("file: x", "", FILE),
    ] {
        let check = parse_check(&format!("{subject}, present: true"));
        let looked = story.view().subject(check.subject().expect("a subject")).expect("it came about");
        let known = known.iter().copied().collect();
        assert_eq!(members(looked.value.pointer(place)), known, "{subject}");
    }
}

#[test]
fn results_have_only_members_that_checks_may_look_at() {
    let library = &*super::LIBRARY;
    let selection = Selection { lanes: vec![Lane::Virtual], ..Selection::default() };
    let mut named = 0;
    for plan in selection.probes(library) {
        let outcome =
            outcome(&plan, library, &Settings::default(), &Arc::default()).expect("nobody ended the cell");
        for step in plan.scenario.steps.iter().filter(|step| step.name().is_some()) {
            let known = step.verb().expect("a verb").result();
            let results = outcome.observations.iter().filter_map(|seen| match &seen.what {
                What::Result { step: name, value } if Some(name.as_str()) == step.name() => Some(value),
                _ => None,
            });
            for member in results.flat_map(|value| members(Some(value))) {
                assert!(known.contains(&member), "{}: {member} of {:?}", plan.id(), step.name());
                named += 1;
            }
        }
    }
    assert!(named > 100, "{named} members were looked at");
}
