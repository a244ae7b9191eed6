//! Mistakes that a program makes with its disk: what it would be like if its author had not thought of something. They are planted
//! where a search has to find them.

use std::time::Duration;

use crate::touch::Op;

/// A mistake, made each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Whose.
    pub host: String,
    /// The end of the path on which it is made. Absent: any.
    pub target: Option<String>,
    /// What is done wrong.
    pub mistake: Mistake,
}

/// What is done wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// This call does nothing and says that it did. Those that make a file or a directory durable can be forgotten.
    Forgets(Op),
    /// A file that is to be replaced whole gets its new name first and its content then.
    RenamesFirst,
    /// What is to be added durably is added so much later, and whoever adds it goes on at once.
    AddsLater(Duration),
}

impl Slip {
    /// What this host does wrong on this path, if it is this slip's affair.
    pub(crate) fn of(&self, host: &str, target: &str) -> Option<Mistake> {
        let is_meant = self.host == host && self.target.as_deref().is_none_or(|end| target.ends_with(end));
        is_meant.then_some(self.mistake)
    }
}
