//! Tables of what there is, for whoever looks for a name.

use gauntlet_reports::Listing;

use crate::data::Library;
use crate::results::Results;

/// The requirements.
pub fn requirements(library: &Library) -> Listing {
    let mut listing = Listing::new(&["id", "level", "class", "role", "executors", "statement"]);
    for row in library.catalogue.all() {
        let executors: Vec<&str> = row.executors.iter().map(|executor| executor.value.as_str()).collect();
        listing.rows.push(vec![
            row.id.value.clone(),
            row.level.to_string(),
            row.class.to_string(),
            row.role.name().to_owned(),
            all_or(&executors),
            row.statement.clone(),
        ]);
    }
    listing
}

/// The scenarios.
pub fn scenarios(library: &Library) -> Listing {
    let mut listing = Listing::new(&["id", "executors", "title"]);
    for scenario in library.scenarios.values() {
        let executors: Vec<&str> =
            scenario.executors.iter().map(|executor| executor.value.as_str()).collect();
        listing.rows.push(vec![scenario.id.value.clone(), all_or(&executors), scenario.title.clone()]);
    }
    listing
}

/// The quirks.
pub fn quirks(library: &Library) -> Listing {
    let mut listing = Listing::new(&["id", "role", "at", "executors", "violates", "title"]);
    for quirk in library.quirks.values() {
        let executors: Vec<&str> = quirk.executors.iter().map(String::as_str).collect();
        listing.rows.push(vec![
            quirk.id.clone(),
            quirk.role.clone(),
            quirk.at.name().to_owned(),
            all_or(&executors),
            quirk.violates.join(" "),
            quirk.title.clone(),
        ]);
    }
    listing
}

/// The profiles.
pub fn profiles(library: &Library) -> Listing {
    let mut listing = Listing::new(&["executor", "version", "recorded", "breaks"]);
    for executor in library.profiled() {
        for profile in library.versions(executor) {
            let breaks: Vec<&str> = profile.breaks.keys().map(String::as_str).collect();
            let recorded = if profile.recorded_from.is_some() { "yes" } else { "no" };
            listing.rows.push(vec![
                executor.to_owned(),
                profile.version.clone(),
                recorded.to_owned(),
                breaks.join(" "),
            ]);
        }
    }
    listing
}

/// The releases.
pub fn releases(library: &Library) -> Listing {
    let mut listing = Listing::new(&["id", "quirks", "title"]);
    for release in library.releases.values() {
        let quirks: Vec<&str> = release.quirks.iter().map(|quirk| quirk.value.as_str()).collect();
        listing.rows.push(vec![release.id.value.clone(), quirks.join(" "), release.title.clone()]);
    }
    listing
}

/// The faults.
pub fn faults(library: &Library) -> Listing {
    let mut listing = Listing::new(&["id", "title"]);
    for fault in library.faults.values() {
        listing.rows.push(vec![fault.id.value.clone(), fault.title.clone()]);
    }
    listing
}

/// The items of the roadmap, a row for each of their requirements, with the last result of each.
pub fn roadmap(library: &Library, results: Option<&Results>) -> Listing {
    let mut listing = Listing::new(&["item", "requirement", "level", "last result"]);
    for item in &library.roadmap {
        let mut add = |requirement: &str, level: &str, result: &str| {
            let row = [&item.id.value, requirement, level, result];
            listing.rows.push(row.map(str::to_owned).to_vec());
        };
        for row in item.rows(&library.catalogue) {
            let id = row.id.value.as_str();
            add(id, row.level.as_str(), &last(results, id));
        }
        for open in item.open(&library.catalogue) {
            add(&format!("no requirement yet ({open})"), "", "not run");
        }
    }
    listing
}

/// The last result of a requirement in words.
pub(crate) fn last(results: Option<&Results>, id: &str) -> String {
    results.and_then(|results| results.requirement(id)).unwrap_or_else(|| "not run".to_owned())
}

fn all_or(names: &[&str]) -> String {
    if names.is_empty() { "all".to_owned() } else { names.join(" ") }
}
