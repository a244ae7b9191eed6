//! One hand-made run: passes, failures, breaks of every kind, skipped, inconclusive, and text of a hostile peer.
//!
//! The tests of every format render this same value.

use std::collections::BTreeMap;

use gauntlet_reports::{
    Catalogue, CellCounts, CellLine, Class, Compliance, Coverage, Detection, Evidence, ExecutorReport,
    ExecutorScore, Failure, FlakyCell, FlakyOutcome, Lane, Level, ProfileRow, QuirkRow, RequirementRow,
    Resilience, ResilienceBreak, Subject, Summary, Tool, Verdict, VersionVerdict, report, summary,
};

/// What a peer may send to harm whoever reads the report.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}| `code` ``` <script>alert(1)</script> <!-- ]]> &amp; \
    **bold** [x](javascript:1) @all \u{202e}desrever\u{2066} \u{200b}\u{feff}\u{9b}31m \u{0}\u{fffe} \\| line\r\nnext";

fn strings(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

fn tool() -> Tool {
    Tool { name: "gauntlet".to_owned(), version: "0.1.0".to_owned() }
}

fn catalogue() -> Catalogue {
    Catalogue { revision: "2025-1".to_owned(), digest: "9f86d081884c7d65".to_owned(), layers: Vec::new() }
}

/// One row; `versions` are version, lane, verdict, whether the break is expected, reason.
fn row(
    (id, level, class, role): (&str, Level, Class, &str),
    statement: &str,
    versions: &[(&str, Lane, Verdict, bool, Option<&str>)],
) -> RequirementRow {
    let by_version: Vec<VersionVerdict> = versions
        .iter()
        .map(|(version, lane, verdict, expected_break, reason)| VersionVerdict {
            version: (*version).to_owned(),
            lane: *lane,
            verdict: *verdict,
            expected_break: *expected_break,
            known_failure: false,
            cells: 2,
            reason: reason.map(str::to_owned),
            traces: Vec::new(),
        })
        .collect();
    RequirementRow {
        id: id.to_owned(),
        level,
        class,
        role: role.to_owned(),
        statement: statement.to_owned(),
        source: "a2a-fleet 2.4".to_owned(),
        verdict: Verdict::worst(by_version.iter().map(|row| row.verdict)),
        known_failure: false,
        by_version,
        judged_by: strings(&["fleet/second-dispatch-to-a-busy-context"]),
    }
}

fn rows() -> Vec<RequirementRow> {
    use Lane::{Real, Virtual};
    use Verdict::{Error, Fail, Inconclusive, NotExercised, Pass, Skipped};
    vec![
        row(
            ("FLEET-ACK-01", Level::Must, Class::Core, "receiver"),
            "A dispatch is acknowledged before its turn begins.",
            &[
                ("0.44.0", Virtual, Pass, false, None),
                ("0.98.0", Virtual, Pass, false, None),
                ("0.98.0", Real, Pass, false, None),
            ],
        ),
        row(
            ("FLEET-BUSY-01", Level::Must, Class::Core, "receiver"),
            "A dispatch to a busy context is refused with a clear error.",
            &[
                ("0.44.0", Virtual, Fail, false, None),
                ("0.98.0", Virtual, Pass, false, None),
                ("0.98.0", Real, Error, false, Some("the stand-in's control socket closed")),
            ],
        ),
        row(
            ("FLEET-BUSY-02", Level::Must, Class::Core, "receiver"),
            "Of two dispatches to one context, one turn runs at a time.",
            &[
                ("0.44.0", Virtual, Inconclusive, false, Some("FLEET-BUSY-01 failed in the same cell")),
                ("0.98.0", Virtual, Pass, false, None),
            ],
        ),
        row(
            ("FLEET-RESUME-01", Level::Should, Class::Capability, "cli"),
            "A | in `resume` <b>stays</b> what it is.",
            &[
                ("0.44.0", Virtual, Fail, true, Some("the version has no resume")),
                ("0.98.0", Virtual, Pass, false, None),
                ("0.98.0", Real, Inconclusive, false, Some(HOSTILE)),
            ],
        ),
        row(
            ("FLEET-STREAM-01", Level::May, Class::Capability, "receiver"),
            "Partial output is streamed.",
            &[("0.44.0", Virtual, Skipped, false, Some("the subject does not declare streaming"))],
        ),
        row(
            ("FLEET-TEXT-01", Level::Should, Class::Parity, "receiver"),
            "The acknowledgement ends in [queued].",
            &[("0.44.0", Virtual, Pass, false, None), ("0.98.0", Virtual, NotExercised, false, None)],
        ),
        row(
            ("FLEET-PORT-01", Level::May, Class::Parity, "receiver"),
            "The port is of the band of the product line.",
            &[],
        ),
    ]
}

fn failures() -> Vec<Failure> {
    let cell = "fleet/second-dispatch-to-a-busy-context@codex-0.44.0#7";
    vec![
        Failure {
            cell: cell.to_owned(),
            requirement: "FLEET-BUSY-01".to_owned(),
            guilty: "receiver".to_owned(),
            statement: "A dispatch to a busy context is refused with a clear error.".to_owned(),
            expected: "rpc_error -32001".to_owned(),
            observed: "the second dispatch was acknowledged with \"[queued]\"".to_owned(),
            evidence: vec![
                Evidence {
                    at_ms: 5_000,
                    what: "request".to_owned(),
                    detail: "POST / HTTP/1.1\r\nauthorization: Bearer [redacted]\r\n\r\n{\"id\":2}"
                        .to_owned(),
                    trace_index: 12,
                },
                Evidence {
                    at_ms: 5_001,
                    what: "response".to_owned(),
                    detail: "x".repeat(4_321),
                    trace_index: 13,
                },
            ],
            reproduce: format!("gauntlet run --only '{cell}'"),
            diagram: Some("       ms   runtime   receiver\n        0     |--------->|  one\n".to_owned()),
            trace: Some("traces/fleet_second-dispatch-to-a-busy-context_codex-0.44.0_7.jsonl".to_owned()),
            trace_cut: true,
        },
        Failure {
            cell: "fleet/a|b@codex-0.44.0#8".to_owned(),
            requirement: "FLEET-BUSY-01".to_owned(),
            guilty: "receiver".to_owned(),
            statement: "A dispatch to a busy context is refused with a clear error.".to_owned(),
            expected: "a clear error".to_owned(),
            observed: HOSTILE.to_owned(),
            evidence: vec![Evidence {
                at_ms: 0,
                what: HOSTILE.to_owned(),
                detail: format!("```\n# not a heading\n{HOSTILE}"),
                trace_index: 0,
            }],
            reproduce: "gauntlet run --only 'fleet/a|b@codex-0.44.0#8'".to_owned(),
            diagram: None,
            trace: None,
            trace_cut: false,
        },
    ]
}

/// The report of the executor `codex`.
pub(crate) fn codex() -> ExecutorReport {
    let requirements = rows();
    ExecutorReport {
        schema: report::SCHEMA.to_owned(),
        tool: tool(),
        catalogue: catalogue(),
        executor: "codex".to_owned(),
        subject: Subject {
            kind: "receiver".to_owned(),
            name: "reference_receiver".to_owned(),
            release: "0.1.0".to_owned(),
        },
        complete: false,
        seed: 7,
        release: None,
        profiles: vec![
            ProfileRow {
                version: "0.44.0".to_owned(),
                recorded: true,
                recorded_from: Some("recordings/cli/codex/0.44.0".to_owned()),
                breaks: strings(&["FLEET-RESUME-01", "FLEET-TEXT-01"]),
                unexpected_breaks: strings(&["FLEET-BUSY-01"]),
                missing_breaks: strings(&["FLEET-TEXT-01"]),
            },
            ProfileRow {
                version: "0.98.0".to_owned(),
                recorded: false,
                recorded_from: None,
                breaks: Vec::new(),
                unexpected_breaks: Vec::new(),
                missing_breaks: Vec::new(),
            },
        ],
        compliance: Compliance::of(&requirements),
        requirements,
        newer: vec![RequirementRow { id: "FLEET-NEW-01".to_owned(), ..rows().remove(0) }],
        failures: failures(),
        known_failures: Vec::new(),
        failures_left_out: 3,
        uncovered: strings(&["FLEET-PORT-01"]),
        unbroken: strings(&["FLEET-TEXT-01"]),
    }
}

/// The report of an executor that keeps all it was asked for, on a name with markup in it.
pub(crate) fn clean() -> ExecutorReport {
    let requirements = vec![rows().remove(0)];
    ExecutorReport {
        executor: "claude_code".to_owned(),
        complete: true,
        release: None,
        profiles: Vec::new(),
        compliance: Compliance::of(&requirements),
        requirements,
        newer: Vec::new(),
        failures: Vec::new(),
        failures_left_out: 0,
        uncovered: Vec::new(),
        unbroken: Vec::new(),
        ..codex()
    }
}

/// The summary of a run over both.
pub(crate) fn run() -> Summary {
    let score = |report: &ExecutorReport, verdict| ExecutorScore {
        executor: report.executor.clone(),
        compliance: report.compliance,
        verdict,
    };
    Summary {
        schema: summary::SCHEMA.to_owned(),
        tool: tool(),
        catalogue: catalogue(),
        seed: 7,
        complete: false,
        sampled: false,
        cells: CellCounts {
            total: 120,
            by_verdict: BTreeMap::from([("fail".to_owned(), 3), ("pass".to_owned(), 117)]),
            virtual_lane: 108,
            real_lane: 12,
        },
        executors: vec![score(&codex(), Verdict::Error), score(&clean(), Verdict::Pass)],
        detection: Detection {
            caught: 1,
            all: 2,
            quirks: vec![
                QuirkRow {
                    id: "not-reached".to_owned(),
                    role: "receiver".to_owned(),
                    violates: strings(&["FLEET-TEXT-01"]),
                    cells: 0,
                    scored: false,
                    caught: false,
                    missed: strings(&["FLEET-TEXT-01"]),
                    unnamed: Vec::new(),
                    known: Vec::new(),
                    real_cell: None,
                    missed_real: Vec::new(),
                },
                QuirkRow {
                    id: "slow-callback".to_owned(),
                    role: "receiver".to_owned(),
                    violates: strings(&["FLEET-REPLY-02"]),
                    cells: 4,
                    scored: true,
                    caught: true,
                    missed: Vec::new(),
                    unnamed: Vec::new(),
                    known: Vec::new(),
                    real_cell: Some("fleet/reply@codex-0.98.0+slow-callback#7~real".to_owned()),
                    missed_real: Vec::new(),
                },
                QuirkRow {
                    id: "resume-loses-thread".to_owned(),
                    role: "cli".to_owned(),
                    violates: strings(&["FLEET-RESUME-01", "FLEET-RESUME-02"]),
                    cells: 2,
                    scored: true,
                    caught: false,
                    missed: strings(&["FLEET-RESUME-02"]),
                    unnamed: strings(&["FLEET-RESUME-03"]),
                    known: Vec::new(),
                    real_cell: Some("fleet/resume@codex-0.98.0+resume-loses-thread#7~real".to_owned()),
                    missed_real: strings(&["FLEET-RESUME-01"]),
                },
            ],
            idle_scenarios: strings(&["fleet/agent-card"]),
        },
        resilience: Resilience {
            kept: 41,
            all: 42,
            broken: vec![ResilienceBreak {
                deviation: "disk-full".to_owned(),
                kind: "fault".to_owned(),
                requirement: "FLEET-REPLY-02".to_owned(),
                role: "runtime".to_owned(),
                cell: "fleet/reply@codex-0.98.0+disk-full#7".to_owned(),
            }],
            broken_left_out: 1,
            known: 0,
        },
        coverage: Coverage {
            unjudged: strings(&["codex FLEET-PORT-01"]),
            unbroken: strings(&["codex FLEET-TEXT-01"]),
        },
        known_failures: None,
        flaky: vec![FlakyCell {
            cell: "fleet/busy@codex-0.98.0#7~real".to_owned(),
            outcomes: vec![FlakyOutcome {
                requirement: "FLEET-BUSY-01".to_owned(),
                first: Verdict::Fail,
                alone: Verdict::Pass,
            }],
        }],
        failures: 5,
        exit_code: 1,
        problems: strings(&[
            "codex: FLEET-BUSY-01 (must) failed on 0.44.0",
            "codex 0.44.0: the profile lists FLEET-TEXT-01 as a break, but it was kept",
        ]),
    }
}

/// Three lines of `results.jsonl`.
pub(crate) fn lines() -> Vec<CellLine> {
    let counts =
        |verdict: Verdict| BTreeMap::from([("pass".to_owned(), 3), (verdict.as_str().to_owned(), 1)]);
    vec![
        CellLine {
            id: "fleet/ack@codex-0.44.0#7".to_owned(),
            lane: Lane::Virtual,
            verdict: Verdict::Pass,
            counts: BTreeMap::from([("pass".to_owned(), 4)]),
            digest: "af1349b9f5f9a1a6".to_owned(),
            failed: Vec::new(),
            known: Vec::new(),
            reason: None,
            trace: None,
        },
        CellLine {
            id: "fleet/second-dispatch-to-a-busy-context@codex-0.44.0#7".to_owned(),
            lane: Lane::Virtual,
            verdict: Verdict::Fail,
            counts: counts(Verdict::Fail),
            digest: "7a38b0f1c2d3e4f5".to_owned(),
            failed: strings(&["FLEET-BUSY-01"]),
            known: Vec::new(),
            reason: None,
            trace: None,
        },
        CellLine {
            id: "fleet/resume@codex-0.98.0#7".to_owned(),
            lane: Lane::Real,
            verdict: Verdict::Inconclusive,
            counts: counts(Verdict::Inconclusive),
            digest: String::new(),
            failed: Vec::new(),
            known: Vec::new(),
            reason: Some(HOSTILE.to_owned()),
            trace: None,
        },
    ]
}
