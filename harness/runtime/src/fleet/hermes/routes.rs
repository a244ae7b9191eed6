//! What there is over HTTP, and who may ask for it.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use gauntlet_protocol::bearer_token;
use gauntlet_protocol::fleet::MAX_CALLBACK;
use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::extension::{Extension, takes_replies};
use gauntlet_protocol::fleet::hermes::feed::Feed;
use gauntlet_protocol::fleet::hermes::{VERSION, hermes_card, refusal};
use gauntlet_protocol::jsonrpc::{Request, Response, RpcError};
use gauntlet_world::injection::Point;
use gauntlet_world::network::Address;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::Node;
use crate::fleet::Fleet;
use crate::fleet::task::REPLIES;

/// How long a client may take over a body.
const BODY: Duration = Duration::from_secs(120);

type Answer = (u16, Value);

impl Node {
    /// Answers one request.
    pub(super) async fn answer(
        self: &Rc<Self>,
        request: hyper::Request<Incoming>,
    ) -> hyper::Response<Full<Bytes>> {
        let (status, body) = match self.fleet.config().await {
            Ok(config) => self.route(&config, request).await,
            Err(error) => {
                tracing::error!(%error, "the configuration cannot be used");
                refusal::unconfigured()
            }
        };
        let mut response = hyper::Response::new(Full::new(Bytes::from(body.to_string())));
        *response.status_mut() =
            hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }

    async fn route(self: &Rc<Self>, config: &FleetConfig, request: hyper::Request<Incoming>) -> Answer {
        match (request.method().as_str(), request.uri().path()) {
            ("GET", "/health") => {
                (200, json!({ "ok": true, "version": VERSION, "peer_count": config.agents.len() }))
            }
            ("GET", "/.well-known/agent-card.json") => (200, card(&self.fleet, config)),
            ("POST", path) if self.takes_replies_at(path).await => self.post(config, request).await,
            ("GET", _) => match Feed::asked(&request.uri().to_string()) {
                // What was said is no less private than saying something.
                Some(asked) => match self.refusal(config, request.headers()) {
                    Some(refusal) => refusal,
                    None => self.feed(&asked).await,
                },
                None => refusal::not_found(),
            },
            _ => refusal::not_found(),
        }
    }

    /// Whether a path is the node's own, or one below it at which a task may have asked for its reply.
    async fn takes_replies_at(&self, path: &str) -> bool {
        if path == REPLIES || !takes_replies(path, REPLIES) {
            return path == REPLIES;
        }
        let event = json!({ "path": path, "taken": true });
        self.fleet.decide(Point::RuntimeReplyPath, event).await.yes("taken")
    }

    async fn post(self: &Rc<Self>, config: &FleetConfig, request: hyper::Request<Incoming>) -> Answer {
        // Before anything of the body is looked at (FLEET-AUTH-05).
        if let Some(refusal) = self.refusal(config, request.headers()) {
            return refusal;
        }
        // The sheet sets no limit; without one a peer could fill the memory, and a smaller one would refuse a reply for ever.
        let body = Limited::new(request.into_body(), MAX_CALLBACK).collect();
        let body = match self.fleet.host.clock().within(BODY, body).await {
            Some(Ok(body)) => body.to_bytes(),
            Some(Err(_)) => return (413, json!({ "error": "request entity too large" })),
            None => return (408, json!({ "error": "request timeout" })),
        };
        let (id, outcome) = match Request::parse(&body) {
            Ok(request) => (request.id.clone(), self.begin(config, request).await),
            Err(error) => (Value::Null, Err(refusal::body(&error))),
        };
        (200, Response { id, outcome }.to_value())
    }

    /// A message that was accepted comes to its end as a task of the host: hyper drops what is done for a caller that hangs up.
    async fn begin(self: &Rc<Self>, config: &FleetConfig, request: Request) -> Result<Value, RpcError> {
        let (node, config) = (self.clone(), config.clone());
        let turn = self.fleet.host.spawn(async move { node.call(&config, request).await });
        turn.join().await.unwrap_or_else(|| Err(refusal::server("the turn was interrupted")))
    }

    fn refusal(&self, config: &FleetConfig, headers: &HeaderMap) -> Option<Answer> {
        if !config.server.auth_required {
            return None;
        }
        let expected = config.server.token_env.as_deref().and_then(|name| self.fleet.variable(name));
        let Some(expected) = expected else {
            return Some(refusal::misconfigured());
        };
        match headers.get(AUTHORIZATION).and_then(|field| bearer_token(field.as_bytes())) {
            None => Some(refusal::missing_bearer()),
            Some(token) if token.ct_eq(expected.as_bytes()).into() => None,
            Some(_) => Some(refusal::invalid_bearer()),
        }
    }
}

fn card(fleet: &Fleet, config: &FleetConfig) -> Value {
    let address = Address { host: config.server.bind_host.clone(), port: fleet.port.get() };
    let name = config.name.as_deref().unwrap_or("a2a_fleet");
    hermes_card(name, &format!("http://{address}/jsonrpc"), &Extension::of_nodes())
}
