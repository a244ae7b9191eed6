//! The subjects of checks, made out of a trace. Everything is read from raw bytes and plain JSON.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use gauntlet_simulators::stage::Purpose;
use serde_json::{Value, json};

use super::wire;
use crate::cell::Names;
use crate::scenario::{Subject, Which};
use crate::trace::{Blob, Observation, What};

/// The names of the receiver's files, per executor. Said here once more, and not taken from the protocol crate: an oracle
/// must not share a mistake with what it judges.
pub(super) fn file_name(executor: &str, what: &str) -> String {
    format!("repo/.hermes/a2a-{executor}-{what}.jsonl")
}

/// A trace, ready to be looked at.
pub(super) struct View<'a> {
    pub(super) observations: &'a [Observation],
    pub(super) names: &'a Names,
    pub(super) executor: &'a str,
    pub(super) mode_of: &'a dyn Fn(&str) -> Option<u32>,
    /// Every check and invariant looks at the turns and callbacks; they are read once.
    turns: OnceCell<Vec<Turn>>,
    calls: OnceCell<Vec<Call>>,
    callbacks: OnceCell<Vec<Value>>,
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
    pub(super) value: Value,
}

/// A dispatch as its sender sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) dispatch: String,
    pub(super) context: Option<String>,
    pub(super) acknowledged: bool,
}

/// A callback as it came over the wire.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) index: usize,
    pub(super) at_ms: u64,
    pub(super) id: Value,
    pub(super) context: Option<String>,
    /// Whether the answer says that the reply was taken.
    pub(super) taken: bool,
}

impl<'a> View<'a> {
    pub(super) fn new(
        observations: &'a [Observation],
        names: &'a Names,
        executor: &'a str,
        mode_of: &'a dyn Fn(&str) -> Option<u32>,
    ) -> Self {
        let (turns, calls, callbacks) = Default::default();
        Self { observations, names, executor, mode_of, turns, calls, callbacks }
    }

    pub(super) fn turns(&self) -> &[Turn] {
        self.turns.get_or_init(|| self.read_turns())
    }

    /// The callbacks, as far as invariants look at them.
    pub(super) fn calls(&self) -> &[Call] {
        self.calls.get_or_init(|| self.read_calls())
    }

    /// The callbacks as checks see them.
    fn callbacks(&self) -> &[Value] {
        self.callbacks.get_or_init(|| self.read_callbacks())
    }

    pub(super) fn sent(&self) -> Vec<Sent> {
        self.observations
            .iter()
            .filter_map(|seen| match &seen.what {
                What::Dispatched { dispatch, context, acknowledged } => Some(Sent {
                    dispatch: dispatch.clone(),
                    context: context.clone(),
                    acknowledged: *acknowledged,
                }),
                _ => None,
            })
            .collect()
    }

    fn read_turns(&self) -> Vec<Turn> {
        let contexts: BTreeMap<String, Option<String>> =
            self.sent().into_iter().map(|sent| (sent.dispatch, sent.context)).collect();
        let mut turns = Vec::new();
        for (index, seen) in self.observations.iter().enumerate() {
            let What::CliEntered { dispatch, invocation } = &seen.what else { continue };
            let Purpose::Turn { prompt, session } = &invocation.purpose else { continue };
            let left = self.observations[index..].iter().find_map(|later| match &later.what {
                What::CliLeft { ending } if ending.pid == invocation.pid => Some((later.at_ms, ending)),
                _ => None,
            });
            let context = dispatch.as_ref().and_then(|name| contexts.get(name).cloned().flatten());
            let value = json!({
                "dispatch": dispatch,
                "context": context.as_deref().map(|context| self.names.context_name(context)),
                "args": invocation.args,
                "prompt": prompt,
                "session": session,
                "cwd": invocation.cwd,
                "env": invocation.env,
                "stdin_at_end": invocation.stdin_at_end,
                "started_ms": seen.at_ms,
                "ended_ms": left.map(|(at_ms, _)| at_ms),
                "printed_session": left.and_then(|(_, ending)| ending.session.clone()),
                "thread_lines": left.map(|(_, ending)| thread_ids(&ending.stdout)),
                "messages": left.map(|(_, ending)| messages(&ending.stdout)),
                "stdout": left.map(|(_, ending)| ending.stdout.clone()),
                "code": left.map(|(_, ending)| ending.code),
            });
            turns.push(Turn {
                index,
                dispatch: dispatch.clone(),
                context,
                session: session.clone(),
                started_ms: seen.at_ms,
                ended_ms: left.map(|(at_ms, _)| at_ms),
                value,
            });
        }
        turns
    }

