//! Going through the steps of a scenario.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use gauntlet_runtime::registry::{Caller, Session};
use gauntlet_simulators::stranger::Says;
use gauntlet_world::network::{Address, Stream};
use gauntlet_world::process::{Pid, Signal};
use gauntlet_world::{Either, race};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::bench::{Bench, BenchError, PEER};
use super::hermes::Nodes;
use super::names::Names;
use super::plan::Plan;
use super::sender;
use super::tap::Wire;
use super::team::{self, Team};
use crate::hold::Hold;
use crate::oracle::wire::{self, HttpAnswer};
use crate::oracle::{self, Memory};
use crate::scenario::{
    Await, Bearer, Call, Dispatch, HostName, Leaves, Request, SignalName, Step, SubjectKind, Verb,
};
use crate::trace::{Trace, What};

/// How long a raw request waits for its answer when the scenario does not say.
const PATIENCE: Duration = Duration::from_secs(10);
/// More than this is not read of the answers to one request: a peer that floods gets its verdict by what came until then.
pub(super) const MAX_RECEIVED: usize = 2 * 1024 * 1024;
/// So long it is read on after the last answer: whoever answers once too often does so at once.
const SURPLUS: Duration = Duration::from_millis(20);
/// How long a process may take to end when it is asked to.
const STOP: Duration = Duration::from_secs(10);
/// So long a receiver may take to end by a signal; one that lasts longer goes on.
const SIGNALLED: Duration = Duration::from_secs(4);

/// The return code of a process that was killed.
pub(super) const KILLED: i32 = -9;
/// So often what a crash kept from its end is tried again.
const TRIES: usize = 2;
/// How long a step waits for a runtime that a crash took from it. What died is back after a second.
const BACK: Duration = Duration::from_secs(5);

/// What the steps of a cell work with.
pub(super) struct Stagehand {
    pub(super) plan: Plan,
    pub(super) bench: Rc<Bench>,
    pub(super) names: Rc<Names>,
    pub(super) wire: Rc<Wire>,
    pub(super) trace: Rc<Trace>,
    pub(super) nodes: Nodes,
    pub(super) team: Team,
    /// What oracles read of the trace so far.
    pub(super) memory: Memory,
    /// Where it is to be held.
    pub(super) hold: Option<Arc<Hold>>,
    /// The receiver that runs was started again after a crash, and not by a step.
    pub(super) revived: Cell<bool>,
    /// The receiver got a signal and goes on.
    pub(super) outlived: Cell<bool>,
}

/// The key under which a step's result is in the trace: its number, and its name if it has one.
pub(crate) fn key(number: usize, step: &Step) -> String {
    match step.name() {
        Some(name) => name.to_owned(),
        None => format!("step {}", number + 1),
    }
}

/// The name of the dispatch that a line is which a step writes into an inbox, counted from 1.
pub(crate) fn line_name(key: &str, line: usize) -> String {
    format!("{key} line {line}")
}

/// A request on its way.
pub(super) struct Sent {
    bytes: Vec<u8>,
    stream: Result<Stream, String>,
    expected: usize,
    patience: Duration,
    /// Its sender left when it was sent.
    left: bool,
}

pub(super) fn patience(request: &Request) -> Duration {
    request.within.map_or(PATIENCE, |within| within.duration())
}

/// Adds to a result how long its step took.
fn timed(value: &mut Value, elapsed: Duration) {
    let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    if let Value::Object(members) = value {
        members.insert("elapsed_ms".to_owned(), json!(elapsed));
    }
}

