//! What `opencode run --format json` prints: one JSON event a line (fact sheet 3.3, recordings of 1.15.13 and 1.18.33).
//!
//! 1.0.0 was not recorded to print any: it refuses the receiver's arguments, or fails before its first event.

mod account;
mod dead_session;
mod event;
mod mode;
mod output;

pub use account::{last_step, used};
pub use dead_session::says_session_not_found;
pub use event::{Event, EventKind, Tokens};
pub use mode::MODE;
pub use output::TurnOutput;
