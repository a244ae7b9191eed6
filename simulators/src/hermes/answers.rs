//! What a message to a node leads to.

use std::time::Duration;

use gauntlet_protocol::fleet::config::{FleetConfig, Handler};
use gauntlet_protocol::fleet::hermes::{
    AgentAnswer, AgentTurn, Inbound, MAX_CONTEXTS, MAX_RECORDS, ModelAnswer, ModelCall, Said, refusal,
    session_key,
};
use gauntlet_protocol::fleet::{AgentMessage, is_send_method};
use gauntlet_protocol::jsonrpc::{Request, RpcError};
use serde_json::{Value, json};

use super::memory::Memory;
use super::{Peer, config, records};
use gauntlet_world::injection::Point;

/// What a model is told when nothing else is configured.
const INSTRUCTIONS: &str = "You answer for one agent to another. Be brief. You can do nothing but answer.";

impl Peer {
    pub(super) async fn call(&self, config: &FleetConfig, request: Request) -> Result<Value, RpcError> {
        if !is_send_method(&request.method) {
            return Err(refusal::method(&request.method));
        }
        let inbound = Inbound::from_params(&request.params)?;
        let context = self.context_of(&request.params, &inbound).await;
        let id = context.clone().unwrap_or_default();
        if let Some(told) = self.about_a_profile(&request, &id, inbound.is_callback).await? {
            return Ok(told);
        }
        let text = if inbound.is_callback {
            self.deliver(&request.id, &id, &inbound.text)
                .await
                .map_err(|error| refusal::server(&format!("the reply could not be kept: {error}")))?;
            String::new()
        } else {
            let handler = self.settle(config, &request.params["message"], &inbound.peer).await?;
            self.record(&inbound.peer, records::Way::In, &id, &inbound.text).await;
            let text = match handler {
                Handler::Echo => echo(&inbound.text),
                Handler::Llm => self.by_model(config, &id, &inbound.text).await?,
                Handler::Agent => self.by_agent(config, &id, &inbound).await?,
                Handler::Registered(name) => self.by_command(config, &name, &inbound.text).await?,
            };
            self.record(&inbound.peer, records::Way::Out, &id, &text).await;
            text
        };
        Ok(AgentMessage { text, context }.result())
    }

    /// The context that a message belongs to.
    async fn context_of(&self, params: &Value, inbound: &Inbound) -> Option<String> {
        let named = inbound.context.as_ref().map(ToString::to_string);
        let context = named.clone().unwrap_or_else(|| self.0.host.entropy().uuid().to_string());
        let there = params.pointer("/message/contextId").filter(|there| !there.is_null());
        let odd = there.filter(|_| named.is_none()).map(Value::to_string);
        let event = json!({
            "contextId": context,
            "named": named.is_some(),
            "beside": inbound.beside.is_some(),
            "takes_beside": false,
            "odd": odd.is_some(),
            "takes_odd": false,
        });
        let event = self.pass(Point::HermesContext, event).await?;
        if event["takes_beside"] == true && inbound.beside.is_some() {
            return inbound.beside.clone();
        }
        if event["takes_odd"] == true && odd.is_some() {
            return odd;
        }
        event["contextId"].as_str().map(str::to_owned)
    }

    async fn by_model(&self, config: &FleetConfig, id: &str, text: &str) -> Result<String, RpcError> {
        let context = self.0.memory.context(id);
        let locks = self.pass(Point::HermesContextLock, json!({ "contextId": id })).await.is_some();
        let _door = if locks { Some(context.door.lock().await) } else { None };
        let system = self.instructions(config).await?;
        let mut messages = vec![Said::by("system", system)];
        messages.append(&mut context.said());
        messages.push(Said::by("user", text));
        let event = json!({ "max_tokens": config.llm.max_tokens, "temperature": config.llm.temperature });
        let told = self.pass(Point::HermesModelCall, event).await.unwrap_or_default();
        let call = ModelCall {
            messages,
            max_tokens: told["max_tokens"].as_u64().unwrap_or(config.llm.max_tokens),
            temperature: told["temperature"].as_f64().unwrap_or(config.llm.temperature),
        };
        let answer = match &self.0.settings.model {
            Some(model) => model(call).await,
            None => ModelAnswer::NoProvider,
        };
        let outcome = match answer {
            ModelAnswer::Reply(reply) => Ok(reply),
            ModelAnswer::NoProvider => Err(refusal::no_provider()),
            ModelAnswer::Fails(why) => Err(refusal::model_failed(&why)),
        };
        let event = json!({ "contextId": id, "succeeded": outcome.is_ok(), "keeps": outcome.is_ok() });
        if self.pass(Point::HermesHistory, event).await.is_some_and(|event| event["keeps"] == true) {
            self.0.memory.keep(&context, text, outcome.as_deref().unwrap_or_default());
            if self.forgets(id, "records").await {
                Memory::trim(&context, MAX_RECORDS);
            }
            if self.forgets(id, "contexts").await {
                self.0.memory.evict(MAX_CONTEXTS);
            }
        }
        outcome
    }

