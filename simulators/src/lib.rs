//! The peers: receivers, executor CLIs, a Hermes node, a session host. Where quirks bite them is in the world's `injection`.

pub mod cli;
pub mod control;
pub mod executors;
pub mod gate;
pub mod hermes;
pub mod http1;
mod opencode_ids;
pub mod programs;
pub mod receiver;
pub mod recorder;
pub mod session_host;
pub mod shell;
pub mod stage;
pub mod stranger;
pub mod tmux;
