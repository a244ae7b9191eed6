//! What holds in every cell, whatever its scenario, quirk or fault. Each is a requirement of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::judge::Finding;
use super::view::{Sent, View};
use crate::cell::{Names, Plan};
use crate::scenario::Limits;
use crate::trace::{Observation, What};

/// How an invariant fared.
pub(super) enum Held {
    /// There was nothing to judge.
    NotExercised,
    /// It held.
    Yes,
    /// It did not hold.
    No(Vec<Finding>),
    /// It could not be judged: the reason.
    Unclear(String),
}

/// Beyond the cap of a turn, so long may pass until its outcome is sent: draining of pipes, and the attempts to call back.
const AFTER_CAP_MS: u64 = 10_000;

/// Every invariant with its requirement.
pub(super) fn all(plan: &Plan, view: &View<'_>) -> Vec<(&'static str, Held)> {
    vec![
        ("FLEET-INV-01", at_most_one_start(view)),
        ("FLEET-INV-02", exactly_one_outcome(view)),
        ("FLEET-INV-03", callbacks_name_who_asked(view)),
        ("FLEET-INV-04", delivered_once(plan, view)),
        ("FLEET-INV-05", deadline(plan, view)),
        ("FLEET-INV-06", no_secret(view)),
        ("FLEET-INV-07", no_leftover(view)),
    ]
}

fn verdict(exercised: bool, findings: Vec<Finding>) -> Held {
    match (exercised, findings.is_empty()) {
        (_, false) => Held::No(findings),
        (false, true) => Held::NotExercised,
        (true, true) => Held::Yes,
    }
}

/// An accepted dispatch starts its CLI at most once, except that a dead session may be replaced by a new one.
fn at_most_one_start(view: &View<'_>) -> Held {
    let mut starts: BTreeMap<String, Vec<(usize, Option<String>)>> = BTreeMap::new();
    for turn in view.turns() {
        if let Some(dispatch) = &turn.dispatch {
            starts.entry(dispatch.clone()).or_default().push((turn.index, turn.session.clone()));
        }
    }
    let exercised = !starts.is_empty();
    let findings = starts
        .iter()
        .filter(|(_, starts)| !matches!(starts.as_slice(), [] | [_] | [(_, Some(_)), (_, None)]))
        .map(|(dispatch, starts)| Finding {
            expected: format!("the CLI is started once for dispatch {dispatch}"),
            observed: format!("{} starts", starts.len()),
            trace: starts.iter().map(|(index, _)| *index).collect(),
        })
        .collect();
    verdict(exercised, findings)
}

/// What senders asked for on a context, and what they can see of it.
struct Balance {
    context: String,
    acknowledged: usize,
    unclear: usize,
    callbacks: usize,
    records: usize,
}

fn balances(view: &View<'_>) -> Vec<Balance> {
    let mut asked: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for Sent { context, acknowledged, .. } in view.sent() {
        let Some(context) = context else { continue };
        let (sure, unclear) = asked.entry(context).or_default();
        *(if acknowledged { sure } else { unclear }) += 1;
    }
    let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for call in view.calls() {
        if let Some(context) = &call.context {
            ids.entry(context.clone()).or_default().insert(call.id.to_string());
        }
    }
    let mut records: BTreeMap<String, usize> = BTreeMap::new();
    for record in view.records("transcript", &Default::default()) {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("to") == "hermes" && !text("dir").ends_with("(ack)") {
            *records.entry(text("contextId")).or_default() += 1;
        }
    }
    asked
        .into_iter()
        .map(|(context, (acknowledged, unclear))| Balance {
            callbacks: ids.get(&context).map_or(0, BTreeSet::len),
            records: records.get(&context).copied().unwrap_or_default(),
            context,
            acknowledged,
            unclear,
        })
        .collect()
}

