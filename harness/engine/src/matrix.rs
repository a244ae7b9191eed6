//! The matrix: which cells there are.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use gauntlet_reports::Lane;
use gauntlet_simulators::cli::Profile;
use gauntlet_simulators::receiver::USUAL_PLACES;
use gauntlet_world::injection::{Point, Quirk};
use serde_json::Value;

use crate::cell::{self, Deviation, Outcome, Plan};
use crate::certify::Foreign;
use crate::coverage;
use crate::data::executor::Executor;
use crate::data::fault::Fault;
use crate::data::release::REFERENCE;
use crate::data::{Library, nearest};
use crate::driver::ForeignRuntime;
use crate::files;
use crate::narrow::{Crossing, Narrow};
use crate::pattern::{CellParts, Pattern};
use crate::scenario::{HERMES, Scenario};

/// What of the matrix is to be run.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Only these executors; all when empty.
    pub executors: Vec<String>,
    /// Only these versions of their CLIs; all when empty.
    pub versions: Vec<String>,
    /// Only cells that one of these patterns is of ([`crate::pattern`]); all when empty.
    pub only: Vec<Pattern>,
    /// The receiver. Quirks and faults cross the reference alone: they judge the scenarios, and not a release.
    pub release: String,
    /// The lanes.
    pub lanes: Vec<Lane>,
    /// Whether every story is told over real processes on each executor, and one with each quirk, and every quirk tried on all that
    /// it bites on. Otherwise the whole matrix tells every fifth story over real processes, by one of its rows and on one of the
    /// executors: a sample of whether both lanes agree that leaves most of the time to the virtual one. What has no other lane is told
    /// in any case. And a quirk is tried on what judges one of its rows, and in a third of its other cells; a fault in a third of
    /// its cells. Another seed takes others.
    pub thorough: bool,
    /// The root seed.
    pub seed: u64,
    /// With how many seeds the cells are run: the root seed and those after it.
    pub seeds: usize,
    /// What narrows it down further.
    pub narrow: Narrow,
    /// A receiver that is not ours, to be judged in the place of the reference; over real processes alone.
    pub foreign: Option<Arc<Foreign>>,
    /// The same of a runtime.
    pub runtime: Option<Arc<ForeignRuntime>>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            executors: Vec::new(),
            versions: Vec::new(),
            only: Vec::new(),
            release: REFERENCE.to_owned(),
            lanes: vec![Lane::Virtual, Lane::Real],
            thorough: true,
            seed: 0,
            seeds: 1,
            narrow: Narrow::default(),
            foreign: None,
            runtime: None,
        }
    }
}

/// A name in a selection that nothing has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("expected {expected}; found {found:?}")]
pub struct UnknownName {
    expected: String,
    found: String,
    #[help]
    help: Option<String>,
}

impl Selection {
    /// Whether the whole matrix is selected, so that scores over all of it make sense.
    pub fn is_whole(&self) -> bool {
        self.has_every_plain_cell() && self.tries_all_stories()
    }

    /// Whether every story is told on everything, with or without quirks and faults.
    fn has_every_plain_cell(&self) -> bool {
        self.executors.is_empty()
            && self.versions.is_empty()
            && self.only.is_empty()
            && self.narrow.leaves_out_no_plain_cell()
            && self.is_reference()
    }

    /// Whether every scenario is told on what is selected otherwise, and every row judged.
    pub fn tries_all_stories(&self) -> bool {
        self.only.is_empty() && self.narrow.is_nothing()
    }

    /// Whether nothing was left to other shards.
    pub fn is_unsplit(&self) -> bool {
        self.narrow.shard.is_none()
    }

    /// The seeds with which cells are run: those of the cells that failed before, if these were asked for.
    pub fn all_seeds(&self) -> Vec<u64> {
        match &self.narrow.failed_in {
            Some(before) => before.seeds.iter().copied().collect(),
            None => (self.seed..).take(self.seeds).collect(),
        }
    }

    /// Whether it is the receiver as it should be that is run.
    pub fn is_reference(&self) -> bool {
        self.release == REFERENCE
    }

    /// Whether the release says anything of an executor. Every one but the reference is a receiver's, so that nodes without one in
    /// front would be judged as the reference once more, under another name.
    fn judges(&self, library: &Library, executor: &str) -> bool {
        let has_receiver = |executor: &Arc<Executor>| executor.files.is_some();
        self.is_reference() || library.executors.get(executor).is_some_and(has_receiver)
    }

