//! The subjects of checks, made out of a trace. Everything is read from raw bytes and plain JSON.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gauntlet_reports::Secrets;
use gauntlet_simulators::stage::{Ending, Purpose};
use memchr::memmem::Finder;
use serde_json::{Value, json};

use super::memory::Memory;
use super::{dialect, wire};
use crate::cell::Names;
use crate::scenario::{HostSeen, Subject, Which, in_trace};
use crate::trace::{FileSeen, Observation, What};

/// A trace, ready to be looked at.
pub(super) struct View<'a> {
    pub(super) observations: &'a [Observation],
    pub(super) names: &'a Names,
    memory: &'a Memory,
    /// Every check and invariant looks at the turns and callbacks; they are read once.
    turns: OnceCell<Vec<Turn>>,
    calls: OnceCell<Vec<Call>>,
    callbacks: OnceCell<Vec<Looked>>,
    /// Taken out of whatever a finding shows.
    secrets: OnceCell<Secrets>,
}

/// One turn of the CLI.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) index: usize,
    pub(super) dispatch: Option<String>,
    pub(super) context: Option<String>,
    pub(super) session: Option<String>,
    pub(super) started_ms: u64,
    pub(super) ended_ms: Option<u64>,
    /// The answers that the CLI printed.
    pub(super) messages: Rc<Vec<String>>,
    /// Whether it ended by itself and had run on no session.
    pub(super) ran_on_none: bool,
    /// Where in the trace it ended by itself.
    left: Option<usize>,
    /// As checks see it; made when one looks.
    value: OnceCell<Value>,
}

/// What a check looks at, and where in the trace it is from.
#[derive(Debug, Clone)]
pub(super) struct Looked {
    pub(super) value: Value,
    pub(super) trace: Vec<usize>,
}

/// A dispatch as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) dispatch: String,
    pub(super) context: Option<String>,
    /// The context on which it asked for its outcome; its own unless it said another one.
    pub(super) answers_on: Option<String>,
    pub(super) acknowledged: bool,
}

/// A callback as it came over the wire.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) index: usize,
    pub(super) at_ms: u64,
    pub(super) id: Value,
    pub(super) context: Option<String>,
    pub(super) text: String,
    /// Whether the answer says that the reply was taken.
    pub(super) taken: bool,
    /// Whether the answer says that it is another profile's, and kept for that one.
    pub(super) astray: bool,
    /// Whether the answer's body came and can be read.
    pub(super) is_answer_read: bool,
    /// The profile that it names.
    pub(super) profile: Option<String>,
    /// Whether all of the request came. Of what does not begin as one nothing more can come.
    pub(super) whole: bool,
}

/// Where a callback names the profile that it is for.
const PROFILE: &str = "/params/message/metadata/urn:gauntlet:ext:profile:1/profile";
/// Where an answer says what it is about when a reply came to another profile than the one that it is for.
const ASTRAY: &str = "/result/message/metadata/urn:gauntlet:ext:profile:1/class";

impl<'a> View<'a> {
    /// `memory` is the trace's own: it may come from an earlier look at a part of the same trace.
    pub(super) fn new(observations: &'a [Observation], names: &'a Names, memory: &'a Memory) -> Self {
        let (turns, calls, callbacks, secrets) = Default::default();
        Self { observations, names, memory, turns, calls, callbacks, secrets }
    }

    pub(super) fn turns(&self) -> &[Turn] {
        self.turns.get_or_init(|| self.read_turns())
    }

    /// The callbacks, as far as invariants look at them.
    pub(super) fn calls(&self) -> &[Call] {
        self.calls.get_or_init(|| self.read_calls())
    }

    /// The callbacks as checks see them.
    fn callbacks(&self) -> &[Looked] {
        self.callbacks.get_or_init(|| self.read_callbacks())
    }

