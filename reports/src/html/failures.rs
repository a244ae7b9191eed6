//! The failures that nobody expected, cell by cell: each opens onto what was expected, what came, and the evidence.

use maud::{Markup, html};

use super::line;
use crate::cap::{DETAIL_LIMIT, cap};
use crate::escape;
use crate::evidence::Failure;
use crate::report::ExecutorReport;

/// The most failures that are shown; `report.json` holds all.
const MOST: usize = 200;

pub(super) fn all(report: &ExecutorReport) -> Markup {
    let shown = &report.failures[..report.failures.len().min(MOST)];
    let cells: Vec<&[Failure]> = shown.chunk_by(|one, next| one.cell == next.cell).collect();
    let more = report.failures.len() - shown.len();
    html! {
        @if !report.failures.is_empty() {
            section id="failures" {
                h2 { "Failures" }
                @for failures in cells { (cell(failures)) }
                @if more > 0 { p { "… " (more) " more in report.json." } }
                @if report.failures_left_out > 0 {
                    p { "… " (report.failures_left_out) " more in no report; results.jsonl names their cells." }
                }
            }
        }
    }
}

/// The failures of one cell; there is at least one.
fn cell(failures: &[Failure]) -> Markup {
    let [first, ..] = failures else { return html! {} };
    html! {
        details.cell {
            summary {
                code { (line(&first.cell)) } " "
                @for failure in failures { span.fail { (line(&failure.requirement)) } " " }
            }
            @if let Some(diagram) = failures.iter().find_map(|failure| failure.diagram.as_ref()) {
                pre { (escape::lines(diagram)) }
            }
            @for failure in failures { (one(failure)) }
            p { "Reproduce:" }
            pre { (line(&first.reproduce)) }
            @if let Some(trace) = &first.trace {
                p {
                    "Trace: " a href={ "../" (line(trace)) } { (line(trace)) }
                    @if first.trace_cut { ", cut; the command above derives it again" }
                }
            }
        }
    }
}

fn one(failure: &Failure) -> Markup {
    html! {
        h3 { a href={ "#" (line(&failure.requirement)) } { (line(&failure.requirement)) } ", broken by the " (line(&failure.guilty)) }
        p { (line(&failure.statement)) }
        table {
            tr { th scope="row" { "expected" } td { code { (line(&cap(&failure.expected, DETAIL_LIMIT))) } } }
            tr { th scope="row" { "observed" } td { code { (line(&cap(&failure.observed, DETAIL_LIMIT))) } } }
        }
        @for evidence in &failure.evidence {
            p.quiet {
                "At " (evidence.at_ms) " ms, " (line(&evidence.what)) " (trace entry " (evidence.trace_index) "):"
            }
            pre.wire { (escape::lines(&cap(&evidence.detail, DETAIL_LIMIT))) }
        }
    }
}