    /// Whether the subject is not ours: of one of these nothing is known beforehand.
    pub fn is_of_a_stranger(&self) -> bool {
        self.foreign.is_some() || self.runtime.is_some()
    }

    /// Every name that the selection uses must be known.
    pub fn check(&self, library: &Library) -> Result<(), UnknownName> {
        let unknown = |expected: &str, found: &str, known: Vec<&str>| UnknownName {
            expected: format!("{expected} ({})", known.join(", ")),
            found: found.to_owned(),
            help: nearest(found, known).map(|name| format!("did you mean {name:?}?")),
        };
        for executor in &self.executors {
            if !library.profiled().contains(executor.as_str()) {
                return Err(unknown("an executor", executor, library.profiled().into_iter().collect()));
            }
            if !self.judges(library, executor) {
                let known = library.profiled().into_iter().filter(|known| self.judges(library, known));
                let expected = "an executor with a receiver in front, since a release is one of a receiver";
                return Err(unknown(expected, executor, known.collect()));
            }
        }
        for version in &self.versions {
            if !library.profiles.keys().any(|(_, known)| known == version) {
                let known = library.profiles.keys().map(|(_, version)| version.as_str()).collect();
                return Err(unknown("a version", version, known));
            }
        }
        if !library.releases.contains_key(&self.release) {
            let known = library.releases.keys().map(String::as_str).collect();
            return Err(unknown("a release", &self.release, known));
        }
        Ok(())
    }

    /// Whether quirks or faults were named, and everything is selected that they can cross.
    pub fn crosses_named_alone(&self) -> bool {
        let is_all = self.only.is_empty() && self.executors.is_empty() && self.versions.is_empty();
        let names_quirks = matches!(&self.narrow.crossing, Crossing::These(ids) if !ids.is_empty());
        let is_nothing_else = Narrow { crossing: Crossing::default(), ..self.narrow.clone() }.is_nothing();
        let is_virtual = self.lanes.contains(&Lane::Virtual);
        names_quirks && is_all && is_nothing_else && is_virtual && self.is_reference() && self.is_unsplit()
    }

    fn takes(&self, plan: &Plan) -> bool {
        (self.only.is_empty() || self.only.iter().any(|pattern| pattern.matches(plan)))
            && self.narrow.takes(plan)
    }

    fn profiles(&self, library: &Library) -> Vec<Vec<Arc<Profile>>> {
        let executors = library.profiled().into_iter();
        executors
            .filter(|executor| self.judges(library, executor))
            .filter(|executor| {
                self.executors.is_empty() || self.executors.iter().any(|chosen| chosen == executor)
            })
            .map(|executor| {
                let versions = library.versions(executor).into_iter();
                versions
                    .filter(|profile| self.versions.is_empty() || self.versions.contains(&profile.version))
                    .collect()
            })
            .collect()
    }

    /// The plain cells: every scenario on every profile in virtual time, and on the newest profile over real processes.
    pub fn plain(&self, library: &Library) -> Vec<Plan> {
        let mut plans = Vec::new();
        for profiles in self.profiles(library) {
            for lane in [Lane::Virtual, Lane::Real].into_iter().filter(|lane| self.lanes.contains(lane)) {
                let chosen = match lane {
                    Lane::Virtual => profiles.as_slice(),
                    // The two Hermes nodes are subjects of their own, and not versions of one.
                    Lane::Real if profiles.iter().any(|profile| profile.executor() == HERMES) => &profiles,
                    Lane::Real => profiles.last().map(std::slice::from_ref).unwrap_or_default(),
                };
                for profile in chosen {
                    let scenarios = match lane {
                        Lane::Virtual => &library.scenarios,
                        Lane::Real => &library.real_scenarios,
                    };
                    // Versions of a CLI make no difference to a runtime that is judged by itself, nor to what a hostile sender does.
                    let is_newest = profiles.last().is_some_and(|newest| newest.version == profile.version);
                    let applicable = scenarios.values().filter(|scenario| {
                        applies(scenario, profile)
                            && (is_newest || !(scenario.given.undisturbed || scenario.given.battery))
                            && (lane == Lane::Virtual || self.tells(library, scenario, profile, &profiles))
                    });
                    plans.extend(
                        applicable.filter_map(|scenario| self.plan(library, scenario, profile, lane, None)),
                    );
                }
            }
        }
        plans.retain(|plan| self.takes(plan));
        match (&self.foreign, &self.runtime) {
            (Some(foreign), _) => {
                plans.into_iter().filter_map(|plan| foreign.fit(&library.catalogue, plan)).collect()
            }
            (None, Some(runtime)) => plans.into_iter().filter_map(|plan| runtime.fit(plan)).collect(),
            (None, None) => plans,
        }
    }

