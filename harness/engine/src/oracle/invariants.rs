//! What holds in every cell, whatever its scenario, quirk or fault. Each is a requirement of the catalogue.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_simulators::stage::Purpose;
use memchr::memmem::Finder;
use serde_json::Value;

use super::bearers;
use super::judge::Finding;
use super::memory::{Memory, Open};
use super::team;
use super::view::{Call, Sent, Turn, View};
use super::wire;
use crate::cell::{Names, Plan, turn_cap};
use crate::scenario::{Lane, SubjectKind};
use crate::trace::{OF_NODE, Observation, What};

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
/// The same by the wall clock, where limits are short.
const AFTER_CAP_REAL_MS: u64 = 5_000;
/// So often what belongs to a callback goes over the network until the call is over, at which it is seen: there, to whoever stands in
/// front of Hermes, on to Hermes, and back. A slow network is not the receiver's fault.
const WAYS_OF_A_CALL: u64 = 6;

/// The invariants that no secret is where it does not belong, of receivers and of the runtime: they rest on nothing that a peer does.
pub(crate) const NO_SECRET: [&str; 2] = ["FLEET-INV-06", "FLEET-AUTH-09"];

/// Every invariant with its requirement.
pub(super) fn all(plan: &Plan, view: &View<'_>) -> Vec<(&'static str, Held)> {
    // In such a cell there is nothing of a receiver.
    if plan.scenario.subject == SubjectKind::Hermes {
        return vec![("FLEET-HUB-41", no_secret(view, None))];
    }
    if plan.scenario.subject == SubjectKind::Team {
        return team::all(view);
    }
    // Of one that runs already nothing is seen but its answers: its callbacks go to its own Hermes.
    if plan.foreign().is_some_and(|foreign| foreign.runs_already()) {
        return vec![(NO_SECRET[0], no_secret(view, Some(Keeper::Receiver)))];
    }
    vec![
        ("FLEET-INV-01", at_most_one_start(view)),
        ("FLEET-INV-02", exactly_one_outcome(plan, view)),
        ("FLEET-INV-03", callbacks_name_who_asked(plan, view)),
        ("FLEET-INV-04", delivered_once(plan, view)),
        ("FLEET-INV-05", deadline(plan, view)),
        (NO_SECRET[0], no_secret(view, Some(Keeper::Receiver))),
        (NO_SECRET[1], no_secret(view, Some(Keeper::Runtime))),
        ("FLEET-INV-07", no_leftover(view)),
        ("FLEET-INV-08", cli_takes_its_arguments(view)),
    ]
}

pub(super) fn verdict(exercised: bool, findings: Vec<Finding>) -> Held {
    match (exercised, findings.is_empty()) {
        (_, false) => Held::No(findings),
        (false, true) => Held::NotExercised,
        (true, true) => Held::Yes,
    }
}

/// An accepted dispatch starts its CLI at most once, except that a dead session may be replaced by a new one, and one that exists
/// already gone on with.
fn at_most_one_start(view: &View<'_>) -> Held {
    // A start that the CLI refused is one, too.
    let mut starts: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, seen) in view.observations.iter().enumerate() {
        let What::CliEntered { dispatch: Some(dispatch), invocation } = &seen.what else { continue };
        if matches!(invocation.purpose, Purpose::Turn { .. } | Purpose::Refused(_)) {
            starts.entry(dispatch).or_default().push(index);
        }
    }
    let turn_at = |index: usize| view.turns().iter().find(|turn| turn.index == index);
    let is_replacement = |first: usize, second: usize| {
        let (Some(first), Some(second)) = (turn_at(first), turn_at(second)) else { return false };
        met_no_session(first) && first.session.is_some() != second.session.is_some()
    };
    let exercised = !starts.is_empty();
    let findings = starts
        .into_iter()
        .filter(|(_, starts)| match starts.as_slice() {
            [] | [_] => false,
            [first, second] => !is_replacement(*first, *second),
            _ => true,
        })
        .map(|(dispatch, starts)| Finding {
            expected: format!("the CLI is started once for dispatch {dispatch}"),
            observed: format!("{} starts", starts.len()),
            trace: starts,
        })
        .collect();
    verdict(exercised, findings)
}

