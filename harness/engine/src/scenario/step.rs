//! The steps of a scenario: each has one verb, and may have an expectation.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_runtime::fleet::tools;
use gauntlet_runtime::registry::Caller;
use gauntlet_runtime::team;
use gauntlet_world::fault::{Rule, Unsynced};
use gauntlet_world::injection::Millis;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::mistake::Mistake;
use super::{Lane, Limits, Scenario, SessionStep, known};

/// One step: exactly one verb; with an expectation, also the requirement that it judges.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// The runtime sends work to the receiver (its tool `fleet_send`).
    pub dispatch: Option<Dispatch>,
    /// The harness sends a request of its own making to the receiver.
    pub request: Option<Request>,
    /// A tool of the runtime is called.
    pub call: Option<Call>,
    /// A program of this computer is run in the working directory. Needs real processes.
    pub run: Option<Run>,
    /// The runtime's command is used, as a process of its own.
    pub command: Option<CommandLine>,
    /// Something is waited for.
    #[serde(rename = "await")]
    pub wait: Option<Await>,
    /// Time passes.
    pub advance: Option<Millis>,
    /// The wall clock of the machine jumps by so much; backwards with a sign before it.
    pub jump: Option<Jump>,
    /// A Hermes node is told to listen; one that does goes on.
    pub connect: Option<Nodes>,
    /// A Hermes node is told to listen no longer.
    pub disconnect: Option<Nodes>,
    /// A process is killed at once (SIGKILL); its children live on.
    pub kill: Option<HostName>,
    /// The receiver is stopped for so long and then continued (SIGSTOP, SIGCONT); the story goes on meanwhile. Needs real processes.
    pub freeze: Option<Millis>,
    /// The receiver gets a signal of somebody at a terminal or of its machine. If it ends by it, that is waited for; one that goes on
    /// is what a `start` behind it finds.
    pub signal: Option<SignalName>,
    /// A process is asked to end (SIGTERM), and its end is waited for.
    pub stop: Option<HostName>,
    /// A process is started, or started again, and is ready when the step ends.
    pub start: Option<HostName>,
    /// The machine loses power, with this fate of unsynced data; then the runtime, or Hermes nodes that are subjects, are started again.
    pub power_cut: Option<Unsynced>,
    /// A file is written from outside.
    pub write: Option<WriteFile>,
    /// A file or folder is removed from outside. Its path is one as of [`WriteFile::path`].
    pub remove: Option<String>,
    /// A symbolic link is made from outside. Both paths are as of [`WriteFile::path`].
    pub link: Option<LinkFile>,
    /// From now on something that has nothing to do with the fleet listens on a port of the machine.
    pub stranger: Option<Stranger>,
    /// From now on a port call misbehaves.
    pub fault: Option<Rule>,
    /// All port calls behave again.
    pub mend: Option<bool>,
    /// Something happens to a session of the session host.
    pub session: Option<SessionStep>,
    /// What is expected of the step's result.
    pub expect: Option<Expect>,
    /// The requirement that the expectation judges.
    #[schemars(with = "Option<String>")]
    pub requirement: Option<Spanned<String>>,
}