    /// Whether a story is told over real processes on a profile, which is one of these of its executor. One row of a story with
    /// parameters shows as well as all of them that both lanes agree.
    fn tells(
        &self,
        library: &Library,
        scenario: &Scenario,
        profile: &Profile,
        profiles: &[Arc<Profile>],
    ) -> bool {
        if self.thorough || !self.has_every_plain_cell() || scenario.real_only().is_some() {
            return true;
        }
        let (story, rows) = rows(library, scenario);
        if !is_turn_of(&story, self.seed, REAL_ONE_IN) {
            return false;
        }
        let row = rows.get(drawn(&story) % rows.len().max(1));
        if row.is_some_and(|row| *row != scenario.id.value) {
            return false;
        }
        let executors = library.profiled().into_iter().filter(|executor| scenario.is_for(executor));
        let executors: Vec<&str> = executors.collect();
        let drawn = drawn(&scenario.id.value);
        let chosen = executors.get(drawn % executors.len().max(1));
        // Where the profiles are subjects of their own, it is one of them.
        let is_its_own = profile.executor() != HERMES
            || profiles
                .get(drawn % profiles.len().max(1))
                .is_some_and(|chosen| chosen.version == profile.version);
        is_its_own && chosen.is_some_and(|chosen| *chosen == profile.executor())
    }

    /// The plain cells of the virtual lane that tell which quirks and faults have something to bite on: those of the newest
    /// profile of each executor, as far as a cell with a quirk or fault is selected that they could lead to.
    pub fn probes(&self, library: &Library) -> Vec<Plan> {
        if !self.lanes.contains(&Lane::Virtual) || !self.is_reference() {
            return Vec::new();
        }
        let mut plans = Vec::new();
        for profiles in self.profiles(library) {
            let Some(profile) = profiles.last() else { continue };
            let scenarios = library.scenarios.values();
            let scenarios =
                scenarios.filter(|scenario| applies(scenario, profile) && scenario.real_only().is_none());
            plans.extend(
                scenarios.filter_map(|scenario| self.plan(library, scenario, profile, Lane::Virtual, None)),
            );
        }
        let everything: Vec<String> = library.quirks.keys().chain(library.faults.keys()).cloned().collect();
        // Where nothing is left out, each leads to some.
        if !self.only.is_empty() {
            plans.retain(|plan| self.may_cross(plan) && !self.crossed(library, plan, &everything).is_empty());
        }
        plans
    }

    /// Whether cells of a story on a profile can be meant at all, which is told faster than which of them are.
    fn may_cross(&self, plan: &Plan) -> bool {
        let profile = format!("{}-{}", plan.profile.executor(), plan.profile.version);
        self.only.iter().any(|pattern| pattern.may_be_of(&plan.scenario.id.value, &profile))
    }

    /// The cells of a plain one with each quirk and fault that had something to bite on there.
    pub fn crossed(&self, library: &Library, plain: &Plan, reachable: &[String]) -> Vec<Plan> {
        let reachable: BTreeSet<&str> = reachable.iter().map(String::as_str).collect();
        // One that names nothing any more is not scored by the revision that judges.
        let scenario = &plain.scenario;
        let own = scenario.given.battery.then(|| scenario.requirements());
        let is_own = |id: &String| own.iter().flatten().any(|judged| judged.value == *id);
        let quirks = library.quirks.values().filter(|quirk| !quirk.violates.is_empty());
        let quirks = quirks.filter(|quirk| own.is_none() || quirk.violates.iter().any(is_own));
        let quirks = quirks.map(|quirk| Deviation::Quirk(quirk.clone()));
        let faults = library.faults.values().filter(|_| own.is_none());
        let faults = faults.map(|fault| Deviation::Fault(fault.clone()));
        let crossed = quirks.chain(faults).filter(|deviation| reachable.contains(deviation.id()));
        crossed
            .map(|deviation| Plan { deviation: Some(deviation), ..plain.clone() })
            .filter(|plan| self.takes(plan))
            .collect()
    }

