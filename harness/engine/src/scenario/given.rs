//! What is there before the first step.

use std::collections::BTreeMap;

use gauntlet_simulators::gate::GateAnswer;
use gauntlet_simulators::stage::{Part, ShellCommand};
use gauntlet_world::injection::{Deviation, Millis, Point, Quirk, When};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::mistake::Mistake;
use super::{Disturbances, LinkFile, TeamGiven};

/// What is there before the first step.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// The receiver.
    pub receiver: ReceiverGiven,
    /// The executor behind it.
    pub executor: ExecutorGiven,
    /// Members of the receiver's entry in the runtime's `fleet.yaml`, beside the usual ones.
    pub peer: BTreeMap<String, Value>,
    /// Hermes, where replies go.
    pub hermes: HermesGiven,
    /// Team mode, where it is the subject.
    pub team: TeamGiven,
    /// Whether only quirks of the runtime cross the scenario, and no fault does: what it judges is the runtime by itself, and its peers
    /// are only there to be dealt with.
    pub undisturbed: bool,
    /// Whether it belongs to the robustness battery: only quirks cross it that violate a requirement which its steps or checks judge, and no
    /// fault does. What else is broken shows in the stories that its ordinary dispatches repeat.
    pub battery: bool,
    /// What disturbs the story from its beginning. Such a story is told in virtual time alone.
    pub disturbances: Disturbances,
    /// Files in the receiver's working directory, by path relative to it; `~/` and `~hermes/` as in the step `write`.
    pub files: BTreeMap<String, String>,
    /// Whether the working directory is a git repository, whose one commit holds these files.
    pub git: bool,
    /// Symbolic links, as in the step `link`.
    pub links: Vec<LinkFile>,
}

/// The receiver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiverGiven {
    /// Whether dispatches must present a bearer.
    pub auth: bool,
    /// Members of its configuration file that differ from the lane's usual ones.
    pub config: BTreeMap<String, Value>,
    /// Whether it is started before the first step.
    pub started: bool,
    /// Extensions that it does not take, by their URIs, though its release does.
    #[schemars(with = "Vec<String>")]
    pub lacks: Vec<Spanned<String>>,
    /// How it misbehaves, since the story is about who deals with that. What receivers and their CLIs owe is not judged then. Goes with
    /// `undisturbed`.
    pub misbehaves: Vec<Misbehaviour>,
}

impl Default for ReceiverGiven {
    fn default() -> Self {
        Self { auth: true, config: BTreeMap::new(), started: true, lacks: Vec::new(), misbehaves: Vec::new() }
    }
}

/// A deviation of the receiver that belongs to a story, as in the file of a quirk.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Misbehaviour {
    /// The injection point where it bites.
    pub at: Point,
    /// What it does.
    #[serde(rename = "do")]
    pub deviation: Deviation,
    /// When it bites. Always, if absent.
    #[serde(default)]
    pub when: When,
}

impl Misbehaviour {
    /// The same as a quirk, which violates nothing: nobody scores it.
    pub(crate) fn quirk(&self) -> Quirk {
        Quirk {
            id: "misbehaves".to_owned(),
            title: "A part of the story.".to_owned(),
            role: "receiver".to_owned(),
            virtual_only: None,
            executors: Vec::new(),
            at: self.at,
            deviation: self.deviation.clone(),
            when: self.when.clone(),
            violates: Vec::new(),
            seen_in: Vec::new(),
        }
    }
}

impl ReceiverGiven {
    /// The first misbehaviour that would never bite, or bite nothing.
    pub(super) fn misfit(&self) -> Option<Mistake> {
        self.misbehaves.iter().enumerate().find_map(|(number, misbehaviour)| {
            let misfit = misbehaviour.quirk().misfit()?;
            let number = number.to_string();
            // The role is the receiver's by itself; what does not fit it is the point.
            let own = misfit.path.iter().map(|step| if step == "role" { "at" } else { step.as_str() });
            let path: Vec<&str> =
                ["given", "receiver", "misbehaves", &number].into_iter().chain(own).collect();
            Some(Mistake::at(&path, misfit.message))
        })
    }
}

