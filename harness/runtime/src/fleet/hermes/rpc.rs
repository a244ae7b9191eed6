//! What a message leads to.

use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::hermes::{Inbound, refusal};
use gauntlet_protocol::fleet::{AgentMessage, is_send_method};
use gauntlet_protocol::jsonrpc::{Request, RpcError};
use serde_json::Value;

use super::Node;
use crate::fleet::Delivery;

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
            self.take(&request.id, &context, &inbound.text).await?;
            String::new()
        } else {
            self.fleet.note_heard(&inbound.peer, &context, &inbound.text).await;
            let text = self.reply(config, &context, &inbound).await?;
            self.fleet.note_sent(&inbound.peer, &context, &text).await;
            text
        };
        Ok(AgentMessage { text, context: Some(context) }.result())
    }

    /// Delivers a reply to the context that it names, once.
    async fn take(&self, id: &Value, context: &str, text: &str) -> Result<(), RpcError> {
        let host = &self.fleet.host;
        // Without an id a second arrival cannot be told from a second reply; losing one would be worse than showing it twice.
        let id = match id {
            Value::Null => format!("unnamed-{}", host.entropy().uuid()),
            id => id.to_string(),
        };
        let delivery = Delivery { id, context: context.to_owned(), text: text.to_owned() };
        match self.fleet.deliveries().deliver(host, delivery).await {
            Ok(true) => self.fleet.note_delivered(context, text).await,
            Ok(false) => {}
            Err(error) => return Err(refusal::server(&format!("the reply could not be kept: {error}"))),
        }
        Ok(())
    }
}
