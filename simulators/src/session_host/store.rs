//! The sessions of a host. They outlive its process, as they do where they are in a database.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

/// All sessions of a host. Cloning gives another handle: a host that is started again with it knows what the last one knew.
#[derive(Clone, Default)]
pub struct Store(Rc<RefCell<Vec<Session>>>);

/// A prompt that reached a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Its session.
    pub session: String,
    /// The title of that one.
    pub title: String,
    /// The agent that was to answer.
    pub agent: String,
    /// The prompt.
    pub text: String,
}

#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) slug: String,
    pub(super) parent: Option<String>,
    pub(super) title: String,
    pub(super) agent: Option<String>,
    /// A first prompt chose its model.
    pub(super) has_model: bool,
    /// A first turn counted what it changed.
    pub(super) has_summary: bool,
    pub(super) created: i64,
    pub(super) updated: i64,
    /// Tokens read and written.
    pub(super) tokens: (u64, u64),
    pub(super) messages: Vec<Message>,
    /// Prompts that a member took up.
    pub(super) turns: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) created: i64,
    pub(super) said: Said,
}

#[derive(Debug, Clone)]
pub(super) enum Said {
    /// What a prompt said.
    Asked { part: String, text: String, has_summary: bool, is_answered: bool },
    /// What a member said to it.
    Answered { to: String, completed: Option<i64>, reply: Option<Reply>, error: Option<Value> },
}

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) start_part: String,
    pub(super) text_part: String,
    pub(super) finish_part: String,
    pub(super) text: String,
    pub(super) time: (i64, i64),
}

impl Store {
    pub(super) fn add(&self, session: Session) {
        self.0.borrow_mut().push(session);
    }

    pub(super) fn get(&self, id: &str) -> Option<Session> {
        self.0.borrow().iter().find(|session| session.id == id).cloned()
    }

    /// Changes a session, if there is one.
    pub(super) fn change<T>(&self, id: &str, change: impl FnOnce(&mut Session) -> T) -> Option<T> {
        self.0.borrow_mut().iter_mut().find(|session| session.id == id).map(change)
    }

    /// Latest first, as the host lists them.
    pub(super) fn latest_first(&self) -> Vec<Session> {
        let mut all = self.0.borrow().clone();
        all.reverse();
        all.sort_by_key(|session| std::cmp::Reverse(session.updated));
        all
    }

    pub(super) fn children(&self, of: &str) -> Vec<Session> {
        self.0.borrow().iter().filter(|session| session.parent.as_deref() == Some(of)).cloned().collect()
    }

    pub(super) fn remove(&self, id: &str) -> Option<Session> {
        let mut all = self.0.borrow_mut();
        let at = all.iter().position(|session| session.id == id)?;
        Some(all.remove(at))
    }

    /// A session that was there before its host began: with this id, which begins with `ses`, this title, and the agent that it runs.
    pub fn begin_with(&self, id: &str, title: &str, agent: Option<&str>) {
        self.add(Session {
            id: id.to_owned(),
            slug: "brave-sailor".to_owned(),
            parent: None,
            title: title.to_owned(),
            agent: agent.map(str::to_owned),
            has_model: false,
            has_summary: false,
            created: 0,
            updated: 0,
            tokens: (0, 0),
            messages: Vec::new(),
            turns: 0,
        });
    }

    /// The ids and titles of all sessions, in the order in which they were made.
    pub fn sessions(&self) -> Vec<(String, String)> {
        self.0.borrow().iter().map(|session| (session.id.clone(), session.title.clone())).collect()
    }

    /// The prompts in the histories of the sessions that there are.
    pub fn heard(&self) -> Vec<Heard> {
        let all = self.0.borrow();
        let of = |session: &Session, message: &Message| match &message.said {
            Said::Asked { text, .. } => Some(Heard {
                session: session.id.clone(),
                title: session.title.clone(),
                agent: message.agent.clone(),
                text: text.clone(),
            }),
            Said::Answered { .. } => None,
        };
        all.iter()
            .flat_map(|session| session.messages.iter().filter_map(move |message| of(session, message)))
            .collect()
    }
}
