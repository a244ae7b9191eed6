//! Why a dispatch of a node failed, and whether it may be sent again (fleet sheet 5.1). A retry is safe only where it is certain that
//! no work began.

use gauntlet_protocol::jsonrpc::{RpcError, code};
use gauntlet_world::http::HttpError;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Peer;

/// What can have happened at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It has not seen anything.
    NotSent,
    /// It has not seen anything, since it does not declare what it was to be asked for.
    Undeclared,
    /// It said no before anything began.
    Refused,
    /// It began, and what came is no reply.
    AcceptedWithoutReply,
    /// It began, and answered on another context.
    RepliedElsewhere,
    /// Nobody can tell.
    Unknown,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Class::NotSent => "not_sent",
            Class::Undeclared => "undeclared",
            Class::Refused => "refused",
            Class::AcceptedWithoutReply => "accepted_without_reply",
            Class::RepliedElsewhere => "replied_elsewhere",
            Class::Unknown => "unknown",
        }
    }

    fn began_nothing(self) -> bool {
        match self {
            Class::NotSent | Class::Undeclared | Class::Refused => true,
            Class::AcceptedWithoutReply | Class::RepliedElsewhere | Class::Unknown => false,
        }
    }

    /// Of an exchange that did not come about.
    pub(super) fn of_http(error: &HttpError) -> Self {
        if error.may_have_been_seen() { Class::Unknown } else { Class::NotSent }
    }

    /// Of an answer with another status than 200: what a server says of itself (5xx) tells nothing of the work.
    pub(super) fn of_status(status: u16) -> Self {
        if status / 100 == 4 { Class::Refused } else { Class::Unknown }
    }

    /// Of an error in the body. Beside the codes that say what is wrong with the request, or that its context is busy, these texts alone
    /// are told before anything begins.
    pub(super) fn of_rpc(error: &RpcError) -> Self {
        let says = |start: &str| error.message.starts_with(start);
        match error.code {
            code::PARSE_ERROR
            | code::INVALID_REQUEST
            | code::METHOD_NOT_FOUND
            | code::INVALID_PARAMS
            | code::BUSY => Class::Refused,
            _ if says("agent bridge not ready") || says("inbox write failed") => Class::Refused,
            _ if says("agent reply timed out") => Class::AcceptedWithoutReply,
            _ => Class::Unknown,
        }
    }
}

/// A dispatch that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(super) struct Failure {
    pub(super) class: Class,
    /// For people.
    pub(super) text: String,
}

impl Failure {
    pub(super) fn new(class: Class, text: impl Into<String>) -> Self {
        Self { class, text: text.into() }
    }

    pub(super) fn not_sent(text: impl ToString) -> Self {
        Self::new(Class::NotSent, text.to_string())
    }
}

impl Peer {
    /// A failure as the caller of a tool sees it.
    pub(super) async fn told(&self, failure: Failure) -> Value {
        let Failure { class, text } = failure;
        let event = json!({ "class": class.name(), "retry_safe": class.began_nothing() });
        let told = self.pass(Point::HermesFailure, event).await.unwrap_or_default();
        json!({ "error": text, "class": told["class"], "retry_safe": told["retry_safe"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_is_safe_only_where_it_is_certain_that_nothing_began() {
        let rpc = |code, message: &str| Class::of_rpc(&RpcError::new(code, message));
        for (class, is, safe) in [
            (Class::of_status(401), Class::Refused, true),
            (Class::of_status(413), Class::Refused, true),
            (Class::of_status(302), Class::Unknown, false),
            (Class::of_status(500), Class::Unknown, false),
            (Class::of_status(503), Class::Unknown, false),
            (rpc(-32_700, "Parse error"), Class::Refused, true),
            (rpc(-32_602, "invalid params: no"), Class::Refused, true),
            (rpc(-32_001, "peer busy"), Class::Refused, true),
            (rpc(-32_000, "agent bridge not ready: restarting"), Class::Refused, true),
            (rpc(-32_000, "inbox write failed: disk full"), Class::Refused, true),
            (rpc(-32_000, "agent reply timed out after 120.0s: c1"), Class::AcceptedWithoutReply, false),
            (rpc(-32_000, "Server error: it fell over"), Class::Unknown, false),
            (rpc(-32_603, "internal error"), Class::Unknown, false),
        ] {
            assert_eq!((class, class.began_nothing()), (is, safe));
        }
    }
}
