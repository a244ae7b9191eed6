//! The checks can fail: the subject is broken once in each area, and the named requirement must fail.
//!
//! A mutant is a quirk that is not in the data, or a wrong configuration. It is not scored; it only shows that the scenario and
//! the requirement would notice.

mod cells;

use std::collections::BTreeMap;
use std::sync::Arc;

use cells::{explain, library, plain, run, settings};
use gauntlet_engine::cell::{Deviation, Plan};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::scenario::{Scenario, Step};
use gauntlet_reports::{Lane, Verdict};
use gauntlet_simulators::stage::ShellCommand;
use gauntlet_world::injection::Quirk;
use serde_json::{Value, json};

/// The newest version of each executor.
const NEWEST: [&str; 3] = ["codex-0.169.0", "opencode-1.18.33", "agy-sheet"];

/// The cell of a scenario, or of `scenario@executor`, on the newest version of the first executor that it is for.
fn cell(scenario: &str) -> Plan {
    let (scenario, executor) = scenario.split_once('@').unwrap_or((scenario, ""));
    let newest = NEWEST.iter().filter(|newest| newest.starts_with(executor));
    let mut cells = newest.flat_map(|newest| plain(&library(), &format!("fleet/{scenario}@{newest}#0")));
    cells.next().expect("the scenario exists on a newest version")
}

fn must_fail(plan: Plan, requirement: &str) {
    let record = run(vec![plan], &library(), &settings(1)).remove(0);
    let verdict = record.judgements.get(requirement).map(|judgement| judgement.verdict);
    assert_eq!(verdict, Some(Verdict::Fail), "{requirement} should have failed\n{}", explain(&record));
}

/// Breaks the subject at an injection point.
fn at_point(scenario: &str, at: &str, deviation: Value, matches: Value, requirement: &str) {
    when(scenario, at, deviation, json!({ "matches": matches }), requirement);
}

/// Breaks the subject at an injection point, at a certain time.
fn when(scenario: &str, at: &str, deviation: Value, when: Value, requirement: &str) {
    let quirk: Quirk = serde_json::from_value(json!({
        "id": "mutant", "title": "A mutant.", "role": "receiver", "at": at, "do": deviation,
        "when": when, "violates": [requirement], "seen_in": ["tests/mutants.rs"],
    }))
    .expect("a mutant is a quirk");
    must_fail(Plan { deviation: Some(Deviation::Quirk(Arc::new(quirk))), ..cell(scenario) }, requirement);
}

/// Breaks the subject by its configuration.
fn by_configuration(scenario: &str, member: &str, value: Value, requirement: &str) {
    let plan = cell(scenario);
    let mut broken = Scenario::clone(&plan.scenario);
    broken.given.receiver.config.extend(BTreeMap::from([(member.to_owned(), value)]));
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, requirement);
}

/// Breaks the world around the subject by other steps.
fn by_steps(scenario: &str, steps: &str, requirement: &str) {
    let plan = cell(scenario);
    let text = format!("id: fleet/mutant\ntitle: A mutant.\nsubject: receiver\nsteps:\n{steps}");
    let mutant =
        gauntlet_engine::scenario::read("mutant.yaml", &text, plan.lane).expect("a scenario").remove(0);
    let mut broken = Scenario::clone(&plan.scenario);
    broken.steps = mutant.steps;
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, requirement);
}

#[test]
fn http_an_error_that_travels_on_500() {
    at_point(
        "body-that-asks-for-nothing-array",
        "receiver.response",
        json!({ "replace": { "/status": 500 } }),
        json!({ "/path": "/jsonrpc" }),
        "FLEET-HTTP-07",
    );
}

#[test]
fn auth_a_wrong_bearer_that_is_taken() {
    at_point(
        "bearer-that-is-not-right-wrong",
        "receiver.auth",
        json!({ "replace": { "/accepted": true } }),
        json!({}),
        "FLEET-AUTH-02",
    );
}

#[test]
fn auth_a_receiver_that_asks_for_nothing() {
    by_configuration("bearer-that-is-not-right-missing", "auth_token_env", Value::Null, "FLEET-AUTH-01");
}

#[test]
fn ack_a_text_without_the_fixed_word() {
    at_point(
        "acknowledged-before-the-work",
        "receiver.ack",
        json!({ "replace": { "/text": "will do" } }),
        json!({}),
        "FLEET-ACK-02",
    );
}

