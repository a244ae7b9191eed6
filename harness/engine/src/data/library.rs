//! Everything that was read, checked as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gauntlet_simulators::cli::Profile;
use gauntlet_simulators::injection::Quirk;
use serde_saphyr::Spanned;

use super::catalogue::{Catalogue, RequirementFile};
use super::error::{DataError, DataErrors, nearest};
use super::executor::Executor;
use super::fault::Fault;
use super::release::Release;
use super::source::{Source, SourceFile};
use super::yaml::parse;
use crate::scenario::{self, Scenario};

/// The data of a run. Immutable, and shared by all cells.
#[derive(Debug, Clone, Default)]
pub struct Library {
    /// The requirements.
    pub catalogue: Catalogue,
    /// The scenarios by id, in the form of the virtual lane.
    pub scenarios: BTreeMap<String, Arc<Scenario>>,
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
    /// A digest of every file that was read.
    pub digest: String,
}

impl Library {
    /// Reads and checks all sources. All mistakes are reported together.
    pub fn load(sources: &[Source]) -> Result<Self, LoadError> {
        let mut library = Self::default();
        let mut mistakes = Vec::new();
        let mut hasher = blake3::Hasher::new();
        let mut read = Vec::new();
        for source in sources {
            let files = source.files().map_err(|error| LoadError::Unreadable(source.to_string(), error))?;
            for file in files {
                hasher.update(file.kind.as_bytes());
                hasher.update(file.text.as_bytes());
                if let Err(mistake) = library.read(&file) {
                    mistakes.extend(mistake);
                }
                read.push(file);
            }
        }
        if mistakes.is_empty() {
            for file in &read {
                library.check_names(file, &mut mistakes);
            }
        }
        library.digest = hasher.finalize().to_hex().to_string();
        if mistakes.is_empty() { Ok(library) } else { Err(LoadError::Mistakes(DataErrors::new(mistakes))) }
    }

    fn read(&mut self, file: &SourceFile) -> Result<(), Vec<DataError>> {
        let (name, text) = (file.name.as_str(), file.text.as_str());
        let single = |mistake| vec![mistake];
        match file.kind.as_str() {
            "requirements" => {
                let parsed: RequirementFile = parse(name, text).map_err(single)?;
                for requirement in parsed.requirements {
                    if self.catalogue.get(&requirement.id.value).is_some() {
                        return Err(vec![twice(file, &requirement.id, "requirement")]);
                    }
                    self.catalogue.add(requirement);
                }
            }
            "suites" => {
                for (lane, into) in [
                    (scenario::Lane::Virtual, &mut self.scenarios),
                    (scenario::Lane::Real, &mut self.real_scenarios),
                ] {
                    for scenario in scenario::read(name, text, lane).map_err(single)? {
                        let id = scenario.id.clone();
                        if into.insert(id.value.clone(), Arc::new(scenario)).is_some() {
                            return Err(vec![twice(file, &id, "scenario")]);
                        }
                    }
                }
            }
            "executors" => {
                let executor: Executor = parse(name, text).map_err(single)?;
                if self.executors.contains_key(&executor.id.value) {
                    return Err(vec![twice(file, &executor.id, "executor")]);
                }
                self.executors.insert(executor.id.value.clone(), Arc::new(executor));
            }
            "profiles" => {
                let profile: Profile = parse(name, text).map_err(single)?;
                let key = (profile.executor().to_owned(), profile.version.clone());
                if self.profiles.contains_key(&key) {
                    let message =
                        format!("expected a new version; {} {} has a profile already", key.0, key.1);
                    return Err(vec![DataError::new(name, text, (1, 1), message, None)]);
                }
                self.profiles.insert(key, Arc::new(profile));
            }
            "releases" => {
                let release: Release = parse(name, text).map_err(single)?;
                if self.releases.contains_key(&release.id.value) {
                    return Err(vec![twice(file, &release.id, "release")]);
                }
                self.releases.insert(release.id.value.clone(), Arc::new(release));
            }
            "quirks" => {
                let quirk: Quirk = parse(name, text).map_err(single)?;
                let wrong = if quirk.violates.is_empty() {
                    Some("expected `violates` to name what the quirk breaks; it names nothing".to_owned())
                } else if quirk.role != quirk.at.role() {
                    let (at, role) = (quirk.at.name(), quirk.at.role());
                    Some(format!("expected the role of {at}, which is {role:?}; found {:?}", quirk.role))
                } else if self.quirks.contains_key(&quirk.id) || self.faults.contains_key(&quirk.id) {
                    Some(format!("expected a new id; {:?} exists already", quirk.id))
                } else {
                    None
                };
                if let Some(message) = wrong {
                    return Err(vec![DataError::new(name, text, (1, 1), message, None)]);
                }
                self.quirks.insert(quirk.id.clone(), Arc::new(quirk));
            }
            "faults" => {
                let fault: Fault = parse(name, text).map_err(single)?;
                if fault.rule.nth == 0 {
                    let message = "expected `nth` to count from 1; found 0".to_owned();
                    let place = (fault.id.referenced.line(), fault.id.referenced.column());
                    return Err(vec![DataError::new(name, text, place, message, None)]);
                }
                if self.quirks.contains_key(&fault.id.value) || self.faults.contains_key(&fault.id.value) {
                    return Err(vec![twice(file, &fault.id, "quirk or fault")]);
                }
                self.faults.insert(fault.id.value.clone(), Arc::new(fault));
            }
            _ => {
                let known =
                    ["requirements", "suites", "executors", "profiles", "releases", "quirks", "faults"];
                let help =
                    nearest(&file.kind, known).map(|known| format!("did you mean the folder {known:?}?"));
                let message =
                    format!("expected the file in one of {}; found it in {:?}", known.join(", "), file.kind);
                return Err(vec![DataError::new(name, text, (1, 1), message, help)]);
            }
        }
        Ok(())
    }

