//! Oracles: code that reads observations and says what held. They read raw bytes and plain JSON, never the types of the
//! protocol crate, so that one parser's mistake cannot hide on both sides.
//!
//! `wire` reads HTTP bytes, `dialect` what CLIs print, `view` makes the subjects of checks out of a trace, `expect` compares, `invariants` holds in every
//! cell, `team` in every one of a team, `bearers` what is secret in one, `judge` puts the verdicts together. `memory` keeps what was read of a trace that still grows.

mod bearers;
mod dialect;
mod expect;
mod invariants;
mod judge;
mod memory;
mod team;
#[cfg(test)]
mod tests;
mod view;
pub(crate) mod wire;

pub(crate) use bearers::deployed as deployed_bearers;
pub(crate) use invariants::{NO_SECRET, open_dispatches};
pub use judge::{Finding, Judgement};
pub(crate) use judge::{failed_step, judge};
pub(crate) use memory::Memory;
pub(crate) use team::{END, is_gone, runs_left};
