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
    /// The receiver takes a connection; `others`: it serves some already. `{"others": bool, "waits": false}`; it waits: until those are over.
    #[serde(rename = "receiver.connection")]
    ReceiverConnection,
    /// The receiver has seen that what came on a connection is no whole request: its sender is gone or takes too long over the rest, or
    /// it cannot be read. `{"because": "gone" | "slow" | "malformed" | "length"}`
    #[serde(rename = "receiver.no_request")]
    ReceiverNoRequest,
    /// The receiver has looked how long the body of a request is, of one that may speak. `longest`: exactly as long as a body may be.
    /// `{"chunked": bool, "longest": bool, "fits": bool}`
    #[serde(rename = "receiver.body")]
    ReceiverBody,
    /// The receiver drops the body of a request that it refused without reading it. `{"bytes"}`, null when it comes in chunks;
    /// omitted: it is left on the connection.
    #[serde(rename = "receiver.drop_body")]
    ReceiverDropBody,
    /// The receiver has read a request of which it knows the bearer. `context` says where a context stands, `sound` whether the
    /// parameters have the right types, `texts` how many there are.
    /// `{"method", "id", "context": "message" | "beside" | "none", "sound": bool, "texts", "text"}`
    #[serde(rename = "receiver.request")]
    ReceiverRequest,
    /// The receiver makes up a context. `{"contextId"}`
    #[serde(rename = "receiver.anonymous")]
    ReceiverAnonymous,
    /// The receiver has judged a bearer. `{"accepted": bool, "reason": "ok" | "missing" | "start" | "wrong", "scheme"}`;
    /// `start` is the beginning of the right one.
    #[serde(rename = "receiver.auth")]
    ReceiverAuth,
    /// The receiver answers an HTTP request, whatever bearer that presents. `{"method", "path", "status", "body", "bearer": "ok" |
    /// "missing" | "wrong"}`, the body as JSON. Bytes can be mangled.
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
    /// `{"contextId", "earlier_life": bool, "deadline": bool, "known": bool}`, `deadline` saying whether it has one.
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
    /// The receiver sees that the deadline of a task is over, whose turn has not begun.
    /// `{"contextId", "earlier_life": bool}`; omitted: it does not see it.
    #[serde(rename = "receiver.deadline_over")]
    ReceiverDeadlineOver,
    /// The receiver has chosen what ends the turn of a task with a deadline, and what it will name. `together`: the deadline is as long
    /// as the cap. `{"contextId", "earlier_life": bool, "together": bool, "by": "cap" | "deadline", "named": "cap" | "deadline"}`
    #[serde(rename = "receiver.limit")]
    ReceiverLimit,
    /// The receiver appends to its inbox; `cut`: its sender sent more than this text; `task`: what it said beside it.
    /// `{"ts", "from", "contextId", "text", "cut": bool, "file", "task"}`
    #[serde(rename = "receiver.inbox")]
    ReceiverInbox,
    /// The receiver has found that its inbox has fewer lines than it handed off, since somebody moved it away or cut it off, and puts blank
    /// ones in the place of those that are lost. `{"lines", "lost"}`; omitted: it does not, and new lines have the numbers of old ones.
    #[serde(rename = "receiver.inbox_lost")]
    ReceiverInboxLost,
    /// The receiver passes over an inbox line that asks for nothing. `{"line", "text", "runs": false}`
    #[serde(rename = "receiver.pass_over")]
    ReceiverPassOver,
    /// The receiver wakes whoever hands off the lines of its inbox, since one came. `{"contextId"}`; omitted: nobody is woken.
    #[serde(rename = "receiver.wake")]
    ReceiverWake,
    /// The receiver hands an inbox line to a turn; `gone_wrong`: a turn of this life was capped, failed, or could not be started.
    /// `{"line", "contextId", "text", "gone_wrong": bool}`
    #[serde(rename = "receiver.handoff")]
    ReceiverHandoff,
    /// The receiver writes down how many lines of its inbox it handed off. `{"lines", "whole": true}`; omitted: the file
    /// stays as it is; not `whole`: it is written over instead of replaced.
    #[serde(rename = "receiver.offset")]
    ReceiverOffset,
    /// The receiver could not hand off this line. `{"line"}`; omitted: it goes on behind it.
    #[serde(rename = "receiver.handoff_failed")]
    ReceiverHandoffFailed,
    /// The receiver that comes back has looked what became of a line. `{"line", "state": "waiting" | "fresh" | "started" |
    /// "ended" | "settled"}`: not handed off, not begun, begun, come to an outcome, and that outcome sent.
    #[serde(rename = "receiver.recover")]
    ReceiverRecover,
    /// The receiver has looked whether a context is free. `waits`: in its mode a dispatch to one that is not waits.
    /// `{"contextId", "free": bool, "waits": bool}`
    #[serde(rename = "receiver.claim")]
    ReceiverClaim,
    /// The receiver lets a context go after its turn. `{"contextId", "waits_for_thanks": false}`; omitted: it stays taken; when it
    /// waits, the context is let go after the callback was answered.
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
    /// The receiver is about to give its CLI a task. `spaced`: with its blanks and line ends as they came; `alone`: with nothing behind
    /// it. `{"contextId", "text", "one_line": bool, "spaced": true, "alone": true}`
    #[serde(rename = "receiver.prompt")]
    ReceiverPrompt,
    /// The receiver has a task that begins with a dash, for a CLI that would take it for an option. `{"contextId", "apart": true}`:
    /// it is given apart from the options.
    #[serde(rename = "receiver.dash")]
    ReceiverDash,
    /// The receiver could not start its CLI. `because`: it is not there, or the folder that it is to work in is not, or anything
    /// else, such as a task that no argument can hold. `named` is what the reply names.
    /// `{"contextId", "because": "program" | "folder" | "other", "named": "program" | "folder" | "other"}`
    #[serde(rename = "receiver.not_started")]
    ReceiverNotStarted,
    /// The receiver's CLI prints more than is kept. `{"contextId", "reads_on": true, "keeps_end": bool}`: whether the rest is read, and
    /// whether the end of it is kept, too.
    #[serde(rename = "receiver.surplus")]
    ReceiverSurplus,
    /// The receiver sets the time after which it ends a turn. `{"contextId", "seconds"}`
    #[serde(rename = "receiver.cap")]
    ReceiverCap,
    /// The receiver has read what its CLI printed. `answered`: it gave an answer; `noise`: there were lines that are no JSON; `utf8`: it
    /// is all UTF-8; `several`: it gave several answers, of which `first` is the first; `from_result`: the answer is what it says at its very end; `failure`: why
    /// it says that it failed. `{"reply", "session", "wrong_session": bool, "code", "failed": bool, "answered": bool, "noise": bool,
    /// "utf8": bool, "several": bool, "first", "from_result": bool, "tells_failure": bool, "failure"}`
    #[serde(rename = "receiver.heard")]
    ReceiverHeard,
    /// The receiver has reckoned what a turn used, from what its CLI printed. `later`: the CLI tells the total of the session, and there
    /// were earlier turns; `doubted`: something of what it told can be no usage. `{"contextId", "usage", "later": bool, "doubted": bool,
    /// "counts": "turn"}`; `counts` something else: it takes the total.
    #[serde(rename = "receiver.usage")]
    ReceiverUsage,
    /// The receiver names the last completed step of a turn that it ended at its limit; `number` and `name` are null when its CLI told
    /// of none, and then it names none. `{"contextId", "number", "name"}`; omitted: it names none.
    #[serde(rename = "receiver.last_step")]
    ReceiverLastStep,
    /// The receiver kills the process groups of a turn that ran into its cap or its deadline, or of all when it is told to end.
    /// `{"because": "cap" | "deadline" | "stop", "works"}`: the second is false when no CLI was at work; omitted: only the leaders die.
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
    /// says beside its text; `usage`: what its turn used; `profile`: whom it is for. `{"id", "contextId", "text", "role", "attempt",
    /// "url", "bearer": bool, "report", "usage", "profile"}`. Bytes can be mangled.
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
    /// A Hermes node is told to listen no longer. `{"grace_ms"}`, the time that is left to what is under way.
    #[serde(rename = "hermes.disconnect")]
    HermesDisconnect,
    /// A Hermes node has found that it cannot listen. `{"port"}`
    #[serde(rename = "hermes.busy_port")]
    HermesBusyPort,
    /// A Hermes node has read its configuration for a request. `{"handler", "peers"}`; omitted: it goes on with what it read first.
    #[serde(rename = "hermes.config")]
    HermesConfig,
    /// A Hermes node has judged a bearer. `{"accepted": bool, "reason": "ok" | "open" | "missing" | "start" | "wrong", "scheme",
    /// "reads_first": false}`; `open`: none is wanted; `start` is the beginning of the right one; `reads_first`: what is wrong with the body is told first.
    #[serde(rename = "hermes.auth")]
    HermesAuth,
    /// A Hermes node has read a request. `{"method", "id"}`
    #[serde(rename = "hermes.request")]
    HermesRequest,
    /// A Hermes node answers an HTTP request. `{"method", "path", "status", "body"}`, the body as JSON. Bytes can be mangled.
    #[serde(rename = "hermes.response")]
    HermesResponse,
    /// A Hermes node has settled which context a message belongs to: the one that is `named` in it, or a new one.
    /// `{"contextId", "named": bool, "beside": bool, "takes_beside": bool, "odd": bool, "takes_odd": bool}`; `beside`: one stands beside
    /// the message; `odd`: what stands in its place is none; taken, its JSON stands for it; omitted: the answer names none.
    #[serde(rename = "hermes.context")]
    HermesContext,
    /// A Hermes node has looked whether its agent is free on a context. `{"contextId", "free": bool}`
    #[serde(rename = "hermes.claim")]
    HermesClaim,
    /// A Hermes node hands a message to its agent. `{"contextId", "session", "peer", "text"}`
    #[serde(rename = "hermes.turn")]
    HermesTurn,
    /// The caller of a Hermes node has hung up while its message was answered. `{"contextId", "goes_on": true}`; the context as the
    /// message names it, or null.
    #[serde(rename = "hermes.hang_up")]
    HermesHangUp,
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
    /// A Hermes node appends to a transcript. `{"dir", "from", "to", "contextId", "text", "file"}`, the last without its ending and
    /// relative to its folder of transcripts.
    #[serde(rename = "hermes.transcript")]
    HermesTranscript,
    /// A Hermes node takes the reply of a receiver. `{"id", "contextId", "text", "seen": bool, "file"}`; `seen`: it came before;
    /// `file`: where it keeps it, relative to its home.
    #[serde(rename = "hermes.delivery")]
    HermesDelivery,
    /// A Hermes node has found that its configuration breaks a rule, and is about to let nobody in. `{"rule": "file" | "text" | "handler" |
    /// "prompt" | "bearer", "refused": true}`; not refused: it goes on with what it read first, or as if the rule of a place (the last
    /// two) were none.
    #[serde(rename = "hermes.config_broken")]
    HermesConfigBroken,
    /// A Hermes node has settled who answers a message: the handler that it chooses, that of its sender's entry, or the node's own.
    /// `because`: null, or why it is about to be refused. `{"peer", "chosen", "by": "message" | "peer" | "node", "because": null |
    /// "unknown" | "forbidden" | "version" | "announcement" | "payload", "refused": bool}`; what cannot be read and is not refused
    /// chooses nothing, and a handler that there is not is the echo.
    #[serde(rename = "hermes.choice")]
    HermesChoice,
    /// A Hermes node starts a registered handler. `{"handler", "args", "stdin", "seconds"}`
    #[serde(rename = "hermes.handler")]
    HermesHandler,
    /// A Hermes node has the outcome of a registered handler; `because`: null, or what was wrong. `{"handler", "because": null | "start" |
    /// "code" | "time" | "length" | "text", "fails": bool}`; one that does not fail has answered with what it printed.
    #[serde(rename = "hermes.handler_end")]
    HermesHandlerEnd,
    /// A Hermes node ends what a registered handler left running; `group`: also what that started. `{"handler", "group": bool}`; omitted:
    /// it lives on.
    #[serde(rename = "hermes.handler_kill")]
    HermesHandlerKill,
    /// A Hermes node begins to listen, and ends what a registered handler of an earlier life left running. `{"earlier"}`, how many
    /// processes that are; omitted: they live on.
    #[serde(rename = "hermes.handler_sweep")]
    HermesHandlerSweep,
    /// A Hermes node has looked at the card of a peer at which a dispatch chooses who answers.
    /// `{"peer", "handler", "declared": bool, "sent": bool}`
    #[serde(rename = "hermes.dispatch_choice")]
    HermesDispatchChoice,
    /// A Hermes node tells why a dispatch of its own failed. `{"class", "retry_safe": bool}`, the classes as of `runtime.failure`.
    #[serde(rename = "hermes.failure")]
    HermesFailure,
    /// A Hermes node has looked at what a reply says of a profile, or what a message says of one that cannot be read. `class`: what its sender
    /// is told. `{"profile", "contextId", "because": "own" | "elsewhere" | "full" | "misuse", "does": "deliver" | "keep" | "refuse", "class"}`
    #[serde(rename = "hermes.astray")]
    HermesAstray,
    /// A Hermes node writes down the replies that it keeps for other profiles. `{"waiting", "mode", "durable": bool}`; omitted: the file
    /// stays as it is.
    #[serde(rename = "hermes.astray_write")]
    HermesAstrayWrite,
    /// A Hermes node hands a reply on to the profile that it is for. `{"profile", "contextId", "id"}`; omitted: it does not.
    #[serde(rename = "hermes.hand_on")]
    HermesHandOn,
    /// A tool of a Hermes node gives its result. `{"tool", "result"}`
    #[serde(rename = "hermes.tool")]
    HermesTool,
    /// The runtime has read whether it is part of a fleet, and registers its tools. `{"enabled": bool, "registers": bool}`
    #[serde(rename = "runtime.load")]
    RuntimeLoad,
    /// The runtime has found its `fleet.yaml` changed since it last read it. `{"peers"}`, the names that it has now; omitted: it goes on
    /// with what it knew.
    #[serde(rename = "runtime.reread")]
    RuntimeReread,
    /// The runtime has found that its `fleet.yaml` breaks a rule. `{"rule", "refused": true}`, the rule by the name in
    /// `fleet/config.rs` of the runtime; not refused: it goes on with what it knew, where it knew something.
    #[serde(rename = "runtime.config")]
    RuntimeConfig,
    /// A tool of the runtime is called. `open`: the caller has its toolset; `unknown`: there are arguments that it does not know;
    /// `refused`: what is wrong with those that it knows, or null. `{"tool", "open": bool, "unknown": bool, "refused"}`
    #[serde(rename = "runtime.call")]
    RuntimeCall,
    /// A tool of the runtime gives its result. `{"tool", "context": "named" | "none", "result"}`, with whether its caller named a
    /// context.
    #[serde(rename = "runtime.tool")]
    RuntimeTool,
    /// The runtime's command has its result, or could make no sense of what it was told. `printed` and `error` are what goes to its two
    /// outputs, or null, and `answered` says whether it ends well. `{"printed", "error", "answered": bool}`
    #[serde(rename = "runtime.command")]
    RuntimeCommand,
    /// The runtime sends a dispatch; `contextId` is null when its caller named none, `bearer` says whether one is presented, `in_text`
    /// whether the message holds it, too. `{"peer", "method", "id", "contextId", "text", "role", "bearer": bool, "in_text": false}`
    #[serde(rename = "runtime.dispatch")]
    RuntimeDispatch,
    /// The runtime has found that a structured task breaks a rule, and is about to refuse it. What cannot be read and is not refused is
    /// sent as plain text. `{"because": "payload" | "deadline" | "reply_to", "refused": true}`
    #[serde(rename = "runtime.task")]
    RuntimeTask,
    /// The runtime has looked at the card of a peer that it has a structured task for. `{"peer", "payload", "declared": bool, "announced":
    /// bool}`
    #[serde(rename = "runtime.task_form")]
    RuntimeTaskForm,
    /// The runtime has looked at the card of a peer at which a dispatch chooses who answers. `{"peer", "handler", "declared": bool,
    /// "sent": bool}`
    #[serde(rename = "runtime.choice")]
    RuntimeChoice,
    /// The runtime waits for a reply that has a deadline; `ends`: it waits no longer than that. `{"contextId", "ends": true}`
    #[serde(rename = "runtime.deadline")]
    RuntimeDeadline,
    /// The node has looked whether a reply comes after its deadline. `{"contextId", "earlier_life": bool, "late": bool}`
    #[serde(rename = "runtime.late")]
    RuntimeLate,
    /// The node of a runtime has seen that a reply is another profile's. `{"profile", "contextId", "does": "keep" | "deliver" |
    /// "drop"}`
    #[serde(rename = "runtime.astray")]
    RuntimeAstray,
    /// The runtime tells what came on a context for other profiles, to whoever asks for the replies. `{"contextId", "astray"}`, where
    /// something did.
    #[serde(rename = "runtime.astray_told")]
    RuntimeAstrayTold,
    /// The runtime waits for the reply on a context, and has seen that one came on it for another profile.
    /// `{"contextId", "profile", "ends": true}`: the wait ends.
    #[serde(rename = "runtime.astray_awaited")]
    RuntimeAstrayAwaited,
    /// The runtime records a reply with the peer that was last sent to on its context, or with nobody's. `{"contextId", "peer"}`
    #[serde(rename = "runtime.reply_record")]
    RuntimeReplyRecord,
    /// The runtime looks at the budget of a peer before a dispatch. `{"peer", "period", "unknown": "refuse" | "allow" | "estimate"}`;
    /// omitted: it does not look, and counts nothing; `peer` something else: it is counted for that one; `unknown` something else: as
    /// if it were `allow`; `period` something else: that one.
    #[serde(rename = "runtime.budget")]
    RuntimeBudget,
    /// The runtime has found that a budget does not allow a dispatch. `{"peer", "exceeded": true, "text", "class"}`; not exceeded: it
    /// is sent all the same.
    #[serde(rename = "runtime.budget_refusal")]
    RuntimeBudgetRefusal,
    /// The runtime is about to reserve a turn. `{"peer", "alone": true, "durable": true, "mode": "0600"}`; not `alone`: between its
    /// look at the ledger and its entry others come; not `durable`: it does not wait for the disk; `mode`: of a ledger that is new.
    #[serde(rename = "runtime.budget_reserve")]
    RuntimeBudgetReserve,
    /// The runtime books what became of a turn of a peer with a budget. `doubted`: something of what was told can be no usage.
    /// `{"event": "release" | "settle", "reply", "contextId", "usage", "doubted": bool}`; omitted: it does not.
    #[serde(rename = "runtime.budget_entry")]
    RuntimeBudgetEntry,
    /// The runtime has found that the ledger of budgets cannot be used. `{"peer", "text"}`; omitted: it sends as if nothing had been
    /// used.
    #[serde(rename = "runtime.budget_ledger")]
    RuntimeBudgetLedger,
    /// The runtime's command has looked at budgets, or is about to reset them. `{"does": "show" | "reset", "standings"}`; omitted: it
    /// only says that it did.
    #[serde(rename = "runtime.budget_command")]
    RuntimeBudgetCommand,
    /// The node is called at a path below its own, at which it takes replies. `{"path", "taken": true}`
    #[serde(rename = "runtime.reply_path")]
    RuntimeReplyPath,
    /// The runtime tells why a dispatch failed. `{"because": "configuration" | "unknown peer" | "address" | "transcript" |
    /// "network" | "status" | "garbage" | "error" | "no reply" | "elsewhere" | "handler" | "undeclared", "class", "retry_safe": bool}`
    #[serde(rename = "runtime.failure")]
    RuntimeFailure,
    /// The runtime has found where the bearer for a peer comes from. `{"managed": bool, "source": "file" | "environment"}`; any other
    /// source is none.
    #[serde(rename = "runtime.token")]
    RuntimeToken,
    /// The runtime has the answer to a dispatch whose reply somebody waits for. `file` is the transcript that it looks in, or null,
    /// `from` where it begins to look; `older`: that is not at its start.
    /// `{"peer", "queued": bool, "waits": bool, "seconds", "file", "from", "older": bool}`
    #[serde(rename = "runtime.wait")]
    RuntimeWait,
    /// The runtime has looked at a record while it waits; `taken`: it is the reply. Of one that is half written it knows nothing, and
    /// taking it is passing over it. `{"whole": bool, "contextId", "from", "to", "dir", "text", "taken": bool}`
    #[serde(rename = "runtime.record")]
    RuntimeRecord,
    /// The runtime has found a transcript shorter than what it has read of it while it waits; `anew`: it begins at its start.
    /// `{"from", "length", "anew": bool}`
    #[serde(rename = "runtime.rotated")]
    RuntimeRotated,
    /// The runtime has found where the repository of a receiver really is. `{"written", "real"}`
    #[serde(rename = "runtime.repository")]
    RuntimeRepository,
    /// The runtime has the port of a receiver to deploy; `from` says where it is from. In a full band there is none, and then it is
    /// null. `{"repo", "from": "order" | "configuration" | "band" | "full band", "port"}`; omitted: the next source counts.
    #[serde(rename = "runtime.port")]
    RuntimePort,
    /// The runtime is about to choose from the band of a mode; `claims`: others claim ports.
    /// `{"repo", "first", "last", "claimed", "claims": bool}`
    #[serde(rename = "runtime.band")]
    RuntimeBand,
    /// The runtime has looked whether nobody listens on a port of a band. `{"repo", "port", "free": bool}`
    #[serde(rename = "runtime.free")]
    RuntimeFree,
    /// The runtime is about to write what a receiver is told; `again`: it is revived, and told what it was told before.
    /// `{"repo", "port", "again": bool, "token_env", "node", "options": {"model", "hermes_auth_token_env", "hermes_profile"}}`
    #[serde(rename = "runtime.order")]
    RuntimeOrder,
    /// The runtime writes a file of a repository to which it deploys; `exists`: it was there. `mode` is null where it stays;
    /// `whole`: it is replaced at once, and not written over; `follows`: where a link is in the way, what it leads to is written.
    /// `{"file": "import" | "ignore" | "token", "exists": bool, "text", "mode", "whole": bool,
    /// "follows": bool}`; omitted: it is not written.
    #[serde(rename = "runtime.file")]
    RuntimeFile,
    /// The runtime has told the receiver that ran before in a place to end. `{"repo", "ended": bool}`
    #[serde(rename = "runtime.make_way")]
    RuntimeMakeWay,
    /// The runtime starts a receiver. `home` is the profile that it is told, `for_replies` the variable with the bearer of its replies,
    /// or null. `{"repo", "port", "home", "for_replies"}`
    #[serde(rename = "runtime.launch")]
    RuntimeLaunch,
    /// The runtime has the answer of whoever listens on a receiver's port. `{"status", "ok": bool, "repo_path", "well": bool}`
    #[serde(rename = "runtime.health")]
    RuntimeHealth,
    /// The runtime has seen what became of a receiver that it started, and publishes its token and its peer, or neither. A receiver that
    /// is not healthy passes, too, and counts as deployed when it is published. `{"what": "receiver" | "token" | "peer", "port", "healthy": bool, "published": bool}`
    #[serde(rename = "runtime.publish")]
    RuntimePublish,
    /// The runtime enters a receiver as a peer into `fleet.yaml`. `anew`: it begins with a new file; `usual` is the name of its kind,
    /// `name` another one that it must have, or null; `whole` as for `runtime.file`. `{"repo", "port", "exists": bool, "anew": bool,
    /// "with_token": bool, "usual", "name", "whole": bool}`;
    /// omitted: it is not entered.
    #[serde(rename = "runtime.entry")]
    RuntimeEntry,
    /// The runtime has looked how a receiver is that it looks after, and what it does about it.
    /// `{"port", "state": "well" | "down" | "lost", "does": "healthy" | "redeployed" | "failed"}`; a lost one cannot be revived.
    #[serde(rename = "runtime.reconcile")]
    RuntimeReconcile,
    /// A deploy is refused because of its files, before anything was started; `leaves`: what runs goes on. `{"port", "leaves": bool}`
    #[serde(rename = "runtime.refused")]
    RuntimeRefused,
    /// The runtime has found that a place of a repository leads out of it, by a link, and is about to refuse a deploy for it.
    /// `{"place", "refused": true}`, the place relative to the repository; not refused: it goes on.
    #[serde(rename = "runtime.leads_out")]
    RuntimeLeadsOut,
    /// The runtime tells how a receiver is. `{"alive": bool, "healthy": bool, "running": bool}`
    #[serde(rename = "runtime.status")]
    RuntimeStatus,
    /// The runtime has judged whether a process is one that it deployed. `{"ours": bool}`
    #[serde(rename = "runtime.ours")]
    RuntimeOurs,
    /// The runtime has been asked to end a receiver. `{"found": "none" | "dead" | "foreign" | "stubborn" | "running", "stopped": bool}`
    #[serde(rename = "runtime.stop")]
    RuntimeStop,
    /// A tool of team mode has looked who calls it. `own`: the call is about the caller itself; `elsewhere`: it takes part in another run; `refused`: why it is about to be refused, or null; let
    /// in all the same, an outsider counts as the lead. `{"tool", "seat": "lead" | "member" | "none", "own": bool, "elsewhere": bool, "refused": null |
    /// "participant" | "lead" | "target"}`
    #[serde(rename = "runtime.team_gate")]
    RuntimeTeamGate,
    /// Team mode is about to refuse to create a team. `{"refused": "usage" | "caller" | "participant" | "same"}`; null: it goes on; `same`: it gives the run that there is instead.
    #[serde(rename = "runtime.team_create")]
    RuntimeTeamCreate,
    /// Team mode starts the members of a run. `parallel`: how many at once; `all`: the run is active only when each has a session.
    /// `{"parallel", "members", "all": true}`
    #[serde(rename = "runtime.team_start")]
    RuntimeTeamStart,
    /// Team mode starts a member. `spawns`: a session is made for it; `leads`: it is the lead. `{"member", "leads": bool, "spawns": bool, "parent",
    /// "prompt", "registers": true}`; not `registers`: the runtime knows its session only once its state is written.
    #[serde(rename = "runtime.team_member")]
    RuntimeTeamMember,
    /// Team mode takes back a step of a creation that failed. `{"does": "cancel" | "worktree" | "fail", "member"}`; omitted: it does not.
    #[serde(rename = "runtime.team_undo")]
    RuntimeTeamUndo,
    /// Team mode has found who is to have a message. `refused`: why it is about to be refused, or null; `slot`: where it is written.
    /// `{"from", "to", "kind", "bytes", "recipients", "refused": null | "payload" | "deleting" | "broadcast" | "recipient" | "limit", "slot":
    /// "reserved" | "unread"}`
    #[serde(rename = "runtime.team_post")]
    RuntimeTeamPost,
    /// Team mode has looked whether there is room in an inbox, and whether it knows a message. `{"member", "held", "more", "limit",
    /// "fits": bool, "known": bool}`; omitted: the message is not written, and its sender is told that it was.
    #[serde(rename = "runtime.team_put")]
    RuntimeTeamPut,
    /// Team mode has failed to store a message in one of several inboxes, and takes it back from those that have it.
    /// `{"stored"}`, how many those are; omitted: it does not.
    #[serde(rename = "runtime.team_failed")]
    RuntimeTeamFailed,
    /// Team mode has looked whether a member can be told a message at once. `{"member", "status", "pending", "ready": bool, "agent", "directory", "text"}`
    #[serde(rename = "runtime.team_prompt")]
    RuntimeTeamPrompt,
    /// Team mode knows what became of a prompt with a message. `counts`: it is taken as told; `marks`: it is noted as pending. `{"member", "outcome": "accepted" |
    /// "refused" | "unclear" | "unasked", "counts": bool, "marks": bool}`; where it does not count, the message is unread again.
    #[serde(rename = "runtime.team_prompted")]
    RuntimeTeamPrompted,
    /// Team mode hears that a session is idle. `again`: it heard the same a moment ago; `active`: the session works all the same.
    /// `{"again": bool, "active": bool, "acts": bool}`
    #[serde(rename = "runtime.team_idle")]
    RuntimeTeamIdle,
    /// Team mode has decided what becomes of a message that its reader was told. `{"member", "slot": "reserved" | "unread", "history": "has" | "lacks" | "failed" | "none",
    /// "fate": "read" | "requeued" | "gone"}`; omitted: it stays as it is.
    #[serde(rename = "runtime.team_fate")]
    RuntimeTeamFate,
    /// Team mode has looked whether an idle member is woken for mail that waits. `again`: it was woken for the same a while ago. `{"status", "unread", "again": bool,
    /// "wakes": bool}`
    #[serde(rename = "runtime.team_wake")]
    RuntimeTeamWake,
    /// Team mode has looked for mail at a turn. `again`: this turn has had its mail; `pending`: how many of the unread messages were told before; 0: those are told
    /// again. `{"again": bool, "unread", "pending"}`
    #[serde(rename = "runtime.team_turn_mail")]
    RuntimeTeamTurnMail,
    /// Team mode puts mail into a turn. `place`: before which message. `{"place", "text"}`
    #[serde(rename = "runtime.team_turn")]
    RuntimeTeamTurn,
    /// Team mode has judged a change of a task. `refused`: why it is about to be refused, or null; `same`: it stands there already; `by`: whose change it is; `named`: whom
    /// the call names. `{"from", "to", "by", "named", "owner", "refused": null | "claimed" | "blocked" | "transition" | "owner", "same": bool}`
    #[serde(rename = "runtime.team_task")]
    RuntimeTeamTask,
    /// Team mode has found the number of a new task. `said`: what the mark says, null when it says nothing; `highest`: of the tasks that are there.
    /// `{"said", "highest", "number"}`
    #[serde(rename = "runtime.team_task_number")]
    RuntimeTeamTaskNumber,
    /// Team mode lists tasks. `{"status", "owner", "ids"}`
    #[serde(rename = "runtime.team_task_list")]
    RuntimeTeamTaskList,
    /// Team mode carries out a step of a member's end. `refused`: why it is about to be refused, or null; `done`: it was done before; `tells`: somebody is sent a message;
    /// `notes`: it is written down. `{"does": "request" | "approve" | "reject", "refused": null | "missing" | "approved", "done": bool, "tells": bool, "notes": bool}`
    #[serde(rename = "runtime.team_shutdown")]
    RuntimeTeamShutdown,
    /// Team mode has looked whether a run can be deleted. `refused`: why it cannot, or null; `cancels`: the tasks that are cancelled; `removes`: what of it is removed.
    /// `{"force": bool, "status", "refused": null | "status" | "active" | "working", "cancels", "tasks", "removes": true}`
    #[serde(rename = "runtime.team_delete")]
    RuntimeTeamDelete,
    /// Team mode has looked at a run of an earlier life. `lead`: how the session of its lead is; `dead`: how many of its workers are.
    /// `{"status", "old": bool, "lead": "there" | "gone" | "unknown" | "unasked", "alive", "dead", "does": "nothing" | "resume" | "fail" | "orphan" | "clean"}`
    #[serde(rename = "runtime.team_resume")]
    RuntimeTeamResume,
    /// Team mode has found a reservation of an earlier life. `old`: nobody will come back to it; `heard`: its reader has it.
    /// `{"old": bool, "heard": bool, "does": "keep" | "read" | "requeue"}`
    #[serde(rename = "runtime.team_reclaim")]
    RuntimeTeamReclaim,
    /// Team mode has looked at what happened to a session. `{"event": "error" | "deleted", "seat": "lead" | "member", "there": bool, "active": bool, "heard": bool, "replaced": bool,
    /// "acts": bool, "tells": bool}`; `tells`: the lead is told.
    #[serde(rename = "runtime.team_event")]
    RuntimeTeamEvent,
    /// Team mode has listed its runs. `unreadable`: how many cannot be read. `{"runs", "unreadable", "passes_over": true, "removes": false}`;
    /// not passed over: the call fails.
    #[serde(rename = "runtime.team_found")]
    RuntimeTeamFound,
    /// The CLI has looked whether it takes its arguments, of those of a turn. `{"args", "taken": true}`
    #[serde(rename = "cli.arguments")]
    CliArguments,
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
    /// The session host makes a session. `{"parentID", "title", "agent"}`; omitted: it answers as if it had.
    #[serde(rename = "host.create")]
    HostCreate,
    /// The session host has decided on a prompt. `{"sessionID", "agent", "text", "status", "taken": bool}`; not taken: it answers, and
    /// forgets it; omitted: it is taken as decided, and the connection ends without an answer.
    #[serde(rename = "host.prompt")]
    HostPrompt,
    /// A member takes up a turn. `{"sessionID", "agent", "text", "reply"}`; omitted: it never answers, and the session stays busy.
    #[serde(rename = "host.turn")]
    HostTurn,
    /// The session host ends the turn of a session, because it was asked to. `{"sessionID", "runs": bool}`, whether one runs; omitted:
    /// it goes on.
    #[serde(rename = "host.abort")]
    HostAbort,
    /// The session host deletes a session. `{"sessionID", "title"}`; omitted: it stays.
    #[serde(rename = "host.delete")]
    HostDelete,
    /// The session host has looked for a session. `{"sessionID", "what": "get" | "message" | "prompt_async" | "children" | "delete",
    /// "found": bool}`
    #[serde(rename = "host.lookup")]
    HostLookup,
    /// The session host gives a message of a history. `{"sessionID", "role", "text"}`, the text of a part; omitted: it is not in it.
    #[serde(rename = "host.history")]
    HostHistory,
    /// The session host tells what an active session is doing, asked for it. `{"sessionID", "type"}`; omitted: it does not name it.
    #[serde(rename = "host.status")]
    HostStatus,
    /// The session host answers an HTTP request, of events none. `{"method", "path", "status", "body"}`, the body as JSON. Bytes can be
    /// mangled.
    #[serde(rename = "host.response")]
    HostResponse,
    /// The session host tells all who watch it an event, of heartbeats none. `{"type", "sessionID", "properties"}`, the session being
    /// null where it is about none. Bytes can be mangled.
    #[serde(rename = "host.event")]
    HostEvent,
}

