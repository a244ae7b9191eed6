//! The simulated codex CLI against the recordings of the real one, and its behaviour as a process.

mod behaviour;
mod recordings;
mod rig;