    /// What no finding may show.
    pub(super) fn secrets(&self) -> &Secrets {
        self.secrets.get_or_init(|| Secrets::new(self.names.redacted()))
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        let mut sent: Vec<Sent> = Vec::new();
        for seen in self.observations {
            match &seen.what {
                What::Dispatched { dispatch, context, acknowledged } => sent.push(Sent {
                    dispatch: dispatch.clone(),
                    context: context.clone(),
                    answers_on: context.clone(),
                    acknowledged: *acknowledged,
                }),
                What::Redirected { dispatch, context } => {
                    let asked = sent.iter_mut().filter(|sent| sent.dispatch == *dispatch);
                    asked.for_each(|sent| sent.answers_on = Some(context.clone()));
                }
                _ => {}
            }
        }
        sent
    }

    fn read_turns(&self) -> Vec<Turn> {
        let contexts: BTreeMap<String, Option<String>> =
            self.sent().into_iter().map(|sent| (sent.dispatch, sent.context)).collect();
        let mut turns = Vec::new();
        let mut printed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut cut = false;
        for (index, seen) in self.observations.iter().enumerate() {
            match &seen.what {
                What::CliLeft { ending } => {
                    if let Some(session) = &ending.session {
                        printed.entry(session).or_default().push(&ending.stdout);
                    }
                }
                What::PowerCut => cut = true,
                _ => {}
            }
            let What::CliEntered { dispatch, invocation } = &seen.what else { continue };
            let Purpose::Turn { session, .. } = &invocation.purpose else { continue };
            let ends = |later: &Observation| matches!(&later.what, What::CliLeft { ending } if ending.pid == invocation.pid);
            let left = self.observations[index..].iter().position(ends).map(|after| index + after);
            let ending = left.and_then(|left| self.ending(left));
            let messages = ending.map(|(_, ending)| {
                // Turns of one session do not overlap, so that this is what it had printed when the turn ended, too.
                let earlier = ending.session.as_deref().and_then(|session| printed.get(session));
                let earlier = earlier.map(Vec::as_slice).unwrap_or_default();
                // With the power a CLI may have lost the end of what it keeps of a session: then it goes on behind an earlier turn.
                let kept = earlier.iter().rev().find(|before| ending.stdout.starts_with(**before));
                let before = kept.filter(|_| cut).or(earlier.last()).copied();
                let output = self.names.executor.output.as_ref();
                let read = || dialect::messages(output, &ending.stdout, before.unwrap_or_default());
                self.memory.messages(index, read)
            });
            turns.push(Turn {
                index,
                dispatch: dispatch.clone(),
                context: dispatch.as_ref().and_then(|name| contexts.get(name).cloned().flatten()),
                session: session.clone(),
                started_ms: seen.at_ms,
                ended_ms: ending.map(|(at_ms, _)| at_ms),
                messages: messages.unwrap_or_default(),
                ran_on_none: ending.is_some_and(|(_, ending)| ending.session.is_none()),
                left,
                value: OnceCell::new(),
            });
        }
        turns
    }

    /// How and when the CLI left, by place in the trace.
    fn ending(&self, index: usize) -> Option<(u64, &Ending)> {
        match self.observations.get(index)? {
            Observation { at_ms, what: What::CliLeft { ending } } => Some((*at_ms, ending)),
            _ => None,
        }
    }

