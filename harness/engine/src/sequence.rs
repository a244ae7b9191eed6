//! A trace as a sequence diagram, and as a transcript.

use std::collections::BTreeMap;

use gauntlet_reports::Secrets;
use gauntlet_reports::sequence::{Entry, Place, Row, Sequence};
use serde_json::Value;

use crate::cell::{Outcome, Plan};
use crate::oracle::{Judgement, wire};
use crate::scenario::SubjectKind;
use crate::trace::{Observation, What};

/// The lanes of a diagram, from left to right.
const SENDER: usize = 0;
const SUBJECT: usize = 1;
const BEHIND: usize = 2;

/// The diagram of a cell, with what its failures point at.
pub fn sequence(
    plan: &Plan,
    observations: &[Observation],
    judgements: &BTreeMap<String, Judgement>,
    secrets: &Secrets,
) -> Sequence {
    let lanes = match plan.scenario.subject {
        SubjectKind::Hermes => ["client", "node", "mind"],
        SubjectKind::Team => ["caller", "team mode", "session host"],
        _ => ["runtime", "receiver", "CLI"],
    };
    let mut rows = Vec::new();
    for (index, seen) in observations.iter().enumerate() {
        let first = rows.len();
        for (place, text) in told(&seen.what) {
            rows.push(Row { at_ms: seen.at_ms, place, text: secrets.redact(&text), marks: Vec::new() });
        }
        let marks = judgements.iter().flat_map(|(id, judgement)| {
            let here = judgement.findings.iter().filter(|finding| finding.trace.contains(&index));
            here.map(move |finding| {
                format!("{id}: expected {}; observed {}", finding.expected, finding.observed)
            })
        });
        let marks: Vec<String> = marks.map(|mark| secrets.redact(&mark)).collect();
        if marks.is_empty() {
            continue;
        }
        if rows.len() == first {
            let text = named(seen).to_owned();
            rows.push(Row { at_ms: seen.at_ms, place: Place::In(SUBJECT), text, marks: Vec::new() });
        }
        if let Some(last) = rows.last_mut() {
            last.marks = marks;
        }
    }
    Sequence { lanes: lanes.map(str::to_owned).to_vec(), rows }
}

/// What the diagram tells of an observation. What only says again what others show is left to the transcript.
fn told(what: &What) -> Vec<(Place, String)> {
    let one = |place, text: String| vec![(place, text)];
    match what {
        What::Started { host } => one(Place::In(lane(host)), format!("{host} started")),
        What::Ready { host } => one(Place::In(lane(host)), format!("{host} ready")),
        What::Ended { host, code } => one(Place::In(lane(host)), format!("{host} ended with {code}")),
        What::Killed { host } => one(Place::In(lane(host)), format!("{host} killed")),
        What::Stopped { host } => one(Place::In(lane(host)), format!("{host} told to end")),
        What::PowerCut => one(Place::All, "power cut".to_owned()),
        What::Exchange { sent, received, .. } => {
            let mut rows = one(Place::Between(SENDER, SUBJECT), request(&sent.0));
            rows.extend(answers(&received.0).into_iter().map(|text| (Place::Between(SUBJECT, SENDER), text)));
            rows
        }
        What::Callback { sent, answered } => {
            let mut rows = one(Place::Between(SUBJECT, SENDER), format!("callback: {}", request(&sent.0)));
            rows.extend(answers(&answered.0).into_iter().map(|text| (Place::Between(SENDER, SUBJECT), text)));
            rows
        }
        What::Dispatched { dispatch, acknowledged, .. } => {
            let text = if *acknowledged { "acknowledged" } else { "not acknowledged" };
            one(Place::In(SENDER), format!("dispatch {dispatch} {text}"))
        }
        What::Redirected { dispatch, .. } => {
            one(Place::In(SENDER), format!("dispatch {dispatch} wants its outcome on another context"))
        }
        What::CliEntered { invocation, .. } => {
            one(Place::Between(SUBJECT, BEHIND), format!("{} {}", invocation.cli, invocation.args.join(" ")))
        }
        What::CliLeft { ending } => {
            let said = if ending.stdout.is_empty() { &ending.stderr } else { &ending.stdout };
            one(Place::Between(BEHIND, SUBJECT), format!("exit {}: {said}", ending.code))
        }
        What::Asked { mind, given, .. } => {
            one(Place::Between(SUBJECT, BEHIND), format!("{mind} asked: {given}"))
        }
        What::Delivered { text, late, .. } => {
            let late = if *late { " too late" } else { "" };
            one(Place::In(SENDER), format!("delivered{late}: {text}"))
        }
        What::Deployed { args, .. } => one(Place::In(SENDER), format!("deployed: {}", args.join(" "))),
        What::Leftovers { moment, processes } if !processes.is_empty() => {
            one(Place::In(SUBJECT), format!("{moment}, still there: {}", processes.join(", ")))
        }
        What::Leftovers { .. } | What::Files { .. } | What::Result { .. } => Vec::new(),
    }
}

