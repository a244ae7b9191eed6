//! Who answers: an echo, a model without tools, or the gateway's agent (fleet sheet 4.3).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use gauntlet_protocol::fleet::config::{FleetConfig, Handler};
use gauntlet_protocol::fleet::hermes::{
    AgentAnswer, AgentTurn, Inbound, ModelAnswer, ModelCall, Said, refusal, session_key,
};
use gauntlet_protocol::jsonrpc::RpcError;

use super::Node;
use super::reasoning::without_reasoning;

/// What the model is told when the configuration says nothing.
const SYSTEM_PROMPT: &str = "You are one agent of a fleet. Another agent writes to you. Answer it briefly and to the point; you \
                             have no tools here, so promise nothing that needs any.";

impl Node {
    /// The reply of a handler to a message on a context.
    pub(super) async fn reply(
        &self,
        config: &FleetConfig,
        handler: &Handler,
        context: &str,
        inbound: &Inbound,
    ) -> Result<String, RpcError> {
        match handler {
            Handler::Echo => Ok(echo(&inbound.text)),
            Handler::Llm => self.ask_model(config, context, &inbound.text).await,
            Handler::Agent => self.ask_agent(config, context, inbound).await,
            Handler::Registered(name) => self.run(config, name, &inbound.text).await,
        }
    }

    /// The context is locked until the answer is remembered: whoever comes meanwhile waits and finds it in the history.
    async fn ask_model(&self, config: &FleetConfig, context: &str, text: &str) -> Result<String, RpcError> {
        let _turn = self.history.turn(context).await;
        let mut messages = vec![Said::by("system", self.system_prompt(config).await?)];
        messages.extend(self.history.of(context));
        messages.push(Said::by("user", text));
        let (max_tokens, temperature) = (config.llm.max_tokens, config.llm.temperature);
        let model = self.minds.model.as_ref().ok_or_else(refusal::no_provider)?;
        match model(ModelCall { messages, max_tokens, temperature }).await {
            ModelAnswer::Reply(reply) => {
                self.history.remember(context, text, &reply);
                Ok(reply)
            }
            ModelAnswer::NoProvider => Err(refusal::no_provider()),
            ModelAnswer::Fails(detail) => Err(refusal::model_failed(&detail)),
        }
    }

    async fn system_prompt(&self, config: &FleetConfig) -> Result<String, RpcError> {
        if let Some(prompt) = config.llm.system_prompt.as_ref().filter(|prompt| !prompt.is_empty()) {
            return Ok(prompt.clone());
        }
        let Some(path) = self.fleet.prompt_file(config).await else { return Ok(SYSTEM_PROMPT.to_owned()) };
        let wrong = |error: &dyn std::fmt::Display| {
            let written = config.llm.system_prompt_file.as_deref().unwrap_or_default();
            refusal::prompt_file(written, &error.to_string())
        };
        let content = self.fleet.host.disk().read(&path).await.map_err(|error| wrong(&error))?;
        String::from_utf8(content).map_err(|error| wrong(&error))
    }

    /// A context that is at work already is refused at once, so that its sender knows that nothing was begun.
    async fn ask_agent(
        &self,
        config: &FleetConfig,
        context: &str,
        inbound: &Inbound,
    ) -> Result<String, RpcError> {
        let agent = self.minds.agent.as_ref().ok_or_else(refusal::no_bridge)?;
        let _at_work = AtWork::on(context, &self.at_work)
            .ok_or_else(|| refusal::busy(&format!("a turn on {context} is under way")))?;
        let turn = AgentTurn {
            session: session_key(context),
            context: context.to_owned(),
            peer: inbound.peer.clone(),
            text: inbound.text.clone(),
        };
        let seconds = config.agent.timeout_s;
        let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO);
        match self.fleet.host.clock().within(limit, agent(turn)).await {
            Some(AgentAnswer::Reply(reply)) => {
                Ok(without_reasoning(reply.as_deref().unwrap_or_default()).to_owned())
            }
            Some(AgentAnswer::Refuses(detail)) => Err(refusal::bridge_refuses(&detail)),
            Some(AgentAnswer::Fails(detail)) => Err(refusal::server(&detail)),
            None => Err(refusal::timed_out(seconds, &format!("nothing came on {context}"))),
        }
    }
}

fn echo(text: &str) -> String {
    if text.trim().eq_ignore_ascii_case("ping") { "pong".to_owned() } else { text.to_owned() }
}

/// A context on which the agent is at work, until this is dropped.
struct AtWork<'a> {
    context: String,
    all: &'a RefCell<BTreeSet<String>>,
}

impl<'a> AtWork<'a> {
    fn on(context: &str, all: &'a RefCell<BTreeSet<String>>) -> Option<Self> {
        all.borrow_mut().insert(context.to_owned()).then(|| Self { context: context.to_owned(), all })
    }
}

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.all.borrow_mut().remove(&self.context);
    }
}
