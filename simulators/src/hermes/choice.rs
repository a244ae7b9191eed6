//! Who answers a message (docs/extensions.md), settled a second time.

use gauntlet_protocol::fleet::config::{FleetConfig, Handler};
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_protocol::fleet::extension::{HANDLER, Misuse};
use gauntlet_protocol::fleet::hermes::refusal;
use gauntlet_protocol::jsonrpc::RpcError;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Peer;

impl Peer {
    /// The handler of a message, or why it has none.
    pub(super) async fn settle(
        &self,
        config: &FleetConfig,
        message: &Value,
        peer: &str,
    ) -> Result<Handler, RpcError> {
        let entry = config.agents.get(peer);
        let of_peer = entry.and_then(|entry| entry.response_handler.clone());
        let usual = of_peer.clone().unwrap_or_else(|| config.response_handler.clone());
        let mut may = vec![usual.name().to_owned()];
        let further = entry.and_then(|entry| entry.allowed_handlers.as_ref()).into_iter().flatten();
        may.extend(further.map(|handler| handler.name().to_owned()));
        may.sort();
        may.dedup();

        let (chosen, wrong) = match Choice::in_message(message) {
            Ok(None) => (None, None),
            Ok(Some(choice)) => {
                let name = choice.name().to_owned();
                let wrong = if config.handler(&name).is_none() {
                    Some(("unknown", refusal::unknown_handler(&name, &config.handler_names())))
                } else if !may.contains(&name) {
                    let may: Vec<&str> = may.iter().map(String::as_str).collect();
                    Some(("forbidden", refusal::forbidden_handler(&name, peer, &may)))
                } else {
                    None
                };
                (Some(name), wrong)
            }
            Err(misuse) => {
                let kind = match &misuse {
                    Misuse::Version { .. } => "version",
                    Misuse::Half { .. } => "announcement",
                    Misuse::Shape(_) => "payload",
                };
                (None, Some((kind, refusal::misuse(&misuse))))
            }
        };
        let by = match (&chosen, &of_peer) {
            (Some(_), _) => "message",
            (None, Some(_)) => "peer",
            (None, None) => "node",
        };
        let event = json!({
            "peer": peer, "chosen": chosen, "by": by, "because": wrong.as_ref().map(|(kind, _)| *kind),
            "refused": wrong.is_some(),
        });
        let event = self.pass(Point::HermesChoice, event).await.unwrap_or_default();
        match wrong {
            Some((_, error)) if event["refused"] != false => Err(error),
            _ => Ok(match event["by"].as_str() {
                Some("message") => chosen.and_then(|name| config.handler(&name)).unwrap_or_default(),
                Some("peer") => usual,
                _ => config.response_handler.clone(),
            }),
        }
    }

    /// Whether a choice is sent to a peer with this card.
    pub(super) async fn sends_choice(&self, peer: &str, choice: &Choice, card: &Value) -> bool {
        let declared = HANDLER.is_declared_on(card);
        let event = json!({ "peer": peer, "handler": choice.name(), "declared": declared, "sent": declared });
        self.pass(Point::HermesDispatchChoice, event).await.is_some_and(|event| event["sent"] == true)
    }
}
