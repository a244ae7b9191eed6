//! `fleet_send` over real TCP against peers of every kind. What takes time is in `client.rs`, on the simulated network.

use std::collections::BTreeMap;
use std::future::Future;

use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::Settings;
use gauntlet_runtime::registry::Caller;
use gauntlet_world::network::Address;
use gauntlet_world::{Host, Identity};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

fn run<F: Future>(body: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), body)
}

/// Calls `fleet_send` towards a base URL. `token` is the content of the variable that the peer's entry names.
async fn send(url: &str, token: Option<&str>, arguments: Value) -> Value {
    let home = tempfile::tempdir().expect("a folder");
    let mut env = BTreeMap::from([("HERMES_HOME".to_owned(), home.path().to_string_lossy().into_owned())]);
    env.extend(token.map(|token| ("PEER_TOKEN".to_owned(), token.to_owned())));
    let identity =
        Identity { name: "runtime".to_owned(), env, cwd: home.path().to_path_buf(), ..Identity::default() };
    let host = Host::real(identity, None);
    let file = home.path().join("fleet.yaml");
    let server = json!({ "bind_port": 0, "auth_required": false });
    let config = json!({ "fleet": { "server": server } });
    host.disk().write(&file, config.to_string().as_bytes()).await.expect("a file");
    let runtime = Runtime::start(host.clone(), Settings::default()).await.expect("the runtime starts");
    // The peer comes while the runtime runs, also one that no rule allows.
    let peers = json!({ "peer": { "url": url, "token_env": "PEER_TOKEN" } });
    let config = json!({ "fleet": { "server": server, "agents": peers } });
    host.disk().write(&file, config.to_string().as_bytes()).await.expect("a file");
    let answer = runtime.call(&Caller::with(["a2a"]), "fleet_send", arguments).await.expect("a known tool");
    host.end();
    answer
}

fn message(further: Value) -> Value {
    let mut arguments = json!({ "agent": "peer", "message": "do it" });
    if let (Value::Object(arguments), Value::Object(further)) = (&mut arguments, further) {
        arguments.extend(further);
    }
    arguments
}

async fn peer(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn reply(context: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": "another", "result": {
        "kind": "message", "message": { "role": "agent", "parts": [{ "text": "pong" }], "contextId": context },
    } })
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.expect("requests are recorded")
}

#[test]
fn the_envelope_and_the_bearer_are_exact() {
    run(async {
        let server = peer(ResponseTemplate::new(200).set_body_json(reply(json!("c1")))).await;
        // Slashes at the end of the configured URL do not double.
        let url = format!("{}//", server.uri());
        let answer = send(&url, Some("s3cret"), message(json!({ "context_id": "c1" }))).await;
        assert_eq!(answer, json!({ "reply": "pong", "context_id": "c1" }));
        let requests = requests(&server).await;
        assert_eq!(requests.len(), 1);
        let request = &requests[0];
        assert_eq!((request.method.as_str(), request.url.path()), ("POST", "/jsonrpc"));
        assert_eq!(request.headers["content-type"], "application/json");
        assert_eq!(request.headers["authorization"], "Bearer s3cret");
        assert_eq!(
            request.headers["content-length"].to_str().expect("digits"),
            request.body.len().to_string()
        );
        let mut body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let id = body["id"].take();
        assert_eq!(id.as_str().map(str::len), Some(36), "{id} is no UUID");
        // A plain peer, which may be another Hermes, is told who speaks.
        let message =
            json!({ "role": "user", "parts": [{ "text": "do it" }], "contextId": "c1", "user": "default" });
        assert_eq!(
            body,
            json!({ "jsonrpc": "2.0", "id": null, "method": "SendMessage", "params": { "message": message } })
        );
    });
}

#[test]
fn what_is_not_given_is_left_out() {
    run(async {
        for (token, arguments) in [(None, json!({})), (Some(""), json!({ "context_id": "" }))] {
            let server = peer(ResponseTemplate::new(200).set_body_json(reply(json!("made-up")))).await;
            let answer = send(&server.uri(), token, message(arguments)).await;
            assert_eq!(answer, json!({ "reply": "pong", "context_id": "made-up" }));
            let request = requests(&server).await.remove(0);
            assert!(!request.headers.contains_key("authorization"));
            let body: Value = serde_json::from_slice(&request.body).expect("JSON");
            assert_eq!(body["params"]["message"].get("contextId"), None);
        }
    });
}

