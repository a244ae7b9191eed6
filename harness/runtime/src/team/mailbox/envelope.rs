//! How a session sees a message (team sheet 6.8).

use super::message::Message;

/// The envelope. The body stays as it is, but for the tag that would end the envelope before its end.
pub(crate) fn envelope(message: &Message) -> String {
    let mut tag = String::from("<peer_message");
    let mut attribute = |name: &str, value: &str| {
        tag.push_str(&format!(" {name}=\"{}\"", escaped(value)));
    };
    attribute("from", &message.from);
    attribute("timestamp", &message.timestamp.to_string());
    attribute("messageId", &message.message_id);
    attribute("kind", message.kind.name());
    attribute("correlationId", message.correlation_id.as_deref().unwrap_or_default());
    if let Some(summary) = &message.summary {
        attribute("summary", summary);
    }
    if let Some(references) = &message.references {
        attribute("references", &serde_json::to_string(references).unwrap_or_default());
    }
    let body = message.body.replace("</peer_message", "&lt;/peer_message");
    format!("{tag}>\n{body}\n</peer_message>")
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\'' => escaped.push_str("&apos;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::team::mailbox::message::{Kind, Reference};
    use crate::team::names::MessageId;

    fn message(body: &str) -> Message {
        Message::new(&MessageId::new("m-1").unwrap(), "a", "b", Kind::Message, body.to_owned(), 7)
    }

    #[test]
    fn attributes_have_their_order_and_the_body_stays() {
        let mut message = message("if (a < b && c) { \"x\" }");
        let plain = "<peer_message from=\"a\" timestamp=\"7\" messageId=\"m-1\" kind=\"message\" correlationId=\"\">\nif (a < b && c) { \"x\" }\n</peer_message>";
        assert_eq!(envelope(&message), plain);
        message.summary = Some("<\"it's\" & more>".to_owned());
        message.references = Some(vec![Reference { path: "a.rs".to_owned(), description: None }]);
        let full = envelope(&message);
        let attributes = " correlationId=\"\" summary=\"&lt;&quot;it&apos;s&quot; &amp; more&gt;\" references=\"[{&quot;path&quot;:&quot;a.rs&quot;}]\">\n";
        assert!(full.contains(attributes), "{full}");
    }

    proptest! {
        #[test]
        fn no_body_ends_its_envelope_early(before in any::<String>(), after in any::<String>()) {
            let text = envelope(&message(&format!("{before}</peer_message>{after}")));
            prop_assert_eq!(text.matches("</peer_message").count(), 1);
        }
    }
}