/// The one verb of a step.
#[derive(Debug, Clone, Copy)]
pub enum Verb<'a> {
    /// See [`Step::dispatch`].
    Dispatch(&'a Dispatch),
    /// See [`Step::request`].
    Request(&'a Request),
    /// See [`Step::call`].
    Call(&'a Call),
    /// See [`Step::run`].
    Run(&'a Run),
    /// See [`Step::command`].
    Command(&'a CommandLine),
    /// See [`Step::wait`].
    Await(&'a Await),
    /// See [`Step::advance`].
    Advance(Millis),
    /// See [`Step::jump`].
    Jump(Jump),
    /// See [`Step::connect`].
    Connect(Nodes),
    /// See [`Step::disconnect`].
    Disconnect(Nodes),
    /// See [`Step::kill`].
    Kill(HostName),
    /// See [`Step::freeze`].
    Freeze(Millis),
    /// See [`Step::signal`].
    Signal(SignalName),
    /// See [`Step::stop`].
    Stop(HostName),
    /// See [`Step::start`].
    Start(HostName),
    /// See [`Step::power_cut`].
    PowerCut(Unsynced),
    /// See [`Step::write`].
    Write(&'a WriteFile),
    /// See [`Step::remove`].
    Remove(&'a str),
    /// See [`Step::link`].
    Link(&'a LinkFile),
    /// See [`Step::stranger`].
    Stranger(&'a Stranger),
    /// See [`Step::fault`].
    Fault(&'a Rule),
    /// See [`Step::mend`].
    Mend(bool),
    /// See [`Step::session`].
    Session(&'a SessionStep),
}

impl Verb<'_> {
    /// The word for it in a file.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Verb::Dispatch(_) => "dispatch",
            Verb::Request(_) => "request",
            Verb::Call(_) => "call",
            Verb::Run(_) => "run",
            Verb::Command(_) => "command",
            Verb::Await(_) => "await",
            Verb::Advance(_) => "advance",
            Verb::Jump(_) => "jump",
            Verb::Connect(_) => "connect",
            Verb::Disconnect(_) => "disconnect",
            Verb::Kill(_) => "kill",
            Verb::Freeze(_) => "freeze",
            Verb::Signal(_) => "signal",
            Verb::Stop(_) => "stop",
            Verb::Start(_) => "start",
            Verb::PowerCut(_) => "power_cut",
            Verb::Write(_) => "write",
            Verb::Remove(_) => "remove",
            Verb::Link(_) => "link",
            Verb::Stranger(_) => "stranger",
            Verb::Fault(_) => "fault",
            Verb::Mend(_) => "mend",
            Verb::Session(_) => "session",
        }
    }

    /// The members that the result of a step with a name can have: what a check of it can look at.
    pub(crate) fn result(&self) -> &'static [&'static str] {
        match self {
            Verb::Dispatch(_) => {
                &["status", "headers", "body", "text", "whole", "tool", "sent", "acknowledged", "elapsed_ms"]
            }
            Verb::Request(Request { detached: true, at_once: Some(_), .. }) => &[],
            Verb::Request(_) => &[
                "status",
                "headers",
                "body",
                "text",
                "whole",
                "answers",
                "closed",
                "surplus",
                "refused",
                "elapsed_ms",
            ],
            Verb::Call(_) => &["tool", "tools", "sent", "elapsed_ms"],
            Verb::Run(_) => &["code", "text", "elapsed_ms"],
            Verb::Command(_) => &["code", "stdout", "stderr", "json", "acknowledged", "elapsed_ms"],
            _ => &[],
        }
    }
}

impl Step {
    /// The verbs that the step has; one, after validation.
    pub(super) fn verbs(&self) -> Vec<Verb<'_>> {
        [
            self.dispatch.as_ref().map(Verb::Dispatch),
            self.request.as_ref().map(Verb::Request),
            self.call.as_ref().map(Verb::Call),
            self.run.as_ref().map(Verb::Run),
            self.command.as_ref().map(Verb::Command),
            self.wait.as_ref().map(Verb::Await),
            self.advance.map(Verb::Advance),
            self.jump.map(Verb::Jump),
            self.connect.map(Verb::Connect),
            self.disconnect.map(Verb::Disconnect),
            self.kill.map(Verb::Kill),
            self.freeze.map(Verb::Freeze),
            self.signal.map(Verb::Signal),
            self.stop.map(Verb::Stop),
            self.start.map(Verb::Start),
            self.power_cut.map(Verb::PowerCut),
            self.write.as_ref().map(Verb::Write),
            self.remove.as_deref().map(Verb::Remove),
            self.link.as_ref().map(Verb::Link),
            self.stranger.as_ref().map(Verb::Stranger),
            self.fault.as_ref().map(Verb::Fault),
            self.mend.map(Verb::Mend),
            self.session.as_ref().map(Verb::Session),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// The step's verb. Scenarios are only made of files whose steps have exactly one.
    pub fn verb(&self) -> Option<Verb<'_>> {
        self.verbs().into_iter().next()
    }

    /// The name that later steps and checks use for the result of this step.
    pub fn name(&self) -> Option<&str> {
        match self.verb()? {
            Verb::Dispatch(dispatch) => dispatch.name.as_deref(),
            Verb::Request(request) => request.name.as_deref(),
            Verb::Call(call) => call.name.as_deref(),
            Verb::Run(run) => run.name.as_deref(),
            Verb::Command(command) => command.name.as_deref(),
            _ => None,
        }
    }

    fn is_of_node(&self) -> bool {
        [self.kill, self.stop, self.start].into_iter().flatten().any(HostName::is_node)
    }

    /// Why the step cannot be done in the real lane, if so.
    pub fn virtual_only(&self) -> Option<&'static str> {
        match self.verb()? {
            Verb::PowerCut(_) => Some("a power cut needs a simulated machine"),
            Verb::Jump(_) => Some("the clock of a real machine is everybody's"),
            Verb::Stranger(_) => Some("on a real machine the port could be somebody's"),
            Verb::Fault(_) | Verb::Mend(_) => Some("a fault of a port needs a simulated machine"),
            Verb::Kill(HostName::Runtime)
            | Verb::Stop(HostName::Runtime)
            | Verb::Start(HostName::Runtime) => Some("the runtime is part of the harness in the real lane"),
            Verb::Kill(_) | Verb::Stop(_) | Verb::Start(_) if self.is_of_node() => {
                Some("a Hermes node is part of the harness in the real lane")
            }
            _ => None,
        }
    }
}

/// A signal that a process may take in its own way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SignalName {
    /// SIGINT, as of Ctrl-C.
    Interrupt,
    /// SIGHUP, as of a terminal that is closed.
    HangUp,
    /// SIGTERM, as of a machine that is shut down.
    Terminate,
}

/// By how much a clock jumps: `90m`, `-2s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub struct Jump(pub i64);

impl TryFrom<String> for Jump {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (sign, length) = match text.strip_prefix('-') {
            Some(length) => (-1, length),
            None => (1, text.as_str()),
        };
        let millis: Millis = length.parse()?;
        Ok(Self(sign * i64::try_from(millis.0).unwrap_or(i64::MAX)))
    }
}

/// The processes that steps act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostName {
    /// The receiver.
    Receiver,
    /// The runtime with its Hermes node.
    Runtime,
    /// The Hermes node that is the subject.
    Hermes,
    /// The second profile beside it.
    Neighbour,
}

impl HostName {
    /// Whether it is a Hermes node of a cell whose subject is one.
    pub(crate) fn is_node(self) -> bool {
        matches!(self, HostName::Hermes | HostName::Neighbour)
    }
}

/// Which Hermes nodes are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Nodes {
    /// The subject.
    Hermes,
    /// The second profile beside it.
    Neighbour,
    /// Both, at once.
    Both,
    /// The runtime that dispatches to the receiver that is the subject: replies cannot reach it.
    Runtime,
}

impl Nodes {
    pub(crate) fn hosts(self) -> &'static [HostName] {
        match self {
            Nodes::Hermes => &[HostName::Hermes],
            Nodes::Neighbour => &[HostName::Neighbour],
            Nodes::Both => &[HostName::Hermes, HostName::Neighbour],
            Nodes::Runtime => &[HostName::Runtime],
        }
    }
}

/// The runtime sends work to the receiver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dispatch {
    /// The name of this dispatch in the scenario.
    #[serde(rename = "as", default)]
    pub name: Option<String>,
    /// The context, by its name in the scenario; the receiver makes one up when absent.
    #[serde(default)]
    pub context: Option<String>,
    /// The task.
    pub text: String,
    /// What it says beside the text, as the argument `task` of the tool.
    #[serde(default)]
    pub task: Option<Value>,
}

