//! Every way in which a receiver says no, with the product line's exact texts (fact sheet 2.3). The unknown method is
//! [`super::method_not_found`]; wrong parameters are the error of [`super::Dispatch::from_params`].

use serde_json::{Value, json};

use crate::jsonrpc::{RequestError, RpcError, code};

/// Refusals below JSON-RPC: an HTTP status and a body with one member, `error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpRefusal {
    /// E1: no such path.
    NotFound,
    /// E2: no bearer token was presented.
    MissingBearer,
    /// E3: another bearer token was presented.
    InvalidBearer,
    /// E5: the body is announced as longer than [`super::MAX_BODY`].
    TooLarge,
}

impl HttpRefusal {
    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            HttpRefusal::NotFound => 404,
            HttpRefusal::MissingBearer | HttpRefusal::InvalidBearer => 401,
            HttpRefusal::TooLarge => 413,
        }
    }

    /// The body.
    pub fn body(self) -> Value {
        json!({"error": match self {
            HttpRefusal::NotFound => "not found",
            HttpRefusal::MissingBearer => "missing bearer token",
            HttpRefusal::InvalidBearer => "invalid bearer token",
            HttpRefusal::TooLarge => "request entity too large",
        }})
    }
}

/// E4: a Content-Length that is no count.
pub fn invalid_content_length() -> RpcError {
    RpcError::new(code::INVALID_REQUEST, "invalid Content-Length")
}

/// E6 and E7: a body that is no request. The answer's id is null.
pub fn invalid_body(error: &RequestError) -> RpcError {
    match error {
        RequestError::NotJson(_) => RpcError::new(code::PARSE_ERROR, "parse error"),
        RequestError::NotAnObject(_) => RpcError::new(code::INVALID_REQUEST, "invalid request"),
    }
}

/// E9: a contextId in the parameters themselves.
pub fn root_context() -> RpcError {
    RpcError::new(
        code::INVALID_PARAMS,
        "contextId must be nested under params.message, not at params root (A2A spec)",
    )
}

/// E10: a dispatch to a context that has a turn in flight, in the modes that guard against it.
pub fn duplicate_dispatch() -> RpcError {
    RpcError::new(
        code::BUSY,
        "duplicate dispatch: context already has a turn in flight; retry after it completes",
    )
}

/// E11: the inbox could not be written, with the system's own words.
pub fn inbox_write_failed(os_error: &str) -> RpcError {
    RpcError::new(code::SERVER_ERROR, format!("inbox write failed: {os_error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::spaced;
    use crate::jsonrpc::Request;

    #[test]
    fn http_refusals_have_the_recorded_bodies() {
        assert_eq!(spaced(&HttpRefusal::InvalidBearer.body()), "{\"error\": \"invalid bearer token\"}");
        assert_eq!(spaced(&HttpRefusal::NotFound.body()), "{\"error\": \"not found\"}");
        assert_eq!(
            (
                HttpRefusal::NotFound.status(),
                HttpRefusal::MissingBearer.status(),
                HttpRefusal::TooLarge.status()
            ),
            (404, 401, 413)
        );
    }

    #[test]
    fn a_body_is_refused_by_what_is_wrong_with_it() {
        let refuse = |body: &[u8]| invalid_body(&Request::parse(body).expect_err("no request"));
        assert_eq!(refuse(b"{"), RpcError::new(-32700, "parse error"));
        assert_eq!(refuse(b"[]"), RpcError::new(-32600, "invalid request"));
    }
}
