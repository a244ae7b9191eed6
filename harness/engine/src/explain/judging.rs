//! Requirements, and the lists that they are in.

use gauntlet_reports::Explanation;

use super::Explainer;
use crate::data::place::Kind;
use crate::listing::last;
use crate::scenario::Scenario;

impl Explainer<'_> {
    pub(super) fn requirement(&self, id: &str) -> Option<Explanation> {
        let library = self.library;
        let row = library.catalogue.get(id)?;
        let what = if row.invariant { "invariant" } else { "requirement" };
        let mut told = self.begin(what, Kind::Requirement, id);
        told.one("statement", row.statement.as_str());
        told.one("level", row.level.as_str());
        told.one("class", row.class.as_str());
        told.one("role", row.role.name());
        told.one("executors", super::all_or(row.executors.iter().map(|executor| executor.value.as_str())));
        told.one("source", row.source.as_str());
        told.many("depends on", row.depends_on.iter().map(|base| self.stated(&base.value)).collect());
        let mut judges: Vec<String> =
            library.scenarios.values().flat_map(|scenario| self.places_in(scenario, id)).collect();
        if row.invariant {
            judges.insert(0, "an oracle of its own, in every cell".to_owned());
        }
        if judges.is_empty() {
            judges.push("nothing".to_owned());
        }
        told.many("judged by", judges);
        let quirks = library.quirks.values().filter(|quirk| quirk.violates.iter().any(|named| named == id));
        told.many("broken by quirks", quirks.map(|quirk| format!("{}: {}", quirk.id, quirk.title)).collect());
        let mutant = library.mutants.get(id);
        told.many(
            "broken by mutants",
            mutant.into_iter().map(|test| format!("tests/mutants.rs, {test}")).collect(),
        );
        let versions = library.profiles.values().filter_map(|profile| {
            let evidence = profile.breaks.get(id)?;
            Some(format!("{}-{}: {evidence}", profile.executor(), profile.version))
        });
        told.many("broken on versions", versions.collect());
        let releases = library.releases.values().filter_map(|release| {
            let before = release.executors.values().find_map(|before| before.breaks.get(id));
            Some(format!("{}: {}", release.id.value, release.breaks.get(id).or(before)?))
        });
        told.many("broken by releases", releases.collect());
        let items = library
            .roadmap
            .iter()
            .filter(|item| item.rows(&library.catalogue).iter().any(|wanted| wanted.id.value == id));
        told.many("wanted by the roadmap", items.map(|item| item.id.value.clone()).collect());
        let revisions = library.revisions.values().filter(|revision| revision.requirements.contains_key(id));
        let revisions: Vec<String> = revisions.map(|revision| revision.revision.value.clone()).collect();
        told.one(
            "revisions",
            if revisions.is_empty() { "unreleased".to_owned() } else { revisions.join(", ") },
        );
        told.one("last result", last(self.results, id));
        Some(told)
    }

    /// Where a scenario judges a requirement, by step and line.
    pub(super) fn places_in(&self, scenario: &Scenario, requirement: &str) -> Vec<String> {
        let id = &scenario.id.value;
        let file = self.library.places.of(Kind::Scenario, id).map_or("", |place| place.file.as_str());
        let steps = scenario.steps.iter().enumerate().filter_map(|(number, step)| {
            let named = step.requirement.as_ref().filter(|named| named.value == requirement)?;
            Some((format!("step {}", number + 1), named.referenced.line()))
        });
        let checks = scenario.then.iter().enumerate().filter_map(|(number, check)| {
            let named = Some(&check.requirement).filter(|named| named.value == requirement)?;
            Some((format!("check {} at the end", number + 1), named.referenced.line()))
        });
        steps.chain(checks).map(|(what, line)| format!("{id}, {what} ({file}:{line})")).collect()
    }

    pub(super) fn revision(&self, id: &str) -> Option<Explanation> {
        let revision = self.library.revisions.get(id)?;
        let mut told = self.begin("revision", Kind::Revision, id);
        told.one("cut on", revision.date.as_str());
        told.one("requirements", revision.requirements.len().to_string());
        let since = revision.difference(self.library);
        told.many("added since", since.added.into_iter().collect());
        told.many("changed since", since.changed.into_iter().collect());
        told.many("withdrawn since", since.withdrawn.into_iter().collect());
        Some(told)
    }
}
