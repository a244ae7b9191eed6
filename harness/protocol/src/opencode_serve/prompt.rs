//! What is asked of a session.

use serde_json::{Value, json};

/// A prompt of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prompt {
    /// The text.
    pub text: String,
    /// The agent that is to answer; the session's own when nothing.
    pub agent: Option<String>,
    /// Provider and model; the agent's own when nothing.
    pub model: Option<(String, String)>,
    /// A variant of the model.
    pub variant: Option<String>,
}

impl Prompt {
    /// The body of the request.
    pub fn to_value(&self) -> Value {
        let mut body = json!({ "parts": [{ "type": "text", "text": self.text }] });
        if let Some(agent) = &self.agent {
            body["agent"] = json!(agent);
        }
        if let Some((provider, model)) = &self.model {
            body["model"] = json!({ "providerID": provider, "modelID": model });
        }
        if let Some(variant) = &self.variant {
            body["variant"] = json!(variant);
        }
        body
    }
}