impl Point {
    /// The name in quirk files, for instance `receiver.callback`.
    pub fn name(self) -> &'static str {
        match self {
            Point::ReceiverConfig => "receiver.config",
            Point::ReceiverOpen => "receiver.open",
            Point::ReceiverPid => "receiver.pid",
            Point::ReceiverConnection => "receiver.connection",
            Point::ReceiverNoRequest => "receiver.no_request",
            Point::ReceiverBody => "receiver.body",
            Point::ReceiverDropBody => "receiver.drop_body",
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
            Point::ReceiverInboxLost => "receiver.inbox_lost",
            Point::ReceiverPassOver => "receiver.pass_over",
            Point::ReceiverWake => "receiver.wake",
            Point::ReceiverHandoff => "receiver.handoff",
            Point::ReceiverOffset => "receiver.offset",
            Point::ReceiverHandoffFailed => "receiver.handoff_failed",
            Point::ReceiverRecover => "receiver.recover",
            Point::ReceiverClaim => "receiver.claim",
            Point::ReceiverRelease => "receiver.release",
            Point::ReceiverContextLock => "receiver.context_lock",
            Point::ReceiverPrompt => "receiver.prompt",
            Point::ReceiverDash => "receiver.dash",
            Point::ReceiverNotStarted => "receiver.not_started",
            Point::ReceiverSurplus => "receiver.surplus",
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
            Point::HermesDisconnect => "hermes.disconnect",
            Point::HermesBusyPort => "hermes.busy_port",
            Point::HermesConfig => "hermes.config",
            Point::HermesAuth => "hermes.auth",
            Point::HermesRequest => "hermes.request",
            Point::HermesResponse => "hermes.response",
            Point::HermesContext => "hermes.context",
            Point::HermesClaim => "hermes.claim",
            Point::HermesTurn => "hermes.turn",
            Point::HermesHangUp => "hermes.hang_up",
            Point::HermesStrip => "hermes.strip",
            Point::HermesContextLock => "hermes.context_lock",
            Point::HermesModelCall => "hermes.model_call",
            Point::HermesHistory => "hermes.history",
            Point::HermesForget => "hermes.forget",
            Point::HermesTranscript => "hermes.transcript",
            Point::HermesDelivery => "hermes.delivery",
            Point::HermesConfigBroken => "hermes.config_broken",
            Point::HermesChoice => "hermes.choice",
            Point::HermesHandler => "hermes.handler",
            Point::HermesHandlerEnd => "hermes.handler_end",
            Point::HermesHandlerKill => "hermes.handler_kill",
            Point::HermesHandlerSweep => "hermes.handler_sweep",
            Point::HermesDispatchChoice => "hermes.dispatch_choice",
            Point::HermesFailure => "hermes.failure",
            Point::HermesAstray => "hermes.astray",
            Point::HermesAstrayWrite => "hermes.astray_write",
            Point::HermesHandOn => "hermes.hand_on",
            Point::HermesTool => "hermes.tool",
            Point::RuntimeLoad => "runtime.load",
            Point::RuntimeReread => "runtime.reread",
            Point::RuntimeConfig => "runtime.config",
            Point::RuntimeCall => "runtime.call",
            Point::RuntimeTool => "runtime.tool",
            Point::RuntimeCommand => "runtime.command",
            Point::RuntimeDispatch => "runtime.dispatch",
            Point::RuntimeTask => "runtime.task",
            Point::RuntimeTaskForm => "runtime.task_form",
            Point::RuntimeChoice => "runtime.choice",
            Point::RuntimeDeadline => "runtime.deadline",
            Point::RuntimeLate => "runtime.late",
            Point::RuntimeAstray => "runtime.astray",
            Point::RuntimeAstrayTold => "runtime.astray_told",
            Point::RuntimeAstrayAwaited => "runtime.astray_awaited",
            Point::RuntimeReplyRecord => "runtime.reply_record",
            Point::RuntimeBudget => "runtime.budget",
            Point::RuntimeBudgetRefusal => "runtime.budget_refusal",
            Point::RuntimeBudgetReserve => "runtime.budget_reserve",
            Point::RuntimeBudgetEntry => "runtime.budget_entry",
            Point::RuntimeBudgetLedger => "runtime.budget_ledger",
            Point::RuntimeBudgetCommand => "runtime.budget_command",
            Point::RuntimeReplyPath => "runtime.reply_path",
            Point::RuntimeFailure => "runtime.failure",
            Point::RuntimeToken => "runtime.token",
            Point::RuntimeWait => "runtime.wait",
            Point::RuntimeRecord => "runtime.record",
            Point::RuntimeRotated => "runtime.rotated",
            Point::RuntimeRepository => "runtime.repository",
            Point::RuntimePort => "runtime.port",
            Point::RuntimeBand => "runtime.band",
            Point::RuntimeFree => "runtime.free",
            Point::RuntimeOrder => "runtime.order",
            Point::RuntimeFile => "runtime.file",
            Point::RuntimeMakeWay => "runtime.make_way",
            Point::RuntimeLaunch => "runtime.launch",
            Point::RuntimeHealth => "runtime.health",
            Point::RuntimePublish => "runtime.publish",
            Point::RuntimeEntry => "runtime.entry",
            Point::RuntimeReconcile => "runtime.reconcile",
            Point::RuntimeRefused => "runtime.refused",
            Point::RuntimeLeadsOut => "runtime.leads_out",
            Point::RuntimeStatus => "runtime.status",
            Point::RuntimeOurs => "runtime.ours",
            Point::RuntimeStop => "runtime.stop",
            Point::RuntimeTeamGate => "runtime.team_gate",
            Point::RuntimeTeamCreate => "runtime.team_create",
            Point::RuntimeTeamStart => "runtime.team_start",
            Point::RuntimeTeamMember => "runtime.team_member",
            Point::RuntimeTeamUndo => "runtime.team_undo",
            Point::RuntimeTeamPost => "runtime.team_post",
            Point::RuntimeTeamPut => "runtime.team_put",
            Point::RuntimeTeamFailed => "runtime.team_failed",
            Point::RuntimeTeamPrompt => "runtime.team_prompt",
            Point::RuntimeTeamPrompted => "runtime.team_prompted",
            Point::RuntimeTeamIdle => "runtime.team_idle",
            Point::RuntimeTeamFate => "runtime.team_fate",
            Point::RuntimeTeamWake => "runtime.team_wake",
            Point::RuntimeTeamTurnMail => "runtime.team_turn_mail",
            Point::RuntimeTeamTurn => "runtime.team_turn",
            Point::RuntimeTeamTask => "runtime.team_task",
            Point::RuntimeTeamTaskNumber => "runtime.team_task_number",
            Point::RuntimeTeamTaskList => "runtime.team_task_list",
            Point::RuntimeTeamShutdown => "runtime.team_shutdown",
            Point::RuntimeTeamDelete => "runtime.team_delete",
            Point::RuntimeTeamResume => "runtime.team_resume",
            Point::RuntimeTeamReclaim => "runtime.team_reclaim",
            Point::RuntimeTeamEvent => "runtime.team_event",
            Point::RuntimeTeamFound => "runtime.team_found",
            Point::CliArguments => "cli.arguments",
            Point::CliResume => "cli.resume",
            Point::CliRecord => "cli.record",
            Point::CliLimit => "cli.limit",
            Point::CliLine => "cli.line",
            Point::CliStderr => "cli.stderr",
            Point::CliExit => "cli.exit",
            Point::HostCreate => "host.create",
            Point::HostPrompt => "host.prompt",
            Point::HostTurn => "host.turn",
            Point::HostAbort => "host.abort",
            Point::HostDelete => "host.delete",
            Point::HostLookup => "host.lookup",
            Point::HostHistory => "host.history",
            Point::HostStatus => "host.status",
            Point::HostResponse => "host.response",
            Point::HostEvent => "host.event",
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
            Point::ReceiverConnection => of(&["others", "waits"], &["waits"], &[Replace, Delay, Stall]),
            Point::ReceiverNoRequest => of(&["because"], &[], &[Delay, Stall]),
            Point::ReceiverBody => of(&["chunked", "longest", "fits"], &["fits"], &[Replace, Delay, Stall]),
            Point::ReceiverDropBody => of(&["bytes"], &[], &[Omit, Delay, Stall]),
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
                &["method", "path", "status", "body", "bearer"],
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
                of(&["contextId", "earlier_life", "deadline", "known"], &["known"], &[Replace, Delay, Stall])
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
            Point::ReceiverDeadlineOver => of(&["contextId", "earlier_life"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverLimit => of(
                &["contextId", "earlier_life", "together", "by", "named"],
                &["by", "named"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverInbox => of(
                &["ts", "from", "contextId", "text", "cut", "file", "task"],
                &["ts", "from", "contextId", "text", "cut", "file", "task"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
            Point::ReceiverInboxLost => of(&["lines", "lost"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverPassOver => of(&["line", "text", "runs"], &["runs"], &[Replace, Delay, Stall]),
            Point::ReceiverWake => of(&["contextId"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverHandoff => of(
                &["line", "contextId", "text", "gone_wrong"],
                &["contextId", "text"],
                &[Omit, Replace, Delay, Stall, Duplicate, Reorder],
            ),
            Point::ReceiverOffset => {
                of(&["lines", "whole"], &["lines", "whole"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverHandoffFailed => of(&["line"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverRecover => of(&["line", "state"], &["state"], &[Replace, Delay, Stall]),
            Point::ReceiverClaim => {
                of(&["contextId", "free", "waits"], &["free", "waits"], &[Replace, Delay, Stall])
            }
            Point::ReceiverRelease => {
                of(&["contextId", "waits_for_thanks"], &["waits_for_thanks"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverContextLock => of(&["contextId", "crowded"], &[], &[Omit, Delay, Stall]),
            Point::ReceiverPrompt => of(
                &["contextId", "text", "one_line", "spaced", "alone"],
                &["text", "spaced", "alone"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverDash => of(&["contextId", "apart"], &["apart"], &[Replace, Delay, Stall]),
            Point::ReceiverNotStarted => {
                of(&["contextId", "because", "named"], &["named"], &[Replace, Delay, Stall])
            }
            Point::ReceiverSurplus => of(
                &["contextId", "reads_on", "keeps_end"],
                &["reads_on", "keeps_end"],
                &[Replace, Delay, Stall],
            ),
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
                &[
                    "reply",
                    "session",
                    "wrong_session",
                    "code",
                    "failed",
                    "answered",
                    "noise",
                    "utf8",
                    "several",
                    "first",
                    "from_result",
                    "tells_failure",
                    "failure",
                ],
                &["reply", "session", "wrong_session"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverUsage => of(
                &["contextId", "usage", "later", "doubted", "counts"],
                &["usage", "counts"],
                &[Replace, Delay, Stall],
            ),
            Point::ReceiverLastStep => {
                of(&["contextId", "number", "name"], &["number", "name"], &[Omit, Replace, Delay, Stall])
            }
            Point::ReceiverGroupKill => of(&["because", "works"], &[], &[Omit, Delay, Stall]),
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
                &[
                    "id",
                    "contextId",
                    "text",
                    "role",
                    "attempt",
                    "url",
                    "bearer",
                    "report",
                    "usage",
                    "profile",
                ],
                &["id", "contextId", "text", "role", "url", "bearer", "report", "usage", "profile"],
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
            Point::HermesDisconnect => of(&["grace_ms"], &["grace_ms"], &[Replace, Delay, Stall]),
            Point::HermesBusyPort => of(&["port"], &[], &[Delay, Stall, Exit]),
            Point::HermesConfig => of(&["handler", "peers"], &[], &[Omit, Delay, Stall]),
            Point::HermesAuth => of(
                &["accepted", "reason", "scheme", "reads_first"],
                &["accepted", "reads_first"],
                &[Replace, Delay, Stall],
            ),
            Point::HermesRequest => of(&["method", "id"], &["method", "id"], &[Replace, Delay, Stall]),
            Point::HermesResponse => of(
                &["method", "path", "status", "body"],
                &["status", "body"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble],
            ),
            Point::HermesContext => of(
                &["contextId", "named", "beside", "takes_beside", "odd", "takes_odd"],
                &["contextId", "takes_beside", "takes_odd"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::HermesClaim => of(&["contextId", "free"], &["free"], &[Replace, Delay, Stall]),
            Point::HermesTurn => of(
                &["contextId", "session", "peer", "text"],
                &["session", "peer", "text"],
                &[Replace, Delay, Stall],
            ),
            Point::HermesHangUp => of(&["contextId", "goes_on"], &["goes_on"], &[Replace, Delay, Stall]),
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
                &["dir", "from", "to", "contextId", "text", "file"],
                &["dir", "from", "to", "contextId", "text", "file"],
                &[Omit, Replace, Delay, Stall, Duplicate],
            ),
            Point::HermesDelivery => of(
                &["id", "contextId", "text", "seen", "file"],
                &["id", "contextId", "text", "seen", "file"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::HermesFailure => {
                of(&["class", "retry_safe"], &["class", "retry_safe"], &[Replace, Delay, Stall])
            }
            Point::HermesAstray => of(
                &["profile", "contextId", "because", "does", "class"],
                &["does", "class"],
                &[Replace, Delay, Stall],
            ),
            Point::HermesAstrayWrite => {
                of(&["waiting", "mode", "durable"], &["mode", "durable"], &[Omit, Replace, Delay, Stall])
            }
            Point::HermesHandOn => {
                of(&["profile", "contextId", "id"], &["id"], &[Omit, Replace, Delay, Stall])
            }
            Point::HermesTool => of(&["tool", "result"], &["result"], &[Replace, Delay, Stall]),
            Point::HermesConfigBroken => of(&["rule", "refused"], &["refused"], &[Replace, Delay, Stall]),
            Point::HermesChoice => of(
                &["peer", "chosen", "by", "because", "refused"],
                &["by", "refused"],
                &[Replace, Delay, Stall],
            ),
            Point::HermesHandler => of(
                &["handler", "args", "stdin", "seconds"],
                &["args", "stdin", "seconds"],
                &[Replace, Delay, Stall],
            ),
            Point::HermesHandlerEnd => {
                of(&["handler", "because", "fails"], &["fails"], &[Replace, Delay, Stall])
            }
            Point::HermesHandlerKill => of(&["handler", "group"], &["group"], &[Omit, Replace, Delay, Stall]),
            Point::HermesHandlerSweep => of(&["earlier"], &[], &[Omit, Delay, Stall]),
            Point::HermesDispatchChoice | Point::RuntimeChoice => {
                of(&["peer", "handler", "declared", "sent"], &["sent"], &[Replace, Delay, Stall])
            }
            Point::RuntimeLoad => of(&["enabled", "registers"], &["registers"], &[Replace, Delay, Stall]),
            Point::RuntimeReread => of(&["peers"], &[], &[Omit, Delay, Stall]),
            Point::RuntimeConfig => of(&["rule", "refused"], &["refused"], &[Replace, Delay, Stall]),
            Point::RuntimeCall => {
                of(&["tool", "open", "unknown", "refused"], &["open", "refused"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTool => of(&["tool", "context", "result"], &["result"], &[Replace, Delay, Stall]),
            Point::RuntimeCommand => of(
                &["printed", "error", "answered"],
                &["printed", "error", "answered"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeDispatch => of(
                &["peer", "method", "id", "contextId", "text", "role", "bearer", "in_text"],
                &["method", "id", "contextId", "text", "role", "bearer", "in_text"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTask => of(&["because", "refused"], &["refused"], &[Replace, Delay, Stall]),
            Point::RuntimeTaskForm => {
                of(&["peer", "payload", "declared", "announced"], &["announced"], &[Replace, Delay, Stall])
            }
            Point::RuntimeDeadline => of(&["contextId", "ends"], &["ends"], &[Replace, Delay, Stall]),
            Point::RuntimeLate => {
                of(&["contextId", "earlier_life", "late"], &["late"], &[Replace, Delay, Stall])
            }
            Point::RuntimeAstray => {
                of(&["profile", "contextId", "does"], &["does"], &[Replace, Delay, Stall])
            }
            Point::RuntimeAstrayTold => of(&["contextId", "astray"], &["astray"], &[Replace, Delay, Stall]),
            Point::RuntimeAstrayAwaited => {
                of(&["contextId", "profile", "ends"], &["ends"], &[Replace, Delay, Stall])
            }
            Point::RuntimeReplyRecord => of(&["contextId", "peer"], &["peer"], &[Replace, Delay, Stall]),
            Point::RuntimeBudget => of(
                &["peer", "period", "unknown"],
                &["peer", "period", "unknown"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::RuntimeBudgetRefusal => of(
                &["peer", "exceeded", "text", "class"],
                &["exceeded", "text", "class"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeBudgetReserve => of(
                &["peer", "alone", "durable", "mode"],
                &["alone", "durable", "mode"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeBudgetEntry => of(
                &["event", "reply", "contextId", "usage", "doubted"],
                &["reply", "usage"],
                &[Omit, Replace, Delay, Stall, Duplicate],
            ),
            Point::RuntimeBudgetLedger => of(&["peer", "text"], &["text"], &[Omit, Replace, Delay, Stall]),
            Point::RuntimeBudgetCommand => {
                of(&["does", "standings"], &["standings"], &[Omit, Replace, Delay, Stall])
            }
            Point::RuntimeReplyPath => of(&["path", "taken"], &["taken"], &[Replace, Delay, Stall]),
            Point::RuntimeFailure => {
                of(&["because", "class", "retry_safe"], &["class", "retry_safe"], &[Replace, Delay, Stall])
            }
            Point::RuntimeToken => of(&["managed", "source"], &["source"], &[Replace, Delay, Stall]),
            Point::RuntimeWait => of(
                &["peer", "queued", "waits", "seconds", "file", "from", "older"],
                &["waits", "seconds", "file", "from"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeRecord => of(
                &["whole", "contextId", "from", "to", "dir", "text", "taken"],
                &["taken"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeRotated => of(&["from", "length", "anew"], &["anew"], &[Replace, Delay, Stall]),
            Point::RuntimeRepository => of(&["written", "real"], &["real"], &[Replace, Delay, Stall]),
            Point::RuntimePort => of(&["repo", "from", "port"], &["port"], &[Omit, Replace, Delay, Stall]),
            Point::RuntimeBand => of(
                &["repo", "first", "last", "claimed", "claims"],
                &["first", "last", "claimed"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeFree => of(&["repo", "port", "free"], &["free"], &[Replace, Delay, Stall]),
            Point::RuntimeOrder => of(
                &["repo", "port", "again", "token_env", "node", "options"],
                &["token_env", "node", "options"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeFile => of(
                &["file", "exists", "text", "mode", "whole", "follows"],
                &["text", "mode", "whole", "follows"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::RuntimeMakeWay => of(&["repo", "ended"], &["ended"], &[Replace, Delay, Stall]),
            Point::RuntimeLaunch => {
                of(&["repo", "port", "home", "for_replies"], &["home"], &[Replace, Delay, Stall])
            }
            Point::RuntimeHealth => {
                of(&["status", "ok", "repo_path", "well"], &["well"], &[Replace, Delay, Stall])
            }
            Point::RuntimePublish => {
                of(&["what", "port", "healthy", "published"], &["published"], &[Replace, Delay, Stall])
            }
            Point::RuntimeEntry => of(
                &["repo", "port", "exists", "anew", "with_token", "usual", "name", "whole"],
                &["anew", "with_token", "name", "whole"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::RuntimeReconcile => {
                of(&["port", "state", "does"], &["port", "does"], &[Replace, Delay, Stall])
            }
            Point::RuntimeRefused => of(&["port", "leaves"], &["leaves"], &[Replace, Delay, Stall]),
            Point::RuntimeLeadsOut => of(&["place", "refused"], &["refused"], &[Replace, Delay, Stall]),
            Point::RuntimeStatus => {
                of(&["alive", "healthy", "running"], &["healthy", "running"], &[Replace, Delay, Stall])
            }
            Point::RuntimeOurs => of(&["ours"], &["ours"], &[Replace, Delay, Stall]),
            Point::RuntimeStop => of(&["found", "stopped"], &["stopped"], &[Replace, Delay, Stall]),
            Point::RuntimeTeamGate => {
                of(&["tool", "seat", "own", "elsewhere", "refused"], &["refused"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamCreate => of(&["refused"], &["refused"], &[Replace, Delay, Stall]),
            Point::RuntimeTeamStart => {
                of(&["parallel", "members", "all"], &["parallel", "all"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamMember => of(
                &["member", "leads", "spawns", "parent", "prompt", "registers"],
                &["spawns", "parent", "prompt", "registers"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTeamUndo => of(&["does", "member"], &[], &[Omit, Delay, Stall]),
            Point::RuntimeTeamPost => of(
                &["from", "to", "kind", "bytes", "recipients", "refused", "slot"],
                &["from", "recipients", "refused", "slot"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTeamPut => of(
                &["member", "held", "more", "limit", "fits", "known"],
                &["fits", "known"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::RuntimeTeamFailed => of(&["stored"], &[], &[Omit, Delay, Stall]),
            Point::RuntimeTeamPrompt => of(
                &["member", "status", "pending", "ready", "agent", "directory", "text"],
                &["ready", "agent", "directory", "text"],
                &[Replace, Delay, Stall, Duplicate],
            ),
            Point::RuntimeTeamPrompted => {
                of(&["member", "outcome", "counts", "marks"], &["counts", "marks"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamIdle => of(&["again", "active", "acts"], &["acts"], &[Replace, Delay, Stall]),
            Point::RuntimeTeamFate => {
                of(&["member", "slot", "history", "fate"], &["fate"], &[Omit, Replace, Delay, Stall])
            }
            Point::RuntimeTeamWake => {
                of(&["status", "unread", "again", "wakes"], &["wakes"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamTurnMail => {
                of(&["again", "unread", "pending"], &["again", "pending"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamTurn => of(&["place", "text"], &["place", "text"], &[Replace, Delay, Stall]),
            Point::RuntimeTeamTask => of(
                &["from", "to", "by", "named", "owner", "refused", "same"],
                &["by", "refused", "same"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTeamTaskNumber => {
                of(&["said", "highest", "number"], &["number"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamTaskList => of(&["status", "owner", "ids"], &["ids"], &[Replace, Delay, Stall]),
            Point::RuntimeTeamShutdown => of(
                &["does", "refused", "done", "tells", "notes"],
                &["refused", "done", "tells", "notes"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTeamDelete => of(
                &["force", "status", "refused", "cancels", "tasks", "removes"],
                &["refused", "cancels", "removes"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTeamResume => {
                of(&["status", "old", "lead", "alive", "dead", "does"], &["does"], &[Replace, Delay, Stall])
            }
            Point::RuntimeTeamReclaim => of(&["old", "heard", "does"], &["does"], &[Replace, Delay, Stall]),
            Point::RuntimeTeamEvent => of(
                &["event", "seat", "there", "active", "heard", "replaced", "acts", "tells"],
                &["acts", "tells"],
                &[Replace, Delay, Stall],
            ),
            Point::RuntimeTeamFound => of(
                &["runs", "unreadable", "passes_over", "removes"],
                &["passes_over", "removes"],
                &[Replace, Delay, Stall],
            ),
            Point::CliArguments => of(&["args", "taken"], &["taken"], &[Replace, Delay, Stall]),
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
            Point::HostCreate => of(
                &["parentID", "title", "agent"],
                &["parentID", "title", "agent"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::HostPrompt => of(
                &["sessionID", "agent", "text", "status", "taken"],
                &["agent", "text", "status", "taken"],
                &[Omit, Replace, Delay, Stall],
            ),
            Point::HostTurn => {
                of(&["sessionID", "agent", "text", "reply"], &["reply"], &[Omit, Replace, Delay, Stall])
            }
            Point::HostAbort => of(&["sessionID", "runs"], &["runs"], &[Omit, Replace, Delay, Stall]),
            Point::HostDelete => of(&["sessionID", "title"], &[], &[Omit, Delay, Stall]),
            Point::HostLookup => of(&["sessionID", "what", "found"], &["found"], &[Replace, Delay, Stall]),
            Point::HostHistory => {
                of(&["sessionID", "role", "text"], &["role", "text"], &[Omit, Replace, Delay, Stall])
            }
            Point::HostStatus => of(&["sessionID", "type"], &["type"], &[Omit, Replace, Delay, Stall]),
            Point::HostResponse => of(
                &["method", "path", "status", "body"],
                &["status", "body"],
                &[Omit, Replace, Delay, Stall, Truncate, Garble],
            ),
            Point::HostEvent => of(
                &["type", "sessionID", "properties"],
                &["type", "properties"],
                &[Omit, Replace, Delay, Stall, Duplicate, Truncate, Garble, Reorder],
            ),
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
