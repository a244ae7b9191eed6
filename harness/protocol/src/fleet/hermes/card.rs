//! The public description of a Hermes node.

use serde_json::{Value, json};

use super::VERSION;
use crate::fleet::extension::{Extension, declare};

/// The agent card, members in the product line's order (fleet sheet 4.1). It does not vary with the handler. `taken`: the
/// extensions that the node takes.
pub fn hermes_card(name: &str, url: &str, taken: &[&Extension]) -> Value {
    let mut card = json!({
        "name": name,
        "description": "Hermes Agent profile exposed as an A2A v0.1 fleet member. Echo handler for ping/pong; TaskManager + SSE deferred to v0.2+.",
        "url": url,
        "version": VERSION,
        "protocolVersion": "1.0",
        "capabilities": { "streaming": false, "pushNotifications": false, "stateTransitionHistory": false },
        "defaultInputModes": ["text", "text/plain"],
        "defaultOutputModes": ["text", "text/plain"],
        "securitySchemes": { "bearerAuth": {
            "type": "http",
            "scheme": "bearer",
            "description": "Pre-shared bearer token; clients supply the token configured via fleet.yaml token_env.",
        } },
        "security": [{ "bearerAuth": [] }],
        "skills": [{
            "id": "echo",
            "name": "Echo",
            "description": "Returns 'pong' for input 'ping'; otherwise echoes the input verbatim.",
            "tags": ["v0.1", "diagnostic"],
            "examples": ["ping"],
        }],
    });
    declare(&mut card, taken);
    card
}
