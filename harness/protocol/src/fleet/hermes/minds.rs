//! Who answers for a Hermes node: the gateway's agent, or a model without tools. Both are given to it by whoever runs it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

/// An answer that is being thought of.
type Thinking<T> = Pin<Box<dyn Future<Output = T>>>;

/// The way to the gateway's agent.
pub type Agent = Rc<dyn Fn(AgentTurn) -> Thinking<AgentAnswer>>;

/// The way to a model.
pub type Model = Rc<dyn Fn(ModelCall) -> Thinking<ModelAnswer>>;

/// What the agent is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentTurn {
    /// The gateway's session, apart from those of local turns: see [`session_key`].
    pub session: String,
    /// The context that the session stands for.
    pub context: String,
    /// Who speaks.
    pub peer: String,
    /// What is said.
    pub text: String,
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentAnswer {
    /// Its reply; none is none.
    Reply(Option<String>),
    /// The gateway takes no turn now: why.
    Refuses(String),
    /// The turn went wrong: how.
    Fails(String),
}

/// What the model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCall {
    /// The instructions, then what was said so far, then what is new.
    pub messages: Vec<Said>,
    /// How long the answer may be.
    pub max_tokens: u64,
    /// How freely it may answer.
    pub temperature: f64,
}

/// One message of a conversation with a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// `system`, `user` or `assistant`.
    pub role: &'static str,
    /// What was said.
    pub content: String,
}

impl Said {
    /// Something that somebody said.
    pub fn by(role: &'static str, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

/// What the model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelAnswer {
    /// Its answer.
    Reply(String),
    /// Nobody lets it be called.
    NoProvider,
    /// The call went wrong: how.
    Fails(String),
}

/// The gateway's session for a context: a namespace of its own, so that no local session can be meant (fleet sheet 4.3).
pub fn session_key(context: &(impl fmt::Display + ?Sized)) -> String {
    format!("agent:main:a2a_fleet:dm:{context}")
}
