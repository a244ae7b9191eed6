//! A story that nobody wrote, of what can be done to real processes. It is over in some seconds.

use serde_json::{Value, json};

use crate::explore::choices::Choices;

/// Makes the story of a list, but for its id.
pub(super) fn story(executor: &str, choices: &Choices) -> Value {
    let (mut turns, mut steps) = (Vec::new(), Vec::new());
    let dispatches = 2 + choices.of_so_many(6);
    let contexts = 1 + choices.of_so_many(3);
    let has_gate = choices.one_in(2);
    for number in 1..=dispatches {
        let name = format!("d{number}");
        steps.push(json!({ "dispatch": dispatch(choices, &name, contexts) }));
        turns.push(turn(choices, &name));
        between(choices, &name, has_gate, &mut steps);
    }
    // Long enough that none ends of itself in the middle of a story.
    let mut config = json!({ "idle_timeout_s": 600 });
    if choices.one_in(3) {
        config["max_concurrent_turns"] = json!(1 + choices.of_so_many(2));
    }
    let mut given = json!({ "executor": { "turns": turns }, "receiver": { "config": config } });
    if has_gate {
        let answers: Vec<Value> = (0..=choices.of_so_many(4)).map(|_| answer(choices)).collect();
        given["hermes"] = json!({ "answers": answers });
    }
    json!({
        "title": "What was done to real processes.",
        "subject": "receiver",
        "executors": [executor],
        "given": given,
        "steps": steps,
    })
}

fn dispatch(choices: &Choices, name: &str, contexts: usize) -> Value {
    let mut dispatch = json!({ "as": name, "text": format!("work {name}") });
    // A context that the receiver makes up is one, too.
    match choices.of_so_many(contexts + 1) {
        anonymous if anonymous == contexts => {}
        number => dispatch["context"] = json!(format!("c{}", number + 1)),
    }
    dispatch
}

fn turn(choices: &Choices, name: &str) -> Value {
    let mut turn = json!({ "for": name, "reply": format!("done {name}") });
    let after = ["0ms", "20ms", "150ms", "600ms", "{turn_cap}-300ms", "{turn_cap}+2s"];
    match choices.of_so_many(after.len()) {
        0 => {}
        number => turn["after"] = json!(after[number]),
    }
    match choices.of_so_many(10) {
        1 => turn["failure"] = json!("unauthorized"),
        2 => turn["failure"] = json!("cut"),
        3 => turn["grandchild"] = json!("900s"),
        4 => turn["ignores_term"] = json!(true),
        5 => turn["exit"] = json!(3),
        _ => {}
    }
    if turn.get("failure").is_some() {
        turn.as_object_mut().map(|members| members.remove("reply"));
    }
    turn
}

/// What happens until the next dispatch.
fn between(choices: &Choices, name: &str, has_gate: bool, steps: &mut Vec<Value>) {
    match choices.of_so_many(5) {
        1 => steps.push(json!({ "advance": *choices.one(&["1ms", "30ms", "200ms", "700ms"]) })),
        2 => steps.push(json!({ "await": { "turn_of": name, "within": "2s" } })),
        3 => steps.push(json!({ "await": { "reply_to": name, "within": "5s" } })),
        _ => {}
    }
    let pause = |steps: &mut Vec<Value>| {
        if choices.one_in(2) {
            steps.push(json!({ "advance": *choices.one(&["5ms", "100ms", "500ms"]) }));
        }
    };
    let pair = |ends: &str, begins: &str, host: &str, steps: &mut Vec<Value>| {
        steps.push(json!({ ends: host }));
        pause(steps);
        steps.push(json!({ begins: host }));
    };
    match choices.of_so_many(9) {
        1 | 2 => pair("kill", "start", "receiver", steps),
        3 => pair("stop", "start", "receiver", steps),
        4 => steps.push(json!({ "freeze": *choices.one(&["50ms", "400ms", "900ms"]) })),
        5 if !has_gate => pair("disconnect", "connect", "runtime", steps),
        6 => steps.push(cut(choices)),
        _ => {}
    }
}

/// A connection to the receiver that ends before it is told everything.
fn cut(choices: &Choices) -> Value {
    let raw = *choices.one(&[
        "POST /jsonrpc HTTP/1.1\nhost: 127.0.0.1\ncontent-length: 900\n\n{\"jsonrpc\"",
        "POST /jsonrpc HTTP/1.1\nhost",
        "GET /health HTTP/1.1\nhost: 127.0.0.1\n",
    ]);
    json!({ "request": { "raw": raw, "within": *choices.one(&["1ms", "50ms"]) } })
}

/// How somebody in front of Hermes answers in its place.
fn answer(choices: &Choices) -> Value {
    match choices.of_so_many(6) {
        1 => json!({ "status": 503 }),
        2 => json!({ "rpc_error": -32603 }),
        3 | 4 => json!("close"),
        5 => json!({ "late": "300ms" }),
        _ => json!("pass"),
    }
}
