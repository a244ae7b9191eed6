//! Which rows of the catalogue an executor owes, what judges them, and what was ever seen to break them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_reports::{Coverage, Listing};

use crate::data::Library;
use crate::data::catalogue::Requirement;
use crate::matrix::Selection;
use crate::runner::{self, Settings};
use crate::scenario::Scenario;

/// The executors in whose cells each quirk had something to bite on. One that reaches no cell of an executor shows nothing there.
#[derive(Debug, Clone, Default)]
pub struct Reached(Option<BTreeMap<String, BTreeSet<String>>>);

impl Reached {
    /// Nobody looked: a quirk counts for every executor that it is for.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// The quirks of these cells, each with the executor of its cell.
    pub fn of<'a>(cells: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (quirk, executor) in cells {
            reached.entry(quirk.to_owned()).or_default().insert(executor.to_owned());
        }
        Self(Some(reached))
    }

    /// Runs the plain cells of the virtual lane, which tell what quirks would bite on.
    pub fn by_probing(library: &Arc<Library>, settings: &Settings) -> Self {
        let mut reached = Vec::new();
        runner::run(Selection::default().probes(library), library, settings, &mut |record| {
            let executor = record.plan.executor.id.value.clone();
            reached.extend(record.reachable.into_iter().map(|quirk| (quirk, executor.clone())));
        });
        Self::of(reached.iter().map(|(quirk, executor)| (quirk.as_str(), executor.as_str())))
    }

    fn has(&self, quirk: &str, executor: &str) -> bool {
        let reached = |all: &BTreeMap<String, BTreeSet<String>>| {
            all.get(quirk).is_some_and(|executors| executors.contains(executor))
        };
        self.0.as_ref().is_none_or(reached)
    }
}

/// What is known of the rows that one executor owes.
pub struct OfExecutor<'a> {
    library: &'a Library,
    executor: &'a str,
    judged_by: BTreeMap<&'a str, BTreeSet<&'a str>>,
    broken_by: BTreeSet<&'a str>,
}

impl<'a> OfExecutor<'a> {
    /// Looks at the whole library for one executor.
    pub fn new(library: &'a Library, executor: &'a str, reached: &Reached) -> Self {
        let mut judged_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for scenario in library.scenarios.values().filter(|scenario| scenario.is_for(executor)) {
            for requirement in judged(scenario, executor) {
                judged_by.entry(requirement).or_default().insert(&scenario.id.value);
            }
        }
        let quirks = library.quirks.values().filter(|quirk| {
            let is_meant =
                quirk.executors.is_empty() || quirk.executors.iter().any(|named| named == executor);
            is_meant && reached.has(&quirk.id, executor)
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
        self.all().filter(|row| self.library.catalogue.is_scored(&row.id.value))
    }

    /// The rows of the executor that are newer than the revision that judges.
    pub fn newer(&self) -> impl Iterator<Item = &'a Requirement> {
        self.all().filter(|row| !self.library.catalogue.is_scored(&row.id.value))
    }

    fn all(&self) -> impl Iterator<Item = &'a Requirement> {
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
pub fn coverage(library: &Library, reached: &Reached) -> Coverage {
    let mut coverage = Coverage::default();
    for executor in library.profiled() {
        let of = OfExecutor::new(library, executor, reached);
        let named = |row: &Requirement| format!("{executor} {}", row.id.value);
        coverage.unjudged.extend(of.unjudged().into_iter().map(named));
        coverage.unbroken.extend(of.unbroken().into_iter().map(named));
    }
    coverage
}

/// The gaps as a table, and whether a must is among those that nothing judges.
pub fn uncovered(library: &Library, reached: &Reached) -> (Listing, bool) {
    let mut listing = Listing::new(&["gap", "level", "requirement", "role", "executors", "statement"]);
    let mut a_must_is_unjudged = false;
    let executors = library.profiled().into_iter();
    let owed: Vec<OfExecutor<'_>> =
        executors.map(|executor| OfExecutor::new(library, executor, reached)).collect();
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
