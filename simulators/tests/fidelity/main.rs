//! The simulated CLIs against the recordings of the real ones, and their behaviour as processes.

mod agy;
#[path = "../callbacks/mod.rs"]
mod callbacks;
mod claude_code;
mod codex;
mod opencode;
mod receivers;
mod rig;
mod session_host;
