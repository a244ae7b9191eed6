//! Releases of receivers: what each is known not to keep is exactly what its run finds.

mod cells;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use assert_cmd::Command;
use cells::{library, run, settings};
use gauntlet_engine::coverage::Reached;
use gauntlet_engine::data::Library;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::scores::Scores;
use gauntlet_reports::{ExecutorReport, Lane, ReleaseRow};
use predicates::str::contains;

fn selection(release: &str) -> Selection {
    Selection { release: release.to_owned(), lanes: vec![Lane::Virtual], ..Selection::default() }
}

/// What a release's run says of it, by executor.
fn rows(library: Library) -> BTreeMap<String, ReleaseRow> {
    let library = std::sync::Arc::new(library);
    let records = run(selection("a2a_fleet").plain(&library), &library, &settings(2));
    let scores = Scores::of(&library, &records);
    let row = |executor: &str| {
        scores.compliance(&library, executor, &Reached::unknown()).release.expect("it is no reference")
    };
    with_receivers(&library).into_iter().map(|executor| (executor.to_owned(), row(executor))).collect()
}

/// The executors that a receiver stands in front of.
fn with_receivers(library: &Library) -> Vec<&str> {
    let has_receiver = |executor: &&str| library.executors[*executor].files.is_some();
    library.profiled().into_iter().filter(has_receiver).collect()
}

fn embedded() -> Library {
    Library::clone(&library())
}

#[test]
fn the_product_lines_receivers_break_exactly_what_their_release_lists() {
    for (executor, row) in rows(embedded()) {
        assert!(row.breaks.len() > 5, "{executor}: {row:?}");
        assert_eq!((&row.unexpected_breaks, &row.missing_breaks), (&vec![], &vec![]), "{executor}");
    }
}

/// The comparison sees both: a release without one of its quirks keeps what it lists, and one that lists nothing breaks what it
/// does not list.
#[test]
fn a_release_that_is_another_one_is_noticed() {
    let mut library = embedded();
    let release = library.releases.get_mut("a2a_fleet").expect("the release");
    let mut changed = gauntlet_engine::data::release::Release::clone(release);
    changed.quirks.retain(|quirk| quirk.value != "error-inside-of-200-taken");
    changed.breaks.remove("FLEET-LIFE-02");
    *release = changed.into();
    for (executor, row) in rows(library) {
        assert_eq!(row.missing_breaks, ["FLEET-CB-06"], "{executor}");
        assert_eq!(row.unexpected_breaks, ["FLEET-LIFE-02"], "{executor}");
    }
}

#[test]
fn every_quirk_and_break_of_a_release_has_its_evidence() {
    let library = library();
    for release in library.releases.values() {
        let executors = library.executors.keys().map(String::as_str);
        for executor in executors {
            for (id, evidence) in release.breaks_before(executor) {
                let known = ["sheet", "recorded", "certified at"];
                assert!(known.iter().any(|word| evidence.contains(word)), "{id}: {evidence}");
            }
            for quirk in release.quirks_before(executor) {
                let seen_in = &library.quirks[&quirk.value].seen_in;
                let honest = |seen: &String| !seen.starts_with("fault table");
                assert!(seen_in.iter().all(honest), "{}: {seen_in:?}", quirk.value);
            }
        }
    }
}

/// Quirks and faults judge the scenarios by the reference alone.
#[test]
fn nothing_crosses_a_release() {
    let library = library();
    assert!(selection("a2a_fleet").probes(&library).is_empty());
    assert!(!selection("reference").probes(&library).is_empty());
    let ids: BTreeSet<String> = selection("a2a_fleet").plain(&library).iter().map(|plan| plan.id()).collect();
    assert!(ids.iter().all(|id| id.contains(":a2a_fleet#")), "{:?}", ids.first());
}

/// Nodes have no receiver in front, so that a release says nothing of them.
#[test]
fn a_release_judges_every_executor_with_a_receiver_and_no_other() {
    let library = library();
    let planned = |release: &str| -> BTreeSet<String> {
        let plans = selection(release).plain(&library);
        plans.iter().map(|plan| plan.profile.executor().to_owned()).collect()
    };
    assert_eq!(planned("a2a_fleet"), ["agy", "claude_code", "codex", "opencode"].map(str::to_owned).into());
    assert!(planned("reference").contains("hermes"));
    Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["run", "--release", "a2a_fleet", "--executor", "hermes"])
        .assert()
        .code(2)
        .stderr(contains("an executor with a receiver in front"));
}

#[test]
fn a_run_of_a_release_says_what_it_does_not_keep_and_ends_with_1() {
    let out = tempfile::tempdir().expect("a folder");
    let only = ["fleet/error-inside-of-a-200", "fleet/work-in-the-repository"];
    Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args([
            "run",
            "--release",
            "a2a_fleet",
            "--executor",
            "codex",
            "--version",
            "0.169.0",
            "--lane",
            "virtual",
        ])
        .args(["--only", only[0], "--only", only[1], "--out"])
        .arg(out.path())
        .assert()
        .code(1)
        .stdout(contains("receiver codex receiver a2a_fleet"))
        .stdout(contains("FLEET-CB-06 failed, as is known"));
    let read = |path: &str| fs::read_to_string(out.path().join(path)).expect("the report was written");
    let report: ExecutorReport = serde_json::from_str(&read("codex/report.json")).expect("a report");
    assert_eq!(report.subject.release, "a2a_fleet");
    let failed: BTreeSet<&str> = report.failures.iter().map(|failure| failure.requirement.as_str()).collect();
    assert_eq!(failed, BTreeSet::from(["FLEET-CB-06", "FLEET-INV-06"]), "with their evidence");
    assert!(
        report.failures.iter().all(|failure| !failure.evidence.is_empty() || !failure.observed.is_empty())
    );
    assert!(read("codex/report.md").contains("## Release `a2a_fleet`"));
    let cell = &report.failures[0].cell;
    Command::new(env!("CARGO_BIN_EXE_gauntlet")).args(["replay", cell]).assert().code(1);
}

#[test]
fn a_release_that_nobody_knows_is_wrong_usage() {
    Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["run", "--release", "a2a_flet"])
        .assert()
        .code(2)
        .stderr(contains("did you mean \"a2a_fleet\"?"));
}

#[test]
fn names_in_a_release_file_are_checked() {
    for (text, said) in [
        ("breaks: { FLEET-HTTP-2O: x }", "FLEET-HTTP-20"),
        ("executors: { codexx: { quirks: [] } }", "codex"),
        ("executors: { codex: { quirks: [claim-never-relesed] } }", "claim-never-released"),
        ("executors: { codex: { breaks: { FLEET-CB-O6: x } } }", "FLEET-CB-06"),
    ] {
        let data = tempfile::tempdir().expect("a folder");
        let file = Path::new("releases/mine.yaml");
        fs::create_dir_all(data.path().join("releases")).expect("a folder");
        fs::write(data.path().join(file), format!("id: mine\ntitle: Mine.\n{text}\n")).expect("a file");
        Command::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["run", "--scenarios"])
            .arg(data.path())
            .assert()
            .code(2)
            .stderr(contains("mine.yaml:3"))
            .stderr(contains(format!("did you mean \"{said}\"?")));
    }
}
