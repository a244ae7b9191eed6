//! The callback gate: stands where receivers send their replies, in front of the runtime's Hermes node.
//!
//! It answers the first callbacks as a scenario says (an error, garbage, silence, a closed door) and passes all others on,
//! byte for byte. So every receiver can meet a Hermes that fails, in both lanes, while the runtime stays the real one.

use std::rc::Rc;
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::http::{self, Request, Url};
use gauntlet_world::network::{Address, Listener, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::http1::{Connection, Framing};
use gauntlet_world::injection::{Mangle, Millis};

/// The largest callback that passes: as large as the runtime's node takes.
const MAX_CALLBACK: usize = 16 * 1024 * 1024;

/// Where receivers call back, as they are told.
const USUAL_PATH: &str = "/jsonrpc";

/// How the gate answers one callback instead of passing it on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum GateAnswer {
    /// Passes it on.
    Pass,
    /// Answers with this status and an empty JSON object.
    Status(u16),
    /// Answers 200 with a JSON-RPC error of this code inside.
    RpcError(i64),
    /// Closes the connection without an answer.
    Close,
    /// Says nothing for so long, then closes.
    Silence(Millis),
    /// Passes it on, and answers only so much later.
    Late(Millis),
}

/// Begins to listen where callbacks go.
pub async fn listen(host: &Host, address: &Address) -> std::io::Result<Listener> {
    host.network().listen(address).await
}

/// Serves callbacks for ever: the scripted answers first, in order, and then everything is passed on to `node`.
pub async fn serve(host: Host, listener: Listener, node: Url, answers: Vec<GateAnswer>) {
    let answers = Rc::new(Mutex::new(answers.into_iter()));
    while let Ok(stream) = listener.accept().await {
        let (task_host, node, answers) = (host.clone(), node.clone(), answers.clone());
        host.spawn(async move {
            let next = answers.lock().await.next().unwrap_or(GateAnswer::Pass);
            one(&task_host, stream, &node, next).await;
        });
    }
}

async fn one(host: &Host, stream: Stream, node: &Url, answer: GateAnswer) {
    let framing = Framing { keep_alive: false, ..Framing::default() };
    let mut connection = Connection::new(host, &framing, stream);
    let Ok(head) = connection.head().await else { return };
    let Ok(body) = connection.body(&head, MAX_CALLBACK).await else { return };
    let (status, body) = match answer {
        GateAnswer::Status(status) => (status, b"{}".to_vec()),
        GateAnswer::RpcError(code) => {
            let error = serde_json::json!({
                "jsonrpc": "2.0", "id": null, "error": { "code": code, "message": "refused by the gate" },
            });
            (200, error.to_string().into_bytes())
        }
        GateAnswer::Close => return,
        GateAnswer::Silence(time) => return host.clock().sleep(time.duration()).await,
        GateAnswer::Pass => pass(host, node, &head, body).await,
        GateAnswer::Late(time) => {
            let answer = pass(host, node, &head, body).await;
            host.clock().sleep(time.duration()).await;
            answer
        }
    };
    if connection.answer(status, &body, false, Mangle::Nothing).await.is_ok() {
        connection.close().await;
    }
}

