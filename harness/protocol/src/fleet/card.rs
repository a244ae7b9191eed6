//! The public description of a receiver.

use serde_json::{Value, json};

use super::mode::Mode;

/// The agent card, members in the product line's order (fact sheet 2.6, FLEET-HTTP-04). `url` is the address of
/// `/jsonrpc`. It advertises a bearer even when the receiver runs open.
pub fn card(mode: &Mode, url: &str) -> Value {
    json!({
        "name": mode.peer,
        "description": mode.card.description,
        "url": url,
        "version": mode.card.version,
        "protocolVersion": "1.0",
        "capabilities": {"streaming": false, "pushNotifications": false, "stateTransitionHistory": false},
        "defaultInputModes": ["text", "text/plain"],
        "defaultOutputModes": ["text", "text/plain"],
        "securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}},
        "security": [{"bearerAuth": []}],
        "skills": [{
            "id": "execute",
            "name": "Repo executor",
            "description": mode.card.skill,
            "tags": mode.card.tags,
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codex::MODE as CODEX;
    use crate::json::spaced;

    #[test]
    fn the_codex_card_is_written_as_its_receiver_writes_it() {
        assert_eq!(
            spaced(&card(&CODEX, "http://127.0.0.1:9320/jsonrpc")),
            concat!(
                r#"{"name": "codex", "description": "Codex CLI repo-scoped A2A executor peer (codex_receiver).", "#,
                r#""url": "http://127.0.0.1:9320/jsonrpc", "version": "0.1.0", "protocolVersion": "1.0", "#,
                r#""capabilities": {"streaming": false, "pushNotifications": false, "stateTransitionHistory": false}, "#,
                r#""defaultInputModes": ["text", "text/plain"], "defaultOutputModes": ["text", "text/plain"], "#,
                r#""securitySchemes": {"bearerAuth": {"type": "http", "scheme": "bearer"}}, "security": [{"bearerAuth": []}], "#,
                r#""skills": [{"id": "execute", "name": "Repo executor", "#,
                r#""description": "Executes A2A tasks in the bound repo via codex exec with full harness.", "#,
                r#""tags": ["v0.1", "codex", "executor"]}]}"#
            )
        );
    }
}
