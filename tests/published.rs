//! What is published is what the code does: schemas, and the embedded files against them.

mod cells;

use std::fs;
use std::path::Path;

use gauntlet_reports::Lane;
use serde_json::Value;

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_published_scenario_schema_is_that_of_the_grammar() {
    let path = root().join("scenarios/schema/scenario.json");
    let generated =
        serde_json::to_string_pretty(&gauntlet_engine::scenario::schema()).expect("a schema is JSON") + "\n";
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
fn every_requirement_is_judged_by_a_scenario_or_in_every_cell() {
    let library = cells::library();
    let uncovered = gauntlet_engine::scores::Scores::default().compliance(&library, "codex").uncovered;
    assert!(uncovered.is_empty(), "judged by no scenario: {uncovered:?}");
}

#[test]
fn every_profile_says_what_it_was_recorded_from() {
    for profile in cells::library().profiles.values() {
        let Some(folder) = profile.recorded_from.as_deref() else {
            // No Hermes node was recorded, and both of its implementations are ours.
            assert_eq!(profile.executor(), "hermes", "{} names no recording", profile.version);
            continue;
        };
        assert!(root().join(folder).is_dir(), "{} names {folder}, which is not there", profile.version);
    }
}
