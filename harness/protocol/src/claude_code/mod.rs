//! What `claude -p --output-format stream-json` prints: one JSON frame a line (fact sheet 3.2, recordings of 1.0.128, 2.0.0 and
//! 2.1.330).
//!
//! 1.0.100 was not recorded to print any: it refuses the receiver's arguments.

mod account;
mod frame;
mod mode;
mod output;
mod session;

pub use account::{last_step, used};
pub use frame::{Frame, FrameKind};
pub use mode::MODE;
pub use output::TurnOutput;
pub use session::{says_session_in_use, says_session_not_found, session_id};
