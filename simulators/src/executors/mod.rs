//! The executors whose CLI and receiver are known here: one folder each, and one line each in the list below.
//!
//! A folder holds `cli/`, the stand-in for the CLI; `receiver.rs`, how the reference receiver talks to it; and `recorder.rs`, which makes a
//! profile of its recordings. The first shares no code with the other two, nor with the parsers of the protocol crate.

use std::rc::Rc;

use gauntlet_world::Host;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::Profile;
use crate::hermes::HermesProfile;
use crate::receiver::talk::Talk;
use crate::recorder::{RecordError, Recordings};
use crate::session_host::TeamProfile;
use crate::stage::Stage;
use gauntlet_world::injection::Injector;

pub mod agy;
pub mod claude_code;
pub mod codex;
pub mod opencode;

/// What is known of an executor beside its CLI.
pub(crate) struct Executor {
    /// Its name, for instance `codex`.
    pub(crate) name: &'static str,
    /// How its CLI is talked to.
    pub(crate) talk: &'static dyn Talk,
    /// What its recordings tell.
    pub(crate) recorder: Recorder,
}

/// What the recordings of an executor tell.
pub(crate) enum Recorder {
    /// How its CLI talks: the content of a profile, and what is not told in one sentence each.
    Tells(fn(&Recordings, &mut Vec<String>) -> Result<Value, RecordError>),
    /// Nothing, for this reason.
    Mute(&'static str),
}

/// Makes of the list what has a part for every executor. A line is the name, which is that of the folder, too; the name of its
/// variant, which is the same in capitals; and what it is.
macro_rules! executors {
    ($($name:ident, $Variant:ident, $what:literal;)*) => {
        /// How one version of an executor's CLI talks, under the name of the executor.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Cli {
            $(#[doc = $what] $Variant(Box<$name::Profile>),)*
            /// A Hermes node, which answers itself: there is no CLI behind it.
            Hermes(HermesProfile),
            /// A session host, in which the members of teams live: there is no CLI behind it.
            Team(TeamProfile),
        }

        impl Cli {
            /// The executor whose CLI it is, for instance `codex`.
            pub fn executor(&self) -> &'static str {
                match self {
                    $(Cli::$Variant(_) => stringify!($name),)*
                    Cli::Hermes(_) => "hermes",
                    Cli::Team(_) => "team",
                }
            }

            /// Runs a process of it, and gives its exit code.
            pub(crate) async fn run(
                &self,
                host: Host,
                profile: &Profile,
                stage: Rc<dyn Stage>,
                injector: Injector,
            ) -> i32 {
                match self {
                    $(Cli::$Variant(talk) => $name::run(host, profile, talk, stage, injector).await,)*
                    // Nobody starts one.
                    Cli::Hermes(_) | Cli::Team(_) => 127,
                }
            }
        }

        /// Every executor that has a receiver, in the order of names.
        pub(crate) const EXECUTORS: &[Executor] = &[
            $(Executor { name: stringify!($name), talk: $name::TALK, recorder: $name::RECORDER },)*
        ];
    };
}

executors! {
    agy, Agy, "The Google Antigravity CLI.";
    claude_code, ClaudeCode, "Claude Code.";
    codex, Codex, "The Codex CLI.";
    opencode, Opencode, "opencode.";
}

/// The executor of that name.
pub(crate) fn named(name: &str) -> Option<&'static Executor> {
    EXECUTORS.iter().find(|executor| executor.name == name)
}

/// The names of the executors that have a receiver here.
pub fn names() -> Vec<&'static str> {
    EXECUTORS.iter().map(|executor| executor.name).collect()
}