    /// Whether the cells with quirks and faults are a sample of what could be tried.
    pub fn samples(&self) -> bool {
        !self.thorough && self.is_whole() && self.narrow.crossing == Crossing::Usual
    }

    /// What is tried of all cells with quirks and faults. Each of these is tried somewhere, whatever is drawn.
    pub fn sampled(&self, library: &Library, crossed: Vec<Plan>) -> Vec<Plan> {
        if !self.samples() {
            return crossed;
        }
        let id = |plan: &Plan| plan.deviation.as_ref().map(|deviation| deviation.id().to_owned());
        let drawn: Vec<bool> = crossed.iter().map(|plan| is_drawn(library, plan)).collect();
        let mut tried: BTreeSet<Option<String>> =
            crossed.iter().zip(&drawn).filter(|(_, drawn)| **drawn).map(|(plan, _)| id(plan)).collect();
        let cells = crossed.into_iter().zip(drawn);
        // What another part of a split matrix tries shows only there.
        cells
            .filter(|(plan, drawn)| *drawn || (self.is_unsplit() && tried.insert(id(plan))))
            .map(|(plan, _)| plan)
            .collect()
    }

    /// A cell with a quirk over real processes instead, if it can be run there.
    pub fn in_real_lane(&self, library: &Library, crossed: &Plan) -> Option<Plan> {
        if self.is_whole() && !self.thorough {
            return None;
        }
        let scenario = library.real_scenarios.get(&crossed.scenario.id.value)?;
        let plan = Plan { scenario: scenario.clone(), lane: Lane::Real, ..crossed.clone() };
        (self.lanes.contains(&Lane::Real) && virtual_only(scenario).is_none() && self.takes(&plan))
            .then_some(plan)
    }

    /// The cell with these components, if there is one. Which quirks and faults have something to bite on shows only when it is run.
    pub fn locate(&self, library: &Library, cell: &CellParts<'_>) -> Option<Plan> {
        let profile = library.profiles.values().find(|profile| {
            cell.profile.strip_prefix(profile.executor()).and_then(|rest| rest.strip_prefix('-'))
                == Some(profile.version.as_str())
        })?;
        let scenarios = match cell.lane {
            Lane::Virtual => &library.scenarios,
            Lane::Real => &library.real_scenarios,
        };
        let scenario = scenarios.get(cell.story).filter(|scenario| applies(scenario, profile))?;
        let deviation = match cell.deviation {
            None => None,
            Some(id) => Some(match (library.quirks.get(id), library.faults.get(id)) {
                (Some(quirk), _) => Deviation::Quirk(quirk.clone()),
                // The world of the real lane does not misbehave on command.
                (None, Some(fault)) if cell.lane == Lane::Virtual => Deviation::Fault(fault.clone()),
                _ => return None,
            }),
        };
        let selection = Self { seed: cell.seed, release: cell.release.to_owned(), ..self.clone() };
        selection.judges(library, profile.executor()).then_some(())?;
        selection.plan(library, scenario, profile, cell.lane, deviation)
    }

    /// The cells with a quirk over real processes that were asked for by their ids. Otherwise the run chooses such cells itself.
    pub fn crossed_by_name(&self, library: &Library) -> Vec<Plan> {
        let failed = self.narrow.failed_in.iter().flat_map(|before| &before.cells).map(String::as_str);
        let ids: BTreeSet<&str> = self.only.iter().map(Pattern::text).chain(failed).collect();
        let cells = ids.into_iter().filter_map(|id| {
            let pattern = Pattern::parse(id).ok()?;
            let cell = pattern.as_cell()?;
            let is_meant = cell.lane == Lane::Real && cell.deviation.is_some() && cell.seed == self.seed;
            let plan = is_meant.then(|| self.locate(library, &cell)).flatten()?;
            let of_executor = |plan: &Plan| {
                let (executor, version) = (plan.profile.executor(), &plan.profile.version);
                (self.executors.is_empty() || self.executors.iter().any(|chosen| chosen == executor))
                    && (self.versions.is_empty() || self.versions.contains(version))
            };
            let is_here = self.lanes.contains(&Lane::Real) && self.release == plan.release.id.value;
            (is_here && of_executor(&plan) && self.takes(&plan)).then_some(plan)
        });
        cells.collect()
    }

