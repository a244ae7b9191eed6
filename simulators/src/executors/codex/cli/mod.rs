//! The codex CLI: `codex --version`, `codex exec`, `codex exec resume`, as `codex exec --json` was recorded.
//!
//! What differs between versions is data ([`CodexProfile`]): which arguments are spoken, which lines are printed, whether
//! standard input is read, what happens to an unknown thread, how a failing model shows. What is common is here.

mod arguments;
mod home;
mod refusal;
mod shell;
mod talk;
mod turn;

use std::rc::Rc;

use gauntlet_world::Host;

use self::turn::Turn;
use crate::cli::process;
use crate::cli::profile::Profile;
use crate::stage::Stage;
use gauntlet_world::injection::Injector;

pub use self::arguments::{Arguments, CommandGrammar};
pub use self::talk::{CodexProfile, CommandTalk, Failing, StdinTalk, TokensPerCall, TurnKind, UnknownThread};

/// Runs one codex process until it ends. Returns its exit code: 0 for a turn that ended well, also without an answer; 1 for a
/// failed turn; 2 for wrong usage. Which failure has which code on which version is data, with its source, in the profile.
pub async fn run(
    host: Host,
    profile: &Profile,
    talk: &CodexProfile,
    stage: Rc<dyn Stage>,
    injector: Injector,
) -> i32 {
    let asked = arguments::read(&talk.arguments, host.args());
    let version = format!("codex-cli {}", profile.version);
    process::run(host, profile.executor(), &version, asked, stage, injector, async |scene, stdin| {
        let turn = Turn::new(scene, talk);
        (turn.play(stdin).await, turn.session())
    })
    .await
}
