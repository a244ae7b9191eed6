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
    /// Why it is not tried over real processes, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub virtual_only: Option<String>,
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
    /// Parts of the event have other values, by JSON pointer, where `-` is the place behind the last element of a list. In a string `{token}` stands
    /// for the cell's bearer, `{context}`, `{text}` and the like for the event's own texts, `{before.context}` and the like for those of the
    /// event that passed this point before (its own when none did), and `{fill:N}` for N letters.
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

/// The kinds of deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// See [`Deviation::Omit`].
    Omit,
    /// See [`Deviation::Replace`].
    Replace,
    /// See [`Deviation::Delay`].
    Delay,
    /// See [`Deviation::Stall`].
    Stall,
    /// See [`Deviation::Duplicate`].
    Duplicate,
    /// See [`Deviation::Truncate`].
    Truncate,
    /// See [`Deviation::Garble`].
    Garble,
    /// See [`Deviation::Reorder`].
    Reorder,
    /// See [`Deviation::Exit`].
    Exit,
}

impl Kind {
    /// All of them.
    pub const ALL: &[Kind] = &[
        Kind::Omit,
        Kind::Replace,
        Kind::Delay,
        Kind::Stall,
        Kind::Duplicate,
        Kind::Truncate,
        Kind::Garble,
        Kind::Reorder,
        Kind::Exit,
    ];

    /// The name in quirk files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Omit => "omit",
            Kind::Replace => "replace",
            Kind::Delay => "delay",
            Kind::Stall => "stall",
            Kind::Duplicate => "duplicate",
            Kind::Truncate => "truncate",
            Kind::Garble => "garble",
            Kind::Reorder => "reorder",
            Kind::Exit => "exit",
        }
    }
}

impl Deviation {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Deviation::Omit => Kind::Omit,
            Deviation::Replace(_) => Kind::Replace,
            Deviation::Delay(_) => Kind::Delay,
            Deviation::Stall => Kind::Stall,
            Deviation::Duplicate(_) => Kind::Duplicate,
            Deviation::Truncate(_) => Kind::Truncate,
            Deviation::Garble(_) => Kind::Garble,
            Deviation::Reorder => Kind::Reorder,
            Deviation::Exit(_) => Kind::Exit,
        }
    }
}

/// Something in a quirk that would never bite, or bite nothing: where it is in the file, by keys, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// The way to it.
    pub path: Vec<String>,
    /// What was expected and what came.
    pub message: String,
    /// What came, when it is a name.
    pub found: String,
    /// The names that fit there.
    pub known: Vec<&'static str>,
}

impl Misfit {
    fn new(path: &[&str], message: String) -> Self {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Self { path, message, found: String::new(), known: Vec::new() }
    }

    fn named(path: &[&str], what: &str, found: &str, known: Vec<&'static str>) -> Self {
        let all = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let message = format!("expected {what} ({all}); found {found:?}");
        Self { found: found.to_owned(), known, ..Self::new(path, message) }
    }
}

impl Quirk {
    /// What of it does not fit its point, if anything does not.
    pub fn misfit(&self) -> Option<Misfit> {
        let (traits, at) = (self.at.traits(), self.at.name());
        if self.role != self.at.role() {
            let role = self.at.role();
            return Some(Misfit::new(
                &["role"],
                format!("expected the role of {at}, which is {role:?}; found {:?}", self.role),
            ));
        }
        let kind = self.deviation.kind();
        if !traits.kinds.contains(&kind) {
            let known = traits.kinds.iter().map(|kind| kind.name()).collect();
            return Some(Misfit::named(&["do"], &format!("what a quirk can do at {at}"), kind.name(), known));
        }
        if self.when.nth == Some(0) {
            return Some(Misfit::new(&["when", "nth"], "expected `nth` to count from 1; found 0".to_owned()));
        }
        if let Some(percent) = self.when.percent.filter(|percent| !(1..=100).contains(percent)) {
            let message = format!("expected `percent` from 1 to 100; found {percent}");
            return Some(Misfit::new(&["when", "percent"], message));
        }
        if let Some(misfit) = self.when.since.as_ref().and_then(|since| self.misfit_of(since)) {
            return Some(misfit);
        }
        let matches = self.when.matches.keys().map(|pointer| ("matches", pointer));
        let begins = self.when.begins.keys().map(|pointer| ("begins", pointer));
        let of_event = matches.chain(begins).find_map(|(kind, pointer)| {
            let path = ["when", kind, pointer.as_str()];
            outside(pointer, traits.members, &path, &format!("a member of what passes {at}"))
        });
        let changed = || match &self.deviation {
            Deviation::Replace(values) | Deviation::Duplicate(values) => values.keys().find_map(|pointer| {
                let path = ["do", kind.name(), pointer.as_str()];
                outside(
                    pointer,
                    traits.changeable,
                    &path,
                    &format!("a member whose change has an effect at {at}"),
                )
            }),
            _ => None,
        };
        of_event.or_else(changed)
    }
}

