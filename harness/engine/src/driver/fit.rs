//! What of a scenario a driver can be asked to do. Nothing is left out in silence: what is not judged is skipped with the reason.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::subject::ForeignRuntime;
use crate::cell::Plan;
use crate::certify::{Certified, Fitted};
use crate::scenario::{Call, Check, HostName, Nodes, Scenario, Step, Subject, SubjectKind, Verb};

/// The tool of the reference that does what the verb `dispatch` does.
const SENDS: &str = "fleet_send";

/// The tools whose calls can be left out of a story: what they are asked for changes nothing for its other steps.
const CAN_BE_LEFT_OUT: [&str; 2] = [SENDS, "fleet_replies"];

/// Files of the reference runtime, which another one has not.
const ITS_FILES: [&str; 2] = ["~hermes/", "~neighbour/"];

impl ForeignRuntime {
    /// The plan of a cell with this runtime in the place of ours. Nothing when the scenario has no runtime.
    pub(crate) fn fit(self: &Arc<Self>, plan: Plan) -> Option<Plan> {
        if matches!(plan.scenario.subject, SubjectKind::Hermes | SubjectKind::Team) {
            return None;
        }
        let cannot =
            cannot(&plan.scenario).or_else(|| plan.scenario.longer_than(self.horizon())).map(not_run);
        let mut scenario = Scenario::clone(&plan.scenario);
        let mut left_out = BTreeMap::new();
        let mut undone = BTreeSet::new();
        if cannot.is_some() {
            // Then this is the reason for each of its rows.
            let fitted = Fitted { subject: Certified::Runtime(self.clone()), cannot, left_out };
            return Some(Plan { fitted: Some(Arc::new(fitted)), ..plan });
        }
        scenario.steps.retain(|step| {
            let Some(reason) = step.verb().and_then(beyond).map(not_run) else { return true };
            undone.extend(step.name().map(str::to_owned));
            left_out.extend(step.requirement.iter().map(|id| (id.value.clone(), reason.clone())));
            false
        });
        scenario.then.retain(|check| {
            let reason = cannot_look_at(check, &undone).map(not_run);
            left_out.extend(reason.iter().map(|reason| (check.requirement.value.clone(), reason.clone())));
            reason.is_none()
        });
        let fitted = Fitted { subject: Certified::Runtime(self.clone()), cannot, left_out };
        Some(Plan { scenario: Arc::new(scenario), fitted: Some(Arc::new(fitted)), ..plan })
    }
}

fn not_run(reason: String) -> String {
    format!("not run: {reason}")
}

/// Whether a call of a tool is a plain dispatch.
fn is_dispatch(call: &Call) -> bool {
    let known = ["agent", "message", "context_id"];
    let is_plain =
        call.args.as_object().is_some_and(|args| args.keys().all(|name| known.contains(&name.as_str())));
    let is_allowed = call.toolsets.as_ref().is_none_or(|toolsets| toolsets.iter().any(|name| name == "a2a"));
    call.tool == SENDS
        && is_plain
        && is_allowed
        && call.at_once.is_none()
        && call.meanwhile.is_empty()
        && !call.by_neighbour
}

/// Why a driver cannot do a step that others do not rest on, if so.
fn beyond(verb: Verb<'_>) -> Option<String> {
    match verb {
        Verb::Call(call) if !is_dispatch(call) && call.tool == SENDS => {
            Some("a driver has no verb for what is said here beside a text".to_owned())
        }
        Verb::Call(call) if !is_dispatch(call) => {
            Some(format!("a driver has no verb for the tool {}", call.tool))
        }
        _ => None,
    }
}

/// Why a check has nothing to look at, if so.
fn cannot_look_at(check: &Check, undone: &BTreeSet<String>) -> Option<String> {
    match check.subject()? {
        Subject::Result(step) if undone.contains(step) => {
            Some(format!("a driver has no verb for what the step {step:?} does"))
        }
        Subject::File(path) | Subject::Conversation(path) if is_its_own(path) => {
            Some(format!("{path} is a file of the reference runtime"))
        }
        _ => None,
    }
}

fn is_its_own(path: &str) -> bool {
    ITS_FILES.iter().any(|folder| path.starts_with(folder))
}

/// Why a scenario cannot be told of a driver, if so.
fn cannot(scenario: &Scenario) -> Option<String> {
    let given = &scenario.given;
    let says = |text: &str| Some(text.to_owned());
    if !given.peer.is_empty() {
        return says("a driver is not told what the entry of its peer says here");
    }
    if given.hermes.neighbour.is_some() {
        return says("a second profile on the machine is the reference runtime's");
    }
    if given.files.keys().chain(given.links.iter().map(|link| &link.path)).any(|path| is_its_own(path)) {
        return says("it is about files of the reference runtime");
    }
    if let Some(reason) = scenario.steps.iter().find_map(out_of_reach) {
        return Some(reason);
    }
    let sends = |step: &Step| match step.verb() {
        Some(Verb::Dispatch(_)) => true,
        Some(Verb::Call(call)) => is_dispatch(call),
        _ => false,
    };
    if !scenario.steps.iter().any(sends) {
        return says("nothing in it is sent by a verb of the driver");
    }
    None
}

/// Why the whole story is out of reach by this step, if so.
fn out_of_reach(step: &Step) -> Option<String> {
    let of_runtime = "a driver has no verb to end its runtime and begin it again";
    let reason = match step.verb()? {
        Verb::Dispatch(dispatch) if dispatch.task.is_some() => "a driver sends texts, and no structured task",
        Verb::Call(call) if !is_dispatch(call) && !CAN_BE_LEFT_OUT.contains(&call.tool.as_str()) => {
            return Some(format!("a driver has no verb for the tool {}", call.tool));
        }
        Verb::Command(_) => "it uses the command of the reference runtime",
        Verb::Connect(Nodes::Runtime) | Verb::Disconnect(Nodes::Runtime) => of_runtime,
        Verb::Kill(HostName::Runtime) | Verb::Stop(HostName::Runtime) | Verb::Start(HostName::Runtime) => {
            of_runtime
        }
        Verb::Write(write) if is_its_own(&write.path) => "it writes a file of the reference runtime",
        Verb::Remove(path) if is_its_own(path) => "it removes a file of the reference runtime",
        Verb::Link(link) if is_its_own(&link.path) => "it changes a file of the reference runtime",
        _ => return None,
    };
    Some(reason.to_owned())
}
