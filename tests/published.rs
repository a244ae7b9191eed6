//! What is published is what the code does: schemas, and the embedded files against them.

mod cells;

use std::fs;
use std::path::Path;

use gauntlet_engine::coverage::{OfExecutor, Reached};
use gauntlet_engine::data::catalogue::{Requirement, Role};
use gauntlet_engine::data::place::Kind;
use gauntlet_engine::data::{Library, Source};
use gauntlet_reports::{Lane, Level};
use serde_json::Value;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The published file of a schema is what the code says it is; writes it first, where that is asked for.
fn is_published(name: &str, schema: &Value) {
    let path = root().join("scenarios/schema").join(name);
    let generated = serde_json::to_string_pretty(schema).expect("a schema is JSON") + "\n";
    if std::env::var_os("GAUNTLET_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(&path, &generated).expect("the schema is written");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        published, generated,
        "regenerate it: GAUNTLET_BLESS=1 cargo test -p gauntlet --test published"
    );
}

#[test]
fn the_published_scenario_schema_is_that_of_the_grammar() {
    is_published("scenario.json", &gauntlet_engine::scenario::schema());
}

#[test]
fn the_published_schema_of_manifests_is_that_of_receiver_toml() {
    is_published("receiver.json", &gauntlet_engine::certify::schema());
}

#[test]
fn the_published_schema_of_manifests_of_runtimes_is_that_of_runtime_toml() {
    is_published("runtime.json", &gauntlet_engine::driver::schema());
}

#[test]
fn every_embedded_scenario_keeps_the_published_schema() {
    let schema = jsonschema::validator_for(&gauntlet_engine::scenario::schema()).expect("the schema is one");
    let mut seen = 0;
    for (path, text) in suites() {
        for (_, text) in gauntlet_engine::scenario::expand(&text, Lane::Virtual) {
            let value: Value = serde_saphyr::from_str(&text).expect("the file is YAML");
            let mistakes: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(mistakes.is_empty(), "{path}: {mistakes:?}");
            seen += 1;
        }
    }
    assert!(seen >= 15, "only {seen} scenario files");
}

fn suites() -> Vec<(String, String)> {
    gauntlet_engine::files::yaml_below(&root().join("scenarios/suites")).expect("the suites can be read")
}

#[test]
fn every_must_is_judged_on_each_executor_that_owes_it_and_nine_in_ten_of_the_should() {
    let (library, reached) = (cells::library(), Reached::unknown());
    for executor in library.profiled() {
        let owed = OfExecutor::new(&library, executor, &reached);
        let (all, unjudged) = (owed.rows().collect::<Vec<_>>(), owed.unjudged());
        let of = |rows: &[&Requirement], level| rows.iter().filter(|row| row.level == level).count();
        let musts: Vec<&str> =
            unjudged.iter().filter(|row| row.level == Level::Must).map(|row| row.id.value.as_str()).collect();
        assert!(musts.is_empty(), "{executor}: nothing judges {musts:?}");
        let should = of(&all, Level::Should);
        let judged = should - of(&unjudged, Level::Should);
        assert!(judged * 10 >= should * 9, "{executor}: {judged} of {should} should are judged");
    }
}

#[test]
fn nine_in_ten_of_what_receivers_and_clis_owe_were_seen_to_fail() {
    let library = cells::library();
    let reached = Reached::by_probing(&library, &cells::settings(2));
    for executor in library.profiled() {
        let owed = OfExecutor::new(&library, executor, &reached);
        let is_of = |row: &&&Requirement| matches!(row.role, Role::Receiver | Role::Cli);
        let all: Vec<&Requirement> = owed.rows().collect();
        let all = all.iter().filter(is_of).count();
        let unbroken = owed.unbroken();
        let unbroken: Vec<&str> = unbroken.iter().filter(is_of).map(|row| row.id.value.as_str()).collect();
        assert!(unbroken.len() * 10 <= all, "{executor}: of {all} rows nothing breaks {unbroken:?}");
    }
}

#[test]
fn every_row_of_the_runtime_was_seen_to_fail() {
    let library = cells::library();
    let reached = Reached::by_probing(&library, &cells::settings(2));
    for executor in library.profiled() {
        let owed = OfExecutor::new(&library, executor, &reached);
        let unbroken = owed.unbroken().into_iter().filter(|row| row.role == Role::Runtime);
        let unbroken: Vec<&str> = unbroken.map(|row| row.id.value.as_str()).collect();
        assert!(unbroken.is_empty(), "{executor}: nothing breaks {unbroken:?}");
    }
}

#[test]
fn every_profile_says_what_it_was_recorded_from_or_claims_no_version() {
    for profile in cells::library().profiles.values() {
        let Some(folder) = profile.recorded_from.as_deref() else {
            // Whatever was not recorded must not look like a release that somebody could install.
            let claims = profile.version.chars().any(|sign| sign.is_ascii_digit());
            assert!(!claims, "{} of {} was not recorded", profile.version, profile.executor());
            continue;
        };
        assert!(root().join(folder).is_dir(), "{} names {folder}, which is not there", profile.version);
    }
}

/// The newest revision is the catalogue, but for what is marked as changed since. `GAUNTLET_BLESS=1` marks it; `gauntlet catalogue
/// freeze` makes a new revision of it, after which nothing is marked.
#[test]
fn the_newest_revision_is_the_catalogue_but_for_what_is_marked_as_unreleased() {
    let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
    let newest = library.newest_revision().expect("there is a revision");
    let difference = newest.difference(&library);
    let path = root().join("scenarios/catalogue/unreleased.yaml");
    if std::env::var_os("GAUNTLET_BLESS").is_some() {
        fs::write(&path, difference.yaml()).expect("the list is written");
        return;
    }
    assert_eq!(
        library.unreleased, difference,
        "mark it: GAUNTLET_BLESS=1 cargo test -p gauntlet --test published, or cut a revision"
    );
    assert_eq!(fs::read_to_string(path).expect("a list"), difference.yaml());
}

#[test]
fn each_revision_is_in_a_file_of_its_name() {
    let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
    for (id, revision) in &library.revisions {
        let place = library.places.of(Kind::Revision, id).expect("it is written somewhere");
        assert!(place.file.ends_with(&format!("catalogue/{id}.yaml")), "{place}");
        assert!(revision.date.starts_with(id.as_str()), "{id} was cut on {}", revision.date);
    }
}

/// Items whose requirements are being written. Take an item out when it has some.
const AWAITED: [&str; 0] = [];

#[test]
fn every_item_of_the_roadmap_has_a_requirement() {
    let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
    assert!(library.roadmap.len() >= 11, "{} items", library.roadmap.len());
    for item in &library.roadmap {
        let (id, rows) = (item.id.value.as_str(), item.rows(&library.catalogue));
        assert!(!rows.is_empty() || AWAITED.contains(&id), "{id} has no requirement");
    }
    for awaited in AWAITED {
        assert!(library.roadmap.iter().any(|item| item.id.value == awaited), "{awaited} is no item");
    }
}
