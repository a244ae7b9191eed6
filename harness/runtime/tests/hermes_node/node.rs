//! What the Hermes node takes, from whom, and how often.

use gauntlet_protocol::fleet::{Callback, ContextId, MAX_CALLBACK, MAX_STDOUT_CHARS};
use gauntlet_protocol::json;
use gauntlet_world::WorldSettings;
use gauntlet_world::fault::{Errno, Happening, Moment, Rule};
use gauntlet_world::simulated::{Exploration, ProcessState};
use gauntlet_world::touch::Op;
use serde_json::{Value, json};

use crate::rig::{NODE, Rig, TOKEN, callback, run};

fn with_node(body: impl AsyncFnOnce(Rig)) {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        body(rig).await;
    });
}

#[test]
fn only_the_right_bearer_is_let_in() {
    with_node(async |rig| {
        let right = format!("Bearer {TOKEN}");
        let cases = [
            (None, 401, "missing bearer token"),
            (Some(String::new()), 401, "missing bearer token"),
            (Some("Bearer".to_owned()), 401, "missing bearer token"),
            (Some("Bearer ".to_owned()), 401, "missing bearer token"),
            (Some(format!("Basic {TOKEN}")), 401, "missing bearer token"),
            (Some(TOKEN.to_owned()), 401, "missing bearer token"),
            (Some("Bearer wrong".to_owned()), 401, "invalid bearer token"),
            (Some(format!("Bearer {}", &TOKEN[..5])), 401, "invalid bearer token"),
            (Some(format!("Bearer {TOKEN}x")), 401, "invalid bearer token"),
            (Some(format!("Bearer {}", TOKEN.to_uppercase())), 401, "invalid bearer token"),
        ];
        for (field, status, text) in cases {
            let answer = rig.post(field.as_deref(), &callback("1", "c", "x")).await.expect("an answer");
            let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!((answer.status, body), (status, json!({ "error": text })), "{field:?}");
        }
        assert_eq!(rig.delivered("c"), Vec::<String>::new(), "somebody without a bearer was heard");
        for (number, field) in
            [right.clone(), right.to_lowercase(), right.replace("Bearer", "BEARER")].iter().enumerate()
        {
            let answer =
                rig.post(Some(field), &callback(&number.to_string(), "c", "x")).await.expect("an answer");
            assert_eq!(answer.status, 200, "{field}");
        }
        assert_eq!(rig.delivered("c").len(), 3);
    });
}

#[test]
fn the_longest_reply_that_a_receiver_can_give_is_taken_and_nothing_longer_than_its_callback() {
    with_node(async |rig| {
        // What JSON writes longest: six bytes for one.
        let text = "\u{7f}".repeat(MAX_STDOUT_CHARS);
        let context = ContextId::new("c").expect("not empty");
        let reply = Callback { id: "codex-1".to_owned(), context, text };
        let bearer = format!("Bearer {TOKEN}");
        let mut body = json::spaced(&reply.to_value()).into_bytes();
        assert!(body.len() > 6 * MAX_STDOUT_CHARS);
        assert_eq!(rig.post(Some(&bearer), &body).await.expect("an answer").status, 200);
        assert!(rig.runtime().deliveries().to("c")[0].text == reply.text);
        body.resize(MAX_CALLBACK, b' ');
        assert_eq!(rig.post(Some(&bearer), &body).await.expect("an answer").status, 200);
        body.push(b' ');
        assert_eq!(rig.post(Some(&bearer), &body).await.expect("an answer").status, 413);
        assert_eq!(rig.delivered("c").len(), 1);
    });
}

#[test]
fn a_node_without_the_bearer_that_it_demands_lets_nobody_in_and_names_no_variable() {
    for set in [None, Some("")] {
        run(WorldSettings::default(), async |mut rig: Rig| {
            rig.env.remove("HUB_TOKEN");
            rig.env.extend(set.map(|value| ("HUB_TOKEN".to_owned(), value.to_owned())));
            rig.start().await;
            for field in [None, Some("Bearer "), Some("Bearer x")] {
                let answer = rig.post(field, &callback("1", "c", "x")).await.expect("an answer");
                assert_eq!(answer.status, 503);
                assert!(!String::from_utf8_lossy(&answer.body).contains("HUB_TOKEN"));
            }
            assert_eq!(rig.delivered("c"), Vec::<String>::new());
        });
    }
}

#[test]
fn an_open_node_looks_at_no_bearer() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        rig.config["fleet"]["server"]["auth_required"] = json!(false);
        rig.start().await;
        let answer = rig.post(Some("Bearer wrong"), &callback("1", "c", "x")).await.expect("an answer");
        assert_eq!((answer.status, rig.delivered("c").len()), (200, 1));
    });
}

