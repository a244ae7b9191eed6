//! The client when the network is bad: what the sender is told, and when.

use std::collections::BTreeSet;

use gauntlet_runtime::fleet::tools;
use gauntlet_runtime::registry::Caller;
use gauntlet_world::WorldSettings;
use gauntlet_world::network::Address;
use gauntlet_world::simulated::NetworkWeather;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{PEER, Rig, run, seconds};

const ACK: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"kind":"message","message":{"role":"agent","parts":[{"text":"ok"}],"contextId":"c"}}}"#;

/// Lets a peer that says these bytes, so many seconds after the request, stand at its port; then it goes silent or closes.
fn peer(rig: &Rig, bytes: Vec<u8>, after: f64, closes: bool) {
    let host = rig.visitor.clone();
    rig.visitor.spawn(async move {
        let listener = host.network().listen(&Address::loopback(PEER)).await.expect("a free port");
        let mut stream = listener.accept().await.expect("a connection");
        let mut space = [0; 65_536];
        let _ = stream.read(&mut space).await;
        host.clock().sleep(seconds(after)).await;
        let _ = stream.write_all(&bytes).await;
        if !closes {
            std::future::pending::<()>().await;
        }
    });
}

fn http(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[test]
fn a_model_is_told_of_every_tool_what_it_takes_and_what_it_gives() {
    run(WorldSettings::default(), async |rig| {
        rig.start().await;
        let (runtime, caller) = (rig.runtime(), Caller::with(["a2a"]));
        let tools: Vec<_> = runtime.tools(&caller).collect();
        let names: Vec<_> = tools.iter().map(|tool| tool.name).collect();
        for name in ["fleet_send", "deploy_cc_receiver", "oc_receiver_status", "codex_receiver_stop"] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(names.into_iter().collect::<BTreeSet<_>>().is_subset(&tools::names().into_iter().collect()));
        for tool in tools.iter().filter(|tool| tool.name.starts_with("deploy_")) {
            assert!(tool.arguments["properties"]["repo_path"].is_object(), "{}", tool.name);
            assert_eq!(tool.arguments["required"], json!(["repo_path"]), "{}", tool.name);
        }
        for tool in tools {
            assert!(tool.toolset == "a2a" && tool.description.ends_with('.'), "{}", tool.name);
            for schema in [&tool.arguments, &tool.result] {
                assert!(jsonschema::meta::is_valid(schema) && schema["type"] == "object", "{}", tool.name);
            }
        }
        assert_eq!(runtime.tools(&Caller::default()).count(), 0);
    });
}

async fn send(rig: &Rig) -> (Value, u64) {
    rig.start().await;
    let began = rig.world.elapsed_ms();
    let answer = rig.call("fleet_send", json!({ "agent": "peer", "message": "x", "context_id": "c" })).await;
    (answer, rig.world.elapsed_ms() - began)
}

#[test]
fn an_answer_is_waited_for_thirty_seconds_and_no_longer() {
    for (after, heard) in [(0.0, true), (29.9, true), (30.1, false), (1e5, false)] {
        run(WorldSettings::default(), async |rig: Rig| {
            peer(&rig, http(ACK), after, true);
            let (answer, took) = send(&rig).await;
            assert_eq!(answer["reply"].as_str().is_some(), heard, "{answer}");
            assert!(took <= 30_000, "{took} ms");
            if !heard {
                assert_eq!(
                    (took, answer["class"].as_str(), answer["retry_safe"].as_bool()),
                    (30_000, Some("unknown"), Some(false))
                );
            }
        });
    }
}

#[test]
fn an_answer_that_breaks_off_anywhere_is_none() {
    let whole = http(ACK);
    for length in (0..whole.len()).step_by(5) {
        for closes in [true, false] {
            run(WorldSettings::default(), async |rig: Rig| {
                peer(&rig, whole[..length].to_vec(), 0.0, closes);
                let (answer, took) = send(&rig).await;
                assert_eq!(
                    (answer["class"].as_str(), answer["retry_safe"].as_bool()),
                    (Some("unknown"), Some(false)),
                    "{length}: {answer}"
                );
                assert!(took <= 30_000);
            });
        }
    }
}

#[test]
fn a_peer_that_cannot_be_reached_has_seen_nothing() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.machine.set_weather(Some("runtime"), Some(PEER), NetworkWeather::StallAfter(0));
        peer(&rig, http(ACK), 0.0, true);
        let (answer, took) = send(&rig).await;
        assert_eq!(
            (took, answer["class"].as_str(), answer["retry_safe"].as_bool()),
            (30_000, Some("not_sent"), Some(true))
        );
    });
}

#[test]
fn garbage_and_two_answers_at_once_do_not_confuse() {
    for (bytes, heard) in [
        ([http(ACK), http("{}")].concat(), true),
        ([b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), http(ACK)].concat(), true),
        (b"\x16\x03\x01\x00garbage".to_vec(), false),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".to_vec(), false),
        (vec![b'x'; 1 << 20], false),
    ] {
        run(WorldSettings::default(), async |rig: Rig| {
            peer(&rig, bytes, 0.0, true);
            let (answer, _) = send(&rig).await;
            assert_eq!(answer["reply"].as_str().is_some(), heard, "{answer}");
        });
    }
}
