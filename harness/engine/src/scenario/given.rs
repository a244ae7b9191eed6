//! What is there before the first step.

use std::collections::BTreeMap;

use gauntlet_simulators::gate::GateAnswer;
use gauntlet_simulators::stage::Part;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// What is there before the first step.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Given {
    /// The receiver.
    pub receiver: ReceiverGiven,
    /// The executor behind it.
    pub executor: ExecutorGiven,
    /// Hermes, where replies go.
    pub hermes: HermesGiven,
    /// Whether neither quirks nor faults cross the scenario: what it judges is the runtime by itself, and its peers are only
    /// there to be dealt with.
    pub undisturbed: bool,
    /// Files in the receiver's working directory, by path relative to it; `~/` and `~hermes/` as in the step `write`.
    pub files: BTreeMap<String, String>,
    /// Whether the working directory is a git repository, whose one commit holds these files.
    pub git: bool,
    /// Symbolic links, by path as for `files`: what each one names, seen from its own folder and not outside of it.
    pub links: BTreeMap<String, String>,
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
}

impl Default for ReceiverGiven {
    fn default() -> Self {
        Self { auth: true, config: BTreeMap::new(), started: true }
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

/// Hermes, where replies go.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HermesGiven {
    /// How the first callbacks are answered, in order; all others reach the runtime.
    pub answers: Vec<GateAnswer>,
}
