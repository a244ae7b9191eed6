//! A run for people at a terminal: three scores apart, then the failures.

mod command;
mod drift;
mod explore;
mod page;

use std::collections::BTreeSet;

use crate::cap::cap;
use crate::evidence::Failure;
use crate::known::{self, KnownFailures, KnownRow, KnownState};
use crate::report::{ExecutorReport, ProfileRow};
use crate::summary::{Detection, ExecutorScore, QuirkRow, Resilience, Summary};
use crate::verdict::{Level, Verdict};
pub use drift::drift;
pub use explore::{crashes, fault_search, soak};
use page::{Page, Style};

/// The narrowest page. A narrower terminal gets this and breaks the lines itself.
pub const LEAST_WIDTH: usize = 40;

/// The most failures shown, over all executors; the reports hold all.
pub const MOST_FAILURES: usize = 20;

/// The most entries of any other list.
const MOST_ENTRIES: usize = 10;

/// The most characters of an observation.
const OBSERVED_LIMIT: usize = 400;

/// The whole page, with a line end. No line is wider than `width` columns, or [`LEAST_WIDTH`] if that is more.
pub fn table(reports: &[ExecutorReport], summary: &Summary, width: usize, colour: bool) -> String {
    let mut page = Page::new(width.max(LEAST_WIDTH), colour);
    head(&mut page, summary);
    compliance(&mut page, reports, summary);
    // Where nothing was made to misbehave there are no such scores.
    if summary.detection.all > 0 || summary.resilience.all > 0 {
        detection(&mut page, &summary.detection);
        resilience(&mut page, &summary.resilience);
    }
    failures(&mut page, reports);
    known(&mut page, summary.known_failures.as_ref());
    end(&mut page, summary);
    page.finish()
}

fn head(page: &mut Page, summary: &Summary) {
    let Summary { tool, catalogue, cells, .. } = summary;
    page.text(0, Style::Bold, &format!("{} {}", tool.name, tool.version));
    let digest = cap(&catalogue.digest, 40);
    page.text(0, Style::Dim, &format!("catalogue {} ({digest}), seed {}", catalogue.revision, summary.seed));
    for layer in &catalogue.layers {
        page.text(0, Style::Dim, &format!("own data {} ({})", layer.folder, cap(&layer.digest, 40)));
    }
    let lanes = format!("{} virtual, {} real", cells.virtual_lane, cells.real_lane);
    page.text(0, Style::Dim, &format!("{} cells ({lanes})", cells.total));
    if summary.sampled {
        page.text(0, Style::Dim, "a sample of those with quirks, and of the real ones; --thorough for all");
    }
    if !summary.complete {
        page.text(0, Style::Doubtful, "Incomplete: not every selected cell ran to its end.");
    }
}

fn compliance(page: &mut Page, reports: &[ExecutorReport], summary: &Summary) {
    page.blank();
    page.text(0, Style::Bold, "Compliance: cells without quirk or fault");
    if summary.executors.is_empty() {
        page.text(2, Style::Plain, "no executor");
    }
    for score in &summary.executors {
        let report = reports.iter().find(|report| report.executor == score.executor);
        let subject = report.map_or(String::new(), |report| {
            format!("  {} {} {}", report.subject.kind, report.subject.name, report.subject.release)
        });
        let verdict = score.verdict.label();
        let name = (Style::Bold, score.executor.as_str());
        page.pieces(
            2,
            &[name, (Style::Plain, "  "), (style_of(score.verdict), verdict), (Style::Dim, &subject)],
        );
        levels(page, score);
        let known = Level::ALL.map(|level| (level, score.compliance.at(level).known));
        if known.iter().any(|(_, count)| *count > 0) {
            let each = known.iter().filter(|(_, count)| *count > 0);
            let each: Vec<String> = each.map(|(level, count)| format!("{count} {level}")).collect();
            let rows = report.map(|report| report.known_failures.as_slice()).unwrap_or_default();
            let label = format!("{}: ", known::heading(rows).0.to_lowercase());
            page.labelled(4, &label, Style::Doubtful, &each.join(", "));
        }
        if let Some(report) = report {
            versions(page, &report.profiles);
            if !report.newer.is_empty() {
                let failed = report.newer.iter().filter(|row| row.verdict == Verdict::Fail).count();
                let text = format!(
                    "newer than {}, and not scored: {} requirements, of which {failed} failed",
                    summary.catalogue.revision,
                    report.newer.len()
                );
                page.text(4, Style::Dim, &text);
            }
            if !report.uncovered.is_empty() {
                let ids = some_of(&report.uncovered);
                page.labelled(4, "judged by no scenario: ", Style::Doubtful, &ids);
            }
            if !report.unbroken.is_empty() {
                let text = format!(
                    "never seen to fail: {} of {} requirements",
                    report.unbroken.len(),
                    report.requirements.len()
                );
                page.text(4, Style::Dim, &text);
            }
        }
    }
}

