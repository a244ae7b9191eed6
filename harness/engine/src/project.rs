//! Projecting what was run into the exchange type of the reports.

use std::collections::BTreeSet;

use gauntlet_reports::{
    Catalogue as ReportCatalogue, CellCounts, Evidence, ExecutorReport, ExecutorScore, Failure, Lane,
    Secrets, Subject, Summary, Tool, Verdict, report, summary,
};

use crate::data::Library;
use crate::exit::ExitCode;
use crate::matrix::Selection;
use crate::runner::Record;
use crate::scores;
use crate::trace::What;

/// The reports of a run.
pub struct Reports {
    /// One for each executor that was run, in order of name.
    pub executors: Vec<ExecutorReport>,
    /// The whole.
    pub summary: Summary,
}

/// The revision of the embedded catalogue.
pub const REVISION: &str = "2026-11";

/// Makes the reports of a run. `complete` is false when it was interrupted.
pub fn reports(library: &Library, selection: &Selection, records: &[Record], complete: bool) -> Reports {
    let executors: BTreeSet<&str> = records.iter().map(|record| record.plan.profile.executor()).collect();
    let executors: Vec<ExecutorReport> = executors
        .into_iter()
        .map(|executor| executor_report(library, selection, records, executor, complete))
        .collect();
    let detection = scores::detection(library, records);
    let resilience = scores::resilience(library, records);
    let failures: usize = executors.iter().map(|report| report.failures.len()).sum();
    let mut problems = Vec::new();
    let mut exit = ExitCode::Pass;
    let mut problem = |line: String, code: ExitCode| {
        problems.push(line);
        exit = exit.max(code);
    };
    for record in records.iter().filter(|record| record.line.verdict == Verdict::Error) {
        let reason = record.line.reason.as_deref().unwrap_or("no reason given");
        problem(format!("{}: {reason}", record.line.id), ExitCode::Broken);
    }
    for report in &executors {
        for profile in &report.profiles {
            let name = format!("{} {}", report.executor, profile.version);
            for id in &profile.unexpected_breaks {
                problem(format!("{name}: {id} failed"), ExitCode::Nonconformance);
            }
            // With a part of the matrix, what should break may not have been tried.
            for id in profile.missing_breaks.iter().filter(|_| selection.only.is_empty() && complete) {
                problem(
                    format!("{name}: {id} passed, though its profile lists it as broken"),
                    ExitCode::Nonconformance,
                );
            }
        }
    }
    for report in &executors {
        let unjudged = report
            .requirements
            .iter()
            .filter(|row| row.level == gauntlet_reports::Level::Must && row.verdict == Verdict::Inconclusive);
        for row in unjudged {
            let reason = row
                .by_version
                .iter()
                .find_map(|version| version.reason.as_deref())
                .unwrap_or("no reason given");
            problem(
                format!("{}: {} is inconclusive ({reason})", report.executor, row.id),
                ExitCode::Nonconformance,
            );
        }
    }
    if selection.is_whole() && complete && selection.lanes.contains(&Lane::Virtual) {
        for quirk in detection.quirks.iter().filter(|quirk| !quirk.caught) {
            let line = if quirk.cells == 0 {
                format!("quirk {}: no scenario touches its injection point", quirk.id)
            } else {
                format!(
                    "quirk {}: not failed {:?}, failed without being named {:?}",
                    quirk.id, quirk.missed, quirk.unnamed
                )
            };
            problem(line, ExitCode::Nonconformance);
        }
    }
    for broken in &resilience.broken {
        let line = format!(
            "{} {}: {} of the {} failed in {}",
            broken.kind, broken.deviation, broken.requirement, broken.role, broken.cell
        );
        problem(line, ExitCode::Nonconformance);
    }
    if !complete {
        problem(
            "the run was interrupted: the reports cover what was run until then".to_owned(),
            ExitCode::Broken,
        );
    }
    let lane = |lane| records.iter().filter(|record| record.line.lane == lane).count();
    let summary = Summary {
        schema: summary::SCHEMA.to_owned(),
        tool: tool(),
        catalogue: catalogue(library),
        seed: selection.seed,
        complete,
        cells: CellCounts {
            total: count(records.len()),
            by_verdict: Verdict::counts(records.iter().map(|record| record.line.verdict)),
            virtual_lane: count(lane(Lane::Virtual)),
            real_lane: count(lane(Lane::Real)),
        },
        executors: executors
            .iter()
            .map(|report| ExecutorScore {
                executor: report.executor.clone(),
                compliance: report.compliance,
                verdict: Verdict::worst(report.requirements.iter().map(|row| row.verdict)),
            })
            .collect(),
        detection,
        resilience,
        failures: count(failures),
        exit_code: exit.code(),
        problems,
    };
    Reports { executors, summary }
}

