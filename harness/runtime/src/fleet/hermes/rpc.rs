//! What a message leads to.

use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::extension::task::Report;
use gauntlet_protocol::fleet::extension::usage::Usage;
use gauntlet_protocol::fleet::hermes::{Inbound, refusal};
use gauntlet_protocol::fleet::{AgentMessage, is_send_method};
use gauntlet_protocol::jsonrpc::{Request, RpcError};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Node;
use crate::fleet::Delivery;
use crate::fleet::deadlines::Reply;

impl Node {
    pub(super) async fn call(&self, config: &FleetConfig, request: Request) -> Result<Value, RpcError> {
        if !is_send_method(&request.method) {
            return Err(refusal::method(&request.method));
        }
        let inbound = Inbound::from_params(&request.params)?;
        let context = match &inbound.context {
            Some(context) => context.to_string(),
            None => self.fleet.host.entropy().uuid().to_string(),
        };
        let text = if inbound.is_callback {
            self.take(config, &request, &context, &inbound.text).await?;
            String::new()
        } else {
            self.fleet.note_heard(&inbound.peer, &context, &inbound.text).await;
            let text = self.reply(config, &context, &inbound).await?;
            self.fleet.note_sent(&inbound.peer, &context, &text).await;
            text
        };
        Ok(AgentMessage { text, context: Some(context) }.result())
    }

    /// Whether a reply counts as late. Of what has no deadline, none does.
    async fn is_late(&self, context: &str, reply: &Reply) -> bool {
        let Reply { late, has_deadline, earlier_life, .. } = reply;
        if !late && !has_deadline {
            return false;
        }
        let event = json!({ "contextId": context, "earlier_life": earlier_life, "late": late });
        self.fleet.decide(Point::RuntimeLate, event).await.yes("late")
    }

    /// Delivers a reply to the context that it names, once.
    async fn take(
        &self,
        config: &FleetConfig,
        request: &Request,
        context: &str,
        text: &str,
    ) -> Result<(), RpcError> {
        let host = &self.fleet.host;
        // Without an id a second arrival cannot be told from a second reply; losing one would be worse than showing it twice.
        let id = match &request.id {
            Value::Null => format!("unnamed-{}", host.entropy().uuid()),
            id => id.to_string(),
        };
        let report = request.params.get("message").and_then(Report::in_message);
        // Before it is delivered: what comes again after a crash in between is booked once, by its id.
        if config.agents.values().any(|peer| peer.budget.is_some()) {
            let told = request.params.get("message").map(Usage::in_message).unwrap_or_default();
            let of = report.as_ref().and_then(|report| report.of.as_deref());
            self.fleet.settle(&id, context, of, told).await;
        }
        let reply = self.fleet.deadlines().judge(host, context, report.as_ref());
        let late = self.is_late(context, &reply).await;
        let delivery = Delivery { id, context: context.to_owned(), text: text.to_owned(), late };
        let kept = |error| refusal::server(&format!("the reply could not be kept: {error}"));
        if self.fleet.deliveries().deliver(host, delivery).await.map_err(kept)? {
            self.fleet.note_delivered(context, text, late).await;
        } else if report.is_none() {
            // What comes again says nothing of what is open now.
            return Ok(());
        }
        if let Some(of) = reply.of
            && let Err(error) = self.fleet.deadlines().close(host, &of).await
        {
            tracing::warn!(%error, "a deadline that is met stays open");
        }
        Ok(())
    }
}
