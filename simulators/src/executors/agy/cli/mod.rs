//! The Google Antigravity CLI: `agy --help` and `agy --print`.
//!
//! No version of it was recorded. Everything here is made from what a receiver of the product line relies on (fleet sheet 3.5 and 3.6):
//! plain text, a replay of the conversation before each later answer, a warning and a fresh conversation in place of one that is not
//! there, and a file that names the last conversation of each directory. What nobody wrote down is data in the profile, and says so
//! there.

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
pub use self::talk::{AgyProfile, Limit};

/// Runs one process of it until it ends, and returns its exit code: 0 for a turn that ended, else what the profile says.
pub async fn run(
    host: Host,
    profile: &Profile,
    talk: &AgyProfile,
    stage: Rc<dyn Stage>,
    injector: Injector,
) -> i32 {
    let asked = arguments::read(&talk.arguments, host.args());
    process::run(host, profile.executor(), &talk.help, asked, stage, injector, async |scene, _stdin| {
        let turn = Turn::new(scene, talk);
        (turn.play().await, turn.session())
    })
    .await
}