fn lane(host: &str) -> usize {
    usize::from(host != "runtime")
}

fn request(bytes: &[u8]) -> String {
    let Some(request) = wire::request(bytes) else {
        return format!("{} bytes that are no request", bytes.len());
    };
    let said = request.body.as_ref().map(message).unwrap_or_default();
    format!("{} {} {said}", request.method, request.path)
}

fn answers(bytes: &[u8]) -> Vec<String> {
    let answers = wire::answers(bytes);
    if answers.is_empty() {
        return vec![if bytes.is_empty() {
            "no answer".to_owned()
        } else {
            format!("{} bytes that are no answer", bytes.len())
        }];
    }
    let told = |answer: wire::HttpAnswer| {
        let said = answer.body.as_ref().map_or(answer.text.clone(), message);
        format!("{} {said}", answer.status)
    };
    answers.into_iter().map(told).collect()
}

/// The gist of a message of JSON-RPC: its method or error, and its text.
fn message(body: &Value) -> String {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let said = text("/params/message/parts/0/text").or_else(|| text("/result/message/parts/0/text"));
    if let Some(error) = body.pointer("/error/code") {
        return format!("error {error}: {}", text("/error/message").unwrap_or_default());
    }
    match (text("/method"), said) {
        (Some(method), Some(said)) => format!("{method}: {said}"),
        (None, Some(said)) => said.to_owned(),
        (Some(method), None) => method.to_owned(),
        (None, None) => body.to_string(),
    }
}

/// The transcript of a cell: everything that was observed.
pub fn transcript(outcome: &Outcome, secrets: &Secrets) -> Vec<Entry> {
    let entry = |seen: &Observation| {
        let parts = parts(&seen.what);
        let redacted = parts.into_iter().map(|(sign, text)| (secrets.redact(&sign), secrets.redact(&text)));
        Entry { at_ms: seen.at_ms, what: named(seen), parts: redacted.collect() }
    };
    outcome.observations.iter().map(entry).collect()
}

fn parts(what: &What) -> Vec<(String, String)> {
    let part = |sign: &str, text: String| (sign.to_owned(), text);
    match what {
        What::Exchange { step, sent, received } => {
            vec![part("", step.clone()), part("> ", sent.text()), part("< ", received.text())]
        }
        What::Callback { sent, answered } => vec![part("> ", sent.text()), part("< ", answered.text())],
        What::Files { moment, changed } => {
            let file = |(path, seen): (&String, &Option<crate::trace::FileSeen>)| match seen {
                None => vec![part("", format!("{path} is gone"))],
                Some(seen) => {
                    vec![part("", format!("{path} {:04o}", seen.mode)), part("| ", seen.content.text())]
                }
            };
            std::iter::once(part("", moment.clone())).chain(changed.iter().flat_map(file)).collect()
        }
        other => {
            let value = serde_json::to_value(other).unwrap_or_default();
            let members = value.as_object().into_iter().flatten().filter(|(name, _)| *name != "what");
            members.map(|(name, value)| part("", format!("{name}: {}", shown(value)))).collect()
        }
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What an observation is called.
fn named(seen: &Observation) -> String {
    let value = serde_json::to_value(&seen.what).unwrap_or_default();
    value.get("what").and_then(Value::as_str).unwrap_or_default().to_owned()
}
