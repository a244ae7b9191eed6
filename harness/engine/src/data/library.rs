//! Everything that was read, checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_reports::{Class, Layer};
use gauntlet_simulators::cli::Profile;
use gauntlet_world::injection::{Deviation, Quirk};
use serde_json::Value;
use serde_saphyr::Spanned;

use super::catalogue::{Catalogue, RequirementFile};
use super::error::{DataError, DataErrors, nearest};
use super::executor::Executor;
use super::fault::Fault;
use super::names::{self, InFault, InProfile, InQuirk, InRelease, InScenario, Keys, OfRelease, Used, What};
use super::outline::Outline;
use super::owed;
use super::place::{Kind, Places};
use super::prefix;
use super::release::Release;
use super::revision::{Difference, Revision};
use super::roadmap::{self, RoadmapFile, RoadmapItem};
use super::source::{Source, SourceFile};
use super::yaml::parse;
use crate::scenario::{self, Lane, Limits, Reference, Scenario};

/// The data of a run. Immutable, and shared by all cells.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The requirements.
    pub catalogue: Catalogue,
    /// The scenarios by id, in the form of the virtual lane.
    pub scenarios: BTreeMap<String, Arc<Scenario>>,
    /// The limits of the real lane, where they are not the usual ones.
    limits: Option<Limits>,
    /// The same scenarios with the shorter limits of the real lane.
    pub real_scenarios: BTreeMap<String, Arc<Scenario>>,
    /// The executors, by id.
    pub executors: BTreeMap<String, Arc<Executor>>,
    /// The profiles, by executor and version.
    pub profiles: BTreeMap<(String, String), Arc<Profile>>,
    /// The releases, by id.
    pub releases: BTreeMap<String, Arc<Release>>,
    /// The quirks, by id.
    pub quirks: BTreeMap<String, Arc<Quirk>>,
    /// The faults, by id.
    pub faults: BTreeMap<String, Arc<Fault>>,
    /// The requirements that a mutant of the tests breaks, each with the name of its test.
    pub mutants: BTreeMap<String, String>,
    /// The items of the roadmap, in the order of their files.
    pub roadmap: Vec<RoadmapItem>,
    /// The frozen lists of requirements, by name.
    pub revisions: BTreeMap<String, Arc<Revision>>,
    /// What is marked as changed since the newest of them.
    pub unreleased: Difference,
    /// The revision that judges, when one was asked for.
    pub judged_by: Option<String>,
    /// Where each of them is written.
    pub places: Places,
    /// A digest of every file that was read.
    pub digest: String,
    /// The user's own data among them.
    pub layers: Vec<Layer>,
}

impl Library {
    /// Reads and checks all sources. All mistakes are reported together.
    pub fn load(sources: &[Source]) -> Result<Self, LoadError> {
        Self::load_with(sources, Limits::of(Lane::Real))
    }

    /// The same with other limits for the subjects of the real lane.
    pub fn load_with(sources: &[Source], limits: Limits) -> Result<Self, LoadError> {
        let mut library = Self { limits: Some(limits), ..Self::default() };
        let mut mistakes = Vec::new();
        let mut hasher = blake3::Hasher::new();
        let mut read = Vec::new();
        let mut used = Vec::new();
        let mut from_embedded = 0;
        for source in sources {
            let unreadable = |error| LoadError::Unreadable(source.to_string(), error);
            let files = source.files().map_err(unreadable)?;
            library.layers.extend(prefix::layer(source).map_err(unreadable)?);
            from_embedded += if *source == Source::Embedded { files.len() } else { 0 };
            for file in files {
                hasher.update(file.kind.as_bytes());
                hasher.update(file.text.as_bytes());
                let number = read.len();
                let mut name = |written, what| used.push(Used { file: number, written, what });
                if let Err(mistake) = library.read(&file, &mut name) {
                    mistakes.push(mistake);
                }
                read.push(file);
            }
        }
        if !library.layers.is_empty() {
            // The embedded data comes first.
            let files = read.iter().enumerate().map(|(number, file)| (file, number < from_embedded));
            let clashes = prefix::clashes(files);
            let is_told = |mistake: &DataError| {
                clashes.iter().any(|clash| (&clash.file, clash.line) == (&mistake.file, mistake.line))
            };
            mistakes.retain(|mistake| !is_told(mistake));
            mistakes.extend(clashes);
        }
        if mistakes.is_empty() {
            mistakes =
                used.iter().filter_map(|used| names::check(&library, &read[used.file], used)).collect();
        }
        if mistakes.is_empty() {
            mistakes = owed::mistakes(&library, &read);
        }
        library.digest = hasher.finalize().to_hex().to_string();
        if mistakes.is_empty() { Ok(library) } else { Err(LoadError::Mistakes(DataErrors::new(mistakes))) }
    }

