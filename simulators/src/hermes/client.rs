//! What a node sends to others: its tools, as far as stories call them.

use std::time::Duration;

use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::extension::HANDLER;
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_protocol::fleet::{AgentMessage, ContextId, Dispatch};
use gauntlet_protocol::jsonrpc::{Request, Response};
use gauntlet_world::http;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::failure::{Class, Failure};
use super::records::Way;
use super::{Peer, config};

/// How long another one may take to answer.
const LIMIT: Duration = Duration::from_secs(30);

impl Peer {
    /// Calls a tool: `fleet_send`, `fleet_replies` and `fleet_collect`. Nothing, when there is no such tool.
    pub async fn tool(&self, tool: &str, arguments: &Value) -> Option<Value> {
        let result = self.called(tool, arguments).await?;
        let event = self.pass(Point::HermesTool, json!({ "tool": tool, "result": result })).await;
        Some(event.map_or(result, |mut event| event["result"].take()))
    }

    async fn called(&self, tool: &str, arguments: &Value) -> Option<Value> {
        let text = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        match tool {
            "fleet_send" => {
                let context = ContextId::new(text("context_id"));
                let choice = match arguments["response_handler"].as_str().map(Choice::named).transpose() {
                    Ok(choice) => choice,
                    Err(error) => return Some(self.told(Failure::not_sent(error)).await),
                };
                let sent = self.send(&text("agent"), &text("message"), context, choice).await;
                Some(self.outcome(sent).await)
            }
            "fleet_collect" => {
                let collected = self.collect(&text("agent")).await;
                Some(self.outcome(collected).await)
            }
            "fleet_replies" => {
                let context = text("context_id");
                let all = self.deliveries().await.unwrap_or_default();
                let of_context = all.iter().filter(|reply| reply["contextId"] == context.as_str());
                let replies: Vec<&Value> = of_context.map(|reply| &reply["text"]).collect();
                Some(json!({ "replies": replies }))
            }
            _ => None,
        }
    }

    async fn outcome(&self, outcome: Result<Value, Failure>) -> Value {
        match outcome {
            Ok(value) => value,
            Err(failure) => self.told(failure).await,
        }
    }

    async fn send(
        &self,
        to: &str,
        text: &str,
        context: Option<ContextId>,
        choice: Option<Choice>,
    ) -> Result<Value, Failure> {
        let config = config::read(&self.0.host).await.map_err(Failure::not_sent)?;
        let known: Vec<&String> = config.agents.keys().collect();
        let entry = config.agents.get(to).ok_or_else(|| {
            Failure::not_sent(format!("agent '{to}' not in fleet.yaml; configured: {known:?}"))
        })?;
        let mut params = Dispatch { text: text.to_owned(), context: context.clone() }.to_params("user");
        params["message"]["user"] = json!(self.name());
        if let Some(choice) = choice {
            let card = self.card(&entry.url).await.map_err(Failure::not_sent)?;
            if !self.sends_choice(to, &choice, &card).await {
                let text = format!("agent '{to}' does not declare {} on its card", HANDLER.uri);
                return Err(Failure::new(Class::Undeclared, text));
            }
            HANDLER.announce(&mut params["message"], choice.to_value());
        }
        let request = Request {
            id: json!(self.0.host.entropy().uuid().to_string()),
            method: json!("SendMessage"),
            params,
        };
        let result = self.post(to, entry, &request).await?;
        let message = AgentMessage::from_result(&result)
            .map_err(|error| Failure::new(Class::AcceptedWithoutReply, format!("peer '{to}': {error}")))?;
        let named = message.context.clone().unwrap_or_default();
        if let Some(asked) = context.as_ref().map(ContextId::as_str)
            && !named.is_empty()
            && named != asked
        {
            let text = format!("peer '{to}' answered on context '{named}', and was asked on '{asked}'");
            return Err(Failure::new(Class::RepliedElsewhere, text));
        }
        self.record(to, Way::Out, &named, text).await;
        self.record(to, Way::In, &named, &message.text).await;
        Ok(json!({ "reply": message.text, "context_id": named }))
    }

    /// Sends a request to a peer, once, and gives the result in its answer.
    pub(super) async fn post(
        &self,
        to: &str,
        entry: &PeerEntry,
        request: &Request,
    ) -> Result<Value, Failure> {
        let url = format!("{}/jsonrpc", entry.url.trim_end_matches('/'));
        let token = entry.token_env.as_deref().and_then(|name| self.0.host.env(name));
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let wrong = |error| Failure::not_sent(format!("agent '{to}': {url}: {error}"));
        let request = http::Request {
            method: "POST".to_owned(),
            url: url.parse().map_err(wrong)?,
            headers,
            body: request.to_value().to_string().into_bytes(),
            limit: LIMIT,
        };
        let answer = http::exchange(&self.0.host, request).await.map_err(|error| {
            let text = format!("network error talking to '{to}' at {url}: {error}");
            Failure::new(Class::of_http(&error), text)
        })?;
        if answer.status != 200 {
            let text = format!("peer '{to}' returned HTTP {}", answer.status);
            return Err(Failure::new(Class::of_status(answer.status), text));
        }
        let response = Response::parse(&answer.body)
            .map_err(|error| Failure::new(Class::Unknown, format!("peer '{to}' returned {error}")))?;
        response.outcome.map_err(|error| {
            let text = format!("peer returned JSON-RPC error {}: {}", error.code, error.message);
            Failure::new(Class::of_rpc(&error), text)
        })
    }

    /// The card of a peer; null when it shows none.
    pub(super) async fn card(&self, url: &str) -> Result<Value, String> {
        let url = format!("{}/.well-known/agent-card.json", url.trim_end_matches('/'));
        let request = http::Request {
            method: "GET".to_owned(),
            url: url.parse().map_err(|error| format!("{url}: {error}"))?,
            headers: Vec::new(),
            body: Vec::new(),
            limit: LIMIT,
        };
        let answer =
            http::exchange(&self.0.host, request).await.map_err(|error| format!("{url}: {error}"))?;
        Ok(gauntlet_protocol::json::parse("a card", &answer.body).unwrap_or_default())
    }
}
