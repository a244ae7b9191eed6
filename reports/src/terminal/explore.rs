//! What exploration found, for people at a terminal.

use std::collections::BTreeMap;

use super::page::{Page, Style};
use super::{LEAST_WIDTH, OBSERVED_LIMIT};
use crate::cap::cap;
use crate::explore::{Crashes, FaultSearch, Finding, LeftOut, Soak};
use crate::listing::Listing;

/// So many findings are told one by one; the JSON holds more.
const MOST_FINDINGS: usize = 20;

/// What came of killing processes at every point. No line is wider than `width` columns, or [`LEAST_WIDTH`] if that is more.
pub fn crashes(found: &Crashes, width: usize, colour: bool) -> String {
    let width = width.max(LEAST_WIDTH);
    let mut table = Listing::new(&["host", "kind", "points", "crashes", "reached", "covered"]);
    for host in &found.hosts {
        for kind in &host.kinds {
            let numbers = [kind.points, kind.crashes, kind.reached, kind.covered].map(|n| n.to_string());
            let row = [host.host.clone(), kind.kind.clone()].into_iter().chain(numbers);
            table.rows.push(row.collect());
        }
    }
    let mut page = Page::new(width, colour);
    page.text(0, Style::Bold, "Crashes at every point");
    let head = format!(
        "{} cells, {} points, {} crashes (points that leave the same world are one), {} double crashes, seed {}, {:.1} s",
        found.cells,
        found.points,
        found.crashes,
        found.double_crashes,
        found.seed,
        std::time::Duration::from_millis(found.took_ms).as_secs_f64(),
    );
    page.text(0, Style::Plain, &head);
    if !found.complete {
        page.text(0, Style::Doubtful, "Incomplete: it was ended before its time.");
    }
    page.blank();
    let mut text = page.finish() + &table.text(width);
    let mut page = Page::new(width, colour);
    for kind in &found.unreached {
        page.text(0, Style::Bad, &format!("{kind} is in use, and nobody died there"));
    }
    left_out(&mut page, &found.left_out);
    if found.crashes + found.double_crashes > 0 || !found.findings.is_empty() {
        findings(&mut page, &found.findings, found.findings_left_out);
    } else {
        page.blank();
        page.text(0, Style::Doubtful, "Nobody was killed: nothing is known.");
    }
    text.push_str(&page.finish());
    text
}

fn left_out(page: &mut Page, left_out: &[LeftOut]) {
    if left_out.is_empty() {
        return;
    }
    page.blank();
    page.text(0, Style::Bold, "Not explored");
    for left in left_out {
        page.labelled(2, &format!("{:>7}  ", left.cells), Style::Plain, &left.because);
    }
}

/// What did not hold: first what it comes to, then one by one.
fn findings(page: &mut Page, findings: &[Finding], more: u64) {
    page.blank();
    if findings.is_empty() {
        page.text(0, Style::Good, "Nothing was found: every invariant holds.");
        return;
    }
    let all = findings.len() as u64 + more;
    page.text(0, Style::Bad, &format!("{all} findings"));
    let mut alike: BTreeMap<(&str, &str, &str), (usize, &Finding)> = BTreeMap::new();
    for finding in findings {
        let key = (finding.requirement.as_str(), finding.role.as_str(), finding.at.as_str());
        alike.entry(key).or_insert((0, finding)).0 += 1;
    }
    for ((requirement, role, at), (count, first)) in alike.iter().take(MOST_FINDINGS) {
        page.blank();
        page.pieces(0, &[(Style::Bad, requirement), (Style::Plain, " of the role "), (Style::Bold, role)]);
        page.text(2, Style::Plain, &first.statement);
        page.labelled(2, "cell      ", Style::Plain, &first.cell);
        page.labelled(2, "point     ", Style::Plain, &format!("{} ({at}), {count} like it", first.point));
        page.labelled(2, "expected  ", Style::Plain, &cap(&first.expected, OBSERVED_LIMIT));
        page.labelled(2, "observed  ", Style::Plain, &cap(&first.observed, OBSERVED_LIMIT));
        page.command(2, &first.replay);
    }
    if alike.len() > MOST_FINDINGS {
        page.blank();
        page.text(
            0,
            Style::Dim,
            &format!("{} more kinds; --format json tells them", alike.len() - MOST_FINDINGS),
        );
    }
}