    /// Reads a file. `uses` is told of each name in it that something else must have.
    fn read(
        &mut self,
        file: &SourceFile,
        uses: &mut dyn FnMut(Spanned<String>, What),
    ) -> Result<(), DataError> {
        let (name, text) = (file.name.as_str(), file.text.as_str());
        match file.kind.as_str() {
            "requirements" => {
                let parsed: RequirementFile = parse(name, text)?;
                for mut requirement in parsed.requirements {
                    if requirement.executors.is_empty() {
                        requirement.executors = parsed.executors.clone();
                    }
                    requirement.executors.iter().for_each(|executor| uses(executor.clone(), What::Executor));
                    if self.catalogue.get(&requirement.id.value).is_some() {
                        return Err(twice(file, &requirement.id, "requirement"));
                    }
                    self.places.note(Kind::Requirement, &requirement.id.value, file, line(&requirement.id));
                    uses(requirement.id.clone(), What::Itself);
                    if (requirement.class == Class::Capability) != requirement.capability.is_some() {
                        let id = &requirement.id;
                        let place = (id.referenced.line(), id.referenced.column());
                        let message = format!(
                            "expected `capability` beside the class of that name, and nowhere else; {} has one of them alone",
                            id.value
                        );
                        return Err(DataError::new(name, text, place, message, None));
                    }
                    requirement.capability.iter().for_each(|uri| uses(uri.clone(), What::Capability));
                    requirement.depends_on.iter().for_each(|base| uses(base.clone(), What::Requirement));
                    self.catalogue.add(requirement);
                }
            }
            "suites" => {
                let scenarios = scenario::read(name, text, Lane::Virtual)?;
                for scenario in &scenarios {
                    let named = scenario.requirements().into_iter();
                    named.for_each(|id| uses(id.clone(), What::Requirement));
                    scenario.executors().for_each(|executor| uses(executor.clone(), What::Executor));
                    let lacks = scenario.given.receiver.lacks.iter();
                    lacks.for_each(|uri| uses(uri.clone(), What::Capability));
                    let quirks = scenario.given.disturbances.quirks.iter();
                    quirks.for_each(|quirk| uses(quirk.clone(), What::Quirk));
                }
                hosts_in_steps(file, &scenarios)?.into_iter().for_each(|host| uses(host, What::Host));
                let in_virtual: Vec<_> = scenarios.into_iter().map(Arc::new).collect();
                // Most stories speak of no limit, and are the same in both lanes.
                let limits = self.limits.unwrap_or(Limits::of(Lane::Real));
                let in_real: Vec<_> = if Limits::of(Lane::Virtual).fill(text) == limits.fill(text) {
                    in_virtual.clone()
                } else {
                    scenario::read_with(name, text, &limits)?.into_iter().map(Arc::new).collect()
                };
                for (scenarios, into) in
                    [(in_virtual, &mut self.scenarios), (in_real, &mut self.real_scenarios)]
                {
                    for scenario in scenarios {
                        let id = scenario.id.clone();
                        self.places.note(Kind::Scenario, &id.value, file, line(&id));
                        if into.insert(id.value.clone(), scenario).is_some() {
                            return Err(twice(file, &id, "scenario"));
                        }
                    }
                }
            }
            "executors" => {
                let executor: Executor = parse(name, text)?;
                if let Some((way, message)) = executor.misplaced() {
                    return Err(DataError::new(name, text, Outline::of(text).value(&way), message, None));
                }
                if self.executors.contains_key(&executor.id.value) {
                    return Err(twice(file, &executor.id, "executor"));
                }
                self.places.note(Kind::Executor, &executor.id.value, file, line(&executor.id));
                self.executors.insert(executor.id.value.clone(), Arc::new(executor));
            }
            "profiles" => {
                let profile: Profile = parse(name, text)?;
                let names: InProfile = parse(name, text)?;
                names.breaks.0.into_iter().for_each(|id| uses(id, What::Requirement));
                names.cli.0.into_iter().for_each(|executor| uses(executor, What::Executor));
                let key = (profile.executor().to_owned(), profile.version.clone());
                if self.profiles.contains_key(&key) {
                    let message =
                        format!("expected a new version; {} {} has a profile already", key.0, key.1);
                    return Err(DataError::new(name, text, (1, 1), message, None));
                }
                self.places.note(Kind::Profile, &format!("{}-{}", key.0, key.1), file, 1);
                self.profiles.insert(key, Arc::new(profile));
            }
            "releases" => {
                let release: Release = parse(name, text)?;
                let names: InRelease = parse(name, text)?;
                let further = release.executors.values().flat_map(|before| &before.quirks);
                release.quirks.iter().chain(further).for_each(|id| uses(id.clone(), What::QuirkOfRelease));
                release.declares.iter().for_each(|uri| uses(uri.clone(), What::Capability));
                names.breaks.0.into_iter().for_each(|id| uses(id, What::Requirement));
                let of_executors = names.executors.into_values().flat_map(|before| before.breaks.0);
                of_executors.for_each(|id| uses(id, What::Requirement));
                let executors: OfRelease = parse(name, text)?;
                executors.executors.0.into_iter().for_each(|executor| uses(executor, What::Executor));
                if self.releases.contains_key(&release.id.value) {
                    return Err(twice(file, &release.id, "release"));
                }
                self.places.note(Kind::Release, &release.id.value, file, line(&release.id));
                self.releases.insert(release.id.value.clone(), Arc::new(release));
            }
            "quirks" => {
                let quirk: Quirk = parse(name, text)?;
                let names: InQuirk = parse(name, text)?;
                names.violates.into_iter().for_each(|id| uses(id, What::Requirement));
                names.executors.into_iter().for_each(|executor| uses(executor, What::Executor));
                let outline = Outline::of(text);
                let fail = |place, message, help| Err(DataError::new(name, text, place, message, help));
                if quirk.violates.is_empty() {
                    let message = "expected `violates` to name what the quirk breaks; it names nothing";
                    return fail(outline.value(&["violates"]), message.to_owned(), None);
                }
                if let Some(misfit) = quirk.misfit() {
                    let path: Vec<&str> = misfit.path.iter().map(String::as_str).collect();
                    // Pointers and deviations are keys, the rest are values.
                    let place = if path.len() > 2 { outline.key(&path) } else { outline.value(&path) };
                    let help = nearest(&misfit.found, misfit.known).filter(|_| !misfit.found.is_empty());
                    return fail(place, misfit.message, help.map(|near| format!("did you mean {near:?}?")));
                }
                if let Some((path, message, help)) = words_of(&quirk) {
                    let path: Vec<&str> = path.iter().map(String::as_str).collect();
                    return fail(outline.value(&path), message, help);
                }
                if self.quirks.contains_key(&quirk.id) || self.faults.contains_key(&quirk.id) {
                    let message = format!("expected a new id; {:?} exists already", quirk.id);
                    return fail(outline.value(&["id"]), message, None);
                }
                self.places.note(Kind::Quirk, &quirk.id, file, outline.value(&["id"]).0);
                self.quirks.insert(quirk.id.clone(), Arc::new(quirk));
            }
            "faults" => {
                let fault: Fault = parse(name, text)?;
                uses(parse::<InFault>(name, text)?.rule.host, What::Host);
                if fault.rule.nth == 0 {
                    let message = "expected `nth` to count from 1; found 0".to_owned();
                    let place = Outline::of(text).value(&["rule", "nth"]);
                    return Err(DataError::new(name, text, place, message, None));
                }
                if self.quirks.contains_key(&fault.id.value) || self.faults.contains_key(&fault.id.value) {
                    return Err(twice(file, &fault.id, "quirk or fault"));
                }
                self.places.note(Kind::Fault, &fault.id.value, file, line(&fault.id));
                self.faults.insert(fault.id.value.clone(), Arc::new(fault));
            }
            "mutants" => {
                let mutants: BTreeMap<String, String> = parse(name, text)?;
                parse::<Keys>(name, text)?.0.into_iter().for_each(|id| uses(id, What::Requirement));
                self.mutants.extend(mutants);
            }
            "roadmap" => {
                let parsed: RoadmapFile = parse(name, text)?;
                for item in parsed.items {
                    if self.roadmap.iter().any(|known| known.id.value == item.id.value) {
                        return Err(twice(file, &item.id, "roadmap item"));
                    }
                    // A pattern may be ahead of its rows; a name may not.
                    let exact = item.requirements.iter().filter(|name| !roadmap::is_pattern(&name.value));
                    exact.for_each(|id| uses(id.clone(), What::Requirement));
                    self.places.note(Kind::RoadmapItem, &item.id.value, file, line(&item.id));
                    self.roadmap.push(item);
                }
            }
            "catalogue" if file.name.ends_with("/unreleased.yaml") => self.unreleased = parse(name, text)?,
            "catalogue" => {
                let revision: Revision = parse(name, text)?;
                if self.revisions.contains_key(&revision.revision.value) {
                    return Err(twice(file, &revision.revision, "revision"));
                }
                let id = revision.revision.value.clone();
                self.places.note(Kind::Revision, &id, file, line(&revision.revision));
                self.revisions.insert(id, Arc::new(revision));
            }
            _ => {
                let known = [
                    "requirements",
                    "suites",
                    "executors",
                    "profiles",
                    "releases",
                    "quirks",
                    "faults",
                    "mutants",
                    "roadmap",
                    "catalogue",
                ];
                let help =
                    nearest(&file.kind, known).map(|known| format!("did you mean the folder {known:?}?"));
                let message =
                    format!("expected the file in one of {}; found it in {:?}", known.join(", "), file.kind);
                return Err(DataError::new(name, text, (1, 1), message, help));
            }
        }
        Ok(())
    }