#[test]
fn ack_that_comes_too_late() {
    at_point(
        "acknowledged-before-the-work",
        "receiver.ack",
        json!({ "delay": "20s" }),
        json!({}),
        "FLEET-ACK-01",
    );
}

#[test]
fn inbox_a_dispatch_that_is_acknowledged_and_not_kept() {
    at_point("work-in-the-repository", "receiver.inbox", json!("omit"), json!({}), "FLEET-INV-02");
}

#[test]
fn inbox_a_line_that_is_run_twice() {
    at_point(
        "work-in-the-repository",
        "receiver.handoff",
        json!({ "duplicate": {} }),
        json!({}),
        "FLEET-INV-01",
    );
}

#[test]
fn turns_of_one_context_that_overlap() {
    at_point("queue-of-one-context", "receiver.context_lock", json!("omit"), json!({}), "FLEET-TURN-02");
}

#[test]
fn turns_more_at_once_than_there_are_slots() {
    by_configuration("slots", "max_concurrent_turns", json!(3), "FLEET-TURN-04");
}

#[test]
fn turns_a_cap_that_is_not_kept() {
    by_configuration("turn-at-its-cap", "codex_timeout_s", json!(3000), "FLEET-TURN-08");
}

#[test]
fn codex_a_session_that_is_not_remembered() {
    at_point("second-turn-resumes", "receiver.session_save", json!("omit"), json!({}), "FLEET-CDX-04");
}

#[test]
fn opencode_arguments_in_another_order() {
    at_point(
        "opencode-at-work",
        "receiver.spawn",
        json!({ "replace": { "/args/4": "--model", "/args/5": "mock/mock-2", "/args/6": "--dangerously-skip-permissions" } }),
        json!({}),
        "FLEET-OC-01",
    );
}

#[test]
fn opencode_a_session_that_is_not_the_one_that_was_named() {
    let deviation = json!({ "replace": { "/session": "ses_of_nobody" } });
    at_point("opencode-noise", "receiver.session_save", deviation, json!({}), "FLEET-OC-02");
}

#[test]
fn opencode_a_later_turn_without_its_session() {
    let deviation = json!({ "replace": { "/args/1": "--title" } });
    let of_second = json!({ "nth": 2 });
    when("second-turn-resumes@opencode", "receiver.spawn", deviation, of_second, "FLEET-OC-03");
}

#[test]
fn opencode_a_reply_in_pieces() {
    let deviation = json!({ "replace": { "/text": "and the last word" } });
    at_point("opencode-noise", "receiver.callback", deviation, json!({}), "FLEET-OC-04");
}

#[test]
fn opencode_flags_that_get_through() {
    let deviation = json!({ "replace": { "/args/6": "plan" } });
    at_point("opencode-flags", "receiver.spawn", deviation.clone(), json!({}), "FLEET-OC-07");
    at_point("opencode-flags", "receiver.spawn", deviation, json!({}), "FLEET-OC-08");
}

#[test]
fn opencode_a_role_that_does_not_say_where() {
    by_configuration("built-in-role", "role_prompt", json!("You are somewhere."), "FLEET-OC-09");
}

#[test]
fn agy_arguments_in_another_order() {
    let deviation = json!({ "replace": {
        "/args/3": "--print-timeout", "/args/4": "43s", "/args/5": "--add-dir", "/args/6": "/cell/repo",
    } });
    at_point("agy-at-work", "receiver.spawn", deviation, json!({}), "FLEET-AGY-01");
}

#[test]
fn agy_a_limit_that_is_not_rounded_up() {
    let deviation = json!({ "replace": { "/args/6": "42s" } });
    at_point("agy-at-work", "receiver.spawn", deviation, json!({}), "FLEET-AGY-03");
    let deviation = json!({ "replace": { "/seconds": 400 } });
    at_point("agy-turn-at-its-cap", "receiver.cap", deviation.clone(), json!({}), "FLEET-AGY-03");
    at_point("agy-turn-at-its-cap", "receiver.cap", deviation, json!({}), "FLEET-INV-05");
}

#[test]
fn agy_a_conversation_that_is_not_the_one_that_was_found() {
    let deviation = json!({ "replace": { "/session": "u-of-nobody" } });
    at_point(
        "agy-conversation-that-is-not-told-empty",
        "receiver.discovery",
        deviation,
        json!({}),
        "FLEET-AGY-14",
    );
}

