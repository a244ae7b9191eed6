//! A dispatch that says more than its text (docs/extensions.md): what its sender checks, and in which form it leaves.

use std::time::Duration;

use gauntlet_protocol::ParseError;
use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::extension::TASK;
use gauntlet_protocol::fleet::extension::task::Task;
use gauntlet_protocol::fleet::{ContextId, Lines, TranscriptRecord};
use gauntlet_protocol::json;
use gauntlet_world::http::{self, Request, Url};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Fleet;
use super::client::{Class, SendError};

/// The path at which the node takes replies; they may also come to one below it.
pub(super) const REPLIES: &str = "/jsonrpc";
const CARD: &str = "/.well-known/agent-card.json";
/// How long a peer may take to show its card.
const CARD_LIMIT: Duration = Duration::from_secs(10);

/// In which form a structured task leaves.
pub(super) enum Form {
    /// As metadata, to a peer that declares the extension.
    Announced,
    /// As one text, to any other.
    Text(String),
}

/// The schema of such an argument.
pub(super) fn schema() -> Value {
    json!({
        "type": "object",
        "description": "What the task says beside its text. At least one member.",
        "properties": {
            "context": { "type": "string", "description": "What the agent should know." },
            "expected_output": { "type": "string", "description": "What it should come to." },
            "reply_to": {
                "type": "object",
                "description": "Where the reply goes: another conversation with this agent, or a path of this node below its own.",
                "properties": { "context": { "type": "string" }, "url": { "type": "string" } },
                "additionalProperties": false,
            },
            "deadline_s": {
                "type": "number",
                "description": "Seconds from now; a later reply counts as late.",
                "minimum": 0.001,
                "maximum": 604_800,
            },
        },
        "additionalProperties": false,
    })
}

impl Fleet {
    /// The structured task among the arguments of a tool, if there is one. It goes with this text.
    pub(super) async fn task_in(&self, arguments: &Value, text: &str) -> Result<Option<Task>, SendError> {
        let payload = match arguments.get("task") {
            None | Some(Value::Null) => return Ok(None),
            Some(payload) => payload,
        };
        match Task::read(payload, text) {
            Ok(task) => Ok(Some(task)),
            Err(error) => {
                let because = match error.at.as_str() {
                    "/deadline_s" => "deadline",
                    at if at.starts_with("/reply_to") => "reply_to",
                    _ => "payload",
                };
                self.refuse(because, &error).await.map(|()| None)
            }
        }
    }

    /// Refuses a task, unless a quirk says otherwise.
    async fn refuse(&self, because: &str, error: &ParseError) -> Result<(), SendError> {
        let event = json!({ "because": because, "refused": true });
        match self.decide(Point::RuntimeTask, event).await.yes("refused") {
            true => Err(SendError::new(Class::NotSent, "task", error.to_string())),
            false => Ok(()),
        }
    }

    /// Refuses a reply_to that does not lead back to this runtime.
    pub(super) async fn confine(
        &self,
        peer: &str,
        context: Option<&ContextId>,
        task: &Task,
    ) -> Result<(), SendError> {
        let Some(reply_to) = &task.reply_to else { return Ok(()) };
        if let Some(error) = reply_to.leads_out(&self.own_address().await?) {
            return self.refuse("reply_to", &error).await;
        }
        let Some(asked) = reply_to.context.as_ref().filter(|asked| Some(*asked) != context) else {
            return Ok(());
        };
        if self.was_asked_on(peer, asked).await {
            return Ok(());
        }
        let expected = format!("a context on which something was sent to '{peer}'");
        let error = ParseError::new("task", "/reply_to/context", expected, asked.as_str());
        self.refuse("reply_to", &error).await
    }

    /// The address at which the node takes replies.
    async fn own_address(&self) -> Result<String, SendError> {
        let config = self.config().await;
        let config =
            config.map_err(|error| SendError::new(Class::NotSent, "configuration", error.to_string()))?;
        let address =
            gauntlet_world::network::Address { host: config.server.bind_host.clone(), port: self.port.get() };
        Ok(format!("http://{address}{REPLIES}"))
    }

    async fn was_asked_on(&self, peer: &str, context: &ContextId) -> bool {
        let content = self.host.disk().read(self.transcript(peer)).await.unwrap_or_default();
        Lines::new(&content)
            .filter_map(|(_, line)| TranscriptRecord::parse_line(line).ok())
            .any(|record| record.from == "hermes" && record.context == context.as_str())
    }

    /// In which form a task leaves for a peer: its card says so. A peer that shows no card declares nothing.
    pub(super) async fn form(
        &self,
        name: &str,
        peer: &PeerEntry,
        task: &Task,
        text: &str,
        limit: Duration,
    ) -> Result<Form, SendError> {
        let card = self.card_of(name, peer, limit).await?;
        let declared = card.is_some_and(|card| TASK.is_declared_on(&card));
        let event =
            json!({ "peer": name, "payload": task.to_value(), "declared": declared, "announced": declared });
        if self.decide(Point::RuntimeTaskForm, event).await.yes("announced") {
            return Ok(Form::Announced);
        }
        // Who reads only the text would answer where it was asked.
        if task.reply_to.is_some() {
            let text = format!("agent '{name}' does not declare {}, and would not honour reply_to", TASK.uri);
            return Err(SendError::new(Class::NotSent, "task", text));
        }
        Ok(Form::Text(task.text_form(text)))
    }

    /// The card of a peer, if it shows one.
    pub(super) async fn card_of(
        &self,
        name: &str,
        peer: &PeerEntry,
        limit: Duration,
    ) -> Result<Option<Value>, SendError> {
        let url: Url = format!("{}{CARD}", peer.url.trim_end_matches('/'))
            .parse()
            .map_err(|error| SendError::new(Class::NotSent, "address", format!("agent '{name}': {error}")))?;
        // A card is public. One that is not is shown to who may dispatch.
        let token = self.token_of(peer).await;
        let bearer = token.map(|token| ("authorization".to_owned(), format!("Bearer {token}")));
        let request = Request {
            method: "GET".to_owned(),
            url: url.clone(),
            headers: bearer.into_iter().collect(),
            body: Vec::new(),
            limit: limit.min(CARD_LIMIT),
        };
        let answer = http::exchange(&self.host, request).await.map_err(|error| {
            SendError::new(
                Class::NotSent,
                "network",
                format!("network error talking to '{name}' at {url}: {error}"),
            )
        })?;
        Ok(json::parse("agent card", &answer.body).ok().filter(|_| answer.status == 200))
    }
}
