//! The list of injection points.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quirk::Kind;

/// Where a quirk can bite. Each point documents the event that passes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Point {
    /// The receiver has read its configuration and is about to work by it; `sound`: nothing in it was wrong.
    /// `{"sound": bool, "slots", "idle_s", "turn_cap_s"}`, `idle_s` being null when it never idles out.
    #[serde(rename = "receiver.config")]
    ReceiverConfig,
    /// The receiver has looked who may dispatch, before it listens: whether a bearer is named and found, and whether only this machine
    /// can reach it. `{"named": bool, "found": bool, "loopback": bool, "starts": bool}`
    #[serde(rename = "receiver.open")]
    ReceiverOpen,
    /// The receiver writes its pid file when it listens, and none when it does not come to it.
    /// `{"listens": bool, "writes": bool}`
    #[serde(rename = "receiver.pid")]
    ReceiverPid,
    /// The receiver has read a request of which it knows the bearer. `context` says where a context stands, `sound` whether the
    /// parameters have the right types, `texts` how many there are.
    /// `{"method", "id", "context": "message" | "beside" | "none", "sound": bool, "texts", "text"}`
    #[serde(rename = "receiver.request")]
    ReceiverRequest,
    /// The receiver makes up a context. `{"contextId"}`
    #[serde(rename = "receiver.anonymous")]
    ReceiverAnonymous,
    /// The receiver has judged a bearer. `{"accepted": bool, "reason": "ok" | "missing" | "wrong", "scheme"}`
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
    /// The receiver has looked what a dispatch says beside its text, of one that speaks of extensions. `because`: null, or why it is
    /// about to be refused; `others`: it speaks of none that is known. `{"contextId", "because": null | "others" | "version" |
    /// "announcement" | "payload" | "deadline" | "address" | "context", "payload", "refused": bool}`; what cannot be read and is not
    /// refused is taken as plain text.
    #[serde(rename = "receiver.task")]
    ReceiverTask,
    /// The receiver takes up the turn of a structured task; `known`: it still knows more than the text.
    /// `{"contextId", "earlier_life": bool, "known": bool}`
    #[serde(rename = "receiver.task_kept")]
    ReceiverTaskKept,
    /// The receiver has made one text of a structured task, whose own is `text`. `{"contextId", "text", "shown"}`
    #[serde(rename = "receiver.task_shown")]
    ReceiverTaskShown,
    /// The receiver has the outcome of a structured task that came on `contextId`, and is about to answer on another context or at
    /// another address, if it asked so. `{"contextId", "on", "url", "report": {"of", "ended_by"}}`
    #[serde(rename = "receiver.task_answer")]
    ReceiverTaskAnswer,
    /// The receiver has looked how long it is to the deadline of a task whose turn it takes up, and by which clock.
    /// `{"contextId", "earlier_life": bool, "left_ms", "by": "life" | "wall"}`
    #[serde(rename = "receiver.deadline")]
    ReceiverDeadline,
    /// The receiver sees that the deadline of a task is over, whose turn has not begun. `{"contextId"}`; omitted: it does not see it.
    #[serde(rename = "receiver.deadline_over")]
    ReceiverDeadlineOver,
    /// The receiver has chosen what ends the turn of a task with a deadline, and what it will name. `together`: the deadline is as long
    /// as the cap. `{"contextId", "together": bool, "by": "cap" | "deadline", "named": "cap" | "deadline"}`
    #[serde(rename = "receiver.limit")]
    ReceiverLimit,
    /// The receiver appends to its inbox; `cut`: its sender sent more than this text; `task`: what it said beside it.
    /// `{"ts", "from", "contextId", "text", "cut": bool, "file", "task"}`
    #[serde(rename = "receiver.inbox")]
    ReceiverInbox,
    /// The receiver hands an inbox line to a turn. `{"line", "contextId", "text"}`
    #[serde(rename = "receiver.handoff")]
    ReceiverHandoff,
    /// The receiver writes down how many lines of its inbox it handed off. `{"lines"}`; omitted: the file stays as it is.
    #[serde(rename = "receiver.offset")]
    ReceiverOffset,
    /// The receiver could not hand off this line. `{"line"}`; omitted: it goes on behind it.
    #[serde(rename = "receiver.handoff_failed")]
    ReceiverHandoffFailed,
    /// The receiver that comes back has looked what became of a line. `{"line", "state": "waiting" | "fresh" | "started" |
    /// "ended" | "settled"}`: not handed off, not begun, begun, come to an outcome, and that outcome sent.
    #[serde(rename = "receiver.recover")]
    ReceiverRecover,
    /// The receiver has looked whether a context is free, in a mode that takes one dispatch at a time.
    /// `{"contextId", "free": bool}`
    #[serde(rename = "receiver.claim")]
    ReceiverClaim,
    /// The receiver lets a context go after its turn, in such a mode. `{"contextId"}`; omitted: it stays taken.
    #[serde(rename = "receiver.release")]
    ReceiverRelease,
    /// The receiver takes the lock of a context before a turn; `crowded`: it knows as many contexts as it may.
    /// `{"contextId", "crowded": bool}`; omitted: the turn runs without the lock.
    #[serde(rename = "receiver.context_lock")]
    ReceiverContextLock,
    /// The receiver has chosen the role for a turn. `{"source": "file" | "prompt" | "built_in", "text"}`
    #[serde(rename = "receiver.role")]
    ReceiverRole,
    /// The receiver has looked at the repository's file of tools. `{"sound": bool}`
    #[serde(rename = "receiver.tools")]
    ReceiverTools,
    /// The receiver lets a turn begin a conversation while no other one does, for a CLI of which only the last conversation can be
    /// found again. `{"contextId"}`; omitted: it does not wait.
    #[serde(rename = "receiver.first_turn")]
    ReceiverFirstTurn,
    /// The receiver starts its CLI. `text` is what was dispatched, `cwd` where the CLI works, `adds_places` whether the usual places of
    /// programs are added to its search path, `env` what this mode adds to its environment, `withheld` the names of variables that
    /// are not passed on. `{"contextId", "session", "args", "text", "cwd", "stdin": "null" | "held", "adds_places": bool, "env",
    /// "withheld"}`
    #[serde(rename = "receiver.spawn")]
    ReceiverSpawn,
    /// The receiver sets the time after which it ends a turn. `{"contextId", "seconds"}`
    #[serde(rename = "receiver.cap")]
    ReceiverCap,
    /// The receiver has read what its CLI printed. `{"reply", "session", "wrong_session": bool, "code"}`
    #[serde(rename = "receiver.heard")]
    ReceiverHeard,
    /// The receiver has reckoned what a turn used, from what its CLI printed. `later`: the CLI tells the total of the session, and there
    /// were earlier turns. `{"contextId", "usage", "later": bool, "counts": "turn"}`; `counts` something else: it takes the total.
    #[serde(rename = "receiver.usage")]
    ReceiverUsage,
    /// The receiver names the last completed step of a turn that it ended at its limit. `{"contextId", "number", "name"}`; omitted: it
    /// names none.
    #[serde(rename = "receiver.last_step")]
    ReceiverLastStep,
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
    /// does; `again`: the turn is run once more. `{"contextId", "session", "sign": "not_found" | "in_use", "again"}`; omitted: it has
    /// not seen it.
    #[serde(rename = "receiver.session_dead")]
    ReceiverSessionDead,
    /// The receiver has found words of a dead session in what is a reply. `{"contextId", "session", "is_sign": false}`; when they are
    /// a sign, the turn is run again on the other session.
    #[serde(rename = "receiver.session_words")]
    ReceiverSessionWords,
    /// The receiver forgets the session of a context. `{"contextId", "session"}`
    #[serde(rename = "receiver.session_forget")]
    ReceiverSessionForget,
    /// The receiver has looked where a CLI that prints no session writes down the last one of a directory. `whose`: null, or why it is
    /// not taken. `{"contextId", "by": "path" | "real path", "session", "whose": null | "an earlier turn's" | "another's"}`; omitted: it has not
    /// looked there.
    #[serde(rename = "receiver.discovery")]
    ReceiverDiscovery,
    /// The receiver has compared what a CLI repeats with what it printed before. `{"contextId", "fits", "stripped", "drifted"}`,
    /// with whether what is repeated is left out of the reply, and whether it is noted that it does not fit.
    #[serde(rename = "receiver.replay")]
    ReceiverReplay,
    /// The receiver has judged whether nobody is signed in, for a CLI that has no event for it. `{"contextId", "sign": "nothing" |
    /// "silence" | "told" | "mute failure" | "quoted", "missing"}`
    #[serde(rename = "receiver.sign_in")]
    ReceiverSignIn,
    /// The receiver appends to its transcript. `{"dir", "from", "to", "contextId", "text"}`. Bytes can be mangled.
    #[serde(rename = "receiver.transcript")]
    ReceiverTranscript,
    /// The receiver sends a reply back, each attempt anew; `bearer`: it shows one; `report`: what the outcome of a structured task
    /// says beside its text; `usage`: what its turn used. `{"id", "contextId", "text", "role", "attempt", "url", "bearer": bool,
    /// "report", "usage"}`. Bytes can be mangled.
    #[serde(rename = "receiver.callback")]
    ReceiverCallback,
    /// The receiver has an answer to a callback; `error`: there is one of JSON-RPC in it. `{"status", "error": bool, "taken": bool}`
    #[serde(rename = "receiver.callback_answer")]
    ReceiverCallbackAnswer,
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
    /// A Hermes node is loaded. `{"listens": bool}`; true: it begins to listen before it is told to.
    #[serde(rename = "hermes.load")]
    HermesLoad,
    /// A Hermes node is told to listen. `{"already": bool}`: whether it does, so that nothing is to be done.
    #[serde(rename = "hermes.connect")]
    HermesConnect,
    /// A Hermes node has found that it cannot listen. `{"port"}`
    #[serde(rename = "hermes.busy_port")]
    HermesBusyPort,
    /// A Hermes node has read its configuration for a request. `{"handler", "peers"}`; omitted: it goes on with what it read first.
    #[serde(rename = "hermes.config")]
    HermesConfig,
    /// A Hermes node has judged a bearer. `{"accepted": bool, "reason": "ok" | "missing" | "start" | "wrong"}`; `start` is the
    /// beginning of the right one.
    #[serde(rename = "hermes.auth")]
    HermesAuth,
    /// A Hermes node answers an HTTP request. `{"method", "path", "status", "body"}`, the body as JSON. Bytes can be mangled.
    #[serde(rename = "hermes.response")]
    HermesResponse,
    /// A Hermes node has settled which context a message belongs to: the one that is `named` in it, or a new one.
    /// `{"contextId", "named": bool, "beside": bool, "takes_beside": bool}`; `beside`: one stands beside the message; omitted: the answer
    /// names none.
    #[serde(rename = "hermes.context")]
    HermesContext,
    /// A Hermes node has looked whether its agent is free on a context. `{"contextId", "free": bool}`
    #[serde(rename = "hermes.claim")]
    HermesClaim,
    /// A Hermes node hands a message to its agent. `{"contextId", "session", "peer", "text"}`
    #[serde(rename = "hermes.turn")]
    HermesTurn,
    /// A Hermes node takes the reasoning from the beginning of its agent's reply. `{"contextId", "text"}`; omitted: it stays.
    #[serde(rename = "hermes.strip")]
    HermesStrip,
    /// A Hermes node takes the lock of a context before it asks a model. `{"contextId"}`; omitted: it asks without.
    #[serde(rename = "hermes.context_lock")]
    HermesContextLock,
    /// A Hermes node asks a model. `{"max_tokens", "temperature"}`
    #[serde(rename = "hermes.model_call")]
    HermesModelCall,
    /// A Hermes node decides whether an exchange with a model is remembered. `{"contextId", "succeeded": bool, "keeps": bool}`
    #[serde(rename = "hermes.history")]
    HermesHistory,
    /// A Hermes node forgets what is too much. `{"contextId", "what": "records" | "contexts"}`; omitted: it stays.
    #[serde(rename = "hermes.forget")]
    HermesForget,
    /// A Hermes node appends to a transcript. `{"dir", "from", "to", "contextId", "text"}`
    #[serde(rename = "hermes.transcript")]
    HermesTranscript,
    /// A Hermes node takes the reply of a receiver. `{"id", "contextId", "text", "seen": bool}`; `seen`: it came before.
    #[serde(rename = "hermes.delivery")]
    HermesDelivery,
    /// The CLI looks up the session that it is asked to resume. `{"session", "found"}`
    #[serde(rename = "cli.resume")]
    CliResume,
    /// The CLI writes down which conversation each directory had last. `{"conversations"}`, the whole file. Bytes can be mangled.
    #[serde(rename = "cli.record")]
    CliRecord,
    /// The CLI has run into the limit that it was told. `{"seconds", "text"}`, with what it prints for an answer; omitted: it goes on.
    #[serde(rename = "cli.limit")]
    CliLimit,
    /// The CLI prints a line of its event stream. The event as JSON; of a CLI that prints plain text `{"kind": "warning" | "replay" |
    /// "answer", "text"}`. Bytes can be mangled.
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
            Point::ReceiverConfig => "receiver.config",
            Point::ReceiverOpen => "receiver.open",
            Point::ReceiverPid => "receiver.pid",
            Point::ReceiverRequest => "receiver.request",
            Point::ReceiverAnonymous => "receiver.anonymous",
            Point::ReceiverAuth => "receiver.auth",
            Point::ReceiverResponse => "receiver.response",
            Point::ReceiverAck => "receiver.ack",
            Point::ReceiverParams => "receiver.params",
            Point::ReceiverContext => "receiver.context",
            Point::ReceiverTask => "receiver.task",
            Point::ReceiverTaskKept => "receiver.task_kept",
            Point::ReceiverTaskShown => "receiver.task_shown",
            Point::ReceiverTaskAnswer => "receiver.task_answer",
            Point::ReceiverDeadline => "receiver.deadline",
            Point::ReceiverDeadlineOver => "receiver.deadline_over",
            Point::ReceiverLimit => "receiver.limit",
            Point::ReceiverInbox => "receiver.inbox",
            Point::ReceiverHandoff => "receiver.handoff",
            Point::ReceiverOffset => "receiver.offset",
            Point::ReceiverHandoffFailed => "receiver.handoff_failed",
            Point::ReceiverRecover => "receiver.recover",
            Point::ReceiverClaim => "receiver.claim",
            Point::ReceiverRelease => "receiver.release",
            Point::ReceiverContextLock => "receiver.context_lock",
            Point::ReceiverRole => "receiver.role",
            Point::ReceiverTools => "receiver.tools",
            Point::ReceiverFirstTurn => "receiver.first_turn",
            Point::ReceiverSpawn => "receiver.spawn",
            Point::ReceiverCap => "receiver.cap",
            Point::ReceiverHeard => "receiver.heard",
            Point::ReceiverUsage => "receiver.usage",
            Point::ReceiverLastStep => "receiver.last_step",
            Point::ReceiverGroupKill => "receiver.group_kill",
            Point::ReceiverSessionSave => "receiver.session_save",
            Point::ReceiverSessionLookup => "receiver.session_lookup",
            Point::ReceiverSessionDead => "receiver.session_dead",
            Point::ReceiverSessionWords => "receiver.session_words",
            Point::ReceiverSessionForget => "receiver.session_forget",
            Point::ReceiverDiscovery => "receiver.discovery",
            Point::ReceiverReplay => "receiver.replay",
            Point::ReceiverSignIn => "receiver.sign_in",
            Point::ReceiverTranscript => "receiver.transcript",
            Point::ReceiverCallback => "receiver.callback",
            Point::ReceiverCallbackAnswer => "receiver.callback_answer",
            Point::ReceiverSweep => "receiver.sweep",
            Point::ReceiverIdle => "receiver.idle",
            Point::ReceiverSignal => "receiver.signal",
            Point::ReceiverLog => "receiver.log",
            Point::HermesLoad => "hermes.load",
            Point::HermesConnect => "hermes.connect",
            Point::HermesBusyPort => "hermes.busy_port",
            Point::HermesConfig => "hermes.config",
            Point::HermesAuth => "hermes.auth",
            Point::HermesResponse => "hermes.response",
            Point::HermesContext => "hermes.context",
            Point::HermesClaim => "hermes.claim",
            Point::HermesTurn => "hermes.turn",
            Point::HermesStrip => "hermes.strip",
            Point::HermesContextLock => "hermes.context_lock",
            Point::HermesModelCall => "hermes.model_call",
            Point::HermesHistory => "hermes.history",
            Point::HermesForget => "hermes.forget",
            Point::HermesTranscript => "hermes.transcript",
            Point::HermesDelivery => "hermes.delivery",
            Point::CliResume => "cli.resume",
            Point::CliRecord => "cli.record",
            Point::CliLimit => "cli.limit",
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
            Point::ReceiverConfig => of(
                &["sound", "slots", "idle_s", "turn_cap_s"],
                &["slots", "idle_s", "turn_cap_s"],
                &[Replace, Delay, Stall, Exit],
            ),
            Point::ReceiverOpen => {
                of(&["named", "found", "loopback", "starts"], &["starts"], &[Replace, Delay, Stall])
            }
            Point::ReceiverPid => of(&["listens", "writes"], &["writes"], &[Replace, Delay, Stall]),
            Point::ReceiverRequest => of(
                &["method", "id", "context", "sound", "texts", "text"],
                &["method", "id", "context", "sound", "text"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverAnonymous => of(&["contextId"], &["contextId"], &[Replace, Delay, Stall]),
            Point::ReceiverAuth => {
                of(&["accepted", "reason", "scheme"], &["accepted"], &[Replace, Delay, Stall])
            }
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
            Point::ReceiverTask => {
                of(&["contextId", "because", "payload", "refused"], &["refused"], &[Replace, Delay, Stall])
            }
            Point::ReceiverTaskKept => {
                of(&["contextId", "earlier_life", "known"], &["known"], &[Replace, Delay, Stall])
            }
            Point::ReceiverTaskShown => {
                of(&["contextId", "text", "shown"], &["shown"], &[Replace, Delay, Stall])
            }
            Point::ReceiverTaskAnswer => {
                of(&["contextId", "on", "url", "report"], &["on", "url", "report"], &[Replace, Delay, Stall])
            }
            Point::ReceiverDeadline => of(
                &["contextId", "earlier_life", "left_ms", "by"],
                &["left_ms", "by"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverDeadlineOver => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverLimit => {
                of(&["contextId", "together", "by", "named"], &["by", "named"], &[Replace, Delay, Stall])
            }
            Point::ReceiverInbox => of(
                &["ts", "from", "contextId", "text", "cut", "file", "task"],
                &["ts", "from", "contextId", "text", "cut", "file", "task"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverHandoff => of(
                &["line", "contextId", "text"],
                &["contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Reorder],
            ),
            Point::ReceiverOffset => of(&["lines"], &["lines"], &[Omit, Replace, Delay, Stall]),
            Point::ReceiverHandoffFailed => of(&["line"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverRecover => of(&["line", "state"], &["state"], &[Replace, Delay, Stall]),
            Point::ReceiverClaim => of(&["contextId", "free"], &["free"], &[Replace, Delay, Stall]),
            Point::ReceiverRelease => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverContextLock => of(&["contextId", "crowded"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverRole => of(&["source", "text"], &["text"], &[Replace, Delay, Stall]),
            Point::ReceiverTools => of(&["sound"], &["sound"], &[Replace, Delay, Stall]),
            Point::ReceiverFirstTurn => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverSpawn => of(
                &["contextId", "session", "args", "text", "cwd", "stdin", "adds_places", "env", "withheld"],
                &["args", "cwd", "stdin", "adds_places", "env", "withheld"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::ReceiverCap => of(&["contextId", "seconds"], &["seconds"], &[Replace]),
            Point::ReceiverHeard => of(
                &["reply", "session", "wrong_session", "code"],
                &["reply", "session", "wrong_session"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverUsage => {
                of(&["contextId", "usage", "later", "counts"], &["usage", "counts"], &[Replace, Delay, Stall])
            }
            Point::ReceiverLastStep => {
                of(&["contextId", "number", "name"], &["number", "name"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverGroupKill => of(&["because"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverSessionSave => of(
                &["contextId", "session"],
                &["contextId", "session"],
                &[Omit, Replace, Delay, Stall, Duplicate],
            ),
            Point::ReceiverSessionLookup => {
                of(&["contextId", "session", "earlier_life"], &["session"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverSessionDead => {
                of(&["contextId", "session", "sign", "again"], &["again"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverSessionForget => of(&["contextId", "session"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverDiscovery => of(
                &["contextId", "by", "session", "whose"],
                &["session", "whose"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::ReceiverReplay => of(
                &["contextId", "fits", "stripped", "drifted"],
                &["stripped", "drifted"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverSignIn => {
                of(&["contextId", "sign", "missing"], &["missing"], &[Replace, Delay, Stall])
            }
            Point::ReceiverSessionWords => {
                of(&["contextId", "session", "is_sign"], &["is_sign"], &[Replace, Delay, Stall])
            }
            Point::ReceiverTranscript => of(
                &["dir", "from", "to", "contextId", "text"],
                &["dir", "from", "to", "contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverCallback => of(
                &["id", "contextId", "text", "role", "attempt", "url", "bearer", "report", "usage"],
                &["id", "contextId", "text", "role", "url", "bearer", "report", "usage"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverCallbackAnswer => {
                of(&["status", "error", "taken"], &["taken"], &[Replace, Delay, Stall])
            }
            Point::ReceiverSweep => of(&["turns"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverIdle => of(&["open_turns"], &["open_turns"], &[Replace, Delay, Stall]),
            Point::ReceiverSignal => of(&["busy"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverLog => {
                of(&["line"], &["line"], &[Omit, Replace, Delay, Stall, Duplicate, Reorder])
            }
            Point::HermesLoad => of(&["listens"], &["listens"], &[Replace, Delay, Stall]),
            Point::HermesConnect => of(&["already"], &["already"], &[Replace, Delay, Stall]),
            Point::HermesBusyPort => of(&["port"], &[], &[Delay, Stall, Exit]),
            Point::HermesConfig => of(&["handler", "peers"], &[], &[Omit, Delay, Stall]),
            Point::HermesAuth => of(&["accepted", "reason"], &["accepted"], &[Replace, Delay, Stall]),
            Point::HermesResponse => of(
                &["method", "path", "status", "body"],
                &["status", "body"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble],
            ),
            Point::HermesContext => of(
                &["contextId", "named", "beside", "takes_beside"],
                &["contextId", "takes_beside"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::HermesClaim => of(&["contextId", "free"], &["free"], &[Replace, Delay, Stall]),
            Point::HermesTurn => of(
                &["contextId", "session", "peer", "text"],
                &["session", "peer", "text"],
                &[Replace, Delay, Stall],
            ),
            Point::HermesStrip => of(&["contextId", "text"], &[], &[Omit, Delay, Stall, Duplicate]),
            Point::HermesContextLock => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::HermesModelCall => {
                of(&["max_tokens", "temperature"], &["max_tokens", "temperature"], &[Replace, Delay, Stall])
            }
            Point::HermesHistory => {
                of(&["contextId", "succeeded", "keeps"], &["keeps"], &[Omit, Replace, Delay, Stall])
            }
            Point::HermesForget => of(&["contextId", "what"], &[], &[Omit, Delay, Stall]),
            Point::HermesTranscript => of(
                &["dir", "from", "to", "contextId", "text"],
                &["dir", "from", "to", "contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate],
            ),
            Point::HermesDelivery => of(
                &["id", "contextId", "text", "seen"],
                &["id", "contextId", "text", "seen"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::CliResume => {
                of(&["session", "found"], &["session", "found"], &[Omit, Replace, Delay, Stall, Exit])
            }
            Point::CliRecord => of(
                &["conversations"],
                &["conversations"],
                &[Omit, Replace, Delay, Stall, Truncate, Garble, Exit],
            ),
            Point::CliLimit => of(&["seconds", "text"], &["text"], &[Omit, Replace, Delay, Stall, Exit]),
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
