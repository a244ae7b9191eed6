//! Executor CLIs: what a receiver starts for a turn.
//!
//! A CLI is one `async fn` over a host, a [`Profile`] that says how this version talks, and a
//! [`Stage`] that says what the model behind it would have made it do. It runs unchanged on a simulated
//! machine and, as a stand-in, behind a real receiver. It shares no code with the parsers of the protocol crate: a mistake
//! there must not be able to hide here.
//!
//! A new version of a known CLI is a new profile file. A new CLI is a new folder of [`crate::executors`]. What all CLIs share is
//! here: `process` the frame, `scene` what a turn does to the world, `session` what can be gone
//! on with, `refusing` what cannot, `console` and `stdin` its streams, `template` and `failing` the data that lines are made of.

pub(crate) mod asked;
pub(crate) mod console;
pub mod failing;
pub mod option;
pub(crate) mod process;
pub mod profile;
pub mod refusing;
pub(crate) mod scene;
pub(crate) mod session;
pub(crate) mod stdin;
pub(crate) mod stop;
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
    profile.cli.run(host, &profile, stage, injector).await
}
