//! Every recorded line of five Codex releases is understood, and a turn's output is read as it was meant.

mod recordings;

use gauntlet_protocol::codex::MODE as CODEX;
use gauntlet_protocol::codex::{Event, ItemKind, LegacyEvent, LegacyKind, NO_ROLLOUT, TurnOutput, Usage};
use recordings::Recordings;

const RELEASES: [&str; 5] = ["0.36.0", "0.44.0", "0.80.0", "0.135.0", "0.169.0"];

const RECORDED: Recordings = Recordings("codex");

fn turn(release: &str, recording: &str) -> TurnOutput {
    TurnOutput::read(&RECORDED.bytes(release, &format!("{recording}.stdout.jsonl")))
}

#[test]
fn every_recorded_line_is_an_event_of_a_known_type() {
    let mut lines = 0;
    for release in RELEASES {
        let names = RECORDED.names(release);
        assert!(names.len() >= 6, "{release}: {names:?}");
        for name in names {
            for line in RECORDED.text(release, &name).lines() {
                let event = Event::parse_line(line.as_bytes())
                    .unwrap_or_else(|error| panic!("{release}/{name}: {error}"));
                assert!(!matches!(event, Event::Unknown { .. }), "{release}/{name}: {line}");
                if let Event::ItemStarted { item } | Event::ItemCompleted { item } = &event {
                    assert!(!matches!(item.kind, ItemKind::Other(_)), "{release}/{name}: {line}");
                }
                assert_eq!(
                    matches!(event, Event::Legacy(_)),
                    release == "0.36.0",
                    "only 0.36.0 speaks the older language: {line}"
                );
                lines += 1;
            }
        }
    }
    assert_eq!(lines, 151, "lines in the recordings");
}

#[test]
fn no_recorded_line_is_passed_over() {
    for release in RELEASES {
        for name in RECORDED.names(release) {
            let recording = name.trim_end_matches(".stdout.jsonl");
            assert_eq!(turn(release, recording).ignored_lines, 0, "{release}/{recording}");
        }
    }
}

#[test]
fn a_text_turn_gives_its_reply_thread_and_cost() {
    let usage = |input, output| Usage {
        input_tokens: Some(input),
        cached_input_tokens: Some(0),
        output_tokens: Some(output),
        ..Usage::default()
    };
    let reasoned = |usage| Usage { reasoning_output_tokens: Some(0), ..usage };
    let cached = |usage| Usage { cache_write_input_tokens: Some(0), ..usage };
    for (release, thread, usage) in [
        ("0.44.0", "01a1fbb5-612a-75a1-85c5-f9c08631b663", usage(0, 0)),
        ("0.80.0", "01a1fbb5-663c-7dc2-8f2c-bf7c13c2baa1", usage(10, 5)),
        ("0.135.0", "01a1fbb5-bba0-7452-8256-ff564bd3281a", reasoned(usage(10, 5))),
        ("0.169.0", "01a1fbb6-152b-7282-bdeb-2a8f9f66180b", cached(reasoned(usage(10, 5)))),
    ] {
        let expected = TurnOutput {
            thread_id: Some(thread.to_owned()),
            reply: Some("hello from mock".to_owned()),
            first_of_several: None,
            failure: None,
            usage: Some(usage),
            ignored_lines: 0,
        };
        assert_eq!(turn(release, "text"), expected, "{release}");
    }
}

#[test]
fn a_tool_turn_gives_the_agents_words_and_not_the_commands() {
    for release in ["0.44.0", "0.80.0", "0.135.0", "0.169.0"] {
        assert_eq!(turn(release, "tool").reply.as_deref(), Some("done tool"), "{release}");
        let commands: Vec<ItemKind> = RECORDED
            .text(release, "tool.stdout.jsonl")
            .lines()
            .filter_map(|line| match Event::parse_line(line.as_bytes()) {
                Ok(Event::ItemCompleted { item }) => Some(item.kind),
                _ => None,
            })
            .filter(|kind| matches!(kind, ItemKind::CommandExecution { .. }))
            .collect();
        let [ItemKind::CommandExecution { command, output, exit_code, status }] = commands.as_slice() else {
            panic!("{release}: one command, found {commands:?}")
        };
        assert!(command.ends_with("bash -lc 'echo TOOLRAN'"), "{release}: {command}");
        assert_eq!((output.as_str(), *exit_code, status.as_str()), ("TOOLRAN\n", Some(0), "completed"));
    }
}

