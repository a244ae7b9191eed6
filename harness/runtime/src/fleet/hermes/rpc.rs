//! What a message leads to.

use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::extension::PROFILE;
use gauntlet_protocol::fleet::extension::profile::{Addressee, misrouted};
use gauntlet_protocol::fleet::extension::task::Report;
use gauntlet_protocol::fleet::extension::usage::Usage;
use gauntlet_protocol::fleet::hermes::{Inbound, refusal};
use gauntlet_protocol::fleet::{AgentMessage, is_send_method};
use gauntlet_protocol::jsonrpc::{Request, RpcError};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::{Node, choosing};
use crate::fleet::deadlines::Reply;
use crate::fleet::{Delivery, Kept, Stray};

/// An answer without text that says something of a profile.
fn told(context: String, said: Value) -> Value {
    let mut result = AgentMessage { text: String::new(), context: Some(context) }.result();
    PROFILE.announce(&mut result["message"], said);
    result
}

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
        let message = request.params.get("message").unwrap_or(&Value::Null);
        let about = Addressee::in_message(message).map_err(|misuse| refusal::misuse(&misuse))?;
        let text = if inbound.is_callback {
            if let Some(other) = self.misrouted(config, &request, &context, about).await? {
                return Ok(told(context, other));
            }
            self.take(config, &request, &context, &inbound.text).await?;
            String::new()
        } else if let Some(Addressee { profile, asks: true }) = about {
            self.fleet.astray().nudged.notify_waiters();
            self.fleet.hand_on();
            let kept = self.fleet.astray().count(&profile);
            return Ok(told(context, json!({ "profile": profile, "kept": kept })));
        } else {
            // Before anything is noted: a message that nobody may answer is no turn.
            let handler = choosing::handler(config, &request.params, &inbound.peer)?;
            self.fleet.note_heard(&inbound.peer, &context, &inbound.text).await;
            let text = self.reply(config, &handler, &context, &inbound).await?;
            self.fleet.note_sent(&inbound.peer, &context, &text).await;
            text
        };
        Ok(AgentMessage { text, context: Some(context) }.result())
    }

    /// Keeps a reply that is another profile's, and gives what its receiver is told of that.
    async fn misrouted(
        &self,
        config: &FleetConfig,
        request: &Request,
        context: &str,
        about: Option<Addressee>,
    ) -> Result<Option<Value>, RpcError> {
        let own = self.fleet.own_name().await;
        let Some(Addressee { profile, .. }) = about.filter(|about| about.profile != own) else {
            return Ok(None);
        };
        let known = config.agents.contains_key(&profile);
        let event = json!({ "profile": profile, "contextId": context, "does": "keep" });
        match self.fleet.decide(Point::RuntimeAstray, event).await.text("does") {
            Some("deliver") => return Ok(None),
            Some("drop") => return Ok(Some(misrouted(&profile, &own, known))),
            _ => {}
        }
        let stray = Stray {
            profile: profile.clone(),
            context: context.to_owned(),
            id: request.id.clone(),
            params: request.params.clone(),
        };
        match self.fleet.keep_for(stray).await {
            Ok(Kept::Yes) => Ok(Some(misrouted(&profile, &own, known))),
            Ok(Kept::NoRoom) => Err(refusal::no_room(&profile)),
            Err(error) => {
                Err(refusal::server(&format!("the reply for '{profile}' could not be kept: {error}")))
            }
        }
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
