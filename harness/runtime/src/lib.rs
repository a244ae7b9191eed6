//! The reference runtime: fleet client, Hermes node, one tool registry.
//!
//! Everything that the runtime can do is a tool of its [`registry`]: name, toolset, JSON Schemas, handler. A caller sees and
//! reaches the tools of its own toolsets and no others. The [`fleet`] part sends work to receivers and takes their replies,
//! and [`session_host`] reaches a host of agent sessions.

pub mod fleet;
pub mod registry;
mod runtime;
pub mod session_host;
pub mod team;

pub use runtime::{Runtime, StartError};
