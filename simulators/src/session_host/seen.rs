//! What somebody who looks over a host's shoulder sees.

use std::fmt;
use std::rc::Rc;

/// Something that a host did because it was asked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it did.
    pub what: Did,
    /// The session.
    pub session: String,
    /// The title of that one.
    pub title: String,
    /// The session that it belongs to.
    pub parent: Option<String>,
    /// The agent: of a prompt the one that is to answer.
    pub agent: Option<String>,
    /// The prompt.
    pub text: Option<String>,
}

/// What a host did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Did {
    /// It made a session.
    Created,
    /// It put a prompt into a history.
    Prompted,
    /// It ended what a session was doing, or was to.
    Aborted,
    /// It removed a session because somebody asked it to.
    Deleted,
}

impl Did {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Did::Created => "created",
            Did::Prompted => "prompted",
            Did::Aborted => "aborted",
            Did::Deleted => "deleted",
        }
    }
}

/// Who looks. Nobody, by default.
#[derive(Clone, Default)]
pub struct Onlooker(Option<Rc<dyn Fn(Seen)>>);

impl Onlooker {
    /// Somebody to whom all of it is told.
    pub fn new(told: impl Fn(Seen) + 'static) -> Self {
        Self(Some(Rc::new(told)))
    }

    pub(super) fn tell(&self, seen: impl FnOnce() -> Seen) {
        if let Some(told) = &self.0 {
            told(seen());
        }
    }
}

impl fmt::Debug for Onlooker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "somebody" } else { "nobody" })
    }
}
