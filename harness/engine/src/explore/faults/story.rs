//! A story that nobody wrote: work for several contexts at once, and a world that misbehaves around it. What it is made of is drawn from
//! a list of choices; each family of misbehaviour is switched on or off for the whole story, so that some go far into one of them.

use std::sync::Arc;

use gauntlet_simulators::cli::Profile;
use gauntlet_world::injection::Quirk;
use serde_json::{Value, json};

use crate::data::Library;
use crate::explore::choices::Choices;

/// A story.
pub(super) struct Story {
    /// The executor.
    pub(super) executor: String,
    /// The version of its CLI.
    pub(super) profile: Arc<Profile>,
    /// The scenario, but for its id.
    pub(super) scenario: Value,
    /// The deviations of peers in it.
    pub(super) quirks: Vec<Arc<Quirk>>,
}

/// The families of misbehaviour.
struct Families {
    crashes: bool,
    disk: bool,
    network: bool,
    clock: bool,
    quirks: bool,
    order: bool,
    hosts: bool,
    callbacks: bool,
    failures: bool,
    payloads: bool,
    budget: bool,
    peers: bool,
    profiles: bool,
}

impl Families {
    fn draw(choices: &Choices) -> Self {
        let on = || choices.one_in(3);
        Self {
            crashes: choices.one_in(2),
            disk: on(),
            network: on(),
            clock: on(),
            quirks: on(),
            order: choices.one_in(2),
            hosts: choices.one_in(2),
            callbacks: on(),
            failures: on(),
            payloads: on(),
            budget: choices.one_in(6),
            peers: choices.one_in(6),
            profiles: choices.one_in(6),
        }
    }
}

/// The port of a peer that is none of ours.
const STRANGER: u16 = 9478;

/// Makes the story of a list. Nothing when it is of an executor of whose CLI nobody knows what it prints.
pub(super) fn story(library: &Library, choices: &Choices) -> Option<Story> {
    let with_receiver = library.executors.values().filter(|executor| executor.files.is_some());
    let executors: Vec<&str> = with_receiver.map(|executor| executor.id.value.as_str()).collect();
    let executor = *choices.one(&executors);
    // The newest one first.
    let versions: Vec<Arc<Profile>> = library.versions(executor).into_iter().rev().collect();
    let version = if choices.one_in(4) { choices.of_so_many(versions.len()) } else { 0 };
    let profile = versions.get(version)?.clone();
    let families = Families::draw(choices);
    let (mut turns, mut steps) = (Vec::new(), Vec::new());
    if families.peers {
        steps.extend(second_peer());
    }
    let dispatches = 1 + choices.of_so_many(5);
    let contexts = 1 + choices.of_so_many(3);
    for number in 1..=dispatches {
        let name = format!("d{number}");
        steps.push(json!({ "dispatch": dispatch(choices, &families, &name, contexts) }));
        turns.push(turn(choices, &families, &name));
        beside(choices, &families, number, contexts, &mut steps);
        between(choices, &families, &name, &mut steps);
    }
    let mut given = json!({ "executor": { "turns": turns } });
    if families.callbacks {
        let answers: Vec<Value> = (0..=choices.of_so_many(3)).map(|_| answer(choices)).collect();
        given["hermes"] = json!({ "answers": answers });
    }
    if families.budget {
        given["peer"] = json!({ "budget": { "turns": 1 + choices.of_so_many(4), "period": "never" } });
    }
    if choices.one_in(3) {
        given["receiver"] = json!({ "config": { "max_concurrent_turns": 1 + choices.of_so_many(2) } });
    }
    if families.profiles {
        given["hermes"]["neighbour"] = json!({});
        given["receiver"]["config"]["hermes_profile"] = json!(NEIGHBOUR);
    }
    let quirks = quirks(library, choices, &families, executor);
    let disturbances = disturbances(choices, &families, &quirks);
    if disturbances.as_object().is_some_and(|members| !members.is_empty()) {
        given["disturbances"] = disturbances;
    }
    let scenario = json!({
        "title": "What exploration found.",
        "subject": "receiver",
        "executors": [executor],
        "given": given,
        "steps": steps,
    });
    Some(Story { executor: executor.to_owned(), profile, scenario, quirks })
}

/// The other profile on the machine of the runtime.
const NEIGHBOUR: &str = "neighbour";

