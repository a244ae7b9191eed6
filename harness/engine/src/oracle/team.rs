//! What holds of every team, in every cell. Read from results of tools, from files at each moment at which somebody looked, and from what
//! the session host was asked.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::invariants::{Held, verdict};
use super::judge::Finding;
use super::view::View;
use crate::trace::{Observation, What};

/// Where runs are in a trace. A story that puts them elsewhere judges its mail itself.
const RUNS: &str = "home/.omo/runtime/";

/// Every invariant of teams with its requirement.
pub(super) fn all(view: &View<'_>) -> Vec<(&'static str, Held)> {
    vec![
        ("TEAM-INV-01", no_message_is_lost(view)),
        ("TEAM-DLV-02", told_once(view)),
        ("TEAM-INV-03", one_owner(view)),
        ("TEAM-INV-04", every_team_can_end(view)),
    ]
}

/// A place of a message in an inbox.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'a> {
    run: &'a str,
    member: &'a str,
    id: &'a str,
    processed: bool,
}

/// Reads the path of a message; nothing when it is no such path.
fn place(path: &str) -> Option<Place<'_>> {
    let (run, rest) = path.strip_prefix(RUNS)?.split_once("/inboxes/")?;
    let (member, file) = rest.split_once('/')?;
    let (processed, name) = match file.split_once('/') {
        Some(("processed", name)) => (true, name),
        Some(_) => return None,
        None => (false, file.strip_prefix(".delivering-").unwrap_or(file)),
    };
    Some(Place { run, member, id: name.strip_suffix(".json")?, processed })
}

/// The files of runs that are there, as they change.
#[derive(Default)]
struct There<'a>(BTreeSet<&'a str>);

impl<'a> There<'a> {
    fn note(&mut self, what: &'a What) {
        let What::Files { changed, .. } = what else { return };
        for (path, file) in changed.iter().filter(|(path, _)| path.starts_with(RUNS)) {
            if file.is_some() {
                self.0.insert(path)
            } else {
                self.0.remove(path.as_str())
            };
        }
    }

    fn has_run(&self, run: &str) -> bool {
        self.0.contains(format!("{RUNS}{run}/state.json").as_str())
    }

    fn messages(&self) -> impl Iterator<Item = Place<'a>> {
        self.0.iter().filter_map(|path| place(path))
    }
}

/// A message that its sender knows to be stored is in each recipient's inbox, read or not, as long as its run is there.
fn no_message_is_lost(view: &View<'_>) -> Held {
    let mut there = There::default();
    // By message: where it was ever seen.
    let mut seen: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    let mut sent: Vec<(usize, &str, Vec<&str>)> = Vec::new();
    for (index, observation) in view.observations.iter().enumerate() {
        there.note(&observation.what);
        if let What::Files { changed, .. } = &observation.what {
            for place in changed.keys().filter_map(|path| place(path)) {
                seen.entry(place.id).or_default().insert((place.run, place.member));
            }
        }
        for tool in tools(&observation.what) {
            let id = tool.get("messageId").and_then(Value::as_str);
            let to = tool.get("deliveredTo").and_then(Value::as_array);
            if let (Some(id), Some(to)) = (id, to) {
                sent.push((index, id, to.iter().filter_map(Value::as_str).collect()));
            }
        }
    }
    let kept: BTreeSet<(&str, &str, &str)> =
        there.messages().map(|place| (place.run, place.member, place.id)).collect();
    let exercised = !sent.is_empty();
    let mut findings = Vec::new();
    for (index, id, recipients) in sent {
        let nowhere = BTreeSet::new();
        let places = seen.get(id).unwrap_or(&nowhere);
        for recipient in recipients {
            let of_recipient: Vec<&str> =
                places.iter().filter(|(_, member)| *member == recipient).map(|(run, _)| *run).collect();
            // With its run it may go.
            let is_gone = |run: &&str| there.has_run(run) && !kept.contains(&(*run, recipient, id));
            let lost = match of_recipient.as_slice() {
                [] => true,
                runs => runs.iter().all(is_gone),
            };
            if lost {
                findings.push(Finding {
                    expected: format!("message {id} is in the inbox of {recipient}, read or not"),
                    observed: "it is not there".to_owned(),
                    trace: vec![index],
                });
            }
        }
    }
    verdict(exercised, findings)
}

