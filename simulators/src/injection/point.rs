//! The list of injection points.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a quirk can bite. Each point documents the event that passes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Point {
    /// The receiver has judged a bearer. `{"accepted": bool, "reason": "ok" | "missing" | "wrong"}`
    #[serde(rename = "receiver.auth")]
    ReceiverAuth,
    /// The receiver answers an HTTP request. `{"method", "path", "status", "body"}`, the body as JSON. Bytes can be mangled.
    #[serde(rename = "receiver.response")]
    ReceiverResponse,
    /// The receiver acknowledges a dispatch. `{"contextId", "text"}`
    #[serde(rename = "receiver.ack")]
    ReceiverAck,
    /// The receiver appends to its inbox. `{"from", "contextId", "text"}`
    #[serde(rename = "receiver.inbox")]
    ReceiverInbox,
    /// The receiver hands an inbox line to a turn. `{"line", "contextId", "text"}`
    #[serde(rename = "receiver.handoff")]
    ReceiverHandoff,
    /// The receiver has looked whether a context is free, in a mode that takes one dispatch at a time.
    /// `{"contextId", "free": bool}`
    #[serde(rename = "receiver.claim")]
    ReceiverClaim,
    /// The receiver lets a context go after its turn, in such a mode. `{"contextId"}`; omitted: it stays taken.
    #[serde(rename = "receiver.release")]
    ReceiverRelease,
    /// The receiver takes the lock of a context before a turn. `{"contextId"}`; omitted: the turn runs without the lock.
    #[serde(rename = "receiver.context_lock")]
    ReceiverContextLock,
    /// The receiver starts its CLI. `{"contextId", "session", "args"}`
    #[serde(rename = "receiver.spawn")]
    ReceiverSpawn,
    /// The receiver kills the process groups of a turn that ran into its cap, or of all when it is told to end.
    /// `{"because": "cap" | "stop"}`; omitted: only the leaders die.
    #[serde(rename = "receiver.group_kill")]
    ReceiverGroupKill,
    /// The receiver remembers the CLI's session for a context. `{"contextId", "session"}`
    #[serde(rename = "receiver.session_save")]
    ReceiverSessionSave,
    /// The receiver has looked up the session that goes on with a context; null: it has none. `{"contextId", "session"}`
    #[serde(rename = "receiver.session_lookup")]
    ReceiverSessionLookup,
    /// The receiver has seen that the session which the CLI was to go on with does not exist, or, with null, that the one which it
    /// was to begin does. `{"contextId", "session"}`; omitted: it has not seen it.
    #[serde(rename = "receiver.session_dead")]
    ReceiverSessionDead,
    /// The receiver forgets the session of a context. `{"contextId", "session"}`
    #[serde(rename = "receiver.session_forget")]
    ReceiverSessionForget,
    /// The receiver appends to its transcript. `{"dir", "from", "to", "contextId", "text"}`. Bytes can be mangled.
    #[serde(rename = "receiver.transcript")]
    ReceiverTranscript,
    /// The receiver sends a reply back, each attempt anew. `{"id", "contextId", "text", "attempt"}`. Bytes can be mangled.
    #[serde(rename = "receiver.callback")]
    ReceiverCallback,
    /// The receiver writes a line to its log. `{"line"}`
    #[serde(rename = "receiver.log")]
    ReceiverLog,
    /// The CLI looks up the session that it is asked to resume. `{"session", "found"}`
    #[serde(rename = "cli.resume")]
    CliResume,
    /// The CLI prints a line of its event stream. The event as JSON. Bytes can be mangled.
    #[serde(rename = "cli.line")]
    CliLine,
    /// The CLI prints a line on standard error. `{"line"}`
    #[serde(rename = "cli.stderr")]
    CliStderr,
    /// The CLI is about to end. `{"code"}`
    #[serde(rename = "cli.exit")]
    CliExit,
}

impl Point {
    /// The name in quirk files, for instance `receiver.callback`.
    pub fn name(self) -> &'static str {
        match self {
            Point::ReceiverAuth => "receiver.auth",
            Point::ReceiverResponse => "receiver.response",
            Point::ReceiverAck => "receiver.ack",
            Point::ReceiverInbox => "receiver.inbox",
            Point::ReceiverHandoff => "receiver.handoff",
            Point::ReceiverClaim => "receiver.claim",
            Point::ReceiverRelease => "receiver.release",
            Point::ReceiverContextLock => "receiver.context_lock",
            Point::ReceiverSpawn => "receiver.spawn",
            Point::ReceiverGroupKill => "receiver.group_kill",
            Point::ReceiverSessionSave => "receiver.session_save",
            Point::ReceiverSessionLookup => "receiver.session_lookup",
            Point::ReceiverSessionDead => "receiver.session_dead",
            Point::ReceiverSessionForget => "receiver.session_forget",
            Point::ReceiverTranscript => "receiver.transcript",
            Point::ReceiverCallback => "receiver.callback",
            Point::ReceiverLog => "receiver.log",
            Point::CliResume => "cli.resume",
            Point::CliLine => "cli.line",
            Point::CliStderr => "cli.stderr",
            Point::CliExit => "cli.exit",
        }
    }

    /// The role whose behaviour deviates here.
    pub fn role(self) -> &'static str {
        match self.name().split_once('.') {
            Some((role, _)) => role,
            None => self.name(),
        }
    }
}
