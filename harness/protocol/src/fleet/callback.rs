//! The receiver's own call to the Hermes node, with the reply.

use serde_json::{Value, json};

use super::context::ContextId;
use super::{method, parts};
use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;
use crate::jsonrpc::Request;

/// A `SendMessage` of role `agent` that carries a reply, a busy notice or an error text (fact sheet 2.5, FLEET-CB-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The same on every attempt, so that a redelivered reply can be recognised (see [`super::Mode::callback_id`]).
    pub id: String,
    /// The context that asked.
    pub context: ContextId,
    /// The reply.
    pub text: String,
}

impl Callback {
    /// The request body, members in the product line's order.
    pub fn to_value(&self) -> Value {
        let message = parts::message("agent", &self.text, Some(self.context.as_str()));
        Request { id: json!(self.id), method: json!("SendMessage"), params: json!({"message": message}) }
            .to_value()
    }

    /// Reads a request body. The role is not checked: the node ignores it, and oracles read the raw bytes.
    pub fn parse(body: &[u8]) -> Result<Callback, ParseError> {
        let value = json::parse("callback", body)?;
        let fields = Fields::of("callback", &value)?;
        if !fields.get("method").is_some_and(method::is_send_method) {
            return Err(fields.wrong("method", "SendMessage or message/send"));
        }
        let id = fields.string("id")?.to_owned();
        let message = fields.object("params")?.object("message")?;
        let context = ContextId::new(message.string("contextId")?)
            .ok_or_else(|| message.wrong("contextId", "a string that is not empty"))?;
        let text = parts::first_text(message.array("parts")?)
            .ok_or_else(|| message.wrong("parts", "an array with a text part"))?
            .to_owned();
        Ok(Callback { id, context, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callback() -> Callback {
        Callback {
            id: "codex-1795223567000".to_owned(),
            context: ContextId::new("c1").expect("not empty"),
            text: "done".to_owned(),
        }
    }

    #[test]
    fn the_body_has_the_product_lines_shape() {
        assert_eq!(
            callback().to_value().to_string(),
            r#"{"jsonrpc":"2.0","id":"codex-1795223567000","method":"SendMessage","params":{"message":{"role":"agent","parts":[{"text":"done"}],"contextId":"c1"}}}"#
        );
    }

    #[test]
    fn every_missing_piece_is_pointed_at() {
        let good = callback().to_value();
        for (pointer, replacement, at) in [
            ("/id", json!(5), "/id"),
            ("/method", json!("tasks/get"), "/method"),
            ("/params", json!([]), "/params"),
            ("/params/message", json!("x"), "/params/message"),
            ("/params/message/contextId", json!(""), "/params/message/contextId"),
            ("/params/message/contextId", json!(7), "/params/message/contextId"),
            ("/params/message/parts", json!([{"data": 1}]), "/params/message/parts"),
        ] {
            let mut broken = good.clone();
            *broken.pointer_mut(pointer).expect("a member") = replacement;
            let error = Callback::parse(broken.to_string().as_bytes()).expect_err("broken");
            assert_eq!(error.at, at);
        }
        assert_eq!(Callback::parse(good.to_string().as_bytes()), Ok(callback()));
    }
}