#[test]
fn agy_a_dead_conversation_whose_successor_is_not_gone_on_with() {
    let of_second = json!({ "nth": 2 });
    let lost = "agy-conversation-that-is-gone";
    when(lost, "receiver.session_save", json!("omit"), of_second, "FLEET-AGY-08");
}

#[test]
fn agy_a_mark_that_stays() {
    let deviation = json!({ "replace": { "/drifted": true } });
    at_point(
        "agy-drift-that-is-over",
        "receiver.replay",
        deviation,
        json!({ "/fits": true }),
        "FLEET-AGY-07",
    );
}

#[test]
fn agy_a_failure_that_empties_the_conversation() {
    let deviation = json!({ "replace": { "/missing": false } });
    at_point(
        "agy-nobody-signed-in-any-more",
        "receiver.sign_in",
        deviation,
        json!({ "/sign": "told" }),
        "FLEET-AGY-11",
    );
}

#[test]
fn guard_one_context_that_keeps_another_waiting() {
    let deviation = json!({ "replace": { "/free": false } });
    let of_other = json!({ "matches": { "/free": true }, "nth": 2 });
    when("context-in-flight", "receiver.claim", deviation, of_other, "FLEET-ACK-09");
}

#[test]
fn guard_a_context_that_is_let_go_before_its_turn_is_over() {
    let deviation = json!({ "replace": { "/free": true } });
    at_point(
        "backlog-of-one-context",
        "receiver.claim",
        deviation,
        json!({ "/free": false }),
        "FLEET-ACK-07",
    );
}

#[test]
fn turns_that_wait_for_a_slot_without_an_end() {
    by_configuration(
        "context-free-after-waiting-in-vain",
        "context_lock_wait_s",
        json!(600),
        "FLEET-TURN-05",
    );
}

#[test]
fn reply_that_says_something_else() {
    at_point(
        "work-in-the-repository",
        "receiver.callback",
        json!({ "replace": { "/text": "all done" } }),
        json!({}),
        "FLEET-REPLY-01",
    );
}

#[test]
fn callback_that_never_comes_and_is_nowhere_recorded() {
    at_point("refused-twice", "receiver.callback", json!("omit"), json!({ "/attempt": 3 }), "FLEET-CB-03");
}

#[test]
fn transcript_an_acknowledgement_that_is_not_recorded() {
    at_point(
        "shape-and-record",
        "receiver.transcript",
        json!("omit"),
        json!({ "/dir": "codex->hermes (ack)" }),
        "FLEET-TR-02",
    );
}

#[test]
fn life_a_receiver_that_never_idles_out() {
    by_configuration("nothing-to-do", "idle_timeout_s", json!(0), "FLEET-LIFE-02");
}

#[test]
fn invariants_a_bearer_in_the_log() {
    at_point(
        "bearer-that-is-not-right-wrong",
        "receiver.response",
        json!({ "replace": { "/body/error": "not {token}" } }),
        json!({ "/status": 401 }),
        "FLEET-INV-06",
    );
}

#[test]
fn invariants_a_reply_on_a_context_that_nobody_asked_on() {
    at_point(
        "work-in-the-repository",
        "receiver.callback",
        json!({ "replace": { "/contextId": "elsewhere" } }),
        json!({}),
        "FLEET-INV-03",
    );
}

#[test]
fn invariants_a_turn_that_outlasts_its_cap() {
    at_point("turn-at-its-cap", "receiver.group_kill", json!({ "delay": "60s" }), json!({}), "FLEET-INV-05");
}

#[test]
fn invariants_a_grandchild_that_outlives_the_receiver() {
    at_point(
        "told-to-end-during-a-turn",
        "receiver.group_kill",
        json!("omit"),
        json!({ "/because": "stop" }),
        "FLEET-INV-07",
    );
}

#[test]
fn runtime_that_presents_no_bearer() {
    let plan = cell("peer-that-answers");
    let mut broken = Scenario::clone(&plan.scenario);
    // The runtime is told of no bearer, and the receiver wants one.
    broken.given.receiver.auth = false;
    broken.given.receiver.config.insert("auth_token_env".to_owned(), json!("A2A_SUBJECT_TOKEN"));
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, "FLEET-CLI-01");
}

#[test]
fn hermes_that_forgets_what_it_delivered() {
    let steps = "
  - dispatch: { as: first, context: c1, text: do it }
  - await: { reply_to: first, within: 30s }
  - kill: runtime
  - remove: ~hermes/deliveries.jsonl
  - start: runtime
  - advance: 60s
";
    by_steps("late-thanks", steps, "FLEET-INV-04");
    by_steps("late-thanks", steps, "FLEET-CB-07");
}

