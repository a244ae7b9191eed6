//! What `opencode serve` 1.18.33 was recorded to say is read, all of it, for what it is.

#[allow(dead_code, reason = "each target uses a part of this module")]
mod recordings;

use std::collections::BTreeMap;

use gauntlet_protocol::opencode_serve::{
    Event, EventKind, Frame, Message, Refusal, Session, SessionStatus, SseReader, statuses,
};
use recordings::Recordings;
use serde_json::Value;

const RECORDINGS: Recordings = Recordings("opencode_serve");
const RELEASE: &str = "1.18.33";

fn events(story: &str) -> Vec<Event> {
    let bytes = RECORDINGS.bytes(RELEASE, &format!("{story}.sse"));
    let read = |frame| match frame {
        Frame::Event { data, .. } => Event::parse(&data).expect("a recorded event"),
        Frame::TooLarge => unreachable!("no recorded event is over the cap"),
    };
    SseReader::default().push(&bytes).into_iter().map(read).collect()
}

/// What a watcher of sessions acts on, in order.
fn turning_points(story: &str) -> Vec<&'static str> {
    let name = |event: Event| match event.kind {
        EventKind::Created { .. } => Some("created"),
        EventKind::Deleted => Some("deleted"),
        EventKind::Idle => Some("idle"),
        EventKind::Error(_) => Some("error"),
        EventKind::Status(SessionStatus::Retry { .. }) => Some("retry"),
        _ => None,
    };
    events(story).into_iter().filter_map(name).collect()
}

#[test]
fn each_story_has_its_turning_points() {
    for (story, expected) in [
        ("create", &["created", "created"][..]),
        ("turn", &["idle"]),
        // Two prompts, and one end.
        ("prompt-while-busy", &["idle"]),
        // An end of the turn, and then the session's.
        ("abort", &["error", "idle", "idle"]),
        ("abort-before-the-model-is-asked", &["created", "idle"]),
        // Also of a session that does not exist.
        ("abort-of-what-does-nothing", &["idle", "idle"]),
        ("model-refuses", &["error", "idle", "idle"]),
        ("model-is-overloaded", &["retry", "retry", "idle"]),
        ("unknown-agent", &["error", "error", "created"]),
        ("delete-with-children", &["created", "deleted", "deleted", "deleted"]),
        // A turn outlives its session, and tells its end.
        ("delete-while-a-turn-runs", &["created", "deleted", "error", "idle", "idle", "error"]),
    ] {
        assert_eq!(turning_points(story), expected, "{story}");
    }
}

#[test]
fn an_error_says_whose_it_is_and_what() {
    let error = |story: &str| {
        let of = |event: Event| match event.kind {
            EventKind::Error(error) => Some((event.session, error)),
            _ => None,
        };
        events(story).into_iter().find_map(of).expect("an error")
    };
    let (session, refused) = error("model-refuses");
    assert!(session.is_some_and(|session| session.starts_with("ses_")));
    assert_eq!(
        (refused.to_string().as_str(), refused.status, refused.retryable),
        ("APIError: model says no", Some(400), Some(false))
    );
    assert_eq!(error("abort").1.to_string(), "MessageAbortedError: Aborted");
}

#[test]
fn every_answer_is_read() {
    let mut read: BTreeMap<&str, u32> = BTreeMap::new();
    for line in RECORDINGS.text(RELEASE, "wire.jsonl").lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let (method, path) = (line["method"].as_str().expect("text"), line["path"].as_str().expect("text"));
        let (status, body) =
            (line["status"].as_u64().expect("a number"), line["body"].as_str().expect("text").as_bytes());
        let kind = match (status, method, path.rsplit('/').next().unwrap_or_default()) {
            (200, "POST", "session") => Session::parse(body).map(|_| "session"),
            (200, "GET", "session" | "children") => Session::parse_list(body).map(|_| "list"),
            (200, "GET", "status") => statuses(body).map(|_| "statuses"),
            (200, "GET", "message") => Message::parse_history(body).map(|_| "history"),
            (200, "GET", last) if last.starts_with("ses_") => Session::parse(body).map(|_| "session"),
            (400.., _, _) if !body.is_empty() => {
                assert_ne!(Refusal::read(body).name, "unreadable");
                Ok("refusal")
            }
            _ => Ok("other"),
        };
        *read.entry(kind.unwrap_or_else(|error| panic!("{method} {path}: {error}"))).or_default() += 1;
    }
    for (kind, least) in [("session", 8), ("list", 3), ("statuses", 4), ("history", 4), ("refusal", 14)] {
        assert!(read.get(kind).is_some_and(|count| *count >= least), "{kind}: {read:?}");
    }
}

#[test]
fn a_history_tells_who_said_what() {
    let lines = RECORDINGS.text(RELEASE, "wire.jsonl");
    let line = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let history = line.filter(|line| line["path"].as_str().is_some_and(|path| path.ends_with("/message")));
    let body = history.filter_map(|line| line["body"].as_str().map(str::to_owned)).next().expect("a history");
    let history = Message::parse_history(body.as_bytes()).expect("a history");
    let said: Vec<(&str, String, bool)> = history
        .iter()
        .map(|message| (message.role.as_str(), message.text(), message.completed.is_some()))
        .collect();
    assert_eq!(said, [("user", "hello peer".to_owned(), false), ("assistant", "mock done".to_owned(), true)]);
    assert_eq!(history[1].parent.as_deref(), Some(history[0].id.as_str()));
}