/// A message enters the history of a session once at most.
fn told_once(view: &View<'_>) -> Held {
    let mut told: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (index, observation) in view.observations.iter().enumerate() {
        let Some((session, text)) = prompt(&observation.what) else { continue };
        for id in messages_in(text) {
            told.entry((session, id)).or_default().push(index);
        }
    }
    let exercised = !told.is_empty();
    let again = told.into_iter().filter(|(_, told)| told.len() > 1);
    let findings = again.map(|((session, id), trace)| Finding {
        expected: format!("message {id} is told to {session} once"),
        observed: format!("it was told {} times", trace.len()),
        trace,
    });
    verdict(exercised, findings.collect())
}

/// A prompt that reached a session.
fn prompt(what: &What) -> Option<(&str, &str)> {
    let What::Asked { mind, given, .. } = what else { return None };
    let text = |name: &str| given.get(name).and_then(Value::as_str);
    if mind != "session" || text("what") != Some("prompted") {
        return None;
    }
    Some((text("session")?, text("text")?))
}

/// The ids of the messages whose envelopes are in a text.
fn messages_in(text: &str) -> impl Iterator<Item = &str> {
    let envelopes = text.split("<peer_message ").skip(1);
    envelopes.filter_map(|rest| rest.split_once(" messageId=\"")?.1.split('"').next())
}

/// A task has one owner at most, whoever asks and whenever.
fn one_owner(view: &View<'_>) -> Held {
    let mut owners: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for (index, observation) in view.observations.iter().enumerate() {
        let What::Files { changed, .. } = &observation.what else { continue };
        for (path, file) in changed.iter().filter(|(path, _)| path.starts_with(RUNS)) {
            let is_task = path.contains("/tasks/") && path.ends_with(".json");
            let task = file.as_ref().filter(|_| is_task);
            let task = task.and_then(|file| serde_json::from_slice::<Value>(&file.content.0).ok());
            let owner = task.as_ref().and_then(|task| task.get("owner")?.as_str());
            if let Some(owner) = owner {
                owners.entry(path).or_default().entry(owner.to_owned()).or_insert(index);
            }
        }
    }
    let exercised = !owners.is_empty();
    let several = owners.into_iter().filter(|(_, owners)| owners.len() > 1);
    let findings = several.map(|(task, owners)| Finding {
        expected: format!("{task} has one owner"),
        observed: owners.keys().cloned().collect::<Vec<_>>().join(" and "),
        trace: owners.into_values().collect(),
    });
    verdict(exercised, findings.collect())
}

/// Where somebody tried at the very end, every run could be deleted by force.
fn every_team_can_end(view: &View<'_>) -> Held {
    let (mut exercised, mut findings) = (false, Vec::new());
    for (index, observation) in view.observations.iter().enumerate() {
        let What::Result { step, value } = &observation.what else { continue };
        let Some(run) = step.strip_prefix(END) else { continue };
        exercised = true;
        if !value.get("tool").is_some_and(is_gone) {
            findings.push(Finding {
                expected: format!("run {run} can be deleted by force"),
                observed: value.to_string(),
                trace: vec![index],
            });
        }
    }
    verdict(exercised, findings)
}

/// Whether the result of a delete says that the run is not there any more.
pub(crate) fn is_gone(tool: &Value) -> bool {
    tool.get("deleted") == Some(&Value::Bool(true))
        || tool.get("class").and_then(Value::as_str) == Some("ENOENT")
}

/// The runs that are there by what was seen last, each with the session that leads it, and that a call can still end.
pub(crate) fn runs_left(observations: &[Observation]) -> Vec<(String, Option<String>)> {
    let mut states: BTreeMap<&str, Option<&[u8]>> = BTreeMap::new();
    for seen in observations {
        let What::Files { changed, .. } = &seen.what else { continue };
        for (path, file) in changed {
            let run = path.strip_prefix(RUNS).and_then(|path| path.strip_suffix("/state.json"));
            if let Some(run) = run {
                states.insert(run, file.as_ref().map(|file| file.content.0.as_slice()));
            }
        }
    }
    let left = states.into_iter().filter_map(|(run, state)| {
        let state: Value = serde_json::from_slice(state?).ok()?;
        // What failed is swept by whoever looks next.
        let ends = !matches!(state.get("status")?.as_str()?, "failed" | "deleted");
        let lead = state.get("leadSessionId").and_then(Value::as_str).map(str::to_owned);
        ends.then(|| (run.to_owned(), lead))
    });
    left.collect()
}

/// What the step is called that tries, before the run.
pub(crate) const END: &str = "end of ";

/// The results of tools in an observation.
fn tools(what: &What) -> impl Iterator<Item = &Value> {
    let value = match what {
        What::Result { value, .. } => Some(value),
        _ => None,
    };
    let one = value.and_then(|value| value.get("tool"));
    let many = value.and_then(|value| value.get("tools")?.as_array());
    one.into_iter().chain(many.into_iter().flatten())
}
