//! One dispatch to a peer (fleet sheet 5.1).

use std::time::Duration;

use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_protocol::fleet::extension::task::Task;
use gauntlet_protocol::fleet::extension::usage::{Reading, Usage};
use gauntlet_protocol::fleet::extension::{HANDLER, TASK};
use gauntlet_protocol::fleet::{AgentMessage, ContextId, Dispatch};
use gauntlet_protocol::jsonrpc::{Request as RpcRequest, Response, RpcError, code};
use gauntlet_world::http::{self, HttpError, Request, Url};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Fleet;
use super::decided::Decided;
use super::home::profile;
use super::task::Form;

/// How long a peer may take to acknowledge.
pub(super) const SEND_LIMIT: Duration = Duration::from_secs(30);

/// What a sender must know of a failure: what can have happened at the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The peer has not seen it.
    NotSent,
    /// The peer said no.
    Refused,
    /// The peer took it, and its answer holds no reply.
    AcceptedWithoutReply,
    /// The peer took it, and answered on another context than the one that was asked on.
    RepliedElsewhere,
    /// The peer may have accepted it, and no usable answer came.
    Unknown,
    /// The peer may be at work on it, and its deadline is over.
    Deadline,
    /// The peer has not seen it, since it does not declare what it was to be asked for.
    Undeclared,
    /// The peer's budget does not allow it; the peer has not seen it.
    Budget,
}

impl Class {
    /// The stable name in tool results.
    pub fn name(self) -> &'static str {
        match self {
            Class::NotSent => "not_sent",
            Class::Refused => "refused",
            Class::AcceptedWithoutReply => "accepted_without_reply",
            Class::RepliedElsewhere => "replied_elsewhere",
            Class::Unknown => "unknown",
            Class::Deadline => "deadline",
            Class::Undeclared => "undeclared",
            Class::Budget => "budget",
        }
    }

    /// Whether sending again cannot run the work twice.
    pub fn retry_is_safe(self) -> bool {
        matches!(self, Class::NotSent | Class::Refused | Class::Undeclared | Class::Budget)
    }
}

/// Why a dispatch has no acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// What can have happened at the peer.
    pub class: Class,
    /// What went wrong, in a word or two that stay the same.
    pub because: &'static str,
    /// For people: what was expected, and what came.
    pub text: String,
    /// The context on which a reply may still come, of what was accepted.
    pub context: Option<String>,
}

impl SendError {
    pub(super) fn new(class: Class, because: &'static str, text: impl Into<String>) -> Self {
        Self { class, because, text: text.into(), context: None }
    }
}

impl Fleet {
    /// A dispatch that failed, as a tool result.
    pub(super) async fn failure(&self, error: &SendError) -> Value {
        let class = error.class;
        let event =
            json!({ "because": error.because, "class": class.name(), "retry_safe": class.retry_is_safe() });
        let told = self.decide(Point::RuntimeFailure, event).await;
        let (class, safe) = (told.value("class"), told.value("retry_safe"));
        let mut value = json!({ "error": error.text, "class": class, "retry_safe": safe });
        if let Some(context) = &error.context {
            value["context_id"] = json!(context);
        }
        value
    }

    /// The name by which other nodes know this one.
    pub(super) async fn own_name(&self) -> String {
        let configured = self.config().await.ok().and_then(|config| config.name.clone());
        match configured {
            Some(name) => name,
            None => profile(&self.host).await,
        }
    }

    /// The entry of a peer in `fleet.yaml`.
    pub(super) async fn peer(&self, name: &str) -> Result<PeerEntry, SendError> {
        let config = self.config().await;
        let config =
            config.map_err(|error| SendError::new(Class::NotSent, "configuration", error.to_string()))?;
        config.agents.get(name).cloned().ok_or_else(|| {
            let known: Vec<&str> = config.agents.keys().map(String::as_str).collect();
            let text = format!("agent '{name}' not in fleet.yaml; configured: {known:?}");
            SendError::new(Class::NotSent, "unknown peer", text)
        })
    }