#[test]
fn runtime_that_lets_every_caller_in() {
    // Callbacks are let in without a bearer when the configuration of the moment says so.
    let steps = "
  - write: { path: ~hermes/fleet.yaml, text: \"fleet: {server: {bind_port: 9219, auth_required: false}, agents: {subject: {url: 'http://127.0.0.1:{port}', token_env: A2A_SUBJECT_TOKEN, mode: {executor}}}}\" }
  - dispatch: { as: first, context: c1, text: do it }
  - await: { reply_to: first, within: 30s }
  - advance: 1s
";
    by_steps("reply-from-a-stranger", steps, "FLEET-CLI-18");
}

#[test]
fn runtime_that_sends_again_unasked() {
    let plan = cell("peer-that-acknowledges-somebody-else");
    let mut broken = Scenario::clone(&plan.scenario);
    let again = broken.steps.first().cloned().expect("it begins with the dispatch");
    broken.steps.insert(1, again);
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, "FLEET-CLI-19");
}

/// Breaks the subject under a fault of the world.
fn under_fault(scenario: &str, fault: &str, at: &str, deviation: Value, requirement: &str) {
    let library = library();
    let fault = library.faults.get(fault).expect("a fault").clone();
    let quirk: Quirk = serde_json::from_value(json!({
        "id": "mutant", "title": "A mutant.", "role": "receiver", "at": at, "do": deviation,
        "violates": [requirement], "seen_in": ["tests/mutants.rs"],
    }))
    .expect("a mutant is a quirk");
    let plan = Plan {
        deviation: Some(Deviation::Fault(fault)),
        release_quirks: vec![Arc::new(quirk)],
        ..cell(scenario)
    };
    must_fail(plan, requirement);
}

#[test]
fn crashes_an_outcome_that_is_never_sent() {
    under_fault(
        "work-in-the-repository",
        "kill-before-callback",
        "receiver.callback",
        json!("omit"),
        "FLEET-INV-02",
    );
}

#[test]
fn power_cuts_a_dispatch_that_was_acknowledged_and_not_kept() {
    under_fault(
        "work-in-the-repository",
        "power-cut-after-callback-taken",
        "receiver.inbox",
        json!("omit"),
        "FLEET-INV-02",
    );
}

/// Breaks the runtime's own Hermes node, which no quirk bites: by what it is given, or by what happens to it.
fn node(scenario: &str, change: impl FnOnce(&mut Scenario), requirement: &str) {
    let mut cells = plain(&library(), &format!("fleet/{scenario}@hermes-node#0"));
    let plan = cells.pop().expect("the scenario exists for Hermes nodes");
    let mut broken = Scenario::clone(&plan.scenario);
    change(&mut broken);
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, requirement);
}

/// A member below `fleet` in the configuration of a Hermes node.
fn configured(member: &str, value: Value) -> impl FnOnce(&mut Scenario) {
    let member = member.to_owned();
    move |scenario| drop(scenario.given.hermes.config.insert(member, value))
}

#[test]
fn hub_a_node_that_asks_for_no_bearer() {
    let open = || configured("server", json!({ "auth_required": false }));
    node("hub-bearer-that-is-not-right-missing", open(), "FLEET-HUB-23");
    node("hub-bearer-that-is-not-right-wrong", open(), "FLEET-HUB-24");
    node("hub-bearer-is-judged-first", open(), "FLEET-HUB-24");
    node("hub-bearer-that-nobody-set-unset", open(), "FLEET-AUTH-06");
}

#[test]
fn hub_a_callback_at_a_place_that_a_node_does_not_have() {
    let elsewhere = json!({ "replace": { "/url": "{url}-of-old" } });
    at_point("shape-and-record", "receiver.callback", elsewhere, json!({}), "FLEET-HUB-14");
}

#[test]
fn hub_a_node_that_answers_by_somebody_else() {
    node("hub-echo-ping", configured("response_handler", json!("agent")), "FLEET-HUB-01");
    node("hub-agent-that-says-nothing", configured("response_handler", json!("echo")), "FLEET-HUB-07");
    node("hub-model-that-fails-call", configured("response_handler", json!("echo")), "FLEET-HUB-10");
}

