//! The executors' own CLIs: where they are, which versions, and which profile speaks for each.

use std::sync::Arc;

use gauntlet_simulators::cli::Profile;
use gauntlet_simulators::receiver::USUAL_PLACES;

use super::eyes::Eyes;
use super::{Finding, State};
use crate::data::executor::Executor;
use crate::data::{Library, version_key};

pub(super) async fn examine(eyes: &Eyes<'_>, library: &Library, executor: &Executor) -> Finding {
    let (id, cli) = (executor.id.value.as_str(), executor.cli.as_str());
    let what = format!("{cli} ({id})");
    let Some(path) = eyes.on_path(cli).await else {
        if let Some(path) = eyes.first(USUAL_PLACES.iter().copied(), cli).await {
            let found = format!("{}, which is not on PATH; a receiver looks there too", path.display());
            return Finding::new(what, State::Note, found);
        }
        let found = "not on PATH; a run does not need it, since stand-ins take its place";
        let help = format!("install {cli} to use the executor {id} itself");
        return Finding::new(what, State::Missing, found).help(help);
    };
    let shown = path.display();
    let said = match eyes.version(&path).await {
        Ok(said) => said,
        Err(error) => return Finding::new(what, State::Wrong, format!("{shown} cannot be started: {error}")),
    };
    let Some(version) = version_in(&said) else {
        let found = format!("{shown} does not say its version within ten seconds: {said:?}");
        return Finding::new(what, State::Wrong, found);
    };
    let record = format!("record {cli} {version}, then `gauntlet profile record DIR`");
    match fit(&library.versions(id), version) {
        Fit::Exact(true) => {
            Finding::new(what, State::Fine, format!("{version} in {shown}; its profile is recorded"))
        }
        Fit::Exact(false) => {
            Finding::new(what, State::Note, format!("{version} in {shown}; its profile is unrecorded"))
                .help(record)
        }
        Fit::Nearest(near) => {
            let found = format!("{version} in {shown}; no profile fits, the nearest recorded one is {near}");
            Finding::new(what, State::Note, found).help(record)
        }
        Fit::None => {
            let found = format!("{version} in {shown}; no profile of {id} is recorded");
            Finding::new(what, State::Note, found).help(record)
        }
    }
}

/// Which profile speaks for a version.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// One of that version, and whether it is recorded.
    Exact(bool),
    /// The newest recorded one that is not newer; else the oldest.
    Nearest(String),
    /// None is recorded.
    None,
}

/// The profile of a list, oldest first, that speaks for a version.
pub(super) fn fit(profiles: &[Arc<Profile>], version: &str) -> Fit {
    if let Some(exact) = profiles.iter().find(|profile| profile.version == version) {
        return Fit::Exact(exact.recorded_from.is_some());
    }
    let recorded = || profiles.iter().filter(|profile| profile.recorded_from.is_some());
    let not_newer = recorded().rfind(|profile| version_key(&profile.version) <= version_key(version));
    let nearest = not_newer.or_else(|| recorded().next());
    nearest.map_or(Fit::None, |profile| Fit::Nearest(profile.version.clone()))
}

/// The first word that is a version: numbers with dots between them, perhaps behind a `v`.
pub(super) fn version_in(said: &str) -> Option<&str> {
    said.split(|c: char| c.is_whitespace() || "(),;".contains(c)).find_map(|word| {
        let word = word.strip_prefix('v').unwrap_or(word);
        let core = word.split(['-', '+']).next().unwrap_or_default();
        let numbers =
            core.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        (core.contains('.') && numbers).then_some(word)
    })
}
