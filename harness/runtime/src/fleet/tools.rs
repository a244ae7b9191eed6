//! What of the fleet a model can call: the toolset `a2a` (fleet sheet 5.4).

use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::ContextId;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::choice::{self, choice_in};
use super::task;
use super::{Delivery, Fleet, managed_tools};
use crate::registry::{Schema, Tool};

/// The toolset's name.
pub const TOOLSET: &str = "a2a";

/// The names of the tools that there can be.
pub fn names() -> Vec<&'static str> {
    [SEND, SEND_AND_WAIT, REPLIES, COLLECT].into_iter().chain(managed_tools::names()).collect()
}

pub(super) const SEND: &str = "fleet_send";
pub(super) const SEND_AND_WAIT: &str = "fleet_send_and_wait";
const REPLIES: &str = "fleet_replies";
const COLLECT: &str = "fleet_collect";

/// Default of `max_wait_s`.
const MAX_WAIT_S: f64 = 280.0;
/// Nobody waits longer than a year; a moment much further ahead could not even be told.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 86_400);

/// The tools of a fleet.
pub fn all(fleet: &Rc<Fleet>) -> Vec<Tool> {
    let mut tools = vec![send(fleet), send_and_wait(fleet), replies(fleet), collect(fleet)];
    tools.extend(managed_tools::all(fleet));
    tools
}

fn send(fleet: &Rc<Fleet>) -> Tool {
    let fleet = fleet.clone();
    Tool {
        name: SEND,
        toolset: TOOLSET,
        description: "Sends a message to another agent of the fleet and gives its immediate answer. A receiver only acknowledges; \
                      its reply comes later, on the same context.",
        arguments: Schema::new(|| message_arguments(json!({}))),
        result: Schema::new(answer_schema),
        handler: Rc::new(move |_, arguments| {
            let fleet = fleet.clone();
            Box::pin(async move {
                let message = Message::of(&arguments);
                let task = match fleet.task_in(&arguments, &message.text).await {
                    Ok(task) => task,
                    Err(error) => return fleet.failure(&error).await,
                };
                let choice = match choice_in(&arguments) {
                    Ok(choice) => choice,
                    Err(error) => return fleet.failure(&error).await,
                };
                let Message { agent, text, context } = message;
                // A peer that does not say where it answers was asked on this one.
                let asked = context.as_ref().map(|context| context.as_str().to_owned()).unwrap_or_default();
                match fleet.send(&agent, &text, context, task.as_ref(), choice.as_ref()).await {
                    Ok(answer) => {
                        json!({ "reply": answer.text, "context_id": answer.context.unwrap_or(asked) })
                    }
                    Err(error) => fleet.failure(&error).await,
                }
            })
        }),
    }
}

fn send_and_wait(fleet: &Rc<Fleet>) -> Tool {
    let fleet = fleet.clone();
    Tool {
        name: SEND_AND_WAIT,
        toolset: TOOLSET,
        description: "Sends a message to a managed agent on this machine and waits for its final reply.",
        arguments: Schema::new(|| {
            message_arguments(
                json!({ "max_wait_s": { "type": "number", "description": "Seconds to wait; 280 if absent." } }),
            )
        }),
        result: Schema::new(answer_schema),
        handler: Rc::new(move |_, arguments| {
            let fleet = fleet.clone();
            Box::pin(async move {
                let message = Message::of(&arguments);
                let seconds = arguments.get("max_wait_s").and_then(Value::as_f64).unwrap_or(MAX_WAIT_S);
                let wait =
                    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs_f64(MAX_WAIT_S));
                let wait = wait.min(LONGEST_WAIT);
                let task = match fleet.task_in(&arguments, &message.text).await {
                    Ok(task) => task,
                    Err(error) => return fleet.failure(&error).await,
                };
                let choice = match choice_in(&arguments) {
                    Ok(choice) => choice,
                    Err(error) => return fleet.failure(&error).await,
                };
                let Message { agent, text, context } = message;
                match fleet.send_and_wait(&agent, &text, context, wait, task.as_ref(), choice.as_ref()).await
                {
                    Ok(answer) => answer,
                    Err(error) => fleet.failure(&error).await,
                }
            })
        }),
    }
}

