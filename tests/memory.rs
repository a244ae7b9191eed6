//! Memory does not depend on how many cells are run. A test target of its own, whose allocator counts: nothing else may use memory
//! beside it.

mod cells;

use std::fs;
use std::sync::Arc;

use cells::settings;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::session;
use gauntlet_reports::Lane;
use peak_alloc::PeakAlloc;

/// Counts what is allocated. What the operating system says of a process also holds what its allocator keeps for later, which differs from
/// run to run.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

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
    for copy in 0..100 {
        let story = story.replace("everything-fails", &format!("everything-fails-{copy}"));
        fs::write(data.path().join(format!("suites/fails-{copy}.yaml")), story).expect("a file");
    }
    let sources = [Source::Embedded, Source::Folder(data.path().to_path_buf())];
    let library = Arc::new(Library::load(&sources).expect("the data is sound"));
    let run = |seeds| {
        let selection = Selection {
            versions: vec!["0.44.0".to_owned()],
            // No cell with a quirk or fault.
            only: ["mine/*@codex-0.44.0#*", "fleet/busy-context@codex-0.44.0#*"]
                .map(|pattern| Pattern::parse(pattern).expect("a pattern"))
                .to_vec(),
            lanes: vec![Lane::Virtual],
            seeds,
            ..Selection::default()
        };
        MEMORY.reset_peak_usage();
        // One worker: how many records wait for an earlier one is not left to chance.
        let finished = session::run(&library, &selection, &settings(1), out.path(), &mut |_| {});
        let reports = finished.expect("the reports can be written").expect("cells were selected").reports;
        (reports.summary.cells.total, MEMORY.peak_usage())
    };
    // More than the thousand failures that reports show.
    let (few, before) = run(11);
    let (many, after) = run(44);
    assert_eq!(many, few * 4);
    // A fact of a few words that was kept of each cell would come to more.
    assert!(after < before + 256 * 1024, "{few} cells took {before} bytes, and {many} took {after}");
}
