//! The simulated session host against the recording of `opencode serve` 1.18.33: it is asked what the real one was asked, and what
//! it answers and tells must be the same, byte for byte after ids, times and places.

mod normal;
mod replay;

use serde_json::Value;

use self::normal::{Normal, heads};
use self::replay::{Told, replay};

/// What of a run is expected beside the story's name: answers, then events.
fn compared(told: &Told, story: &str) -> (Vec<String>, Vec<String>) {
    let mut normal = Normal::default();
    let answers = told.answers.iter().filter(|answer| answer.story == story).map(|answer| {
        let body = serde_json::from_str(&answer.body)
            .map_or_else(|_| answer.body.clone(), |body: Value| normal.text(body));
        format!(
            "{} {} {}\n{}\n{body}",
            answer.method,
            answer.status,
            answer.path_kind(),
            heads(&answer.head).join("\n")
        )
    });
    let answers = answers.collect();
    let mut normal = Normal::default();
    let events = told.events.iter().filter(|(of, _)| of == story);
    let events = events
        .filter(|(_, event)| !replay::is_noise(event))
        .map(|(_, event)| normal.text(event.clone()))
        .collect();
    (answers, events)
}

#[test]
fn asked_what_the_real_one_was_asked_it_answers_and_tells_the_same() {
    let recorded = replay::recorded();
    let played = replay(&recorded);
    for story in recorded.stories() {
        let (answers, events) = compared(&recorded, &story);
        let (our_answers, our_events) = compared(&played, &story);
        for (number, (recorded, ours)) in answers.iter().zip(&our_answers).enumerate() {
            assert_eq!(ours, recorded, "{story}: answer {number}");
        }
        assert_eq!(our_answers.len(), answers.len(), "{story}");
        let shown = |events: &[String]| {
            events
                .iter()
                .map(|event| event.chars().take(160).collect::<String>())
                .collect::<Vec<_>>()
                .join("\n")
        };
        for (number, (recorded, ours)) in events.iter().zip(&our_events).enumerate() {
            assert_eq!(
                ours,
                recorded,
                "{story}: event {number} of\n{}\nbeside the recorded\n{}",
                shown(&our_events),
                shown(&events)
            );
        }
        assert_eq!(
            our_events.len(),
            events.len(),
            "{story}:\n{}\nbeside the recorded\n{}",
            shown(&our_events),
            shown(&events)
        );
    }
}

#[test]
fn the_stream_begins_with_the_recorded_head() {
    let recorded = replay::recorded();
    let played = replay(&recorded);
    // The client gives names of header fields in small letters.
    let small = |line: String| match line.split_once(": ") {
        Some((name, value)) => format!("{}: {value}", name.to_lowercase()),
        None => line,
    };
    let expected: Vec<String> = heads(&recorded.stream_head).into_iter().map(small).collect();
    let dated =
        |line: &String| if line.starts_with("date: ") { "date: true".to_owned() } else { line.clone() };
    assert_eq!(played.stream_head.iter().map(dated).collect::<Vec<_>>(), expected);
}

#[test]
fn what_the_other_recording_has_of_errors_is_answered_alike() {
    let text = replay::fixture("subtask-sse.txt");
    for body in [
        r#"{"name":"BadRequest","data":{"message":"Missing key\\n  at [\\"parts\\"][0][\\"description\\"]","kind":"Payload"}}"#,
        r#"{"name":"NotFoundError","data":{"message":"Session not found: ses_unknown"}}"#,
        r#""message": "Agent not found: \"nonesuch\". Available agents: build, explore, general, plan""#,
    ] {
        assert!(text.contains(body), "{body}");
    }
    let asked = r#"{"parts":[{"type":"subtask","prompt":"p","agent":"general"}]}"#;
    assert_eq!(
        replay::one_prompt(asked),
        r#"{"name":"BadRequest","data":{"message":"Missing key\n  at [\"parts\"][0][\"description\"]","kind":"Payload"}}"#
    );
}