/// An accepted dispatch comes to exactly one outcome that its sender can see: by a callback, or, when Hermes takes none, in
/// the transcript.
fn exactly_one_outcome(view: &View<'_>) -> Held {
    let balances = balances(view);
    let exercised = balances.iter().any(|balance| balance.acknowledged + balance.unclear > 0);
    let gone = !receiver_was_there_at_the_end(view.observations);
    let findings: Vec<Finding> = balances
        .iter()
        .filter_map(|balance| {
            let seen = balance.callbacks.max(balance.records);
            let most = balance.acknowledged + balance.unclear;
            let missing = seen < balance.acknowledged && !gone;
            (missing || seen > most).then(|| Finding {
                expected: format!(
                    "{} outcomes on context {}",
                    balance.acknowledged,
                    view.names.context_name(&balance.context)
                ),
                observed: format!(
                    "{} different callbacks, {} records in the transcript",
                    balance.callbacks, balance.records
                ),
                trace: of_context(view, &balance.context),
            })
        })
        .collect();
    let open = balances.iter().any(|balance| balance.callbacks.max(balance.records) < balance.acknowledged);
    if findings.is_empty() && gone && open {
        return Held::Unclear(
            "the receiver was not running at the end, so an outcome may still be to come".to_owned(),
        );
    }
    verdict(exercised, findings)
}

fn of_context(view: &View<'_>, context: &str) -> Vec<usize> {
    let about = |what: &What| match what {
        What::Dispatched { context: Some(of), .. } => of == context,
        What::Callback { sent, .. } => sent.text().contains(context),
        _ => false,
    };
    view.observations
        .iter()
        .enumerate()
        .filter(|(_, seen)| about(&seen.what))
        .map(|(index, _)| index)
        .collect()
}

/// Whether an accepted dispatch still lacks an outcome.
pub(crate) fn open_dispatches(observations: &[Observation], names: &Names, executor: &str) -> bool {
    let view = View::new(observations, names, executor, &|_| None);
    balances(&view).iter().any(|balance| balance.callbacks.max(balance.records) < balance.acknowledged)
}

/// Whether the receiver was running when the harness began to end the cell.
fn receiver_was_there_at_the_end(observations: &[Observation]) -> bool {
    let mut running = false;
    let mut stopped_last = false;
    for seen in observations {
        match &seen.what {
            What::Ready { host } if host == "receiver" => (running, stopped_last) = (true, false),
            What::Stopped { host } if host == "receiver" => stopped_last = running,
            What::Ended { host, .. } | What::Killed { host } if host == "receiver" => running = false,
            What::PowerCut => running = false,
            // Something after the stop: it was a step of the scenario and not the end of the cell.
            What::Result { .. } => stopped_last = false,
            _ => {}
        }
    }
    running || stopped_last
}

/// A callback names a context that asked.
fn callbacks_name_who_asked(view: &View<'_>) -> Held {
    let sent = view.sent();
    let asked: BTreeSet<&str> = sent.iter().filter_map(|sent| sent.context.as_deref()).collect();
    // Somebody who got no acknowledgement does not know the context that the receiver may have made up.
    let unnamed = sent.iter().any(|sent| sent.context.is_none() && !sent.acknowledged);
    let calls = view.calls();
    let findings = calls
        .iter()
        .filter(|call| {
            !call
                .context
                .as_deref()
                .is_some_and(|context| asked.contains(context) || (unnamed && context.starts_with("anon-")))
        })
        .map(|call| Finding {
            expected: "a context that something was dispatched on".to_owned(),
            observed: format!("a callback on {:?}", call.context),
            trace: vec![call.index],
        })
        .collect();
    verdict(!calls.is_empty(), findings)
}

/// What Hermes said it took is delivered exactly once, to the context that the callback names; and nothing else is.
fn delivered_once(plan: &Plan, view: &View<'_>) -> Held {
    // What the gate answers, the node never saw.
    let gated = !plan.scenario.given.hermes.answers.is_empty();
    let mut deliveries: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (index, seen) in view.observations.iter().enumerate() {
        if let What::Delivered { id, context, .. } = &seen.what {
            deliveries.entry((context.clone(), id.clone())).or_default().push(index);
        }
    }
    let mut came: BTreeMap<(String, String), (bool, Vec<usize>)> = BTreeMap::new();
    for call in view.calls() {
        let (Some(context), false) = (call.context.clone(), call.id.is_null()) else { continue };
        let entry = came.entry((context, call.id.to_string())).or_default();
        entry.0 |= call.taken;
        entry.1.push(call.index);
    }
    let mut findings = Vec::new();
    for ((context, id), (taken, trace)) in &came {
        let times = deliveries.get(&(context.clone(), id.clone())).map_or(0, Vec::len);
        if times > 1 || (times == 0 && *taken && !gated) {
            findings.push(Finding {
                expected: format!("callback {id} is delivered once"),
                observed: format!("{times} deliveries"),
                trace: trace.clone(),
            });
        }
    }
    for ((context, id), trace) in &deliveries {
        if !came.contains_key(&(context.clone(), id.clone())) && !id.starts_with("unnamed-") {
            findings.push(Finding {
                expected: "every delivery goes to the context that its callback names".to_owned(),
                observed: format!("{id} was delivered to {context}"),
                trace: trace.clone(),
            });
        }
    }
    verdict(!came.is_empty(), findings)
}

