//! Where each thing that has a name is written.

use std::collections::BTreeMap;
use std::fmt;

use super::source::SourceFile;

/// The kinds of things that data files name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A numbered promise.
    Requirement,
    /// A story.
    Scenario,
    /// A deviation of a peer.
    Quirk,
    /// Misbehaviour of the world.
    Fault,
    /// A version of an executor's CLI.
    Profile,
    /// A version of a receiver.
    Release,
    /// A kind of agent behind a receiver.
    Executor,
    /// An item of the roadmap.
    RoadmapItem,
    /// A frozen list of requirements.
    Revision,
}

/// A line of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as error messages name it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// Whether the binary carries the file; else it is a user's own.
    pub embedded: bool,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// The places of all things, by kind and id.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<(Kind, String), Place>);

impl Places {
    /// Where a thing is written.
    pub fn of(&self, kind: Kind, id: &str) -> Option<&Place> {
        self.0.get(&(kind, id.to_owned()))
    }

    pub(super) fn note(&mut self, kind: Kind, id: &str, file: &SourceFile, line: u64) {
        let place = Place { file: file.name.clone(), line: line.max(1), embedded: file.embedded };
        self.0.insert((kind, id.to_owned()), place);
    }
}