    async fn forgets(&self, id: &str, what: &str) -> bool {
        self.pass(Point::HermesForget, json!({ "contextId": id, "what": what })).await.is_some()
    }

    async fn instructions(&self, read: &FleetConfig) -> Result<String, RpcError> {
        match (read.llm.system_prompt.as_deref(), read.llm.system_prompt_file.as_deref()) {
            (Some(prompt), _) if !prompt.is_empty() => Ok(prompt.to_owned()),
            (_, Some(file)) => {
                let host = &self.0.host;
                let path = config::prompt_file(host, read).await.unwrap_or_default();
                let wrong = |why: String| refusal::prompt_file(file, &why);
                let content = host.disk().read(path).await.map_err(|error| wrong(error.to_string()))?;
                String::from_utf8(content).map_err(|error| wrong(error.to_string()))
            }
            _ => Ok(INSTRUCTIONS.to_owned()),
        }
    }

    async fn by_agent(&self, config: &FleetConfig, id: &str, inbound: &Inbound) -> Result<String, RpcError> {
        let Some(agent) = &self.0.settings.agent else { return Err(refusal::no_bridge()) };
        let context = self.0.memory.context(id);
        let door = context.door.try_lock();
        let event = json!({ "contextId": id, "free": door.is_ok() });
        if self.pass(Point::HermesClaim, event).await.is_none_or(|event| event["free"] != true) {
            return Err(refusal::busy(&format!("{id} has not answered yet")));
        }
        let event = json!({
            "contextId": id,
            "session": session_key(id),
            "peer": inbound.peer,
            "text": inbound.text,
        });
        let asked = self.pass(Point::HermesTurn, event).await.unwrap_or_default();
        let member = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
        let turn = AgentTurn {
            session: member("session"),
            context: id.to_owned(),
            peer: member("peer"),
            text: member("text"),
        };
        let limit = config.agent.timeout_s;
        let time = Duration::try_from_secs_f64(limit).unwrap_or_default();
        let answer = self.0.host.clock().within(time, agent(turn)).await;
        drop(door);
        match answer {
            None => Err(refusal::timed_out(limit, &format!("{id} got no reply"))),
            Some(AgentAnswer::Refuses(why)) => Err(refusal::bridge_refuses(&why)),
            Some(AgentAnswer::Fails(why)) => Err(refusal::server(&why)),
            Some(AgentAnswer::Reply(reply)) => {
                let mut text = reply.unwrap_or_default();
                let event = json!({ "contextId": id, "text": text });
                let strips = self.0.settings.injector.pass(&self.0.host, Point::HermesStrip, event).await;
                for _ in &strips.events {
                    text = strip(&text);
                }
                Ok(text)
            }
        }
    }
}

fn echo(text: &str) -> String {
    match text.trim().to_lowercase().as_str() {
        "ping" => "pong".to_owned(),
        _ => text.to_owned(),
    }
}

/// A reply without the block of reasoning that it begins with: a title, a fence, whatever, the fence again, an empty line.
fn strip(reply: &str) -> String {
    let mut lines = reply.split('\n');
    if lines.next() != Some("💭 **Reasoning:**") || !lines.next().is_some_and(|line| line.starts_with("```"))
    {
        return reply.to_owned();
    }
    let rest: Vec<&str> = lines.collect();
    let end = rest.windows(2).position(|pair| pair[0].ends_with("```") && pair[1].is_empty());
    end.map_or_else(|| reply.to_owned(), |end| rest[end + 2..].join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_block_of_reasoning_is_taken_from_the_beginning() {
        let block = "💭 **Reasoning:**\n```\nhm\n\n```\n\n";
        assert_eq!(strip(&format!("{block}42\n\nend")), "42\n\nend");
        assert_eq!(strip(&format!("{block}{block}")), block);
        for whole in ["", "42", &format!("x{block}"), "💭 **Reasoning:**\n```\nhm"] {
            assert_eq!(strip(whole), whole);
        }
    }
}
