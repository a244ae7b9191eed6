//! What a failure says of what can have happened at the host.

use gauntlet_protocol::ParseError;
use gauntlet_protocol::opencode_serve::Refusal;
use gauntlet_world::http::{Answer, HttpError, Url};

/// What can have happened at the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The host has not seen it.
    NotSent,
    /// The host does not know the session.
    Gone,
    /// The host said no.
    Refused,
    /// The host says that it failed over it; how far it came is unknown.
    Failed,
    /// The host may have taken it, and no usable answer came.
    Unknown,
}

impl Class {
    /// The stable name in results and records.
    pub fn name(self) -> &'static str {
        match self {
            Class::NotSent => "not_sent",
            Class::Gone => "gone",
            Class::Refused => "refused",
            Class::Failed => "failed",
            Class::Unknown => "unknown",
        }
    }

    /// Whether it surely did not happen. Otherwise it is ambiguous: to do it again could do it twice.
    pub fn is_certain(self) -> bool {
        matches!(self, Class::NotSent | Class::Gone | Class::Refused)
    }
}

/// Why something was not done, or why that is not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct HostError {
    /// What can have happened at the host.
    pub class: Class,
    /// The status that the host answered with, if any came.
    pub status: Option<u16>,
    /// For people: what was expected, and what came.
    pub text: String,
}

impl HostError {
    pub(super) fn network(base: &Url, error: &HttpError) -> Self {
        let class = if error.may_have_been_seen() { Class::Unknown } else { Class::NotSent };
        Self {
            class,
            status: None,
            text: format!("network error talking to the session host at {base}: {error}"),
        }
    }

    pub(super) fn refusal(answer: &Answer) -> Self {
        let refusal = Refusal::read(&answer.body);
        let class = match answer.status {
            404 if refusal.name == "NotFoundError" => Class::Gone,
            // A time limit of the host's, or something in between, is no decision of the host.
            400..500 if answer.status != 408 => Class::Refused,
            500 => Class::Failed,
            _ => Class::Unknown,
        };
        let text = format!("the session host returned HTTP {}: {refusal}", answer.status);
        Self { class, status: Some(answer.status), text }
    }

    pub(super) fn unexpected(expected: u16, answer: &Answer) -> Self {
        let text = format!("the session host returned HTTP {} where {expected} was expected", answer.status);
        Self { class: Class::Unknown, status: Some(answer.status), text }
    }

    pub(super) fn unreadable(error: &ParseError) -> Self {
        Self { class: Class::Unknown, status: Some(200), text: format!("the session host's answer: {error}") }
    }
}
