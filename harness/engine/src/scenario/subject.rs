//! What belongs to which subject: the verbs, hosts and givens of a scenario fit what it judges.

use super::given::HermesGiven;
use super::mistake::Mistake;
use super::{HostName, Nodes, Scenario, SubjectKind, Verb};

/// The first part of a scenario that its subject has no use for, if there is one.
pub(super) fn mistake(scenario: &Scenario) -> Option<Mistake> {
    let is_hermes = scenario.subject == SubjectKind::Hermes;
    let is_team = scenario.subject == SubjectKind::Team;
    if !is_hermes && scenario.given.hermes.is_subject() {
        let message =
            "expected only `answers` and `neighbour` of Hermes, which is no subject here; found more";
        return Some(Mistake::at(&["given", "hermes"], message));
    }
    if is_hermes && !scenario.given.peer.is_empty() {
        let message = "expected no `peer` of a Hermes node, whose agents are in its `config`; found some";
        return Some(Mistake::at(&["given", "peer"], message));
    }
    if let Some(mistake) = scenario.given.receiver.misfit() {
        return Some(mistake);
    }
    if !scenario.given.receiver.misbehaves.is_empty() && scenario.subject != SubjectKind::Runtime {
        let message = "expected `subject: runtime` beside it: a receiver that misbehaves is not judged";
        return Some(Mistake::at_key(&["given", "receiver", "misbehaves"], message));
    }
    if !scenario.given.receiver.misbehaves.is_empty() && !scenario.given.undisturbed {
        let message = "expected `undisturbed: true` beside it: such a story judges the runtime by itself";
        return Some(Mistake::at_key(&["given", "receiver", "misbehaves"], message));
    }
    if let Some(mistake) = idle_command(&scenario.given.hermes) {
        return Some(mistake);
    }
    scenario.steps.iter().enumerate().find_map(|(number, step)| {
        let verb = step.verb()?;
        let fits = match verb {
            Verb::Connect(Nodes::Runtime) | Verb::Disconnect(Nodes::Runtime) => !is_hermes,
            Verb::Connect(nodes) | Verb::Disconnect(nodes) => {
                is_hermes || !nodes.hosts().contains(&HostName::Hermes)
            }
            Verb::Kill(host) | Verb::Stop(host) | Verb::Start(host) if is_team => host == HostName::Runtime,
            Verb::Kill(host) | Verb::Stop(host) | Verb::Start(host) => {
                is_hermes == host.is_node() || host == HostName::Neighbour
            }
            Verb::Await(wait) => is_hermes == wait.answer_to.is_some() && !is_team,
            Verb::Request(_) | Verb::Dispatch(_) | Verb::Command(_) | Verb::Freeze(_) if is_team => false,
            Verb::Session(_) => is_team,
            Verb::Call(_) => true,
            Verb::Request(_) | Verb::Run(_) | Verb::Advance(_) | Verb::Stranger(_) => true,
            Verb::PowerCut(_) => true,
            Verb::Write(_) | Verb::Remove(_) | Verb::Link(_) | Verb::Fault(_) | Verb::Mend(_) => true,
            Verb::Dispatch(_) | Verb::Command(_) | Verb::Jump(_) | Verb::Freeze(_) | Verb::Signal(_) => {
                !is_hermes
            }
        };
        let named = match verb {
            Verb::Kill(host) | Verb::Stop(host) | Verb::Start(host) => Some(host),
            Verb::Connect(nodes) | Verb::Disconnect(nodes) => {
                nodes.hosts().contains(&HostName::Neighbour).then_some(HostName::Neighbour)
            }
            Verb::Call(call) => call.by_neighbour.then_some(HostName::Neighbour),
            _ => None,
        };
        let alone = named == Some(HostName::Neighbour) && scenario.given.hermes.neighbour.is_none();
        let message = if !fits {
            format!("expected a step that fits the subject; found `{}`", verb.word())
        } else if alone {
            "expected a neighbour in `given.hermes`; there is none".to_owned()
        } else {
            return None;
        };
        Some(Mistake::at(&["steps", &number.to_string()], message))
    })
}

/// The first command of a mind that nobody would run: a node tells of no commands, so one that is not run is nowhere.
fn idle_command(hermes: &HermesGiven) -> Option<Mistake> {
    let of_model = hermes.model.iter().position(|part| !part.commands.is_empty()).map(|part| {
        let message = "expected no `commands` of a model; only an agent runs some";
        Mistake::at_key(&["given", "hermes", "model", &part.to_string(), "commands"], message)
    });
    of_model.or_else(|| {
        hermes.agents().find_map(|(way, parts)| {
            parts.iter().enumerate().find_map(|(part, said)| {
                let idle = said.commands.iter().position(|command| !command.run)?;
                let (part, idle) = (part.to_string(), idle.to_string());
                let path = [way, &[part.as_str(), "commands", idle.as_str()]].concat();
                Some(Mistake::at(
                    &path,
                    "expected a command with `run: true`; an agent only reports what it replies",
                ))
            })
        })
    })
}
