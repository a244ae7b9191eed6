//! The stage: how a stand-in CLI learns what part to play, and tells what it was given and what it did.
//!
//! In the virtual lane the stage is the engine itself, in memory; in the real lane it is reached over a control connection.
//! A CLI is the same `async fn` on both.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use gauntlet_world::injection::Millis;

/// A future on this thread.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Where parts come from and observations go.
pub trait Stage {
    /// A CLI was started: says what it was given, and learns its part.
    fn enter(&self, invocation: Invocation) -> LocalFuture<'_, Part>;
    /// The CLI ends (it may be killed before it can say so).
    fn leave(&self, ending: Ending) -> LocalFuture<'_, ()>;
}

/// What a CLI was given. This is evidence: it is what a receiver did towards its CLI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Invocation {
    /// Which CLI, for instance `codex`.
    pub cli: String,
    /// Its arguments, without its own name.
    pub args: Vec<String>,
    /// Its environment.
    pub env: BTreeMap<String, String>,
    /// Its working directory.
    pub cwd: PathBuf,
    /// Its process id.
    pub pid: u32,
    /// Whether standard input was at its end at once.
    pub stdin_at_end: bool,
    /// What the CLI understood it is to do.
    pub purpose: Purpose,
}

/// What a CLI understood from its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To say its version, or its help.
    Probe,
    /// To run a turn.
    Turn {
        /// The prompt, whole.
        prompt: String,
        /// The session that is to go on; a new one when absent.
        session: Option<String>,
    },
    /// It was called in a way that this version does not speak: the reason.
    Refused(String),
    /// It was called in a way that the real CLI accepts and that this stand-in cannot play: the reason. A scenario that meets
    /// this has no verdict on what rests on the CLI.
    Unplayed(String),
}

/// What a CLI did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ending {
    /// Its process id.
    pub pid: u32,
    /// The session that it ran on, when it had one.
    pub session: Option<String>,
    /// What it printed, at most the first 64 KiB.
    pub stdout: String,
    /// What it printed on standard error, at most the first 64 KiB.
    pub stderr: String,
    /// Its exit code.
    pub code: i32,
}

/// The part of a CLI in one turn: what the model behind it would have made it do. Times are counted from the start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Part {
    /// Which dispatch this part answers, by its name in the scenario. Absent: the next turn that has no part of its own.
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// How long the turn takes before its result is printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Millis>,
    /// The answer. Absent: the turn ends without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// Files that the turn really writes, by path relative to the working directory.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub edits: BTreeMap<String, String>,
    /// Shell commands that the turn reports to have run, before the answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<ShellCommand>,
    /// How the turn fails instead of answering.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Lines printed on standard output before the first event, as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<String>,
    /// Whether a line with bytes that are no UTF-8 is printed before the first event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub spoilt: bool,
    /// So many bytes of noise are printed before the first event. They are no evidence: what is behind them is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flood: Option<usize>,
    /// What its events say instead, by JSON pointer, wherever they say anything at all there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub misstates: BTreeMap<String, serde_json::Value>,
    /// Text printed on standard error at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<String>,
    /// The exit code. Absent: what this CLI returns for this outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<i32>,
    /// How long a grandchild lives on that holds standard output open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grandchild: Option<Millis>,
    /// Whether the CLI ignores SIGTERM.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignores_term: bool,
    /// Whether the CLI also misses a limit that it was told; of CLIs that are told one.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hangs: bool,
    /// Whether the CLI writes down nowhere on which session it ran; of CLIs that say it in a file alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untold: bool,
}

/// A shell command that a turn reports, and perhaps really runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShellCommand {
    /// The command line.
    pub command: String,
    /// What it printed.
    #[serde(default)]
    pub output: String,
    /// Its exit code.
    #[serde(default)]
    pub exit: i32,
    /// When it is over, counted from the start of the turn; at once when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Millis>,
    /// Whether it is really run, by `sh` in the turn's working directory: what it prints and returns is then its own. In the
    /// reply `{output:N}` and `{exit:N}` stand for that of the N-th command, counted from 0. Needs real processes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub run: bool,
}

impl ShellCommand {
    /// A reply in which `{output:N}` and `{exit:N}` are what the N-th of these commands printed and returned.
    pub fn told(reply: &str, commands: &[ShellCommand]) -> String {
        commands.iter().enumerate().fold(reply.to_owned(), |reply, (number, command)| {
            reply
                .replace(&format!("{{output:{number}}}"), command.output.trim_end())
                .replace(&format!("{{exit:{number}}}"), &command.exit.to_string())
        })
    }
}

/// The ways in which a turn was recorded to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// The model answers 401.
    Unauthorized,
    /// The model's stream breaks off in the middle.
    Cut,
    /// No provider can be reached.
    NoProvider,
}
