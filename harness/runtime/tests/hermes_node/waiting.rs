//! Send and wait: which record of the peer's transcript is the reply, and what is said when there is none.

use gauntlet_world::WorldSettings;
use gauntlet_world::network::Address;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{PEER, Rig, run};

const TRANSCRIPT: &str = "/repo/.hermes/a2a-codex-transcript.jsonl";

/// Lets a peer acknowledge one dispatch with this text on this context.
async fn peer(rig: &Rig, text: &str, context: Value) {
    let message = json!({ "role": "agent", "parts": [{ "text": text }], "contextId": context });
    let body =
        json!({ "jsonrpc": "2.0", "id": 1, "result": { "kind": "message", "message": message } }).to_string();
    let listener = rig.visitor.network().listen(&Address::loopback(PEER)).await.expect("a free port");
    rig.visitor.spawn(async move {
        let mut stream = listener.accept().await.expect("a connection");
        let mut space = [0; 65_536];
        let _ = stream.read(&mut space).await;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.expect("it is read");
        // Held open until the client lets go.
        let _ = stream.read(&mut space).await;
    });
}

fn record(dir: &str, from: &str, to: &str, context: &str, text: &str) -> String {
    let record = json!({ "ts": "", "dir": dir, "from": from, "to": to, "contextId": context, "text": text });
    format!("{record}\n")
}

fn reply(context: &str, text: &str) -> String {
    record("codex->hermes", "codex", "hermes", context, text)
}

/// Appends to the transcript at a moment of virtual time.
fn append_at(rig: &Rig, time: f64, content: &str) {
    let (host, content) = (rig.visitor.clone(), content.to_owned());
    rig.visitor.spawn(async move {
        host.clock().sleep(crate::rig::seconds(time)).await;
        host.disk().append(TRANSCRIPT, content.as_bytes()).await.expect("the file can be written");
    });
}

async fn wait(rig: &Rig, max_wait: f64) -> Value {
    let arguments = json!({ "agent": "peer", "message": "x", "context_id": "c", "max_wait_s": max_wait });
    rig.call("fleet_send_and_wait", arguments).await
}

#[test]
fn the_first_reply_on_the_context_is_taken_and_nothing_that_only_looks_like_one() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        // There before the send: not an answer to it.
        rig.put(TRANSCRIPT, &reply("c", "old"));
        peer(&rig, "x [queued]", json!("c")).await;
        append_at(
            &rig,
            3.0,
            &[
                record("hermes->codex", "hermes", "codex", "c", "x"),
                record("codex->hermes (ack)", "codex", "hermes", "c", "working"),
                record("codex->hermes", "codex", "hermes", "c", "unmarked ack [queued]"),
                record("codex->hermes (busy)", "codex", "hermes", "c", "[busy]"),
                record("hermes->hermes", "hermes", "hermes", "c", "from ourselves"),
                record("codex->claude", "codex", "claude", "c", "to somebody else"),
                reply("other", "on another context"),
                "not json\n\n".to_owned(),
            ]
            .concat(),
        );
        append_at(&rig, 5.0, &(reply("c", "new") + &reply("c", "newer")));
        let answer = wait(&rig, 60.0).await;
        assert_eq!(answer, json!({ "reply": "new", "context_id": "c", "waited": true }));
        assert!(rig.world.elapsed_ms() < 10_000);
    });
}

#[test]
fn a_record_that_is_written_in_two_pieces_is_read_whole() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        let record = reply("c", "in two pieces: ä");
        // Cut in the middle of a character.
        let bytes = record.as_bytes();
        let cut = record.find('ä').map_or(bytes.len() - 5, |at| at + 1);
        peer(&rig, "x [queued]", json!("c")).await;
        let host = rig.visitor.clone();
        let (one, two) = (bytes[..cut].to_vec(), bytes[cut..].to_vec());
        rig.visitor.spawn(async move {
            host.clock().sleep(crate::rig::seconds(1.0)).await;
            host.disk().append(TRANSCRIPT, &one).await.expect("the file can be written");
            host.clock().sleep(crate::rig::seconds(4.0)).await;
            host.disk().append(TRANSCRIPT, &two).await.expect("the file can be written");
        });
        assert_eq!(wait(&rig, 60.0).await["reply"], "in two pieces: ä");
    });
}

#[test]
fn without_a_reply_in_time_the_acknowledgement_comes_back_with_the_reason() {
    for (max_wait, text) in [
        (7.0, "within 7s"),
        (0.5, "within 0.5s"),
        (0.0, "within 0s"),
        (-1.0, "within 280s"),
        (1e300, "within 280s"),
    ] {
        run(WorldSettings::default(), async |rig: Rig| {
            rig.start().await;
            peer(&rig, "x [queued]", json!("c")).await;
            let began = rig.world.elapsed_ms();
            let answer = wait(&rig, max_wait).await;
            assert_eq!((&answer["reply"], &answer["waited"]), (&json!("x [queued]"), &json!(false)));
            assert!(answer["reason"].as_str().is_some_and(|reason| reason.ends_with(text)), "{answer}");
            let limit = if (0.0..1e6).contains(&max_wait) { max_wait } else { 280.0 };
            assert_eq!(rig.world.elapsed_ms() - began, (limit * 1000.0) as u64);
        });
    }
}

#[test]
fn who_answers_at_once_is_not_waited_for() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        peer(&rig, "pong", json!("c")).await;
        assert_eq!(wait(&rig, 60.0).await, json!({ "reply": "pong", "context_id": "c", "waited": false }));
        assert_eq!(
            rig.world.elapsed_ms(),
            10 * (rig.world.elapsed_ms() / 10),
            "no time passed but the start's"
        );
    });
}

#[test]
fn where_no_transcript_can_be_read_it_says_so() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        rig.config["fleet"]["agents"]["peer"]["repo_path"] = json!(null);
        rig.start().await;
        peer(&rig, "x [queued]", json!("c")).await;
        let answer = wait(&rig, 60.0).await;
        assert_eq!(answer["waited"], false);
        assert!(
            answer["reason"]
                .as_str()
                .is_some_and(|reason| reason.starts_with("queued ack but no transcript_path"))
        );
    });
}

#[test]
fn an_acknowledgement_without_a_context_cannot_be_waited_for() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        peer(&rig, "x [queued]", Value::Null).await;
        let answer = rig.call("fleet_send_and_wait", json!({ "agent": "peer", "message": "x" })).await;
        assert_eq!(
            (&answer["waited"], &answer["reason"]),
            (&json!(false), &json!("queued ack had no context_id to correlate"))
        );
    });
}

#[test]
fn a_refusal_is_the_same_as_without_waiting() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        let answer = wait(&rig, 60.0).await;
        assert_eq!((&answer["class"], &answer["retry_safe"]), (&json!("not_sent"), &json!(true)), "{answer}");
    });
}

#[test]
fn any_length_of_waiting_is_taken() {
    run(WorldSettings::default(), async |rig: Rig| {
        rig.start().await;
        peer(&rig, "x [queued]", json!("c")).await;
        append_at(&rig, 3.0, &reply("c", "new"));
        // More seconds than the clock can count from now.
        assert_eq!(wait(&rig, 1.8e19).await["reply"], "new");
    });
}
