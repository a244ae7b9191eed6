//! A dispatch that chooses who answers it at its peer (docs/extensions.md): what its sender checks before it leaves.

use std::time::Duration;

use gauntlet_protocol::fleet::config::PeerEntry;
use gauntlet_protocol::fleet::extension::HANDLER;
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Fleet;
use super::client::{Class, SendError};

/// The schema of such an argument.
pub(super) fn schema() -> Value {
    json!({
        "type": "string",
        "description": "Who is to answer there, by the name of one of the agent's handlers: echo, llm, agent or one of its own. \
                        Only for an agent that says on its card that it lets its senders choose.",
    })
}

/// The choice among the arguments of a tool, if there is one.
pub(super) fn choice_in(arguments: &Value) -> Result<Option<Choice>, SendError> {
    let name = match arguments.get("response_handler") {
        None | Some(Value::Null) => return Ok(None),
        Some(name) => name.as_str().unwrap_or_default(),
    };
    let choice = Choice::named(name);
    choice.map(Some).map_err(|error| SendError::new(Class::NotSent, "handler", error.to_string()))
}

impl Fleet {
    /// Refuses a choice that the peer would not look at: its card must say that it does.
    pub(super) async fn may_choose(
        &self,
        name: &str,
        peer: &PeerEntry,
        choice: &Choice,
        limit: Duration,
    ) -> Result<(), SendError> {
        let card = self.card_of(name, peer, limit).await?;
        let declared = card.is_some_and(|card| HANDLER.is_declared_on(&card));
        let event = json!({ "peer": name, "handler": choice.name(), "declared": declared, "sent": declared });
        if self.decide(Point::RuntimeChoice, event).await.yes("sent") {
            return Ok(());
        }
        let text = format!(
            "agent '{name}' does not declare {}, and would not look at the choice of '{}'",
            HANDLER.uri,
            choice.name()
        );
        Err(SendError::new(Class::Undeclared, "undeclared", text))
    }
}
