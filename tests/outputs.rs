//! What a run gives to a CI: a badge, a summary of the step, JSON, and a page that fits.

mod own;

use std::fs;

use own::{FAILS, Folder, HOLDS, gauntlet, json};
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::Value;

fn schema(format: &str) -> Value {
    let printed = gauntlet().args(["schema", format]).assert().success();
    serde_json::from_slice(&printed.get_output().stdout).expect("a schema")
}

fn stories() -> Folder {
    Folder::with(&[("suites/fails.yaml", FAILS), ("suites/holds.yaml", HOLDS)])
}

#[test]
fn each_executor_has_a_badge_that_says_how_many_musts_hold() {
    let folder = stories();
    let badge = |only: &str, code: i32| {
        folder.run(only).assert().code(code);
        fs::read_to_string(folder.out().join("codex/badge.svg")).expect("a badge")
    };
    let (good, bad) = (badge("mine/holds@codex-0.169.0", 0), badge("mine/fails@codex-0.169.0", 1));
    let must = &json(&folder.out().join("codex/report.json"))["compliance"]["must"]["pass"];
    let must = must.as_u64().expect("a count");
    assert!(bad.contains(&format!("gauntlet codex: {must} of {} must", must + 1)), "{bad}");
    assert!(good.contains("#2e7d32") && bad.contains("#b71c1c"), "it is green only when it holds");
    assert!(good.starts_with("<svg ") && good.trim_end().ends_with("</svg>"));
}

#[test]
fn the_summary_of_a_step_is_appended_where_it_is_asked_for_and_where_a_ci_shows_it() {
    let folder = stories();
    let (named, of_ci) = (folder.path().join("named.md"), folder.path().join("of-ci.md"));
    fs::write(&of_ci, "# An earlier step\n").expect("a file");
    let run = |only: &str, code: i32| {
        let mut command = folder.run(only);
        command.arg("--step-summary").arg(&named).env("GITHUB_STEP_SUMMARY", &of_ci).assert().code(code);
    };
    run("mine/holds@codex-0.169.0", 0);
    run("mine/fails@codex-0.169.0", 1);
    let text = fs::read_to_string(&named).expect("the summary");
    assert!(
        text.contains("it holds (exit code 0)") && text.contains("it does not hold (exit code 1)"),
        "{text}"
    );
    assert!(
        text.contains("`codex 0.169.0: FLEET-ACK-01 failed`") && text.contains("| codex | **fail** |"),
        "{text}"
    );
    assert_eq!(fs::read_to_string(&of_ci).expect("the page"), format!("# An earlier step\n{text}"));
    let mut nowhere = folder.run("mine/holds@codex-0.169.0");
    nowhere.args(["--step-summary", "/no/such/folder/file"]).assert().code(3);
}

#[test]
fn a_run_in_json_is_the_summary_and_keeps_its_schema() {
    let folder = stories();
    let run = folder.run("mine/*@codex-0.169.0").args(["--format", "json"]).assert().code(1);
    let printed: Value = serde_json::from_slice(&run.get_output().stdout).expect("nothing but JSON");
    assert_eq!(printed, json(&folder.out().join("summary.json")));
    assert!(jsonschema::is_valid(&schema("summary"), &printed));
    let report = json(&folder.out().join("codex/report.json"));
    assert!(jsonschema::is_valid(&schema("report"), &report));
}

#[test]
fn a_replay_in_json_keeps_its_schema_and_says_what_held() {
    let folder = stories();
    let mut command = gauntlet();
    command
        .args(["replay", "mine/fails@codex-0.169.0#0", "--format", "json", "--scenarios"])
        .arg(folder.path());
    let run = command.assert().code(1);
    let printed: Value = serde_json::from_slice(&run.get_output().stdout).expect("nothing but JSON");
    assert!(jsonschema::is_valid(&schema("replay"), &printed));
    assert_eq!(
        (&printed["verdict"], &printed["cell"]),
        (&"fail".into(), &"mine/fails@codex-0.169.0#0".into())
    );
    let rows = printed["requirements"].as_array().expect("rows");
    let row = rows.iter().find(|row| row["id"] == "FLEET-ACK-01").expect("it was judged");
    let at = row["findings"][0]["trace"][0].as_u64().expect("a place in the trace");
    assert!(printed["trace"][usize::try_from(at).expect("a place")].is_object());
}

#[test]
fn quiet_says_nothing_but_what_is_wrong_and_verbose_tells_each_cell() {
    let folder = stories();
    let run = |only: &str, further: &[&str]| folder.run(only).args(further).assert();
    run("mine/holds@codex-0.169.0", &["--quiet"]).code(0).stdout(is_empty()).stderr(is_empty());
    run("mine/fails@codex-0.169.0", &["--quiet"])
        .code(1)
        .stdout(is_empty())
        .stderr(predicates::ord::eq("codex 0.169.0: FLEET-ACK-01 failed\n"));
    run("mine/*@codex-0.169.0", &["--verbose"]).code(1).stderr(
        contains("fail          mine/fails@codex-0.169.0#0  FLEET-ACK-01\n")
            .and(contains("pass          mine/holds@codex-0.169.0#0\n")),
    );
    run("mine/holds@codex-0.169.0", &["--verbose", "--quiet"]).code(2);
}

#[test]
fn the_closing_table_of_all_executors_fits_80_columns() {
    let folder = stories();
    let mut command = gauntlet();
    // Every executor, with quirks under which others fail, own data with a long name, and known failures.
    let list = folder.path().join("known.yaml");
    let reason = "word ".repeat(60);
    let text = format!(
        "- {{ pattern: 'mine/fails@codex-0.44.0', reason: '{reason}', owner: ann, expires: 2030-01-01 }}\n"
    );
    fs::write(&list, text).expect("a file");
    command.args([
        "run",
        "--lane",
        "virtual",
        "--only",
        "mine/*",
        "--only",
        "*/*health*",
        "--only",
        "*/hermes*",
    ]);
    command.args(["--quirks", "*other*", "--today", "2029-01-01", "--scenarios"]).arg(folder.path());
    command.arg("--known-failures").arg(&list).arg("--out").arg(folder.out());
    let run = command.env("NO_COLOR", "1").assert().code(1);
    let printed = String::from_utf8(run.get_output().stdout.clone()).expect("text");
    let (table, path) = printed.trim_end().rsplit_once('\n').expect("the folder stands at the end");
    assert_eq!(path, folder.out().to_string_lossy());
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    for executor in ["agy", "claude_code", "codex", "hermes", "opencode"] {
        assert!(table.contains(&format!("\n  {executor}  ")), "{executor} is not there: {table}");
    }
    assert!(!printed.contains('\u{1b}'));
}
