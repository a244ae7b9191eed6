//! Machine, Host and the ports through which anything in a cell reaches outside; their real and their simulated mechanics.
//!
//! Everything that lives in a cell is an `async fn(Host, …)`. A [`Host`] is one process on one machine: environment, working
//! directory, pid, incarnation, and five ports: [`clock`](Host::clock), [`network`](Host::network),
//! [`processes`](Host::processes), [`disk`](Host::disk) and [`entropy`](Host::entropy). The same function runs over the
//! simulated mechanics (in memory, paused clock, faults and crashes on command) and over the real ones (sockets, processes,
//! files, wall clock).
//!
//! Two crashes exist in the simulated mechanics. `kill` ends one process at once: completed writes stay, its children live
//! on. `power_cut` ends every process of the machine, and what was not synced is lost, kept or torn.
//!
//! Every port call passes the scheduler point ([`touch`]), which counts it against a budget, lets a fault bite before or
//! after its effect, and, in exploration, lets other tasks run first.
//!
//! [`injection`] holds the points where a quirk makes one role deviate: the runtime and the simulators pass what they are about to do
//! through it, without seeing each other.

pub mod clock;
pub mod disk;
pub mod entropy;
pub mod fault;
pub mod host;
pub mod http;
pub mod injection;
mod life;
pub mod network;
pub mod process;
mod race;
mod real;
pub mod simulated;
pub mod touch;
pub mod trial;

pub use clock::WallTime;
pub use host::{Host, Identity, Task};
pub use race::{Either, race};
pub use simulated::{Machine, World, WorldSettings};
