//! The first score: what the subject keeps when nothing misbehaves.

use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::{Compliance, Lane, ProfileRow, RequirementRow, Verdict, VersionVerdict};
use gauntlet_simulators::cli::Profile;

use crate::coverage::OfExecutor;
use crate::data::Library;
use crate::data::catalogue::Requirement;
use crate::record::Record;

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
    /// Requirements that nothing breaks.
    pub unbroken: Vec<String>,
}

/// The verdicts so far, by executor, version and lane, and then by requirement.
#[derive(Debug, Default)]
pub(super) struct Counted(BTreeMap<(String, String, Lane), BTreeMap<String, Judged>>);

/// The verdict of one requirement over some cells.
#[derive(Debug)]
struct Judged {
    verdict: Verdict,
    cells: u32,
    reason: Option<String>,
}

impl Counted {
    pub(super) fn add(&mut self, record: &Record) {
        if record.plan.deviation.is_some() {
            return;
        }
        let profile = &record.plan.profile;
        let key = (profile.executor().to_owned(), profile.version.clone(), record.plan.lane);
        let judged = self.0.entry(key).or_default();
        for (id, judgement) in &record.judgements {
            let (verdict, reason) = (judgement.verdict, &judgement.reason);
            match judged.get_mut(id) {
                None => {
                    judged.insert(id.clone(), Judged { verdict, cells: 1, reason: reason.clone() });
                }
                Some(known) => {
                    known.cells += 1;
                    if verdict > known.verdict {
                        known.verdict = verdict;
                        known.reason = reason.clone();
                    } else if verdict == known.verdict && known.reason.is_none() {
                        known.reason = reason.clone();
                    }
                }
            }
        }
    }

    pub(super) fn score(&self, library: &Library, executor: &str) -> ExecutorCompliance {
        let owed = OfExecutor::new(library, executor);
        let rows: Vec<RequirementRow> =
            owed.rows().map(|requirement| self.row(library, executor, requirement, &owed)).collect();
        let ids = |rows: Vec<&Requirement>| rows.into_iter().map(|row| row.id.value.clone()).collect();
        let versions = library.versions(executor);
        let ran = versions.iter().filter(|profile| !self.of(profile).is_empty());
        ExecutorCompliance {
            profiles: ran.map(|profile| profile_row(profile, &rows)).collect(),
            compliance: Compliance::of(&rows),
            requirements: rows,
            uncovered: ids(owed.unjudged()),
            unbroken: ids(owed.unbroken()),
        }
    }

    /// The verdicts on a profile, by lane.
    fn of(&self, profile: &Profile) -> Vec<(Lane, &BTreeMap<String, Judged>)> {
        let key = |lane| (profile.executor().to_owned(), profile.version.clone(), lane);
        let lanes = [Lane::Virtual, Lane::Real].into_iter();
        lanes.filter_map(|lane| Some((lane, self.0.get(&key(lane))?))).collect()
    }

    fn row(
        &self,
        library: &Library,
        executor: &str,
        requirement: &Requirement,
        owed: &OfExecutor<'_>,
    ) -> RequirementRow {
        let id = requirement.id.value.as_str();
        let mut by_version = Vec::new();
        for profile in library.versions(executor) {
            let judged = self.of(&profile).into_iter();
            by_version.extend(judged.filter_map(|(lane, judged)| {
                let judged = judged.get(id)?;
                Some(VersionVerdict {
                    version: profile.version.clone(),
                    lane,
                    verdict: judged.verdict,
                    expected_break: rests_on_a_break(library, &profile, judged.verdict, id),
                    cells: judged.cells,
                    reason: judged.reason.clone(),
                })
            }));
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
            judged_by: owed.judged_by(id),
        }
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

fn profile_row(profile: &Profile, rows: &[RequirementRow]) -> ProfileRow {
    let failed: BTreeSet<&str> = rows
        .iter()
        .filter(|row| {
            row.by_version.iter().any(|cell| cell.version == profile.version && cell.verdict == Verdict::Fail)
        })
        .map(|row| row.id.as_str())
        .collect();
    let expected: BTreeSet<&str> = profile.breaks.keys().map(String::as_str).collect();
    let names = |ids: Vec<&&str>| ids.into_iter().map(|id| (*id).to_owned()).collect();
    ProfileRow {
        version: profile.version.clone(),
        recorded: profile.recorded_from.is_some(),
        recorded_from: profile.recorded_from.clone(),
        breaks: names(expected.iter().collect()),
        unexpected_breaks: names(failed.difference(&expected).collect()),
        missing_breaks: names(expected.difference(&failed).collect()),
    }
}
