//! The reference receiver: a daemon in front of one coding CLI of one repository.
//!
//! It takes dispatches over HTTP, acknowledges them at once, runs the CLI once for each, and calls back with the reply
//! (fleet sheet 2 and 3). Beyond the sheet it keeps what any trustworthy bridge owes across crashes: an acknowledged
//! dispatch starts its CLI at most once and comes to exactly one outcome that its sender can see, and no child of a dead
//! receiver lives on once the next one is ready.
//!
//! One idea a file: `config`, `deviations` and `state` what it is told, `http` what it answers, `request` what it is asked, `params`
//! what of that it cannot read, `claims` which contexts are at work,
//! `task` what a dispatch says beside its text, `deadline` until when it may take,
//! `inbox` what it accepted, `journal` what became of it, `turns` the order of things, `cli` one run of the CLI, `account` what a turn
//! used and how far it came, `callback` the way back, `process` start, recovery and end. What differs by executor is its `Talk` (in
//! `talk.rs`),
//! in its folder of `executors`, and in `replay` what is made of a CLI that prints its whole conversation each time.

pub(crate) mod account;
mod callback;
mod claims;
pub(crate) mod cli;
pub(crate) mod config;
mod deadline;
mod deviations;
pub(crate) mod flags;
mod http;
mod inbox;
mod journal;
mod locks;
mod log;
#[cfg(test)]
mod model;
mod names;
mod params;
mod process;
mod replay;
mod request;
mod sessions;
mod sign_in;
mod state;
pub(crate) mod talk;
mod task;
mod transcript;
mod turns;

pub use cli::USUAL_PLACES;
pub use config::Config;
pub use deviations::{Deviations, SUBJECT_TOKEN};
pub use process::{abandon, run};
pub use state::Settings;
