//! The three scores: compliance, detection, resilience. Never mixed.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::{
    Compliance, Detection, ProfileRow, QuirkRow, RequirementRow, Resilience, ResilienceBreak, Verdict,
    VersionVerdict,
};

use gauntlet_simulators::cli::Profile;

use crate::cell::Deviation;
use crate::data::Library;
use crate::data::catalogue::Requirement;
use crate::runner::Record;

/// Compliance of one executor: its plain cells, without quirk or fault.
pub struct ExecutorCompliance {
    /// One row for each profile that was run.
    pub profiles: Vec<ProfileRow>,
    /// One row for each requirement of the catalogue.
    pub requirements: Vec<RequirementRow>,
    /// Counts by level.
    pub compliance: Compliance,
    /// Requirements that no scenario judges and no invariant either.
    pub uncovered: Vec<String>,
}

fn plain<'a>(records: &'a [Record], executor: &'a str) -> impl Iterator<Item = &'a Record> {
    records
        .iter()
        .filter(move |record| record.plan.deviation.is_none() && record.plan.profile.executor() == executor)
}

/// Scores the plain cells of an executor.
pub fn compliance(library: &Library, records: &[Record], executor: &str) -> ExecutorCompliance {
    let mut judged_by: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for scenario in library.scenarios.values() {
        for requirement in scenario.requirements() {
            judged_by.entry(&requirement.value).or_default().insert(&scenario.id.value);
        }
    }
    let rows: Vec<RequirementRow> = library
        .catalogue
        .all()
        .map(|requirement| row(library, records, executor, requirement, &judged_by))
        .collect();
    let uncovered = library
        .catalogue
        .all()
        .filter(|requirement| {
            !requirement.invariant && !judged_by.contains_key(requirement.id.value.as_str())
        })
        .map(|requirement| requirement.id.value.clone())
        .collect();
    ExecutorCompliance {
        profiles: library
            .versions(executor)
            .iter()
            .filter_map(|profile| profile_row(records, profile, &rows))
            .collect(),
        compliance: Compliance::of(&rows),
        requirements: rows,
        uncovered,
    }
}

fn row(
    library: &Library,
    records: &[Record],
    executor: &str,
    requirement: &Requirement,
    judged_by: &BTreeMap<&str, BTreeSet<&str>>,
) -> RequirementRow {
    let id = requirement.id.value.as_str();
    let mut by_version = Vec::new();
    for profile in library.versions(executor) {
        for lane in [gauntlet_reports::Lane::Virtual, gauntlet_reports::Lane::Real] {
            let cells = plain(records, executor)
                .filter(|record| record.plan.profile.version == profile.version && record.plan.lane == lane)
                .filter_map(|record| Some((record, record.judgements.get(id)?)));
            let cells: Vec<_> = cells.collect();
            if cells.is_empty() {
                continue;
            }
            let verdict = Verdict::worst(cells.iter().map(|(_, judgement)| judgement.verdict));
            let reason = cells
                .iter()
                .filter(|(_, judgement)| judgement.verdict == verdict)
                .find_map(|(_, judgement)| judgement.reason.clone());
            by_version.push(VersionVerdict {
                version: profile.version.clone(),
                lane,
                verdict,
                expected_break: rests_on_a_break(library, &profile, verdict, id),
                cells: u32::try_from(cells.len()).unwrap_or(u32::MAX),
                reason,
            });
        }
    }
    // What a version is known to break says nothing about the subject.
    let counted = by_version.iter().filter(|version| !version.expected_break);
    let verdict = Verdict::worst(counted.map(|version| version.verdict));
    RequirementRow {
        id: id.to_owned(),
        level: requirement.level,
        class: requirement.class,
        role: requirement.role.name().to_owned(),
        statement: requirement.statement.clone(),
        source: requirement.source.clone(),
        verdict,
        by_version,
        judged_by: judged_by.get(id).into_iter().flatten().map(|id| (*id).to_owned()).collect(),
    }
}

/// Whether this version breaks the requirement, or one that it rests on, so that its verdict here is not the subject's.
fn rests_on_a_break(library: &Library, profile: &Profile, verdict: Verdict, id: &str) -> bool {
    let broken = |id: &str| profile.breaks.contains_key(id);
    match verdict {
        Verdict::Fail => broken(id),
        Verdict::Inconclusive => library.catalogue.foundations(id).into_iter().any(broken),
        _ => false,
    }
}

