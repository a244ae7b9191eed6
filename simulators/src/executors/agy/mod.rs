//! The Google Antigravity CLI: its stand-in, the receiver in front of it, and what reads its recordings.

pub mod cli;
mod receiver;

use super::Recorder;
use crate::receiver::talk::Talk;

pub(super) use self::cli::{AgyProfile as Profile, run};

pub(super) const TALK: &dyn Talk = &receiver::Agy;
/// Why nothing of its recordings can be made a profile.
pub(super) const RECORDER: Recorder = Recorder::Mute(
    "whose CLI prints its answers as plain text, so that no recording tells how it talks; its profile is written by hand from what \
     receivers rely on",
);