/// Headings of the columns: whole words, or four letters where there is no room.
const WIDE: [&str; 6] = ["pass", "fail", "inconclusive", "error", "skipped", "not exercised"];
const NARROW: [&str; 6] = ["pass", "fail", "inc.", "err.", "skip", "n.e."];

/// One line a level. With the indent, the wide table takes 66 columns and the narrow one 40, `LEAST_WIDTH`.
fn levels(page: &mut Page, score: &ExecutorScore) {
    let (headings, gap) = if page.width() >= 66 { (WIDE, 2) } else { (NARROW, 1) };
    let cell = |index: usize, text: &str| {
        let gap = if index == 0 { 1 } else { gap };
        format!("{text:>width$}", width = headings[index].len() + gap)
    };
    let titles: String = (0..6).map(|index| cell(index, headings[index])).collect();
    page.pieces(4, &[(Style::Dim, "      "), (Style::Dim, &titles)]);
    for level in Level::ALL {
        let tally = score.compliance.at(level);
        let counts: Vec<(Style, String)> = Verdict::ALL
            .into_iter()
            .enumerate()
            .map(|(index, verdict)| {
                let count = tally.get(verdict);
                let style = if count == 0 { Style::Dim } else { style_of(verdict) };
                (style, cell(index, &short(count)))
            })
            .collect();
        let label = format!("{:<6}", level.as_str());
        let mut pieces = vec![(Style::Plain, label.as_str())];
        pieces.extend(counts.iter().map(|(style, text)| (*style, text.as_str())));
        page.pieces(4, &pieces);
    }
}

/// A count in at most four characters.
fn short(count: u32) -> String {
    match count {
        0..=9_999 => count.to_string(),
        10_000..=999_999 => format!("{}k", count / 1_000),
        1_000_000..=999_999_999 => format!("{}M", count / 1_000_000),
        _ => format!("{}G", count / 1_000_000_000),
    }
}

fn versions(page: &mut Page, profiles: &[ProfileRow]) {
    if profiles.is_empty() {
        return;
    }
    let versions: Vec<String> = profiles
        .iter()
        .map(|profile| {
            let mark = if profile.recorded { "" } else { " (unrecorded)" };
            format!("{}{mark}", profile.version)
        })
        .collect();
    page.labelled(4, "versions: ", Style::Plain, &versions.join(", "));
    for profile in profiles {
        for (kind, ids, style) in [
            ("breaks", &profile.breaks, Style::Dim),
            ("unexpected breaks", &profile.unexpected_breaks, Style::Bad),
            ("missing breaks", &profile.missing_breaks, Style::Bad),
        ] {
            if !ids.is_empty() {
                page.text(4, style, &format!("{kind} on {}: {}", profile.version, some_of(ids)));
            }
        }
    }
}

/// Why a part of the matrix can miss what the whole of it catches. The exit code does not count it.
const ONLY_A_PART: &str =
    "this is a part of the matrix: what is missed here may be judged by stories that were left out";

fn detection(page: &mut Page, detection: &Detection) {
    page.blank();
    page.text(0, Style::Bold, "Detection: quirks that the scenarios catch");
    let style = if detection.caught == detection.all { Style::Good } else { Style::Bad };
    page.text(2, style, &format!("{} of {} caught", detection.caught, detection.all));
    let left_out = detection.quirks.iter().filter(|quirk| !quirk.scored).count();
    if left_out > 0 {
        page.text(2, Style::Dim, &format!("{left_out} not scored: no selected cell reaches them"));
        if detection.caught < detection.all {
            page.text(2, Style::Dim, ONLY_A_PART);
        }
    }
    let uncaught: Vec<&QuirkRow> =
        detection.quirks.iter().filter(|quirk| quirk.scored && !quirk.caught).collect();
    for quirk in uncaught.iter().take(MOST_ENTRIES) {
        page.pieces(
            2,
            &[(Style::Bad, &quirk.id), (Style::Plain, &format!(" ({}, {} cells)", quirk.role, quirk.cells))],
        );
        for (label, ids) in [
            ("missed   ", &quirk.missed),
            ("unnamed  ", &quirk.unnamed),
            ("unnamed, known  ", &quirk.known),
            ("missed over real processes  ", &quirk.missed_real),
        ] {
            if !ids.is_empty() {
                page.labelled(4, label, Style::Plain, &some_of(ids));
            }
        }
    }
    more(page, uncaught.len(), MOST_ENTRIES, "summary.json");
    if !detection.idle_scenarios.is_empty() {
        let text = format!(
            "scenarios that catch no quirk: {} ({})",
            detection.idle_scenarios.len(),
            some_of(&detection.idle_scenarios)
        );
        page.text(2, Style::Doubtful, &text);
    }
}

