//! Finding in a recorded text what is another one in the next run.

use serde_json::{Map, Value};

/// A copy of a recorded value in which `change` has put slots: it gets each member's name and value, and gives what stands in its
/// place, or nothing when the value is looked into.
pub(crate) fn templated(value: &Value, change: &dyn Fn(&str, &Value) -> Option<Value>) -> Value {
    fn inner(name: &str, value: &Value, change: &dyn Fn(&str, &Value) -> Option<Value>) -> Value {
        if let Some(changed) = change(name, value) {
            return changed;
        }
        match value {
            Value::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(name, value)| (name.clone(), inner(name, value, change)))
                    .collect::<Map<_, _>>(),
            ),
            Value::Array(items) => Value::Array(items.iter().map(|item| inner(name, item, change)).collect()),
            Value::String(text) => Value::String(waits(text)),
            other => other.clone(),
        }
    }
    inner("", value, change)
}

/// A drawn wait before a retry becomes a slot: `retrying 1/1 in 210ms`.
fn waits(text: &str) -> String {
    let wait = text.split_once(" in ").and_then(|(before, rest)| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = rest.get(digits..)?.strip_prefix("ms").filter(|_| digits > 0)?;
        before.contains("retrying").then(|| format!("{before} in {{jitter_ms}}ms{after}"))
    });
    wait.unwrap_or_else(|| text.to_owned())
}

/// A line of a log without the moment at which it was written: `2026-11-21T01:25:42.256060Z ERROR …`.
pub(crate) fn stamped(line: &str) -> String {
    match line.split_once(' ') {
        Some((stamp, rest)) if stamp.len() > 20 && stamp.contains('T') && stamp.ends_with('Z') => {
            format!("{{stamp}} {rest}")
        }
        _ => line.to_owned(),
    }
}

/// The text between a beginning and an end.
pub(crate) fn between<'t>(text: &'t str, begin: &str, end: &str) -> Option<&'t str> {
    text.split_once(begin)?.1.split_once(end).map(|(inside, _)| inside)
}

/// The text in the place of a number at the end of it: `item_3` becomes `item_{item}`.
pub(crate) fn numbered(text: &str, prefix: &str, slot: &str) -> Option<Value> {
    let number = text.strip_prefix(prefix)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| Value::from(format!("{prefix}{{{slot}}}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_two_runs_becomes_a_slot() {
        assert_eq!(waits("x; retrying 1/1 in 210ms…"), "x; retrying 1/1 in {jitter_ms}ms…");
        for plain in ["in 210ms", "retrying in ms", "retrying in 5s"] {
            assert_eq!(waits(plain), plain);
        }
        assert_eq!(stamped("2026-11-21T01:25:42.256060Z ERROR x"), "{stamp} ERROR x");
        assert_eq!(stamped("an ERROR"), "an ERROR");
        assert_eq!(numbered("item_12", "item_", "item"), Some(Value::from("item_{item}")));
        assert_eq!(numbered("item_x", "item_", "item"), None);
    }
}