#[test]
fn every_failure_says_what_can_have_happened_at_the_peer() {
    let rpc = |error: Value| {
        ResponseTemplate::new(200).set_body_json(json!({ "jsonrpc": "2.0", "id": 1, "error": error }))
    };
    let result = |result: Value| {
        ResponseTemplate::new(200).set_body_json(json!({ "jsonrpc": "2.0", "id": 1, "result": result }))
    };
    let text = |status, text: &str| ResponseTemplate::new(status).set_body_string(text);
    let moved = ResponseTemplate::new(307).insert_header("location", "/elsewhere");
    let cases = [
        (text(401, "{}"), "refused", "peer 'peer' rejected bearer token (HTTP 401)"),
        (text(404, "gone"), "refused", "peer 'peer' returned HTTP 404: gone"),
        (text(413, "{}"), "refused", "peer 'peer' returned HTTP 413: {}"),
        (text(500, "oops"), "unknown", "peer 'peer' returned HTTP 500: oops"),
        (text(204, ""), "unknown", "peer 'peer' returned HTTP 204: "),
        (moved, "unknown", "peer 'peer' returned HTTP 307: "),
        (text(200, "<html>"), "unknown", "peer 'peer' returned non-JSON body"),
        (text(200, ""), "unknown", "peer 'peer' returned non-JSON body"),
        (
            rpc(json!({ "code": -32001, "message": "busy" })),
            "refused",
            "peer returned JSON-RPC error -32001: busy",
        ),
        (
            rpc(json!({ "code": -32000, "message": "Server error: the agent broke off in the middle" })),
            "unknown",
            "peer returned JSON-RPC error -32000: Server error",
        ),
        (
            rpc(json!({ "code": -32000, "message": "agent reply timed out after 120.0s: x" })),
            "accepted_without_reply",
            "peer returned JSON-RPC error -32000: agent reply timed out",
        ),
        (
            result(json!({ "kind": "task" })),
            "accepted_without_reply",
            "peer returned unexpected result kind 'task'",
        ),
        (
            result(json!({ "kind": "message", "message": { "parts": [] } })),
            "accepted_without_reply",
            "peer message has no text part",
        ),
        (result(json!([])), "accepted_without_reply", "result that is not an object"),
        (
            ResponseTemplate::new(200).set_body_json(reply(json!("another"))),
            "replied_elsewhere",
            "peer 'peer' answered on context 'another' instead of 'c1'",
        ),
    ];
    run(async {
        for (answer, class, text) in cases {
            let server = peer(answer).await;
            let answer = send(&server.uri(), None, message(json!({ "context_id": "c1" }))).await;
            assert_eq!(
                (answer["class"].as_str(), answer["retry_safe"].as_bool()),
                (Some(class), Some(class == "refused")),
                "{answer}"
            );
            assert!(
                answer["error"].as_str().is_some_and(|error| error.contains(text)),
                "{answer} lacks {text}"
            );
            // Never tried twice, never sent anywhere else.
            let paths: Vec<String> =
                requests(&server).await.iter().map(|request| request.url.path().to_owned()).collect();
            assert_eq!(paths, ["/jsonrpc"], "{text}");
        }
    });
}

#[test]
fn a_long_error_body_is_cut_and_an_endless_one_is_not_read() {
    run(async {
        let server = peer(ResponseTemplate::new(500).set_body_string("ä".repeat(10_000))).await;
        let answer = send(&server.uri(), None, message(json!({}))).await;
        let text = answer["error"].as_str().expect("an error");
        assert_eq!(text.matches('ä').count(), 200);
        let server = peer(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 9 * 1024 * 1024])).await;
        let answer = send(&server.uri(), None, message(json!({}))).await;
        assert_eq!(answer["class"], "unknown", "{answer}");
        assert!(
            answer["error"].as_str().is_some_and(|text| text.starts_with("network error talking to 'peer'"))
        );
    });
}

#[test]
fn what_never_left_is_safe_to_send_again() {
    run(async {
        // A port that was just let go.
        let free = {
            let host = Host::real(Identity::default(), None);
            host.network().listen(&Address::loopback(0)).await.expect("a free port").port()
        };
        let closed = format!("http://127.0.0.1:{free}");
        for (url, agent, text) in [
            (closed.as_str(), "peer", "network error talking to 'peer'"),
            (closed.as_str(), "nobody", "agent 'nobody' not in fleet.yaml; configured: [\"peer\"]"),
            (
                "https://127.0.0.1",
                "peer",
                "TLS is not spoken here, so name a proxy of this machine that speaks it",
            ),
            ("http://", "peer", "fleet.agents.peer.url must have a valid host"),
            ("", "peer", "fleet.yaml: fleet.agents.peer.url is required"),
        ] {
            let answer = send(url, None, message(json!({ "agent": agent }))).await;
            assert_eq!(
                (answer["class"].as_str(), answer["retry_safe"].as_bool()),
                (Some("not_sent"), Some(true)),
                "{answer}"
            );
            assert!(
                answer["error"].as_str().is_some_and(|error| error.contains(text)),
                "{answer} lacks {text}"
            );
        }
    });
}

#[test]
fn a_bearer_that_is_no_header_value_is_never_sent_and_never_shown() {
    run(async {
        let server = peer(ResponseTemplate::new(200).set_body_json(reply(Value::Null))).await;
        let answer = send(&server.uri(), Some("two\r\nlines: s3cret"), message(json!({}))).await;
        assert_eq!(answer["class"], "not_sent", "{answer}");
        assert!(!answer.to_string().contains("s3cret"));
        assert!(requests(&server).await.is_empty());
    });
}