    fn read_calls(&self) -> Vec<Call> {
        let calls = self.observations.iter().enumerate().filter_map(|(index, seen)| match &seen.what {
            What::Callback { sent, answered } => Some((index, seen.at_ms, sent, answered)),
            _ => None,
        });
        calls
            .map(|(index, at_ms, sent, answered)| {
                let body = wire::request(&sent.0).and_then(|request| request.body).unwrap_or_default();
                let answer = wire::answers(&answered.0).into_iter().next();
                let refused = answer
                    .as_ref()
                    .and_then(|answer| answer.body.as_ref())
                    .and_then(|body| body.get("error"))
                    .is_some();
                let accepted = answer.is_some_and(|answer| (200..300).contains(&answer.status));
                Call {
                    index,
                    at_ms,
                    id: body.pointer("/id").cloned().unwrap_or_default(),
                    context: body
                        .pointer("/params/message/contextId")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                    taken: accepted && !refused,
                }
            })
            .collect()
    }

    fn read_callbacks(&self) -> Vec<Value> {
        let mut values = Vec::new();
        for (index, seen) in self.observations.iter().enumerate() {
            let What::Callback { sent, answered } = &seen.what else { continue };
            let request = wire::request(&sent.0);
            let status = wire::answers(&answered.0).first().map(|answer| answer.status);
            let body = request.as_ref().and_then(|request| request.body.clone()).unwrap_or_default();
            let part = |pointer: &str| body.pointer(pointer).cloned().unwrap_or_default();
            let context = body.pointer("/params/message/contextId").and_then(Value::as_str);
            let text = part("/params/message/parts/0/text");
            let headers = request.as_ref().map(|request| request.headers.as_slice()).unwrap_or_default();
            let authorization = match headers.iter().find(|(name, _)| name == "authorization") {
                None => "none",
                Some((_, shown)) if *shown == format!("Bearer {}", self.names.hermes_token) => "right",
                Some(_) => "wrong",
            };
            values.push(json!({
                "id": part("/id"),
                "jsonrpc": part("/jsonrpc"),
                "method": part("/method"),
                "role": part("/params/message/role"),
                "context": context.map(|context| self.names.context_name(context)),
                "text": text,
                "path": request.as_ref().map(|request| request.path.clone()),
                "authorization": authorization,
                "status": status,
                "recorded": self.recorded_before(index, context, text.as_str()),
                "at_ms": seen.at_ms,
            }));
        }
        values
    }

    /// Whether the transcript held the text of a callback before its exchange was over.
    fn recorded_before(&self, index: usize, context: Option<&str>, text: Option<&str>) -> bool {
        let content = self.file_at(&file_name(self.executor, "transcript"), index).unwrap_or_default();
        json_lines(&content).iter().any(|record| {
            record.get("contextId").and_then(Value::as_str) == context
                && record.get("text").and_then(Value::as_str) == text
        })
    }

    /// The content of a file as it was last seen before an observation.
    pub(super) fn file_at(&self, path: &str, before: usize) -> Option<Vec<u8>> {
        let mut content = None;
        for seen in self.observations.iter().take(before) {
            if let What::Files { changed, .. } = &seen.what
                && let Some(change) = changed.get(path)
            {
                content = change.as_ref().map(|blob| blob.0.clone());
            }
        }
        content
    }

