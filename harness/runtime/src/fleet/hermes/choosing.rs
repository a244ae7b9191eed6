//! Who is to answer a message: the handler that the message chooses, else that of its sender's entry, else the node's own
//! (docs/extensions.md). A message cannot choose what its sender's entry does not allow.

use gauntlet_protocol::fleet::config::{FleetConfig, Handler};
use gauntlet_protocol::fleet::extension::handler::Choice;
use gauntlet_protocol::fleet::hermes::refusal;
use gauntlet_protocol::jsonrpc::RpcError;
use serde_json::Value;

/// Settles who answers the message in these parameters, which names this peer as its sender.
pub(super) fn handler(config: &FleetConfig, params: &Value, peer: &str) -> Result<Handler, RpcError> {
    let entry = config.agents.get(peer);
    let usual = entry.and_then(|entry| entry.response_handler.as_ref()).unwrap_or(&config.response_handler);
    let choice = params.get("message").map_or(Ok(None), Choice::in_message);
    let Some(choice) = choice.map_err(|misuse| refusal::misuse(&misuse))? else { return Ok(usual.clone()) };
    let chosen = config
        .handler(choice.name())
        .ok_or_else(|| refusal::unknown_handler(choice.name(), &config.handler_names()))?;
    let allowed = entry.and_then(|entry| entry.allowed_handlers.as_deref()).unwrap_or_default();
    if chosen == *usual || allowed.contains(&chosen) {
        return Ok(chosen);
    }
    let mut names: Vec<&str> = allowed.iter().chain([usual]).map(Handler::name).collect();
    names.sort_unstable();
    names.dedup();
    Err(refusal::forbidden_handler(choice.name(), peer, &names))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(peer: &str, choice: Option<&str>) -> Result<String, String> {
        let text = "fleet: {response_handler: agent, server: {bind_port: 1}, handlers: {count: {command: [wc]}}, agents: {\
                    alpha: {url: 'http://a', response_handler: llm, allowed_handlers: [echo, count]}, beta: {url: 'http://b'}}}";
        let config = FleetConfig::parse("fleet.yaml", text).expect("a file that keeps the rules");
        let message = match choice {
            Some(name) => json!({
                "extensions": ["urn:gauntlet:ext:handler:1"],
                "metadata": { "urn:gauntlet:ext:handler:1": { "handler": name } },
            }),
            None => json!({}),
        };
        handler(&config, &json!({ "message": message }), peer)
            .map(|handler| handler.name().to_owned())
            .map_err(|error| error.message)
    }

    #[test]
    fn the_message_is_before_the_peer_and_the_peer_before_the_node() {
        assert_eq!(answers("nobody", None).as_deref(), Ok("agent"));
        assert_eq!(answers("beta", None).as_deref(), Ok("agent"));
        assert_eq!(answers("alpha", None).as_deref(), Ok("llm"));
        assert_eq!(answers("alpha", Some("count")).as_deref(), Ok("count"));
        assert_eq!(answers("alpha", Some("llm")).as_deref(), Ok("llm"), "who answers anyway may be chosen");
    }

    #[test]
    fn nobody_chooses_what_is_not_there_or_not_allowed() {
        let unknown = answers("alpha", Some("oracle")).expect_err("there is none");
        assert!(unknown.contains("expected one of ['agent', 'count', 'echo', 'llm']"), "{unknown}");
        let forbidden = answers("alpha", Some("agent")).expect_err("it is not allowed");
        assert!(
            forbidden.contains("'alpha' may not choose") && forbidden.contains("['count', 'echo', 'llm']"),
            "{forbidden}"
        );
        assert!(answers("beta", Some("llm")).is_err());
        assert!(answers("nobody", Some("echo")).is_err());
    }
}
