//! Scenarios and cells.

use std::collections::BTreeSet;

use gauntlet_reports::{CellLine, Explanation, Lane};

use super::{Explainer, all_or};
use crate::cell::Deviation;
use crate::data::place::Kind;
use crate::matrix::{not_here, virtual_only};
use crate::scenario::{Scenario, SubjectKind};
use crate::session;

impl Explainer<'_> {
    pub(super) fn scenario(&self, id: &str) -> Option<Explanation> {
        let scenario = self.library.scenarios.get(id)?;
        let mut told = self.begin("scenario", Kind::Scenario, id);
        told.one("title", scenario.title.as_str());
        told.one(
            "subject",
            match scenario.subject {
                SubjectKind::Receiver => "receiver",
                SubjectKind::Runtime => "runtime",
                SubjectKind::Hermes => "hermes",
                SubjectKind::Team => "team",
            },
        );
        told.one("executors", all_or(scenario.executors.iter().map(|executor| executor.value.as_str())));
        told.one("lanes", lanes(scenario));
        told.many("judges", self.judged(scenario));
        if let Some(results) = self.results {
            told.many("last result", results.cells_of(id).take(MOST_CELLS).map(in_words).collect());
        }
        Some(told)
    }

    pub(super) fn cell(&self, id: &str) -> Option<Explanation> {
        let plan = session::find(self.library, id)?;
        let scenario = &plan.scenario;
        let mut told = self.begin("scenario", Kind::Scenario, &scenario.id.value);
        (told.kind, told.id) = ("cell".to_owned(), id.to_owned());
        told.one("scenario", format!("{}: {}", scenario.id.value, scenario.title));
        told.one("profile", format!("{}-{}", plan.profile.executor(), plan.profile.version));
        told.one("release", plan.release.id.value.as_str());
        if let Some(deviation) = &plan.deviation {
            let title = match deviation {
                Deviation::Quirk(quirk) => &quirk.title,
                Deviation::Fault(fault) => &fault.title,
                Deviation::Explored(explored) => &explored.point,
            };
            told.one(deviation.kind(), format!("{}: {title}", deviation.id()));
        }
        told.one("seed", plan.seed.to_string());
        told.one("lane", plan.lane.as_str());
        told.one("skipped", not_here(self.library, &plan).unwrap_or_default());
        told.many("judges", self.judged(scenario));
        if let Some(Deviation::Quirk(quirk)) = &plan.deviation {
            told.many("expected to fail somewhere", quirk.violates.clone());
        }
        told.one("run it again", format!("gauntlet replay '{id}'"));
        let line = self.results.and_then(|results| results.cell(id));
        told.one("last result", line.map_or("not run".to_owned(), in_words));
        Some(told)
    }

    /// What a scenario judges, by step and line, each row once for each place.
    fn judged(&self, scenario: &Scenario) -> Vec<String> {
        let ids: BTreeSet<&str> = scenario.requirements().into_iter().map(|id| id.value.as_str()).collect();
        let name = format!("{}, ", scenario.id.value);
        ids.into_iter()
            .flat_map(|id| self.places_in(scenario, id).into_iter().map(move |place| (id, place)))
            .map(|(id, place)| format!("{id}, {}", place.strip_prefix(&name).unwrap_or(&place)))
            .collect()
    }
}

/// So many cells of a scenario are told.
const MOST_CELLS: usize = 20;

fn in_words(line: &CellLine) -> String {
    let failed =
        if line.failed.is_empty() { String::new() } else { format!(" ({})", line.failed.join(", ")) };
    let reason = line.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("{}: {}{failed}{reason}", line.id, line.verdict.label())
}

fn lanes(scenario: &Scenario) -> String {
    match (scenario.real_only(), virtual_only(scenario)) {
        (Some(reason), _) => format!("{} alone: {reason}", Lane::Real),
        (None, Some(reason)) => format!("{} alone: {reason}", Lane::Virtual),
        (None, None) => "both".to_owned(),
    }
}
