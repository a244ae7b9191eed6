//! Profiles: executor CLIs at one version, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::executors::Cli;

/// One executor CLI at one version, as data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The CLI's version, for instance `0.44.0`.
    pub version: String,
    /// The folder of recordings that this profile reproduces, relative to the repository. A profile without it is
    /// unrecorded, and every report says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_from: Option<String>,
    /// Requirements that even the reference receiver cannot keep on this version, each with the evidence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub breaks: BTreeMap<String, String>,
    /// How this version talks, under the name of its executor.
    pub cli: Cli,
}

impl Profile {
    /// The executor whose CLI it is, for instance `codex`.
    pub fn executor(&self) -> &'static str {
        self.cli.executor()
    }
}
