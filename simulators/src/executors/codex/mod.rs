//! The Codex CLI: its stand-in, the receiver in front of it, and what reads its recordings.

pub mod cli;
mod receiver;
mod recorder;

use super::Recorder;
use crate::receiver::talk::Talk;

pub(super) use self::cli::{CodexProfile as Profile, run};

pub(super) const TALK: &dyn Talk = &receiver::Codex;
pub(super) const RECORDER: Recorder = Recorder::Tells(recorder::talk);
