//! The first score: what the subject keeps when nothing misbehaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_reports::{
    Compliance, Lane, ProfileRow, ReleaseBreak, ReleaseRow, RequirementRow, Verdict, VersionVerdict,
};
use gauntlet_simulators::cli::Profile;

use crate::coverage::{OfExecutor, Reached};
use crate::data::Library;
use crate::data::catalogue::Requirement;
use crate::data::release::Release;
use crate::record::Record;

/// Compliance of one executor: its plain cells, without quirk or fault.
pub struct ExecutorCompliance {
    /// What the release is known not to keep, when it is not the reference.
    pub release: Option<ReleaseRow>,
    /// One row for each profile that was run.
    pub profiles: Vec<ProfileRow>,
    /// One row for each requirement of the catalogue.
    pub requirements: Vec<RequirementRow>,
    /// One row for each requirement that is newer than the revision that judges. They are not counted.
    pub newer: Vec<RequirementRow>,
    /// Counts by level.
    pub compliance: Compliance,
    /// Requirements that no scenario judges and no invariant either.
    pub uncovered: Vec<String>,
    /// Requirements that nothing breaks.
    pub unbroken: Vec<String>,
}

/// The verdicts so far, by executor, version and lane, and then by requirement.
#[derive(Debug, Default)]
pub(super) struct Counted {
    judged: BTreeMap<(String, String, Lane), BTreeMap<String, Judged>>,
    /// The release that was run, unless it is the reference.
    release: Option<Arc<Release>>,
}

/// The verdict of one requirement over some cells.
#[derive(Debug)]
struct Judged {
    verdict: Verdict,
    cells: u32,
    reason: Option<String>,
    /// In how many cells it failed, and in how many of these a list of known failures holds it.
    failed: u32,
    known: u32,
    /// The files with the traces of these cells: those in which it failed come first.
    traces: Vec<(bool, String)>,
}

/// So many traces are named.
const TRACES: usize = 20;

impl Judged {
    fn named_traces(&self) -> Vec<String> {
        let mut traces: Vec<&(bool, String)> = self.traces.iter().collect();
        traces.sort_by_key(|(kept, _)| *kept);
        traces.into_iter().take(TRACES).map(|(_, trace)| trace.clone()).collect()
    }
}

impl Counted {
    pub(super) fn add(&mut self, record: &Record) {
        if record.plan.deviation.is_some() {
            return;
        }
        if self.release.is_none() && !record.plan.release.is_reference() {
            self.release = Some(record.plan.release.clone());
        }
        let profile = &record.plan.profile;
        let key = (profile.executor().to_owned(), profile.version.clone(), record.plan.lane);
        let judged = self.judged.entry(key).or_default();
        for (id, judgement) in record.judgements.iter().chain(&record.newer) {
            let (verdict, reason) = (judgement.verdict, &judgement.reason);
            let failed = u32::from(verdict == Verdict::Fail);
            let is_known = u32::from(record.line.known.contains(id));
            let trace = record.line.trace.clone().map(|trace| (verdict != Verdict::Fail, trace));
            match judged.get_mut(id) {
                None => {
                    let reason = reason.clone();
                    let traces = trace.into_iter().collect();
                    let first = Judged { verdict, cells: 1, reason, failed, known: is_known, traces };
                    judged.insert(id.clone(), first);
                }
                Some(known) => {
                    known.failed += failed;
                    known.traces.extend(trace);
                    known.known += is_known;
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

    pub(super) fn score(&self, library: &Library, executor: &str, reached: &Reached) -> ExecutorCompliance {
        let owed = OfExecutor::new(library, executor, reached);
        let rows: Vec<RequirementRow> =
            owed.rows().map(|requirement| self.row(library, executor, requirement, &owed)).collect();
        let newer = owed.newer().map(|row| self.row(library, executor, row, &owed)).collect();
        let ids = |rows: Vec<&Requirement>| rows.into_iter().map(|row| row.id.value.clone()).collect();
        let versions = library.versions(executor);
        let ran = || versions.iter().filter(|profile| !self.of(profile).is_empty());
        let known = self.release.as_ref().map(|release| release.breaks_before(executor)).unwrap_or_default();
        ExecutorCompliance {
            release: self
                .release
                .as_ref()
                .map(|release| release_row(release, &known, ran().map(|ran| &**ran), &rows)),
            profiles: ran().map(|profile| profile_row(profile, self.release.is_some(), &rows)).collect(),
            newer,
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
        lanes.filter_map(|lane| Some((lane, self.judged.get(&key(lane))?))).collect()
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
                    known_failure: judged.verdict == Verdict::Fail && judged.failed == judged.known,
                    cells: judged.cells,
                    reason: judged.reason.clone(),
                    traces: judged.named_traces(),
                })
            }));
        }
        // What a version is known to break says nothing about the subject.
        let counted = by_version.iter().filter(|version| !version.expected_break);
        let verdict = Verdict::worst(counted.clone().map(|version| version.verdict));
        let failed = counted.filter(|version| version.verdict == Verdict::Fail);
        let known_failure = verdict == Verdict::Fail && failed.clone().all(|version| version.known_failure);
        RequirementRow {
            id: id.to_owned(),
            level: requirement.level,
            class: requirement.class,
            role: requirement.role.name().to_owned(),
            statement: requirement.statement.clone(),
            source: requirement.source.clone(),
            verdict,
            known_failure,
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

/// The requirements with this verdict on a version.
fn with<'r>(verdict: Verdict, profile: &Profile, rows: &'r [RequirementRow]) -> BTreeSet<&'r str> {
    let of_version = |row: &&RequirementRow| {
        row.by_version.iter().any(|cell| cell.version == profile.version && cell.verdict == verdict)
    };
    rows.iter().filter(of_version).map(|row| row.id.as_str()).collect()
}