    /// The names of the executors that have a profile.
    pub fn profiled(&self) -> BTreeSet<&str> {
        self.profiles.keys().map(|(executor, _)| executor.as_str()).collect()
    }

    /// The profiles of an executor, oldest first.
    pub fn versions(&self, executor: &str) -> Vec<Arc<Profile>> {
        let mut profiles: Vec<_> =
            self.profiles.values().filter(|profile| profile.executor() == executor).cloned().collect();
        profiles.sort_by_key(|profile| version_key(&profile.version));
        profiles
    }
}

/// The first word in the braces of a quirk's texts that stands for nothing: the way to it, and what was expected.
fn words_of(quirk: &Quirk) -> Option<(Vec<String>, String, Option<String>)> {
    let wrong = |path: [&str; 3], value: &Value, known: &[&str]| {
        let words = Reference::all(value.as_str()?).filter_map(|reference| match reference {
            Reference::Word(word) => Some(word),
            Reference::Named(..) => None,
        });
        let (message, help) = words.into_iter().find_map(|word| scenario::unknown_word(word, known))?;
        Some((path.map(str::to_owned).to_vec(), message, help))
    };
    let of_match = |(at, value): (&String, &Value)| wrong(["when", "matches", at], value, &Executor::WORDS);
    let of_beginning = |(at, text): (&String, &String)| {
        wrong(["when", "begins", at], &Value::from(text.as_str()), &Executor::WORDS)
    };
    let since = || quirk.when.since.iter();
    let matches = quirk.when.matches.iter().chain(since().flat_map(|since| &since.matches));
    let mut begins = quirk.when.begins.iter().chain(since().flat_map(|since| &since.begins));
    let of_event = { matches }.find_map(of_match).or_else(|| begins.find_map(of_beginning));
    let (Deviation::Replace(values) | Deviation::Duplicate(values)) = &quirk.deviation else {
        return of_event;
    };
    let kind = quirk.deviation.kind().name();
    of_event.or_else(|| values.iter().find_map(|(at, value)| wrong(["do", kind, at], value, &IN_REPLACEMENT)))
}