    /// Sends one message to a peer and gives its immediate answer: an acknowledgement from a receiver, the reply itself from
    /// a Hermes node. Never tries twice.
    pub(super) async fn send(
        &self,
        peer_name: &str,
        text: &str,
        context: Option<ContextId>,
        task: Option<&Task>,
        choice: Option<&Choice>,
    ) -> Result<AgentMessage, SendError> {
        let peer = self.peer(peer_name).await?;
        let whole_ms = task.and_then(|task| task.deadline_ms);
        let whole = whole_ms.map_or(Duration::MAX, Duration::from_millis);
        let began = self.host.clock().now();
        let left = || whole.saturating_sub(self.host.clock().now() - began);
        let form = match task {
            Some(task) => {
                self.confine(peer_name, context.as_ref(), task).await?;
                Some(self.form(peer_name, &peer, task, text, left()).await?)
            }
            None => None,
        };
        if let Some(choice) = choice {
            self.may_choose(peer_name, &peer, choice, left()).await?;
        }
        let text = match &form {
            Some(Form::Text(whole)) => whole.as_str(),
            _ => text,
        };
        let url: Url = format!("{}/jsonrpc", peer.url.trim_end_matches('/')).parse().map_err(|error| {
            SendError::new(Class::NotSent, "address", format!("agent '{peer_name}': {error}"))
        })?;
        let token = self.token_of(&peer).await;
        let token = token.as_deref();
        let (sent, headers, mut params) = self.envelope(peer_name, text, context.as_ref(), token).await;
        let asked = context;
        let is_plain = peer.mode.is_none();
        if is_plain {
            // A plain peer may be another Hermes: it is told who speaks (sheet 4.3). Receivers do not look at it.
            params["message"]["user"] = Value::String(self.own_name().await);
        }
        // What a quirk makes of the request is no affair of the record.
        let id = sent.text("id").unwrap_or_default().to_owned();
        if let (Some(task), Some(Form::Announced)) = (task, &form) {
            params["message"]["messageId"] = Value::String(id.clone());
            TASK.announce(&mut params["message"], task.to_value());
        }
        if let Some(choice) = choice {
            HANDLER.announce(&mut params["message"], choice.to_value());
        }
        let answers_on = task
            .and_then(|task| task.reply_to.as_ref()?.context.as_ref())
            .or(asked.as_ref())
            .map(ContextId::as_str);
        self.note_deadline(&id, answers_on, whole_ms.map(|_| left())).await?;
        let is_counted = match self.reserve(peer_name, &peer, &id, answers_on).await {
            Ok(is_counted) => is_counted,
            Err(refusal) => {
                self.forget_deadline(&id).await;
                return Err(refusal);
            }
        };
        if let Some(on) = answers_on {
            self.remember_peer(peer_name, on).await;
        }
        let request =
            RpcRequest { id: sent.value("id").clone(), method: sent.value("method").clone(), params };
        if let Some(context) = &asked {
            self.note_sent(peer_name, context.as_str(), text).await;
        }
        let body = request.to_value().to_string().into_bytes();
        let limit = SEND_LIMIT.min(left());
        let request = Request { method: "POST".to_owned(), url: url.clone(), headers, body, limit };
        let mut told = Reading::default();
        let understood = match http::exchange(&self.host, request).await {
            Ok(answer) => {
                told = used(&answer.body);
                understand(peer_name, answer.status, &answer.body)
            }
            Err(error) if error.may_have_been_seen() && left().is_zero() => {
                let mut over = deadline_over(peer_name, whole_ms);
                over.context = answers_on.map(str::to_owned);
                Err(over)
            }
            Err(error) => Err(failed(peer_name, &url, &error)),
        };
        let shown = |text: &str| token.map_or_else(|| text.to_owned(), |token| without(text, token));
        let understood = understood.map(|message| AgentMessage { text: shown(&message.text), ..message });
        let understood = understood.map_err(|error| SendError { text: shown(&error.text), ..error });
        let message = match understood {
            Ok(message) => message,
            Err(error) => {
                // Of what never began no reply is to come.
                if error.class.retry_is_safe() {
                    if is_counted {
                        self.release(&id).await;
                    }
                    self.forget_deadline(&id).await;
                }
                return Err(error);
            }
        };
        if is_counted {
            self.book(&id, is_plain, answers_on, &message, told).await;
        }
        if let (Some(_), None, Some(named)) = (whole_ms, answers_on, &message.context)
            && let Err(error) = self.deadlines().is_on(&self.host, &id, named).await
        {
            tracing::warn!(%error, "the context of a deadline could not be written down");
        }
        self.note_answer(peer_name, (asked.as_ref(), answers_on, text), is_plain, &message).await?;
        // A Hermes node has answered with this; no callback comes.
        if is_plain {
            self.forget_deadline(&id).await;
        }
        Ok(message)
    }

