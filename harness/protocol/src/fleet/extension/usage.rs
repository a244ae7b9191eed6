//! `urn:gauntlet:ext:usage:1`: what a turn used, told with its reply.
//!
//! The callback's message (or the message of an answer that is the reply itself) has `metadata["urn:gauntlet:ext:usage:1"]`, an
//! object. A member that is absent is unknown, never 0; one that is 0 is 0.
//!
//! | member | what |
//! | --- | --- |
//! | `input_tokens` | tokens that models read in this turn, those of a cache among them |
//! | `cached_input_tokens` | of these, those that came from a cache |
//! | `output_tokens` | tokens that models wrote in this turn, those of reasoning among them |
//! | `reasoning_output_tokens` | of these, those of reasoning |
//! | `cost_usd` | what the turn cost, in US dollars |

use std::fmt;

use serde_json::{Map, Value, json};

use super::USAGE;
use crate::json::type_name;

/// No turn reads or writes more: a greater count is a mistake of whoever says it.
pub const MOST_TOKENS: u64 = 1_000_000_000_000;
/// No turn costs more, in US dollars.
pub const MOST_USD: f64 = 1_000_000.0;

/// An amount of money, in billionths of a US dollar, so that sums are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Usd(pub u64);

impl Usd {
    /// The amount of so many dollars, unless that is negative, no number, or more than anything costs.
    pub fn from_dollars(dollars: f64) -> Option<Usd> {
        let sound = dollars.is_finite() && (0.0..=MOST_USD).contains(&dollars);
        sound.then(|| Usd((dollars * 1e9).round() as u64))
    }

    /// As a number of dollars.
    pub fn dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Usd) -> Usd {
        Usd(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        let part = format!("{part:09}");
        // Cents are always shown, and of the rest what is there.
        let shown = part.trim_end_matches('0').len().max(2);
        write!(f, "{whole}.{} USD", &part[..shown])
    }
}

/// What a turn used. Nothing: unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Tokens that models read, cached ones among them.
    pub input_tokens: Option<u64>,
    /// Of these, those that came from a cache.
    pub cached_input_tokens: Option<u64>,
    /// Tokens that models wrote, those of reasoning among them.
    pub output_tokens: Option<u64>,
    /// Of these, those of reasoning.
    pub reasoning_output_tokens: Option<u64>,
    /// What it cost.
    pub cost: Option<Usd>,
}

/// What somebody said that a turn used, and what of that was not believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reading {
    /// What is known.
    pub usage: Usage,
    /// A note for each value that was there and is none: what was expected, and what came.
    pub notes: Vec<String>,
}

impl Usage {
    /// That of a turn in which nothing ran.
    pub const NOTHING: Usage = Usage {
        input_tokens: Some(0),
        cached_input_tokens: Some(0),
        output_tokens: Some(0),
        reasoning_output_tokens: Some(0),
        cost: Some(Usd(0)),
    };

    /// Tokens read and written, if both are known.
    pub fn tokens(&self) -> Option<u64> {
        Some(self.input_tokens?.saturating_add(self.output_tokens?))
    }

    /// Whether nothing at all is known.
    pub fn is_unknown(&self) -> bool {
        *self == Usage::default()
    }

    /// Of two turns together; what is unknown of one is unknown of both.
    #[must_use]
    pub fn plus(&self, other: &Usage) -> Usage {
        let sum = |one: Option<u64>, two: Option<u64>| Some(one?.saturating_add(two?));
        Usage {
            input_tokens: sum(self.input_tokens, other.input_tokens),
            cached_input_tokens: sum(self.cached_input_tokens, other.cached_input_tokens),
            output_tokens: sum(self.output_tokens, other.output_tokens),
            reasoning_output_tokens: sum(self.reasoning_output_tokens, other.reasoning_output_tokens),
            cost: self.cost.zip(other.cost).map(|(one, two)| one.plus(two)),
        }
    }

    /// What was added since an earlier total; a count that fell is unknown.
    #[must_use]
    pub fn since(&self, before: &Usage) -> Usage {
        let rest = |now: Option<u64>, before: Option<u64>| now?.checked_sub(before?);
        Usage {
            input_tokens: rest(self.input_tokens, before.input_tokens),
            cached_input_tokens: rest(self.cached_input_tokens, before.cached_input_tokens),
            output_tokens: rest(self.output_tokens, before.output_tokens),
            reasoning_output_tokens: rest(self.reasoning_output_tokens, before.reasoning_output_tokens),
            cost: self.cost.zip(before.cost).and_then(|(now, before)| now.0.checked_sub(before.0)).map(Usd),
        }
    }

