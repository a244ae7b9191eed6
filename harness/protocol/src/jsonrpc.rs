//! JSON-RPC 2.0 envelopes, read as leniently as receivers and runtimes read them: the `jsonrpc` member is not
//! checked, and a missing `id` is null (fact sheet 2.3). Judging an envelope is an oracle's work, on raw JSON.

use serde_json::{Map, Value, json};

use crate::error::ParseError;
use crate::fields::Fields;
use crate::{json, python};

/// Error codes: those of JSON-RPC 2.0, and those of its server range that the product line's receivers use.
pub mod code {
    /// The body is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// The body is JSON but no request.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The parameters have the wrong shape.
    pub const INVALID_PARAMS: i64 = -32602;
    /// The server could not do it.
    pub const SERVER_ERROR: i64 = -32000;
    /// The context is at work; later it will do.
    pub const BUSY: i64 = -32001;
}

/// One call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Any JSON value, to be echoed unchanged; null when absent.
    pub id: Value,
    /// The method as it came, string or not; null when absent. Receivers print what came.
    pub method: Value,
    /// The parameters as they came; null when absent.
    pub params: Value,
}

/// Why a body is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON at all: code -32700.
    #[error(transparent)]
    NotJson(ParseError),
    /// JSON, but not an object: code -32600.
    #[error(transparent)]
    NotAnObject(ParseError),
}

impl Request {
    /// Reads a request body. The id must be answered with null when this fails.
    pub fn parse(body: &[u8]) -> Result<Request, RequestError> {
        const WHAT: &str = "request body";
        let value = json::parse(WHAT, body).map_err(RequestError::NotJson)?;
        let fields = Fields::of(WHAT, &value).map_err(RequestError::NotAnObject)?;
        let member = |key| fields.get(key).cloned().unwrap_or_default();
        Ok(Request { id: member("id"), method: member("method"), params: member("params") })
    }

    /// The envelope, members in the order `jsonrpc`, `id`, `method`, `params`. A null method or null parameters are
    /// left out; the id is always there, since without it the call would be a notification.
    pub fn to_value(&self) -> Value {
        let mut map = envelope(&self.id);
        for (key, value) in [("method", &self.method), ("params", &self.params)] {
            if !value.is_null() {
                map.insert(key.to_owned(), value.clone());
            }
        }
        Value::Object(map)
    }
}

/// An error that a peer answered, or is about to answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("JSON-RPC error {code}: {message}")]
pub struct RpcError {
    /// One of [`code`], or any other number of the peer's own.
    pub code: i64,
    /// One sentence for people.
    pub message: String,
    /// Whatever else the peer wants to say.
    pub data: Option<Value>,
}

impl RpcError {
    /// An error without `data`.
    pub fn new(code: i64, message: impl Into<String>) -> RpcError {
        RpcError { code, message: message.into(), data: None }
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The echoed id; null when absent.
    pub id: Value,
    /// The result (any JSON value) or the error.
    pub outcome: Result<Value, RpcError>,
}

impl Response {
    /// Reads an answer's body. A truthy `error` wins over a `result`; one that is null, empty or zero counts as
    /// absent (fact sheet 5.1).
    pub fn parse(body: &[u8]) -> Result<Response, ParseError> {
        const WHAT: &str = "response body";
        let value = json::parse(WHAT, body)?;
        let fields = Fields::of(WHAT, &value)?;
        let id = fields.get("id").cloned().unwrap_or_default();
        if fields.get("error").is_some_and(python::truthy) {
            let error = fields.object("error")?;
            let code =
                error.get("code").and_then(Value::as_i64).ok_or_else(|| error.wrong("code", "an integer"))?;
            let message = error.string("message")?.to_owned();
            return Ok(Response {
                id,
                outcome: Err(RpcError { code, message, data: error.get("data").cloned() }),
            });
        }
        match fields.get("result") {
            Some(result) => Ok(Response { id, outcome: Ok(result.clone()) }),
            None => Err(fields.wrong("result", "a result or an error")),
        }
    }

    /// The envelope, members in the order `jsonrpc`, `id`, then `result` or `error`.
    pub fn to_value(&self) -> Value {
        let mut map = envelope(&self.id);
        match &self.outcome {
            Ok(result) => map.insert("result".to_owned(), result.clone()),
            Err(error) => {
                let mut body = json!({"code": error.code, "message": error.message});
                if let Some(data) = &error.data {
                    body["data"] = data.clone();
                }
                map.insert("error".to_owned(), body)
            }
        };
        Value::Object(map)
    }
}

fn envelope(id: &Value) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("jsonrpc".to_owned(), json!("2.0"));
    map.insert("id".to_owned(), id.clone());
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_keeps_whatever_id_and_method_came() {
        let request = Request::parse(br#"{"id": {"a": [1]}, "method": 5}"#).expect("a request");
        assert_eq!(request, Request { id: json!({"a": [1]}), method: json!(5), params: Value::Null });
        assert_eq!(request.to_value().to_string(), r#"{"jsonrpc":"2.0","id":{"a":[1]},"method":5}"#);
    }

    #[test]
    fn a_body_that_is_not_json_differs_from_one_that_is_no_object() {
        assert!(matches!(Request::parse(b""), Err(RequestError::NotJson(_))));
        for body in [&b"[]"[..], b"\"x\"", b"5", b"null"] {
            assert!(matches!(Request::parse(body), Err(RequestError::NotAnObject(_))), "{body:?}");
        }
    }

    #[test]
    fn a_response_is_a_result_or_an_error() {
        let ok = Response::parse(br#"{"jsonrpc":"2.0","id":1,"result":null,"error":null}"#).expect("ok");
        assert_eq!(ok, Response { id: json!(1), outcome: Ok(Value::Null) });
        let refused = Response::parse(br#"{"id":"1","error":{"code":-32001,"message":"busy","data":[1]}}"#)
            .expect("error");
        let error = refused.outcome.clone().expect_err("an error");
        assert_eq!(error.to_string(), "JSON-RPC error -32001: busy");
        assert_eq!(
            refused.to_value().to_string(),
            r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32001,"message":"busy","data":[1]}}"#
        );
        assert_eq!(Response::parse(refused.to_value().to_string().as_bytes()), Ok(refused));
    }

    #[test]
    fn a_response_with_neither_or_with_a_malformed_error_is_refused() {
        assert_eq!(Response::parse(br#"{"id":1}"#).expect_err("neither").expected, "a result or an error");
        assert_eq!(Response::parse(br#"{"error":"no"}"#).expect_err("text").at, "/error");
        assert_eq!(
            Response::parse(br#"{"error":{"code":"x","message":"m"}}"#).expect_err("code").at,
            "/error/code"
        );
        assert_eq!(Response::parse(br#"{"error":{"code":1}}"#).expect_err("message").at, "/error/message");
    }
}
