//! Memory does not depend on how many cells are run. A test target of its own: nothing else may use memory beside it.

mod cells;

use std::fs;
use std::sync::Arc;

use cells::settings;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::session;
use gauntlet_reports::Lane;

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is told");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}

/// Every check of this story fails, and its trace is longer than what is kept of one.
const FAILS: &str = "\
id: mine/everything-fails
title: A story that expects what never happens.
subject: receiver
given:
  files: { \"large.txt\": \"LARGE\" }
steps:
  - dispatch: { as: first, context: c1, text: hello }
    expect: { acknowledged: false }
    requirement: FLEET-ACK-01
  - await: { reply_to: first, within: \"{turn_cap}\" }
    expect: { text: something else }
    requirement: FLEET-REPLY-01
";

#[test]
fn memory_stays_the_same_however_many_cells_are_run() {
    let (data, out) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    fs::create_dir(data.path().join("suites")).expect("a folder");
    let story = FAILS.replace("LARGE", &"x".repeat(8_000));
    fs::write(data.path().join("suites/fails.yaml"), story).expect("a file");
    let sources = [Source::Embedded, Source::Folder(data.path().to_path_buf())];
    let library = Arc::new(Library::load(&sources).expect("the data is sound"));
    let run = |seeds| {
        let selection = Selection {
            versions: vec!["0.44.0".to_owned()],
            // No cell with a quirk or fault.
            only: vec![Pattern::parse("*@codex-0.44.0#*").expect("a pattern")],
            lanes: vec![Lane::Virtual],
            seeds,
            ..Selection::default()
        };
        let finished = session::run(&library, &selection, &settings(2), out.path(), &mut |_| {});
        let reports = finished.expect("the reports can be written").expect("cells were selected").reports;
        reports.summary.cells.total
    };
    let few = run(40);
    let before = peak();
    let many = run(160);
    let grown = peak() - before;
    assert_eq!(many, few * 4);
    assert!(grown < 16 * 1024, "{few} cells took {before} KiB, and {many} took {grown} KiB more");
}
