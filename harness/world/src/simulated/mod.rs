//! The simulated mechanics: machines in memory, on a paused clock, that can be killed and cut off from power.

pub mod disk;
mod lock;
mod machine;
pub(crate) mod network;
pub(crate) mod pipe;
pub(crate) mod process;
mod slip;
pub(crate) mod world;

pub(crate) use lock::HeldLock;
pub use machine::{Machine, NetworkWeather, Program, program};
pub use process::{Exit, Launch, ProcessState};
pub use slip::{Mistake, Slip};
pub use world::{Crash, Exploration, World, WorldSettings};