fn replies(fleet: &Rc<Fleet>) -> Tool {
    let fleet = fleet.clone();
    Tool {
        name: REPLIES,
        toolset: TOOLSET,
        description: "Lists the replies that were delivered to a context so far, in order of arrival. Those that came after the deadline of \
                      their task are told apart.",
        arguments: Schema::new(|| {
            json!({
                "type": "object",
                "properties": { "context_id": { "type": "string" } },
                "required": ["context_id"],
            })
        }),
        result: Schema::new(|| {
            json!({
                "type": "object",
                "properties": {
                    "replies": { "type": "array" },
                    "late": { "type": "array" },
                    "astray": { "type": "array", "description": "Replies that are another profile's, and are kept for it." },
                },
                "required": ["replies", "late", "astray"],
            })
        }),
        handler: Rc::new(move |_, arguments| {
            let context = text(&arguments, "context_id");
            let (late, replies): (Vec<_>, Vec<_>) =
                fleet.deliveries().to(&context).into_iter().partition(|reply| reply.late);
            let texts = |replies: Vec<Delivery>| -> Vec<Value> {
                replies.into_iter().map(|reply| json!(reply.text)).collect()
            };
            let (replies, late) = (texts(replies), texts(late));
            let astray: Vec<Value> = (fleet.astray().on(&context).into_iter())
                .map(|profile| json!({ "profile": profile, "kept": true }))
                .collect();
            let fleet = fleet.clone();
            Box::pin(async move {
                let astray = match astray.is_empty() {
                    true => json!([]),
                    false => {
                        let event = json!({ "contextId": context, "astray": astray });
                        fleet.decide(Point::RuntimeAstrayTold, event).await.value("astray").clone()
                    }
                };
                json!({ "replies": replies, "late": late, "astray": astray })
            })
        }),
    }
}

fn collect(fleet: &Rc<Fleet>) -> Tool {
    let fleet = fleet.clone();
    Tool {
        name: COLLECT,
        toolset: TOOLSET,
        description: "Asks another agent of the fleet for the replies that came to it and are for this one. They are delivered as if they \
                      had come here; the result says how many there are.",
        arguments: Schema::new(|| {
            json!({
                "type": "object",
                "properties": { "agent": { "type": "string", "description": "The agent's name in fleet.yaml." } },
                "required": ["agent"],
            })
        }),
        result: Schema::new(|| {
            json!({
                "type": "object",
                "properties": {
                    "kept": { "type": "integer" },
                    "error": { "type": "string" },
                    "class": { "type": "string" },
                    "retry_safe": { "type": "boolean" },
                },
                "oneOf": [{ "required": ["kept"] }, { "required": ["error", "class", "retry_safe"] }],
            })
        }),
        handler: Rc::new(move |_, arguments| {
            let fleet = fleet.clone();
            Box::pin(async move {
                match fleet.ask_for_replies(&text(&arguments, "agent")).await {
                    Ok(kept) => kept,
                    Err(error) => fleet.failure(&error).await,
                }
            })
        }),
    }
}

struct Message {
    agent: String,
    text: String,
    context: Option<ContextId>,
}

impl Message {
    fn of(arguments: &Value) -> Self {
        Self {
            agent: text(arguments, "agent"),
            text: text(arguments, "message"),
            context: ContextId::new(text(arguments, "context_id")),
        }
    }
}

fn text(arguments: &Value, name: &str) -> String {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn message_arguments(further: Value) -> Value {
    let mut properties = json!({
        "agent": { "type": "string", "description": "The agent's name in fleet.yaml." },
        "message": { "type": "string", "description": "What it is to do." },
        "context_id": { "type": "string", "description": "The conversation to go on with; a new one if absent." },
        "task": task::schema(),
        "response_handler": choice::schema(),
    });
    if let (Value::Object(properties), Value::Object(further)) = (&mut properties, further) {
        properties.extend(further);
    }
    json!({ "type": "object", "properties": properties, "required": ["agent", "message"] })
}

fn answer_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "reply": { "type": "string" },
            "context_id": { "type": "string" },
            "waited": { "type": "boolean" },
            "reason": { "type": "string" },
            "error": { "type": "string" },
            "class": { "enum": ["not_sent", "refused", "accepted_without_reply", "replied_elsewhere", "unknown", "deadline", "undeclared", "budget"] },
            "retry_safe": { "type": "boolean" },
        },
        "oneOf": [{ "required": ["reply", "context_id"] }, { "required": ["error", "class", "retry_safe"] }],
        "additionalProperties": false,
    })
}
