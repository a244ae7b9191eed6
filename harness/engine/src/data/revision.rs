//! Revisions of the catalogue: frozen lists of the requirements that there were, each with its level and class then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use gauntlet_reports::{Class, Level};
use gauntlet_world::injection::Quirk;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::catalogue::Catalogue;
use super::{Library, nearest};
use crate::data::place::Kind;

/// A frozen list. Once published it is never changed; what changes later is in the next one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The name, for instance `2026-11`.
    #[schemars(with = "String")]
    pub revision: Spanned<String>,
    /// The day on which it was cut, as `YYYY-MM-DD`.
    pub date: String,
    /// The requirements.
    pub requirements: BTreeMap<String, Frozen>,
}

/// How binding a requirement was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Frozen {
    /// Its level.
    pub level: Level,
    /// Who owed it.
    pub class: Class,
}

/// What the catalogue has become since its newest revision, by ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Rows that it does not list.
    #[serde(default)]
    pub added: BTreeSet<String>,
    /// Rows whose level or class was another one.
    #[serde(default)]
    pub changed: BTreeSet<String>,
    /// Rows that it lists and that are no more.
    #[serde(default)]
    pub withdrawn: BTreeSet<String>,
}

impl Difference {
    /// Whether the catalogue is what was frozen.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.withdrawn.is_empty()
    }

    /// As the file `catalogue/unreleased.yaml`.
    pub fn yaml(&self) -> String {
        let mut text = String::from(
            "# What the catalogue has become since its newest revision. `gauntlet catalogue unreleased` prints it.\n",
        );
        for (name, ids) in
            [("added", &self.added), ("changed", &self.changed), ("withdrawn", &self.withdrawn)]
        {
            if ids.is_empty() {
                let _ = writeln!(text, "{name}: []");
                continue;
            }
            let _ = writeln!(text, "{name}:");
            ids.iter().for_each(|id| {
                let _ = writeln!(text, "  - {id}");
            });
        }
        text
    }
}

impl Revision {
    /// What the rows that the binary carries have become since. A user's own are in no revision.
    pub fn difference(&self, library: &Library) -> Difference {
        let mut difference = Difference::default();
        let now: BTreeMap<&str, Frozen> = embedded(library);
        for (id, frozen) in &now {
            match self.requirements.get(*id) {
                None => difference.added.insert((*id).to_owned()),
                Some(then) if then != frozen => difference.changed.insert((*id).to_owned()),
                Some(_) => false,
            };
        }
        let is_gone = |id: &&String| !now.contains_key(id.as_str());
        difference.withdrawn = self.requirements.keys().filter(is_gone).cloned().collect();
        difference
    }
}

/// The catalogue as a revision file: what `gauntlet catalogue freeze` prints.
pub fn freeze(library: &Library, revision: &str, date: &str) -> String {
    let mut text = format!(
        "# A frozen list: never changed once it is published. Made by `gauntlet catalogue freeze`.\n\
         revision: \"{revision}\"\ndate: \"{date}\"\nrequirements:\n"
    );
    for (id, Frozen { level, class }) in embedded(library) {
        let _ = writeln!(text, "  {id}: {{ level: {level}, class: {class} }}");
    }
    text
}

fn embedded(library: &Library) -> BTreeMap<&str, Frozen> {
    let is_embedded = |id: &str| library.places.of(Kind::Requirement, id).is_none_or(|place| place.embedded);
    let rows = library.catalogue.all().filter(|row| is_embedded(&row.id.value));
    rows.map(|row| (row.id.value.as_str(), Frozen { level: row.level, class: row.class })).collect()
}

/// No revision has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("expected a revision of the catalogue ({known}); found {found:?}")]
pub struct UnknownRevision {
    known: String,
    found: String,
    #[help]
    help: Option<String>,
}

impl Library {
    /// The revision that was cut last.
    pub fn newest_revision(&self) -> Option<&Revision> {
        let all = self.revisions.values().map(|revision| &**revision);
        all.max_by_key(|revision| (&revision.date, &revision.revision.value))
    }

    /// What judges, as reports name it: the revision that was asked for; else the newest one, with `+unreleased` when the catalogue
    /// is not quite that.
    pub fn revision_name(&self) -> String {
        if let Some(revision) = &self.judged_by {
            return revision.clone();
        }
        match self.newest_revision() {
            Some(newest) if newest.difference(self).is_empty() => newest.revision.value.clone(),
            Some(newest) => format!("{}+unreleased", newest.revision.value),
            None => "unreleased".to_owned(),
        }
    }

    /// The same data, judged by an older list: levels and classes are those of then, and rows that it does not have are judged
    /// without being scored.
    pub fn judged_by(mut self, revision: &str) -> Result<Self, UnknownRevision> {
        let Some(then) = self.revisions.get(revision).cloned() else {
            let known: Vec<&str> = self.revisions.keys().map(String::as_str).collect();
            return Err(UnknownRevision {
                help: nearest(revision, known.iter().copied()).map(|near| format!("did you mean {near:?}?")),
                known: known.join(", "),
                found: revision.to_owned(),
            });
        };
        let newer: BTreeSet<String> = then.difference(&self).added;
        self.catalogue = judged(&self.catalogue, &then, &newer);
        // A quirk that names a newer row says of an older one what is true beside that row only, so it crosses no cell.
        for quirk in self.quirks.values_mut() {
            if quirk.violates.iter().any(|id| newer.contains(id)) {
                *quirk = Arc::new(Quirk { violates: Vec::new(), ..(**quirk).clone() });
            }
        }
        for profile in self.profiles.values_mut() {
            if profile.breaks.keys().any(|id| newer.contains(id)) {
                let mut without = (**profile).clone();
                without.breaks.retain(|id, _| !newer.contains(id));
                *profile = Arc::new(without);
            }
        }
        for release in self.releases.values_mut() {
            let mut without = (**release).clone();
            without.breaks.retain(|id, _| !newer.contains(id));
            for before in without.executors.values_mut() {
                before.breaks.retain(|id, _| !newer.contains(id));
            }
            *release = Arc::new(without);
        }
        self.judged_by = Some(then.revision.value.clone());
        Ok(self)
    }
}

/// The catalogue as a revision judges by it.
fn judged(catalogue: &Catalogue, then: &Revision, newer: &BTreeSet<String>) -> Catalogue {
    let mut judged = Catalogue::default();
    for row in catalogue.all() {
        let mut row = row.clone();
        if let Some(frozen) = then.requirements.get(&row.id.value) {
            (row.level, row.class) = (frozen.level, frozen.class);
            // A row that nobody owed then cannot excuse one that was owed; what that one rests on still can.
            let scored: Vec<&str> = catalogue
                .foundations(&row.id.value)
                .into_iter()
                .filter(|base| !newer.contains(*base))
                .collect();
            if row.depends_on.iter().any(|base| newer.contains(&base.value)) {
                let every_base = catalogue.all().filter(|base| scored.contains(&base.id.value.as_str()));
                row.depends_on = every_base.map(|base| base.id.clone()).collect();
            }
        }
        judged.add(row);
    }
    judged.unscored = newer.clone();
    judged
}
