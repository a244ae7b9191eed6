//! What the receiver answers, in which order it checks, and what it does with clients that misbehave.

use gauntlet_protocol::fleet::MAX_BODY;
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Rig, TOKEN, config, run, send_message};

/// The status and the JSON body of the first answer in these bytes.
fn first(bytes: &[u8]) -> (u16, Value) {
    all(bytes).into_iter().next().unwrap_or_default()
}

/// Every answer in these bytes.
fn all(bytes: &[u8]) -> Vec<(u16, Value)> {
    let mut found = Vec::new();
    let mut rest = bytes;
    loop {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut answer = httparse::Response::new(&mut fields);
        let Ok(httparse::Status::Complete(head)) = answer.parse(rest) else { return found };
        let status = answer.code.expect("a status");
        let length = answer.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
        let length = length.map_or(0, |field| {
            std::str::from_utf8(field.value).expect("digits").parse::<usize>().expect("digits")
        });
        rest = &rest[head..];
        if status != 100 {
            let body = rest.get(..length).expect("a whole body");
            found.push((status, serde_json::from_slice(body).expect("every body is JSON")));
        }
        rest = &rest[length..];
    }
}

fn post(path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("POST {path} HTTP/1.1\r\nHost: x\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

fn right() -> (&'static str, String) {
    ("Authorization", format!("Bearer {TOKEN}"))
}

/// A request with the right bearer and a right length.
fn whole(body: &[u8]) -> Vec<u8> {
    let (name, value) = right();
    post("/jsonrpc", &[(name, &value), ("Content-Length", &body.len().to_string())], body)
}

fn with_receiver(body: impl AsyncFnOnce(Rig)) {
    run(&config(json!({})), async |rig: Rig| {
        rig.start().await;
        body(rig).await;
    });
}

fn error_of(answer: &(u16, Value)) -> (u16, i64, Value) {
    (answer.0, answer.1["error"]["code"].as_i64().unwrap_or_default(), answer.1["id"].clone())
}

#[test]
fn checks_come_in_the_order_of_the_sheet_and_each_hides_those_behind_it() {
    with_receiver(async |rig| {
        let (name, value) = right();
        let bearer = (name, value.as_str());
        let huge = (MAX_BODY + 1).to_string();
        let root = json!({ "id": 7, "method": "SendMessage", "params": { "contextId": "c", "message": {} } });
        let wrong_method = json!({ "id": 7, "method": "sendmessage", "params": { "contextId": "c" } });
        // Each request has the fault of its line and of every line below it, as far as they can be had together.
        let refused = [
            (post("/jsonrpc/", &[("Content-Length", "x")], b""), 404, "not found"),
            (post("/jsonrpc?x", &[("Content-Length", "x")], b""), 404, "not found"),
            (post("/jsonrpc", &[("Content-Length", "x")], b""), 401, "missing bearer token"),
            (
                post("/jsonrpc", &[("Authorization", "Basic x"), ("Content-Length", "x")], b""),
                401,
                "missing bearer token",
            ),
            (
                post("/jsonrpc", &[("Authorization", "Bearer  "), ("Content-Length", "x")], b""),
                401,
                "missing bearer token",
            ),
            (
                post("/jsonrpc", &[("Authorization", "Bearer tok"), ("Content-Length", "x")], b""),
                401,
                "invalid bearer token",
            ),
            (post("/jsonrpc", &[bearer, ("Content-Length", &huge)], b""), 413, "request entity too large"),
        ];
        for (request, status, text) in refused {
            let answer = first(&rig.raw(&request).await);
            assert_eq!((answer.0, answer.1["error"].as_str()), (status, Some(text)));
        }
        let errors = [
            (post("/jsonrpc", &[bearer, ("Content-Length", "x")], b""), -32600, Value::Null),
            (post("/jsonrpc", &[bearer, ("Content-Length", "-1")], b""), -32600, Value::Null),
            (post("/jsonrpc", &[bearer], b""), -32700, Value::Null),
            (whole(b"{"), -32700, Value::Null),
            (whole(b"\xff"), -32700, Value::Null),
            (whole(b"[]"), -32600, Value::Null),
            (whole(wrong_method.to_string().as_bytes()), -32601, json!(7)),
            (whole(root.to_string().as_bytes()), -32602, json!(7)),
        ];
        for (request, code, id) in errors {
            let answer = first(&rig.raw(&request).await);
            assert_eq!(error_of(&answer), (200, code, id), "{}", String::from_utf8_lossy(&request));
        }
        assert_eq!(rig.file("a2a-codex-inbox.jsonl").as_deref(), Some(""), "nothing was taken");
        assert_eq!(rig.file("a2a-codex-transcript.jsonl").as_deref(), Some(""), "nothing was recorded");
    });
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    with_receiver(async |rig| {
        let mut body = send_message("c", "x");
        body.resize(MAX_BODY, b' ');
        let answer = first(&rig.raw(&whole(&body)).await);
        assert!(answer.1["result"].is_object(), "{answer:?}");
    });
}

#[test]
fn routes_are_matched_to_the_letter() {
    with_receiver(async |rig| {
        for (request, status) in [
            ("GET /health", 200),
            ("GET /health?x", 404),
            ("GET /health/", 404),
            ("GET /.well-known/agent-card.json?x=1", 200),
            ("GET /.well-known/agent-card.jsonx", 200),
            ("GET /jsonrpc", 404),
            ("GET /", 404),
            ("POST /health", 404),
            ("PUT /jsonrpc", 501),
            ("DELETE /health", 501),
        ] {
            let answer = first(&rig.raw(format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await);
            assert_eq!(answer.0, status, "{request}");
        }
    });
}

#[test]
fn the_unread_body_of_a_refused_request_is_not_taken_for_the_next_one() {
    with_receiver(async |rig| {
        let trap = b"GET /.well-known/agent-card.json HTTP/1.1\r\nHost: x\r\n\r\n";
        let length = trap.len().to_string();
        let mut bytes = post("/nowhere", &[("Content-Length", &length)], trap);
        bytes.extend(post("/jsonrpc", &[("Content-Length", &length)], trap));
        bytes.extend(post("/jsonrpc", &[("Transfer-Encoding", "chunked")], b"3\r\nGET\r\n0\r\n\r\n"));
        bytes.extend(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
        let statuses: Vec<u16> = all(&rig.raw(&bytes).await).into_iter().map(|(status, _)| status).collect();
        assert_eq!(statuses, [404, 401, 401, 200]);
    });
}

#[test]
fn what_follows_a_body_that_could_not_be_read_is_never_taken_for_a_request() {
    with_receiver(async |rig| {
        let (name, value) = right();
        let trap = b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n";
        // A chunk over the limit whose content looks like the end of the body and a further request.
        let mut body = format!("{:x}\r\n", MAX_BODY + 1).into_bytes();
        body.extend_from_slice(trap);
        let request = post("/jsonrpc", &[(name, &value), ("Transfer-Encoding", "chunked")], &body);
        let statuses: Vec<u16> =
            all(&rig.raw(&request).await).into_iter().map(|(status, _)| status).collect();
        assert_eq!(statuses, [413]);
        let request = post(
            "/jsonrpc",
            &[(name, &value), ("Transfer-Encoding", "chunked")],
            &[b"zz\r\n", &trap[..]].concat(),
        );
        let statuses: Vec<u16> =
            all(&rig.raw(&request).await).into_iter().map(|(status, _)| status).collect();
        assert_eq!(statuses, [400]);
    });
}

#[test]
fn a_refusal_does_not_wait_for_a_body_that_nobody_sends() {
    with_receiver(async |rig| {
        let mut stream = rig.connect().await;
        let request = post("/jsonrpc", &[("Content-Length", "100")], b"");
        stream.write_all(&request).await.expect("it is read");
        let began = rig.world.elapsed_ms();
        let mut space = [0; 4096];
        let read = stream.read(&mut space).await.expect("an answer");
        assert_eq!(first(&space[..read]).0, 401);
        assert!(rig.world.elapsed_ms() - began < 1000, "the answer came late");
    });
}

#[test]
fn a_client_that_waits_for_a_go_ahead_gets_it_or_a_refusal() {
    with_receiver(async |rig| {
        let body = send_message("c", "x");
        let (name, value) = right();
        let length = body.len().to_string();
        let mut stream = rig.connect().await;
        let head =
            post("/jsonrpc", &[(name, &value), ("Content-Length", &length), ("Expect", "100-continue")], b"");
        stream.write_all(&head).await.expect("it is read");
        let mut space = [0; 4096];
        let read = stream.read(&mut space).await.expect("a go-ahead");
        assert!(space[..read].starts_with(b"HTTP/1.1 100 "));
        stream.write_all(&body).await.expect("it is read");
        let read = stream.read(&mut space).await.expect("an answer");
        assert_eq!(first(&space[..read]).0, 200);
        // Refused without a go-ahead: the connection cannot be used again, since nobody knows whether the body still comes.
        let head = post("/jsonrpc", &[("Content-Length", &length), ("Expect", "100-continue")], b"");
        let answers = all(&rig.raw(&[&head[..], b"GET /health HTTP/1.1\r\n\r\n"].concat()).await);
        assert_eq!(answers.into_iter().map(|(status, _)| status).collect::<Vec<_>>(), [401]);
    });
}

#[test]
fn chunks_and_many_requests_on_one_connection_are_understood() {
    with_receiver(async |rig| {
        let (name, value) = right();
        let body = send_message("c", "x");
        let (one, two) = body.split_at(10);
        let mut chunks = Vec::new();
        for part in [one, two] {
            chunks.extend(format!("{:x};ext=1\r\n", part.len()).into_bytes());
            chunks.extend(part);
            chunks.extend(b"\r\n");
        }
        chunks.extend(b"0\r\nTrailer: x\r\n\r\n");
        let chunked = post("/jsonrpc", &[(name, &value), ("Transfer-Encoding", "chunked")], &chunks);
        let bytes =
            [chunked, whole(&body), b"GET /health HTTP/1.0\r\n\r\nGET /health HTTP/1.1\r\n\r\n".to_vec()]
                .concat();
        let answers = all(&rig.raw(&bytes).await);
        // The old version closes unless it says otherwise.
        assert_eq!(answers.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 200, 200]);
        assert!(answers[0].1["result"].is_object() && answers[1].1["result"].is_object());
    });
}

#[test]
fn a_client_that_sends_a_byte_now_and_then_is_sent_away() {
    with_receiver(async |rig| {
        for start in [&b"GET /hea"[..], &whole(b"{}       ")[..whole(b"{}       ").len() - 9]] {
            let mut stream = rig.connect().await;
            stream.write_all(start).await.expect("it is read");
            let began = rig.world.elapsed_ms();
            let mut answer = Vec::new();
            let mut space = [0; 4096];
            loop {
                let read = stream.read(&mut space);
                match rig.visitor.clock().within(crate::rig::seconds(9.0), read).await {
                    None => drop(stream.write_all(b"x").await),
                    Some(Ok(0) | Err(_)) => break,
                    Some(Ok(read)) => answer.extend_from_slice(&space[..read]),
                }
                assert!(rig.world.elapsed_ms() - began < 60_000, "the receiver is still patient");
            }
            assert_eq!(first(&answer).0, 408);
        }
    });
}

#[test]
fn a_silent_connection_is_let_go_without_a_word() {
    with_receiver(async |rig| {
        let mut stream = rig.connect().await;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("closed");
        assert_eq!(answer, b"");
        // The same after a first request.
        let mut stream = rig.connect().await;
        stream.write_all(b"GET /health HTTP/1.1\r\n\r\n").await.expect("it is read");
        stream.read_to_end(&mut answer).await.expect("closed");
        assert_eq!(all(&answer).len(), 1);
    });
}

#[test]
fn heads_without_end_are_refused() {
    with_receiver(async |rig| {
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(200_000));
        assert_eq!(first(&rig.raw(long.as_bytes()).await).0, 431);
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(65));
        assert_eq!(first(&rig.raw(many.as_bytes()).await).0, 431);
        assert_eq!(first(&rig.raw(b"\x16\x03\x01 tls?\r\n\r\n").await).0, 400);
    });
}

#[test]
fn a_thousand_connections_at_once_are_all_answered() {
    with_receiver(async |rig| {
        let mut streams = Vec::new();
        for _ in 0..1000 {
            let mut stream = rig.connect().await;
            stream
                .write_all(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n")
                .await
                .expect("it is taken");
            streams.push(stream);
        }
        for mut stream in streams {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("an answer");
            assert_eq!(first(&answer).0, 200);
        }
    });
}

#[test]
fn a_thousand_silent_connections_only_delay_a_dispatch() {
    with_receiver(async |rig| {
        let mut streams = Vec::new();
        for _ in 0..1000 {
            streams.push(rig.connect().await);
        }
        while !rig.dispatch("c", "x").await {
            assert!(rig.world.elapsed_ms() < 600_000, "the receiver never recovers");
        }
        assert_eq!(rig.callbacks(1).await[0].text, "done");
    });
}

#[test]
fn peers_that_leave_in_the_middle_leave_nothing_behind() {
    with_receiver(async |rig| {
        let request = whole(&send_message("c", "x"));
        for length in 0..request.len() {
            let mut stream = rig.connect().await;
            stream.write_all(&request[..length]).await.expect("it is read");
        }
        rig.pass(120.0).await;
        assert_eq!(rig.file("a2a-codex-inbox.jsonl").as_deref(), Some(""), "half a request was taken");
        assert!(rig.dispatch("c", "x").await);
    });
}

#[test]
fn a_receiver_that_names_no_bearer_asks_for_none() {
    for (variable, expected) in [(json!("TOKEN"), 401), (Value::Null, 200)] {
        run(&config(json!({ "auth_token_env": variable })), async |rig: Rig| {
            rig.start().await;
            let body = send_message("c", "x");
            let request = post("/jsonrpc", &[("Content-Length", &body.len().to_string())], &body);
            assert_eq!(first(&rig.raw(&request).await).0, expected);
        });
    }
}

#[test]
fn the_scheme_of_the_bearer_is_read_in_any_case_and_the_token_to_the_letter() {
    with_receiver(async |rig| {
        let body = send_message("c", "x");
        for (field, status) in [
            (format!("bearer {TOKEN}"), 200),
            (format!("BEARER {TOKEN}"), 200),
            (format!("Bearer   {TOKEN}  "), 200),
            (format!("Bearer {}", TOKEN.to_uppercase()), 401),
            (format!("Bearer {TOKEN}x"), 401),
            (format!("Bearer {}", &TOKEN[1..]), 401),
            (TOKEN.to_owned(), 401),
            (format!("Bearer{TOKEN}"), 401),
        ] {
            let length = body.len().to_string();
            let request = post("/jsonrpc", &[("AUTHORIZATION", &field), ("Content-Length", &length)], &body);
            assert_eq!(first(&rig.raw(&request).await).0, status, "{field}");
        }
    });
}

#[test]
fn an_inbox_that_cannot_be_written_is_an_error_and_nothing_is_run() {
    with_receiver(async |rig| {
        rig.machine
            .disk_mut(|disk| disk.set_mode("/repo/.hermes/a2a-codex-inbox.jsonl".as_ref(), 0o400))
            .expect("it is there");
        let answer = rig.rpc(&send_message("c", "x")).await.expect("an answer");
        assert_eq!(answer["error"]["code"], -32000);
        assert!(
            answer["error"]["message"].as_str().is_some_and(|text| text.starts_with("inbox write failed: "))
        );
        rig.pass(30.0).await;
        assert!(rig.runs().is_empty());
        rig.machine
            .disk_mut(|disk| disk.set_mode("/repo/.hermes/a2a-codex-inbox.jsonl".as_ref(), 0o600))
            .expect("it is there");
        assert!(rig.dispatch("c", "x").await);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_bytes_come_the_receiver_answers_or_closes_and_goes_on(
        parts in prop::collection::vec(prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            Just(b"POST /jsonrpc HTTP/1.1\r\n".to_vec()),
            Just(b"GET /health HTTP/1.1\r\n".to_vec()),
            Just(format!("Authorization: Bearer {TOKEN}\r\n").into_bytes()),
            Just(b"Content-Length: 5\r\n".to_vec()),
            Just(b"Content-Length: 99999999999999999999999\r\n".to_vec()),
            Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
            Just(b"Expect: 100-continue\r\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"5\r\n{\"a\":\r\n".to_vec()),
            Just(b"ffffffffffffffff\r\n".to_vec()),
            Just(b"0\r\n\r\n".to_vec()),
            Just(b"{\"method\":\"SendMessage\"}".to_vec()),
        ], 0..10),
    ) {
        with_receiver(async |rig| {
            let answer = rig.raw(&parts.concat()).await;
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "));
            let again = rig.raw(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n").await;
            assert_eq!(first(&again).0, 200);
        });
    }
}