fn resilience(page: &mut Page, resilience: &Resilience) {
    page.blank();
    page.text(0, Style::Bold, "Resilience: what other roles keep under quirks and faults");
    let style = if resilience.kept == resilience.all { Style::Good } else { Style::Bad };
    page.text(2, style, &format!("{} of {} kept", resilience.kept, resilience.all));
    for broken in resilience.broken.iter().take(MOST_ENTRIES) {
        let text = format!(
            "{} broken by {} under {} {}, in {}",
            broken.requirement, broken.role, broken.kind, broken.deviation, broken.cell
        );
        page.text(2, Style::Bad, &text);
    }
    more(page, resilience.broken.len(), MOST_ENTRIES, "summary.json");
    left_out(page, resilience.broken_left_out);
    if resilience.known > 0 {
        page.text(2, Style::Doubtful, &format!("{} more breaks are known failures", resilience.known));
    }
}

fn failures(page: &mut Page, reports: &[ExecutorReport]) {
    // One of each requirement first: what fails everywhere must not hide what fails once.
    let mut seen = BTreeSet::new();
    let all = reports.iter().flat_map(|report| &report.failures);
    let (mut failures, others): (Vec<&Failure>, Vec<&Failure>) =
        all.partition(|failure| seen.insert(failure.requirement.as_str()));
    failures.extend(others);
    if failures.is_empty() {
        return;
    }
    page.blank();
    page.text(0, Style::Bold, "Failures");
    for failure in failures.iter().take(MOST_FAILURES) {
        let guilty = format!("  guilty: {}", failure.guilty);
        page.pieces(2, &[(Style::Bad, &failure.requirement), (Style::Plain, &guilty)]);
        page.labelled(4, "observed  ", Style::Plain, &cap(&failure.observed, OBSERVED_LIMIT));
        page.text(4, Style::Dim, "reproduce");
        page.command(4, &failure.reproduce);
    }
    more(page, failures.len(), MOST_FAILURES, "the reports");
    left_out(page, reports.iter().map(|report| report.failures_left_out).sum());
}

/// The lists of known failures, apart from the failures. Those that are no problem and did not run are only counted.
fn known(page: &mut Page, known: Option<&KnownFailures>) {
    let Some(known) = known else { return };
    page.blank();
    page.text(0, Style::Bold, known::heading(&known.entries).0);
    let many = match known::are_challenges(&known.entries) {
        true => format!("{} failures, {} requirements", known.failures, known.entries.len()),
        false => format!("{} known, {} entries", known.failures, known.entries.len()),
    };
    page.text(2, Style::Plain, &many);
    let told = |row: &&KnownRow| row.state != KnownState::NotJudged;
    let rows: Vec<&KnownRow> = known.entries.iter().filter(told).collect();
    for row in rows.iter().take(MOST_FAILURES) {
        let style = match row.state {
            KnownState::Passed | KnownState::Expired => Style::Bad,
            _ => Style::Doubtful,
        };
        let often = format!("  failed {} of {}", row.failed, u64::from(row.failed) + u64::from(row.passed));
        page.pieces(
            2,
            &[
                (style, row.state.label()),
                (Style::Plain, "  "),
                (Style::Plain, &row.name()),
                (Style::Dim, &often),
            ],
        );
        if !row.reason.is_empty() {
            page.labelled(4, "reason  ", Style::Dim, &cap(&row.reason, OBSERVED_LIMIT));
        }
    }
    more(page, rows.len(), MOST_FAILURES, "summary.json");
    let rest = known.entries.len() - rows.len();
    if rest > 0 {
        page.text(2, Style::Dim, &format!("{rest} not judged: none of their cells ran"));
    }
}

fn end(page: &mut Page, summary: &Summary) {
    page.blank();
    for problem in &summary.problems {
        page.text(0, Style::Bad, problem);
    }
    let style = if summary.exit_code == 0 { Style::Good } else { Style::Bad };
    page.text(0, style, &format!("failures: {}, exit code: {}", summary.failures, summary.exit_code));
}

fn left_out(page: &mut Page, left_out: u32) {
    if left_out > 0 {
        page.text(2, Style::Dim, &format!("… {left_out} more in no report"));
    }
}

fn more(page: &mut Page, all: usize, shown: usize, place: &str) {
    if let Some(more) = all.checked_sub(shown).filter(|more| *more > 0) {
        page.text(2, Style::Dim, &format!("… {more} more in {place}"));
    }
}

fn some_of(items: &[String]) -> String {
    let mut text = items.iter().take(MOST_ENTRIES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if items.len() > MOST_ENTRIES {
        text.push_str(&format!(", … {} more", items.len() - MOST_ENTRIES));
    }
    text
}

const fn style_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => Style::Good,
        Verdict::Fail | Verdict::Error => Style::Bad,
        Verdict::Inconclusive => Style::Doubtful,
        Verdict::Skipped | Verdict::NotExercised => Style::Plain,
    }
}