/// A second peer of the runtime, which answers at once.
fn second_peer() -> [Value; 2] {
    let entry = format!("    other:\n      url: http://127.0.0.1:{STRANGER}\n      mode: {{executor}}\n");
    let message = json!({ "role": "agent", "parts": [{ "text": "taken" }], "contextId": "{context:c1}" });
    let says = json!({ "jsonrpc": "2.0", "id": 1, "result": { "kind": "message", "message": message } });
    [
        json!({ "write": { "path": "~hermes/fleet.yaml", "text": entry, "append": true } }),
        json!({ "stranger": { "port": STRANGER, "says": says } }),
    ]
}

/// What the runtime sends to its other peer, and what another profile sends to the receiver.
fn beside(choices: &Choices, families: &Families, number: usize, contexts: usize, steps: &mut Vec<Value>) {
    let send = |agent: &str, message: String, context: String| json!({ "agent": agent, "message": message, "context_id": context });
    if families.peers && choices.one_in(2) {
        let context = format!("{{context:c{}}}", 1 + choices.of_so_many(contexts));
        let args = send("other", format!("aside {number}"), context);
        steps.push(json!({ "call": { "as": format!("p{number}"), "tool": "fleet_send", "args": args } }));
    }
    if families.profiles && choices.one_in(2) {
        let name = format!("n{number}");
        let context = format!("{{context:of-another-{}}}", 1 + choices.of_so_many(2));
        let args = send("subject", format!("work {{nonce:{name}}}"), context);
        steps.push(
            json!({ "call": { "as": name, "by_neighbour": true, "tool": "fleet_send", "args": args } }),
        );
        if choices.one_in(3) {
            steps.push(json!({ "disconnect": NEIGHBOUR }));
            steps.push(json!({ "advance": *choices.one(&["10ms", "3s", "700s"]) }));
            steps.push(json!({ "connect": NEIGHBOUR }));
        }
    }
}

fn dispatch(choices: &Choices, families: &Families, name: &str, contexts: usize) -> Value {
    let mut dispatch = json!({ "as": name, "text": format!("work {name}") });
    // A context that the receiver makes up is one, too.
    match choices.of_so_many(contexts + 1) {
        anonymous if anonymous == contexts => {}
        number => dispatch["context"] = json!(format!("c{}", number + 1)),
    }
    if families.payloads && choices.one_in(2) {
        let mut task = json!({ "context": "it is long" });
        if choices.one_in(2) {
            task["expected_output"] = json!("a patch");
        }
        if choices.one_in(3) {
            task["deadline_s"] = json!(*choices.one(&[600, 30, 5]));
        }
        dispatch["task"] = task;
    }
    dispatch
}

fn turn(choices: &Choices, families: &Families, name: &str) -> Value {
    let mut turn = json!({ "for": name, "reply": format!("done {name}") });
    let after = ["0ms", "200ms", "5s", "60s", "{turn_cap}-300ms", "{turn_cap}+5s"];
    match choices.of_so_many(after.len()) {
        0 => {}
        number => turn["after"] = json!(after[number]),
    }
    if families.failures {
        match choices.of_so_many(8) {
            1 => turn["failure"] = json!("unauthorized"),
            2 => turn["failure"] = json!("cut"),
            3 => turn["grandchild"] = json!("900s"),
            4 => turn["ignores_term"] = json!(true),
            5 => turn["reply"] = Value::Null,
            6 => turn["exit"] = json!(3),
            _ => {}
        }
        if turn.get("failure").is_some() || turn["reply"].is_null() {
            turn.as_object_mut().map(|members| members.remove("reply"));
        }
    }
    turn
}

/// What happens until the next dispatch.
fn between(choices: &Choices, families: &Families, name: &str, steps: &mut Vec<Value>) {
    match choices.of_so_many(5) {
        1 => steps.push(json!({ "advance": *choices.one(&["1ms", "50ms", "2s", "30s", "400s"]) })),
        2 => steps.push(json!({ "await": { "turn_of": name, "within": "30s" } })),
        3 => steps.push(json!({ "await": { "reply_to": name, "within": "400s" } })),
        _ => {}
    }
    if families.clock && choices.one_in(3) {
        steps.push(json!({ "jump": *choices.one(&["60m", "-60m", "1440m", "-1440m"]) }));
    }
    if families.hosts && choices.one_in(3) {
        let pause = |steps: &mut Vec<Value>| {
            if choices.one_in(2) {
                steps.push(json!({ "advance": *choices.one(&["10ms", "3s", "700s"]) }));
            }
        };
        let pair = |ends: &str, host: &str, steps: &mut Vec<Value>| {
            steps.push(json!({ ends: host }));
            pause(steps);
            steps.push(json!({ "start": host }));
        };
        match choices.of_so_many(4) {
            1 => pair("stop", "receiver", steps),
            2 => pair("kill", "runtime", steps),
            3 => {
                steps.push(json!({ "power_cut": *choices.one(&["lost", "torn", "drawn", "kept"]) }));
                pause(steps);
                steps.push(json!({ "start": "receiver" }));
            }
            _ => pair("kill", "receiver", steps),
        }
    }
}

