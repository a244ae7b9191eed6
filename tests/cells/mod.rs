//! Running cells for the test targets.

#![allow(dead_code, reason = "each target uses a part of this module")]

use std::path::PathBuf;
use std::sync::Arc;

use gauntlet_engine::cell::Plan;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::record::Record;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_reports::Lane;

/// The embedded data.
pub(crate) fn library() -> Arc<Library> {
    Arc::new(Library::load(&[Source::Embedded]).expect("the embedded data is sound"))
}

/// Settings with the built binary for the real lane.
pub(crate) fn settings(jobs: usize) -> Settings {
    Settings {
        jobs,
        real_jobs: 8,
        binary: Some(PathBuf::from(env!("CARGO_BIN_EXE_gauntlet"))),
        ..Settings::default()
    }
}

/// Runs cells; all of them, since nobody stops the run.
pub(crate) fn run(plans: Vec<Plan>, library: &Arc<Library>, settings: &Settings) -> Vec<Record> {
    let mut records = Vec::new();
    let complete = runner::run(plans, library, settings, &mut |record| records.push(record));
    assert!(complete, "nobody stopped the run");
    records
}

/// The plain cells of one scenario in the virtual lane, on every version.
pub(crate) fn plain(library: &Library, scenario: &str) -> Vec<Plan> {
    let selection = Selection {
        only: vec![Pattern::parse(scenario).expect("a pattern")],
        lanes: vec![Lane::Virtual],
        ..Selection::default()
    };
    selection.plain(library)
}

/// What a failed cell says, for a test's message.
pub(crate) fn explain(record: &Record) -> String {
    let mut text = format!("{} is {}", record.line.id, record.line.verdict);
    if let Some(reason) = &record.line.reason {
        text.push_str(&format!(" ({reason})"));
    }
    for (id, judgement) in &record.judgements {
        for finding in &judgement.findings {
            text.push_str(&format!(
                "\n  {id}: expected {}\n    observed {}",
                finding.expected, finding.observed
            ));
        }
    }
    text
}
