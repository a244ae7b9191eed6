//! The callback gate: stands where receivers send their replies, in front of the runtime's Hermes node.
//!
//! It answers the first callbacks as a scenario says (an error, garbage, silence, a closed door) and passes all others on,
//! byte for byte. So every receiver can meet a Hermes that fails, in both lanes, while the runtime stays the real one.

use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::MAX_BODY;
use gauntlet_world::Host;
use gauntlet_world::http::{self, Request, Url};
use gauntlet_world::network::{Address, Listener, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::http1::{Connection, Framing};
use crate::injection::{Mangle, Millis};

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
    let Ok(body) = connection.body(&head, MAX_BODY).await else { return };
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
    let url = Url { path: head.path.clone(), ..node.clone() };
    let request =
        Request { method: head.method.clone(), url, headers, body, limit: Duration::from_secs(120) };
    match http::exchange(host, request).await {
        Ok(answer) => (answer.status, answer.body),
        Err(_) => (503, b"{}".to_vec()),
    }
}
