//! A message on its way to a Hermes node. More is let pass than at a receiver: only parameters that are no object are refused.

use serde_json::Value;

use super::refusal;
use crate::fleet::{ContextId, parts};
use crate::jsonrpc::RpcError;
use crate::python;

/// Who speaks when nobody says so.
pub const STRANGER: &str = "a2a-peer";

/// What a message to a Hermes node says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The text of the first part that has one; empty without.
    pub text: String,
    /// The context that the message names. One beside the message does not count, nor one that is no text.
    pub context: Option<ContextId>,
    /// Whether a context stands beside the message, where it does not count.
    pub beside: Option<String>,
    /// Who speaks: `user`, else `metadata.peer_id`, else [`STRANGER`].
    pub peer: String,
    /// Whether it is the reply of a receiver: its role is `agent`.
    pub is_callback: bool,
}

impl Inbound {
    /// Reads the parameters of a `SendMessage`.
    pub fn from_params(params: &Value) -> Result<Inbound, RpcError> {
        if python::truthy(params) && !params.is_object() {
            return Err(refusal::params());
        }
        let message = params.get("message").unwrap_or(&Value::Null);
        let parts = message.get("parts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let named =
            |pointer: &str| message.pointer(pointer).and_then(Value::as_str).filter(|name| !name.is_empty());
        Ok(Inbound {
            text: parts::first_text(parts).unwrap_or_default().to_owned(),
            context: named("/contextId").and_then(ContextId::new),
            beside: params.get("contextId").and_then(Value::as_str).map(str::to_owned),
            peer: named("/user").or_else(|| named("/metadata/peer_id")).unwrap_or(STRANGER).to_owned(),
            is_callback: named("/role") == Some("agent"),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(params: Value) -> Inbound {
        Inbound::from_params(&params).expect("a message")
    }

    #[test]
    fn only_parameters_that_are_no_object_are_refused() {
        for wrong in [json!([1]), json!("x"), json!(7), json!(true)] {
            assert_eq!(Inbound::from_params(&wrong), Err(refusal::params()), "{wrong}");
        }
        for empty in [json!(null), json!([]), json!(""), json!(0), json!({}), json!({ "message": 5 })] {
            let read = read(empty.clone());
            assert_eq!(
                (read.text.as_str(), read.context, read.peer.as_str()),
                ("", None, STRANGER),
                "{empty}"
            );
        }
    }

    #[test]
    fn a_context_counts_in_the_message_and_as_a_text_only() {
        let beside = read(json!({ "contextId": "root", "message": {} }));
        assert_eq!((beside.context, beside.beside.as_deref()), (None, Some("root")));
        for none in [json!(7), json!(""), json!(["c"]), json!(null)] {
            assert_eq!(read(json!({ "message": { "contextId": none } })).context, None);
        }
        assert_eq!(read(json!({ "message": { "contextId": "c" } })).context, ContextId::new("c"));
    }

    #[test]
    fn who_speaks_is_the_user_or_else_the_peer_of_the_metadata() {
        let metadata = json!({ "peer_id": "beta" });
        assert_eq!(read(json!({ "message": { "user": "alpha", "metadata": metadata } })).peer, "alpha");
        assert_eq!(read(json!({ "message": { "user": "", "metadata": metadata } })).peer, "beta");
        assert_eq!(read(json!({ "message": { "user": 5 } })).peer, STRANGER);
    }
}