/// The requirements of which every failure on a version is a known one.
fn known_on<'r>(profile: &Profile, rows: &'r [RequirementRow]) -> BTreeSet<&'r str> {
    let is_known = |row: &&RequirementRow| {
        let of_version = row.by_version.iter().filter(|cell| cell.version == profile.version);
        let mut failed = of_version.filter(|cell| cell.verdict == Verdict::Fail).peekable();
        failed.peek().is_some() && failed.all(|cell| cell.known_failure)
    };
    rows.iter().filter(is_known).map(|row| row.id.as_str()).collect()
}

/// A release against what failed on the versions that were run. What a version breaks by itself is no deed of the release.
fn release_row<'p>(
    release: &Release,
    known: &BTreeMap<&str, &str>,
    ran: impl Iterator<Item = &'p Profile>,
    rows: &[RequirementRow],
) -> ReleaseRow {
    let (mut all, mut its_own) = (BTreeSet::new(), BTreeSet::new());
    for profile in ran {
        let failed = with(Verdict::Fail, profile, rows);
        let known = known_on(profile, rows);
        its_own.extend(
            failed.iter().filter(|id| !profile.breaks.contains_key(**id) && !known.contains(**id)).copied(),
        );
        all.extend(failed);
    }
    ReleaseRow {
        id: release.id.value.clone(),
        title: release.title.clone(),
        seen_in: release.seen_in.clone(),
        breaks: known
            .iter()
            .map(|(id, evidence)| ReleaseBreak {
                requirement: (*id).to_owned(),
                evidence: (*evidence).to_owned(),
            })
            .collect(),
        unexpected_breaks: its_own
            .iter()
            .filter(|id| !known.contains_key(**id))
            .map(|id| (*id).to_owned())
            .collect(),
        missing_breaks: known.keys().filter(|id| !all.contains(**id)).map(|id| (*id).to_owned()).collect(),
    }
}

/// A version against what failed on it. What else a release does not keep is told with the release, and may hide a break of the
/// version, which then cannot be judged.
fn profile_row(profile: &Profile, is_release: bool, rows: &[RequirementRow]) -> ProfileRow {
    let mut failed = with(Verdict::Fail, profile, rows);
    if is_release {
        failed.extend(with(Verdict::Inconclusive, profile, rows));
        failed.retain(|id| profile.breaks.contains_key(*id));
    }
    let expected: BTreeSet<&str> = profile.breaks.keys().map(String::as_str).collect();
    let known = known_on(profile, rows);
    let names = |ids: Vec<&&str>| ids.into_iter().map(|id| (*id).to_owned()).collect();
    ProfileRow {
        version: profile.version.clone(),
        recorded: profile.recorded_from.is_some(),
        recorded_from: profile.recorded_from.clone(),
        breaks: names(expected.iter().collect()),
        unexpected_breaks: names(failed.difference(&expected).filter(|id| !known.contains(**id)).collect()),
        missing_breaks: names(expected.difference(&failed).collect()),
    }
}