/// The harness sends a request of its own making. Without `raw`, the request is well formed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Request {
    /// The name of this request in the scenario.
    #[serde(rename = "as")]
    pub name: Option<String>,
    /// The method; `POST` when absent.
    pub method: Option<String>,
    /// The path; `/jsonrpc` when absent.
    pub path: Option<String>,
    /// Who presents what; the right bearer when absent.
    pub bearer: Bearer,
    /// Further header fields. One named `content-length` takes the place of the right one.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON.
    pub json: Option<Value>,
    /// The body as text, as it is.
    pub body: Option<String>,
    /// A body of so many bytes, at most 64 MiB: a well-formed dispatch, filled up with `x`.
    pub body_of: Option<usize>,
    /// Whole requests as text, sent instead of all the above on one connection. Line ends are sent as CR LF.
    pub raw: Option<String>,
    /// The connection is given up this long after the last byte was sent, if no answer is complete by then.
    pub within: Option<Millis>,
    /// Only the head is sent, and the answer is read before any body.
    pub head_only: bool,
    /// The story goes on before the answer is there. What is expected of it is said at the end.
    pub detached: bool,
    /// So often, one after the other; the result is that of the last one. `{n}` in the body stands for the number, from 1.
    pub times: Option<u32>,
    /// So many send it at once, each on a connection of its own; the result has their `answers` alone.
    pub at_once: Option<usize>,
    /// It is sent once for each of these places in `json`, by JSON pointer, and each kind of JSON value that can stand there: none at
    /// all, null, true, a number, a text, a list, an object. The result has the `answers` alone, null for none.
    pub every_type_in: Vec<String>,
    /// So many header fields more.
    pub more_headers: Option<usize>,
    /// Its bytes go one by one, so long apart.
    pub byte_by_byte: Option<Millis>,
    /// What its sender does when the last byte is sent.
    pub leaves: Option<Leaves>,
}