#[test]
fn hub_a_node_whose_configuration_was_not_edited() {
    let unedited = |scenario: &mut Scenario| scenario.steps.retain(|step| step.write.is_none());
    node("hub-configuration-that-is-edited", unedited, "FLEET-HUB-02");
    node("hub-configuration-that-is-broken-empty", unedited, "FLEET-HUB-31");
}

#[test]
fn hub_an_agent_that_is_not_busy_or_not_late() {
    let at_once = |scenario: &mut Scenario| {
        scenario.given.hermes.agent.iter_mut().for_each(|part| part.after = None);
    };
    node("hub-agent-that-is-busy", at_once, "FLEET-HUB-04");
    node("hub-agent-that-takes-too-long", at_once, "FLEET-HUB-05");
}

#[test]
fn hub_a_model_that_is_told_something_else() {
    let llm = json!({ "system_prompt": "Be cross." });
    node("hub-model-is-told-usual-limits", configured("llm", llm), "FLEET-HUB-48");
    // The history of another context is none.
    let elsewhere = |scenario: &mut Scenario| {
        let request = scenario.steps[0].request.as_mut().expect("a request");
        let json = request.json.as_mut().expect("a body");
        json["params"]["message"]["contextId"] = json!("crowd-{n}");
    };
    node("hub-history-of-a-context", elsewhere, "FLEET-HUB-11");
}

#[test]
fn hub_a_node_that_forgets_what_was_delivered() {
    let remove = |scenario: &mut Scenario| {
        let text = "id: fleet/mutant\ntitle: A mutant.\nsubject: hermes\nsteps:\n  - remove: ~hermes/deliveries.jsonl\n";
        let mutant = gauntlet_engine::scenario::read("mutant.yaml", text, Lane::Virtual);
        scenario.steps.insert(2, mutant.expect("a scenario").remove(0).steps.remove(0));
    };
    node("hub-reply-that-comes-again-later", remove, "FLEET-HUB-28");
}

#[test]
fn hub_a_node_that_listens_too_early_or_elsewhere() {
    let early = |scenario: &mut Scenario| scenario.given.hermes.connects = true;
    node("hub-connecting", early, "FLEET-HUB-12");
    let elsewhere = |scenario: &mut Scenario| {
        scenario.given.hermes.neighbour.as_mut().expect("a neighbour").same_bind = false;
    };
    node("hub-port-that-is-taken", elsewhere, "FLEET-HUB-13");
    node("hub-two-at-once", elsewhere, "FLEET-HUB-40");
}

#[test]
fn hub_a_neighbour_that_says_another_name() {
    let renamed = |scenario: &mut Scenario| {
        let neighbour = scenario.given.hermes.neighbour.as_mut().expect("a neighbour");
        neighbour.config.insert("self".to_owned(), json!({ "name": "somebody" }));
    };
    node("hub-spoken-to-by-a-neighbour", renamed, "FLEET-HUB-37");
    let misnamed = configured("self", json!({ "name": "somebody" }));
    node("hub-speaks-to-a-neighbour", misnamed, "FLEET-HUB-38");
}

/// Breaks the world around the runtime, where no quirk can say it: what its checks see then is what a broken runtime would have done.
fn changed(scenario: &str, change: impl FnOnce(&mut Vec<Step>), requirement: &str) {
    let plan = cell(scenario);
    let mut broken = Scenario::clone(&plan.scenario);
    let before = broken.steps.len();
    change(&mut broken.steps);
    let text = format!("{:?}", plan.scenario.steps);
    assert!(before != broken.steps.len() || text != format!("{:?}", broken.steps), "nothing was changed");
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, requirement);
}

fn steps(text: &str) -> Vec<Step> {
    let text = format!("id: fleet/mutant\ntitle: A mutant.\nsubject: runtime\nsteps:\n{text}");
    gauntlet_engine::scenario::read("mutant.yaml", &text, Lane::Virtual).expect("a scenario").remove(0).steps
}

#[test]
fn secrets_a_bearer_that_a_deploy_made() {
    // What a token file held at any time is a bearer, and this one is told in the runtime's own file, and in the receiver's log.
    let told = |where_to: &str| {
        let bearer = "made-by-a-deploy-4711";
        steps(&format!(
            "  - write: {{ path: \"{{file.token}}\", text: {bearer} }}\n  - write: {{ path: {where_to}, text: \"of {bearer}\" }}\n"
        ))
    };
    let in_yaml = told("~hermes/fleet.yaml.bak");
    changed("deployed-and-at-work", |steps| steps.extend(in_yaml), "FLEET-AUTH-09");
    let in_log = told(".hermes/codex_receiver.log");
    changed("deployed-and-at-work", |steps| steps.extend(in_log), "FLEET-INV-06");
}