/// How somebody in front of Hermes answers in its place. A call is seen when it is over, so that nobody is slower than an outcome may be.
fn answer(choices: &Choices) -> Value {
    match choices.of_so_many(6) {
        1 => json!({ "status": 503 }),
        2 => json!({ "rpc_error": -32603 }),
        3 => json!("close"),
        4 => json!({ "silence": "4s" }),
        5 => json!({ "late": "4s" }),
        _ => json!("pass"),
    }
}

fn disturbances(choices: &Choices, families: &Families, quirks: &[Arc<Quirk>]) -> Value {
    let mut disturbances = json!({});
    if families.order {
        disturbances["shake"] = json!(1 + choices.of_so_many(10_000));
        if choices.one_in(3) {
            disturbances["latency"] = json!(*choices.one(&["1ms", "20ms", "700ms", "3s"]));
        }
    }
    let mut faults = Vec::new();
    if families.crashes {
        (0..=choices.of_so_many(3)).for_each(|_| faults.push(crash(choices)));
    }
    if families.disk {
        (0..=choices.of_so_many(2)).for_each(|_| faults.push(of_disk(choices)));
    }
    if families.network {
        (0..=choices.of_so_many(2)).for_each(|_| faults.push(of_network(choices)));
    }
    if !faults.is_empty() {
        disturbances["faults"] = json!(faults);
    }
    if !quirks.is_empty() {
        disturbances["quirks"] = quirks.iter().map(|quirk| json!(quirk.id)).collect();
    }
    disturbances
}

const HOSTS: [&str; 2] = ["receiver", "runtime"];

fn crash(choices: &Choices) -> Value {
    let at = [
        "disk.sync",
        "disk.append",
        "disk.rename",
        "disk.sync_dir",
        "net.write",
        "net.connect",
        "net.accept",
        "process.spawn",
        "process.wait",
        "process.signal",
        "disk.create",
        "disk.read",
        "disk.remove",
    ];
    let fate = match choices.of_so_many(5) {
        1 => json!({ "power_cut": "lost" }),
        2 => json!({ "power_cut": "torn" }),
        3 => json!({ "power_cut": "drawn" }),
        4 => json!({ "power_cut": "kept" }),
        _ => json!("kill"),
    };
    let moment = *choices.one(&["before", "after"]);
    json!({ "host": *choices.one(&HOSTS), "at": *choices.one(&at), "nth": 1 + choices.of_so_many(24), "moment": moment, "do": fate })
}

fn of_disk(choices: &Choices) -> Value {
    let at = ["disk.append", "disk.create", "disk.sync", "disk.rename", "disk.sync_dir"];
    let fails = match choices.of_so_many(4) {
        1 => json!({ "fail": "io" }),
        2 => json!({ "torn": "no_space" }),
        3 => json!({ "torn": "io" }),
        _ => json!({ "fail": "no_space" }),
    };
    json!({ "host": *choices.one(&HOSTS), "at": *choices.one(&at), "nth": 1 + choices.of_so_many(16), "do": fails })
}

fn of_network(choices: &Choices) -> Value {
    let (at, fails) = match choices.of_so_many(3) {
        1 => ("net.write", json!({ "fail": "connection_reset" })),
        2 => ("net.write", json!({ "torn": "connection_reset" })),
        _ => ("net.connect", json!({ "fail": "connection_refused" })),
    };
    json!({ "host": *choices.one(&HOSTS), "at": at, "nth": 1 + choices.of_so_many(8), "do": fails })
}

/// At most two quirks of peers that there are in such a story.
fn quirks(library: &Library, choices: &Choices, families: &Families, executor: &str) -> Vec<Arc<Quirk>> {
    if !families.quirks {
        return Vec::new();
    }
    let is_meant = |quirk: &&Arc<Quirk>| {
        quirk.role != "hermes"
            && (quirk.executors.is_empty() || quirk.executors.iter().any(|named| named == executor))
    };
    let able: Vec<&Arc<Quirk>> = library.quirks.values().filter(is_meant).collect();
    let mut drawn: Vec<Arc<Quirk>> = Vec::new();
    for _ in 0..=choices.of_so_many(2) {
        let Some(quirk) = (!able.is_empty()).then(|| *choices.one(&able)) else { continue };
        if !drawn.iter().any(|known| known.id == quirk.id) {
            drawn.push(quirk.clone());
        }
    }
    drawn
}
