//! The errors of a Hermes node with the product line's texts (fleet sheet 4.2).

use serde_json::{Value, json};

use crate::fleet::extension::{Misuse, profile};
use crate::jsonrpc::{RequestError, RpcError, code};
use crate::python;

/// Streams and tasks: methods that are known, and not offered.
const DEFERRED: [&str; 5] =
    ["SendStreamingMessage", "message/stream", "tasks.get", "tasks.list", "tasks.cancel"];

/// The answer to a bearer that is wanted and missing.
pub fn missing_bearer() -> (u16, Value) {
    (401, json!({ "error": "missing bearer token" }))
}

/// The answer to a bearer that is not the right one.
pub fn invalid_bearer() -> (u16, Value) {
    (401, json!({ "error": "invalid bearer token" }))
}

/// A bearer is wanted and there is none to compare with. It never names the variable (FLEET-AUTH-06).
pub fn misconfigured() -> (u16, Value) {
    (503, json!({ "error": "service unavailable: authentication misconfigured" }))
}

/// The configuration cannot be read, so that nobody knows who may come in. Not of the sheet.
pub fn unconfigured() -> (u16, Value) {
    (503, json!({ "error": "service unavailable: misconfigured" }))
}

/// There is nothing at this path.
pub fn not_found() -> (u16, Value) {
    (404, json!({ "error": "not found" }))
}

/// The body is no request.
pub fn body(error: &RequestError) -> RpcError {
    match error {
        RequestError::NotJson(_) => RpcError::new(code::PARSE_ERROR, "Parse error: invalid JSON body"),
        RequestError::NotAnObject(_) => {
            RpcError::new(code::INVALID_REQUEST, "Invalid Request: top-level body must be an object")
        }
    }
}

/// The parameters are no object.
pub fn params() -> RpcError {
    RpcError::new(code::INVALID_PARAMS, "Invalid params: expected object")
}

/// A method that does not send a message.
pub fn method(method: &Value) -> RpcError {
    let shown = python::repr(method);
    let text = if method.as_str().is_some_and(|name| DEFERRED.contains(&name)) {
        format!("Method {shown} not implemented in v0.1 (deferred to v0.2+).")
    } else {
        format!("Method not found: {shown}")
    };
    RpcError::new(code::METHOD_NOT_FOUND, text)
}

/// What a message says of an extension cannot be taken. Not of the sheet.
pub fn misuse(misuse: &Misuse) -> RpcError {
    let mut error = RpcError::new(code::INVALID_PARAMS, format!("invalid params: {misuse}"));
    if let Misuse::Version { known, .. } = misuse {
        error.data = Some(json!({ "supported": [known] }));
    }
    error
}

/// A message chose a handler that there is not. Not of the sheet.
pub fn unknown_handler(name: &str, known: &[&str]) -> RpcError {
    let listed = python::repr(&Value::from(known));
    let text = format!("invalid params: response handler '{name}' is not known, expected one of {listed}");
    RpcError { data: Some(json!({ "handlers": known })), ..RpcError::new(code::INVALID_PARAMS, text) }
}

/// A message chose a handler that its sender may not choose. Not of the sheet.
pub fn forbidden_handler(name: &str, peer: &str, allowed: &[&str]) -> RpcError {
    let listed = python::repr(&Value::from(allowed));
    let peer: String = peer.chars().take(80).collect();
    let text = format!(
        "invalid params: '{peer}' may not choose response handler '{name}', expected one of {listed}"
    );
    RpcError { data: Some(json!({ "handlers": allowed })), ..RpcError::new(code::INVALID_PARAMS, text) }
}

/// A registered handler came to no answer. Not of the sheet.
pub fn handler_failed(name: &str, detail: &str) -> RpcError {
    server(&format!("response handler '{name}' {detail}"))
}

/// There is no room for another reply of a profile that is not here: its receiver still has it. Not of the sheet.
pub fn no_room(profile: &str) -> RpcError {
    let text = format!("there is no room for a further reply for profile '{profile}', send it again later");
    let data = json!({ "class": profile::MISROUTED, "profile": profile, "kept": false });
    RpcError { data: Some(data), ..server(&text) }
}

/// Nobody is behind the bridge.
pub fn no_bridge() -> RpcError {
    let text = "agent bridge not ready (is platforms.a2a_fleet.enabled set + gateway running?)";
    RpcError::new(code::SERVER_ERROR, text)
}

/// The bridge takes no turn now.
pub fn bridge_refuses(detail: &str) -> RpcError {
    RpcError::new(code::SERVER_ERROR, format!("agent bridge not ready: {detail}"))
}

/// A turn of this context is still under way.
pub fn busy(detail: &str) -> RpcError {
    RpcError::new(code::BUSY, format!("peer busy on this context, retry: {detail}"))
}

/// The agent took too long.
pub fn timed_out(seconds: f64, detail: &str) -> RpcError {
    let seconds = python::float(seconds);
    RpcError::new(code::SERVER_ERROR, format!("agent reply timed out after {seconds}s: {detail}"))
}

/// Anything else that goes wrong in a handler.
pub fn server(detail: &str) -> RpcError {
    RpcError::new(code::SERVER_ERROR, format!("Server error: {detail}"))
}

/// No provider lets the model be called.
pub fn no_provider() -> RpcError {
    server("llm provider unavailable (no auth)")
}

/// The call of the model went wrong.
pub fn model_failed(detail: &str) -> RpcError {
    server(&format!("model call failed: {detail}"))
}

/// The file with the system prompt is not to be had.
pub fn prompt_file(path: &str, detail: &str) -> RpcError {
    server(&format!("llm.system_prompt_file could not be read: {path}: {detail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_are_put_off_differ_from_those_that_do_not_exist() {
        assert_eq!(
            method(&json!("tasks.get")).message,
            "Method 'tasks.get' not implemented in v0.1 (deferred to v0.2+)."
        );
        assert_eq!(method(&json!("nothing")).message, "Method not found: 'nothing'");
        assert_eq!(method(&Value::Null).message, "Method not found: None");
    }

    #[test]
    fn a_time_limit_is_told_as_a_float() {
        assert_eq!(timed_out(120.0, "x").message, "agent reply timed out after 120.0s: x");
    }
}
