//! The mailbox of each member (team sheet 6): [`message`] what a message is, [`inbox`] the files and their slots, [`envelope`] how a
//! session sees it, [`send`] writing and live delivery, [`turns`] mail at a turn, [`idle`] what was read is put away.

mod envelope;
mod idle;
mod inbox;
mod message;
mod send;
mod turns;

pub(crate) use idle::{Idles, SAME};
pub(crate) use inbox::Inbox;
pub(crate) use message::{Kind, correlation, references};
pub(crate) use send::Outgoing;
