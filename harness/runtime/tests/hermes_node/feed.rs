//! The bounds of the dashboard's feed, which are too large for stories.

use gauntlet_world::WorldSettings;
use gauntlet_world::http::{self, Request};
use serde_json::{Value, json};

use crate::rig::{NODE, Rig, TOKEN, run, seconds};

const TRANSCRIPT: &str = "/repo/.hermes/a2a-codex-transcript.jsonl";

async fn get(rig: &Rig, rest: &str) -> (u16, Value) {
    let request = Request {
        method: "GET".to_owned(),
        url: format!("http://127.0.0.1:{NODE}/api/plugins/a2a_fleet/{rest}").parse().expect("a URL"),
        headers: vec![("authorization".to_owned(), format!("Bearer {TOKEN}"))],
        body: Vec::new(),
        limit: seconds(30.0),
    };
    let answer = http::exchange(&rig.visitor, request).await.expect("an answer");
    (answer.status, serde_json::from_slice(&answer.body).expect("JSON"))
}

fn record(number: usize, context: &str, text: &str) -> String {
    let ts = format!("2026-11-21 09:00:{:02}", number % 60);
    json!({ "ts": ts, "dir": "codex->hermes", "from": "codex", "to": "hermes", "contextId": context, "text": text })
        .to_string()
        + "\n"
}

#[test]
fn of_a_long_conversation_the_first_two_thousand_messages_are_shown() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        let lines: String = (0..2345).map(|number| record(number, "c", &number.to_string())).collect();
        rig.put(TRANSCRIPT, &lines);
        let (status, body) = get(&rig, "conversations/c").await;
        let messages = body["messages"].as_array().expect("messages");
        assert_eq!((status, messages.len()), (200, 2000));
        assert_eq!((&messages[0]["text"], &messages[1999]["text"]), (&json!("0"), &json!("1999")));
        let (_, list) = get(&rig, "conversations").await;
        assert_eq!(list["conversations"][0]["message_count"], 2345);
        assert_eq!(list["conversations"][0]["last_text"], "2344");
    });
}

#[test]
fn of_a_long_transcript_the_end_is_read_from_its_first_whole_line_on() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        // The bound falls into the second record, which is then nobody's.
        let end: String = (0..3).map(|number| record(number, "late", "x")).collect();
        let torn = record(0, "torn", &"y".repeat(5_000_000 - end.len()));
        rig.put(TRANSCRIPT, &(record(0, "early", "z") + &torn + &end));
        let (_, list) = get(&rig, "conversations").await;
        assert_eq!(list["count"], 1, "{list}");
        assert_eq!(list["conversations"][0]["contextId"], "late");
        assert_eq!(list["conversations"][0]["message_count"], 3);
        // One byte less than is read is read whole.
        rig.put(TRANSCRIPT, &(record(0, "early", "z") + &end));
        assert_eq!(get(&rig, "conversations").await.1["count"], 2);
    });
}