/// The cell of a real task, over real processes.
fn task(scenario: &str, profile: &str) -> Plan {
    let only = format!("fleet/{scenario}@{profile}#0~real");
    let only = vec![Pattern::parse(&only).expect("a pattern")];
    let mut cells = Selection { only, lanes: vec![Lane::Real], ..Selection::default() }.plain(&library());
    cells.pop().expect("the task is set on this profile")
}

/// Breaks a real task by what is done for it.
fn done_otherwise(plan: Plan, change: impl FnOnce(&mut Scenario), requirement: &str) {
    let mut broken = Scenario::clone(&plan.scenario);
    change(&mut broken);
    must_fail(Plan { scenario: Arc::new(broken), ..plan }, requirement);
}

/// Breaks a real task by a peer that deviates.
fn told_otherwise(plan: Plan, at: &str, values: Value, requirement: &str) {
    let quirk: Quirk = serde_json::from_value(json!({
        "id": "mutant", "title": "A mutant.", "role": at.split('.').next(), "at": at, "do": { "replace": values },
        "violates": [requirement], "seen_in": ["tests/mutants.rs"],
    }))
    .expect("a mutant is a quirk");
    must_fail(Plan { deviation: Some(Deviation::Quirk(Arc::new(quirk))), ..plan }, requirement);
}

/// A command that leaves a file behind.
fn stray(like: &ShellCommand) -> ShellCommand {
    ShellCommand { command: "echo x > stray.txt".to_owned(), ..like.clone() }
}

#[test]
fn tasks_a_cli_that_says_that_it_mended_and_did_not() {
    let lies = |scenario: &mut Scenario| {
        let part = &mut scenario.given.executor.turns[0];
        part.commands.clear();
        part.reply = Some("test.sh ended with 1 before and 0 after: all passed".to_owned());
    };
    done_otherwise(task("bug-in-a-shell-script", "codex-0.169.0"), lies, "FLEET-TASK-01");
}

#[test]
fn tasks_a_reply_that_is_better_than_what_was_done() {
    let plan = task("bug-in-a-shell-script", "codex-0.169.0");
    told_otherwise(plan, "receiver.callback", json!({ "/text": "all is well" }), "FLEET-TASK-02");
}

#[test]
fn tasks_a_file_that_nobody_asked_for() {
    let leaves = |scenario: &mut Scenario| {
        let commands = &mut scenario.given.executor.turns[0].commands;
        // Behind the others, whose results the reply tells of.
        commands.push(stray(&commands[0]));
    };
    done_otherwise(task("bug-in-a-shell-script", "codex-0.169.0"), leaves, "FLEET-TASK-03");
}

#[test]
fn tasks_an_agent_that_says_that_it_mended_and_did_not() {
    let lies = |scenario: &mut Scenario| {
        let part = &mut scenario.given.hermes.agent[0];
        part.commands.clear();
        part.reply = Some("test.sh ended with 1 before and 0 after: all passed".to_owned());
    };
    done_otherwise(task("bug-mended-by-hermes", "hermes-node"), lies, "FLEET-TASK-04");
}

#[test]
fn tasks_a_node_whose_answer_is_better_than_what_was_done() {
    let better = json!({ "/body/result/message/parts/0/text": "all is well" });
    told_otherwise(task("bug-mended-by-hermes", "hermes-peer"), "hermes.response", better, "FLEET-TASK-05");
}

#[test]
fn tasks_an_agent_that_leaves_a_file_behind() {
    let leaves = |scenario: &mut Scenario| {
        let commands = &mut scenario.given.hermes.agent[0].commands;
        commands.push(stray(&commands[0]));
    };
    done_otherwise(task("bug-mended-by-hermes", "hermes-node"), leaves, "FLEET-TASK-06");
}

#[test]
fn the_list_of_mutants_is_that_of_these_tests() {
    let source = include_str!("mutants.rs");
    for (requirement, name) in &library().mutants {
        let body = source.split_once(&format!("fn {name}() {{")).map(|(_, rest)| rest);
        let body = body.and_then(|rest| rest.split_once("\n}\n")).map_or("", |(body, _)| body);
        assert!(body.contains(requirement), "{requirement}: expected a test {name} here that breaks it");
    }
}
