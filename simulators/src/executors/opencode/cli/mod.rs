//! opencode: `opencode --version` and `opencode run`, as `opencode run --format json` was recorded.
//!
//! What differs between versions is data ([`OpencodeProfile`]): which arguments are spoken, whether a turn comes to its first
//! event at all, which lines are printed, what happens to an unknown session, how a failing model shows. What is common
//! is here.

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
pub use self::talk::{AsksAgain, Failing, OpencodeProfile, Speech, TurnTalk};

/// Runs one opencode process until it ends, and returns its exit code: 0 for a turn that ended well, also without an answer.
/// Which failure has which code on which version is data, with its source, in the profile.
pub async fn run(
    host: Host,
    profile: &Profile,
    talk: &OpencodeProfile,
    stage: Rc<dyn Stage>,
    injector: Injector,
) -> i32 {
    let asked = arguments::read(&talk.arguments, host.args());
    process::run(host, profile.executor(), &profile.version, asked, stage, injector, async |scene, stdin| {
        let turn = Turn::new(scene, talk);
        (turn.play(stdin).await, turn.session())
    })
    .await
}
