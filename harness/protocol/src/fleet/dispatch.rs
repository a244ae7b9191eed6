//! A task on its way to a receiver.

use serde_json::{Map, Value, json};

use super::context::ContextId;
use super::{parts, refusal};
use crate::json::type_name;
use crate::jsonrpc::{RpcError, code};
use crate::python;

/// What a `SendMessage` asks for. Nothing else in the message counts (fact sheet 2.4): no field can change the
/// directory, the model, the flags or the callback address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// The prompt, not cut yet (see [`super::prompt_cut`]); empty when no part has text, and still to be executed.
    pub text: String,
    /// The context, if the sender named one; otherwise the receiver makes an anonymous one.
    pub context: Option<ContextId>,
}

impl Dispatch {
    /// Reads the parameters of a `SendMessage`.
    ///
    /// A member that is absent or null counts as empty, as in every release. `contextId` beside the message is refused
    /// with the product line's text (FLEET-HTTP-16); a member of the wrong type with -32602 (FLEET-HTTP-20), also a
    /// contextId that is neither a string nor one of Python's false values (FLEET-HTTP-21).
    pub fn from_params(params: &Value) -> Result<Dispatch, RpcError> {
        let Some(params) = optional_object("params", Some(params))? else {
            return Ok(Dispatch { text: String::new(), context: None });
        };
        if params.contains_key("contextId") {
            return Err(refusal::root_context());
        }
        let Some(message) = optional_object("params.message", params.get("message"))? else {
            return Ok(Dispatch { text: String::new(), context: None });
        };
        let text = match message.get("parts") {
            None | Some(Value::Null) => None,
            Some(Value::Array(parts)) => parts::first_text(parts),
            Some(other) => return Err(wrong_type("params.message.parts", "an array", other)),
        };
        let context = match message.get("contextId") {
            Some(Value::String(context)) => ContextId::new(context.as_str()),
            Some(other) if python::truthy(other) => {
                return Err(wrong_type("params.message.contextId", "a string", other));
            }
            _ => None,
        };
        Ok(Dispatch { text: text.unwrap_or_default().to_owned(), context })
    }

    /// How many texts the message has. The first is the task; whoever sends more is to be told that the others were not
    /// looked at (FLEET-ACK-12).
    pub fn texts(params: &Value) -> usize {
        params.pointer("/message/parts").and_then(Value::as_array).map_or(0, |parts| parts::texts(parts))
    }

    /// The parameters as a runtime sends them; `contextId` is left out when there is none (FLEET-CLI-02).
    pub fn to_params(&self, role: &str) -> Value {
        json!({"message": parts::message(role, &self.text, self.context.as_ref().map(ContextId::as_str))})
    }
}

fn optional_object<'v>(
    path: &str,
    value: Option<&'v Value>,
) -> Result<Option<&'v Map<String, Value>>, RpcError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(other) => Err(wrong_type(path, "an object", other)),
    }
}

fn wrong_type(path: &str, expected: &str, found: &Value) -> RpcError {
    let found = type_name(found);
    RpcError::new(code::INVALID_PARAMS, format!("invalid params: {path} must be {expected}, found {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(params: Value) -> Result<Dispatch, RpcError> {
        Dispatch::from_params(&params)
    }

    #[test]
    fn text_and_context_are_taken_from_the_message() {
        let dispatch = read(
            json!({"message": {"role": "user", "parts": [{"text": "hi"}, {"text": "no"}], "contextId": "c1"}}),
        );
        assert_eq!(dispatch, Ok(Dispatch { text: "hi".to_owned(), context: ContextId::new("c1") }));
    }

    #[test]
    fn what_is_absent_or_null_counts_as_empty() {
        let empty = Ok(Dispatch { text: String::new(), context: None });
        for params in [
            json!(null),
            json!({}),
            json!({"message": null}),
            json!({"message": {}}),
            json!({"message": {"parts": null}}),
            json!({"message": {"parts": []}}),
            json!({"message": {"parts": [{"data": 1}, 5]}}),
        ] {
            assert_eq!(read(params.clone()), empty, "{params}");
        }
    }

    #[test]
    fn a_context_beside_the_message_is_refused_even_when_null() {
        for params in [json!({"contextId": null}), json!({"contextId": "c", "message": {"contextId": "c"}})] {
            assert_eq!(read(params), Err(refusal::root_context()));
        }
    }

    #[test]
    fn members_of_the_wrong_type_are_named_in_the_refusal() {
        for (params, message) in [
            (json!([1]), "invalid params: params must be an object, found an array"),
            (json!({"message": "hi"}), "invalid params: params.message must be an object, found a string"),
            (
                json!({"message": {"parts": 5}}),
                "invalid params: params.message.parts must be an array, found a number",
            ),
            (
                json!({"message": {"contextId": [1]}}),
                "invalid params: params.message.contextId must be a string, found an array",
            ),
        ] {
            assert_eq!(read(params), Err(RpcError::new(-32602, message)));
        }
    }

    #[test]
    fn a_false_context_counts_as_none() {
        for falsy in [json!(""), json!(null), json!(0), json!(false), json!([]), json!({})] {
            let dispatch = read(json!({"message": {"contextId": falsy}})).expect("accepted");
            assert_eq!(dispatch.context, None);
        }
    }

    #[test]
    fn sent_parameters_read_back() {
        for context in [None, ContextId::new("c1")] {
            let dispatch = Dispatch { text: "add one()".to_owned(), context };
            assert_eq!(read(dispatch.to_params("user")), Ok(dispatch));
        }
        let plain = Dispatch { text: "x".to_owned(), context: None };
        assert_eq!(
            plain.to_params("user").to_string(),
            r#"{"message":{"role":"user","parts":[{"text":"x"}]}}"#
        );
    }
}