impl Stagehand {
    /// Does one step and puts its result into the trace.
    pub(super) async fn step(self: &Rc<Self>, number: usize, step: &Step) -> Result<(), BenchError> {
        let Some(verb) = step.verb() else { return Ok(()) };
        let key = key(number, step);
        self.wire.in_step(&key);
        let clock = self.bench.harness().clock();
        let began = clock.now();
        let mut value = match verb {
            Verb::Dispatch(dispatch) => self.dispatch(&key, dispatch).await,
            Verb::Request(request) => match self.request(&key, request).await {
                Some(value) => value,
                // Its result comes when its answer does.
                None => return Ok(()),
            },
            Verb::Call(call) if self.judges_hermes() || call.by_neighbour => self.nodes.call(call).await,
            Verb::Call(call) if call.by.is_some() || !call.by_each.is_empty() => self.call_by(call).await,
            Verb::Call(call) => self.call(&key, call).await,
            Verb::Session(step) => self.team.session(step).await,
            Verb::Run(run) => self.bench.run(&run.command).await?,
            Verb::Command(command) => self.command(&key, command).await?,
            Verb::Await(wait) => self.wait(wait).await,
            Verb::Advance(time) => {
                clock.sleep(time.duration()).await;
                json!({})
            }
            Verb::Jump(by) => {
                self.bench.jump(by.0);
                json!({})
            }
            Verb::Connect(which) => self.nodes.connect(which).await,
            Verb::Disconnect(which) => self.nodes.disconnect(which).await,
            Verb::Kill(host) => self.kill(host).await,
            Verb::Freeze(time) => {
                self.bench.freeze_receiver(time.duration());
                json!({})
            }
            Verb::Signal(signal) => self.signal(signal).await,
            Verb::Stop(host) => self.stop(host).await,
            Verb::Start(host) => self.start(host).await?,
            Verb::PowerCut(fate) => {
                self.trace.push(What::PowerCut);
                self.bench.power_cut(fate);
                if self.plan.scenario.subject == SubjectKind::Hermes {
                    self.nodes.begin_again().await?;
                } else {
                    self.bench.start_runtime().await?;
                }
                json!({})
            }
            Verb::Write(write) => {
                let path = self.names.resolve(&write.path);
                self.bench.write(&path, &self.names.resolve(&write.text), write.append)?;
                for (line, context) in write.asks.iter().enumerate() {
                    self.trace.push(What::Dispatched {
                        dispatch: line_name(&key, line + 1),
                        context: Some(self.names.context(context)),
                        acknowledged: true,
                    });
                }
                json!({})
            }
            Verb::Remove(path) => {
                self.bench.remove(&self.names.resolve(path))?;
                json!({})
            }
            Verb::Link(link) => {
                self.bench.link(&self.names.resolve(&link.path), &self.names.resolve(&link.to))?;
                json!({})
            }
            Verb::Stranger(stranger) => {
                let says = match stranger.echoes {
                    true => Says::Echo,
                    false => Says::Body(self.names.resolve_value(&stranger.says).to_string().into_bytes()),
                };
                for port in stranger.port..=stranger.to.unwrap_or(stranger.port) {
                    let after = stranger.after.map_or(Duration::ZERO, |after| after.duration());
                    match self.bench.let_a_stranger_listen(port, says.clone(), after).await {
                        // A crash left somebody there whom the story has not.
                        Err(_) if self.is_explored() => {}
                        listens => listens?,
                    }
                }
                json!({})
            }
            Verb::Fault(rule) => {
                self.bench.arm(self.plan.executor.rule(rule));
                json!({})
            }
            Verb::Mend(_) => {
                self.bench.mend();
                json!({})
            }
        };
        timed(&mut value, clock.now() - began);
        self.look_at_deployed();
        if self.plan.scenario.subject == SubjectKind::Team {
            self.bench.look("step", &self.trace);
        }
        self.trace.push(What::Result { step: key, value });
        Ok(())
    }

    /// Notes the receivers that the runtime deployed since it was last looked.
    fn look_at_deployed(&self) {
        for (Pid(pid), args) in self.bench.deployed() {
            let is_known = |what: &What| matches!(what, What::Deployed { pid: known, .. } if *known == pid);
            if !self.trace.any(is_known) {
                self.trace.push(What::Deployed { pid, args });
            }
        }
    }

    pub(super) fn is_explored(&self) -> bool {
        self.plan.is_explored()
    }

    fn judges_hermes(&self) -> bool {
        self.plan.scenario.subject == SubjectKind::Hermes
    }