fn tool() -> Tool {
    Tool { name: "gauntlet".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

fn catalogue(library: &Library) -> ReportCatalogue {
    ReportCatalogue { revision: REVISION.to_owned(), digest: library.digest.clone() }
}

fn executor_report(
    library: &Library,
    selection: &Selection,
    records: &[Record],
    executor: &str,
    complete: bool,
) -> ExecutorReport {
    let scored = scores::compliance(library, records, executor);
    let failures = records
        .iter()
        .filter(|record| record.plan.deviation.is_none() && record.plan.profile.executor() == executor)
        .flat_map(|record| failures(library, record))
        .filter(|failure| !is_expected(&scored.profiles, executor, failure))
        .collect();
    let release =
        records.iter().map(|record| record.plan.release.id.value.clone()).next().unwrap_or_default();
    ExecutorReport {
        schema: report::SCHEMA.to_owned(),
        tool: tool(),
        catalogue: catalogue(library),
        executor: executor.to_owned(),
        subject: Subject { kind: "receiver".to_owned(), name: format!("{executor} receiver"), release },
        complete,
        seed: selection.seed,
        profiles: scored.profiles,
        requirements: scored.requirements,
        compliance: scored.compliance,
        failures,
        uncovered: scored.uncovered,
    }
}

fn is_expected(profiles: &[gauntlet_reports::ProfileRow], executor: &str, failure: &Failure) -> bool {
    profiles.iter().any(|profile| {
        failure.ran_on(executor, &profile.version) && profile.breaks.contains(&failure.requirement)
    })
}

/// The failures of one cell, each with the guilty side, the evidence, and the command that reproduces it.
pub fn failures(library: &Library, record: &Record) -> Vec<Failure> {
    let secrets = Secrets::new(record.secrets.clone());
    let trace = record.trace.as_deref().unwrap_or_default();
    let failed = record.judgements.iter().filter(|(_, judgement)| judgement.verdict == Verdict::Fail);
    failed
        .flat_map(|(id, judgement)| {
            let requirement = library.catalogue.get(id);
            let secrets = &secrets;
            judgement.findings.iter().map(move |finding| Failure {
                cell: record.line.id.clone(),
                requirement: id.clone(),
                guilty: requirement.map_or("unknown", |requirement| requirement.role.name()).to_owned(),
                statement: requirement.map(|requirement| requirement.statement.clone()).unwrap_or_default(),
                expected: secrets.redact(&finding.expected),
                observed: secrets.redact(&finding.observed),
                evidence: finding
                    .trace
                    .iter()
                    .filter_map(|index| Some((*index, trace.get(*index)?)))
                    .map(|(index, seen)| Evidence {
                        at_ms: seen.at_ms,
                        what: name(&seen.what),
                        detail: secrets.redact(&serde_json::to_string(&seen.what).unwrap_or_default()),
                        trace_index: index,
                    })
                    .collect(),
                reproduce: format!("gauntlet replay '{}'", record.line.id),
            })
        })
        .collect()
}

/// What an observation is called.
fn name(what: &What) -> String {
    let value = serde_json::to_value(what).unwrap_or_default();
    value.get("what").and_then(|what| what.as_str()).unwrap_or_default().to_owned()
}

/// A trace as lines of JSON, redacted.
pub fn trace_lines(record: &Record) -> String {
    let secrets = Secrets::new(record.secrets.clone());
    let lines = record.trace.iter().flatten().map(|seen| serde_json::to_string(seen).unwrap_or_default());
    secrets.redact(&lines.map(|line| line + "\n").collect::<String>())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