    /// A turn as checks see it.
    fn turn_value<'t>(&self, turn: &'t Turn) -> &'t Value {
        turn.value.get_or_init(|| self.make_turn_value(turn).unwrap_or_default())
    }

    fn make_turn_value(&self, turn: &Turn) -> Option<Value> {
        let What::CliEntered { invocation, .. } = &self.observations.get(turn.index)?.what else {
            return None;
        };
        let Purpose::Turn { prompt, session } = &invocation.purpose else { return None };
        let left = turn.left.and_then(|left| self.ending(left));
        let output = self.names.executor.output.as_ref();
        Some(json!({
            "dispatch": turn.dispatch,
            "context": self.context_of(turn),
            "args": invocation.args,
            "prompt": prompt,
            "session": session,
            "cwd": invocation.cwd,
            "env": invocation.env,
            "stdin_at_end": invocation.stdin_at_end,
            "started_ms": turn.started_ms,
            "ended_ms": turn.ended_ms,
            "printed_session": left.and_then(|(_, ending)| ending.session.clone()),
            "thread_lines": left.map(|(_, ending)| dialect::sessions(output, &ending.stdout)),
            "messages": left.map(|_| &*turn.messages),
            "stdout": left.map(|(_, ending)| ending.stdout.clone()),
            "stderr": left.map(|(_, ending)| ending.stderr.clone()),
            "code": left.map(|(_, ending)| ending.code),
        }))
    }

    fn context_of(&self, turn: &Turn) -> Option<String> {
        turn.context.as_deref().map(|context| self.names.context_name(context))
    }

    /// The turns that are meant.
    fn turns_of(&self, which: &Which) -> impl Iterator<Item = &Turn> {
        self.turns().iter().filter(|turn| {
            is(turn.dispatch.as_deref(), &which.dispatch)
                && is(self.context_of(turn).as_deref(), &which.context)
        })
    }

    fn read_calls(&self) -> Vec<Call> {
        let calls = self.observations.iter().enumerate().filter_map(|(index, seen)| match &seen.what {
            What::Callback { sent, answered } => Some((index, seen.at_ms, sent, answered)),
            _ => None,
        });
        calls
            .map(|(index, at_ms, sent, answered)| {
                let exchange = self.memory.exchange(index, &sent.0, &answered.0);
                let nothing = Value::Null;
                let body =
                    exchange.request.as_ref().and_then(|request| request.body.as_ref()).unwrap_or(&nothing);
                let answer = exchange.answers.first();
                let refused = answer
                    .and_then(|answer| answer.body.as_ref())
                    .and_then(|body| body.get("error"))
                    .is_some();
                // Who speaks as a user asks for something, and replies to nothing.
                let asks = body.pointer("/params/message/role").is_some_and(|role| role == "user");
                let accepted = answer.is_some_and(|answer| (200..300).contains(&answer.status));
                Call {
                    index,
                    at_ms,
                    id: body.pointer("/id").cloned().unwrap_or_default(),
                    context: body
                        .pointer("/params/message/contextId")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    text: text_of(body).to_owned(),
                    taken: accepted && !refused && !asks,
                    profile: body.pointer(PROFILE).and_then(Value::as_str).map(str::to_owned),
                    astray: answer
                        .and_then(|answer| answer.body.as_ref()?.pointer(ASTRAY))
                        .is_some_and(|class| class == "misrouted"),
                    is_answer_read: answer.is_some_and(|answer| answer.body.is_some()),
                    whole: wire::request_length(&sent.0).is_some() || !begins_as_a_call(&sent.0),
                }
            })
            .collect()
    }

    fn read_callbacks(&self) -> Vec<Looked> {
        let mut callbacks = Vec::new();
        for (index, seen) in self.observations.iter().enumerate() {
            let What::Callback { sent, answered } = &seen.what else { continue };
            let exchange = self.memory.exchange(index, &sent.0, &answered.0);
            let (request, nothing) = (exchange.request.as_ref(), Value::Null);
            let status = exchange.answers.first().map(|answer| answer.status);
            let body = request.and_then(|request| request.body.as_ref()).unwrap_or(&nothing);
            let part = |pointer: &str| body.pointer(pointer).cloned().unwrap_or_default();
            let context = body.pointer("/params/message/contextId").and_then(Value::as_str);
            let text = part("/params/message/parts/0/text");
            let headers = request.map(|request| request.headers.as_slice()).unwrap_or_default();
            let authorization = wire::authorization(headers, &self.names.hermes_token);
            let value = json!({
                "id": part("/id"),
                "jsonrpc": part("/jsonrpc"),
                "method": part("/method"),
                "role": part("/params/message/role"),
                "context": context.map(|context| self.names.context_name(context)),
                "text": text,
                "metadata": part("/params/message/metadata"),
                "path": request.map(|request| request.path.clone()),
                "authorization": authorization,
                "status": status,
                "recorded": self.recorded_before(index, context, text.as_str()),
                "at_ms": seen.at_ms,
            });
            callbacks.push(Looked { value, trace: vec![index] });
        }
        callbacks
    }

    /// Whether the transcript held the text of a callback before its exchange was over.
    fn recorded_before(&self, index: usize, context: Option<&str>, text: Option<&str>) -> bool {
        let content = self.file_at(&self.of_receiver("transcript"), index).unwrap_or_default();
        let says = Says::new(context.unwrap_or_default());
        content.split(|byte| *byte == b'\n').filter(|line| says.may_be_in(line)).any(|line| {
            let record = serde_json::from_slice::<Value>(line).ok().filter(Value::is_object);
            record.is_some_and(|record| {
                record.get("contextId").and_then(Value::as_str) == context
                    && record.get("text").and_then(Value::as_str) == text
            })
        })
    }

    /// A file as it was last seen before an observation, and which one saw it.
    fn seen_before(&self, path: &str, before: usize) -> Option<(usize, Option<&FileSeen>)> {
        let seen = self.observations.iter().take(before).enumerate().rev();
        seen.filter_map(|(index, seen)| match &seen.what {
            What::Files { changed, .. } => Some((index, changed.get(path)?.as_ref())),
            _ => None,
        })
        .next()
    }

    /// The path in the trace of one of the receiver's files.
    fn of_receiver(&self, what: &str) -> String {
        format!("repo/{}", self.names.executor.file(what).unwrap_or_default())
    }

    fn file_at(&self, path: &str, before: usize) -> Option<&[u8]> {
        let (_, file) = self.seen_before(path, before)?;
        file.map(|file| file.content.0.as_slice())
    }

    /// The records of one of the receiver's files, with contexts by their names in the scenario.
    pub(super) fn records(&self, what: &str, which: &Which) -> Looked {
        self.records_at(&self.of_receiver(what), which)
    }

    fn records_at(&self, path: &str, which: &Which) -> Looked {
        let seen = self.seen_before(path, self.observations.len());
        let content = seen.and_then(|(_, file)| file).map(|file| file.content.0.as_slice());
        let mut records = json_lines(content.unwrap_or_default());
        for record in &mut records {
            if let Some(context) = record.get("contextId").and_then(Value::as_str) {
                let name = self.names.context_name(context);
                record["context"] = Value::String(name);
            }
        }
        records.retain(|record| fits(record, which));
        Looked { value: Value::Array(records), trace: seen.map(|(index, _)| index).into_iter().collect() }
    }

    /// What a check looks at; nothing when it never came about.
    pub(super) fn subject(&self, subject: Subject<'_>) -> Option<Looked> {
        Some(match subject {
            Subject::Result(step) => {
                let (index, value) = self.result(step)?;
                Looked { value: value.clone(), trace: vec![index] }
            }
            Subject::CliTurns(which) => {
                let turns = self.turns_of(which).map(|turn| (turn.index, self.turn_value(turn).clone()));
                list(turns, &Which::default())
            }
            Subject::Refusals(which) => self.refusals(which)?,
            Subject::Overlaps(which) => self.overlaps(which)?,
            Subject::AgentTurns(which) => list(self.asked("agent"), which),
            Subject::ModelCalls => list(self.asked("model"), &Which::default()),
            Subject::Callbacks(which) => {
                let calls = self.callbacks().iter();
                list(calls.map(|call| (call.trace[0], call.value.clone())), which)
            }
            Subject::Deliveries(which) => {
                let delivered = self.observations.iter().enumerate();
                let delivered = delivered.filter_map(|(index, seen)| match &seen.what {
                    What::Delivered { id, context, text, late } => {
                        let context = self.names.context_name(context);
                        Some((index, json!({ "id": id, "context": context, "text": text, "late": late })))
                    }
                    _ => None,
                });
                list(delivered, which)
            }
            Subject::Transcript(which) => self.records("transcript", which),
            Subject::Inbox(which) => self.records("inbox", which),
            Subject::File(path) => self.file_value(path),
            Subject::Conversation(path) => self.records_at(&self.in_trace(path), &Which::default()),
            Subject::Files(path) => self.files_below(path),
            Subject::Host(seen) => self.host(seen),
            Subject::Leftovers => {
                let mut looked = Looked { value: json!([]), trace: Vec::new() };
                let mut all = Vec::new();
                for (index, seen) in self.observations.iter().enumerate() {
                    if let What::Leftovers { processes, .. } = &seen.what {
                        all.extend(processes.iter().cloned());
                        looked.trace.push(index);
                    }
                }
                // Nobody looked: the receiver never came to a moment at which nothing should be left.
                if looked.trace.is_empty() {
                    return None;
                }
                looked.value = json!(all);
                looked
            }
        })
    }

    /// The files that are below a folder at the end, by their paths below it.
    fn files_below(&self, written: &str) -> Looked {
        let folder = format!("{}/", self.in_trace(written).trim_end_matches('/'));
        let mut files: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, seen) in self.observations.iter().enumerate() {
            let What::Files { changed, .. } = &seen.what else { continue };
            for (path, file) in changed {
                let Some(below) = path.strip_prefix(&folder) else { continue };
                if file.is_some() {
                    files.insert(below, index)
                } else {
                    files.remove(below)
                };
            }
        }
        let (names, trace) = files.into_iter().unzip::<_, _, Vec<&str>, Vec<usize>>();
        Looked { value: json!(names), trace }
    }

    /// What the session host of a team did.
    fn host(&self, wanted: &HostSeen) -> Looked {
        let session = wanted.session.as_deref().map(|name| self.names.saved(name).unwrap_or_default());
        let did = self.observations.iter().enumerate().filter_map(|(index, seen)| match &seen.what {
            What::Asked { mind, given, .. } if mind == "session" => {
                let mut value = given.clone();
                value["at_ms"] = json!(seen.at_ms);
                Some((index, value))
            }
            _ => None,
        });
        let is_meant = |value: &Value| {
            wanted.what.as_deref().is_none_or(|what| value["what"] == what)
                && session.as_ref().is_none_or(|session| value["session"] == *session)
        };
        list(did.filter(|(_, value)| is_meant(value)), &Which::default())
    }

    /// What those who answer for Hermes nodes were asked.
    fn asked(&self, wanted: &'static str) -> impl Iterator<Item = (usize, Value)> {
        self.observations.iter().enumerate().filter_map(move |(index, seen)| match &seen.what {
            What::Asked { node, mind, given } if mind == wanted => {
                let mut value = given.clone();
                if let Some(context) = given.get("context").and_then(Value::as_str) {
                    value["context"] = json!(self.names.context_name(context));
                }
                value["node"] = json!(node);
                Some((index, value))
            }
            _ => None,
        })
    }

    /// The starts of the CLI that it refused; nothing when it was never started.
    fn refusals(&self, which: &Which) -> Option<Looked> {
        let sent = self.sent();
        let mut started = false;
        let mut refusals = Vec::new();
        for (index, seen) in self.observations.iter().enumerate() {
            let What::CliEntered { dispatch, invocation } = &seen.what else { continue };
            let of = |sent: &&Sent| Some(&sent.dispatch) == dispatch.as_ref();
            let context = sent.iter().find(of).and_then(|sent| sent.context.as_deref());
            let context = context.map(|context| self.names.context_name(context));
            let mut value = json!({ "dispatch": dispatch, "context": context, "args": invocation.args });
            if !fits(&value, which) {
                continue;
            }
            started = true;
            if let Purpose::Refused(reason) = &invocation.purpose {
                value["reason"] = json!(reason);
                refusals.push((index, value));
            }
        }
        started.then(|| list(refusals.into_iter(), &Which::default()))
    }

    /// How many pairs of turns overlapped; nothing when the CLI was not started twice. A turn that the CLI refused was one, and
    /// is over at once.
    fn overlaps(&self, which: &Which) -> Option<Looked> {
        let turns: Vec<&Turn> = self.turns_of(which).collect();
        let refused = self.refusals(which).map_or(0, |refusals| refusals.trace.len());
        if turns.len() + refused < 2 {
            return None;
        }
        let pairs =
            turns.iter().enumerate().flat_map(|(at, one)| turns[at + 1..].iter().map(move |two| (one, two)));
        let value = json!(pairs.filter(|(one, two)| overlap(one, two)).count());
        Some(Looked { value, trace: turns.iter().map(|turn| turn.index).collect() })
    }

    /// The result of a step, with its place in the trace.
    pub(super) fn result(&self, wanted: &str) -> Option<(usize, &Value)> {
        self.observations.iter().enumerate().find_map(|(index, seen)| match &seen.what {
            What::Result { step, value } if step == wanted => Some((index, value)),
            _ => None,
        })
    }

    /// The path in the trace of a file that a scenario names.
    fn in_trace(&self, written: &str) -> String {
        let written = self.names.resolve(written);
        in_trace(&written)
    }

    fn file_value(&self, written: &str) -> Looked {
        let seen = self.seen_before(&self.in_trace(written), self.observations.len());
        let file = seen.and_then(|(_, file)| file);
        let json = file.and_then(|file| serde_json::from_slice::<Value>(&file.content.0).ok());
        let value = json!({
            "exists": file.is_some(),
            "text": file.map(|file| file.content.text()),
            "json": json,
            "mode": file.map(|file| format!("{:04o}", file.mode)),
        });
        Looked { value, trace: seen.map(|(index, _)| index).into_iter().collect() }
    }
}

