//! What a node sends to others: its tools, as far as stories call them.

use std::time::Duration;

use gauntlet_protocol::fleet::extension::HANDLER;
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_protocol::fleet::{AgentMessage, ContextId, Dispatch};
use gauntlet_protocol::jsonrpc::{Request, Response};
use gauntlet_world::http;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

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
                    Err(error) => return Some(failure(("not_sent", error.to_string()))),
                };
                let sent = self.send(&text("agent"), &text("message"), context, choice).await;
                Some(sent.unwrap_or_else(failure))
            }
            "fleet_collect" => Some(self.collect(&text("agent")).await.unwrap_or_else(failure)),
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

    async fn send(
        &self,
        to: &str,
        text: &str,
        context: Option<ContextId>,
        choice: Option<Choice>,
    ) -> Result<Value, (&'static str, String)> {
        let not_sent = |error: String| ("not_sent", error);
        let config = config::read(&self.0.host).await;
        let config = config.map_err(|error| not_sent(error.to_string()))?;
        let known: Vec<&String> = config.agents.keys().collect();
        let entry = config.agents.get(to);
        let entry = entry
            .ok_or_else(|| not_sent(format!("agent '{to}' not in fleet.yaml; configured: {known:?}")))?;
        let url = format!("{}/jsonrpc", entry.url.trim_end_matches('/'));
        let token = entry.token_env.as_deref().and_then(|name| self.0.host.env(name));
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        let mut params = Dispatch { text: text.to_owned(), context: context.clone() }.to_params("user");
        params["message"]["user"] = json!(self.name());
        if let Some(choice) = choice {
            let card = self.card(&entry.url).await.map_err(not_sent)?;
            if !self.sends_choice(to, &choice, &card).await {
                let text = format!("agent '{to}' does not declare {} on its card", HANDLER.uri);
                return Err(("undeclared", text));
            }
            HANDLER.announce(&mut params["message"], choice.to_value());
        }
        let request = Request {
            id: json!(self.0.host.entropy().uuid().to_string()),
            method: json!("SendMessage"),
            params,
        };
        let request = http::Request {
            method: "POST".to_owned(),
            url: url.parse().map_err(|error| not_sent(format!("agent '{to}': {error}")))?,
            headers,
            body: request.to_value().to_string().into_bytes(),
            limit: LIMIT,
        };
        let answer = http::exchange(&self.0.host, request).await.map_err(|error| {
            let class = if error.may_have_been_seen() { "unknown" } else { "not_sent" };
            (class, format!("network error talking to '{to}' at {url}: {error}"))
        })?;
        if answer.status != 200 {
            return Err(("refused", format!("peer '{to}' returned HTTP {}", answer.status)));
        }
        let unknown = |error: String| ("unknown", error);
        let response = Response::parse(&answer.body).map_err(|error| unknown(error.to_string()))?;
        let result = response.outcome.map_err(|error| {
            ("refused", format!("peer returned JSON-RPC error {}: {}", error.code, error.message))
        })?;
        let message = AgentMessage::from_result(&result).map_err(|error| unknown(error.to_string()))?;
        let named = message.context.clone().unwrap_or_default();
        self.record(to, Way::Out, &named, text).await;
        self.record(to, Way::In, &named, &message.text).await;
        Ok(json!({ "reply": message.text, "context_id": named }))
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

/// A dispatch that failed, as its caller sees it.
fn failure((class, error): (&'static str, String)) -> Value {
    json!({ "error": error, "class": class, "retry_safe": class != "unknown" })
}