async fn pass(host: &Host, node: &Url, head: &crate::http1::Head, body: Vec<u8>) -> (u16, Vec<u8>) {
    let kept = ["content-type", "authorization"];
    let headers = head.headers.iter().filter(|(name, _)| kept.contains(&name.as_str()));
    let headers =
        headers.map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned())).collect();
    // A node of another product line may take callbacks at a path of its own.
    let path = if head.path == USUAL_PATH { node.path.clone() } else { head.path.clone() };
    let url = Url { path, ..node.clone() };
    let request =
        Request { method: head.method.clone(), url, headers, body, limit: Duration::from_secs(120) };
    match http::exchange(host, request).await {
        Ok(answer) => (answer.status, answer.body),
        Err(_) => (503, b"{}".to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use gauntlet_world::http::{Answer, HttpError};
    use gauntlet_world::{Machine, World, WorldSettings};

    use super::*;

    const GATE: u16 = 9218;
    const NODE: u16 = 9219;

    /// A gate with these answers, in front of a node that remembers what reached it and answers 202.
    fn with_gate(answers: Vec<GateAnswer>, body: impl AsyncFnOnce(Host, Rc<RefCell<Vec<Vec<u8>>>>)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let machine = Machine::new(&World::new(WorldSettings::default()), "box");
            let host = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
            let reached = Rc::new(RefCell::new(Vec::new()));
            let node = listen(&host, &Address::loopback(NODE)).await.expect("a free port");
            let (task, seen) = (host.clone(), reached.clone());
            host.spawn(async move {
                let framing = Framing { keep_alive: false, ..Framing::default() };
                while let Ok(stream) = node.accept().await {
                    let mut connection = Connection::new(&task, &framing, stream);
                    let head = connection.head().await.expect("a request");
                    assert_eq!(
                        (head.path.as_str(), head.header("authorization")),
                        ("/jsonrpc?x", Some(&b"Bearer b"[..]))
                    );
                    let body = connection.body(&head, usize::MAX).await.expect("a body");
                    seen.borrow_mut().push(body);
                    connection.answer(202, b"[1]", false, Mangle::Nothing).await.expect("it is read");
                    connection.close().await;
                }
            });
            let gate = listen(&host, &Address::loopback(GATE)).await.expect("a free port");
            let url = format!("http://127.0.0.1:{NODE}/elsewhere").parse().expect("a URL");
            host.spawn(serve(host.clone(), gate, url, answers));
            body(host, reached).await;
        });
    }

    async fn call_back(host: &Host, body: &[u8]) -> Result<Answer, HttpError> {
        let request = Request {
            method: "POST".to_owned(),
            url: format!("http://127.0.0.1:{GATE}/jsonrpc?x").parse().expect("a URL"),
            headers: vec![("authorization".to_owned(), "Bearer b".to_owned())],
            body: body.to_vec(),
            limit: Duration::from_secs(30),
        };
        http::exchange(host, request).await
    }

    #[test]
    fn scripted_answers_come_in_order_and_then_everything_passes() {
        let answers =
            vec![GateAnswer::Status(503), GateAnswer::Pass, GateAnswer::RpcError(-32001), GateAnswer::Close];
        with_gate(answers, async |host, reached| {
            let first = call_back(&host, b"1").await.expect("an answer");
            assert_eq!((first.status, first.body.as_slice()), (503, &b"{}"[..]));
            let second = call_back(&host, b"2").await.expect("an answer");
            assert_eq!((second.status, second.body.as_slice()), (202, &b"[1]"[..]));
            let third: serde_json::Value =
                serde_json::from_slice(&call_back(&host, b"3").await.expect("an answer").body).expect("JSON");
            assert_eq!(third["error"]["code"], -32001);
            assert!(call_back(&host, b"4").await.is_err());
            assert_eq!(call_back(&host, b"5").await.expect("an answer").status, 202);
            assert_eq!(*reached.borrow(), [b"2".to_vec(), b"5".to_vec()]);
        });
    }

    #[test]
    fn silence_and_lateness_take_their_time() {
        let answers = vec![
            GateAnswer::Silence(Millis(5000)),
            GateAnswer::Late(Millis(7000)),
            GateAnswer::Late(Millis(31_000)),
        ];
        with_gate(answers, async |host, reached| {
            let took = async |body: &[u8]| {
                let began = host.clock().now();
                let heard = call_back(&host, body).await.is_ok();
                (heard, (host.clock().now() - began).as_secs())
            };
            assert_eq!(took(b"1").await, (false, 5));
            assert_eq!(took(b"2").await, (true, 7));
            assert_eq!(took(b"3").await, (false, 30), "it passed, and the sender does not know");
            assert_eq!(*reached.borrow(), [b"2".to_vec(), b"3".to_vec()]);
        });
    }

    #[test]
    fn the_largest_reply_that_a_receiver_makes_passes() {
        with_gate(Vec::new(), async |host, reached| {
            let body = vec![b'x'; 9 * 1024 * 1024];
            assert_eq!(call_back(&host, &body).await.expect("an answer").status, 202);
            assert_eq!(reached.borrow()[0].len(), body.len());
        });
    }

    #[test]
    fn without_a_node_behind_it_the_gate_says_so() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let machine = Machine::new(&World::new(WorldSettings::default()), "box");
            let host = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
            let gate = listen(&host, &Address::loopback(GATE)).await.expect("a free port");
            let url = format!("http://127.0.0.1:{NODE}/").parse().expect("a URL");
            host.spawn(serve(host.clone(), gate, url, Vec::new()));
            assert_eq!(call_back(&host, b"1").await.expect("an answer").status, 503);
        });
    }
}
