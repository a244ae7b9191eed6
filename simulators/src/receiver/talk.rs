//! What differs by executor: arguments, output, and the signs of a dead session. Each does it in the `receiver.rs` of its folder.

use std::collections::BTreeMap;
use std::time::Duration;

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::extension::usage::Reading;
use gauntlet_protocol::step::Step;

use super::account::Account;
use super::cli::Output;
use super::config::Config;
use crate::executors;

/// How one executor's CLI is talked to.
pub(crate) trait Talk {
    /// The arguments of a turn.
    fn args(&self, ask: &Ask<'_>) -> (Vec<String>, Vec<String>);
    /// What the CLI's output says.
    fn read(&self, heard: &Heard<'_>) -> Spoken;
    /// The session to try once more when the CLI says that this one was wrong, where `None` is a new one; nothing when there
    /// is no other.
    fn other_session(&self, context: &str, session: Option<&str>) -> Option<Option<String>> {
        let _ = context;
        session.is_some().then_some(None)
    }
    /// The session of a context, where it follows from the context.
    fn derived_session(&self, context: &str) -> Option<String> {
        let _ = context;
        None
    }
    /// A file of the repository that is passed on when it holds JSON.
    fn tools_file(&self) -> Option<&'static str> {
        None
    }
    /// Whether the task stands alone where options can stand, so that one which begins with a dash would be taken for some.
    fn takes_a_dash_for_an_option(&self) -> bool {
        false
    }
    /// Whether the usual places of programs are added to the CLI's search path (FLEET-ENV-01).
    fn adds_usual_places(&self) -> bool {
        true
    }
    /// When a turn is killed, counted from its start.
    fn cap(&self, config: &Config) -> Duration {
        config.turn_cap
    }
    /// The argument by which it is found out whether the CLI is there.
    fn probe(&self) -> &'static str {
        "--version"
    }
    /// What its output tells of what the turn used.
    fn account(&self, stdout: &[u8]) -> Account {
        let _ = stdout;
        Account::OfTurn(Reading::default())
    }
    /// The last completed step that its output tells of, if it is made of steps.
    fn last_step(&self, stdout: &[u8]) -> Option<Step> {
        let _ = stdout;
        None
    }
    /// What is added to the CLI's environment.
    fn environment(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// What a turn is made of.
pub(crate) struct Ask<'a> {
    /// The configuration.
    pub(crate) config: &'a Config,
    /// The text put before each prompt.
    pub(crate) role: &'a str,
    /// What the dispatch says, as it came.
    pub(crate) prompt: &'a str,
    /// The context of the dispatch.
    pub(crate) context: &'a str,
    /// The session that is to go on; a new one when absent.
    pub(crate) session: Option<&'a str>,
    /// The path of the mode's file of tools, when there is a usable one.
    pub(crate) tools: Option<&'a str>,
    /// Whether the prompt is given apart from the options, since it would be taken for some.
    pub(crate) apart: bool,
}

/// What a run of the CLI gave, and who reads it.
pub(crate) struct Heard<'a> {
    /// The mode, with its reply texts.
    pub(crate) mode: &'a Mode,
    /// What the CLI printed, and how it ended.
    pub(crate) output: &'a Output,
}

/// What a CLI's output says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Spoken {
    /// What is to be delivered: the answer, or what stands in its place.
    pub(crate) reply: Option<String>,
    /// Whether the CLI gave an answer.
    pub(crate) answered: bool,
    /// The first of several answers.
    pub(crate) first: Option<String>,
    /// Whether the answer is what the CLI says at its very end, where it has words for that.
    pub(crate) from_result: bool,
    /// Why the CLI says that it failed, where that is delivered.
    pub(crate) failure: Option<String>,
    /// The session that it ran on.
    pub(crate) session: Option<String>,
    /// Whether it says that it could not begin, since the session that it was to go on with does not exist, or the one that it
    /// was to begin does.
    pub(crate) wrong_session: bool,
    /// Whether the reply has words in it by which the CLI says so.
    pub(crate) quotes_dead_session: bool,
}

impl dyn Talk {
    /// How the CLI of a mode is talked to; nothing when its executor is not known here.
    pub(super) fn of(mode: &Mode) -> Option<&'static Self> {
        executors::named(mode.name).map(|executor| executor.talk)
    }
}