    async fn dispatch(&self, key: &str, dispatch: &Dispatch) -> Value {
        let name = dispatch.name.clone().unwrap_or_else(|| key.to_owned());
        let text = format!("{} {}", self.names.resolve(&dispatch.text), self.names.nonce(&name));
        let mut args = json!({ "agent": PEER, "message": text });
        let context = dispatch.context.as_deref().map(|context| self.names.context(context));
        if let (Value::Object(members), Some(context)) = (&mut args, &context) {
            members.insert("context_id".to_owned(), json!(context));
        }
        if let (Value::Object(members), Some(task)) = (&mut args, &dispatch.task) {
            members.insert("task".to_owned(), self.names.resolve_value(task));
        }
        let tool = match self.bench.driven() {
            Some(driven) => driven.dispatch(&name, PEER, context.as_deref(), &text).await,
            None => self.tool("fleet_send", &Caller::with(["a2a"]), args).await,
        };
        let (sent, answer) = self.last_exchange(key);
        let result = answer
            .as_ref()
            .and_then(|answer| answer.body.as_ref())
            .and_then(|body| body.pointer("/result/message"));
        let acknowledged = result.is_some() && tool.get("error").is_none();
        let named = result.and_then(|message| message.get("contextId")).and_then(Value::as_str);
        if let (None, Some(named)) = (&context, named) {
            self.names.made_up(&name, named);
        }
        let context = context.or_else(|| named.map(str::to_owned));
        // A dispatch that was refused, or never left, is none: nothing may come of it.
        let class = tool.get("class").and_then(Value::as_str);
        if acknowledged || !matches!(class, Some("refused" | "not_sent")) {
            self.trace.push(What::Dispatched { dispatch: name.clone(), context, acknowledged });
            self.note_redirected(&name, sent.pointer("/body/params/message"));
        }
        let mut value = answer.map_or_else(|| json!({}), |answer| answer.to_value());
        if let Value::Object(members) = &mut value {
            members.insert("tool".to_owned(), tool);
            members.insert("sent".to_owned(), sent);
            members.insert("acknowledged".to_owned(), json!(acknowledged));
        }
        value
    }

    async fn call(&self, key: &str, call: &Call) -> Value {
        for write in &call.meanwhile {
            let (bench, after, append) = (self.bench.clone(), write.after.duration(), !write.instead);
            let (path, text) = (self.names.resolve(&write.path), self.names.resolve(&write.text));
            let clock = self.bench.harness().clone();
            self.bench.harness().spawn(async move {
                clock.clock().sleep(after).await;
                if let Err(error) = bench.write(&path, &text, append) {
                    tracing::warn!(%error, "a file could not be written meanwhile");
                }
            });
        }
        let args = match &call.args {
            Value::Null => json!({}),
            args => self.names.resolve_value(args),
        };
        let name = self.names.resolve(&call.tool);
        if let Some(many) = call.at_once {
            let caller = call.caller();
            let calls = (0..many).map(|_| self.tool(&name, &caller, args.clone()));
            let tools = join_all(calls).await;
            tools.iter().for_each(|tool| self.note_called_dispatch(key, &name, &args, tool));
            return json!({ "tools": tools, "sent": self.requests_of(key) });
        }
        let tool = self.tool(&name, &call.caller(), args.clone()).await;
        self.note_called_dispatch(key, &name, &args, &tool);
        json!({ "tool": tool })
    }

    /// Calls a tool as a session, or as several at once.
    async fn call_by(&self, call: &Call) -> Value {
        let name = self.names.resolve(&call.tool);
        let args = match &call.args {
            Value::Null => json!({}),
            args => self.names.resolve_value(args),
        };
        if !call.by_each.is_empty() {
            let callers: Vec<Caller> = call.by_each.iter().map(|by| self.team.caller(call, by)).collect();
            let tools = join_all(callers.iter().map(|caller| self.tool(&name, caller, args.clone()))).await;
            return json!({ "tools": tools });
        }
        let caller = self.team.caller(call, call.by.as_deref().unwrap_or_default());
        let tool = self.tool(&name, &caller, args).await;
        team::keep(&self.names, &call.saves, &tool);
        json!({ "tool": tool })
    }

