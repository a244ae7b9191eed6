//! A run in a few lines of Markdown, for the page that a CI shows of a step.

use std::fmt::Write as _;

use super::escape::{code, text};
use crate::known::{self, KnownState};
use crate::summary::Summary;
use crate::verdict::{Level, Verdict};

/// The most problems that are told; `summary.json` holds all.
const MOST_PROBLEMS: usize = 20;

macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        write!($out, $($arg)*).expect("a String takes every write")
    };
}

/// The summary, with a line end.
pub fn step_summary(summary: &Summary) -> String {
    let outcome = if summary.exit_code == 0 { "holds" } else { "does not hold" };
    let mut out = format!("## Gauntlet: it {outcome} (exit code {})\n\n", summary.exit_code);
    if !summary.complete {
        out.push_str("**Incomplete**: not every selected cell ran to its end.\n\n");
    }
    put!(
        out,
        "{} cells ({} virtual, {} real), catalogue {}, seed {}.\n\n",
        summary.cells.total,
        summary.cells.virtual_lane,
        summary.cells.real_lane,
        text(&summary.catalogue.revision),
        summary.seed
    );
    if summary.sampled {
        out.push_str("A sample of the cells with quirks, and of the real ones; `--thorough` takes all.\n\n");
    }
    out.push_str("| executor | verdict | must | should | may | known failures |\n| --- | --- | --- | --- | --- | ---: |\n");
    for score in &summary.executors {
        let level = |level| {
            let tally = score.compliance.at(level);
            let judged = tally.pass + tally.fail + tally.inconclusive + tally.error + tally.known;
            format!("{} of {judged}", tally.get(Verdict::Pass))
        };
        let known: u32 = Level::ALL.into_iter().map(|level| score.compliance.at(level).known).sum();
        put!(
            out,
            "| {} | {} | {} | {} | {} | {known} |\n",
            text(&score.executor),
            super::strong(score.verdict),
            level(Level::Must),
            level(Level::Should),
            level(Level::May)
        );
    }
    put!(out, "\nDetection: {} of {} quirks caught", summary.detection.caught, summary.detection.all);
    let is_part = summary.detection.quirks.iter().any(|quirk| !quirk.scored);
    out.push_str(if is_part { ", in a part of the matrix. " } else { ". " });
    put!(out, "Resilience: {} of {} kept.\n", summary.resilience.kept, summary.resilience.all);
    if let Some(known) = &summary.known_failures {
        let are = if known::are_challenges(&known.entries) { "challenged" } else { "known" };
        put!(out, "\n{} failures are {are}.", known.failures);
        for row in known.entries.iter().filter(|row| row.state == KnownState::Flaky) {
            let all = row.failed + row.passed;
            put!(out, " {} failed {} of {all} times.", code(&row.name()), row.failed);
        }
        out.push('\n');
    }
    for layer in &summary.catalogue.layers {
        put!(out, "\nOwn data: {}, digest {}.\n", code(&layer.folder), code(&layer.digest));
    }
    if !summary.problems.is_empty() {
        out.push_str("\n### Why\n\n");
        for problem in summary.problems.iter().take(MOST_PROBLEMS) {
            put!(out, "- {}\n", code(problem));
        }
        if let Some(more) = summary.problems.len().checked_sub(MOST_PROBLEMS).filter(|more| *more > 0) {
            put!(out, "- … {more} more in summary.json\n");
        }
    }
    out
}
