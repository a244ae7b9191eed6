//! CLIs that print plain text, without frames, and in a turn that goes on with a conversation all that its earlier turns printed once
//! more, and then what is new (fleet sheet 3.5). The words of one such CLI are data of its mode: [`Replays`].

mod conversations;
mod dead;
mod output;
mod signs;

pub use conversations::LastConversations;
pub use dead::NotFound;
pub use output::{Replay, TurnOutput};

/// What a receiver must know of a CLI that repeats its conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replays {
    /// The file in which it says which conversation a directory had last, below the home directory.
    pub conversations: &'static str,
    /// What stands around the conversation on the line that says that it does not exist: ASCII, letters of any case.
    pub not_found: (&'static str, &'static str),
    /// The words by which it says that nobody is signed in, in lower case.
    pub signed_out: &'static [&'static str],
}

/// The one CLI that there is, for tests.
#[cfg(test)]
const KNOWN: Replays = crate::agy::REPLAYS;