    fn plan(
        &self,
        library: &Library,
        scenario: &Arc<Scenario>,
        profile: &Arc<Profile>,
        lane: Lane,
        deviation: Option<Deviation>,
    ) -> Option<Plan> {
        let release = library.releases.get(&self.release)?.clone();
        let release_quirks = release
            .quirks_before(profile.executor())
            .chain(&scenario.given.disturbances.quirks)
            .filter_map(|quirk| library.quirks.get(&quirk.value).cloned())
            .collect();
        Some(Plan {
            executor: library.executors.get(profile.executor())?.clone(),
            scenario: scenario.clone(),
            profile: profile.clone(),
            release,
            release_quirks,
            deviation,
            seed: self.seed,
            lane,
            fitted: None,
        })
    }
}

/// Of so many stories the whole matrix tells one over real processes, with each seed: there a cell takes as long as thirty others.
const REAL_ONE_IN: u64 = 5;
/// Of so many cells with a quirk whose rows are not judged there, and of those with a fault, the whole matrix has one.
const UNJUDGED_ONE_IN: u64 = 3;

/// A number of an id. It does not depend on what else there is.
fn drawn(id: &str) -> usize {
    usize::from(blake3::hash(id.as_bytes()).as_bytes()[0])
}

/// Whether it is the turn of an id with a seed, where one of so many is taken. One seed after the other takes each.
fn is_turn_of(id: &str, seed: u64, one_in: u64) -> bool {
    (drawn(id) as u64 % one_in).wrapping_add(seed).is_multiple_of(one_in)
}

/// Whether the whole matrix has a cell with a quirk or fault: one that can show the quirk, since it judges a row that is violated, and
/// of the others every third, which show that nothing else is. Every cell judges invariants, so that these count where there is no
/// other row.
fn is_drawn(library: &Library, plan: &Plan) -> bool {
    let Plan { scenario, profile, seed, .. } = plan;
    let Some(deviation) = &plan.deviation else { return true };
    let judged = coverage::judged(scenario, profile.executor());
    let can_show = |quirk: &Quirk| {
        quirk.violates.iter().any(|id| judged.contains(&id.as_str()))
            || quirk.violates.iter().all(|id| library.catalogue.get(id).is_some_and(|row| row.invariant))
    };
    let shows = matches!(deviation, Deviation::Quirk(quirk) if can_show(quirk));
    let cell = || format!("{}@{}+{}", scenario.id.value, profile.executor(), deviation.id());
    shows || is_turn_of(&cell(), *seed, UNJUDGED_ONE_IN)
}

/// The story that a scenario is a row of, and the ids of its rows that can be told over real processes.
fn rows(library: &Library, scenario: &Scenario) -> (String, Vec<String>) {
    let id = &scenario.id.value;
    let cases = || scenario.params.iter().filter_map(|row| row.get("case")?.as_str());
    // Of two cases that both end the id, the longer one is the row's.
    let own = cases().filter(|case| id.ends_with(&format!("-{case}"))).max_by_key(|case| case.len());
    let Some(own) = own else { return (id.clone(), vec![id.clone()]) };
    let story = id[..id.len() - own.len() - 1].to_owned();
    let can_be_told =
        |id: &String| library.real_scenarios.get(id).is_some_and(|row| virtual_only(row).is_none());
    let rows = cases().map(|case| format!("{story}-{case}")).filter(can_be_told).collect();
    (story, rows)
}

fn applies(scenario: &Scenario, profile: &Profile) -> bool {
    scenario.is_for(profile.executor())
}

/// Why a scenario cannot be run in the real lane, if so.
pub fn virtual_only(scenario: &Scenario) -> Option<String> {
    by_word(scenario).or_else(|| scenario.too_long_for(Lane::Real))
}

