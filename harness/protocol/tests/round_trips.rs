//! What is written reads back the same, whatever the text.

use gauntlet_protocol::codex::MODE as CODEX;
use gauntlet_protocol::fleet::{
    AgentMessage, Callback, ContextId, Direction, Dispatch, Health, InboxRecord, LastOutput, Lines, Session,
    SessionMap, TranscriptRecord, offset_bytes, parse_offset,
};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::{Request, Response, RpcError};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Any Unicode text, control characters and newlines included.
fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 0..40).prop_map(String::from_iter)
}

fn filled() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<char>(), 1..20).prop_map(String::from_iter)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| Value::from(f64::from(number) / 8.0)),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((text(), inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Inbound, Direction::Ack, Direction::Busy, Direction::Final])
}

fn one_line(line: &str) -> Result<&[u8], TestCaseError> {
    let mut lines = Lines::new(line.as_bytes());
    prop_assert!(lines.torn().is_empty(), "a record ends its line");
    let (number, bytes) = lines.next().expect("one line");
    prop_assert_eq!((number, lines.next()), (1, None), "a record is one line");
    Ok(bytes)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn json_is_the_same_in_both_of_the_product_lines_forms(value in value()) {
        prop_assert_eq!(&json::parse("line", json::spaced(&value).as_bytes()).expect("JSON"), &value);
        let file = json::spaced_sorted_indented(&value);
        prop_assert_eq!(&json::parse("file", file.as_bytes()).expect("JSON"), &value);
        prop_assert_eq!(json::spaced_sorted_indented(&json::parse("file", file.as_bytes()).expect("JSON")), file);
    }

    #[test]
    fn a_transcript_record_is_one_line_that_reads_back(direction in direction(), ts in text(), context in text(), text in text()) {
        let record = TranscriptRecord::new(&CODEX, direction, ts, context, text);
        let line = record.to_line();
        prop_assert_eq!(TranscriptRecord::parse_line(one_line(&line)?), Ok(record.clone()));
        prop_assert_eq!(TranscriptRecord::parse_line(line.as_bytes()), Ok(record));
    }

    #[test]
    fn an_inbox_record_is_one_line_that_reads_back(ts in text(), from in text(), context in prop::option::of(filled()), text in text(), cut in any::<bool>()) {
        let record = InboxRecord { ts, from, context, text, cut, task: None };
        let line = record.to_line();
        prop_assert_eq!(InboxRecord::parse_line(one_line(&line)?), Ok(record));
    }

    #[test]
    fn a_dispatch_reads_back_through_a_whole_request(id in value(), text in text(), context in prop::option::of(filled())) {
        let dispatch = Dispatch { text, context: context.and_then(ContextId::new) };
        let request = Request { id, method: json!("SendMessage"), params: dispatch.to_params("user") };
        let body = json::spaced(&request.to_value());
        let read = Request::parse(body.as_bytes()).expect("a request");
        prop_assert_eq!(&read, &request);
        prop_assert_eq!(Dispatch::from_params(&read.params), Ok(dispatch));
    }

    #[test]
    fn an_answer_reads_back_through_a_whole_response(id in value(), text in text(), context in prop::option::of(text())) {
        let message = AgentMessage { text, context };
        let response = Response { id, outcome: Ok(message.result()) };
        let read = Response::parse(json::spaced(&response.to_value()).as_bytes()).expect("a response");
        prop_assert_eq!(&read, &response);
        prop_assert_eq!(AgentMessage::from_result(&read.outcome.expect("a result")), Ok(message));
    }

    #[test]
    fn an_error_reads_back(id in value(), code in any::<i64>(), message in text(), data in prop::option::of(value())) {
        let response = Response { id, outcome: Err(RpcError { code, message, data }) };
        prop_assert_eq!(Response::parse(json::spaced(&response.to_value()).as_bytes()), Ok(response));
    }

    #[test]
    fn a_callback_reads_back(id in text(), context in filled(), text in text()) {
        let callback = Callback { id, context: ContextId::new(context).expect("not empty"), text };
        prop_assert_eq!(Callback::parse(json::spaced(&callback.to_value()).as_bytes()), Ok(callback));
    }

    #[test]
    fn a_health_answer_reads_back(ok in any::<bool>(), name in text(), repo_path in prop::option::of(text())) {
        let health = Health { ok, name, repo_path };
        prop_assert_eq!(Health::parse(json::spaced(&health.to_value()).as_bytes()), Ok(health));
    }

    #[test]
    fn a_session_map_reads_back(
        entries in prop::collection::btree_map(
            text(),
            (filled(), any::<i64>(), prop::option::of((text(), prop::option::of(any::<i64>())))),
            0..8,
        ),
    ) {
        let mut sessions = SessionMap::default();
        for (context, (id, updated_at, printed)) in entries {
            let last_output = printed.map(|(text, drifted_at)| LastOutput { text, drifted_at });
            // Only ids that a file can hold: not blank, trimmed.
            let id = id.trim();
            if !id.is_empty() {
                sessions.insert(context, Session { id: id.to_owned(), updated_at, last_output });
            }
        }
        prop_assert_eq!(SessionMap::parse("thread_id", &sessions.to_bytes("thread_id")), sessions);
    }

    #[test]
    fn an_offset_reads_back(count in any::<u64>()) {
        prop_assert_eq!(parse_offset(&offset_bytes(count)), count);
    }
}
