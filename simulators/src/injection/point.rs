//! The list of injection points.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quirk::Kind;

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
    /// The receiver has found something in the parameters of a dispatch that is of the wrong type, and is about to refuse it.
    /// `{"member": "params" | "params.message" | "params.message.parts"}`; omitted: the connection ends without an answer.
    #[serde(rename = "receiver.params")]
    ReceiverParams,
    /// The receiver has found a contextId that is no text, and is about to refuse it. `{"contextId", "taken": false}`; taken: its
    /// JSON stands for it.
    #[serde(rename = "receiver.context")]
    ReceiverContext,
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
    /// The receiver starts its CLI. `{"contextId", "session", "args", "withheld"}`, the last the names of variables that it does
    /// not pass on.
    #[serde(rename = "receiver.spawn")]
    ReceiverSpawn,
    /// The receiver kills the process groups of a turn that ran into its cap, or of all when it is told to end.
    /// `{"because": "cap" | "stop"}`; omitted: only the leaders die.
    #[serde(rename = "receiver.group_kill")]
    ReceiverGroupKill,
    /// The receiver remembers the CLI's session for a context. `{"contextId", "session"}`
    #[serde(rename = "receiver.session_save")]
    ReceiverSessionSave,
    /// The receiver has looked up the session that goes on with a context; null: it has none.
    /// `{"contextId", "session", "earlier_life": bool}`, the last true when all turns of the context were an earlier life's.
    #[serde(rename = "receiver.session_lookup")]
    ReceiverSessionLookup,
    /// The receiver has seen that the session which the CLI was to go on with does not exist, or that the one which it was to begin
    /// does. `{"contextId", "session", "sign": "not_found" | "in_use"}`; omitted: it has not seen it.
    #[serde(rename = "receiver.session_dead")]
    ReceiverSessionDead,
    /// The receiver has found words of a dead session in what is a reply. `{"contextId", "session", "is_sign": false}`; when they are
    /// a sign, the turn is run again on the other session.
    #[serde(rename = "receiver.session_words")]
    ReceiverSessionWords,
    /// The receiver forgets the session of a context. `{"contextId", "session"}`
    #[serde(rename = "receiver.session_forget")]
    ReceiverSessionForget,
    /// The receiver appends to its transcript. `{"dir", "from", "to", "contextId", "text"}`. Bytes can be mangled.
    #[serde(rename = "receiver.transcript")]
    ReceiverTranscript,
    /// The receiver sends a reply back, each attempt anew. `{"id", "contextId", "text", "attempt"}`. Bytes can be mangled.
    #[serde(rename = "receiver.callback")]
    ReceiverCallback,
    /// The receiver has an answer to a callback; `error`: there is one of JSON-RPC in it. `{"status", "error": bool, "taken": bool}`
    #[serde(rename = "receiver.callback_answer")]
    ReceiverCallbackAnswer,
    /// The receiver that comes back has looked what became of a line that was handed off. `{"line", "state": "fresh" | "started" |
    /// "ended" | "settled"}`: not begun, begun, come to an outcome, and that outcome sent.
    #[serde(rename = "receiver.recover")]
    ReceiverRecover,
    /// The receiver ends, at its start, what turns of an earlier life left running. `{"turns"}`, how many lines that life handed
    /// off; omitted: it lives on.
    #[serde(rename = "receiver.sweep")]
    ReceiverSweep,
    /// The time without work is over after which the receiver ends. `{"open_turns"}`; it ends only when there are none.
    #[serde(rename = "receiver.idle")]
    ReceiverIdle,
    /// The receiver is told to end; `busy`: a turn is open. `{"busy": bool}`; omitted: it goes on.
    #[serde(rename = "receiver.signal")]
    ReceiverSignal,
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
            Point::ReceiverParams => "receiver.params",
            Point::ReceiverContext => "receiver.context",
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
            Point::ReceiverSessionWords => "receiver.session_words",
            Point::ReceiverSessionForget => "receiver.session_forget",
            Point::ReceiverTranscript => "receiver.transcript",
            Point::ReceiverCallback => "receiver.callback",
            Point::ReceiverCallbackAnswer => "receiver.callback_answer",
            Point::ReceiverRecover => "receiver.recover",
            Point::ReceiverSweep => "receiver.sweep",
            Point::ReceiverIdle => "receiver.idle",
            Point::ReceiverSignal => "receiver.signal",
            Point::ReceiverLog => "receiver.log",
            Point::CliResume => "cli.resume",
            Point::CliLine => "cli.line",
            Point::CliStderr => "cli.stderr",
            Point::CliExit => "cli.exit",
        }
    }

    /// What passes here, and what a quirk can do to it: one row a point. A deviation that is not in its row would do nothing.
    pub fn traits(self) -> Traits {
        use Kind::{Delay, Duplicate, Exit, Garble, Omit, Reorder, Replace, Stall, Truncate};
        let of = |members, changeable, kinds| Traits {
            members: Some(members),
            changeable: Some(changeable),
            kinds,
        };
        match self {
            Point::ReceiverAuth => of(&["accepted", "reason"], &["accepted"], &[Replace, Delay, Stall]),
            Point::ReceiverResponse => of(
                &["method", "path", "status", "body"],
                &["status", "body"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble],
            ),
            Point::ReceiverAck => {
                of(&["contextId", "text"], &["contextId", "text"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverParams => of(&["member"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverContext => of(&["contextId", "taken"], &["taken"], &[Replace, Delay, Stall]),
            Point::ReceiverInbox => of(
                &["from", "contextId", "text"],
                &["from", "contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverHandoff => of(
                &["line", "contextId", "text"],
                &["contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Reorder],
            ),
            Point::ReceiverClaim => of(&["contextId", "free"], &["free"], &[Replace, Delay, Stall]),
            Point::ReceiverRelease => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverContextLock => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverSpawn => of(
                &["contextId", "session", "args", "withheld"],
                &["args", "withheld"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::ReceiverGroupKill => of(&["because"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverSessionSave => of(
                &["contextId", "session"],
                &["contextId", "session"],
                &[Omit, Replace, Delay, Stall, Duplicate],
            ),
            Point::ReceiverSessionLookup => {
                of(&["contextId", "session", "earlier_life"], &["session"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverSessionWords => {
                of(&["contextId", "session", "is_sign"], &["is_sign"], &[Replace, Delay, Stall])
            }
            Point::ReceiverSessionDead => of(&["contextId", "session", "sign"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverSessionForget => of(&["contextId", "session"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverTranscript => of(
                &["dir", "from", "to", "contextId", "text"],
                &["dir", "from", "to", "contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverCallback => of(
                &["id", "contextId", "text", "attempt"],
                &["id", "contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverCallbackAnswer => {
                of(&["status", "error", "taken"], &["taken"], &[Replace, Delay, Stall])
            }
            Point::ReceiverRecover => of(&["line", "state"], &["state"], &[Replace, Delay, Stall]),
            Point::ReceiverSweep => of(&["turns"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverIdle => of(&["open_turns"], &["open_turns"], &[Replace, Delay, Stall]),
            Point::ReceiverSignal => of(&["busy"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverLog => {
                of(&["line"], &["line"], &[Omit, Replace, Delay, Stall, Duplicate, Reorder])
            }
            Point::CliResume => {
                of(&["session", "found"], &["session", "found"], &[Omit, Replace, Delay, Stall, Exit])
            }
            // Every CLI and version has events of its own.
            Point::CliLine => Traits { members: None, changeable: None, kinds: Kind::ALL },
            Point::CliStderr => of(&["line"], &["line"], Kind::ALL),
            Point::CliExit => of(&["code"], &["code"], &[Omit, Replace, Delay, Stall, Exit]),
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

/// What passes a point, and what a quirk can do to it there.
#[derive(Debug, Clone, Copy)]
pub struct Traits {
    /// The members of the event; any when the point does not fix them.
    pub members: Option<&'static [&'static str]>,
    /// The members whose change has an effect.
    pub changeable: Option<&'static [&'static str]>,
    /// The deviations that have an effect.
    pub kinds: &'static [Kind],
}
