//! The roadmap: what bridges should come to, and the requirements by which one sees that they have.

use crate::pattern::Glob;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::catalogue::{Catalogue, Requirement};

/// A file of the roadmap.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoadmapFile {
    /// The items, in the order in which lists show them.
    pub items: Vec<RoadmapItem>,
}

/// One thing that bridges should come to.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoadmapItem {
    /// The name, for instance `task-payload`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// A few words.
    pub title: String,
    /// What is wanted, in one sentence or two.
    pub statement: String,
    /// Ids of requirements, or patterns of them with `*`.
    #[schemars(with = "Vec<String>")]
    pub requirements: Vec<Spanned<String>>,
    /// Where it comes from.
    pub source: String,
}

/// Whether a name of the roadmap is a pattern.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

impl RoadmapItem {
    /// The rows by which it is judged, in the order of the catalogue.
    pub fn rows<'a>(&self, catalogue: &'a Catalogue) -> Vec<&'a Requirement> {
        let patterns: Vec<Glob> = self.requirements.iter().map(|name| Glob::new(&name.value)).collect();
        let is_meant = |row: &&Requirement| patterns.iter().any(|pattern| pattern.matches(&row.id.value));
        catalogue.all().filter(is_meant).collect()
    }

    /// The patterns that match no row: nobody has written a requirement yet.
    pub fn open<'a>(&'a self, catalogue: &Catalogue) -> Vec<&'a str> {
        let names = self.requirements.iter().map(|name| name.value.as_str());
        names
            .filter(|name| {
                let pattern = Glob::new(name);
                !catalogue.ids().any(|id| pattern.matches(id))
            })
            .collect()
    }
}
