//! Choosing a version to pin.
//!
//! A must rules a version out when it fails there, or when nothing showed that it is kept. What rests on a row that failed is counted
//! at its root. One thing rules no version out: a must that the release itself is known not to keep, that is owed in front of every
//! executor, and that fails on each version that nothing else rules out. Another version would not mend it, so it is told apart. (A
//! version on which hardly a turn comes about passes rows for want of something to judge; that mends nothing.) A must that is owed in
//! front of this executor alone says how receiver and CLI understand each other, and does rule out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_reports::drift::{Broken, DriftVersion, NextVersion, Pin};
use gauntlet_reports::{Level, Verdict};
use gauntlet_simulators::cli::Profile;

use super::tally::{Cell, Tally};
use crate::data::Library;
use crate::data::catalogue::Requirement;

/// So many cells are named as evidence.
const SHOWN: usize = 3;

/// The ids of the first cells.
pub(super) fn first(cells: &[Cell]) -> Vec<String> {
    cells.iter().take(SHOWN).map(|cell| cell.id.clone()).collect()
}

/// The versions with what rules each out, and the pin.
pub(super) fn choose(
    library: &Library,
    release: &str,
    profiles: &[Arc<Profile>],
    tally: &Tally,
) -> (Vec<DriftVersion>, Pin) {
    let chooser = Chooser::new(library, release, profiles, tally);
    let versions: Vec<DriftVersion> = profiles.iter().map(|profile| chooser.version(profile)).collect();
    let pin = chooser.pin(&versions);
    (versions, pin)
}

struct Chooser<'a> {
    library: &'a Library,
    profiles: &'a [Arc<Profile>],
    tally: &'a Tally,
    /// What the release is known not to keep in front of the executor, with the evidence.
    known: BTreeMap<&'a str, &'a str>,
    /// Those musts of it that no version mends.
    own: BTreeSet<&'a str>,
}

impl<'a> Chooser<'a> {
    fn new(library: &'a Library, release: &str, profiles: &'a [Arc<Profile>], tally: &'a Tally) -> Self {
        let executor = profiles.first().map(|profile| profile.executor()).unwrap_or_default();
        let known = library.releases.get(release).map(|release| release.breaks_before(executor));
        let known = known.unwrap_or_default();
        let is_of_all = |id: &&str| {
            library.catalogue.get(id).is_some_and(|row| row.executors.is_empty() && row.level == Level::Must)
        };
        let own = known.keys().copied().filter(is_of_all).collect();
        let mut chooser = Self { library, profiles, tally, known, own };
        let recorded = || profiles.iter().filter(|profile| profile.recorded_from.is_some());
        let mut otherwise_safe: Vec<&Profile> = recorded().map(|profile| &**profile).collect();
        otherwise_safe.retain(|profile| chooser.rules_out(&profile.version).next().is_none());
        if otherwise_safe.is_empty() {
            let least_bad = recorded().max_by_key(|profile| chooser.kept(&profile.version));
            otherwise_safe.extend(least_bad.map(|profile| &**profile));
        }
        // What no version makes a difference to is tried on the newest alone.
        let fails = |id: &str| {
            let tried = otherwise_safe.iter().filter_map(|profile| tally.verdict(&profile.version, id));
            let tried: Vec<Verdict> = tried.collect();
            !tried.is_empty() && tried.iter().all(|verdict| *verdict == Verdict::Fail)
        };
        chooser.own.retain(|id| fails(id));
        chooser
    }

