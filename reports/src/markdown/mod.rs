//! The report of one executor as Markdown, `report.md`.

mod drift;
mod escape;
mod step_summary;

use std::fmt::Write as _;

use crate::compliance::Compliance;
use crate::evidence::Failure;
use crate::known::{self, KnownRow};
use crate::report::{ExecutorReport, ProfileRow, ReleaseRow, RequirementRow, VersionVerdict};
use crate::verdict::{Class, Lane, Level, Verdict};
pub use drift::drift;
use escape::{block, code, text};
pub use step_summary::step_summary;

/// The most failures that are shown with their evidence; `report.json` holds all.
pub const MOST_FAILURES: usize = 200;

/// The whole report, with a line end.
pub fn report(report: &ExecutorReport) -> String {
    let parts = [
        head(report),
        compliance(&report.compliance),
        report.release.as_ref().map(release).unwrap_or_default(),
        profiles(&report.profiles),
        requirements(&report.requirements),
        newer(&report.newer, &report.catalogue.revision),
        reasons(&report.requirements),
        failures(&report.failures, report.failures_left_out),
        known_failures(&report.known_failures),
        uncovered(&report.uncovered),
        unbroken(&report.unbroken),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// Appends formatted text; a `String` takes every write.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {
        write!($out, $($arg)*).expect("a String takes every write")
    };
}

fn head(report: &ExecutorReport) -> String {
    let mut out = format!("# Compliance of {}\n\n", code(&report.executor));
    if !report.complete {
        out.push_str(
            "**Incomplete**: not every selected cell ran to its end. These verdicts may change.\n\n",
        );
    }
    let subject = &report.subject;
    put!(out, "| | |\n| --- | --- |\n");
    put!(out, "| {} | {}, release {} |\n", text(&subject.kind), text(&subject.name), text(&subject.release));
    put!(out, "| tool | {} {} |\n", text(&report.tool.name), text(&report.tool.version));
    let catalogue = &report.catalogue;
    put!(out, "| catalogue | {} ({}) |\n", text(&catalogue.revision), text(&catalogue.digest));
    for layer in &catalogue.layers {
        put!(out, "| own data | {} ({}) |\n", text(&layer.folder), text(&layer.digest));
    }
    put!(out, "| seed | {} |\n", report.seed);
    out
}

fn compliance(compliance: &Compliance) -> String {
    let mut out =
        String::from("## Compliance\n\nRequirements by verdict, in cells without quirk or fault.\n\n");
    let has_known = Level::ALL.into_iter().any(|level| compliance.at(level).known > 0);
    let mut names = Verdict::ALL.map(Verdict::label).to_vec();
    names.extend(has_known.then_some("known"));
    put!(out, "| level | {} |\n| --- |{}\n", names.join(" | "), " ---: |".repeat(names.len()));
    for level in Level::ALL {
        let tally = compliance.at(level);
        let mut counts = Verdict::ALL.map(|verdict| tally.get(verdict).to_string()).to_vec();
        counts.extend(has_known.then(|| tally.known.to_string()));
        put!(out, "| {level} | {} |\n", counts.join(" | "));
    }
    out
}

fn release(release: &ReleaseRow) -> String {
    let mut out = format!("## Release {}\n\n{}\n\n", code(&release.id), text(&release.title));
    put!(out, "Seen in: {}.\n\n", list(&release.seen_in));
    out.push_str("It is known not to keep these requirements. Their failures below have the evidence.\n\n");
    out.push_str("| requirement | known by |\n| --- | --- |\n");
    for known in &release.breaks {
        put!(out, "| {} | {} |\n", text(&known.requirement), text(&known.evidence));
    }
    for (ids, what) in [
        (&release.unexpected_breaks, "Failed without being listed"),
        (&release.missing_breaks, "Listed, and not failed"),
    ] {
        if !ids.is_empty() {
            put!(out, "\n**{what}**: {}.\n", list(ids));
        }
    }
    out
}

fn profiles(profiles: &[ProfileRow]) -> String {
    if profiles.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "## Versions\n\nA break is a requirement that even the reference cannot keep on that version. Unexpected \
         breaks are not listed in the profile; missing breaks are listed but did not occur.\n\n\
         | version | recorded | breaks | unexpected breaks | missing breaks |\n\
         | --- | --- | --- | --- | --- |\n",
    );
    for profile in profiles {
        let recorded = match (&profile.recorded_from, profile.recorded) {
            (Some(from), true) => text(from),
            (None, true) => "yes".to_owned(),
            (_, false) => "**unrecorded**".to_owned(),
        };
        put!(
            out,
            "| {} | {recorded} | {} | {} | {} |\n",
            text(&profile.version),
            list(&profile.breaks),
            list(&profile.unexpected_breaks),
            list(&profile.missing_breaks)
        );
    }
    out
}

fn requirements(rows: &[RequirementRow]) -> String {
    let mut out = String::from("## Requirements\n");
    for class in Class::ALL {
        let mut rows = rows.iter().filter(|row| row.class == class).peekable();
        if rows.peek().is_none() {
            continue;
        }
        put!(out, "\n### Class {class}\n\n");
        out.push_str(
            "| requirement | level | role | verdict | versions | statement | source | judged by |\n",
        );
        out.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for row in rows {
            put!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |\n",
                text(&row.id),
                row.level,
                text(&row.role),
                if row.known_failure { "known".to_owned() } else { strong(row.verdict) },
                versions(&row.by_version),
                text(&row.statement),
                text(&row.source),
                list(&row.judged_by)
            );
        }
    }
    out
}

