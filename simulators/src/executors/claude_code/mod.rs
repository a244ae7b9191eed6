//! Claude Code: its stand-in, the receiver in front of it, and what reads its recordings.

pub mod cli;
mod receiver;
mod recorder;

use super::Recorder;
use crate::receiver::talk::Talk;

pub(super) use self::cli::{ClaudeCodeProfile as Profile, run};

pub(super) const TALK: &dyn Talk = &receiver::ClaudeCode;
pub(super) const RECORDER: Recorder = Recorder::Tells(recorder::talk);