    /// The extension's object.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        for (name, count) in [
            ("input_tokens", self.input_tokens),
            ("cached_input_tokens", self.cached_input_tokens),
            ("output_tokens", self.output_tokens),
            ("reasoning_output_tokens", self.reasoning_output_tokens),
        ] {
            if let Some(count) = count {
                members.insert(name.to_owned(), json!(count));
            }
        }
        if let Some(cost) = self.cost {
            members.insert("cost_usd".to_owned(), json!(cost.dollars()));
        }
        Value::Object(members)
    }

    /// Reads the extension's object. Whatever is wrong in it is unknown, with a note.
    pub fn read(value: &Value) -> Reading {
        let mut notes = Vec::new();
        if !value.is_object() {
            notes.push(format!("usage: expected an object, found {}", type_name(value)));
            return Reading { usage: Usage::default(), notes };
        }
        let mut counted = |name: &str| count(name, value.get(name), &mut notes);
        let (input_tokens, cached_input_tokens) = (counted("input_tokens"), counted("cached_input_tokens"));
        let (output_tokens, reasoning_output_tokens) =
            (counted("output_tokens"), counted("reasoning_output_tokens"));
        let cost = cost("cost_usd", value.get("cost_usd"), &mut notes);
        let usage = Usage { input_tokens, cached_input_tokens, output_tokens, reasoning_output_tokens, cost };
        Reading { usage, notes }
    }

    /// Reads what a message says of usage: nothing is known of one that does not speak of it.
    pub fn in_message(message: &Value) -> Reading {
        match USAGE.payload(message) {
            Ok(payload) => payload.map(Usage::read).unwrap_or_default(),
            Err(misuse) => Reading { usage: Usage::default(), notes: vec![misuse.to_string()] },
        }
    }
}

/// A count of tokens as somebody says it; what is none is unknown, and noted when it is there.
pub(crate) fn count(name: &str, value: Option<&Value>, notes: &mut Vec<String>) -> Option<u64> {
    let value = value.filter(|value| !value.is_null())?;
    let count = value.as_u64().filter(|count| *count <= MOST_TOKENS);
    if count.is_none() {
        notes.push(format!("{name}: expected a count of tokens up to {MOST_TOKENS}, found {}", shown(value)));
    }
    count
}

/// An amount of dollars as somebody says it; what is none is unknown, and noted when it is there.
pub(crate) fn cost(name: &str, value: Option<&Value>, notes: &mut Vec<String>) -> Option<Usd> {
    let value = value.filter(|value| !value.is_null())?;
    let cost = value.as_f64().and_then(Usd::from_dollars);
    if cost.is_none() {
        notes.push(format!("{name}: expected US dollars from 0 to {MOST_USD}, found {}", shown(value)));
    }
    cost
}

/// A value as a note quotes it: it is somebody else's, and may be long.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_unknown_and_a_zero_is_zero() {
        let reading = Usage::read(&json!({ "input_tokens": 0, "output_tokens": null }));
        let expected = Usage { input_tokens: Some(0), ..Usage::default() };
        assert_eq!(reading, Reading { usage: expected, notes: Vec::new() });
        assert_eq!(expected.tokens(), None, "half a sum is none");
        assert!(Usage::default().is_unknown() && !expected.is_unknown());
        assert_eq!(Usage::in_message(&json!({ "metadata": { "other": 1 } })), Reading::default());
        let mut message = json!({});
        USAGE.announce(&mut message, json!({ "output_tokens": 7 }));
        assert_eq!(Usage::in_message(&message).usage.output_tokens, Some(7));
        let unannounced = json!({ "metadata": { USAGE.uri: { "output_tokens": 7 } } });
        assert_eq!(Usage::in_message(&unannounced).notes.len(), 1);
    }

    #[test]
    fn what_can_be_no_usage_is_unknown_with_a_note() {
        for (member, wrong) in [
            ("input_tokens", json!(-1)),
            ("input_tokens", json!(1.5)),
            ("output_tokens", json!("many")),
            ("output_tokens", json!([5])),
            ("input_tokens", json!(u64::MAX)),
            ("cost_usd", json!(-0.01)),
            ("cost_usd", json!("NaN")),
            ("cost_usd", json!(1e12)),
            ("cost_usd", json!(true)),
        ] {
            let reading = Usage::read(&json!({ member: wrong }));
            assert!(reading.usage.is_unknown(), "{member}: {wrong}");
            assert!(reading.notes.len() == 1 && reading.notes[0].starts_with(member), "{:?}", reading.notes);
        }
        assert_eq!(Usage::read(&json!([1])).notes, ["usage: expected an object, found an array"]);
        assert_eq!((Usd::from_dollars(f64::NAN), Usd::from_dollars(f64::INFINITY)), (None, None));
    }

    #[test]
    fn it_is_read_as_it_is_written() {
        let usage = Usage { cost: Usd::from_dollars(0.000_133), ..Usage::NOTHING };
        assert_eq!(Usage::read(&usage.to_value()), Reading { usage, notes: Vec::new() });
        assert_eq!(Usage::default().to_value(), json!({}));
        assert_eq!(usage.to_value()["cost_usd"], json!(0.000_133));
    }

    #[test]
    fn sums_of_money_are_exact_and_sums_with_something_unknown_are_unknown() {
        let cent = Usage { cost: Usd::from_dollars(0.1), input_tokens: Some(2), ..Usage::default() };
        let three = cent.plus(&cent).plus(&cent);
        assert_eq!(three.cost, Usd::from_dollars(0.3));
        assert_eq!((three.input_tokens, three.output_tokens), (Some(6), None));
        assert_eq!(cent.plus(&Usage::default()), Usage::default());
        assert_eq!(three.since(&cent), cent.plus(&cent));
        assert_eq!(cent.since(&three), Usage::default(), "a total that fell says nothing");
        assert_eq!(Usd::from_dollars(1.5).map(|cost| cost.to_string()).as_deref(), Some("1.50 USD"));
        assert_eq!(Usd(45_000).to_string(), "0.000045 USD");
    }
}