    /// Writes down until when a reply is in time, before anything is sent.
    async fn note_deadline(
        &self,
        id: &str,
        answers_on: Option<&str>,
        left: Option<Duration>,
    ) -> Result<(), SendError> {
        let noted = match (left, answers_on) {
            (Some(left), on) => self.deadlines().sending(&self.host, id, on, left).await,
            (None, Some(on)) => self.deadlines().sending_without(&self.host, id, on).await,
            (None, None) => Ok(()),
        };
        noted.map_err(|error| {
            let text = format!("the deadline could not be written down: {error}");
            SendError::new(Class::NotSent, "record", text)
        })
    }

    /// What a message looks like on its way: what was decided of it, its header fields and its parameters.
    async fn envelope(
        &self,
        peer_name: &str,
        text: &str,
        context: Option<&ContextId>,
        token: Option<&str>,
    ) -> (Decided, Vec<(String, String)>, Value) {
        let sent = json!({
            "peer": peer_name,
            "method": "SendMessage",
            "id": self.host.entropy().uuid().to_string(),
            "contextId": context.map(ContextId::as_str),
            "text": text,
            "role": "user",
            "bearer": token.is_some(),
            "in_text": false,
        });
        let sent = self.decide(Point::RuntimeDispatch, sent).await;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(token) = token.filter(|_| sent.yes("bearer")) {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let context = sent.text("contextId").and_then(|context| ContextId::new(context.to_owned()));
        let mut dispatch = Dispatch { text: sent.text("text").unwrap_or_default().to_owned(), context };
        if let Some(token) = token.filter(|_| sent.yes("in_text")) {
            dispatch.text.push_str(token);
        }
        let params = dispatch.to_params(sent.text("role").unwrap_or_default());
        (sent, headers, params)
    }

    /// Notes what an answer says, and judges whether it is one on the context that was asked on. Of a message its text is given, the
    /// context that it was sent on, and the one on which its reply comes.
    async fn note_answer(
        &self,
        peer_name: &str,
        (asked, answers_on, text): (Option<&ContextId>, Option<&str>, &str),
        is_plain: bool,
        message: &AgentMessage,
    ) -> Result<(), SendError> {
        match (asked, message.context.as_deref()) {
            (Some(asked), Some(named)) if named != asked.as_str() => {
                let text = format!("peer '{peer_name}' answered on context '{named}' instead of '{asked}'");
                return Err(SendError::new(Class::RepliedElsewhere, "elsewhere", text));
            }
            (None, Some(named)) => {
                if answers_on.is_none() {
                    self.remember_peer(peer_name, named).await;
                }
                self.note_sent(peer_name, named, text).await;
            }
            _ => {}
        }
        // A receiver's acknowledgement is no reply; a Hermes node's answer is.
        if let Some(named) = message.context.as_deref().filter(|_| is_plain) {
            self.note_heard(peer_name, named, &message.text).await;
        }
        Ok(())
    }

    async fn forget_deadline(&self, id: &str) {
        if let Err(error) = self.deadlines().close(&self.host, id).await {
            tracing::warn!(%error, "a deadline of what is over stays open");
        }
    }
}

/// So much of a bearer at the end of a text that was cut is taken for one.
const TELLING: usize = 4;

/// A text of a peer without the bearer that was sent to it: results of tools are read by models and kept in transcripts.
fn without(text: &str, token: &str) -> String {
    const REDACTED: &str = "[redacted]";
    let text = text.replace(token, REDACTED);
    let begins = (TELLING..token.len()).rev().filter_map(|length| token.get(..length));
    match begins.into_iter().find_map(|start| text.strip_suffix(start)) {
        Some(rest) => format!("{rest}{REDACTED}"),
        None => text,
    }
}

/// The error of whoever waits no longer.
pub(super) fn deadline_over(peer: &str, whole_ms: Option<u64>) -> SendError {
    let seconds = Duration::from_millis(whole_ms.unwrap_or_default()).as_secs_f64();
    let text =
        format!("the deadline of {seconds} s was over before '{peer}' replied; it may still be at work");
    SendError::new(Class::Deadline, "deadline", text)
}

fn failed(peer: &str, url: &Url, error: &HttpError) -> SendError {
    let class = if error.may_have_been_seen() { Class::Unknown } else { Class::NotSent };
    SendError::new(class, "network", format!("network error talking to '{peer}' at {url}: {error}"))
}

/// What an error says of the work. Only what is decided before anything begins is a refusal, after which another try is safe.
fn class_of(error: &RpcError) -> Class {
    let before =
        [code::PARSE_ERROR, code::INVALID_REQUEST, code::METHOD_NOT_FOUND, code::INVALID_PARAMS, code::BUSY];
    let kept_out = ["agent bridge not ready", "inbox write failed"];
    if before.contains(&error.code) || kept_out.iter().any(|text| error.message.starts_with(text)) {
        Class::Refused
    } else if error.message.starts_with("agent reply timed out") {
        // A Hermes node gives up waiting for an agent that has begun.
        Class::AcceptedWithoutReply
    } else {
        Class::Unknown
    }
}

/// What an answer says that its turn used, for one that is the reply itself.
fn used(body: &[u8]) -> Reading {
    let result = Response::parse(body).ok().and_then(|response| response.outcome.ok());
    result.and_then(|result| result.get("message").map(Usage::in_message)).unwrap_or_default()
}

/// The checks of sheet 5.1, in its order and with its texts.
fn understand(peer: &str, status: u16, body: &[u8]) -> Result<AgentMessage, SendError> {
    match status {
        200 => {}
        401 => {
            return Err(SendError::new(
                Class::Refused,
                "status",
                format!("peer '{peer}' rejected bearer token (HTTP 401)"),
            ));
        }
        _ => {
            let start: String = String::from_utf8_lossy(body).chars().take(200).collect();
            let class = if (400..500).contains(&status) { Class::Refused } else { Class::Unknown };
            return Err(SendError::new(
                class,
                "status",
                format!("peer '{peer}' returned HTTP {status}: {start}"),
            ));
        }
    }
    let response = Response::parse(body).map_err(|error| {
        SendError::new(Class::Unknown, "garbage", format!("peer '{peer}' returned non-JSON body ({error})"))
    })?;
    let result = response.outcome.map_err(|error| {
        let text = format!("peer returned JSON-RPC error {}: {}", error.code, error.message);
        SendError::new(class_of(&error), "error", text)
    })?;
    AgentMessage::from_result(&result).map_err(|error| {
        SendError::new(Class::AcceptedWithoutReply, "no reply", format!("peer '{peer}': {error}"))
    })
}
