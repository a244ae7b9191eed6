//! Executor CLIs: what a receiver starts for a turn.
//!
//! A CLI is one `async fn` over a host, a [`Profile`] that says how this version talks, and a
//! [`Stage`] that says what the model behind it would have made it do. It runs unchanged on a simulated
//! machine and, as a stand-in, behind a real receiver. It shares no code with the parsers of the protocol crate: a mistake
//! there must not be able to hide here.
//!
//! A new version of a known CLI is a new profile file. A new CLI is a new folder here and a new variant of [`Cli`]. What all CLIs
//! share stands beside the folders: `process` the frame, `scene` what a turn does to the world, `session` what can be gone
//! on with, `console` and `stdin` its streams, `template` and `failing` the data that lines are made of.

pub mod agy;
mod asked;
pub mod claude_code;
pub mod codex;
mod console;
pub mod failing;
pub mod opencode;
pub mod option;
mod process;
pub mod profile;
mod scene;
mod session;
mod stdin;
mod stop;
pub mod template;
mod work;

use std::rc::Rc;
use std::sync::Arc;

use gauntlet_world::Host;

pub use profile::{Cli, Profile};

use crate::stage::Stage;
use gauntlet_world::injection::Injector;

/// Runs the CLI that the profile describes, and gives its exit code.
pub async fn run(host: Host, profile: Arc<Profile>, stage: Rc<dyn Stage>, injector: Injector) -> i32 {
    match &profile.cli {
        Cli::Agy(talk) => agy::run(host, &profile, talk, stage, injector).await,
        Cli::ClaudeCode(talk) => claude_code::run(host, &profile, talk, stage, injector).await,
        Cli::Codex(talk) => codex::run(host, &profile, talk, stage, injector).await,
        Cli::Opencode(talk) => opencode::run(host, &profile, talk, stage, injector).await,
        // Nobody starts one.
        Cli::Hermes(_) => 127,
    }
}
