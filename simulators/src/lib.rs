//! The peers: receivers, executor CLIs, and the injection points where quirks bite.

pub mod cli;
pub mod control;
pub mod executors;
pub mod gate;
pub mod hermes;
pub mod http1;
pub mod injection;
pub mod receiver;
pub mod recorder;
pub mod shell;
pub mod stage;
pub mod stranger;
