//! A cell of the real lane that fails is run once more, alone; what ends differently then is told of, and is no verdict.

mod own;

use std::fs;

use assert_cmd::assert::Assert;
use own::{Folder, gauntlet, json, shown};
use serde_json::{Value, json};

/// A story whose command ends as it likes.
fn story(command: &str) -> String {
    format!(
        "id: mine/moody\ntitle: A story whose command ends as it likes.\nsubject: receiver\nexecutors: [codex]\nsteps:\n  - run: {{ \
         command: {command:?} }}\n    expect: {{ exit_code: 0 }}\n    requirement: FLEET-TASK-01\n"
    )
}

fn run(folder: &Folder) -> Assert {
    let mut command = gauntlet();
    command.args(["run", "--lane", "real", "--quirks", "none", "--only", "mine/moody@codex-0.169.0"]);
    command.arg("--scenarios").arg(folder.path()).arg("--out").arg(folder.out());
    command.assert()
}

fn row(folder: &Folder) -> Value {
    let report = json(&folder.out().join("codex/report.json"));
    let rows = report["requirements"].as_array().expect("rows").iter();
    rows.clone().find(|row| row["id"] == "FLEET-TASK-01").expect("the row").clone()
}

#[test]
fn what_fails_beside_others_and_holds_alone_is_flaky_and_counts_for_nothing() {
    let folder = Folder::with(&[]);
    let mark = folder.path().join("ran");
    let shown_mark = mark.to_string_lossy();
    folder.put("suites/moody.yaml", &story(&format!("test -e {shown_mark} || ! touch {shown_mark}")));
    let run = run(&folder).code(3);
    let summary = json(&folder.out().join("summary.json"));
    let outcome = json!({ "requirement": "FLEET-TASK-01", "first": "fail", "alone": "pass" });
    assert_eq!(summary["flaky"][0]["outcomes"], json!([outcome]));
    assert_eq!(summary["cells"]["total"], 1, "a second look is no second cell");
    let words =
        "flaky: FLEET-TASK-01 in mine/moody@codex-0.169.0#0~real: fail beside other cells, pass alone";
    assert!(shown(&run).contains(words), "{}", shown(&run));
    assert_eq!(row(&folder)["verdict"], "inconclusive");
    let line = fs::read_to_string(folder.out().join("results.jsonl")).expect("results");
    assert!(line.contains("flaky: fail beside other cells, pass alone"), "{line}");
}

#[test]
fn what_fails_alone_as_well_is_a_failure() {
    let folder = Folder::with(&[("suites/moody.yaml", &story("exit 1"))]);
    run(&folder).code(1);
    assert_eq!(json(&folder.out().join("summary.json"))["flaky"], Value::Null);
    assert_eq!(row(&folder)["verdict"], "fail");
}