    /// Every name that a file uses must be known.
    fn check_names(&self, file: &SourceFile, mistakes: &mut Vec<DataError>) {
        let mut unknown = |written: &Spanned<String>, what: &str, known: Vec<&str>| {
            if known.contains(&written.value.as_str()) {
                return;
            }
            let place = (written.referenced.line(), written.referenced.column());
            let help = nearest(&written.value, known).map(|name| format!("did you mean {name:?}?"));
            let message = format!("expected the name of {what}; found {:?}", written.value);
            mistakes.push(DataError::new(&file.name, &file.text, place, message, help));
        };
        let requirements = || self.catalogue.ids().collect::<Vec<_>>();
        let mut circles = Vec::new();
        match file.kind.as_str() {
            "requirements" => {
                if let Ok(parsed) = parse::<RequirementFile>(&file.name, &file.text) {
                    let bases = parsed.requirements.iter().flat_map(|requirement| &requirement.depends_on);
                    bases.for_each(|base| unknown(base, "a requirement", requirements()));
                    for requirement in &parsed.requirements {
                        let id = &requirement.id;
                        if self.catalogue.foundations(&id.value).contains(&id.value.as_str()) {
                            let place = (id.referenced.line(), id.referenced.column());
                            let message = format!("expected {} not to rest on itself", id.value);
                            circles.push(DataError::new(&file.name, &file.text, place, message, None));
                        }
                    }
                }
            }
            "suites" => {
                if let Ok(parsed) = scenario::read(&file.name, &file.text, scenario::Lane::Virtual) {
                    let named: Vec<_> = parsed.iter().flat_map(Scenario::requirements).collect();
                    named.into_iter().for_each(|id| unknown(id, "a requirement", requirements()));
                    let executors = || self.executors.keys().map(String::as_str).collect::<Vec<_>>();
                    let named = parsed.iter().flat_map(Scenario::executors);
                    named.for_each(|executor| unknown(executor, "an executor", executors()));
                }
            }
            "quirks" => {
                if let Ok(quirk) = parse::<Violations>(&file.name, &file.text) {
                    quirk.violates.iter().for_each(|id| unknown(id, "a requirement", requirements()));
                    let executors = || self.executors.keys().map(String::as_str).collect::<Vec<_>>();
                    quirk.executors.iter().for_each(|executor| unknown(executor, "an executor", executors()));
                }
            }
            "releases" => {
                if let Ok(release) = parse::<Release>(&file.name, &file.text) {
                    let known = || self.quirks.keys().map(String::as_str).collect::<Vec<_>>();
                    release.quirks.iter().for_each(|id| unknown(id, "a quirk", known()));
                }
            }
            _ => {}
        }
        mistakes.extend(circles);
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

/// Only what is needed to point at the names in a quirk file.
#[derive(serde::Deserialize)]
struct Violations {
    violates: Vec<Spanned<String>>,
    #[serde(default)]
    executors: Vec<Spanned<String>>,
}

fn version_key(version: &str) -> Vec<u64> {
    version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
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