/// Those that are meant, as a list.
fn list(values: impl Iterator<Item = (usize, Value)>, which: &Which) -> Looked {
    let (trace, values): (Vec<usize>, Vec<Value>) = values.filter(|(_, value)| fits(value, which)).unzip();
    Looked { value: Value::Array(values), trace }
}

/// Finds the lines of JSON that may hold a text, without reading each as JSON.
struct Says<'a> {
    text: Finder<'a>,
    escape: Finder<'static>,
    /// Whether JSON writes the text as it is, unless it writes letters by their numbers.
    plain: bool,
}

impl<'a> Says<'a> {
    fn new(text: &'a str) -> Self {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        Self { text: Finder::new(text), escape: Finder::new("\\u"), plain }
    }

    fn may_be_in(&self, line: &[u8]) -> bool {
        !self.plain || self.text.find(line).is_some() || self.escape.find(line).is_some()
    }
}

fn text_of(callback: &Value) -> &str {
    callback.pointer("/params/message/parts/0/text").and_then(Value::as_str).unwrap_or_default()
}

fn overlap(one: &Turn, two: &Turn) -> bool {
    let end = |turn: &Turn| turn.ended_ms.unwrap_or(u64::MAX);
    one.started_ms < end(two) && two.started_ms < end(one)
}

fn fits(value: &Value, which: &Which) -> bool {
    let member = |name: &str| value.get(name).and_then(Value::as_str);
    is(member("context"), &which.context) && is(member("dispatch"), &which.dispatch)
}

/// Whether it is what is wanted, if anything is.
fn is(found: Option<&str>, wanted: &Option<String>) -> bool {
    wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
}

/// The lines of a file that are JSON objects.
pub(super) fn json_lines(content: &[u8]) -> Vec<Value> {
    let lines = content.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).filter(Value::is_object).collect()
}

/// Whether bytes are, or can become, what a callback is sent by.
fn begins_as_a_call(bytes: &[u8]) -> bool {
    const METHOD: &[u8] = b"POST ";
    METHOD.iter().zip(bytes).all(|(expected, found)| expected == found)
}
