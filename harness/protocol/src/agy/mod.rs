//! What `agy --print` prints, and what it leaves in its home (fleet sheet 3.5). None of it was recorded: everything here is made
//! from the sheet.
//!
//! The output is plain text, without frames. A turn that goes on with a conversation prints all that the earlier turns printed once
//! more, and then what is new.

mod conversations;
mod dead;
mod mode;
mod output;
mod signs;

pub use conversations::{LAST_CONVERSATIONS, LastConversations};
pub use dead::{NotFound, conversation_not_found};
pub use mode::MODE;
pub use output::{Replay, TurnOutput};
pub use signs::says_signed_out;
