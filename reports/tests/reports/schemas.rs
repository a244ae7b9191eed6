//! The published schemas are those of the model, and what the renderers write keeps them.

use std::path::PathBuf;

use gauntlet_reports::{json, schema};
use serde_json::Value;

use crate::sample;

/// The variable that makes the test write the files instead of comparing them.
const BLESS: &str = "GAUNTLET_BLESS";

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "schema"].iter().collect()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test compares files of the repository with the model")]
fn the_published_files_are_those_of_the_model() {
    for (name, content) in schema::files() {
        let path = folder().join(name);
        if std::env::var(BLESS).is_ok_and(|value| value == "1") {
            std::fs::write(&path, &content).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == content,
            "reports/schema/{name} is not the schema of the model. If the model should change, write it again with\n\
             \n    {BLESS}=1 cargo test -p gauntlet-reports published\n"
        );
    }
}

fn assert_keeps(schema: &Value, json: &str) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    let value: Value = serde_json::from_str(json).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}

fn assert_breaks(schema: &Value, json: &str) {
    let validator = jsonschema::draft202012::new(schema).unwrap();
    assert!(!validator.is_valid(&serde_json::from_str(json).unwrap()), "{json}");
}

#[test]
fn what_is_written_keeps_the_published_schema() {
    assert_keeps(&schema::report(), &json::report_json(&sample::codex()));
    assert_keeps(&schema::report(), &json::report_json(&sample::clean()));
    assert_keeps(&schema::summary(), &json::summary_json(&sample::run()));
    for line in sample::lines() {
        assert_keeps(&schema::results_line(), &json::results_line(&line));
    }
}

#[test]
fn another_format_or_an_unknown_field_or_verdict_breaks_the_schema() {
    let report = json::report_json(&sample::codex());
    for (from, to) in [
        ("gauntlet.report/1", "gauntlet.report/2"),
        ("\"seed\"", "\"sede\""),
        ("\"inconclusive\",", "\"unsure\","),
        ("\"kind\": \"receiver\"", "\"kind\": \"toaster\""),
    ] {
        let changed = report.replace(from, to);
        assert_ne!(changed, report, "{from}");
        assert_breaks(&schema::report(), &changed);
    }
    let line = json::results_line(&sample::lines()[0]);
    assert_breaks(&schema::results_line(), &line.replace("\"lane\":\"virtual\"", "\"lane\":\"dream\""));
}

#[test]
fn each_schema_says_which_format_it_is() {
    for (schema, id) in [
        (schema::report(), "gauntlet.report/1"),
        (schema::summary(), "gauntlet.summary/1"),
        (schema::results_line(), "gauntlet.results_line/1"),
        (schema::replay(), "gauntlet.replay/1"),
        (schema::drift(), "gauntlet.drift/1"),
    ] {
        assert_eq!(schema["$id"], id);
        assert!(schema["title"].as_str().unwrap().starts_with("Gauntlet: "));
        assert!(jsonschema::meta::is_valid(&schema));
    }
}

fn limits(schema: &Value, found: &mut Vec<Value>) {
    match schema {
        Value::Object(members) => {
            found.extend(members.get("maxLength").cloned());
            members.values().for_each(|member| limits(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| limits(item, found)),
        _ => {}
    }
}

#[test]
fn the_limits_of_text_in_the_schemas_are_those_of_the_renderers() {
    let mut found = Vec::new();
    limits(&schema::report(), &mut found);
    limits(&schema::results_line(), &mut found);
    // Detail, expected, observed and the reason of a version; the reason of a cell.
    assert_eq!(found, vec![Value::from(gauntlet_reports::cap::DETAIL_LIMIT); 5]);
}