    /// Tries to delete by force what runs are left, when all else was seen.
    pub(super) async fn end_teams(&self) {
        self.bench.look("end", &self.trace);
        self.team.close();
        for (run, lead) in self.trace.read(oracle::runs_left) {
            let session = Session { id: lead, ..Session::default() };
            let caller = Caller::with(["team"]).of_session(session);
            let args = json!({ "teamRunId": run, "force": true });
            let mut tool = self.tool("team_delete", &caller, args.clone()).await;
            // A crash may have come in the midst of this very call.
            for _ in 0..TRIES {
                if !self.team.is_disturbed() || oracle::is_gone(&tool) {
                    break;
                }
                self.team.rest().await;
                tool = self.tool("team_delete", &caller, args.clone()).await;
            }
            self.trace
                .push(What::Result { step: format!("{}{run}", oracle::END), value: json!({ "tool": tool }) });
        }
    }

    /// A tool may have sent work that somebody acknowledged: its sender is owed the outcome as after a dispatch.
    fn note_called_dispatch(&self, key: &str, name: &str, args: &Value, tool: &Value) {
        let text = |name: &str| tool.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let queued = text("reply").is_some_and(|reply| reply.contains("[queued]"));
        let waited = tool.get("waited").and_then(Value::as_bool) == Some(true);
        // Who waits no longer was acknowledged all the same, and knows the context.
        let given_up = text("class") == Some("deadline");
        if let (Some(context), true) = (text("context_id"), queued || waited || given_up) {
            let context = Some(context.to_owned());
            self.trace.push(What::Dispatched { dispatch: key.to_owned(), context, acknowledged: true });
            return;
        }
        // In a world that misbehaves its sender may not know whether it was taken.
        let is_unsure = tool.get("interrupted").is_some()
            || matches!(text("class"), Some("unknown" | "accepted_without_reply" | "replied_elsewhere"));
        if self.is_explored() && is_unsure && name.starts_with("fleet_send") {
            let context = args.get("context_id").and_then(Value::as_str).map(str::to_owned);
            self.trace.push(What::Dispatched { dispatch: key.to_owned(), context, acknowledged: false });
        }
    }

    async fn tool(&self, tool: &str, caller: &Caller, args: Value) -> Value {
        // A crash that exploration chose is no part of the story: it goes on when the runtime is back.
        if self.is_explored() {
            let clock = self.bench.harness().clock();
            let deadline = clock.now() + BACK;
            while self.bench.runtime().is_none() && clock.now() < deadline {
                clock.sleep(Duration::from_millis(100)).await;
            }
        }
        if let Some(driven) = self.bench.driven() {
            let text = |name: &str| args.get(name).and_then(Value::as_str);
            let (peer, message) = (text("agent").unwrap_or_default(), text("message").unwrap_or_default());
            return driven.dispatch(tool, peer, text("context_id"), message).await;
        }
        let Some(runtime) = self.bench.runtime() else {
            return json!({ "interrupted": "the runtime does not run" });
        };
        match race(runtime.call(caller, tool, args), self.bench.runtime_lost()).await {
            Either::First(Ok(result)) => result,
            Either::First(Err(error)) => json!({ "refused": error.to_string() }),
            Either::Second(()) => json!({ "interrupted": "the runtime died during the call" }),
        }
    }

    /// The requests that went over the wire in a step, read from their raw bytes.
    fn requests_of(&self, key: &str) -> Vec<Value> {
        self.trace.read(|all| {
            let sent = all.iter().filter_map(|seen| match &seen.what {
                What::Exchange { step, sent, .. } if step == key => wire::request(&sent.0),
                _ => None,
            });
            sent.map(|request| request.to_value(&self.names.token)).collect()
        })
    }

    /// The request and the answer in the last exchange of a step, read from their raw bytes.
    fn last_exchange(&self, key: &str) -> (Value, Option<HttpAnswer>) {
        self.trace.read(|all| {
            let exchange = all.iter().rev().find_map(|seen| match &seen.what {
                What::Exchange { step, sent, received } if step == key => Some((sent, received)),
                _ => None,
            });
            let Some((sent, received)) = exchange else { return (Value::Null, None) };
            let request = wire::request(&sent.0).map(|request| request.to_value(&self.names.token));
            (request.unwrap_or_default(), wire::answers(&received.0).into_iter().next())
        })
    }