/// Whether a turn found no session to run on, be it that the one to resume does not exist or that the one to begin does, and
/// answered nothing: it did no work.
fn met_no_session(turn: &Turn) -> bool {
    turn.messages.is_empty() && turn.ran_on_none
}

/// Stands for the contexts that receivers made up and nobody was told of.
const UNTOLD: &str = "";

/// What senders asked for on a context, and what they can see of it.
struct Balance {
    context: String,
    acknowledged: usize,
    callbacks: usize,
    records: usize,
    /// Dispatches that were acknowledged and have no outcome.
    open: Vec<String>,
    /// Outcomes that belong to no dispatch.
    surplus: usize,
}

/// A dispatch, with the answers that its turns gave.
struct Asked {
    dispatch: String,
    acknowledged: bool,
    answers: BTreeSet<String>,
}

/// Which records of the transcript are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Records {
    /// All of them.
    All,
    /// Those that could stand for an outcome.
    ThatCount,
}

fn balances(view: &View<'_>, records: Records) -> Vec<Balance> {
    let mut answers: BTreeMap<Option<&str>, BTreeSet<String>> = BTreeMap::new();
    for turn in view.turns() {
        let said = turn.messages.iter().map(|message| message.trim().to_owned());
        answers.entry(turn.dispatch.as_deref()).or_default().extend(said);
    }
    let mut asked: BTreeMap<String, Vec<Asked>> = BTreeMap::new();
    let sent = view.sent();
    let known: BTreeSet<String> = sent.iter().filter_map(|sent| sent.answers_on.clone()).collect();
    // What is said on contexts that nobody but the receiver knows belongs to those dispatches whose context nobody else knows.
    let place = |context: &str| match context {
        made_up if made_up.starts_with("anon-") && !known.contains(made_up) => UNTOLD.to_owned(),
        context => context.to_owned(),
    };
    for Sent { dispatch, answers_on, acknowledged, .. } in sent {
        let context = answers_on.unwrap_or_else(|| UNTOLD.to_owned());
        let answers = answers.get(&Some(dispatch.as_str())).cloned().unwrap_or_default();
        asked.entry(context).or_default().push(Asked { dispatch, acknowledged, answers });
    }
    let mut callbacks: BTreeMap<String, BTreeMap<(&str, String), &str>> = BTreeMap::new();
    for call in view.calls() {
        if let Some(context) = &call.context {
            let calls = callbacks.entry(place(context)).or_default();
            calls.entry((context, call.id.to_string())).or_insert(&call.text);
        }
    }
    let unheard = unheard(view);
    let untaken: BTreeSet<String> = unheard.contexts.iter().map(|context| place(context)).collect();
    let transcript = match records {
        Records::ThatCount if unheard.is_nowhere() => Value::Null,
        _ => view.records("transcript", &Default::default()).value,
    };
    let mut records: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for record in transcript.as_array().into_iter().flatten() {
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default();
        if text("to") == "hermes" && !text("dir").ends_with("(ack)") {
            records.entry(place(text("contextId"))).or_default().push(text("text"));
        }
    }
    // What was said in turns of which it is not known whose they are says nothing of whose an outcome is.
    let nobodys = answers.remove(&None).unwrap_or_default();
    let said_elsewhere = |context: &str, text: &str| {
        let mut others = asked.iter().filter(|(other, _)| *other != context).flat_map(|(_, asked)| asked);
        others.any(|other| other.answers.contains(text))
    };
    asked
        .iter()
        .map(|(context, asked)| {
            let callbacks: Vec<&str> = callbacks
                .get(context.as_str())
                .into_iter()
                .flat_map(|calls| calls.values().copied())
                .collect();
            let records = records.get(context.as_str()).cloned().unwrap_or_default();
            // A record stands for an outcome only where Hermes may have failed to take one.
            let recorded = unheard.everywhere || untaken.contains(context);
            let of = |outcomes: &[&str]| {
                matched(asked, outcomes, &nobodys, &|text: &str| said_elsewhere(context, text))
            };
            let (by_callbacks, by_records) = (of(&callbacks), of(&records));
            let count = |matched: &[bool]| matched.iter().filter(|matched| **matched).count();
            let stands = recorded && callbacks.len() < records.len();
            let matched = if stands { &by_records } else { &by_callbacks };
            let open = asked.iter().zip(matched).filter(|(asked, matched)| asked.acknowledged && !**matched);
            Balance {
                acknowledged: asked.iter().filter(|asked| asked.acknowledged).count(),
                callbacks: callbacks.len(),
                records: records.len(),
                open: open.map(|(asked, _)| asked.dispatch.clone()).collect(),
                // Also what is recorded and was never sent is somebody's, who may not know that it was accepted.
                surplus: (callbacks.len() - count(&by_callbacks)).max(records.len() - count(&by_records)),
                context: context.clone(),
            }
        })
        .collect()
}