#[test]
fn a_callback_is_delivered_once_however_often_it_comes() {
    with_node(async |rig| {
        for _ in 0..3 {
            assert!(rig.call_back("codex-1", "c", "x").await);
        }
        assert_eq!(rig.delivered("c"), ["\"codex-1\""]);
        let transcript = rig.file("transcripts/unknown-peer.jsonl").expect("it is recorded");
        assert_eq!(transcript.lines().count(), 1);
        // Also across a restart.
        rig.machine.kill(rig.machine.running()[0].0);
        rig.start().await;
        assert!(rig.call_back("codex-1", "c", "x").await);
        assert_eq!(rig.delivered("c"), ["\"codex-1\""]);
    });
}

#[test]
fn equal_ids_on_different_contexts_and_different_kinds_of_ids_are_different_replies() {
    with_node(async |rig| {
        assert!(rig.call_back("1", "a", "x").await);
        assert!(rig.call_back("1", "b", "y").await);
        assert_eq!((rig.delivered("a").len(), rig.delivered("b").len()), (1, 1));
        let number = callback("\u{0}", "a", "z");
        let number = String::from_utf8(number).expect("JSON").replace("\"\\u0000\"", "1");
        rig.post(Some(&format!("Bearer {TOKEN}")), number.as_bytes()).await.expect("an answer");
        assert_eq!(rig.delivered("a"), ["\"1\"", "1"]);
    });
}

#[test]
fn callbacks_without_an_id_are_all_delivered() {
    with_node(async |rig| {
        for _ in 0..2 {
            let body = String::from_utf8(callback("x", "c", "t")).expect("JSON").replace("\"x\"", "null");
            rig.post(Some(&format!("Bearer {TOKEN}")), body.as_bytes()).await.expect("an answer");
        }
        assert_eq!(rig.delivered("c").len(), 2);
    });
}