/// What the sender of a request does when the last byte is sent, beside waiting for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Leaves {
    /// It closes its half of the connection, and waits.
    Half,
    /// It closes the connection, and reads nothing.
    Whole,
}

/// What bearer a request presents.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// The right one.
    #[default]
    Right,
    /// The right one, with the scheme in capitals.
    Capitals,
    /// A wrong one.
    Wrong,
    /// The right one without its last letter.
    Prefix,
    /// The scheme with nothing after it.
    Empty,
    /// None.
    None,
}

/// A tool of the runtime is called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The name of this call in the scenario.
    #[serde(rename = "as", default)]
    pub name: Option<String>,
    /// The tool.
    pub tool: String,
    /// The caller's toolsets; `a2a` when absent.
    #[serde(default)]
    pub toolsets: Option<Vec<String>>,
    /// The arguments. `{context:NAME}` in a text stands for a context's real id.
    #[serde(default)]
    pub args: Value,
    /// So many call it at once; the result has their `tools`, and what they `sent` over the wire, and nothing else.
    #[serde(default)]
    pub at_once: Option<usize>,
    /// Files that are written from outside while the call runs, each so long after its beginning.
    #[serde(default)]
    pub meanwhile: Vec<Meanwhile>,
    /// The neighbour calls, and not the subject.
    #[serde(default)]
    pub by_neighbour: bool,
    /// The session that calls, by a name of `given.team.sessions` or one under which a call saved it.
    #[serde(default)]
    pub by: Option<String>,
    /// These sessions call at once; the result has their `tools`, in this order.
    #[serde(default)]
    pub by_each: Vec<String>,
    /// What of the result later steps and checks use: by name, a JSON pointer into what the tool gave. `{saved:NAME}` stands for it.
    #[serde(default)]
    pub saves: BTreeMap<String, String>,
}

impl Call {
    /// Who calls.
    pub(crate) fn caller(&self) -> Caller {
        match &self.toolsets {
            Some(toolsets) => Caller::with(toolsets.iter().map(String::as_str)),
            None => Caller::with(["a2a"]),
        }
    }
}

