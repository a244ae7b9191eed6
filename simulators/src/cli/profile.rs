//! Profiles: executor CLIs at one version, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agy::AgyProfile;
use super::claude_code::ClaudeCodeProfile;
use super::codex::CodexProfile;
use super::opencode::OpencodeProfile;

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
        match &self.cli {
            Cli::Agy(_) => "agy",
            Cli::ClaudeCode(_) => "claude_code",
            Cli::Codex(_) => "codex",
            Cli::Opencode(_) => "opencode",
        }
    }
}

/// How one version of an executor's CLI talks. A new executor is a new variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cli {
    /// The Google Antigravity CLI.
    Agy(Box<AgyProfile>),
    /// Claude Code.
    ClaudeCode(Box<ClaudeCodeProfile>),
    /// The Codex CLI.
    Codex(Box<CodexProfile>),
    /// opencode.
    Opencode(Box<OpencodeProfile>),
}