impl Quirk {
    /// What of the event that it waits for does not fit its point, if anything does not.
    fn misfit_of(&self, since: &Since) -> Option<Misfit> {
        if since.at.role() != self.role {
            let message = format!("expected a point of the role {:?}; found {}", self.role, since.at.name());
            return Some(Misfit::new(&["when", "since", "at"], message));
        }
        if since.nth == Some(0) {
            let message = "expected `nth` to count from 1; found 0".to_owned();
            return Some(Misfit::new(&["when", "since", "nth"], message));
        }
        let matches = since.matches.keys().map(|pointer| ("matches", pointer));
        let begins = since.begins.keys().map(|pointer| ("begins", pointer));
        let (members, at) = (since.at.traits().members, since.at.name());
        matches.chain(begins).find_map(|(kind, pointer)| {
            let path = ["when", "since", kind, pointer.as_str()];
            outside(pointer, members, &path, &format!("a member of what passes {at}"))
        })
    }
}

/// What is wrong with a pointer into an event that has these members, if anything is.
fn outside(pointer: &str, members: Option<&[&'static str]>, path: &[&str], what: &str) -> Option<Misfit> {
    let Some(rest) = pointer.strip_prefix('/') else {
        let message = format!("expected a JSON pointer, which begins with `/`; found {pointer:?}");
        return Some(Misfit::new(path, message)).filter(|_| !pointer.is_empty());
    };
    let first = rest.split('/').next().unwrap_or_default();
    let members = members.filter(|members| !members.contains(&first))?;
    Some(Misfit::named(path, what, first, members.to_vec()))
}

/// Which of the events at its point a quirk bites.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct When {
    /// Only events whose parts have these values, by JSON pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<String, Value>,
    /// Only events of which these parts are texts that begin so, by JSON pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begins: BTreeMap<String, String>,
    /// Only the nth matching event, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
    /// Only so many in a hundred of the matching events, drawn by the cell's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// Only events after this one passed: what a peer does ever after something was done to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// The event after which a quirk begins to bite. It is looked for in one life of a process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Since {
    /// Where it passes: a point of the same role.
    pub at: Point,
    /// As for the events that the quirk bites.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub matches: BTreeMap<String, Value>,
    /// As for the events that the quirk bites.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begins: BTreeMap<String, String>,
    /// The nth of them, counted from 1; the first when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u32>,
}

impl Since {
    /// Whether an event at a point is one of those.
    pub fn matches(&self, point: Point, event: &Value) -> bool {
        self.at == point && has(&self.matches, &self.begins, event)
    }

    /// How many of them must have passed.
    pub fn needed(&self) -> u32 {
        self.nth.unwrap_or(1)
    }
}

/// Whether an event has these values, and texts that begin so.
fn has(matches: &BTreeMap<String, Value>, begins: &BTreeMap<String, String>, event: &Value) -> bool {
    let begins_so = |(pointer, beginning): (&String, &String)| {
        let text = event.pointer(pointer).and_then(Value::as_str);
        text.is_some_and(|text| text.starts_with(beginning))
    };
    matches.iter().all(|(pointer, wanted)| event.pointer(pointer) == Some(wanted))
        && begins.iter().all(begins_so)
}

impl When {
    /// Whether the event has the values that are asked for. Counting and chance are not looked at.
    pub fn matches(&self, event: &Value) -> bool {
        has(&self.matches, &self.begins, event)
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