/// A file is written while a call runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Meanwhile {
    /// So long after the call began.
    pub after: Millis,
    /// The path, as of [`WriteFile::path`].
    pub path: String,
    /// What is added to the file.
    pub text: String,
    /// It stands there instead of what the file held, and not behind it.
    #[serde(default)]
    pub instead: bool,
}

/// A symbolic link is made from outside.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkFile {
    /// Where the link is.
    pub path: String,
    /// Where it leads: a path as of [`WriteFile::path`].
    pub to: String,
}

/// Something listens that has nothing to do with the fleet.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stranger {
    /// The first port.
    pub port: u16,
    /// The last port; the first one when absent.
    #[serde(default)]
    pub to: Option<u16>,
    /// What it answers with to whatever it is asked, as JSON.
    #[serde(default)]
    pub says: Value,
    /// It answers 403 instead, with the header fields that it was asked with.
    #[serde(default)]
    pub echoes: bool,
    /// How long it takes over each answer.
    #[serde(default)]
    pub after: Option<Millis>,
}

/// A program of this computer is run: what a repository's own test says is a verdict that nobody wrote down beforehand.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The name of this run in the scenario.
    #[serde(rename = "as", default)]
    pub name: Option<String>,
    /// The command, as `sh` in the working directory understands it.
    pub command: String,
}

/// The runtime's command is used, as a process of its own: what a user of the runtime types into a shell.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandLine {
    /// The name of this use in the scenario. When the message carries its nonce, it counts as a dispatch of this name.
    #[serde(rename = "as", default)]
    pub name: Option<String>,
    /// The arguments, for instance `[send, subject, "do it"]`.
    pub args: Vec<String>,
    /// Variables that differ from those of the runtime; null takes one away.
    #[serde(default)]
    pub env: BTreeMap<String, Option<String>>,
}

/// Something is waited for. Exactly one of the events.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Await {
    /// The reply to this dispatch reaches the runtime.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// The CLI is started for this dispatch.
    #[serde(default)]
    pub turn_of: Option<String>,
    /// This process ends.
    #[serde(default)]
    pub end_of: Option<HostName>,
    /// The answer to this detached request is there.
    #[serde(default)]
    pub answer_to: Option<String>,
    /// How long it is waited for.
    pub within: Millis,
}

/// A file is written from outside.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteFile {
    /// The path relative to the working directory. `~/` stands for the executor's home, `~hermes/` for the runtime's. No path
    /// leads out of these.
    pub path: String,
    /// What is written.
    pub text: String,
    /// Whether it is added to what is there.
    #[serde(default)]
    pub append: bool,
    /// The contexts in whose name the written lines ask for work: each counts as an accepted dispatch.
    #[serde(default)]
    pub asks: Vec<String>,
}

/// What is expected of a step's result. All members that are given must hold.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// Whether the dispatch was acknowledged.
    pub acknowledged: Option<bool>,
    /// The code of the JSON-RPC error.
    pub rpc_error: Option<i64>,
    /// The text of the JSON-RPC error, whole.
    pub rpc_message: Option<String>,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The body of the answer as JSON.
    pub body: Option<Value>,
    /// The text of the reply, whole; after a dispatch or a request, the body of the answer as text.
    pub text: Option<String>,
    /// A part of the same text.
    pub text_contains: Option<String>,
    /// The stable class of the error of a tool.
    pub error_class: Option<String>,
    /// What was waited for came about.
    pub happens: Option<bool>,
    /// So many of the Hermes nodes that were told to listen do.
    pub listening: Option<usize>,
    /// The exit code of the process that ended.
    pub exit_code: Option<i32>,
    /// The step took at most so long.
    pub at_most: Option<Millis>,
}

