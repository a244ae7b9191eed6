//! What team mode needs of whoever runs the agents' sessions (team sheet 13): a session host, and what starts agents in the background.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use serde_json::Value;

use super::Team;

/// An answer that is awaited.
pub type Answer<T> = Pin<Box<dyn Future<Output = T>>>;

/// What is put into a session from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The session.
    pub session: String,
    /// The text.
    pub text: String,
    /// The agent that is to read it.
    pub agent: Option<String>,
    /// Its model.
    pub model: Option<Value>,
    /// Its folder.
    pub directory: Option<String>,
}

/// What became of a prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prompted {
    /// The session has it.
    Accepted,
    /// The session does not have it.
    Refused(String),
    /// The session may have it, or not: it was sent, and this came instead of an answer.
    Unclear(String),
}

impl Prompted {
    /// What failed and said this, once it was sent (team sheet 6.6): some failures of the answer say nothing of the prompt.
    pub fn failed_with(said: &str) -> Self {
        let signs = ["unexpected eof", "json parse error", "unexpected end of json input", "timed out"];
        let lower = said.to_lowercase();
        if signs.iter().any(|sign| lower.contains(sign)) {
            return Self::Unclear(said.to_owned());
        }
        Self::Refused(said.to_owned())
    }
}

/// What a session has in its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum History {
    /// Nobody can tell: the host has no such interface.
    Unavailable,
    /// It was not told this time.
    Failed(String),
    /// All its messages, as one text.
    Text(String),
}

/// A member that is to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// What it is called in the list of background tasks.
    pub description: String,
    /// What it is told.
    pub prompt: String,
    /// The agent.
    pub agent: String,
    /// Its category.
    pub category: Option<String>,
    /// The session that it belongs to.
    pub parent_session: String,
    /// The message that it belongs to.
    pub parent_message: String,
    /// The run.
    pub team_run: String,
    /// Its folder.
    pub directory: Option<String>,
}

/// A member that was started.
#[derive(Debug, Clone, PartialEq)]
pub struct Launched {
    /// The task that it runs in.
    pub task: String,
    /// The agent that it runs, as the host resolved it.
    pub agent: Option<String>,
    /// Its model, as the host resolved it.
    pub model: Option<Value>,
}

/// A task in the background.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Background {
    /// Its id.
    pub task: String,
    /// The run of a team that it belongs to.
    pub team_run: Option<String>,
    /// The message that it belongs to.
    pub parent_message: Option<String>,
    /// Whether it has not come to its end.
    pub works: bool,
}

/// Why a task is cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancel {
    /// Who does so.
    pub source: &'static str,
    /// Why.
    pub reason: String,
    /// Whether its parent is told.
    pub notifies: bool,
}

/// What is called as soon as the session of a member exists, before it is told anything (TEAM-CREATE-11).
pub type KnownSession = Rc<dyn Fn(&str)>;

/// Whoever runs the sessions.
pub trait Sessions {
    /// Whether there is such a session. An error is no answer: what cannot be looked up is not missing (TEAM-RES-05).
    fn exists(&self, session: &str) -> Answer<Result<bool, String>>;
    /// Whether a session works right now. What cannot be looked up does not.
    fn is_active(&self, session: &str) -> Answer<bool>;
    /// What a session has in its history.
    fn history(&self, session: &str) -> Answer<History>;
    /// Puts a prompt into a session; nothing when the host cannot do so.
    fn prompt(&self, prompt: Prompt) -> Option<Answer<Prompted>>;
    /// Starts an agent in the background.
    fn launch(&self, launch: Launch, known: KnownSession) -> Answer<Result<Launched, String>>;
    /// The session of a task; nothing as long as it has none. An error: it will never have one.
    fn session_of(&self, task: &str) -> Answer<Result<Option<String>, String>>;
    /// The tasks that belong to a session.
    fn tasks(&self, parent_session: &str) -> Answer<Vec<Background>>;
    /// Ends a task.
    fn cancel(&self, task: &str, why: Cancel) -> Answer<Result<(), String>>;
    /// Tells a team what happens to sessions, without end; nothing where somebody else does.
    fn watch(&self, _team: &Team) -> Option<Answer<()>> {
        None
    }
}

/// Stands where there is nobody who runs sessions.
pub(crate) struct Nobody;

const NOBODY: &str = "there is no session host";

impl Sessions for Nobody {
    fn exists(&self, _session: &str) -> Answer<Result<bool, String>> {
        Box::pin(async { Err(NOBODY.to_owned()) })
    }

    fn is_active(&self, _session: &str) -> Answer<bool> {
        Box::pin(async { false })
    }

    fn history(&self, _session: &str) -> Answer<History> {
        Box::pin(async { History::Failed(NOBODY.to_owned()) })
    }

    fn prompt(&self, _prompt: Prompt) -> Option<Answer<Prompted>> {
        None
    }

    fn launch(&self, _launch: Launch, _known: KnownSession) -> Answer<Result<Launched, String>> {
        Box::pin(async { Err(NOBODY.to_owned()) })
    }

    fn session_of(&self, _task: &str) -> Answer<Result<Option<String>, String>> {
        Box::pin(async { Err(NOBODY.to_owned()) })
    }

    fn tasks(&self, _parent_session: &str) -> Answer<Vec<Background>> {
        Box::pin(async { Vec::new() })
    }

    fn cancel(&self, _task: &str, _why: Cancel) -> Answer<Result<(), String>> {
        Box::pin(async { Err(NOBODY.to_owned()) })
    }
}