    pub(super) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.file_at(path, self.observations.len())
    }

    /// The records of one of the receiver's files, with contexts by their names in the scenario.
    pub(super) fn records(&self, what: &str, which: &Which) -> Vec<Value> {
        let content = self.file(&file_name(self.executor, what)).unwrap_or_default();
        let mut records = json_lines(&content);
        for record in &mut records {
            if let Some(context) = record.get("contextId").and_then(Value::as_str) {
                let name = self.names.context_name(context);
                record["context"] = Value::String(name);
            }
        }
        records.retain(|record| fits(record, which));
        records
    }

    /// What a check looks at; nothing when it never came about.
    pub(super) fn subject(&self, subject: Subject<'_>) -> Option<Value> {
        let chosen = |values: Vec<Value>, which: &Which| -> Value {
            values.into_iter().filter(|value| fits(value, which)).collect()
        };
        Some(match subject {
            Subject::Result(step) => self.result(step)?.1.clone(),
            Subject::CliTurns(which) => {
                chosen(self.turns().iter().map(|turn| turn.value.clone()).collect(), which)
            }
            Subject::Overlaps(which) => {
                let turns: Vec<&Turn> = self.turns().iter().filter(|turn| fits(&turn.value, which)).collect();
                let pairs = turns
                    .iter()
                    .enumerate()
                    .flat_map(|(at, one)| turns[at + 1..].iter().map(move |two| (one, two)));
                json!(pairs.filter(|(one, two)| overlap(one, two)).count())
            }
            Subject::Callbacks(which) => chosen(self.callbacks().to_vec(), which),
            Subject::Deliveries(which) => {
                let delivered = self.observations.iter().filter_map(|seen| match &seen.what {
                    What::Delivered { id, context, text } => {
                        Some(json!({ "id": id, "context": self.names.context_name(context), "text": text }))
                    }
                    _ => None,
                });
                chosen(delivered.collect(), which)
            }
            Subject::Transcript(which) => Value::Array(self.records("transcript", which)),
            Subject::Inbox(which) => Value::Array(self.records("inbox", which)),
            Subject::File(path) => self.file_value(path),
            Subject::Leftovers => {
                let left = self.observations.iter().filter_map(|seen| match &seen.what {
                    What::Leftovers { processes, .. } => Some(processes.clone()),
                    _ => None,
                });
                json!(left.flatten().collect::<Vec<_>>())
            }
        })
    }

    /// The result of a step, with its place in the trace.
    pub(super) fn result(&self, wanted: &str) -> Option<(usize, &Value)> {
        self.observations.iter().enumerate().find_map(|(index, seen)| match &seen.what {
            What::Result { step, value } if step == wanted => Some((index, value)),
            _ => None,
        })
    }

    fn file_value(&self, written: &str) -> Value {
        let content = self.file(&format!("repo/{written}"));
        let text = content.as_deref().map(|content| Blob(content.to_vec()).text());
        let json = content.as_deref().and_then(|content| serde_json::from_slice::<Value>(content).ok());
        let mode =
            content.is_some().then(|| (self.mode_of)(written)).flatten().map(|mode| format!("{mode:04o}"));
        json!({ "exists": content.is_some(), "text": text, "json": json, "mode": mode })
    }
}

fn overlap(one: &Turn, two: &Turn) -> bool {
    let end = |turn: &Turn| turn.ended_ms.unwrap_or(u64::MAX);
    one.started_ms < end(two) && two.started_ms < end(one)
}

fn fits(value: &Value, which: &Which) -> bool {
    let is = |name: &str, wanted: &Option<String>| {
        wanted.as_deref().is_none_or(|wanted| value.get(name).and_then(Value::as_str) == Some(wanted))
    };
    is("context", &which.context) && is("dispatch", &which.dispatch)
}

/// The lines of a file that are JSON objects.
pub(super) fn json_lines(content: &[u8]) -> Vec<Value> {
    let lines = content.split(|byte| *byte == b'\n');
    lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).filter(Value::is_object).collect()
}

/// The thread ids that a CLI printed, in order.
fn thread_ids(stdout: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter();
    lines
        .filter(|line| line["type"] == "thread.started")
        .filter_map(|line| line["thread_id"].as_str().map(str::to_owned))
        .collect()
}

/// The answers that a CLI printed, in order, in whichever dialect.
fn messages(stdout: &str) -> Vec<String> {
    let lines = json_lines(stdout.as_bytes()).into_iter();
    lines
        .filter_map(|line| {
            let item = &line["item"];
            if line["type"] == "item.completed" && item["type"] == "agent_message" {
                return item["text"].as_str().map(str::to_owned);
            }
            let message = &line["msg"];
            (message["type"] == "agent_message")
                .then(|| message["message"].as_str().map(str::to_owned))
                .flatten()
        })
        .collect()
}
