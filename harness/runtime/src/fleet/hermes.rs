//! The Hermes node: takes callbacks from receivers, and answers a ping (fleet sheet 4.1 to 4.3). An ordinary hyper service.

use std::convert::Infallible;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gauntlet_protocol::bearer_token;
use gauntlet_protocol::fleet::config::{ConfigError, FleetConfig};
use gauntlet_protocol::fleet::{AgentMessage, ContextId, Dispatch, MAX_CALLBACK, is_send_method};
use gauntlet_protocol::jsonrpc::{Request, RequestError, Response, RpcError, code};
use gauntlet_world::http::HyperIo;
use gauntlet_world::network::{Address, Listener};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use super::{Delivery, Fleet};

/// A connection is served for so long at most.
const PATIENCE: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 256;

/// Serves connections for ever.
pub async fn serve(fleet: Rc<Fleet>, listener: Listener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(place) = places.clone().acquire_owned().await {
        let Ok(stream) = listener.accept().await else {
            // Out of descriptors, most likely: those who are served must come to their end first.
            fleet.host.clock().sleep(Duration::from_millis(100)).await;
            continue;
        };
        let task = fleet.clone();
        fleet.host.spawn(async move {
            let service = service_fn(|request| {
                let fleet = task.clone();
                async move { Ok::<_, Infallible>(answer(&fleet, request).await) }
            });
            let mut server = http1::Builder::new();
            // The date would come from a clock that is not the host's.
            server.auto_date_header(false);
            let connection = server.serve_connection(HyperIo::new(stream), service);
            // A connection that breaks is its client's affair.
            let _ = task.host.clock().within(PATIENCE, connection).await;
            drop(place);
        });
    }
}

async fn answer(fleet: &Rc<Fleet>, request: hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
    let (status, body) = match (request.method().as_str(), request.uri().path()) {
        ("GET", "/health") => match fleet.config().await {
            Ok(config) => (200, json!({ "ok": true, "version": "0.1.0", "peer_count": config.agents.len() })),
            Err(error) => misconfigured(&error),
        },
        ("GET", "/.well-known/agent-card.json") => match fleet.config().await {
            Ok(config) => (200, card(fleet, &config)),
            Err(error) => misconfigured(&error),
        },
        ("POST", "/jsonrpc") => post(fleet, request).await,
        _ => (404, json!({ "error": "not found" })),
    };
    let mut response = hyper::Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() =
        hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    response
        .headers_mut()
        .insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    response
}

/// Callers are not told what is wrong: it is the operator's affair.
fn misconfigured(error: &ConfigError) -> (u16, Value) {
    tracing::warn!(%error, "the node cannot answer");
    (503, json!({ "error": "service unavailable: misconfigured" }))
}

fn card(fleet: &Fleet, config: &FleetConfig) -> Value {
    let address = Address { host: config.server.bind_host.clone(), port: fleet.port.get() };
    json!({
        "name": config.name.as_deref().unwrap_or("a2a_fleet"),
        "description": "Hermes Agent profile exposed as an A2A v0.1 fleet member. Echo handler for ping/pong; TaskManager + SSE deferred to v0.2+.",
        "url": format!("http://{address}/jsonrpc"),
        "version": "0.1.0",
        "protocolVersion": "1.0",
        "capabilities": { "streaming": false, "pushNotifications": false, "stateTransitionHistory": false },
        "defaultInputModes": ["text", "text/plain"],
        "defaultOutputModes": ["text", "text/plain"],
        "securitySchemes": { "bearerAuth": {
            "type": "http",
            "scheme": "bearer",
            "description": "Pre-shared bearer token; clients supply the token configured via fleet.yaml token_env.",
        } },
        "security": [{ "bearerAuth": [] }],
        "skills": [{
            "id": "echo",
            "name": "Echo",
            "description": "Returns 'pong' for input 'ping'; otherwise echoes the input verbatim.",
            "tags": ["v0.1", "diagnostic"],
            "examples": ["ping"],
        }],
    })
}