/// Where Hermes may have failed to take a callback, so that the transcript is all that is left to its sender.
struct Unheard {
    /// It was away for a while, or shut itself off.
    everywhere: bool,
    /// It did not take one on these.
    contexts: BTreeSet<String>,
}

impl Unheard {
    fn is_nowhere(&self) -> bool {
        !self.everywhere && self.contexts.is_empty()
    }
}

fn unheard(view: &View<'_>) -> Unheard {
    let away = |what: &What| match what {
        What::PowerCut => true,
        What::Killed { host } | What::Stopped { host } => host == "runtime",
        _ => false,
    };
    let refused = view.calls().iter().filter(|call| !call.taken);
    Unheard {
        everywhere: view.observations.iter().any(|seen| away(&seen.what)),
        contexts: refused.filter_map(|call| call.context.clone()).collect(),
    }
}

/// Which dispatches of a context have an outcome of their own. An outcome that says what the turn of some dispatch answered is
/// that dispatch's, and nobody's here when that was another context's; any other, a failure for instance, can be anybody's. Those
/// that were acknowledged come first.
fn matched(
    asked: &[Asked],
    outcomes: &[&str],
    nobodys: &BTreeSet<String>,
    said_elsewhere: &dyn Fn(&str) -> bool,
) -> Vec<bool> {
    let fits = |number: usize, outcome: &str| {
        let outcome = outcome.trim();
        let owned = |asked: &Asked| asked.answers.contains(outcome);
        let anybodys = || !asked.iter().any(owned) && !said_elsewhere(outcome);
        nobodys.contains(outcome) || owned(&asked[number]) || anybodys()
    };
    let mut holder: Vec<Option<usize>> = vec![None; outcomes.len()];
    let by_certainty =
        |sure: bool| (0..asked.len()).filter(move |number| asked[*number].acknowledged == sure);
    for number in by_certainty(true).chain(by_certainty(false)) {
        let mut tried = vec![false; outcomes.len()];
        find_outcome(number, &fits, outcomes, &mut holder, &mut tried);
    }
    (0..asked.len()).map(|number| holder.contains(&Some(number))).collect()
}

/// Finds an outcome for a dispatch, letting others move to another one of theirs.
fn find_outcome(
    number: usize,
    fits: &impl Fn(usize, &str) -> bool,
    outcomes: &[&str],
    holder: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for (place, outcome) in outcomes.iter().enumerate() {
        if tried[place] || !fits(number, outcome) {
            continue;
        }
        tried[place] = true;
        let free = match holder[place] {
            None => true,
            Some(other) => find_outcome(other, fits, outcomes, holder, tried),
        };
        if free {
            holder[place] = Some(number);
            return true;
        }
    }
    false
}