#[test]
fn the_same_callback_on_many_connections_at_once_is_delivered_once() {
    for seed in 0..20 {
        let settings =
            WorldSettings { seed: [seed; 32], exploration: Exploration::Shake, ..WorldSettings::default() };
        run(settings, async |rig: Rig| {
            rig.start().await;
            let sends = (0..5).map(|_| rig.call_back("1", "c", "x"));
            let mut sends: Vec<_> = sends.map(Box::pin).collect();
            // All are polled in turn, so all are open at the same time.
            std::future::poll_fn(|context| {
                sends.retain_mut(|send| send.as_mut().poll(context).is_pending());
                if sends.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            assert_eq!(rig.delivered("c").len(), 1, "seed {seed}");
            assert_eq!(
                rig.file("deliveries.jsonl").map(|content| content.lines().count()),
                Some(1),
                "seed {seed}"
            );
        });
    }
}

#[test]
fn what_is_no_callback_is_answered_and_not_delivered() {
    with_node(async |rig| {
        let bearer = format!("Bearer {TOKEN}");
        for (body, code) in [
            (&b"{"[..], -32700),
            (b"[]", -32600),
            (br#"{"id": 1, "method": "tasks.get"}"#, -32601),
            (br#"{"id": 1}"#, -32601),
            (br#"{"id": 1, "method": "SendMessage", "params": 5}"#, -32602),
        ] {
            let answer = rig.post(Some(&bearer), body).await.expect("an answer");
            let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
            assert_eq!((answer.status, body["error"]["code"].as_i64()), (200, Some(code)), "{body}");
        }
        let ping = json!({ "id": 1, "method": "message/send", "params": { "message": { "role": "user", "parts": [{ "text": " Ping " }] } } });
        let answer = rig.post(Some(&bearer), ping.to_string().as_bytes()).await.expect("an answer");
        let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert_eq!(body["result"]["message"]["parts"][0]["text"], "pong");
        assert_eq!(rig.runtime().deliveries().count(), 0);
    });
}

#[test]
fn a_full_disk_is_an_error_to_the_receiver_and_its_next_attempt_is_delivered() {
    for happening in [Happening::Fail(Errno::NoSpace), Happening::Torn(Errno::NoSpace)] {
        for at in [Op::DiskAppend, Op::DiskSync] {
            with_node(async |rig| {
                rig.world.arm(Rule {
                    host: "runtime".to_owned(),
                    at,
                    target: Some("deliveries.jsonl".to_owned()),
                    nth: 1,
                    moment: Moment::Before,
                    happening,
                });
                let answer = rig
                    .post(Some(&format!("Bearer {TOKEN}")), &callback("1", "c", "x"))
                    .await
                    .expect("an answer");
                let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
                assert_eq!(body["error"]["code"], -32000, "{body}");
                assert_eq!(rig.delivered("c"), Vec::<String>::new());
                assert!(rig.call_back("1", "c", "x").await);
                assert!(rig.call_back("2", "c", "y").await);
                assert_eq!(rig.delivered("c").len(), 2);
                // What the failure left in the file neither hides a reply from the next life nor doubles one.
                let running = rig.machine.running();
                rig.machine.kill(running[0].0);
                rig.start().await;
                assert_eq!(rig.delivered("c"), ["\"1\"", "\"2\""], "{happening:?} {at:?}");
                assert!(rig.call_back("1", "c", "x").await);
                assert_eq!(rig.delivered("c").len(), 2, "{happening:?} {at:?}");
            });
        }
    }
}

#[test]
fn a_file_of_deliveries_from_a_bad_day_is_read_as_far_as_it_goes() {
    run(WorldSettings::default(), async |rig: Rig| {
        let one = json!({ "id": "\"1\"", "contextId": "c", "text": "x" });
        let two = json!({ "id": "\"2\"", "contextId": "c", "text": "x" });
        // Doubled, torn, foreign, and a last line that lacks nothing but its end.
        rig.put("/hermes/deliveries.jsonl", &format!("{one}\n{one}\njunk\n[]\n{{\"id\": 5}}\n{two}"));
        rig.start().await;
        assert_eq!(rig.delivered("c"), ["\"1\""]);
        assert!(rig.call_back("2", "c", "x").await);
        assert_eq!(rig.delivered("c"), ["\"1\"", "\"2\""]);
        let pid = rig.machine.running()[0].0;
        rig.machine.kill(pid);
        rig.start().await;
        assert_eq!(rig.delivered("c"), ["\"1\"", "\"2\""]);
    });
}

#[test]
fn names_of_peers_stay_inside_the_folder_of_transcripts() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        let peer = rig.config["fleet"]["agents"]["peer"].clone();
        let hostile =
            ["../../escape", "/absolute", "..", ".", "", "a/b", "nul\0", "ä", "CON\n", &"x".repeat(300)];
        for name in hostile {
            rig.config["fleet"]["agents"][name] = peer.clone();
        }
        rig.start().await;
        for (number, name) in hostile.iter().enumerate() {
            let context = format!("c{number}");
            rig.call("fleet_send", json!({ "agent": name, "message": "x", "context_id": context })).await;
            assert!(rig.call_back(&number.to_string(), &context, "y").await);
        }
        let files = rig.machine.disk().files_below(std::path::Path::new("/"));
        for path in files.keys() {
            let known = [
                "hermes/transcripts/",
                "hermes/deliveries.jsonl",
                "hermes/last_peers.jsonl",
                "hermes/fleet.yaml",
            ];
            let known = known.iter().any(|start| path.starts_with(start));
            assert!(known, "{path} was written");
            let name = path.rsplit('/').next().unwrap_or_default();
            assert!(name.len() <= 255, "{name} is too long for a file");
        }
        // No two peers share a file: the reply on each context is recorded beside its dispatch.
        let transcripts = files.iter().filter(|(path, _)| path.starts_with("hermes/transcripts/"));
        let mut recorded = 0;
        for (path, file) in transcripts {
            let lines: Vec<Value> = file
                .content
                .split(|byte| *byte == b'\n')
                .filter_map(|line| serde_json::from_slice(line).ok())
                .collect();
            assert_eq!(lines.len(), 2, "{path}");
            recorded += 1;
        }
        assert_eq!(recorded, hostile.len());
    });
}

#[test]
fn health_and_card_are_public_and_show_no_names() {
    with_node(async |rig| {
        for path in ["/health", "/.well-known/agent-card.json"] {
            let request = gauntlet_world::http::Request {
                method: "GET".to_owned(),
                url: format!("http://127.0.0.1:{NODE}{path}").parse().expect("a URL"),
                headers: vec![("authorization".to_owned(), "Bearer wrong".to_owned())],
                body: Vec::new(),
                limit: crate::rig::seconds(5.0),
            };
            let answer = gauntlet_world::http::exchange(&rig.visitor, request).await.expect("an answer");
            assert_eq!(answer.status, 200);
            assert!(!String::from_utf8_lossy(&answer.body).contains("peer\""));
        }
    });
}

#[test]
fn a_second_runtime_on_the_same_port_does_not_start() {
    with_node(async |rig| {
        let (_, second) = rig.start().await;
        assert!(matches!(second.state(), ProcessState::Ended(_)));
    });
}
