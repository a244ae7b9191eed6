//! The report of one executor as JUnit XML, `junit.xml`.
//!
//! One suite a class, one case a requirement, version and lane. JUnit knows four outcomes, a requirement six:
//!
//! | verdict | case |
//! | --- | --- |
//! | pass | passed; a failure `missing_break` when the profile lists a break there, since that list is stale |
//! | fail | a failure; skipped as `expected_break` when the profile lists it, and as `known` when a list of known failures holds it |
//! | error | an error |
//! | inconclusive | an error for a must, which nobody has seen kept; else, or on an expected break, skipped |
//! | skipped, not exercised | skipped |
//!
//! Requirements that are newer than the revision which judges have no case: they are not scored.
//!
//! Nothing in the file depends on the time or on chance.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

use crate::cap::{DETAIL_LIMIT, cap};
use crate::escape;
use crate::evidence::Failure;
use crate::known::KnownRow;
use crate::report::{ExecutorReport, RequirementRow, VersionVerdict};
use crate::verdict::{Class, Level, Verdict};

/// The most failures that one case describes; `report.json` holds all.
pub const MOST_FAILURES_OF_A_CASE: usize = 3;

/// The whole document, with a line end.
pub fn report(report: &ExecutorReport) -> String {
    let mut document = Report::new(xml_line(&format!("gauntlet {}", report.executor)));
    for class in Class::ALL {
        let rows: Vec<&RequirementRow> =
            report.requirements.iter().filter(|row| row.class == class).collect();
        if !rows.is_empty() {
            document.add_test_suite(suite(report, class, &rows));
        }
    }
    document.to_string().expect("every string was made legal XML and a String takes every write")
}

fn suite(report: &ExecutorReport, class: Class, rows: &[&RequirementRow]) -> TestSuite {
    let mut suite = TestSuite::new(class.as_str());
    for (name, value) in [
        ("tool", format!("{} {}", report.tool.name, report.tool.version)),
        ("catalogue", format!("{} {}", report.catalogue.revision, report.catalogue.digest)),
        ("subject", format!("{} {}", report.subject.name, report.subject.release)),
        ("seed", report.seed.to_string()),
        ("complete", report.complete.to_string()),
    ] {
        suite.add_property((XmlString::new(name), xml_line(&value)));
    }
    for layer in &report.catalogue.layers {
        let value = format!("{} {}", layer.folder, layer.digest);
        suite.add_property((XmlString::new("own data"), xml_line(&value)));
    }
    for row in rows {
        if row.by_version.is_empty() {
            suite.add_test_case(case(report, row, &row.id, skipped(row.verdict.as_str(), None)));
        }
        for version in &row.by_version {
            let name = format!("{} on {} ({})", row.id, version.version, version.lane);
            suite.add_test_case(case(report, row, &name, status(report, row, version)));
        }
    }
    suite
}

fn case(report: &ExecutorReport, row: &RequirementRow, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(xml_line(name), status);
    case.set_classname(xml_line(&format!("{}.{}.{}", report.executor, row.class, row.level)));
    case
}

fn status(report: &ExecutorReport, row: &RequirementRow, version: &VersionVerdict) -> TestCaseStatus {
    let reason = version.reason.as_deref();
    match version.verdict {
        Verdict::Pass if is_missing_break(report, row, version) => {
            let message = "the profile lists a break that did not occur; remove it from the profile";
            broken(NonSuccessKind::Failure, "missing_break", Some(message))
        }
        Verdict::Pass => TestCaseStatus::success(),
        Verdict::Fail if version.expected_break => {
            skipped("expected_break", reason.or(Some("the profile lists this break")))
        }
        Verdict::Fail if version.known_failure => skipped("known", Some(&known_by(report, &row.id))),
        Verdict::Fail => failure(report, row, version),
        Verdict::Error => broken(NonSuccessKind::Error, "error", reason),
        Verdict::Inconclusive if row.level == Level::Must && !version.expected_break => {
            broken(NonSuccessKind::Error, "inconclusive", reason)
        }
        Verdict::Inconclusive | Verdict::Skipped | Verdict::NotExercised => {
            skipped(version.verdict.as_str(), reason)
        }
    }
}

/// What the lists of known failures say of a requirement.
fn known_by(report: &ExecutorReport, id: &str) -> String {
    let is_of = |row: &&KnownRow| {
        row.requirement.as_deref().is_none_or(|named| named == id || named.contains(['*', '?']))
            && row.failed > 0
    };
    let told = report.known_failures.iter().filter(is_of).map(|row| {
        let issue = row.issue.as_deref().map(|issue| format!(", {issue}")).unwrap_or_default();
        format!("{} ({}{issue}, until {}, {})", row.reason, row.owner, row.expires, row.place)
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { "a known failure".to_owned() } else { told.join("; ") }
}

fn is_missing_break(report: &ExecutorReport, row: &RequirementRow, version: &VersionVerdict) -> bool {
    let mut profiles = report.profiles.iter().filter(|profile| profile.version == version.version);
    profiles.any(|profile| profile.missing_breaks.contains(&row.id))
}

fn failure(report: &ExecutorReport, row: &RequirementRow, version: &VersionVerdict) -> TestCaseStatus {
    // A row is judged by plain cells alone.
    let plain = || report.failures.iter().filter(|failure| failure.is_of_plain_cell());
    let of_row = || plain().filter(|failure| failure.requirement == row.id);
    let failures: Vec<&Failure> =
        of_row().filter(|failure| failure.ran_on(&report.executor, &version.version)).collect();
    let message = match failures.first() {
        Some(first) => Some(format!("{}: {}", first.guilty, first.observed)),
        None => version.reason.clone(),
    };
    let mut status = broken(NonSuccessKind::Failure, "fail", message.as_deref());
    let mut description = format!("{}\n", escape::one_line(&row.statement));
    for failure in failures.iter().take(MOST_FAILURES_OF_A_CASE) {
        description.push_str(&described(failure));
    }
    if let Some(more) = failures.len().checked_sub(MOST_FAILURES_OF_A_CASE).filter(|more| *more > 0) {
        description.push_str(&format!("\n… {more} more in report.json\n"));
    }
    status.set_description(XmlString::new(escape::lines(&description)));
    status
}

fn described(failure: &Failure) -> String {
    let mut out = String::new();
    for (name, value) in [
        ("cell", &failure.cell),
        ("guilty", &failure.guilty),
        ("expected", &failure.expected),
        ("observed", &failure.observed),
        ("reproduce", &failure.reproduce),
    ] {
        out.push_str(&format!("\n{name}: {}", escape::one_line(&cap(value, DETAIL_LIMIT))));
    }
    for evidence in &failure.evidence {
        out.push_str(&format!(
            "\n\nat {} ms, {} (trace entry {}):\n{}",
            evidence.at_ms,
            escape::one_line(&evidence.what),
            evidence.trace_index,
            cap(&evidence.detail, DETAIL_LIMIT)
        ));
    }
    out.push('\n');
    out
}

fn broken(kind: NonSuccessKind, name: &str, message: Option<&str>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(name);
    if let Some(message) = message {
        status.set_message(xml_line(message));
    }
    status
}

fn skipped(name: &str, message: Option<&str>) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_type(name);
    status.set_message(xml_line(message.unwrap_or(&name.replace('_', " "))));
    status
}

/// Text for an attribute. Escaped here, because XML has no way to write most control characters.
fn xml_line(text: &str) -> XmlString {
    XmlString::new(escape::one_line(&cap(text, DETAIL_LIMIT)))
}