/// An accepted dispatch comes to exactly one outcome that its sender can see: by a callback, or, when Hermes takes none, in
/// the transcript. A receiver that never ran accepted nothing: whoever acknowledged was somebody else on a peer's port.
fn exactly_one_outcome(plan: &Plan, view: &View<'_>) -> Held {
    let ready = |what: &What| matches!(what, What::Ready { host } if host == "receiver");
    if !plan.scenario.given.receiver.started && !view.observations.iter().any(|seen| ready(&seen.what)) {
        return Held::NotExercised;
    }
    let balances = balances(view, Records::All);
    let gone = !receiver_was_there_at_the_end(view.observations);
    let findings: Vec<Finding> = balances
        .iter()
        .filter(|balance| (!balance.open.is_empty() && !gone) || balance.surplus > 0)
        .map(|balance| Finding {
            expected: format!(
                "{} outcomes on context {}, one for each dispatch",
                balance.acknowledged,
                view.names.context_name(&balance.context)
            ),
            observed: format!(
                "{} different callbacks, {} records in the transcript; without an outcome: {}; outcomes of nobody: {}",
                balance.callbacks,
                balance.records,
                if balance.open.is_empty() { "none".to_owned() } else { balance.open.join(", ") },
                balance.surplus,
            ),
            trace: of_context(view, &balance.context),
        })
        .collect();
    let open = balances.iter().any(|balance| !balance.open.is_empty());
    if findings.is_empty() && gone && open {
        return Held::Unclear(
            "the receiver was not running at the end, so an outcome may still be to come".to_owned(),
        );
    }
    verdict(!balances.is_empty(), findings)
}