/// Why a scenario cannot be run in the real lane by what it says itself.
fn by_word(scenario: &Scenario) -> Option<String> {
    let by_step = || scenario.steps.iter().find_map(|step| step.virtual_only()).map(str::to_owned);
    let is_disturbed = scenario.given.disturbances.is_anything();
    let by_world = || is_disturbed.then(|| "its world is disturbed, which real ones are not".to_owned());
    scenario.virtual_only.clone().or_else(by_world).or_else(by_step)
}

/// Why a cell is not run, if so: its release does not declare what the scenario judges, or its lane cannot have it on this computer.
pub fn not_here(library: &Library, plan: &Plan) -> Option<String> {
    let fitted = plan.fitted.as_ref();
    undeclared(library, plan).or_else(|| fitted?.cannot.clone()).or_else(|| match plan.lane {
        Lane::Virtual => plan.scenario.real_only().map(str::to_owned),
        Lane::Real => not_over_processes(plan),
    })
}

/// Why a cell says nothing of its release, if so: it judges what is owed of an extension that the release does not declare. A scenario
/// that takes the extension away itself is about that.
fn undeclared(library: &Library, plan: &Plan) -> Option<String> {
    let lacks = &plan.scenario.given.receiver.lacks;
    let judged = plan.scenario.requirements().into_iter();
    let owed = judged.filter_map(|id| library.catalogue.get(&id.value)?.capability.as_ref());
    let mut undeclared = owed.filter(|uri| {
        !plan.release.takes(&uri.value) && !lacks.iter().any(|lacked| lacked.value == uri.value)
    });
    let uri = &undeclared.next()?.value;
    let who = match plan.foreign() {
        Some(foreign) => foreign.name().to_owned(),
        None => format!("the release {}", plan.release.id.value),
    };
    Some(format!("{who} does not declare {uri}"))
}

/// Why a cell is not run over real processes on this computer, if so. A scenario in which no CLI is installed must not meet the
/// one that the user works with.
fn not_over_processes(plan: &Plan) -> Option<String> {
    if plan.scenario.given.git && !cell::git_is_there() {
        return Some("there is no git on this computer".to_owned());
    }
    let virtual_only = match plan.foreign() {
        // Whether it is too long for it was looked at when it was fitted.
        Some(_) => by_word(&plan.scenario),
        None => virtual_only(&plan.scenario),
    };
    virtual_only.or_else(|| {
        let installed = plan.scenario.given.executor.installed;
        let program = plan.foreign().and_then(|foreign| foreign.program.as_ref()?.parent());
        let places = USUAL_PLACES.iter().map(Path::new).chain(program).filter(|_| !installed);
        let mut found = places.map(|place| place.join(&plan.executor.cli));
        let own = found.find(|path| files::exists(path))?;
        Some(format!("there is {} on this computer, which the receiver would find and start", own.display()))
    })
}

/// The quirks and faults that had something to bite on in a plain cell.
pub fn reachable(library: &Library, executor: &Executor, outcome: &Outcome) -> Vec<String> {
    let quirk = |quirk: &Quirk| {
        let is_meant = quirk.executors.is_empty() || quirk.executors.contains(&executor.id.value);
        if !is_meant || !outcome.events.iter().any(|(point, _)| *point == quirk.at) {
            return false;
        }
        let when = executor.when(&quirk.when);
        let bites = |(point, event): &&(Point, Value)| *point == quirk.at && when.matches(event);
        let needed = when.nth.unwrap_or(1) as usize;
        let begins = when.since.as_ref().map(|since| {
            let passed = outcome.events.iter().enumerate();
            let mut passed = passed.filter(|(_, (point, event))| since.matches(*point, event));
            passed.nth(since.needed() as usize - 1).map(|(number, _)| number + 1)
        });
        let from = match begins {
            None => 0,
            Some(Some(from)) => from,
            Some(None) => return false,
        };
        outcome.events[from..].iter().filter(bites).take(needed).count() == needed
    };
    let fault = |fault: &Fault| {
        let rule = executor.rule(&fault.rule);
        outcome.touches.iter().filter(|touch| rule.matches(touch)).count() >= rule.nth as usize
    };
    let quirks = library.quirks.values().filter(|known| quirk(known)).map(|known| known.id.clone());
    let faults = library.faults.values().filter(|known| fault(known)).map(|known| known.id.value.clone());
    quirks.chain(faults).collect()
}
