//! The steps of a scenario: each has one verb, and may have an expectation.

use std::collections::BTreeMap;

use gauntlet_simulators::injection::Millis;
use gauntlet_world::fault::{Rule, Unsynced};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::Scenario;
use super::mistake::Mistake;

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
    /// Something is waited for.
    #[serde(rename = "await")]
    pub wait: Option<Await>,
    /// Time passes.
    pub advance: Option<Millis>,
    /// A process is killed at once (SIGKILL); its children live on.
    pub kill: Option<HostName>,
    /// A process is asked to end (SIGTERM), and its end is waited for.
    pub stop: Option<HostName>,
    /// A process is started, or started again, and is ready when the step ends.
    pub start: Option<HostName>,
    /// The machine loses power, with this fate of unsynced data; then the runtime is started again.
    pub power_cut: Option<Unsynced>,
    /// A file is written from outside.
    pub write: Option<WriteFile>,
    /// A file or folder is removed from outside. Its path is one as of [`WriteFile::path`].
    pub remove: Option<String>,
    /// From now on a port call misbehaves.
    pub fault: Option<Rule>,
    /// All port calls behave again.
    pub mend: Option<bool>,
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
    /// See [`Step::wait`].
    Await(&'a Await),
    /// See [`Step::advance`].
    Advance(Millis),
    /// See [`Step::kill`].
    Kill(HostName),
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
    /// See [`Step::fault`].
    Fault(&'a Rule),
    /// See [`Step::mend`].
    Mend,
}

impl Step {
    /// The verbs that the step has; one, after validation.
    pub(super) fn verbs(&self) -> Vec<Verb<'_>> {
        [
            self.dispatch.as_ref().map(Verb::Dispatch),
            self.request.as_ref().map(Verb::Request),
            self.call.as_ref().map(Verb::Call),
            self.wait.as_ref().map(Verb::Await),
            self.advance.map(Verb::Advance),
            self.kill.map(Verb::Kill),
            self.stop.map(Verb::Stop),
            self.start.map(Verb::Start),
            self.power_cut.map(Verb::PowerCut),
            self.write.as_ref().map(Verb::Write),
            self.remove.as_deref().map(Verb::Remove),
            self.fault.as_ref().map(Verb::Fault),
            self.mend.map(|_| Verb::Mend),
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
            _ => None,
        }
    }

    /// Why the step cannot be done in the real lane, if so.
    pub fn virtual_only(&self) -> Option<&'static str> {
        match self.verb()? {
            Verb::PowerCut(_) => Some("a power cut needs a simulated machine"),
            Verb::Fault(_) | Verb::Mend => Some("a fault of a port needs a simulated machine"),
            Verb::Kill(HostName::Runtime)
            | Verb::Stop(HostName::Runtime)
            | Verb::Start(HostName::Runtime) => Some("the runtime is part of the harness in the real lane"),
            _ => None,
        }
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
    /// The text of the reply, whole.
    pub text: Option<String>,
    /// A part of the text of the reply.
    pub text_contains: Option<String>,
    /// The stable class of the error of a tool.
    pub error_class: Option<String>,
    /// What was waited for came about.
    pub happens: Option<bool>,
    /// The exit code of the process that ended.
    pub exit_code: Option<i32>,
    /// The step took at most so long.
    pub at_most: Option<Millis>,
}

/// A longer body is not made: a scenario is to try its subject, not the machine.
const LONGEST_BODY: usize = 64 * 1024 * 1024;

/// The first step of a scenario that says what its verb cannot mean, if one does.
pub(super) fn mistake(scenario: &Scenario) -> Option<Mistake> {
    scenario.steps.iter().enumerate().find_map(|(number, step)| {
        let number = number.to_string();
        match step.verb()? {
            Verb::Request(request) if request.body_of.is_some_and(|length| length > LONGEST_BODY) => {
                let message =
                    format!("expected at most {LONGEST_BODY} bytes (64 MiB); found {}", request.body_of?);
                Some(Mistake::at(&["steps", &number, "request", "body_of"], message))
            }
            _ => None,
        }
    })
}
