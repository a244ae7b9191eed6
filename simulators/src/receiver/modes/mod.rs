//! What differs by executor: arguments, output, and the signs of a dead session. One file a mode.

mod codex;
mod flags;
mod opencode;

use std::collections::BTreeMap;

use gauntlet_protocol::fleet::Mode;

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

/// Who talks to the CLI of which mode. The other executors join here, each with a file beside `codex`.
const TALKS: &[(&str, &dyn Talk)] = &[("codex", &codex::Codex), ("opencode", &opencode::Opencode)];

/// The talk of a mode.
pub(super) fn talk(mode: &Mode) -> &'static dyn Talk {
    TALKS.iter().find(|(name, _)| *name == mode.name).map_or(&codex::Codex, |(_, talk)| *talk)
}

#[cfg(test)]
mod tests {
    use gauntlet_protocol::fleet::MODES;

    use super::TALKS;

    #[test]
    fn every_mode_has_a_talk_of_its_own() {
        let talks: Vec<&str> = TALKS.iter().map(|(name, _)| *name).collect();
        let modes: Vec<&str> = MODES.iter().map(|mode| mode.name).collect();
        assert_eq!(talks, modes);
    }
}
