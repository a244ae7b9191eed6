//! What every format says of known failures, of a user's own data, and of a run in few words.

use gauntlet_reports::{
    Compliance, ExecutorReport, KnownFailures, KnownRow, KnownState, Layer, Summary, badge, escape, json,
    junit, markdown, schema, terminal,
};

use crate::sample;

fn row(pattern: &str, reason: &str, state: KnownState) -> KnownRow {
    KnownRow {
        place: "known.yaml:3:12".to_owned(),
        pattern: pattern.to_owned(),
        requirement: Some("FLEET-BUSY-01".to_owned()),
        reason: reason.to_owned(),
        owner: "ann".to_owned(),
        issue: Some("bridge/7".to_owned()),
        expires: "2030-01-31".to_owned(),
        flaky: state == KnownState::Flaky,
        state,
        failed: 3,
        passed: 7,
        failed_in: vec!["fleet/busy@codex-0.44.0#7".to_owned()],
        passed_in: Vec::new(),
    }
}

/// Lists with an entry in each state.
pub(crate) fn lists(pattern: &str, reason: &str) -> KnownFailures {
    let states = [
        KnownState::Known,
        KnownState::Flaky,
        KnownState::Passed,
        KnownState::Expired,
        KnownState::NotJudged,
        KnownState::New,
    ];
    let entries = states.into_iter().map(|state| row(pattern, reason, state)).collect();
    KnownFailures { failures: 3, entries }
}

const HOSTILE: &str = "\u{1b}[2J <script>x</script> | `a` \u{202e}b ]]>";

fn report() -> ExecutorReport {
    let mut report = sample::codex();
    for row in report.requirements.iter_mut().filter(|row| row.id == "FLEET-BUSY-01") {
        row.by_version.retain(|version| version.version == "0.44.0");
        row.verdict = gauntlet_reports::Verdict::Fail;
        row.known_failure = true;
        row.by_version.iter_mut().for_each(|version| version.known_failure = true);
    }
    report.compliance = Compliance::of(&report.requirements);
    report.known_failures = vec![row("fleet/busy@codex-0.44.0#7", HOSTILE, KnownState::Known)];
    report.catalogue.layers = vec![Layer { folder: "my | data".to_owned(), digest: "abc123".to_owned() }];
    report
}

fn run() -> Summary {
    let report = report();
    let mut run = sample::run();
    run.catalogue.layers.clone_from(&report.catalogue.layers);
    run.executors[0].compliance = report.compliance;
    run.known_failures = Some(lists("fleet/busy@codex-0.44.0#7", HOSTILE));
    run
}

#[test]
fn a_known_failure_is_counted_as_known_and_not_as_failed() {
    let (before, after) = (sample::codex().compliance.must, report().compliance.must);
    assert_eq!((after.known, after.total()), (1, before.total()));
    let text = markdown::report(&report());
    assert!(
        text.contains("| not exercised | known |")
            && text.contains("| FLEET-BUSY-01 | must | receiver | known |"),
        "{text}"
    );
    assert!(text.contains("fail: 0.44.0 (known)") && text.contains("## Known failures"), "{text}");
    assert!(!markdown::report(&sample::codex()).contains("nown failures"), "most reports know of none");
    let xml = junit::report(&report());
    let read = quick_junit::Report::deserialize_from_str(&xml).expect("it is JUnit");
    assert_eq!((read.test_suites[0].failures, read.test_suites[0].skipped), (0, 1));
    assert!(
        xml.contains("type=\"known\"") && xml.contains("(ann, bridge/7, until 2030-01-31, known.yaml:3:12)"),
        "{xml}"
    );
}

#[test]
fn a_page_tells_each_entry_with_how_often_it_failed() {
    let page = terminal::table(&[report()], &run(), 80, false);
    for words in [
        "known failures: 1 must",
        "flaky  fleet/busy",
        "failed 3 of 10",
        "1 not judged",
        "own data my | data (abc123)",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
}

#[test]
fn what_is_known_keeps_the_schemas_and_lets_no_hidden_character_through() {
    for (schema, text) in
        [(schema::report(), json::report_json(&report())), (schema::summary(), json::summary_json(&run()))]
    {
        let value = serde_json::from_str(&text).expect("JSON");
        assert!(jsonschema::is_valid(&schema, &value));
    }
    let read: ExecutorReport = serde_json::from_str(&json::report_json(&report())).expect("it reads back");
    assert_eq!(read.known_failures, report().known_failures);
    for text in [
        markdown::report(&report()),
        markdown::step_summary(&run()),
        junit::report(&report()),
        badge::report(&report()),
        terminal::table(&[report()], &run(), 80, false),
    ] {
        assert_eq!(text.chars().find(|c| *c != '\n' && escape::is_hidden(*c)), None, "{text}");
    }
    let summary = markdown::step_summary(&run());
    assert!(!summary.contains("<script") && summary.contains("failed 3 of 10 times"), "{summary}");
}

#[test]
fn a_badge_says_whose_it_is_and_takes_no_markup_from_a_name() {
    let named = |name: &str| badge::report(&ExecutorReport { executor: name.to_owned(), ..sample::clean() });
    assert!(named("codex").contains("gauntlet codex: 1 of 1 must"));
    let hostile = named("<a href='x'>\"&\u{202e}");
    assert!(!hostile.contains("<a ") && hostile.contains("&lt;a"), "{hostile}");
    let incomplete = ExecutorReport { complete: false, ..sample::clean() };
    assert!(badge::report(&incomplete).contains("incomplete"));
}