fn profile_row(records: &[Record], profile: &Profile, rows: &[RequirementRow]) -> Option<ProfileRow> {
    let ran = plain(records, profile.executor()).any(|record| record.plan.profile.version == profile.version);
    if !ran {
        return None;
    }
    let failed: BTreeSet<&str> = rows
        .iter()
        .filter(|row| {
            row.by_version.iter().any(|cell| cell.version == profile.version && cell.verdict == Verdict::Fail)
        })
        .map(|row| row.id.as_str())
        .collect();
    let expected: BTreeSet<&str> = profile.breaks.keys().map(String::as_str).collect();
    let names = |ids: Vec<&&str>| ids.into_iter().map(|id| (*id).to_owned()).collect();
    Some(ProfileRow {
        version: profile.version.clone(),
        recorded: profile.recorded_from.is_some(),
        recorded_from: profile.recorded_from.clone(),
        breaks: names(expected.iter().collect()),
        unexpected_breaks: names(failed.difference(&expected).collect()),
        missing_breaks: names(expected.difference(&failed).collect()),
    })
}

/// Scores detection: each quirk makes the requirements fail that it names, and no others of its role.
pub fn detection(library: &Library, records: &[Record]) -> Detection {
    let mut rows = Vec::new();
    let mut catching: BTreeSet<&str> = BTreeSet::new();
    for quirk in library.quirks.values() {
        let mut failed: BTreeSet<&str> = BTreeSet::new();
        let mut cells = 0;
        for record in records {
            match &record.plan.deviation {
                Some(Deviation::Quirk(of_cell)) if of_cell.id == quirk.id => {}
                _ => continue,
            }
            cells += 1;
            let of_role =
                |id: &str| library.catalogue.get(id).is_some_and(|known| known.role.name() == quirk.role);
            let here: Vec<&str> =
                record.line.failed.iter().map(String::as_str).filter(|id| of_role(id)).collect();
            if here.iter().any(|id| quirk.violates.iter().any(|named| named == id)) {
                catching.insert(&record.plan.scenario.id.value);
            }
            failed.extend(here);
        }
        let missed: Vec<String> =
            quirk.violates.iter().filter(|id| !failed.contains(id.as_str())).cloned().collect();
        let named = |id: &str| quirk.violates.iter().any(|named| named == id);
        let unnamed: Vec<String> = failed.iter().filter(|id| !named(id)).map(|id| (*id).to_owned()).collect();
        rows.push(QuirkRow {
            id: quirk.id.clone(),
            role: quirk.role.clone(),
            violates: quirk.violates.clone(),
            cells,
            caught: cells > 0 && missed.is_empty() && unnamed.is_empty(),
            missed,
            unnamed,
        });
    }
    let idle = library.scenarios.keys().filter(|id| !catching.contains(id.as_str())).cloned().collect();
    Detection {
        caught: count(rows.iter().filter(|row| row.caught).count()),
        all: count(rows.len()),
        quirks: rows,
        idle_scenarios: idle,
    }
}

/// Scores resilience: with every quirk and fault, all other roles keep their requirements.
pub fn resilience(library: &Library, records: &[Record]) -> Resilience {
    let mut deviations: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut broken = Vec::new();
    for record in records {
        let Some(deviation) = &record.plan.deviation else { continue };
        deviations.insert((deviation.kind(), deviation.id()));
        let guilty = match deviation {
            Deviation::Quirk(quirk) => quirk.role.as_str(),
            Deviation::Fault(_) => "",
        };
        for id in &record.line.failed {
            let Some(requirement) = library.catalogue.get(id) else { continue };
            if requirement.role.name() != guilty {
                broken.push(ResilienceBreak {
                    deviation: deviation.id().to_owned(),
                    kind: deviation.kind().to_owned(),
                    requirement: id.clone(),
                    role: requirement.role.name().to_owned(),
                    cell: record.line.id.clone(),
                });
            }
        }
    }
    let hurt: BTreeSet<&str> = broken.iter().map(|broken| broken.deviation.as_str()).collect();
    Resilience { kept: count(deviations.len() - hurt.len()), all: count(deviations.len()), broken }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
