//! Every format of the one sample, as it was reviewed, and what must hold whatever the sample says.

use gauntlet_reports::{ExecutorReport, Summary, escape, html, json, junit, markdown, terminal};

use crate::sample;

fn lines_of_results() -> String {
    sample::lines().iter().map(|line| json::results_line(line) + "\n").collect()
}

fn page(width: usize, colour: bool) -> String {
    terminal::table(&[sample::codex(), sample::clean()], &sample::run(), width, colour)
}

#[test]
fn json_is_as_reviewed() {
    insta::assert_snapshot!("report.json", json::report_json(&sample::codex()));
    insta::assert_snapshot!("summary.json", json::summary_json(&sample::run()));
    insta::assert_snapshot!("results.jsonl", lines_of_results());
}

#[test]
fn markdown_is_as_reviewed() {
    insta::assert_snapshot!("report.md", markdown::report(&sample::codex()));
    insta::assert_snapshot!("clean_report.md", markdown::report(&sample::clean()));
}

#[test]
fn the_page_is_as_reviewed() {
    insta::assert_snapshot!("report.html", html::report(&sample::codex()));
    insta::assert_snapshot!("clean_report.html", html::report(&sample::clean()));
}

#[test]
fn the_page_holds_no_markup_of_a_peer_and_asks_nobody_for_anything() {
    let mut codex = sample::codex();
    let hostile = "</pre><script src=//evil.example></script><img src=x onerror=alert(1)>\"'";
    codex.failures[0].observed = hostile.to_owned();
    codex.failures[0].evidence[0].detail = hostile.to_owned();
    codex.failures[0].diagram = Some(hostile.to_owned());
    codex.failures[0].cell = hostile.to_owned();
    codex.failures[0].trace = Some(hostile.to_owned());
    codex.requirements[0].id = hostile.to_owned();
    let page = html::report(&codex);
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    assert!(!page.contains("=\"//") && !page.contains("http://") && !page.contains("https://"));
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn junit_is_as_reviewed() {
    insta::assert_snapshot!("junit.xml", junit::report(&sample::codex()));
}

#[test]
fn the_terminal_page_is_as_reviewed() {
    insta::assert_snapshot!("terminal_80", page(80, false));
    insta::assert_snapshot!("terminal_40", page(40, false));
    insta::assert_snapshot!("terminal_80_colour", page(80, true).replace('\u{1b}', "ESC"));
}

#[test]
fn json_reads_back_as_the_same_value_where_nothing_was_cut() {
    let clean = sample::clean();
    assert_eq!(serde_json::from_str::<ExecutorReport>(&json::report_json(&clean)).unwrap(), clean);
    let run = sample::run();
    assert_eq!(serde_json::from_str::<Summary>(&json::summary_json(&run)).unwrap(), run);
    for line in sample::lines() {
        let read: gauntlet_reports::CellLine = serde_json::from_str(&json::results_line(&line)).unwrap();
        assert_eq!(read, line);
    }
}

#[test]
fn what_was_cut_once_is_written_the_same_again() {
    let once = json::report_json(&sample::codex());
    let read: ExecutorReport = serde_json::from_str(&once).unwrap();
    assert_eq!(json::report_json(&read), once);
    assert_eq!(markdown::report(&read), markdown::report(&sample::codex()));
    assert_eq!(html::report(&read), html::report(&sample::codex()));
    assert_eq!(junit::report(&read), junit::report(&sample::codex()));
}

#[test]
fn no_format_lets_a_hidden_character_through() {
    let codex = sample::codex();
    for (format, text) in [
        ("report.json", json::report_json(&codex)),
        ("results.jsonl", lines_of_results()),
        ("report.md", markdown::report(&codex)),
        ("report.html", html::report(&codex)),
        ("junit.xml", junit::report(&codex)),
        ("terminal", page(80, false)),
    ] {
        let found = text.chars().find(|c| *c != '\n' && escape::is_hidden(*c));
        assert_eq!(found, None, "{format}");
    }
}

#[test]
fn each_suite_of_junit_is_a_class_and_counts_its_cases() {
    let xml = junit::report(&sample::codex());
    let read = quick_junit::Report::deserialize_from_str(&xml).unwrap();
    let suites: Vec<(&str, usize, usize, usize, usize)> = read
        .test_suites
        .iter()
        .map(|suite| (suite.name.as_str(), suite.tests, suite.failures, suite.errors, suite.skipped))
        .collect();
    assert_eq!(suites, [("core", 8, 1, 2, 0), ("capability", 4, 0, 0, 3), ("parity", 3, 1, 0, 2)]);
}

#[test]
fn a_failure_in_junit_holds_its_evidence_and_the_command() {
    let xml = junit::report(&sample::codex());
    for text in ["POST / HTTP/1.1", "trace entry 12", "gauntlet run --only"] {
        assert!(xml.contains(text), "{text}");
    }
}

#[test]
fn more_failures_than_fit_are_counted_in_every_format_for_people() {
    let mut codex = sample::codex();
    let failure = codex.failures[0].clone();
    codex.failures = vec![failure; 230];
    assert!(markdown::report(&codex).contains("… 30 more in report.json"));
    assert!(html::report(&codex).contains("… 30 more in report.json"));
    assert!(junit::report(&codex).contains("… 227 more in report.json"));
    assert!(terminal::table(&[codex], &sample::run(), 80, false).contains("… 210 more in the reports"));
}