    /// The musts that rule a version out.
    fn rules_out(&self, version: &str) -> impl Iterator<Item = &'a Requirement> {
        let musts = self.musts().filter(|row| !self.own.contains(row.id.value.as_str()));
        musts.filter(move |row| match self.tally.verdict(version, &row.id.value) {
            Some(Verdict::Fail) => true,
            Some(Verdict::Inconclusive) => self.tally.is_open(version, &row.id.value),
            _ => false,
        })
    }

    /// How many musts a version keeps.
    fn kept(&self, version: &str) -> usize {
        let passes = |row: &&Requirement| self.tally.verdict(version, &row.id.value) == Some(Verdict::Pass);
        self.musts().filter(passes).count()
    }

    fn musts(&self) -> impl Iterator<Item = &'a Requirement> + use<'a> {
        self.library.catalogue.all().filter(|row| row.level == Level::Must)
    }

    fn version(&self, profile: &Profile) -> DriftVersion {
        DriftVersion {
            version: profile.version.clone(),
            recorded: profile.recorded_from.is_some(),
            recorded_from: profile.recorded_from.clone(),
            cells: self.tally.ran(&profile.version),
            musts_kept: u32::try_from(self.kept(&profile.version)).unwrap_or(u32::MAX),
            breaks: self.rules_out(&profile.version).map(|row| self.broken(row, profile, None)).collect(),
        }
    }

    /// A row that is not kept on a version, with the evidence; `pin` is the version on which it is.
    fn broken(&self, row: &Requirement, profile: &Profile, pin: Option<&str>) -> Broken {
        let id = row.id.value.as_str();
        let verdict = self.tally.verdict(&profile.version, id).unwrap_or(Verdict::NotExercised);
        let cells = self.tally.cells(&profile.version, id, verdict);
        let of_version = profile.breaks.get(id).map(String::as_str);
        let kept_in = pin.and_then(|pin| {
            let kept = self.tally.cells(pin, id, Verdict::Pass);
            let same_story =
                cells.iter().take(SHOWN).find_map(|cell| kept.iter().find(|kept| kept.story == cell.story));
            same_story.or_else(|| kept.first())
        });
        Broken {
            requirement: id.to_owned(),
            verdict,
            statement: row.statement.clone(),
            known_by: of_version.or_else(|| self.known.get(id).copied()).map(str::to_owned),
            cells: first(cells),
            cells_in_all: u32::try_from(cells.len()).unwrap_or(u32::MAX),
            kept_in: kept_in.map(|cell| cell.id.clone()),
        }
    }

    fn on_no_version(&self) -> Vec<Broken> {
        let own = self.own.iter().filter_map(|id| self.library.catalogue.get(id));
        // The newest version on which it fails has the evidence.
        let shown = own.filter_map(|row| {
            let fails = |profile: &&Arc<Profile>| {
                self.tally.verdict(&profile.version, &row.id.value) == Some(Verdict::Fail)
            };
            self.profiles.iter().rev().find(fails).map(|profile| self.broken(row, profile, None))
        });
        shown.collect()
    }

    fn pin(&self, versions: &[DriftVersion]) -> Pin {
        let is_safe = |version: &DriftVersion| version.recorded && version.breaks.is_empty();
        let on_no_version = self.on_no_version();
        let mut pin = match versions.iter().rposition(is_safe) {
            Some(at) => self.safe(versions, at),
            None => none_is_safe(versions),
        };
        pin.rationale.extend(versions.iter().filter(|version| !version.recorded).map(|version| {
            format!(
                "{} was never recorded, so that it is no pin, whatever its profile keeps.",
                version.version
            )
        }));
        if !on_no_version.is_empty() {
            let ids = ids(&on_no_version);
            pin.rationale.push(format!("No version mends what the release itself does not keep: {ids}."));
        }
        Pin { on_no_version, ..pin }
    }

    fn safe(&self, versions: &[DriftVersion], at: usize) -> Pin {
        let pin = &versions[at];
        let next = versions.get(at + 1).zip(self.profiles.get(at + 1)).map(|(next, profile)| {
            let rows =
                next.breaks.iter().filter_map(|broken| self.library.catalogue.get(&broken.requirement));
            NextVersion {
                version: next.version.clone(),
                recorded: next.recorded,
                breaks: rows.map(|row| self.broken(row, profile, Some(&pin.version))).collect(),
            }
        });
        let mut rationale = vec![format!(
            "{} is the newest recorded version on which every must holds that a version can decide: {} musts, shown in {} cells.",
            pin.version, pin.musts_kept, pin.cells
        )];
        rationale.push(match &next {
            None => "No newer version is known here.".to_owned(),
            Some(next) if next.breaks.is_empty() => {
                format!("The next one, {}, breaks none in its cells.", next.version)
            }
            Some(next) => format!("The next one, {}, breaks {}.", next.version, ids(&next.breaks)),
        });
        let before = versions[..at].iter().rev().find(|version| !version.breaks.is_empty());
        rationale.extend(before.map(|before| {
            format!("Before it, {} was the last that breaks any: {}.", before.version, ids(&before.breaks))
        }));
        Pin {
            version: Some(pin.version.clone()),
            rationale,
            least_bad: None,
            failing: Vec::new(),
            next,
            on_no_version: Vec::new(),
        }
    }
}

fn none_is_safe(versions: &[DriftVersion]) -> Pin {
    // Of those that keep as much, the newest.
    let recorded = versions.iter().filter(|version| version.recorded);
    let least_bad = recorded.max_by_key(|version| version.musts_kept);
    let rationale = match least_bad {
        None => vec!["No version is recorded.".to_owned()],
        Some(version) => vec![
            "Every recorded version breaks a must.".to_owned(),
            format!(
                "{} keeps most of them ({}), and breaks {}.",
                version.version,
                version.musts_kept,
                ids(&version.breaks)
            ),
        ],
    };
    Pin {
        version: None,
        rationale,
        least_bad: least_bad.map(|version| version.version.clone()),
        failing: least_bad.map(|version| version.breaks.clone()).unwrap_or_default(),
        next: None,
        on_no_version: Vec::new(),
    }
}

fn ids(broken: &[Broken]) -> String {
    broken.iter().map(|broken| broken.requirement.as_str()).collect::<Vec<_>>().join(", ")
}