impl Expect {
    /// The members that can hold after a step. Steps that nothing comes back from can be expected nothing of.
    ///
    /// | verb | members |
    /// | --- | --- |
    /// | `dispatch` | those of an answer, `acknowledged`, `error_class` |
    /// | `request` | those of an answer |
    /// | `call` | `error_class` |
    /// | `run` | `exit_code`, `text`, `text_contains` |
    /// | `command` | `acknowledged`, `exit_code` |
    /// | `await` a reply | `happens`, `text`, `text_contains` |
    /// | `await` a turn | `happens` |
    /// | `await` or `stop` or `start` the receiver | `happens`, `exit_code` |
    /// | `connect` | `listening` |
    /// | the same of the runtime | `happens`; of its stop nothing |
    ///
    /// An answer has `status`, `body`, `rpc_error`, `rpc_message`, `text`, `text_contains`. All of these verbs take time, so
    /// that `at_most` makes sense.
    fn after(verb: &Verb<'_>) -> &'static [&'static str] {
        match verb {
            Verb::Dispatch(_) => &[
                "acknowledged",
                "rpc_error",
                "rpc_message",
                "status",
                "body",
                "text",
                "text_contains",
                "error_class",
                "at_most",
            ],
            // Its answer is not there yet.
            Verb::Request(request) if request.detached => &[],
            Verb::Request(_) => {
                &["rpc_error", "rpc_message", "status", "body", "text", "text_contains", "at_most"]
            }
            Verb::Call(_) => &["error_class", "at_most"],
            Verb::Run(_) => &["exit_code", "text", "text_contains", "at_most"],
            Verb::Command(_) => &["acknowledged", "exit_code", "at_most"],
            Verb::Await(wait) if wait.reply_to.is_some() => &["happens", "text", "text_contains", "at_most"],
            Verb::Await(Await { end_of: Some(HostName::Receiver), .. })
            | Verb::Stop(HostName::Receiver)
            | Verb::Start(HostName::Receiver) => &["happens", "exit_code", "at_most"],
            Verb::Connect(_) => &["listening", "at_most"],
            Verb::Await(_) | Verb::Start(_) => &["happens", "at_most"],
            Verb::Stop(_)
            | Verb::Disconnect(_)
            | Verb::Advance(_)
            | Verb::Jump(_)
            | Verb::Kill(_)
            | Verb::Freeze(_)
            | Verb::Signal(_)
            | Verb::PowerCut(_)
            | Verb::Write(_)
            | Verb::Remove(_)
            | Verb::Link(_)
            | Verb::Stranger(_)
            | Verb::Fault(_)
            | Verb::Mend(_) => &[],
            Verb::Session(_) => &["status", "at_most"],
        }
    }

    /// The members that are given.
    fn given(&self) -> Vec<&'static str> {
        let Self {
            acknowledged,
            rpc_error,
            rpc_message,
            status,
            body,
            text,
            text_contains,
            error_class,
            happens,
            listening,
            exit_code,
            at_most,
        } = self;
        [
            ("acknowledged", acknowledged.is_some()),
            ("rpc_error", rpc_error.is_some()),
            ("rpc_message", rpc_message.is_some()),
            ("status", status.is_some()),
            ("body", body.is_some()),
            ("text", text.is_some()),
            ("text_contains", text_contains.is_some()),
            ("error_class", error_class.is_some()),
            ("happens", happens.is_some()),
            ("listening", listening.is_some()),
            ("exit_code", exit_code.is_some()),
            ("at_most", at_most.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }

    /// What is wrong with it after a verb, if anything is: the member, or the whole.
    fn wrong(&self, verb: &Verb<'_>) -> Option<(Option<&'static str>, String)> {
        let (given, known) = (self.given(), Expect::after(verb));
        let all = match known {
            [] => "nothing".to_owned(),
            known => format!("one of {}", known.join(", ")),
        };
        if given.is_empty() {
            return Some((None, format!("expected {all} in `expect`; found nothing, which always holds")));
        }
        let member = given.into_iter().find(|member| !known.contains(member))?;
        Some((Some(member), format!("expected {all} after `{}`; found {member:?}", verb.word())))
    }
}

/// A longer body is not made: a scenario is to try its subject, not the machine.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

/// The first step of a scenario that says what its verb cannot mean, if one does.
pub(super) fn mistake(scenario: &Scenario) -> Option<Mistake> {
    let horizon = Limits::horizon(Lane::Virtual);
    if let Some((number, end)) = beyond(&scenario.steps, horizon) {
        let message = format!("expected a cell of at most {horizon:?}; this step can last until {end:?}");
        return Some(Mistake::at(&["steps", &number.to_string()], message));
    }
    scenario.steps.iter().enumerate().find_map(|(number, step)| {
        let (number, verb) = (number.to_string(), step.verb()?);
        of_verb(&verb, &number).or_else(|| {
            let (member, message) = step.expect.as_ref()?.wrong(&verb)?;
            Some(match member {
                Some(member) => Mistake::at_key(&["steps", &number, "expect", member], message),
                None => Mistake::at(&["steps", &number, "expect"], message),
            })
        })
    })
}

/// What a call can name: a tool, or with `{callback_prefix}` the one of the executor's own kind.
fn tool_names() -> Vec<&'static str> {
    let mut names = tools::names();
    names.extend(team::tools::NAMES);
    names.extend([
        "deploy_{callback_prefix}_receiver",
        "{callback_prefix}_receiver_status",
        "{callback_prefix}_receiver_stop",
    ]);
    names
}

fn of_verb(verb: &Verb<'_>, number: &str) -> Option<Mistake> {
    match verb {
        Verb::Request(Request { body_of: Some(length), .. }) if *length > LONGEST_BODY => {
            let message = format!("expected at most {LONGEST_BODY} bytes (64 MiB); found {length}");
            Some(Mistake::at(&["steps", number, "request", "body_of"], message))
        }
        Verb::Request(Request { every_type_in, json: None, .. }) if !every_type_in.is_empty() => {
            let message = "expected `json` beside `every_type_in`, which says where in it; found none";
            Some(Mistake::at(&["steps", number, "request", "every_type_in"], message))
        }
        Verb::Request(request) => {
            let parents = request.every_type_in.iter().enumerate().find(|(_, pointer)| {
                let parent = pointer.rsplit_once('/').map(|(parent, _)| parent);
                let json = request.json.as_ref();
                parent
                    .and_then(|parent| json?.pointer(parent))
                    .is_none_or(|parent| !parent.is_object() && !parent.is_array())
            });
            let (place, pointer) = parents?;
            let message =
                format!("expected a JSON pointer into `json`, such as /params/message; found {pointer:?}");
            Some(Mistake::at(&["steps", number, "request", "every_type_in", &place.to_string()], message))
        }
        Verb::Mend(false) => {
            Some(Mistake::at(&["steps", number, "mend"], "expected true; found false, which mends nothing"))
        }
        Verb::Call(call) if !tool_names().contains(&call.tool.as_str()) => {
            let (message, help) = known::unknown(
                &format!("a tool of the runtime ({})", tool_names().join(", ")),
                &call.tool,
                tool_names(),
            );
            Some(Mistake::at(&["steps", number, "call", "tool"], message).help(help))
        }
        _ => None,
    }
}

/// The first step that could not come to its end before the horizon of a lane, though all before it took no more time than
/// is said: its number, and when it would end. Waits end early as a rule, so that only each of them by itself must fit.
pub(super) fn beyond(steps: &[Step], horizon: Duration) -> Option<(usize, Duration)> {
    let mut passed = Duration::ZERO;
    steps.iter().enumerate().find_map(|(number, step)| {
        let takes = match step.verb()? {
            Verb::Advance(time) => {
                passed = passed.saturating_add(time.duration());
                Duration::ZERO
            }
            Verb::Await(wait) => wait.within.duration(),
            Verb::Request(request) => request.within?.duration(),
            _ => return None,
        };
        let end = passed.saturating_add(takes);
        // A wait that is expected to be in vain takes all its time.
        if step.expect.as_ref().is_some_and(|expect| expect.happens == Some(false)) {
            passed = end;
        }
        (end > horizon).then_some((number, end))
    })
}
