//! A quirk: one named deviation of one role, as data.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Point;

/// A named deviation of one role: where it bites, what it does, when, and which requirements of that role it violates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quirk {
    /// The name, for instance `callback-to-another-context`.
    pub id: String,
    /// One sentence: what a user of such a peer would notice.
    pub title: String,
    /// The role that it breaks.
    pub role: String,
    /// The executors that have it. All, if absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub executors: Vec<String>,
    /// The injection point where it bites.
    pub at: Point,
    /// What it does.
    #[serde(rename = "do")]
    pub deviation: Deviation,
    /// When it bites. Always, if absent.
    #[serde(default)]
    pub when: When,
    /// Requirements of the role that it violates: every root cause, and no consequence.
    pub violates: Vec<String>,
    /// Where this deviation was seen: a release, an issue, a recording.
    pub seen_in: Vec<String>,
}

/// What a quirk does to the event at its point.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// The event does not take place.
    Omit,
    /// Parts of the event have other values, by JSON pointer. `{token}`, `{context}` and `{text}` in a string stand for the
    /// cell's bearer and for the event's own members, and `{fill:N}` for N letters.
    Replace(BTreeMap<String, Value>),
    /// The event takes place later.
    Delay(Millis),
    /// The event never comes to its end, and neither does what waits for it.
    Stall,
    /// The event takes place twice; the second time with these other values.
    Duplicate(BTreeMap<String, Value>),
    /// The event's bytes end after so many.
    Truncate(usize),
    /// This byte of the event's bytes is changed.
    Garble(usize),
    /// The event changes places with the one after it.
    Reorder,
    /// The process ends here with this code.
    Exit(i32),
}

/// Which of the events at its point a quirk bites.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct When {
    /// Only events whose parts have these values, by JSON pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<String, Value>,
    /// Only the nth matching event, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Only so many in a hundred of the matching events, drawn by the cell's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
}

impl When {
    /// Whether the event has the values that are asked for. Counting and chance are not looked at.
    pub fn matches(&self, event: &Value) -> bool {
        self.matches.iter().all(|(pointer, wanted)| event.pointer(pointer) == Some(wanted))
    }
}

/// A duration as files write it: `250ms`, `5s`, `2m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Millis(pub u64);

impl Millis {
    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) { write!(f, "{}s", self.0 / 1000) } else { write!(f, "{}ms", self.0) }
    }
}

impl From<Millis> for String {
    fn from(millis: Millis) -> String {
        millis.to_string()
    }
}

impl FromStr for Millis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("expected a duration such as 250ms, 5s or 2m, found {text:?}");
        let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.trim().parse().map_err(|_| wrong())?;
        let unit = match text[digits.len()..].trim() {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            _ => return Err(wrong()),
        };
        number.checked_mul(unit).map(Millis).ok_or_else(wrong)
    }
}

impl TryFrom<String> for Millis {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}
