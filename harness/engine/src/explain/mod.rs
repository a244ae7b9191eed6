//! Everything that is known of one thing, by its name: what it says, who judges it, what breaks it, and where it is written.

mod judging;
mod peers;
mod planning;
mod stories;

use gauntlet_reports::Explanation;

use crate::data::place::Kind;
use crate::data::{Library, nearest};
use crate::results::Results;

/// What explanations are made of.
pub struct Explainer<'a> {
    library: &'a Library,
    results: Option<&'a Results>,
}

/// Nothing has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error(
    "expected the name of a requirement, scenario, quirk, fault, profile, release, executor, roadmap item, revision, injection \
     point or cell; found {found:?}"
)]
pub struct UnknownThing {
    found: String,
    #[help]
    help: Option<String>,
}

impl<'a> Explainer<'a> {
    /// Explains what is in the library, with the last results where there are some.
    pub fn new(library: &'a Library, results: Option<&'a Results>) -> Self {
        Self { library, results }
    }

    /// All that has this name: one thing mostly, but different kinds can share a name.
    pub fn explain(&self, id: &str) -> Result<Vec<Explanation>, UnknownThing> {
        let found: Vec<Explanation> = [
            self.requirement(id),
            self.scenario(id),
            self.quirk(id),
            self.fault(id),
            self.profile(id),
            self.release(id),
            self.executor(id),
            self.roadmap_item(id),
            self.revision(id),
            self.point(id),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !found.is_empty() {
            return Ok(found);
        }
        // To look for a cell, all of them are planned, which takes a moment.
        if id.contains('@')
            && id.contains('#')
            && let Some(cell) = self.cell(id)
        {
            return Ok(vec![cell]);
        }
        let names = self.names();
        let help =
            nearest(id, names.iter().map(String::as_str)).map(|near| format!("did you mean {near:?}?"));
        let help = help.or_else(|| Some("`gauntlet list` shows what there is".to_owned()));
        Err(UnknownThing { found: id.to_owned(), help })
    }

    /// Every name but those of cells.
    pub fn names(&self) -> Vec<String> {
        let library = self.library;
        let mut names: Vec<String> = library.catalogue.ids().map(str::to_owned).collect();
        names.extend(library.scenarios.keys().cloned());
        names.extend(library.quirks.keys().chain(library.faults.keys()).cloned());
        names.extend(library.profiles.keys().map(|(executor, version)| format!("{executor}-{version}")));
        names.extend(library.releases.keys().chain(library.executors.keys()).cloned());
        names.extend(library.roadmap.iter().map(|item| item.id.value.clone()));
        names.extend(library.revisions.keys().cloned());
        names.extend(peers::points().into_keys());
        names
    }

    /// An explanation with nothing in it but where the thing is written.
    fn begin(&self, what: &str, kind: Kind, id: &str) -> Explanation {
        let place = self.library.places.of(kind, id);
        Explanation::new(what, id, place.map(|place| (place.file.clone(), place.line)))
    }

    /// A requirement by its id, with its statement behind it.
    fn stated(&self, id: &str) -> String {
        match self.library.catalogue.get(id) {
            Some(row) => format!("{id} ({}, {}): {}", row.level, row.role.name(), row.statement),
            None => id.to_owned(),
        }
    }
}

/// A value as it would stand in a file.
fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The names, or that there is no limit to some.
fn all_or<'s>(names: impl IntoIterator<Item = &'s str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() { "all".to_owned() } else { names.join(", ") }
}
