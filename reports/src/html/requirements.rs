//! The rows of the catalogue, each with its verdict on every version.

use maud::{Markup, html};

use super::{line, list};
use crate::report::{RequirementRow, VersionVerdict};
use crate::verdict::{Class, Lane, Verdict};

pub(super) fn all(rows: &[RequirementRow]) -> Markup {
    html! {
        section id="requirements" {
            h2 { "Requirements" }
            p.filter {
                label { input type="checkbox" id="hide-kept"; " hide what is kept" }
                label { input type="checkbox" id="hide-unjudged"; " hide what was skipped or had nothing to judge" }
            }
            @for class in Class::ALL {
                @let rows: Vec<&RequirementRow> = rows.iter().filter(|row| row.class == class).collect();
                @if !rows.is_empty() {
                    h3 { "Class " (class) }
                    (table(&rows))
                }
            }
        }
    }
}

/// The rows that ran without being scored, apart from those that were.
pub(super) fn newer(rows: &[RequirementRow], revision: &str) -> Markup {
    html! {
        @if !rows.is_empty() {
            section id="newer" {
                h2 { "Newer than " (line(revision)) }
                p { "These requirements ran, and are not scored." }
                (table(&rows.iter().collect::<Vec<_>>()))
            }
        }
    }
}

fn table(rows: &[&RequirementRow]) -> Markup {
    html! {
        table {
            tr {
                @for name in ["requirement", "level", "role", "verdict", "statement"] { th scope="col" { (name) } }
            }
            @for row in rows {
                tr id=(line(&row.id)) class={ "row-" (row.verdict.as_str()) } {
                    td.id { (line(&row.id)) }
                    td { (row.level) }
                    td { (line(&row.role)) }
                    td {
                        @if row.known_failure {
                            span.known { "known" }
                        } @else {
                            span class=(row.verdict.as_str()) { (row.verdict.label()) }
                        }
                    }
                    td {
                        (line(&row.statement))
                        details {
                            summary.quiet { "versions, source, scenarios" }
                            ul { @for version in &row.by_version { (on_version(version)) } }
                            p { "Source: " (line(&row.source)) }
                            p { "Judged by: " (list(&row.judged_by)) }
                        }
                    }
                }
            }
        }
    }
}

fn on_version(row: &VersionVerdict) -> Markup {
    html! {
        li {
            code { (line(&row.version)) }
            @if row.lane == Lane::Real { " (real)" }
            ": " span class=(row.verdict.as_str()) { (row.verdict.label()) }
            @if row.verdict != Verdict::NotExercised { ", cells: " (row.cells) }
            @if row.expected_break { ", an expected break" }
            @if row.known_failure { ", known" }
            @if let Some(reason) = &row.reason { ": " (line(&crate::cap::cap(reason, crate::cap::DETAIL_LIMIT))) }
            @if !row.traces.is_empty() {
                "; traces:"
                @for trace in &row.traces { " " a href={ "../" (line(trace)) } { (line(cell(trace))) } }
            }
        }
    }
}

/// The cell whose trace a file holds, as the file's name tells it.
fn cell(file: &str) -> &str {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split_once(".jsonl").map_or(name, |(name, _)| name)
}