#[test]
fn a_resumed_turn_keeps_its_thread_where_the_release_can_resume() {
    for release in ["0.80.0", "0.135.0", "0.169.0"] {
        let (first, second) = (turn(release, "text"), turn(release, "resume"));
        assert_eq!(second.reply.as_deref(), Some("second turn"), "{release}");
        assert!(first.thread_id.is_some());
        assert_eq!(second.thread_id, first.thread_id, "{release}");
    }
    // 0.44.0 does not know `--json` on resume and prints nothing.
    assert_eq!(turn("0.44.0", "resume"), TurnOutput::default());
    assert!(
        RECORDED.text("0.44.0", "resume.stderr.txt").starts_with("error: unexpected argument '--json' found")
    );
}

#[test]
fn a_dead_thread_is_named_only_by_the_newer_releases() {
    for release in ["0.135.0", "0.169.0"] {
        assert_eq!(turn(release, "badthread"), TurnOutput::default(), "{release}");
        assert!(RECORDED.text(release, "badthread.stderr.txt").contains(NO_ROLLOUT), "{release}");
    }
    // 0.80.0 starts a new thread instead and says nothing about it.
    assert_eq!(turn("0.80.0", "badthread").reply.as_deref(), Some("x"));
    assert!(RECORDED.text("0.80.0", "badthread.stderr.txt").is_empty());
}

#[test]
fn a_failed_turn_says_why_and_gives_no_reply() {
    for (release, recording, failure) in [
        ("0.80.0", "err401", "unexpected status 401 Unauthorized: "),
        (
            "0.135.0",
            "err401",
            "unexpected status 401 Unauthorized: mock error 401, url: http://127.0.0.1:18080/v1/responses",
        ),
        ("0.169.0", "cut", "stream disconnected before completion: stream closed before response.completed"),
        (
            "0.44.0",
            "noprovider",
            "error sending request for url (http://127.0.0.1:18080/v1/chat/completions)",
        ),
        // This run was ended while it waited: no turn.failed, so the last error stands.
        (
            "0.169.0",
            "noprovider",
            "Reconnecting... waiting for network (Connection failed: error sending request)",
        ),
        (
            "0.36.0",
            "noprovider",
            "error sending request for url (http://127.0.0.1:18080/v1/chat/completions)",
        ),
    ] {
        let output = turn(release, recording);
        assert_eq!(output.failure.as_deref(), Some(failure), "{release}/{recording}");
        assert_eq!((output.reply, output.usage), (None, None), "{release}/{recording}");
    }
}

#[test]
fn releases_before_0_80_take_a_cut_stream_for_a_whole_answer() {
    let cut = turn("0.44.0", "cut");
    assert_eq!((cut.reply.as_deref(), cut.failure), (Some("cut midway"), None));
    for release in ["0.80.0", "0.135.0", "0.169.0"] {
        let cut = turn(release, "cut");
        assert!(cut.reply.is_none() && cut.failure.is_some() && cut.thread_id.is_some(), "{release}");
    }
}

#[test]
fn the_older_language_gives_no_reply_although_the_agent_spoke() {
    for recording in ["text", "tool", "cut"] {
        assert_eq!(turn("0.36.0", recording), TurnOutput::default(), "{recording}");
    }
    let events: Vec<Event> = RECORDED
        .text("0.36.0", "text.stdout.jsonl")
        .lines()
        .map(|line| Event::parse_line(line.as_bytes()).expect("an event"))
        .collect();
    let [Event::Legacy(LegacyEvent::Banner(settings)), Event::Legacy(LegacyEvent::Prompt(prompt)), rest @ ..] =
        events.as_slice()
    else {
        panic!("banner and prompt come first: {events:?}")
    };
    assert_eq!(settings.get("model").map(String::as_str), Some("mock-1"));
    assert!(prompt.starts_with("say hi"));
    assert!(rest.iter().any(|event| matches!(
        event,
        Event::Legacy(LegacyEvent::Message { kind: LegacyKind::AgentMessage { text }, .. }) if text == "hello from mock"
    )));
}

#[test]
fn a_refused_resume_reads_as_the_recorded_receiver_reported_it() {
    // The report of the receiver in front of the real 0.44.0 was recorded up to its 200th character.
    let recorded = "[error] codex exited rc=2 with no parseable output: error: unexpected argument '--json' found    \
                    tip: to pass '--json' as a value, use '-- --json'  Usage: codex exec resume <SESSION_ID> <PROMPT>  For ";
    let report = CODEX.no_output_text(2, &RECORDED.text("0.44.0", "resume.stderr.txt"));
    assert_eq!(report.chars().take(200).collect::<String>(), recorded);
}