    /// Sends a request and gives its answer; nothing yet when the story goes on without it.
    async fn request(self: &Rc<Self>, key: &str, request: &Request) -> Option<Value> {
        if let Some(many) = request.at_once {
            if request.detached {
                let (hand, key, request) = (self.clone(), key.to_owned(), request.clone());
                self.bench.client().spawn(async move {
                    hand.crowd(&key, &request, many).await;
                });
                return None;
            }
            return Some(self.crowd(key, request, many).await);
        }
        if !request.every_type_in.is_empty() {
            return Some(self.every_type(key, request).await);
        }
        let mut value = json!({});
        for number in 1..=request.times.unwrap_or(1) {
            let bytes = self.bytes_of(request, number);
            if request.detached {
                let (hand, key, request) = (self.clone(), key.to_owned(), request.clone());
                // What goes at once has gone before the next step.
                let sent = match request.byte_by_byte {
                    None => Some(self.send(bytes.clone(), &request).await),
                    Some(_) => None,
                };
                self.bench.client().spawn(async move {
                    let began = hand.bench.harness().clock().now();
                    let sent = match sent {
                        Some(sent) => sent,
                        None => hand.send(bytes, &request).await,
                    };
                    let mut value = hand.receive(&key, sent).await;
                    timed(&mut value, hand.bench.harness().clock().now() - began);
                    hand.trace.push(What::Result { step: key, value });
                });
                return None;
            }
            let sent = self.send(bytes, request).await;
            value = self.receive(key, sent).await;
        }
        Some(value)
    }

    pub(super) async fn send(&self, bytes: Vec<u8>, request: &Request) -> Sent {
        let client = self.bench.client();
        let address = Address::loopback(self.bench.receiver_port());
        let patience = patience(request);
        let expected = request.raw.as_deref().map_or(1, |raw| raw.matches(" HTTP/1.").count().max(1));
        let mut stream = client.network().connect(&address).await.map_err(|error| error.to_string());
        if let Ok(stream) = &mut stream {
            // A server may answer and close before everything is written; what it answered counts.
            let _ = client.clock().within(patience, sender::write(client, stream, &bytes, request)).await;
        }
        let left = stream.is_ok() && request.leaves == Some(Leaves::Whole);
        if left {
            stream = stream.and(Err("its sender left".to_owned()));
        }
        Sent { bytes, stream, expected, patience, left }
    }

