//! What the receiver answers over HTTP, in the order of checks that the sheet fixes (2.2).

use std::rc::Rc;
use std::sync::Arc;

use gauntlet_protocol::bearer_token;
use gauntlet_protocol::fleet::extension::PROFILE;
use gauntlet_protocol::fleet::{
    self, AgentMessage, Direction, Dispatch, Health, MAX_BODY, extension, prompt_cut,
    refusal::{self, HttpRefusal},
};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::{Request, Response, RpcError};
use gauntlet_world::network::{Listener, Stream};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::inbox::NotAccepted;
use super::state::Receiver;
use crate::http1::{Connection, Head, Length, Refused};
use gauntlet_world::injection::{Mangle, Point};

/// An answer: status and body.
type Answer = (u16, Value);

impl Receiver {
    /// Serves connections for ever.
    pub(super) async fn serve(self: Rc<Self>, listener: Listener) {
        // A flood of connections waits in the kernel's queue instead of in our memory.
        let places = Arc::new(tokio::sync::Semaphore::new(256));
        loop {
            let Ok(place) = places.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok(stream) => {
                    let receiver = self.clone();
                    self.host.spawn(async move {
                        receiver.take_connection().await;
                        receiver.connection(stream).await;
                        receiver.connections.set(receiver.connections.get() - 1);
                        receiver.disconnected.notify_waiters();
                        drop(place);
                    });
                }
                Err(error) => {
                    self.log(format!("a connection could not be accepted: {error}")).await;
                    self.host.clock().sleep(std::time::Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Begins to serve one more connection.
    async fn take_connection(&self) {
        let event = json!({ "others": self.connections.get() > 0, "waits": false });
        let passed = self.pass(Point::ReceiverConnection, event).await.first();
        if passed.is_some_and(|event| event["waits"] == true) {
            while self.connections.get() > 0 {
                self.disconnected.notified().await;
            }
        }
        self.connections.set(self.connections.get() + 1);
    }

    /// What came is no whole request.
    async fn no_request(&self, refused: Refused) -> Option<Answer> {
        let because = match refused {
            Refused::Closed => "gone",
            Refused::Slow => "slow",
            Refused::Malformed => "malformed",
            Refused::HeadTooLarge | Refused::BodyTooLarge => "length",
        };
        self.pass(Point::ReceiverNoRequest, json!({ "because": because })).await;
        no_request(refused)
    }

    async fn connection(&self, stream: Stream) {
        let mut connection = Connection::new(&self.host, &self.settings.framing, stream);
        loop {
            let head = match connection.head().await {
                Ok(head) => head,
                Err(refused) => {
                    // One that ends between two requests has left nothing undone.
                    if refused == Refused::Closed && !connection.holds_a_part() {
                        return;
                    }
                    if let Some((status, body)) = self.no_request(refused).await {
                        let _ = connection.answer(status, &bytes(&body), false, Mangle::Nothing).await;
                        connection.close().await;
                    }
                    return;
                }
            };
            let mut body = Body { connection: &mut connection, head: &head, state: BodyState::Unread };
            let answered = self.answer(&mut body).await;
            let state = body.state;
            let Some(answered) = answered else {
                connection.close().await;
                return;
            };
            let reusable = match state {
                BodyState::Read => true,
                BodyState::Unread => connection.can_drop_body(&head, MAX_BODY),
                BodyState::Broken => false,
            };
            let stays_open = reusable && self.settings.framing.keep_alive && head.wants_more();
            let event = json!({
                "method": head.method, "path": head.path, "status": answered.0, "body": answered.1,
                "bearer": self.bearer_of(&head),
            });
            let passed = self.pass(Point::ReceiverResponse, event).await;
            for event in &passed.events {
                let status =
                    event.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
                let body = bytes(event.get("body").unwrap_or(&Value::Null));
                if connection.answer(status.unwrap_or(500), &body, stays_open, passed.mangle).await.is_err() {
                    return;
                }
            }
            if !stays_open || passed.events.is_empty() {
                connection.close().await;
                return;
            }
            // Only after the answer: whoever waits for a refusal before the body need not wait for us.
            if state == BodyState::Unread && !self.drop_body(&mut connection, &head).await {
                return;
            }
        }
    }

    /// The answer; none when the connection is to end without one.
    async fn answer(&self, body: &mut Body<'_, '_>) -> Option<Answer> {
        let head = body.head;
        Some(match head.method.as_str() {
            "GET" if head.path == "/health" => (200, self.health()),
            // Any suffix or query is accepted here (sheet 2.1).
            "GET" if head.path.starts_with("/.well-known/agent-card.json") => (200, self.card()),
            "GET" => refused(HttpRefusal::NotFound),
            "POST" if head.path == "/jsonrpc" => return self.jsonrpc(body).await,
            "POST" => refused(HttpRefusal::NotFound),
            other => (501, json!({ "error": format!("unsupported method ({other})") })),
        })
    }

    fn health(&self) -> Value {
        let health = Health {
            ok: true,
            name: self.settings.mode.peer.to_owned(),
            repo_path: Some(self.config.repo_path.clone()),
        };
        health.to_value()
    }

    fn card(&self) -> Value {
        let url = format!("http://{}:{}/jsonrpc", self.config.bind_host, self.config.bind_port);
        let mut card = fleet::card(self.settings.mode, &url);
        let names_a_profile = self.config.hermes_profile.is_some();
        let declared = self.settings.declares.iter().copied();
        let declared: Vec<_> = declared.filter(|known| **known != PROFILE || names_a_profile).collect();
        extension::declare(&mut card, &declared);
        card
    }

    async fn jsonrpc(&self, body: &mut Body<'_, '_>) -> Option<Answer> {
        if let Some(refusal) = self.authorise(body.head).await {
            return Some(refused(refusal));
        }
        let length = body.head.length();
        if length == Length::Invalid {
            return Some(rpc(Value::Null, Err(refusal::invalid_content_length())));
        }
        if !self.fits(&length).await {
            return Some(refused(HttpRefusal::TooLarge));
        }
        let content = match body.read().await {
            Ok(content) => content,
            Err(Refused::BodyTooLarge) => return Some(refused(HttpRefusal::TooLarge)),
            Err(refused) => {
                let answer = self.no_request(refused).await;
                return Some(answer.unwrap_or((400, json!({ "error": "incomplete body" }))));
            }
        };
        Some(match Request::parse(&content) {
            Err(error) => rpc(Value::Null, Err(refusal::invalid_body(&error))),
            Ok(request) => {
                let request = self.as_taken(request).await;
                let id = request.id.clone();
                match self.dispatch(request).await {
                    Ok(result) => rpc(id, Ok(result)),
                    Err(NotTaken::Refused(error)) => rpc(id, Err(error)),
                    // No error in JSON-RPC, after which it would be sent again.
                    Err(NotTaken::Unsure) => {
                        (500, json!({ "error": "the inbox is broken; the dispatch may have been accepted" }))
                    }
                    Err(NotTaken::Dropped) => return None,
                }
            }
        })
    }

    /// What bearer a request presents, whether one is wanted there or not.
    fn bearer_of(&self, head: &Head) -> &'static str {
        match (&self.token, head.header("authorization").and_then(bearer_token)) {
            (_, None) => "missing",
            (Some(token), Some(presented)) if presented.ct_eq(token.as_bytes()).into() => "ok",
            (_, Some(_)) => "wrong",
        }
    }

    /// Why the bearer is refused, if it is. Decided before anything of the body is looked at (FLEET-AUTH-05).
    async fn authorise(&self, head: &Head) -> Option<HttpRefusal> {
        let token = self.token.as_ref()?;
        let presented = head.header("authorization").and_then(bearer_token);
        let (accepted, reason) = match presented {
            None => (false, "missing"),
            Some(presented) if presented.ct_eq(token.as_bytes()).into() => (true, "ok"),
            // Only a quirk makes a difference between these.
            Some(presented) if token.as_bytes().starts_with(presented) => (false, "start"),
            Some(_) => (false, "wrong"),
        };
        let scheme = head.header("authorization").map(String::from_utf8_lossy);
        let scheme = scheme.as_deref().and_then(|field| field.split(' ').next());
        let event = json!({ "accepted": accepted, "reason": reason, "scheme": scheme });
        let passed = self.pass(Point::ReceiverAuth, event).await.first();
        if passed.and_then(|event| event.get("accepted")?.as_bool()).unwrap_or(accepted) {
            return None;
        }
        Some(if reason == "missing" { HttpRefusal::MissingBearer } else { HttpRefusal::InvalidBearer })
    }

    /// Whether a body is no longer than one may be, as far as its head says.
    async fn fits(&self, length: &Length) -> bool {
        let (chunked, longest, fits) = match length {
            Length::Bytes(bytes) => (false, *bytes == MAX_BODY, *bytes <= MAX_BODY),
            Length::Chunked => (true, false, true),
            Length::Invalid => (false, false, false),
        };
        let event = json!({ "chunked": chunked, "longest": longest, "fits": fits });
        let passed = self.pass(Point::ReceiverBody, event).await.first();
        passed.and_then(|event| event.get("fits")?.as_bool()).unwrap_or(fits)
    }

    /// Drops the body of a request that was refused without reading it; false: it did not come.
    async fn drop_body(&self, connection: &mut Connection<'_>, head: &Head) -> bool {
        let bytes = match head.length() {
            Length::Bytes(0) => return true,
            Length::Bytes(bytes) => Some(bytes),
            Length::Chunked | Length::Invalid => None,
        };
        let passed = self.pass(Point::ReceiverDropBody, json!({ "bytes": bytes })).await;
        passed.events.is_empty() || connection.drop_body(head, MAX_BODY).await
    }

    async fn dispatch(&self, request: Request) -> Result<Value, NotTaken> {
        if !fleet::is_send_method(&request.method) {
            return Err(fleet::method_not_found(&request.method).into());
        }
        let dispatch = match Dispatch::from_params(&request.params) {
            Ok(dispatch) => dispatch,
            Err(refusal) => self.mistyped(&request.params, refusal).await?,
        };
        let (text, too_long) = prompt_cut(&dispatch.text);
        let cut = too_long || Dispatch::texts(&request.params) > 1;
        let task = self.task_of(&request.params, &dispatch.text, dispatch.context.as_ref()).await?;
        let context = match dispatch.context {
            Some(context) => context.to_string(),
            None => self.new_context().await,
        };
        let claim = self.claim(&context).await?;
        if let Err(error) = self.accept(&context, text, cut, task.as_ref()).await {
            self.log(error.to_string()).await;
            return Err(match error {
                NotAccepted::Refused(error) => refusal::inbox_write_failed(&error.to_string()).into(),
                NotAccepted::Unsure(..) => {
                    // If it is there, it may as well be run soon.
                    self.arrived.notify_one();
                    NotTaken::Unsure
                }
            });
        }
        self.claims.keep(claim);
        self.worked();
        self.record(Direction::Inbound, &context, text).await;
        let event = json!({ "contextId": context, "text": self.settings.mode.ack_text() });
        let passed = self.pass(Point::ReceiverAck, event).await;
        let ack = passed.first().unwrap_or_else(|| json!({ "contextId": context, "text": "" }));
        let text = ack.get("text").and_then(Value::as_str).unwrap_or_default();
        let named = ack.get("contextId").and_then(Value::as_str).map(str::to_owned);
        self.record(Direction::Ack, &context, text).await;
        if !self.pass(Point::ReceiverWake, json!({ "contextId": context })).await.events.is_empty() {
            self.arrived.notify_one();
        }
        Ok(AgentMessage { text: text.to_owned(), context: named }.result())
    }
}

/// Why a dispatch is not acknowledged.
pub(super) enum NotTaken {
    /// It never runs.
    Refused(RpcError),
    /// Nobody knows whether it runs.
    Unsure,
    /// It never runs, and nobody says so: the connection ends.
    Dropped,
}

impl From<RpcError> for NotTaken {
    fn from(error: RpcError) -> Self {
        NotTaken::Refused(error)
    }
}

/// A request's body, read only when the checks before it allow.
struct Body<'a, 'c> {
    connection: &'a mut Connection<'c>,
    head: &'a Head,
    state: BodyState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BodyState {
    Unread,
    Read,
    /// Reading failed half way: what comes next on the connection is anything but the next request.
    Broken,
}

impl Body<'_, '_> {
    async fn read(&mut self) -> Result<Vec<u8>, Refused> {
        self.state = BodyState::Broken;
        let content = self.connection.body(self.head, MAX_BODY).await?;
        self.state = BodyState::Read;
        Ok(content)
    }
}

fn refused(refusal: HttpRefusal) -> Answer {
    (refusal.status(), refusal.body())
}

fn rpc(id: Value, outcome: Result<Value, RpcError>) -> Answer {
    (200, Response { id, outcome }.to_value())
}

/// The answer to bytes that are no request; none when nobody is there to read it.
fn no_request(refused: Refused) -> Option<Answer> {
    let (status, error) = match refused {
        Refused::Closed => return None,
        Refused::Malformed => (400, "bad request"),
        Refused::HeadTooLarge => (431, "request header fields too large"),
        Refused::BodyTooLarge => (413, "request entity too large"),
        Refused::Slow => (408, "request timeout"),
    };
    Some((status, json!({ "error": error })))
}

fn bytes(body: &Value) -> Vec<u8> {
    json::spaced(body).into_bytes()
}
