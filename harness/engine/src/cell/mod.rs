//! One cell: one scenario on one profile and release with one deviation (or none) and one seed, run and judged.
//!
//! `bench` builds the machines of the lane and acts on them, `stage` plays the executor, `tap` sees the bytes, `steps` goes
//! through the scenario, and the oracles judge the trace.

mod bench;
mod command;
mod crowd;
mod driven;
mod foreign;
mod held;
mod hermes;
mod names;
mod plan;
mod real;
mod replies;
mod run;
mod sender;
mod stage;
mod steps;
mod tap;
mod team;
mod virtual_bench;
mod workdir;

pub(crate) use bench::turn_cap;
pub(crate) use names::Names;
pub use names::Told;
pub use plan::{Deviation, Explored, Plan};
pub(crate) use real::{RealSettings, clear_away};
pub use run::Outcome;
pub(crate) use run::run;
pub(crate) use steps::{key, line_name};
pub(crate) use workdir::git_is_there;
