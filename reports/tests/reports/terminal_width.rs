//! The terminal page fits its terminal, whatever the run says.

use gauntlet_reports::{ExecutorReport, Summary, Tally, terminal};
use proptest::prelude::*;

use crate::sample;

/// Columns counted apart from the renderer's own count: every character of these tests beyond U+10FF is wide, except
/// for the ellipsis.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if c > '\u{10ff}' && c != '…' { 2 } else { 1 }).sum()
}

fn assert_fits(reports: &[ExecutorReport], summary: &Summary, width: usize) {
    let page = terminal::table(reports, summary, width, false);
    for line in page.lines() {
        assert!(columns(line) <= width, "{} columns in {width}: {line}", columns(line));
    }
}

/// The page without its colours, which are the only sequences it may hold.
fn without_colour(page: &str) -> String {
    let mut out = String::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let (parameters, after) = after.split_once('m').unwrap();
        assert!(["0", "1", "2", "32", "1;31", "33"].contains(&parameters), "{parameters:?}");
        rest = after;
    }
    out + rest
}

#[test]
fn the_sample_fits_every_width_from_40_to_120() {
    for width in 40..=120 {
        assert_fits(&[sample::codex(), sample::clean()], &sample::run(), width);
    }
}

#[test]
fn a_narrower_terminal_gets_the_narrowest_page() {
    let reports = [sample::codex()];
    let narrowest = terminal::table(&reports, &sample::run(), terminal::LEAST_WIDTH, false);
    for width in [0, 1, 39] {
        assert_eq!(terminal::table(&reports, &sample::run(), width, false), narrowest);
    }
}

#[test]
fn the_largest_counts_fit() {
    let most = u32::MAX;
    let tally = Tally {
        pass: most,
        fail: most,
        inconclusive: most,
        error: most,
        skipped: most,
        not_exercised: most,
        known: most,
    };
    let mut run = sample::run();
    for score in &mut run.executors {
        score.compliance.must = tally;
    }
    for width in 40..=120 {
        assert_fits(&[], &run, width);
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let reports = [sample::codex(), sample::clean()];
    for width in [40, 80, 120] {
        let plain = terminal::table(&reports, &sample::run(), width, false);
        let coloured = terminal::table(&reports, &sample::run(), width, true);
        assert_ne!(coloured, plain);
        assert_eq!(without_colour(&coloured), plain);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_anywhere_fits(
        texts in proptest::collection::vec("[a-z \u{1b}\u{202e}日🙂'\"\\\\|\n]{0,90}", 8),
        width in 40_usize..=120,
    ) {
        let mut codex = sample::codex();
        let mut run = sample::run();
        codex.executor.clone_from(&texts[0]);
        run.executors[0].executor.clone_from(&texts[0]);
        codex.subject.name.clone_from(&texts[1]);
        codex.profiles[0].version.clone_from(&texts[2]);
        codex.profiles[0].missing_breaks.push(texts[3].clone());
        codex.failures[0].requirement.clone_from(&texts[3]);
        codex.failures[0].guilty.clone_from(&texts[4]);
        codex.failures[0].observed.clone_from(&texts[5]);
        codex.failures[0].reproduce.clone_from(&texts[6]);
        run.detection.quirks[1].id.clone_from(&texts[7]);
        run.detection.idle_scenarios.push(texts[6].clone());
        run.resilience.broken[0].cell.clone_from(&texts[5]);
        run.problems.push(texts[4].clone());
        run.catalogue.revision.clone_from(&texts[1]);
        run.known_failures = Some(crate::known::lists(&texts[2], &texts[5]));
        assert_fits(&[codex], &run, width);
    }
}