/// What came of worlds that nobody thought of. No line is wider than `width` columns, or [`LEAST_WIDTH`] if that is more, but those of
/// the stories, which are files.
pub fn fault_search(found: &FaultSearch, width: usize, colour: bool) -> String {
    let mut page = Page::new(width.max(LEAST_WIDTH), colour);
    page.text(0, Style::Bold, "Faults, quirks and orders that nobody wrote down");
    let seconds = std::time::Duration::from_millis(found.took_ms).as_secs_f64();
    let head = format!(
        "{} cells, {} pairs of a port or verdict with a quirk or fault, seed {}, {seconds:.1} s",
        found.cells, found.pairs, found.seed,
    );
    page.text(0, Style::Plain, &head);
    if !found.complete {
        page.text(0, Style::Doubtful, "Incomplete: it was ended before its time.");
    }
    if found.not_made > 0 {
        let told =
            format!("{} more were drawn and could not be made: nothing is known of them.", found.not_made);
        page.text(0, Style::Bad, &told);
    }
    page.blank();
    if found.findings.is_empty() {
        page.text(0, Style::Good, "Nothing was found: every invariant holds.");
        return page.finish();
    }
    page.text(0, Style::Bad, &format!("{} findings, each made as small as it gets", found.findings.len()));
    let mut text = page.finish();
    for one in &found.findings {
        let mut page = Page::new(width.max(LEAST_WIDTH), colour);
        page.blank();
        page.pieces(
            0,
            &[(Style::Bold, &one.requirement), (Style::Plain, " of the role "), (Style::Bold, &one.role)],
        );
        page.text(2, Style::Plain, &one.statement);
        page.labelled(2, "seen      ", Style::Plain, &format!("in {} cells", one.cells));
        page.labelled(2, "expected  ", Style::Plain, &cap(&one.expected, OBSERVED_LIMIT));
        page.labelled(2, "observed  ", Style::Plain, &cap(&one.observed, OBSERVED_LIMIT));
        page.command(2, &one.replay);
        if let Some(file) = &one.file {
            page.labelled(2, "written   ", Style::Plain, file);
        }
        text.push_str(&page.finish());
        text.push_str(&crate::escape::lines(&one.scenario));
    }
    text
}

/// What came of work under disturbance over real processes. No line is wider than `width` columns, or [`LEAST_WIDTH`] if that is more, but
/// those of the stories, which are files.
pub fn soak(found: &Soak, width: usize, colour: bool) -> String {
    let width = width.max(LEAST_WIDTH);
    let mut page = Page::new(width, colour);
    page.text(0, Style::Bold, "Work under disturbance, over real processes");
    let seconds = std::time::Duration::from_millis(found.took_ms).as_secs_f64();
    let head = format!(
        "{} stories, {} dispatches, seed {}, {seconds:.1} s",
        found.cells, found.dispatches, found.seed
    );
    page.text(0, Style::Plain, &head);
    if !found.complete {
        page.text(0, Style::Doubtful, "Incomplete: it was ended before its time.");
    }
    page.blank();
    for disturbed in &found.disturbances {
        page.labelled(2, &format!("{:>7}  ", disturbed.times), Style::Plain, &disturbed.what);
    }
    page.blank();
    if found.findings.is_empty() {
        page.text(0, Style::Good, "Nothing was found: every invariant holds.");
        return page.finish();
    }
    page.text(0, Style::Bad, &format!("{} findings", found.findings.len()));
    let mut text = page.finish();
    for one in &found.findings {
        let mut page = Page::new(width, colour);
        page.blank();
        page.pieces(
            0,
            &[(Style::Bad, &one.requirement), (Style::Plain, " of the role "), (Style::Bold, &one.role)],
        );
        page.text(2, Style::Plain, &one.statement);
        page.labelled(2, "seen      ", Style::Plain, &format!("in {} stories", one.cells));
        let again = match one.again {
            0 => format!("never in {} tries by itself: flaky", one.tries),
            again => format!("{again} times in {} tries by itself", one.tries),
        };
        page.labelled(2, "again     ", Style::Plain, &again);
        page.labelled(2, "expected  ", Style::Plain, &cap(&one.expected, OBSERVED_LIMIT));
        page.labelled(2, "observed  ", Style::Plain, &cap(&one.observed, OBSERVED_LIMIT));
        page.command(2, &one.replay);
        if let Some(file) = &one.file {
            page.labelled(2, "written   ", Style::Plain, file);
        }
        text.push_str(&page.finish());
        text.push_str(&crate::escape::lines(&one.scenario));
    }
    text
}
