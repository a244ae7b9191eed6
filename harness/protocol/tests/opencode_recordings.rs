//! Every recorded line of the opencode releases is understood, and a turn's output is read as it was meant.

mod recordings;

use gauntlet_protocol::opencode::MODE as OPENCODE;
use gauntlet_protocol::opencode::{Event, EventKind, Tokens, TurnOutput, says_session_not_found};
use recordings::Recordings;

const RELEASES: [&str; 3] = ["1.0.0", "1.15.13", "1.18.33"];

const RECORDED: Recordings = Recordings("opencode");

fn turn(release: &str, recording: &str) -> TurnOutput {
    TurnOutput::read(&RECORDED.bytes(release, &format!("{recording}.stdout.jsonl")))
}

#[test]
fn every_recorded_line_of_the_newer_releases_is_an_event_of_a_known_type() {
    let mut lines = 0;
    for release in ["1.15.13", "1.18.33"] {
        for name in RECORDED.names(release) {
            for line in RECORDED.text(release, &name).lines() {
                let event = Event::parse_line(line.as_bytes())
                    .unwrap_or_else(|error| panic!("{release}/{name}: {error}"));
                assert!(!matches!(event.kind, EventKind::Unknown { .. }), "{release}/{name}: {line}");
                assert!(event.session.is_some_and(|session| session.starts_with("ses_")), "{line}");
                lines += 1;
            }
        }
    }
    assert_eq!(lines, 29, "lines in the recordings");
}

#[test]
fn a_text_turn_gives_its_reply_and_its_session() {
    for (release, recording, session, reply) in [
        ("1.15.13", "text", "ses_e0445692cffeRP9sL5wrNSTzNg", "hello"),
        ("1.15.13", "text-no-skip-permissions", "ses_e04456ec1ffepQxx0JzKKRVB6D", "hello"),
        ("1.18.33", "text", "ses_e0451e14effehFFPvrS8H1qBZH", "hello from mock\""),
    ] {
        let expected = TurnOutput {
            session: Some(session.to_owned()),
            reply: Some(reply.to_owned()),
            failure: None,
            ignored_lines: 0,
        };
        assert_eq!(turn(release, recording), expected, "{release}/{recording}");
    }
}

#[test]
fn a_tool_turn_gives_the_agents_words_and_not_what_the_tool_printed() {
    assert_eq!(turn("1.18.33", "tool").reply.as_deref(), Some("done tool\""));
    let kinds: Vec<EventKind> = RECORDED
        .text("1.18.33", "tool.stdout.jsonl")
        .lines()
        .map(|line| Event::parse_line(line.as_bytes()).expect("an event").kind)
        .collect();
    let tokens = Tokens { total: Some(15), input: Some(10), output: Some(5) };
    assert_eq!(
        kinds[1..3],
        [
            EventKind::ToolUse {
                tool: "bash".to_owned(),
                status: "completed".to_owned(),
                output: Some("TOOLRAN\n".to_owned()),
            },
            EventKind::StepFinish { reason: "tool-calls".to_owned(), tokens },
        ]
    );
}

#[test]
fn a_second_turn_keeps_the_session() {
    let (first, second) = (turn("1.18.33", "text"), turn("1.18.33", "resume"));
    assert_eq!(second.reply.as_deref(), Some("second turn\""));
    assert!(first.session.is_some());
    assert_eq!(second.session, first.session);
}

#[test]
fn a_dead_session_is_told_on_standard_error_alone() {
    for (release, recording) in
        [("1.15.13", "badsession"), ("1.18.33", "badsession"), ("1.18.33", "badsession2")]
    {
        assert_eq!(turn(release, recording), TurnOutput::default(), "{release}/{recording}");
        let stderr = RECORDED.text(release, &format!("{recording}.stderr.txt"));
        assert!(says_session_not_found(&stderr), "{release}/{recording}");
        // The recorded receiver looked for the words as they stand, and its report of them is recorded, colours and all.
        let recorded = "[error] opencode exited rc=1 with no parseable output: \u{1b}[91m\u{1b}[1mError: \u{1b}[0mSession not found";
        assert_eq!(OPENCODE.no_output_text(1, &stderr), recorded);
    }
    assert!(
        !says_session_not_found(&RECORDED.text("1.0.0", "badsession.stderr.txt")),
        "1.0.0 fails for another reason"
    );
}

#[test]
fn a_failed_turn_says_why_and_gives_no_reply() {
    for (release, recording) in [("1.15.13", "err401"), ("1.18.33", "err500")] {
        let output = turn(release, recording);
        assert_eq!(output.failure.as_deref(), Some("mock error 401"), "{release}");
        assert!(output.reply.is_none() && output.session.is_some(), "{release}");
    }
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again_and_its_beginnings_are_joined() {
    let output = turn("1.18.33", "cut");
    assert_eq!(output.reply, Some("this is cut midway\"".repeat(3)));
    assert_eq!(output.failure, None);
}

#[test]
fn the_oldest_release_prints_no_event_whatever_it_is_asked() {
    for name in RECORDED.names(RELEASES[0]) {
        let output = turn(RELEASES[0], name.trim_end_matches(".stdout.jsonl"));
        assert_eq!((output.session, output.reply, output.failure), (None, None, None), "{name}");
    }
    assert!(RECORDED.text("1.0.0", "text.stdout.jsonl").starts_with("opencode run [message..]\n"));
}
