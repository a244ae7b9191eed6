//! The catalogue of requirements.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::{Class, Level};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::scenario::{HERMES, TEAM};

/// A file of requirements.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequirementFile {
    /// The executors of which these requirements speak, unless one says its own. All, if absent.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub executors: Vec<Spanned<String>>,
    /// The requirements, in the order in which reports show them.
    pub requirements: Vec<Requirement>,
}

/// One numbered promise of one role.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The number, for instance `FLEET-AUTH-03`. Stable once published.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// How binding it is.
    pub level: Level,
    /// Who owes it: everyone, those who declare it, or one product line.
    pub class: Class,
    /// Of what is owed when declared: the URI of the extension that declares it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub capability: Option<Spanned<String>>,
    /// The role that it binds: `receiver`, `runtime`, `hermes`, `cli`.
    pub role: Role,
    /// The executors on which it is owed; those of its file if absent, and all if that says none.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub executors: Vec<Spanned<String>>,
    /// The promise, in one sentence.
    pub statement: String,
    /// Where it comes from.
    pub source: String,
    /// Requirements without which this one cannot be judged: when one of them failed in the same cell, this one is
    /// inconclusive there.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub depends_on: Vec<Spanned<String>>,
    /// Whether it is judged in every cell by an oracle of its own, and not by scenarios.
    #[serde(default)]
    pub invariant: bool,
}

impl Requirement {
    /// Whether it is owed on an executor. What everyone owes is owed by receivers, their runtime and their CLIs; a Hermes node
    /// that is the subject itself owes what names it, and so does team mode.
    pub fn is_for(&self, executor: &str) -> bool {
        (self.executors.is_empty() && ![HERMES, TEAM].contains(&executor))
            || self.executors.iter().any(|named| named.value == executor)
    }
}

/// The roles that requirements bind and quirks break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// In front of an executor.
    Receiver,
    /// Dispatches to receivers.
    Runtime,
    /// The node that takes callbacks.
    Hermes,
    /// The executor's command line.
    Cli,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Receiver, Self::Runtime, Self::Hermes, Self::Cli];

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Role::Receiver => "receiver",
            Role::Runtime => "runtime",
            Role::Hermes => "hermes",
            Role::Cli => "cli",
        }
    }
}

/// All requirements, by id and in order.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    by_id: BTreeMap<String, Requirement>,
    order: Vec<String>,
    /// Rows that are newer than the revision that judges.
    pub(super) unscored: BTreeSet<String>,
}

impl Catalogue {
    pub(super) fn add(&mut self, requirement: Requirement) {
        let id = requirement.id.value.clone();
        self.order.push(id.clone());
        self.by_id.insert(id, requirement);
    }

    /// One requirement.
    pub fn get(&self, id: &str) -> Option<&Requirement> {
        self.by_id.get(id)
    }

    /// All of them, in the order of the files.
    pub fn all(&self) -> impl Iterator<Item = &Requirement> {
        self.order.iter().filter_map(|id| self.by_id.get(id))
    }

    /// Whether a row is scored: it is, unless it is newer than the revision that judges.
    pub fn is_scored(&self, id: &str) -> bool {
        !self.unscored.contains(id)
    }

    /// All ids.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// Every requirement that this one rests on, directly or through others.
    pub fn foundations(&self, id: &str) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        let mut open = vec![id];
        while let Some(next) = open.pop() {
            for base in self.get(next).into_iter().flat_map(|requirement| &requirement.depends_on) {
                if !found.contains(&base.value.as_str()) {
                    found.push(&base.value);
                    open.push(&base.value);
                }
            }
        }
        found
    }
}
