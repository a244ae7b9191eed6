//! What a report says of a release that does not keep everything.

use gauntlet_reports::{ExecutorReport, ReleaseBreak, ReleaseRow, json, markdown};

use crate::sample;

fn report(release: ReleaseRow) -> ExecutorReport {
    ExecutorReport { release: Some(release), ..sample::codex() }
}

fn row() -> ReleaseRow {
    ReleaseRow {
        id: "of_today".to_owned(),
        title: "What people run.".to_owned(),
        seen_in: vec!["a | recording".to_owned()],
        breaks: vec![ReleaseBreak {
            requirement: "FLEET-HTTP-23".to_owned(),
            evidence: "recorded: two answers".to_owned(),
        }],
        unexpected_breaks: Vec::new(),
        missing_breaks: Vec::new(),
    }
}

#[test]
fn a_release_names_what_it_does_not_keep_and_how_that_is_known() {
    let text = markdown::report(&report(row()));
    assert!(text.contains("## Release `of_today`\n\nWhat people run.\n"), "{text}");
    assert!(text.contains("| FLEET-HTTP-23 | recorded: two answers |"), "{text}");
    assert!(text.contains("a &#124; recording"), "what stands in a table is escaped: {text}");
    assert!(!text.contains("without being listed") && !text.contains("and not failed"), "{text}");
}

#[test]
fn a_list_that_is_not_exact_says_so() {
    let stale = ReleaseRow {
        unexpected_breaks: vec!["FLEET-CB-06".to_owned()],
        missing_breaks: vec!["FLEET-CB-07".to_owned()],
        ..row()
    };
    let text = markdown::report(&report(stale));
    assert!(text.contains("**Failed without being listed**: FLEET-CB-06."), "{text}");
    assert!(text.contains("**Listed, and not failed**: FLEET-CB-07."), "{text}");
}

#[test]
fn only_a_release_that_is_no_reference_is_told_of() {
    let reference = ExecutorReport { release: None, ..report(row()) };
    assert!(!markdown::report(&reference).contains("## Release"));
    assert!(!json::report_json(&reference).contains("seen_in"));
    let read: ExecutorReport =
        serde_json::from_str(&json::report_json(&report(row()))).expect("it reads back");
    assert_eq!(read.release, Some(row()));
}