fn of_context(view: &View<'_>, context: &str) -> Vec<usize> {
    let about = |what: &What| match what {
        What::Dispatched { context: of, .. } => of.as_deref().unwrap_or(UNTOLD) == context,
        What::Callback { sent, .. } if context == UNTOLD => sent.text().contains("\"anon-"),
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
pub(crate) fn open_dispatches(observations: &[Observation], names: &Names, memory: &Memory) -> bool {
    if let Some(known) = memory.open.get()
        && !observations[known.observations..].iter().any(|seen| decides(&seen.what, known.by_files))
    {
        memory.open.set(Some(Open { observations: observations.len(), ..known }));
        return known.open;
    }
    let view = View::new(observations, names, memory);
    let open = balances(&view, Records::ThatCount).iter().any(|balance| !balance.open.is_empty());
    let by_files = !unheard(&view).is_nowhere();
    memory.open.set(Some(Open { observations: observations.len(), open, by_files }));
    open
}

/// Whether an observation can open or close a dispatch. Files can where a record may stand for an outcome.
fn decides(what: &What, by_files: bool) -> bool {
    match what {
        What::Started { .. }
        | What::Ready { .. }
        | What::Ended { .. }
        | What::Exchange { .. }
        | What::Result { .. }
        | What::Asked { .. }
        | What::Deployed { .. }
        | What::Delivered { .. }
        | What::Leftovers { .. } => false,
        What::Files { .. } => by_files,
        What::Killed { .. }
        | What::Stopped { .. }
        | What::PowerCut
        | What::Dispatched { .. }
        | What::Redirected { .. }
        | What::CliEntered { .. }
        | What::CliLeft { .. }
        | What::Callback { .. } => true,
    }
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

/// Whether a callback says that it is for the profile beside the runtime.
fn is_neighbours(plan: &Plan, call: &Call) -> bool {
    plan.scenario.given.hermes.neighbour.is_some() && call.profile.as_deref() == Some("neighbour")
}

/// A callback names a context that asked.
fn callbacks_name_who_asked(plan: &Plan, view: &View<'_>) -> Held {
    let sent = view.sent();
    let asked: BTreeSet<&str> =
        sent.iter().flat_map(|sent| [&sent.context, &sent.answers_on]).filter_map(Option::as_deref).collect();
    // Somebody who got no acknowledgement, or was only told its text, does not know the context that the receiver made up.
    let unnamed = sent.iter().any(|sent| sent.context.is_none());
    // So it is with a request of the story's own, for one context each.
    let untold = view.observations.iter().filter(|seen| is_unanswered_and_unnamed(&seen.what)).count();
    let mut made_up = BTreeSet::new();
    // What a second profile asked, nobody sees here; its replies may come here all the same.
    let is_neighbours = |call: &Call| is_neighbours(plan, call);
    let calls = view.calls();
    let findings = calls
        .iter()
        .filter(|call| !is_neighbours(call))
        // Half a request, whose connection was cut, names nothing yet.
        .filter(|call| call.whole || call.context.is_some())
        .filter(|call| match call.context.as_deref() {
            Some(context) if asked.contains(context) => false,
            Some(context) if context.starts_with("anon-") && !unnamed => {
                made_up.insert(context);
                made_up.len() > untold
            }
            context => !context.is_some_and(|context| context.starts_with("anon-")),
        })
        .map(|call| Finding {
            expected: "a context that something was dispatched on".to_owned(),
            observed: format!("a callback on {:?}", call.context),
            trace: vec![call.index],
        })
        .collect();
    verdict(!calls.is_empty(), findings)
}

/// Whether a request that names no context got no answer. It may have been taken all the same.
fn is_unanswered_and_unnamed(what: &What) -> bool {
    let What::Exchange { sent, received, .. } = what else { return false };
    let names_one = |body: &Value| {
        body.pointer("/params/message/contextId").and_then(Value::as_str).is_some_and(|id| !id.is_empty())
    };
    wire::answers(&received.0).is_empty()
        && wire::request(&sent.0).is_some_and(|request| !request.body.as_ref().is_some_and(names_one))
}

/// What Hermes said it took is delivered exactly once, to the context that the callback names; and nothing else is.
fn delivered_once(plan: &Plan, view: &View<'_>) -> Held {
    // What the gate answers, the node never saw.
    let gated = !plan.scenario.given.hermes.answers.is_empty();
    let is_neighbours = |call: &Call| is_neighbours(plan, call);
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
        // What is another profile's is not delivered here; where it gets is its rows' affair.
        // Where the answer is torn, its status alone does not say whose it is.
        let is_unsure = is_neighbours(call) && !call.is_answer_read;
        entry.0 |= call.taken && !call.astray && !is_unsure;
        entry.1.push(call.index);
    }
    // A driver is asked for what came on the contexts that were asked on, and for nothing else.
    let asked: Option<BTreeSet<String>> = plan.driven().map(|_| {
        let sent = view.sent();
        sent.iter().flat_map(|sent| [sent.context.clone(), sent.answers_on.clone()]).flatten().collect()
    });
    let is_asked = |context: &String| asked.as_ref().is_none_or(|asked| asked.contains(context));
    let mut findings = Vec::new();
    for ((context, id), (taken, trace)) in came.iter().filter(|((context, _), _)| is_asked(context)) {
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
    let cap = u64::try_from(turn_cap(plan).as_millis()).unwrap_or(u64::MAX);
    let limit = cap.saturating_add(match plan.lane {
        Lane::Virtual => AFTER_CAP_MS,
        Lane::Real => AFTER_CAP_REAL_MS,
    });
    let latency = plan.scenario.given.disturbances.latency.map_or(0, |latency| latency.0);
    let limit = limit.saturating_add(WAYS_OF_A_CALL.saturating_mul(latency));
    let calls = view.calls();
    let end_of_trace = view.observations.last().map_or(0, |last| last.at_ms);
    let mut exercised = false;
    let mut findings = Vec::new();
    let heard = unheard(view);
    for turn in view.turns() {
        let Some(context) = &turn.context else { continue };
        let latest = turn.started_ms.saturating_add(limit);
        // A turn that was killed has no end of its own; then its outcome tells that it is over.
        let outcome = outcome_of(turn, context, calls);
        let over = turn.ended_ms.into_iter().chain(outcome).min();
        // What nobody took was sent before it is seen, at the end of its connection; of a turn that was killed nothing else tells.
        let untaken = heard.everywhere || heard.contexts.contains(context);
        if plan.is_made_by_exploration() && turn.ended_ms.is_none() && untaken {
            continue;
        }
        // A receiver that did not live that long cannot be blamed, and a turn that was not watched that long says nothing.
        let undisturbed = |until: u64| {
            let after = &view.observations[turn.index..];
            !after.iter().any(|seen| seen.at_ms <= until && stops(&seen.what))
        };
        if over.is_none() && (end_of_trace <= latest || !undisturbed(latest)) {
            continue;
        }
        exercised = true;
        if over.is_none_or(|over| over > latest) && undisturbed(latest) {
            findings.push(Finding {
                expected: format!("the end of the turn within {cap} ms of its start"),
                observed: match over {
                    Some(over) => format!("after {} ms", over - turn.started_ms),
                    None => format!("none after {} ms", end_of_trace - turn.started_ms),
                },
                trace: vec![turn.index],
            });
        }
        // Attempts at a Hermes that is away are not seen, and the outcome of a turn that met a dead session is that of the one in
        // its place.
        let replaced = met_no_session(turn)
            && view.turns().iter().any(|later| later.index > turn.index && later.dispatch == turn.dispatch);
        let watched = !heard.everywhere && !heard.contexts.contains(context) && !replaced;
        if let Some(ended) = turn.ended_ms.filter(|_| watched) {
            let latest = ended.saturating_add(limit - cap);
            if outcome.is_some_and(|outcome| outcome > latest) && undisturbed(latest) {
                findings.push(Finding {
                    expected: format!("the outcome within {} ms of the end of the turn", limit - cap),
                    observed: format!("after {} ms", outcome.unwrap_or_default() - ended),
                    trace: vec![turn.index],
                });
            }
        }
    }
    verdict(exercised, findings)
}

/// When the outcome of a turn was first sent: the callback that tells its answer, or without an answer the next one of its context.
fn outcome_of(turn: &Turn, context: &str, calls: &[Call]) -> Option<u64> {
    let later =
        calls.iter().filter(|call| call.context.as_deref() == Some(context) && call.at_ms >= turn.started_ms);
    let said = |call: &&Call| turn.messages.iter().any(|message| message.trim() == call.text.trim());
    let telling = later.clone().filter(said).map(|call| call.at_ms).min();
    telling.or_else(|| later.map(|call| call.at_ms).min())
}

/// Whether a receiver may stop working by this.
fn stops(what: &What) -> bool {
    match what {
        What::Killed { .. } | What::PowerCut => true,
        What::Stopped { host } | What::Ended { host, .. } => host == "receiver",
        _ => false,
    }
}

/// Who answers for a place where a bearer may be found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeper {
    /// Whoever is in front of an executor.
    Receiver,
    /// The runtime, for its own files, for what it deploys, and for what it tells its caller.
    Runtime,
}

impl Keeper {
    fn of_file(path: &str, view: &View<'_>) -> Self {
        let written_by_deploys = ["CLAUDE.md", ".gitignore", "A2A.md"];
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_config = view.names.executor.file("config").is_some_and(|config| path.ends_with(config));
        let is_config = is_config || view.names.executor.may_hold_bearers.contains(path);
        let is_runtimes = path.starts_with("hermes/") || written_by_deploys.contains(&name) || is_config;
        if is_runtimes { Keeper::Runtime } else { Keeper::Receiver }
    }
}

/// No secret is where it does not belong: scanned in raw bytes. `keeper`: only where this one answers for it.
fn no_secret(view: &View<'_>, keeper: Option<Keeper>) -> Held {
    let (given, made) = (view.names.secrets(), bearers::deployed(view.observations));
    let longest = given.iter().chain(&made).map(String::len).max().unwrap_or_default();
    let given: Vec<Finder<'_>> = given.iter().map(|secret| Finder::new(secret.as_bytes())).collect();
    let made: Vec<Finder<'_>> = made.iter().map(|secret| Finder::new(secret.as_bytes())).collect();
    let mut findings = Vec::new();
    let mut exercised = false;
    // The files in which nothing was found so far, as they were seen last.
    let mut clean: BTreeMap<&str, &[u8]> = BTreeMap::new();
    for (index, seen) in view.observations.iter().enumerate() {
        let mut scan = |of: Keeper, place: &str, bytes: &[u8]| {
            if keeper.is_some_and(|keeper| keeper != of) {
                return false;
            }
            exercised = true;
            // A file for one of these holds it by right; no file holds any other.
            let made = made.iter().filter(|_| !bearers::is_token_file(place));
            let found = given.iter().chain(made).any(|finder| finder.find(bytes).is_some());
            if found {
                findings.push(Finding {
                    expected: "no bearer outside of an Authorization header".to_owned(),
                    observed: format!("a bearer in {place}"),
                    trace: vec![index],
                });
            }
            found
        };
        match &seen.what {
            What::Files { changed, .. } => {
                for (path, file) in changed.iter().filter_map(|(path, file)| Some((path, file.as_ref()?))) {
                    let content = file.content.0.as_slice();
                    // Most files only grow: what was looked at before need not be looked at again.
                    let before = clean.remove(path.as_str()).filter(|before| content.starts_with(before));
                    let known = before.map_or(0, |before| before.len().saturating_sub(longest));
                    if !scan(Keeper::of_file(path, view), path, &content[known..]) {
                        clean.insert(path, content);
                    }
                }
            }
            What::CliEntered { invocation, .. } => {
                scan(Keeper::Receiver, "the CLI's arguments", invocation.args.join("\n").as_bytes());
                let env: Vec<&str> = invocation.env.values().map(String::as_str).collect();
                scan(Keeper::Receiver, "the CLI's environment", env.join("\n").as_bytes());
            }
            What::Callback { sent, .. } => {
                scan(Keeper::Receiver, "a callback", &without_authorization(&sent.0));
            }
            What::Exchange { sent, received, .. } => {
                scan(Keeper::Runtime, "a dispatch", &without_authorization(&sent.0));
                scan(Keeper::Receiver, "an answer", &received.0);
            }
            What::CliLeft { ending } => {
                scan(Keeper::Receiver, "the CLI's output", ending.stdout.as_bytes());
                scan(Keeper::Receiver, "the CLI's standard error", ending.stderr.as_bytes());
            }
            What::Delivered { text, .. } => {
                scan(Keeper::Receiver, "a delivery", text.as_bytes());
            }
            What::Asked { given, .. } => {
                scan(Keeper::Receiver, "what an agent or a model was asked", given.to_string().as_bytes());
            }
            What::Deployed { args, .. } => {
                let args = args.join("\n");
                scan(Keeper::Runtime, "the arguments of a receiver that was deployed", args.as_bytes());
            }
            What::Result { value, .. } => {
                for (member, place) in [
                    ("tool", "the result of a tool"),
                    ("stdout", "what the command printed"),
                    ("stderr", "what the command said"),
                ] {
                    if let Some(shown) = value.get(member) {
                        scan(Keeper::Runtime, place, shown.to_string().as_bytes());
                    }
                }
            }
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
        // What a Hermes node leaves behind is no receiver's affair.
        if moment == OF_NODE {
            continue;
        }
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

/// The CLI takes the arguments by which it is started. One that takes some of them, and refuses others, has a requirement of its
/// own for those.
fn cli_takes_its_arguments(view: &View<'_>) -> Held {
    let mut taken = false;
    let mut findings = Vec::new();
    for (index, seen) in view.observations.iter().enumerate() {
        let What::CliEntered { invocation, .. } = &seen.what else { continue };
        match &invocation.purpose {
            Purpose::Turn { .. } => taken = true,
            Purpose::Refused(reason) => findings.push(Finding {
                expected: "the CLI takes the arguments of at least one turn".to_owned(),
                observed: format!("it refuses {:?}: {reason}", invocation.args),
                trace: vec![index],
            }),
            Purpose::Probe | Purpose::Unplayed(_) => {}
        }
    }
    if taken { Held::Yes } else { verdict(false, findings) }
}
