//! Which methods a receiver knows.

use serde_json::Value;

use crate::jsonrpc::{RpcError, code};
use crate::python;

/// Whether this is one of the two equal names, `SendMessage` and `message/send`; case matters (FLEET-HTTP-14).
pub fn is_send_method(method: &Value) -> bool {
    matches!(method.as_str(), Some("SendMessage" | "message/send"))
}

/// The refusal of any other method; it prints what came as Python's `repr` does (fact sheet 2.3 E8).
pub fn method_not_found(method: &Value) -> RpcError {
    RpcError::new(code::METHOD_NOT_FOUND, format!("method not found: {}", python::repr(method)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn two_names_are_known_and_case_matters() {
        assert!(is_send_method(&json!("SendMessage")) && is_send_method(&json!("message/send")));
        for other in
            [json!("sendmessage"), json!("tasks/get"), json!(""), json!(null), json!(["SendMessage"])]
        {
            assert!(!is_send_method(&other), "{other}");
        }
    }

    #[test]
    fn the_refusal_prints_what_came_as_python_does() {
        for (method, shown) in [
            (json!("tasks/get"), "'tasks/get'"),
            (json!(null), "None"),
            (json!(true), "True"),
            (json!("it's"), "\"it's\""),
            (json!({"a": [1.5]}), "{'a': [1.5]}"),
        ] {
            assert_eq!(
                method_not_found(&method),
                RpcError::new(-32601, format!("method not found: {shown}"))
            );
        }
    }
}
