//! Drift for people at a terminal: the pin first, then why.

use super::page::{Page, Style};
use super::{LEAST_WIDTH, some_of};
use crate::cap::cap;
use crate::drift::{Broken, Drift, DriftRow, DriftStep};
use crate::listing::Listing;
use crate::verdict::Verdict;

/// The most changes of a step that are told one by one; the other formats hold all.
const MOST_CHANGES: usize = 12;

/// The most characters of one change.
const MOST_SAID: usize = 240;

/// The whole page, with a line end. No line is wider than `width` columns, or [`LEAST_WIDTH`] if that is more.
pub fn drift(drift: &Drift, width: usize, colour: bool) -> String {
    let width = width.max(LEAST_WIDTH);
    let mut page = Page::new(width, colour);
    let style = if drift.pin.version.is_some() { Style::Good } else { Style::Bad };
    page.pieces(
        0,
        &[
            (Style::Bold, drift.executor.as_str()),
            (Style::Plain, " behind release "),
            (Style::Bold, &drift.release),
        ],
    );
    page.text(0, style, &drift.headline());
    for sentence in &drift.pin.rationale {
        page.text(2, Style::Plain, sentence);
    }
    let next = drift.pin.next.iter().flat_map(|next| &next.breaks);
    for broken in next.chain(&drift.pin.failing) {
        evidence(&mut page, broken);
    }
    page.blank();
    page.text(0, Style::Bold, "Requirements that fail on a version");
    let mut text = page.finish();
    let (table, left_out) = failures(drift);
    match drift.telling_rows().next() {
        None => text.push_str("none\n"),
        Some(_) => text.push_str(&table.text(width)),
    }
    let mut page = Page::new(width, colour);
    if left_out > 0 {
        let told = format!(
            "{left_out} more are inconclusive where what they rest on failed; --format md tells them"
        );
        page.text(0, Style::Dim, &told);
    }
    for step in &drift.steps {
        page.blank();
        changes(&mut page, step);
    }
    if !drift.pin.on_no_version.is_empty() {
        page.blank();
        page.text(0, Style::Bold, "What the release keeps on no version");
        drift.pin.on_no_version.iter().for_each(|broken| evidence(&mut page, broken));
    }
    text.push_str(&page.finish());
    text
}

fn evidence(page: &mut Page, broken: &Broken) {
    page.blank();
    page.pieces(
        2,
        &[(Style::Bold, &broken.requirement), (Style::Plain, " "), (Style::Bad, broken.verdict.label())],
    );
    page.text(4, Style::Plain, &broken.statement);
    if let Some(known_by) = &broken.known_by {
        page.labelled(4, "known by ", Style::Dim, known_by);
    }
    if let Some(cell) = broken.cells.first() {
        page.command(4, &format!("gauntlet replay '{cell}'"));
    }
    if let Some(cell) = &broken.kept_in {
        page.text(4, Style::Dim, "and kept in");
        page.command(4, &format!("gauntlet replay '{cell}'"));
    }
}

/// Versions as columns, requirements as rows: those that fail somewhere or rule a version out. How many others say something.
fn failures(drift: &Drift) -> (Listing, usize) {
    let versions = || drift.versions.iter().map(|version| version.version.clone());
    let columns = ["requirement".to_owned(), "level".to_owned()].into_iter().chain(versions()).collect();
    let rules_out = |id: &str| {
        let mut broken = drift.versions.iter().flat_map(|version| &version.breaks);
        broken.any(|broken| broken.requirement == id)
    };
    let tells = |row: &&DriftRow| {
        rules_out(&row.id) || row.verdicts.values().any(|verdict| *verdict == Verdict::Fail)
    };
    let (told, others): (Vec<&DriftRow>, Vec<&DriftRow>) = drift.telling_rows().partition(tells);
    let short = |row: &DriftRow, version: &str| match row.verdicts.get(version) {
        None | Some(Verdict::NotExercised) => "-",
        Some(Verdict::Inconclusive) => "inc.",
        Some(verdict) => verdict.label(),
    };
    let row = |row: &&DriftRow| {
        let verdicts = drift.versions.iter().map(|version| short(row, &version.version).to_owned());
        [row.id.clone(), row.level.to_string()].into_iter().chain(verdicts).collect()
    };
    let mut rows: Vec<Vec<String>> = told.iter().map(row).collect();
    if drift.versions.iter().any(|version| !version.recorded) {
        let said = |recorded: bool| if recorded { "" } else { "unrecorded" }.to_owned();
        let recorded = drift.versions.iter().map(|version| said(version.recorded));
        rows.insert(0, ["".to_owned(), "".to_owned()].into_iter().chain(recorded).collect());
    }
    (Listing { columns, rows }, others.len())
}

fn changes(page: &mut Page, step: &DriftStep) {
    page.text(0, Style::Bold, &format!("From {} to {}", step.from, step.to));
    if !step.broken.is_empty() {
        page.labelled(2, "breaks ", Style::Bad, &some_of(&step.broken));
    }
    if !step.mended.is_empty() {
        page.labelled(2, "mends ", Style::Good, &some_of(&step.mended));
    }
    for change in step.changes.iter().take(MOST_CHANGES) {
        let sign = match (&change.before, &change.after) {
            (None, _) => "+",
            (_, None) => "-",
            _ => "~",
        };
        let label = format!("{sign} {} ", change.aspect.label());
        page.labelled(2, &label, Style::Plain, &cap(&change.told(), MOST_SAID));
    }
    let more = step.changes.len().saturating_sub(MOST_CHANGES);
    if more > 0 {
        page.text(2, Style::Dim, &format!("{more} more; --format md tells them"));
    }
    if step.changes.is_empty() {
        page.text(2, Style::Dim, "the profiles say the same");
    }
}
