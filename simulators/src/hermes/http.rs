//! What a node answers over HTTP.

use gauntlet_protocol::bearer_token;
use gauntlet_protocol::fleet::MAX_CALLBACK;
use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::extension::{EXTENSIONS, Extension, Taker};
use gauntlet_protocol::fleet::hermes::feed::Feed;
use gauntlet_protocol::fleet::hermes::{VERSION, hermes_card, refusal};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::{Request, RequestError, Response, RpcError};
use gauntlet_world::network::Stream;
use gauntlet_world::{Either, race};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;

use super::{Peer, config};
use crate::http1::{Connection, Head, Refused};
use gauntlet_world::injection::{Mangle, Point};

type Answer = (u16, Value);

/// The answer to whoever may not speak.
struct Refusal {
    answer: Answer,
    /// What is wrong with the body is told before.
    reads_first: bool,
}

impl Peer {
    pub(super) async fn connection(&self, stream: Stream) {
        let host = self.0.host.clone();
        let mut connection = Connection::new(&host, &self.0.settings.framing, stream);
        loop {
            let head = match connection.head().await {
                Ok(head) => head,
                Err(Refused::Closed) => return,
                Err(_) => {
                    let body = bytes(&json!({ "error": "bad request" }));
                    let _ = connection.answer(400, &body, false, Mangle::Nothing).await;
                    return connection.close().await;
                }
            };
            let mut unread = true;
            let (status, body) = self.answer(&mut connection, &head, &mut unread).await;
            let stays_open = head.wants_more()
                && !self.0.closing.get()
                && (!unread || connection.can_drop_body(&head, MAX_CALLBACK));
            let event = json!({ "method": head.method, "path": head.path, "status": status, "body": body });
            let passed = self.0.settings.injector.pass(&host, Point::HermesResponse, event).await;
            for event in &passed.events {
                let status = event["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                let body = bytes(&event["body"]);
                let sent = connection.answer(status.unwrap_or(500), &body, stays_open, passed.mangle).await;
                if sent.is_err() {
                    return;
                }
            }
            // Who breaks off hangs up.
            if !stays_open || passed.events.is_empty() || passed.mangle != Mangle::Nothing {
                return connection.close().await;
            }
            if unread && !connection.drop_body(&head, MAX_CALLBACK).await {
                return;
            }
        }
    }

    async fn answer(&self, connection: &mut Connection<'_>, head: &Head, unread: &mut bool) -> Answer {
        let Ok(config) = self.config().await else { return refusal::unconfigured() };
        let path = head.path.split('?').next().unwrap_or_default();
        match (head.method.as_str(), path) {
            ("GET", "/health") => {
                (200, json!({ "ok": true, "version": VERSION, "peer_count": config.agents.len() }))
            }
            ("GET", "/.well-known/agent-card.json") => {
                let server = &config.server;
                let url = format!("http://{}:{}/jsonrpc", server.bind_host, server.bind_port);
                let taken: Vec<&Extension> =
                    EXTENSIONS.iter().filter(|known| known.taker != Taker::Receiver).collect();
                (200, hermes_card(config.name.as_deref().unwrap_or("a2a_fleet"), &url, &taken))
            }
            ("POST", "/jsonrpc") => {
                let refusal = self.authorise(&config, head).await;
                if let Some(Refusal { answer, reads_first: false }) = refusal {
                    return answer;
                }
                *unread = false;
                match connection.body(head, MAX_CALLBACK).await {
                    Ok(body) => match (refusal, Request::parse(&body)) {
                        (Some(refusal), Ok(_)) => refusal.answer,
                        (_, request) => self.jsonrpc(connection, &config, request).await,
                    },
                    Err(Refused::BodyTooLarge) => (413, json!({ "error": "request entity too large" })),
                    Err(_) => (400, json!({ "error": "incomplete body" })),
                }
            }
            ("GET", _) => match Feed::asked(&head.path) {
                Some(asked) => match self.authorise(&config, head).await {
                    Some(refusal) => refusal.answer,
                    None => self.feed(&asked).await,
                },
                None => refusal::not_found(),
            },
            _ => refusal::not_found(),
        }
    }

    /// The file of this moment.
    async fn config(&self) -> Result<FleetConfig, String> {
        let read = match config::read(&self.0.host).await {
            Ok(read) => read,
            Err(broken) => {
                let event = json!({ "rule": broken.rule, "refused": true });
                let event = self.pass(Point::HermesConfigBroken, event).await;
                return match event.is_some_and(|event| event["refused"] != true) {
                    true => Ok(broken.says.map_or_else(|| self.0.first.clone(), |says| *says)),
                    false => Err(broken.to_string()),
                };
            }
        };
        let event = json!({ "handler": read.response_handler.name(), "peers": read.agents.len() });
        let is_read = self.pass(Point::HermesConfig, event).await.is_some();
        Ok(if is_read { read } else { self.0.first.clone() })
    }

    async fn authorise(&self, config: &FleetConfig, head: &Head) -> Option<Refusal> {
        let scheme = head.header("authorization").map(String::from_utf8_lossy);
        let scheme = scheme.as_deref().and_then(|field| field.split(' ').next());
        let presented = head.header("authorization").and_then(bearer_token);
        if !config.server.auth_required {
            let event = json!({ "accepted": true, "reason": "open", "scheme": scheme, "reads_first": false });
            let judged = self.pass(Point::HermesAuth, event).await.unwrap_or_default();
            let accepted = judged["accepted"] == true;
            return (!accepted).then(|| Refusal { answer: refusal::missing_bearer(), reads_first: false });
        }
        let token = config.server.token_env.as_deref().and_then(|name| self.0.host.env(name));
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Some(Refusal { answer: refusal::misconfigured(), reads_first: false });
        };
        let reason = match presented {
            None => "missing",
            Some(presented) if presented.ct_eq(token.as_bytes()).into() => "ok",
            // Only a quirk makes a difference between these.
            Some(presented) if token.as_bytes().starts_with(presented) => "start",
            Some(_) => "wrong",
        };
        let event =
            json!({ "accepted": reason == "ok", "reason": reason, "scheme": scheme, "reads_first": false });
        let judged = self.pass(Point::HermesAuth, event).await.unwrap_or_default();
        if judged["accepted"] == true {
            return None;
        }
        let answer = if presented.is_none() { refusal::missing_bearer() } else { refusal::invalid_bearer() };
        Some(Refusal { answer, reads_first: judged["reads_first"] == true })
    }