async fn post(fleet: &Rc<Fleet>, request: hyper::Request<Incoming>) -> (u16, Value) {
    let config = match fleet.config().await {
        Ok(config) => config,
        Err(error) => return misconfigured(&error),
    };
    if let Some(refusal) = refusal(fleet, &config, request.headers()) {
        return refusal;
    }
    // The sheet sets no limit; without one a peer could fill the memory, and a smaller one would refuse a reply for ever.
    let Ok(body) = Limited::new(request.into_body(), MAX_CALLBACK).collect().await else {
        return (413, json!({ "error": "request entity too large" }));
    };
    match Request::parse(&body.to_bytes()) {
        Ok(request) => {
            let id = request.id.clone();
            (200, Response { id, outcome: rpc(fleet, request).await }.to_value())
        }
        Err(error) => {
            let (code, text) = match error {
                RequestError::NotJson(_) => (code::PARSE_ERROR, "Parse error: invalid JSON body"),
                RequestError::NotAnObject(_) => {
                    (code::INVALID_REQUEST, "Invalid Request: top-level body must be an object")
                }
            };
            (200, Response { id: Value::Null, outcome: Err(RpcError::new(code, text)) }.to_value())
        }
    }
}

/// Decided before anything of the body is looked at (FLEET-AUTH-05).
fn refusal(fleet: &Fleet, config: &FleetConfig, headers: &hyper::HeaderMap) -> Option<(u16, Value)> {
    if !config.server.auth_required {
        return None;
    }
    let expected = config.server.token_env.as_deref().and_then(|name| fleet.variable(name));
    let Some(expected) = expected else {
        // Never names the variable (FLEET-AUTH-06).
        return Some((503, json!({ "error": "service unavailable: authentication misconfigured" })));
    };
    let presented = headers.get(hyper::header::AUTHORIZATION);
    match presented.and_then(|field| bearer_token(field.as_bytes())) {
        None => Some((401, json!({ "error": "missing bearer token" }))),
        Some(token) if token.ct_eq(expected.as_bytes()).into() => None,
        Some(_) => Some((401, json!({ "error": "invalid bearer token" }))),
    }
}

async fn rpc(fleet: &Rc<Fleet>, request: Request) -> Result<Value, RpcError> {
    if !is_send_method(&request.method) {
        return Err(RpcError::new(
            code::METHOD_NOT_FOUND,
            format!("Method not found: {}", quoted(&request.method)),
        ));
    }
    let is_callback = request.params.pointer("/message/role").and_then(Value::as_str) == Some("agent");
    let dispatch = Dispatch::from_params(&request.params)?;
    let context = dispatch.context.unwrap_or_else(|| {
        let generated = fleet.host.entropy().uuid().to_string();
        ContextId::new(generated).expect("a UUID is not empty")
    });
    let text = if is_callback {
        take(fleet, &request.id, &context, &dispatch.text).await?;
        String::new()
    } else {
        echo(&dispatch.text)
    };
    Ok(AgentMessage { text, context: Some(context.to_string()) }.result())
}

fn quoted(method: &Value) -> String {
    match method {
        Value::String(name) => format!("'{name}'"),
        other => format!("'{other}'"),
    }
}

/// Delivers a reply to the context that it names, once.
async fn take(fleet: &Fleet, id: &Value, context: &ContextId, text: &str) -> Result<(), RpcError> {
    // Without an id a second arrival cannot be told from a second reply; losing one would be worse than showing it twice.
    let id = match id {
        Value::Null => format!("unnamed-{}", fleet.host.entropy().uuid()),
        id => id.to_string(),
    };
    let delivery = Delivery { id, context: context.to_string(), text: text.to_owned() };
    match fleet.deliveries().deliver(&fleet.host, delivery).await {
        Ok(fresh) => {
            if fresh {
                fleet.note_delivered(context.as_str(), text).await;
            }
            Ok(())
        }
        Err(error) => Err(RpcError::new(
            code::SERVER_ERROR,
            format!("Server error: the reply could not be kept: {error}"),
        )),
    }
}

/// The default handler (FLEET-HUB-01).
fn echo(text: &str) -> String {
    if text.trim().eq_ignore_ascii_case("ping") { "pong".to_owned() } else { text.to_owned() }
}
