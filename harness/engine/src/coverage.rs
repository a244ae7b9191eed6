//! Which rows of the catalogue an executor owes, what judges them, and what was ever seen to break them.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::{Coverage, Listing};

use crate::data::Library;
use crate::data::catalogue::Requirement;
use crate::scenario::Scenario;

/// What is known of the rows that one executor owes.
pub struct OfExecutor<'a> {
    library: &'a Library,
    executor: &'a str,
    judged_by: BTreeMap<&'a str, BTreeSet<&'a str>>,
    broken_by: BTreeSet<&'a str>,
}

impl<'a> OfExecutor<'a> {
    /// Looks at the whole library for one executor.
    pub fn new(library: &'a Library, executor: &'a str) -> Self {
        let mut judged_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for scenario in library.scenarios.values().filter(|scenario| scenario.is_for(executor)) {
            for requirement in judged(scenario, executor) {
                judged_by.entry(requirement).or_default().insert(&scenario.id.value);
            }
        }
        let quirks = library.quirks.values().filter(|quirk| {
            quirk.executors.is_empty() || quirk.executors.iter().any(|named| named == executor)
        });
        let profiles = library.profiles.values().filter(|profile| profile.executor() == executor);
        let broken_by = quirks
            .flat_map(|quirk| &quirk.violates)
            .chain(profiles.flat_map(|profile| profile.breaks.keys()))
            .chain(library.mutants.keys())
            .map(String::as_str)
            .collect();
        Self { library, executor, judged_by, broken_by }
    }

    /// The rows that the executor owes, in the order of the catalogue. The others are no part of its report.
    pub fn rows(&self) -> impl Iterator<Item = &'a Requirement> {
        self.library.catalogue.all().filter(|requirement| requirement.is_for(self.executor))
    }

    /// The scenarios that judge a row on this executor.
    pub fn judged_by(&self, id: &str) -> Vec<String> {
        self.judged_by.get(id).into_iter().flatten().map(|id| (*id).to_owned()).collect()
    }

    /// The rows that nothing judges.
    pub fn unjudged(&self) -> Vec<&'a Requirement> {
        let unjudged =
            |row: &&Requirement| !row.invariant && !self.judged_by.contains_key(row.id.value.as_str());
        self.rows().filter(unjudged).collect()
    }

    /// The rows that nothing breaks.
    pub fn unbroken(&self) -> Vec<&'a Requirement> {
        self.rows().filter(|row| !self.broken_by.contains(row.id.value.as_str())).collect()
    }
}

/// The requirements that a scenario judges on an executor.
pub(crate) fn judged<'a>(scenario: &'a Scenario, executor: &str) -> Vec<&'a str> {
    let of_steps = scenario.steps.iter().filter_map(|step| step.requirement.as_ref());
    let is_meant = |named: &Option<serde_saphyr::Spanned<String>>| {
        named.as_ref().is_none_or(|named| named.value == executor)
    };
    let checks = scenario.then.iter().filter(|check| is_meant(&check.executor));
    of_steps.chain(checks.map(|check| &check.requirement)).map(|id| id.value.as_str()).collect()
}

/// The gaps over all executors that have a profile.
pub fn coverage(library: &Library) -> Coverage {
    let mut coverage = Coverage::default();
    for executor in library.profiled() {
        let of = OfExecutor::new(library, executor);
        let named = |row: &Requirement| format!("{executor} {}", row.id.value);
        coverage.unjudged.extend(of.unjudged().into_iter().map(named));
        coverage.unbroken.extend(of.unbroken().into_iter().map(named));
    }
    coverage
}

/// The gaps as a table, and whether a must is among those that nothing judges.
pub fn uncovered(library: &Library) -> (Listing, bool) {
    let mut listing = Listing::new(&["gap", "level", "requirement", "role", "executors", "statement"]);
    let mut a_must_is_unjudged = false;
    let owed: Vec<OfExecutor<'_>> =
        library.profiled().into_iter().map(|executor| OfExecutor::new(library, executor)).collect();
    for (gap, is_judged) in [("judged by nothing", false), ("never seen to fail", true)] {
        let mut gaps: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for of in &owed {
            for row in if is_judged { of.unbroken() } else { of.unjudged() } {
                gaps.entry(&row.id.value).or_default().push(of.executor);
            }
        }
        for row in library.catalogue.all() {
            let Some(executors) = gaps.get(row.id.value.as_str()) else { continue };
            a_must_is_unjudged |= !is_judged && row.level == gauntlet_reports::Level::Must;
            listing.rows.push(vec![
                gap.to_owned(),
                row.level.to_string(),
                row.id.value.clone(),
                row.role.name().to_owned(),
                executors.join(" "),
                row.statement.clone(),
            ]);
        }
    }
    (listing, a_must_is_unjudged)
}