/// The rows that ran without being scored, apart from those that were.
fn newer(rows: &[RequirementRow], revision: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut out =
        format!("## Newer than {}\n\nThese requirements ran, and are not scored.\n\n", text(revision));
    out.push_str("| requirement | level | class | role | verdict | versions | statement |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for row in rows {
        put!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |\n",
            text(&row.id),
            row.level,
            row.class,
            text(&row.role),
            row.verdict.label(),
            versions(&row.by_version),
            text(&row.statement)
        );
    }
    out
}

/// Versions gathered under their verdict, the worst first: `fail: 0.44.0 (expected break); pass: 0.98.0, 0.98.0 (real)`.
fn versions(rows: &[VersionVerdict]) -> String {
    let mut verdicts = Verdict::ALL;
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(*verdict));
    let mut groups = Vec::new();
    for verdict in verdicts {
        let group: Vec<String> =
            rows.iter().filter(|row| row.verdict == verdict).map(version_and_marks).collect();
        if !group.is_empty() {
            groups.push(format!("{}: {}", verdict.label(), group.join(", ")));
        }
    }
    groups.join("; ")
}

fn version_and_marks(row: &VersionVerdict) -> String {
    let mut marks = Vec::new();
    if row.lane == Lane::Real {
        marks.push("real");
    }
    if row.expected_break {
        marks.push("expected break");
    }
    if row.known_failure {
        marks.push("known");
    }
    let version = text(&row.version);
    if marks.is_empty() { version } else { format!("{version} ({})", marks.join(", ")) }
}

fn reasons(rows: &[RequirementRow]) -> String {
    let mut out = String::new();
    for row in rows {
        for version in &row.by_version {
            let Some(reason) = &version.reason else { continue };
            put!(
                out,
                "- {} on {} ({}), {}: {}\n",
                code(&row.id),
                code(&version.version),
                version.lane,
                version.verdict.label(),
                code(reason)
            );
        }
    }
    if out.is_empty() { out } else { format!("## Reasons\n\n{out}") }
}

fn failures(failures: &[Failure], left_out: u32) -> String {
    if failures.is_empty() {
        return String::new();
    }
    let mut out = String::from("## Failures\n");
    for (index, failure) in failures.iter().take(MOST_FAILURES).enumerate() {
        out.push('\n');
        out.push_str(&one_failure(index + 1, failure));
    }
    if let Some(more) = failures.len().checked_sub(MOST_FAILURES).filter(|more| *more > 0) {
        put!(out, "\n… {more} more in report.json.\n");
    }
    if left_out > 0 {
        put!(out, "\n… {left_out} more in no report; results.jsonl names their cells.\n");
    }
    out
}

fn known_failures(rows: &[KnownRow]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let (title, meaning) = known::heading(rows);
    let mut out = format!(
        "## {title}\n\n{meaning}\n\n\
         | cells | state | failed | passed | reason | owner | issue | until | listed at |\n\
         | --- | --- | ---: | ---: | --- | --- | --- | --- | --- |\n",
    );
    for row in rows {
        put!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            text(&row.name()),
            row.state.label(),
            row.failed,
            row.passed,
            text(&row.reason),
            text(&row.owner),
            row.issue.as_deref().map(text).unwrap_or_default(),
            text(&row.expires),
            text(&row.place)
        );
    }
    out
}

fn one_failure(number: usize, failure: &Failure) -> String {
    let mut out = format!("### {number}. {}: {}\n\n", text(&failure.requirement), text(&failure.guilty));
    put!(out, "- statement: {}\n", text(&failure.statement));
    put!(out, "- cell: {}\n", code(&failure.cell));
    put!(out, "- guilty: {}\n", code(&failure.guilty));
    put!(out, "- expected: {}\n", code(&failure.expected));
    put!(out, "- observed: {}\n", code(&failure.observed));
    for evidence in &failure.evidence {
        put!(
            out,
            "\nEvidence at {} ms, {} (trace entry {}):\n\n{}",
            evidence.at_ms,
            code(&evidence.what),
            evidence.trace_index,
            block(&evidence.detail, "text")
        );
    }
    put!(out, "\nReproduce:\n\n{}", block(&crate::escape::one_line(&failure.reproduce), "sh"));
    if let Some(trace) = &failure.trace {
        let cut = if failure.trace_cut { ", cut; the command above derives it again" } else { "" };
        put!(out, "\nTrace: {}{cut}.\n", code(trace));
    }
    out
}

fn uncovered(ids: &[String]) -> String {
    if ids.is_empty() {
        return String::new();
    }
    let mut out = String::from("## Not covered\n\nNo scenario judges these requirements.\n\n");
    for id in ids {
        put!(out, "- {}\n", code(id));
    }
    out
}

fn unbroken(ids: &[String]) -> String {
    if ids.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "## Never seen to fail\n\nNo quirk, no mutant and no version breaks these requirements.\n\n",
    );
    for id in ids {
        put!(out, "- {}\n", code(id));
    }
    out
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| text(item)).collect();
    items.join(", ")
}

fn strong(verdict: Verdict) -> String {
    match verdict {
        Verdict::Fail | Verdict::Error => format!("**{}**", verdict.label()),
        _ => verdict.label().to_owned(),
    }
}