    pub(super) async fn receive(&self, key: &str, sent: Sent) -> Value {
        let client = self.bench.client();
        let Sent { bytes, stream, expected, patience, left } = sent;
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(error) => {
                // What was sent may have been taken.
                let sent = wire::request(&bytes).and_then(|request| request.body);
                self.note_raw_dispatch(key, sent.as_ref().filter(|_| left), None);
                return json!({ "refused": error, "answers": [] });
            }
        };
        let mut received = Vec::new();
        let deadline = client.clock().now() + patience;
        let mut closed = false;
        let (mut answered, mut complete) = (0, 0);
        let mut space = vec![0; 16_384];
        loop {
            while answered < expected
                && let Some(length) = wire::answer_length(&received[complete..])
            {
                answered += 1;
                complete += length;
            }
            let left = deadline.saturating_duration_since(client.clock().now());
            if received.len() > MAX_RECEIVED || left.is_zero() {
                break;
            }
            let left = if answered == expected { left.min(SURPLUS) } else { left };
            match client.clock().within(left, stream.read(&mut space)).await {
                Some(Ok(read @ 1..)) => received.extend_from_slice(&space[..read]),
                Some(_) => {
                    closed = true;
                    break;
                }
                None => break,
            }
        }
        drop(stream);
        let answers = wire::answers(&received);
        let sent = wire::request(&bytes).and_then(|request| request.body);
        self.note_raw_dispatch(key, sent.as_ref(), answers.first());
        let mut value = answers.first().map_or_else(|| json!({}), HttpAnswer::to_value);
        if let Value::Object(members) = &mut value {
            members.insert("answers".to_owned(), answers.iter().map(HttpAnswer::to_value).collect());
            members.insert("closed".to_owned(), json!(closed));
            let surplus = if answered == expected { received.len() - complete } else { 0 };
            members.insert("surplus".to_owned(), json!(surplus));
        }
        value
    }

    /// A request of the harness' own making can be a dispatch, too. With an acknowledgement its sender holds it; without a
    /// whole answer, or with one that neither refuses nor acknowledges, its sender does not know whether it was accepted.
    pub(super) fn note_raw_dispatch(&self, key: &str, sent: Option<&Value>, answer: Option<&HttpAnswer>) {
        let asked = sent.and_then(|sent| sent.pointer("/params/message"));
        let whole = answer.filter(|answer| answer.whole).and_then(|answer| answer.body.as_ref());
        let message = whole.and_then(|body| body.pointer("/result/message"));
        let is_refused = |answer: &HttpAnswer| {
            let body = answer.body.as_ref().filter(|_| answer.whole);
            body.is_some_and(|body| !(200..300).contains(&answer.status) || body.get("error").is_some())
        };
        // What was acknowledged is a dispatch, whatever it looked like.
        if message.is_none() && (asked.is_none() || answer.is_some_and(is_refused)) {
            return;
        }
        let asked =
            asked.and_then(|asked| asked.get("contextId")?.as_str()).filter(|asked| !asked.is_empty());
        let named = message.and_then(|message| message.get("contextId")).and_then(Value::as_str);
        if let (None, Some(named)) = (asked, named) {
            self.names.made_up(key, named);
        }
        // A Hermes node answers at once, and nothing comes of it later.
        if self.judges_hermes() {
            return;
        }
        let context = asked.or(named).map(str::to_owned);
        self.trace.push(What::Dispatched {
            dispatch: key.to_owned(),
            context,
            acknowledged: message.is_some(),
        });
        self.note_redirected(key, sent.and_then(|sent| sent.pointer("/params/message")));
    }

    /// A structured task can ask for its outcome on another context.
    fn note_redirected(&self, dispatch: &str, message: Option<&Value>) {
        let payload = message.and_then(|message| message.get("metadata")?.get("urn:gauntlet:ext:task:1"));
        if let Some(context) = payload.and_then(|payload| payload.pointer("/reply_to/context")?.as_str()) {
            let (dispatch, context) = (dispatch.to_owned(), context.to_owned());
            self.trace.push(What::Redirected { dispatch, context });
        }
    }

    pub(super) fn bytes_of(&self, request: &Request, number: u32) -> Vec<u8> {
        let bearer = match request.bearer {
            Bearer::Right => Some(format!("Bearer {}", self.names.token)),
            Bearer::Capitals => Some(format!("BEARER {}", self.names.token)),
            Bearer::Wrong => Some("Bearer not-the-token".to_owned()),
            Bearer::Prefix => {
                let shorter = &self.names.token[..self.names.token.len() - 1];
                Some(format!("Bearer {shorter}"))
            }
            Bearer::Empty => Some("Bearer ".to_owned()),
            Bearer::None => None,
        };
        if let Some(raw) = &request.raw {
            let raw = self.names.resolve(raw).replace("{bearer}", &bearer.unwrap_or_default());
            return raw.replace("\r\n", "\n").replace('\n', "\r\n").into_bytes();
        }
        let body = match (&request.json, &request.body, request.body_of) {
            (Some(json), ..) => self.names.resolve_value(json).to_string().into_bytes(),
            (None, Some(body), _) => self.names.resolve(body).into_bytes(),
            (None, None, Some(length)) => self.filled_body(length),
            (None, None, None) => Vec::new(),
        };
        let body = match request.times {
            Some(_) => String::from_utf8_lossy(&body).replace("{n}", &number.to_string()).into_bytes(),
            None => body,
        };
        let method = self.names.resolve(request.method.as_deref().unwrap_or("POST"));
        let path = self.names.resolve(request.path.as_deref().unwrap_or("/jsonrpc"));
        let mut fields = BTreeMap::from([
            ("content-type".to_owned(), "application/json".to_owned()),
            ("content-length".to_owned(), body.len().to_string()),
            ("host".to_owned(), "127.0.0.1".to_owned()),
        ]);
        fields.extend(bearer.map(|bearer| ("authorization".to_owned(), bearer)));
        let given = request.headers.iter();
        fields.extend(given.map(|(name, value)| (name.to_ascii_lowercase(), self.names.resolve(value))));
        let mut bytes = format!("{method} {path} HTTP/1.1\r\n").into_bytes();
        fields.extend(
            (1..=request.more_headers.unwrap_or(0)).map(|n| (format!("x-more-{n}"), "more".to_owned())),
        );
        for (name, value) in fields {
            bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        if !request.head_only {
            bytes.extend_from_slice(&body);
        }
        bytes
    }

    /// A dispatch whose body is exactly so long.
    fn filled_body(&self, length: usize) -> Vec<u8> {
        let with = |text: &str| {
            let message = json!({ "role": "user", "parts": [{ "text": text }], "contextId": self.names.context("filled") });
            json!({ "jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": { "message": message } })
                .to_string()
        };
        let frame = with("").len();
        with(&"x".repeat(length.saturating_sub(frame))).into_bytes()
    }

    async fn wait(&self, wait: &Await) -> Value {
        if let (Some(dispatch), Some(driven)) = (&wait.reply_to, self.bench.driven()) {
            return self.wait_for_driver(driven, dispatch, wait).await;
        }
        let happens = async {
            if wait.end_of == Some(HostName::Receiver) {
                // Its end is no observation until somebody looks.
                self.bench.receiver_ends(wait.within.duration()).await;
            }
            loop {
                let changed = self.trace.changed();
                if let Some(value) = self.happened(wait) {
                    return value;
                }
                changed.await;
            }
        };
        let clock = self.bench.harness().clock();
        clock.within(wait.within.duration(), happens).await.unwrap_or_else(|| json!({ "happens": false }))
    }

    pub(super) fn happened(&self, wait: &Await) -> Option<Value> {
        if let Some(dispatch) = &wait.reply_to {
            return self.reply_to(dispatch).map(|text| json!({ "happens": true, "text": text }));
        }
        if let Some(wanted) = &wait.answer_to {
            let answered = |what: &What| matches!(what, What::Result { step, .. } if step == wanted);
            return self.trace.any(answered).then(|| json!({ "happens": true }));
        }
        if let Some(wanted) = &wait.turn_of {
            let entered = |what: &What| matches!(what, What::CliEntered { dispatch: Some(dispatch), .. } if dispatch == wanted);
            return self.trace.any(entered).then(|| json!({ "happens": true }));
        }
        match wait.end_of? {
            HostName::Receiver if !self.bench.receiver_runs() => {
                let code = self.bench.receiver_code();
                self.trace.push(What::Ended { host: "receiver".to_owned(), code: code.unwrap_or_default() });
                Some(json!({ "happens": true, "code": code }))
            }
            HostName::Runtime if self.bench.runtime().is_none() => Some(json!({ "happens": true })),
            _ => None,
        }
    }

    /// The reply to a dispatch, once it was delivered: replies on one context come in the order of the dispatches that ask for them.
    fn reply_to(&self, dispatch: &str) -> Option<String> {
        self.trace.read(|all| {
            let mut sent: Vec<(&str, &str)> = Vec::new();
            for seen in all {
                match &seen.what {
                    What::Dispatched { dispatch, context: Some(context), acknowledged: true } => {
                        sent.push((dispatch, context));
                    }
                    What::Redirected { dispatch, context } => {
                        let asked = sent.iter_mut().filter(|(name, _)| name == dispatch);
                        asked.for_each(|(_, on)| *on = context);
                    }
                    _ => {}
                }
            }
            let (_, context) = sent.iter().find(|(name, _)| *name == dispatch)?;
            let on_it = sent.iter().filter(|(_, other)| other == context);
            let place = on_it.clone().position(|(name, _)| *name == dispatch)?;
            let mut delivered = all.iter().filter_map(|seen| match &seen.what {
                What::Delivered { context: to, text, .. } if to == context => Some(text.clone()),
                _ => None,
            });
            delivered.nth(place)
        })
    }

    async fn kill(&self, host: HostName) -> Value {
        match host {
            HostName::Receiver => {
                self.trace.push(What::Killed { host: "receiver".to_owned() });
                self.bench.kill_receiver().await;
            }
            HostName::Runtime => {
                self.trace.push(What::Killed { host: "runtime".to_owned() });
                self.bench.kill_runtime();
            }
            HostName::Hermes | HostName::Neighbour => return self.nodes.kill(host),
        }
        json!({})
    }

    async fn stop(&self, host: HostName) -> Value {
        match host {
            HostName::Receiver => {
                // One that died before cannot end anything any more; what it left is for the next one.
                let is_asked = self.bench.receiver_runs();
                self.trace.push(What::Stopped { host: "receiver".to_owned() });
                self.bench.stop_receiver().await;
                let code = self.bench.receiver_ends(STOP).await;
                if let Some(code) = code {
                    self.trace.push(What::Ended { host: "receiver".to_owned(), code });
                    // One that was killed while it ended could not end anything any more, either.
                    if is_asked && code != KILLED {
                        self.look_for_leftovers("ended").await;
                    }
                } else {
                    // As an operator would, so that the next one gets the port.
                    self.kill(HostName::Receiver).await;
                }
                json!({ "happens": code.is_some(), "code": code })
            }
            HostName::Runtime | HostName::Hermes | HostName::Neighbour => self.kill(host).await,
        }
    }

    /// Sends the receiver a signal by which it may end.
    async fn signal(&self, signal: SignalName) -> Value {
        if !self.bench.receiver_runs() {
            return json!({ "happens": false });
        }
        let signal = match signal {
            SignalName::Interrupt => Signal::Interrupt,
            SignalName::HangUp => Signal::HangUp,
            SignalName::Terminate => Signal::Terminate,
        };
        self.trace.push(What::Stopped { host: "receiver".to_owned() });
        self.bench.signal_receiver(signal).await;
        let code = self.bench.receiver_ends(SIGNALLED).await;
        if let Some(code) = code {
            self.trace.push(What::Ended { host: "receiver".to_owned(), code });
            // One that the signal itself ended could not end anything any more.
            if code >= 0 {
                self.look_for_leftovers("ended").await;
            }
        }
        self.outlived.set(code.is_none());
        json!({ "happens": code.is_some(), "code": code })
    }

    async fn start(&self, host: HostName) -> Result<Value, BenchError> {
        match host {
            HostName::Receiver => {
                // The one that the story wants back is there already. In a cell that is not explored this is as it was written, but for
                // one that a signal did not end.
                let revived = self.is_explored() && self.revived.take();
                let is_back = (self.outlived.take() || revived) && self.bench.receiver_runs();
                if !is_back {
                    self.start_receiver().await?;
                }
                Ok(json!({ "happens": self.bench.receiver_runs(), "code": self.bench.receiver_code() }))
            }
            HostName::Runtime => {
                self.bench.start_runtime().await?;
                Ok(json!({ "happens": self.bench.runtime().is_some() }))
            }
            HostName::Hermes | HostName::Neighbour => self.nodes.start(host).await,
        }
    }

    /// Starts the receiver, and looks for processes that lived before and still do when it is ready.
    pub(super) async fn start_receiver(&self) -> Result<(), BenchError> {
        let before = self.bench.strays();
        self.bench.start_receiver(&self.trace).await?;
        // One that died on its way never was ready.
        if !before.is_empty() && self.bench.receiver_runs() {
            let still = || {
                let now = self.bench.strays();
                before.iter().filter(|process| now.contains(process)).cloned().collect()
            };
            let processes = self.lasting(still).await;
            self.push_leftovers("ready", processes);
        }
        Ok(())
    }

    /// Looks for processes of the receiver at a moment when none should be there.
    pub(super) async fn look_for_leftovers(&self, moment: &str) {
        let processes = self.lasting(|| self.bench.strays()).await;
        self.push_leftovers(moment, processes);
    }

    /// What is still there when everything that was killed had its time to die.
    async fn lasting(&self, look: impl Fn() -> Vec<(Pid, String)>) -> Vec<(Pid, String)> {
        let clock = self.bench.harness().clock();
        let deadline = clock.now() + self.bench.dying();
        loop {
            let there = look();
            if there.is_empty() || clock.now() >= deadline {
                return there;
            }
            clock.sleep(Duration::from_millis(10)).await;
        }
    }

    fn push_leftovers(&self, moment: &str, processes: Vec<(Pid, String)>) {
        let processes = processes.into_iter().map(|(_, name)| name).collect();
        self.trace.push(What::Leftovers { moment: moment.to_owned(), processes });
    }
}
