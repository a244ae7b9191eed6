//! The peers: receivers, executor CLIs, a Hermes node. Where quirks bite them is in the world's `injection`.

pub mod cli;
pub mod control;
pub mod executors;
pub mod gate;
pub mod hermes;
pub mod http1;
pub mod programs;
pub mod receiver;
pub mod recorder;
pub mod shell;
pub mod stage;
pub mod stranger;