/// No turn outlasts its cap: its outcome is on its way soon after.
fn deadline(plan: &Plan, view: &View<'_>) -> Held {
    let cap = u64::try_from(Limits::of(plan.lane).turn_cap.as_millis()).unwrap_or(u64::MAX);
    let calls = view.calls();
    let crashed =
        view.observations.iter().any(|seen| matches!(seen.what, What::Killed { .. } | What::PowerCut));
    let mut exercised = false;
    let mut findings = Vec::new();
    for turn in view.turns() {
        let first_call =
            calls.iter().filter(|call| call.context == turn.context && call.at_ms >= turn.started_ms);
        let first_call = first_call.map(|call| call.at_ms).min();
        let Some(over) = turn.ended_ms.into_iter().chain(first_call).min() else { continue };
        exercised = true;
        if over > turn.started_ms + cap + AFTER_CAP_MS && !crashed {
            findings.push(Finding {
                expected: format!("an outcome within {cap} ms of the start of the turn"),
                observed: format!("after {} ms", over - turn.started_ms),
                trace: vec![turn.index],
            });
        }
    }
    verdict(exercised, findings)
}

/// No secret is where it does not belong: scanned in raw bytes.
fn no_secret(view: &View<'_>) -> Held {
    let secrets = view.names.secrets();
    let mut findings = Vec::new();
    let mut exercised = false;
    for (index, seen) in view.observations.iter().enumerate() {
        let mut scan = |place: &str, bytes: &[u8]| {
            exercised = true;
            let leaks = secrets
                .iter()
                .any(|secret| bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
            if leaks {
                findings.push(Finding {
                    expected: "no bearer outside of an Authorization header".to_owned(),
                    observed: format!("a bearer in {place}"),
                    trace: vec![index],
                });
            }
        };
        match &seen.what {
            What::Files { changed, .. } => {
                for (path, content) in changed.iter().filter_map(|(path, blob)| Some((path, blob.as_ref()?)))
                {
                    scan(path, &content.0);
                }
            }
            What::CliEntered { invocation, .. } => {
                scan("the CLI's arguments", invocation.args.join("\n").as_bytes());
                let env: Vec<&str> = invocation.env.values().map(String::as_str).collect();
                scan("the CLI's environment", env.join("\n").as_bytes());
            }
            What::Callback { sent, .. } => {
                scan("a callback", &without_authorization(&sent.0));
            }
            What::Exchange { received, .. } => scan("an answer", &received.0),
            _ => {}
        }
    }
    verdict(exercised, findings)
}

/// A request, however much of it came, without the header field in which a bearer belongs.
fn without_authorization(request: &[u8]) -> Vec<u8> {
    let end = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap_or(request.len());
    let (head, body) = request.split_at(end);
    let belongs = |line: &&[u8]| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"authorization")
    };
    let mut rest =
        head.split(|byte| *byte == b'\n').filter(|line| !belongs(line)).collect::<Vec<_>>().join(&b'\n');
    rest.extend_from_slice(body);
    rest
}

/// After a stop no child lives on, and after a kill none does once the next start is ready.
fn no_leftover(view: &View<'_>) -> Held {
    let mut exercised = false;
    let mut findings = Vec::new();
    for (index, seen) in view.observations.iter().enumerate() {
        let What::Leftovers { moment, processes } = &seen.what else { continue };
        exercised = true;
        if !processes.is_empty() {
            findings.push(Finding {
                expected: format!("no process of an earlier turn when the receiver is {moment}"),
                observed: format!("still running: {}", processes.join(", ")),
                trace: vec![index],
            });
        }
    }
    verdict(exercised, findings)
}
