//! Text parts of a message: what both sides take for its text.

use serde_json::{Value, json};

/// The text of the first element that is an object with a string `text`; `kind` and `type` do not matter
/// (fact sheet 2.4, FLEET-ACK-05).
pub(super) fn first_text(parts: &[Value]) -> Option<&str> {
    parts.iter().find_map(|part| part.as_object()?.get("text")?.as_str())
}

/// How many parts have a text.
pub(super) fn texts(parts: &[Value]) -> usize {
    parts.iter().filter(|part| part.get("text").is_some_and(Value::is_string)).count()
}

/// A message of one text part, members in the product line's order: `role`, `parts`, `contextId` if there is one.
pub(super) fn message(role: &str, text: &str, context: Option<&str>) -> Value {
    let mut message = json!({"role": role, "parts": [{"text": text}]});
    if let Some(context) = context {
        message["contextId"] = json!(context);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_with_text_counts() {
        let parts = [
            json!("bare"),
            json!({"data": 1}),
            json!({"text": 5}),
            json!({"text": "a"}),
            json!({"text": "b"}),
        ];
        assert_eq!(first_text(&parts), Some("a"));
        assert_eq!(first_text(&parts[..3]), None);
    }
}