/// The executor behind the receiver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExecutorGiven {
    /// Its parts, in the order of turns unless a part names its dispatch. Turns beyond the last one answer `ok`.
    pub turns: Vec<Part>,
    /// Whether it is installed.
    pub installed: bool,
}

impl Default for ExecutorGiven {
    fn default() -> Self {
        Self { turns: Vec::new(), installed: true }
    }
}

/// Hermes, where replies go; or, where a Hermes node is the subject, that node.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HermesGiven {
    /// How the first callbacks are answered, in order; all others reach the runtime.
    pub answers: Vec<GateAnswer>,
    /// Of a subject: members below `fleet` in its `fleet.yaml` that differ from the usual ones. Objects are joined; null takes a
    /// member away.
    pub config: BTreeMap<String, Value>,
    /// Of a subject: what its agent does, in order. Turns beyond the last one are answered `ok`.
    pub agent: Vec<MindPart>,
    /// Of a subject: what its model does, in order. Calls beyond the last one are answered `ok`.
    pub model: Vec<MindPart>,
    /// Of a subject: whether there is an agent behind the bridge.
    pub bridge: bool,
    /// Of a subject: whether it listens before the first step. When not, it is loaded all the same.
    pub connects: bool,
    /// A second profile on the same machine: a node of the runtime, with a home of its own. Also beside a receiver: then the runtime
    /// and it know each other as `gauntlet` and `neighbour`, and it listens at `{neighbour_url}`.
    pub neighbour: Option<Neighbour>,
}

impl Default for HermesGiven {
    fn default() -> Self {
        Self {
            answers: Vec::new(),
            config: BTreeMap::new(),
            agent: Vec::new(),
            model: Vec::new(),
            bridge: true,
            connects: true,
            neighbour: None,
        }
    }
}

impl HermesGiven {
    /// What agents do, with the way to where it stands.
    pub(super) fn agents(&self) -> impl Iterator<Item = (&'static [&'static str], &[MindPart])> {
        let own: (&'static [&'static str], _) = (&["given", "hermes", "agent"], self.agent.as_slice());
        let of_neighbour = self.neighbour.as_ref().map(|neighbour| {
            let way: &'static [&'static str] = &["given", "hermes", "neighbour", "agent"];
            (way, neighbour.agent.as_slice())
        });
        std::iter::once(own).chain(of_neighbour)
    }

    /// Whether it says anything of a node that is the subject.
    pub(super) fn is_subject(&self) -> bool {
        let Self { answers: _, config, agent, model, bridge, connects, neighbour: _ } = self;
        !config.is_empty() || !agent.is_empty() || !model.is_empty() || !bridge || !connects
    }
}

/// A second profile.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Neighbour {
    /// As for the subject.
    pub config: BTreeMap<String, Value>,
    /// As for the subject.
    pub agent: Vec<MindPart>,
    /// Whether it is configured to listen where the subject does; it is only loaded then, and does not listen before a step
    /// lets it.
    pub same_bind: bool,
}

/// What an agent or a model does when it is asked: one of `reply`, `silent`, `refuses`, `fails`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MindPart {
    /// It thinks for so long first.
    pub after: Option<Millis>,
    /// Of an agent: shell commands that it really runs in the cell's working directory before it answers. Each says `run`.
    pub commands: Vec<ShellCommand>,
    /// It answers this; `ok` when nothing is said. `{output:N}` and `{exit:N}` are what its N-th command printed and returned.
    pub reply: Option<String>,
    /// It answers nothing at all.
    pub silent: bool,
    /// It takes no turn now: why. Of a model: there is no provider.
    pub refuses: Option<String>,
    /// It fails: how.
    pub fails: Option<String>,
}
