//! Claude Code: `claude --version` and `claude -p`, as `--output-format stream-json` was recorded.
//!
//! What differs between versions is data ([`ClaudeCodeProfile`]): which arguments are spoken, which frames are printed, what
//! happens to a session that is not there or there already, how a failing model shows. What is common is here.

mod arguments;
mod home;
mod talk;
mod turn;

use std::rc::Rc;

use gauntlet_world::Host;

use self::turn::Turn;
use crate::cli::process;
use crate::cli::profile::Profile;
use crate::stage::Stage;
use gauntlet_world::injection::Injector;

pub use self::arguments::Arguments;
pub use self::talk::{ClaudeCodeProfile, CommandTalk, Counting, Failing, Recovery, Speech};

/// Runs one Claude Code process until it ends, and returns its exit code: 0 for a turn that ended, also for one whose last
/// frame tells of an error; 1 for a session that cannot be had and for a line that is not understood.
pub async fn run(
    host: Host,
    profile: &Profile,
    talk: &ClaudeCodeProfile,
    stage: Rc<dyn Stage>,
    injector: Injector,
) -> i32 {
    let asked = arguments::read(&talk.arguments, talk.speech.is_some(), host.args());
    let version = format!("{} (Claude Code)", profile.version);
    process::run(host, profile.executor(), &version, asked, stage, injector, async |scene, _stdin| {
        match &talk.speech {
            Some(speech) => {
                let turn = Turn::new(scene, speech);
                (turn.play().await, turn.session())
            }
            // Such a turn was refused when its arguments were read.
            None => (Ok(1), None),
        }
    })
    .await
}
