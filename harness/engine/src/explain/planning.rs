//! Items of the roadmap.

use gauntlet_reports::Explanation;

use super::Explainer;
use crate::data::place::Kind;
use crate::listing::last;

impl Explainer<'_> {
    pub(super) fn roadmap_item(&self, id: &str) -> Option<Explanation> {
        let item = self.library.roadmap.iter().find(|item| item.id.value == id)?;
        let mut told = self.begin("roadmap item", Kind::RoadmapItem, id);
        told.one("title", item.title.as_str());
        told.one("statement", item.statement.as_str());
        told.one("source", item.source.as_str());
        let rows = item.rows(&self.library.catalogue).into_iter().map(|row| row.id.value.as_str());
        let told_rows = rows.map(|id| format!("{} [{}]", self.stated(id), last(self.results, id)));
        told.many("requirements", told_rows.collect());
        let open = item.open(&self.library.catalogue).into_iter().map(str::to_owned);
        told.many("no requirement yet", open.collect());
        Some(told)
    }
}