    async fn jsonrpc(
        &self,
        connection: &mut Connection<'_>,
        config: &FleetConfig,
        request: Result<Request, RequestError>,
    ) -> Answer {
        let (id, outcome) = match request {
            Err(error) => (Value::Null, Err(refusal::body(&error))),
            Ok(mut request) => {
                let event = json!({ "method": request.method, "id": request.id });
                if let Some(event) = self.pass(Point::HermesRequest, event).await {
                    request.method = event["method"].clone();
                    request.id = event["id"].clone();
                }
                (request.id.clone(), self.turn(connection, config, request).await)
            }
        };
        (200, Response { id, outcome }.to_value())
    }

    /// What a message leads to. It goes on when its caller hangs up.
    async fn turn(
        &self,
        connection: &mut Connection<'_>,
        config: &FleetConfig,
        request: Request,
    ) -> Result<Value, RpcError> {
        let context = request.params.pointer("/message/contextId").cloned();
        let (peer, config) = (self.clone(), config.clone());
        let (tell, mut told) = oneshot::channel();
        let turn = self.0.host.spawn(async move {
            let _ = tell.send(peer.call(&config, request).await);
        });
        let outcome = match race(&mut told, connection.hung_up()).await {
            Either::First(outcome) => outcome,
            Either::Second(()) => {
                let event = json!({ "contextId": context, "goes_on": true });
                if self.pass(Point::HermesHangUp, event).await.is_some_and(|event| event["goes_on"] != true) {
                    turn.cancel();
                }
                told.await
            }
        };
        outcome.unwrap_or_else(|_| Err(refusal::server("the turn broke off")))
    }
}

fn bytes(body: &Value) -> Vec<u8> {
    json::spaced(body).into_bytes()
}