/// What braces in a replacement stand for, beside `{fill:N}`.
const IN_REPLACEMENT: [&str; 10] =
    ["token", "context", "text", "line", "id", "url", "usual", "node", "first", "failure"];

/// The hosts at which the steps of a file of scenarios aim faults; the types of steps hold them without a place.
fn hosts_in_steps(file: &SourceFile, scenarios: &[Scenario]) -> Result<Vec<Spanned<String>>, DataError> {
    let mut steps = scenarios.iter().flat_map(|scenario| &scenario.steps);
    let mut worlds = scenarios.iter().map(|scenario| &scenario.given.disturbances);
    if !steps.any(|step| step.fault.is_some()) && !worlds.any(|world| !world.faults.is_empty()) {
        return Ok(Vec::new());
    }
    let mut hosts = Vec::new();
    for (_, text) in scenario::expand(&file.text, Lane::Virtual) {
        let names: InScenario = parse(&file.name, &text)?;
        hosts.extend(names.given.disturbances.faults.into_iter().map(|rule| rule.host));
        hosts.extend(names.steps.into_iter().filter_map(|step| Some(step.fault?.host)));
    }
    Ok(hosts)
}

/// What versions are ordered by.
pub(crate) fn version_key(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn line(id: &Spanned<String>) -> u64 {
    id.referenced.line()
}

fn twice(file: &SourceFile, id: &Spanned<String>, what: &str) -> DataError {
    let place = (id.referenced.line(), id.referenced.column());
    let message = format!("expected a new id; a {what} {:?} exists already", id.value);
    DataError::new(&file.name, &file.text, place, message, Some("choose another id".to_owned()))
}

/// Why the data cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LoadError {
    /// A source cannot be read.
    #[error("cannot read the data of {0}")]
    Unreadable(String, #[source] std::io::Error),
    /// Mistakes in files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(#[from] DataErrors),
}
