//! What differs by executor: arguments, output, and the signs of a dead session. One file a mode.

mod codex;
mod flags;

use std::collections::BTreeMap;

use super::cli::Output;
use super::config::Config;

/// How one executor's CLI is talked to.
pub(super) trait Talk {
    /// The arguments of a turn.
    fn args(
        &self,
        config: &Config,
        role: &str,
        prompt: &str,
        session: Option<&str>,
    ) -> (Vec<String>, Vec<String>);
    /// What the CLI's output says.
    fn read(&self, output: &Output) -> Spoken;
    /// What is added to the CLI's environment.
    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// What a CLI's output says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Spoken {
    /// The answer.
    pub(super) reply: Option<String>,
    /// The session that it ran on.
    pub(super) session: Option<String>,
    /// Whether it says that the session it was to go on with does not exist.
    pub(super) session_is_dead: bool,
}

/// The talk of a mode.
pub(super) fn talk(mode: &str) -> Box<dyn Talk> {
    match mode {
        // The other executors join here, each with a file beside `codex`.
        _ => Box::new(codex::Codex),
    }
}
