//! Every recorded line of the Claude Code releases is understood, and a turn's output is read as it was meant.

use std::path::Path;

use gauntlet_protocol::claude_code::{
    Frame, FrameKind, TurnOutput, says_session_in_use, says_session_not_found, session_id,
};

const RELEASES: [&str; 4] = ["1.0.100", "1.0.128", "2.0.0", "2.1.330"];
const TALKING: [&str; 3] = ["1.0.128", "2.0.0", "2.1.330"];

/// A recording; a missing one is empty.
#[expect(clippy::disallowed_methods, reason = "a test reads its fixtures from the real disk")]
fn text(release: &str, file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/claude_code").join(release);
    assert!(folder.is_dir(), "recordings of {release}");
    std::fs::read_to_string(folder.join(file)).unwrap_or_default()
}

fn turn(release: &str, recording: &str) -> TurnOutput {
    TurnOutput::read(text(release, &format!("{recording}.stdout.jsonl")).as_bytes())
}

#[test]
fn every_recorded_line_is_a_frame_of_a_known_type_and_names_its_session() {
    let mut lines = 0;
    for release in TALKING {
        for recording in ["text", "resume", "usedsession", "badsession", "tool", "err401", "cut"] {
            for line in text(release, &format!("{recording}.stdout.jsonl")).lines() {
                let frame = Frame::parse_line(line.as_bytes())
                    .unwrap_or_else(|error| panic!("{release}/{recording}: {error}"));
                assert!(!matches!(frame.kind, FrameKind::Unknown { .. }), "{release}/{recording}: {line}");
                assert_eq!(frame.session.map(|session| session.len()), Some(36), "{line}");
                lines += 1;
            }
        }
    }
    assert_eq!(lines, 52, "lines in the recordings");
}

#[test]
fn an_answer_is_read_with_the_session_that_the_context_has() {
    for release in TALKING {
        for (recording, reply) in [("text", "hello from mock"), ("resume", "second turn")] {
            let expected = TurnOutput {
                session: Some(session_id("ctx-1")),
                reply: Some(reply.to_owned()),
                failure: None,
                first_of_several: None,
                from_result: true,
                ignored_lines: 0,
            };
            assert_eq!(turn(release, recording), expected, "{release}/{recording}");
        }
        assert_eq!(turn(release, "tool").reply.as_deref(), Some("tool done"));
    }
}

#[test]
fn a_session_that_is_not_there_or_there_already_is_told_on_standard_error() {
    for release in TALKING {
        let (gone, used) = (text(release, "badsession.stderr.txt"), text(release, "usedsession.stderr.txt"));
        assert!(says_session_not_found(&gone) && !says_session_in_use(&gone), "{release}: {gone}");
        assert!(says_session_in_use(&used) && !says_session_not_found(&used), "{release}: {used}");
        assert_eq!(turn(release, "usedsession"), TurnOutput::default());
        assert_eq!(turn(release, "badsession").reply, None);
    }
    // Only the newest prints a frame of it as well.
    assert_eq!(turn("2.1.330", "badsession").failure.as_deref(), Some("error_during_execution"));
    assert_eq!(turn("2.0.0", "badsession"), TurnOutput::default());
}

#[test]
fn a_stream_that_breaks_off_is_a_failure_of_the_older_releases_though_no_error_is_flagged() {
    for release in ["1.0.128", "2.0.0"] {
        let cut = turn(release, "cut");
        assert_eq!((cut.reply, cut.failure.as_deref()), (None, Some("error_during_execution")), "{release}");
    }
    // The newest asks the model again.
    assert_eq!(turn("2.1.330", "cut").reply.as_deref(), Some("hello from mock"));
}

#[test]
fn a_turn_that_is_ended_in_the_middle_of_its_retries_has_no_reply() {
    for release in TALKING {
        let output = turn(release, "err401");
        assert!(output.session.is_some() && output.reply.is_none() && output.failure.is_none(), "{release}");
    }
}

#[test]
fn an_option_that_is_not_known_gives_no_frame() {
    for release in RELEASES {
        assert_eq!(turn(release, "usage"), TurnOutput::default(), "{release}");
        let stderr = text(release, "usage.stderr.txt");
        assert_eq!(stderr, "error: unknown option '--no-such-option'\n");
        assert!(!says_session_not_found(&stderr) && !says_session_in_use(&stderr));
    }
    assert_eq!(text("1.0.100", "text.stderr.txt"), "error: unknown option '--setting-sources'\n");
}
