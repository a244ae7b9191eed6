//! `gauntlet list`, and what a part of a run says of what it did not reach.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

fn gauntlet(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.args(args);
    command
}

fn shown(args: &[&str]) -> String {
    let output = gauntlet(args).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

#[test]
fn everything_that_has_a_name_can_be_listed_in_each_format() {
    for (what, one) in [
        ("requirements", "FLEET-ACK-12"),
        ("scenarios", "fleet/several-texts"),
        ("quirks", "cuts-in-silence"),
        ("profiles", "0.169.0"),
        ("releases", "reference"),
        ("faults", "kill-after-spawn"),
    ] {
        let list: Value = serde_json::from_str(&shown(&["list", what, "--format", "json"])).expect("JSON");
        let rows = list.as_array().expect("a list");
        let is_there = |row: &Value| row.as_object().is_some_and(|row| row.values().any(|cell| cell == one));
        assert!(rows.iter().any(is_there), "{what} has no {one}");
        let markdown = shown(&["list", what, "--format", "md"]);
        assert_eq!(markdown.lines().count(), rows.len() + 2, "{what}");
        assert!(shown(&["list", what]).contains(one), "{what}");
    }
}

#[test]
fn a_list_of_nothing_is_a_mistake() {
    gauntlet(&["list"]).assert().code(2);
    gauntlet(&["list", "quirks", "--uncovered"]).assert().code(2);
}

#[test]
fn a_must_that_nothing_judges_is_named_and_ends_with_1() {
    gauntlet(&["list", "--uncovered"]).assert().success();
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let row = |id: &str, level: &str| {
        format!(
            "requirements:\n  - id: {id}\n    level: {level}\n    class: core\n    role: receiver\n    \
             executors: [codex]\n    statement: It sings.\n    source: this test\n"
        )
    };
    let at = |path: &Path| path.to_string_lossy().into_owned();
    put("requirements/own.yaml", &row("OWN-SONG-01", "may"));
    gauntlet(&["list", "--uncovered", "--scenarios", &at(folder.path())]).assert().success();
    put("requirements/own.yaml", &row("OWN-SONG-01", "must"));
    let assert = gauntlet(&["list", "--uncovered", "--format", "json", "--scenarios", &at(folder.path())]);
    let output = { assert }.assert().code(1).get_output().stdout.clone();
    let list: Value = serde_json::from_slice(&output).expect("JSON");
    let gaps: Vec<&Value> = list.as_array().expect("a list").iter().collect();
    let of_ours: Vec<_> = gaps.iter().filter(|gap| gap["requirement"] == "OWN-SONG-01").collect();
    assert_eq!(of_ours.len(), 2, "nothing judges it, and nothing breaks it");
    assert!(of_ours.iter().all(|gap| gap["executors"] == "codex" && gap["level"] == "must"));
}

#[test]
fn a_report_has_the_rows_of_its_executor_alone_and_scores_what_was_reached() {
    let out = tempfile::tempdir().expect("a folder");
    let path = out.path().to_string_lossy().into_owned();
    let only = ["--executor", "codex", "--lane", "virtual", "--only", "fleet/several-texts*"];
    gauntlet(&[&["run", "--out", &path], &only[..]].concat()).assert().success();
    let read = |name: &str| -> Value {
        serde_json::from_slice(&std::fs::read(out.path().join(name)).expect("a report")).expect("JSON")
    };
    let report = read("codex/report.json");
    let ids: Vec<&str> = report["requirements"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["id"].as_str())
        .collect();
    assert!(ids.contains(&"FLEET-CDX-01") && ids.contains(&"CODEX-MSG-01"));
    let foreign =
        |id: &&&str| ["FLEET-OC-0", "FLEET-CC-0", "OPENCODE-", "CLAUDE-"].iter().any(|of| id.starts_with(of));
    // The built-in role says where it works on opencode and on codex.
    let foreign: Vec<_> = ids.iter().filter(foreign).filter(|id| **id != "FLEET-OC-09").collect();
    assert!(foreign.is_empty(), "{foreign:?} are rows of other executors");
    let detection = &read("summary.json")["detection"];
    let scored = |row: &&Value| row["scored"] == true;
    let rows = detection["quirks"].as_array().expect("quirks");
    let (scored, all) = (rows.iter().filter(scored).count(), rows.len());
    assert!(scored > 0 && scored < all, "{scored} of {all} quirks are scored");
    assert_eq!(detection["all"], scored);
    assert!(rows.iter().all(|row| (row["cells"] == 0) == (row["scored"] == false)));
}
