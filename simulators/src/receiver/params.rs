//! Parameters of a wrong type. The receiver refuses them; what releases do instead is a quirk's.

use gauntlet_protocol::fleet::{ContextId, Dispatch};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::RpcError;
use serde_json::{Value, json};

use super::http::NotTaken;
use super::state::Receiver;
use gauntlet_world::injection::Point;

/// What is wrong with parameters that are refused, if it is a type.
enum Mistyped<'v> {
    /// A part of their structure.
    Structure(&'static str),
    /// The contextId.
    Context(&'v Value),
}

fn mistyped(params: &Value) -> Option<Mistyped<'_>> {
    let wrong = |value: &Value, fits: fn(&Value) -> bool| !value.is_null() && !fits(value);
    if wrong(params, Value::is_object) {
        return Some(Mistyped::Structure("params"));
    }
    if params.get("contextId").is_some() {
        return None;
    }
    let message = params.get("message")?;
    if wrong(message, Value::is_object) {
        return Some(Mistyped::Structure("params.message"));
    }
    if message.get("parts").is_some_and(|parts| wrong(parts, Value::is_array)) {
        return Some(Mistyped::Structure("params.message.parts"));
    }
    message.get("contextId").filter(|context| !context.is_string()).map(Mistyped::Context)
}

impl Receiver {
    /// What becomes of a dispatch whose parameters cannot be read: its refusal, unless a quirk says otherwise.
    pub(super) async fn mistyped(&self, params: &Value, refusal: RpcError) -> Result<Dispatch, NotTaken> {
        match mistyped(params) {
            None => Err(refusal.into()),
            Some(Mistyped::Structure(member)) => {
                let event = json!({ "member": member });
                let passed = self.pass(Point::ReceiverParams, event).await;
                Err(if passed.events.is_empty() { NotTaken::Dropped } else { refusal.into() })
            }
            Some(Mistyped::Context(context)) => {
                let event = json!({ "contextId": context, "taken": false });
                let passed = self.pass(Point::ReceiverContext, event).await.first();
                if passed.and_then(|event| event.get("taken")?.as_bool()) != Some(true) {
                    return Err(refusal.into());
                }
                let name = ContextId::new(json::spaced(context));
                let mut readable = params.clone();
                readable["message"]["contextId"] = Value::Null;
                Ok(Dispatch { context: name, ..Dispatch::from_params(&readable)? })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of everything that the protocol refuses it is known what is wrong, but for the context beside the message.
    #[test]
    fn what_is_refused_for_its_type_is_named() {
        for (params, expected) in [
            (json!([1]), Some("params")),
            (json!({ "message": "hi" }), Some("params.message")),
            (json!({ "message": { "parts": 5 } }), Some("params.message.parts")),
            (json!({ "message": { "contextId": 7 } }), Some("contextId")),
            (json!({ "message": { "contextId": 7, "parts": "x" } }), Some("params.message.parts")),
            (json!({ "contextId": 7, "message": 7 }), None),
        ] {
            assert!(Dispatch::from_params(&params).is_err(), "{params}");
            let found = mistyped(&params).map(|wrong| match wrong {
                Mistyped::Structure(member) => member,
                Mistyped::Context(_) => "contextId",
            });
            assert_eq!(found, expected, "{params}");
        }
    }
}
