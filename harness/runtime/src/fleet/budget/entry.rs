//! One line of the ledger.

use gauntlet_protocol::fleet::config::Unknown;
use gauntlet_protocol::fleet::extension::usage::{Usage, Usd};
use gauntlet_protocol::json;
use serde_json::{Value, json};

/// The version of the format, in every line: a later one may count what this one does not know of.
const VERSION: u64 = 1;

/// What a turn holds until it is known what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) tokens: u64,
    pub(super) cost: Usd,
}

impl Hold {
    /// What is held of a peer with this policy.
    pub(super) fn of(policy: Unknown) -> Hold {
        match policy {
            Unknown::Estimate { tokens, cost } => Hold { tokens, cost: cost.unwrap_or_default() },
            Unknown::Refuse | Unknown::Allow => Hold { tokens: 0, cost: Usd(0) },
        }
    }
}

/// Something that happened to a budget.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A turn is about to be dispatched. `at` is in milliseconds since 1970. One that was reserved before its peer's last reset does
    /// not count.
    Reserve { id: String, peer: String, at: i64, context: Option<String>, hold: Hold, counts: bool },
    /// The peer took it, and replies on this context.
    Accepted { id: String, context: String },
    /// It is certain that the peer does nothing.
    Release { id: String },
    /// A reply says what its turn used: of the dispatch that it names, else of the first open one on its context.
    Settle { reply: String, context: String, of: Option<String>, usage: Usage, notes: Vec<String> },
    /// Somebody lets a peer's budget begin anew.
    Reset { peer: String, at: i64, by: String },
    /// The line before was left half written by a crash.
    Mended,
    /// The first line of a ledger that was written anew: how often it was, and how many lines say what the one before it said.
    Carried { generation: u64, lines: u64 },
    /// What turns of a day used that are over.
    Sum { peer: String, sum: Sum },
    /// The latest moment that counts for a peer.
    Last { peer: String, at: i64 },
    /// A reply that was booked.
    Booked { reply: String, context: String },
    /// What a reply said of which nobody knew yet whose it is.
    Early { context: String, usage: Usage },
}

/// What several turns used that are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    /// A moment of the day on which they were reserved, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) turns: u64,
    pub(super) tokens: Tally,
    pub(super) nano_usd: Tally,
}

/// What is known of something, and of how many turns it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) used: u64,
    pub(super) unknown: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Tally) {
        self.used = self.used.saturating_add(other.used);
        self.unknown = self.unknown.saturating_add(other.unknown);
    }

    fn to_value(self) -> Value {
        json!({ "used": self.used, "unknown": self.unknown })
    }

    fn of(value: &Value) -> Option<Tally> {
        Some(Tally { used: value.get("used")?.as_u64()?, unknown: value.get("unknown")?.as_u64()? })
    }
}

impl Sum {
    pub(super) fn add(&mut self, other: &Sum) {
        self.at = self.at.max(other.at);
        self.turns = self.turns.saturating_add(other.turns);
        self.tokens.add(other.tokens);
        self.nano_usd.add(other.nano_usd);
    }
}

impl Entry {
    pub(super) fn to_line(&self) -> String {
        let mut value = match self {
            Entry::Reserve { id, peer, at, context, hold, counts } => {
                let mut value = json!({
                    "event": "reserve", "id": id, "peer": peer, "at_ms": at, "context": context,
                    "hold": { "tokens": hold.tokens, "nano_usd": hold.cost.0 },
                });
                if !counts {
                    value["counts"] = json!(false);
                }
                value
            }
            Entry::Accepted { id, context } => json!({ "event": "accepted", "id": id, "context": context }),
            Entry::Release { id } => json!({ "event": "release", "id": id }),
            Entry::Settle { reply, context, of, usage, notes } => json!({
                "event": "settle", "reply": reply, "context": context, "of": of, "usage": usage.to_value(), "notes": notes,
            }),
            Entry::Reset { peer, at, by } => json!({ "event": "reset", "peer": peer, "at_ms": at, "by": by }),
            Entry::Mended => json!({ "event": "mended" }),
            Entry::Carried { generation, lines } => {
                json!({ "event": "carried", "generation": generation, "lines": lines })
            }
            Entry::Sum { peer, sum } => json!({
                "event": "sum", "peer": peer, "at_ms": sum.at, "turns": sum.turns,
                "tokens": sum.tokens.to_value(), "nano_usd": sum.nano_usd.to_value(),
            }),
            Entry::Last { peer, at } => json!({ "event": "last", "peer": peer, "at_ms": at }),
            Entry::Booked { reply, context } => {
                json!({ "event": "booked", "reply": reply, "context": context })
            }
            Entry::Early { context, usage } => {
                json!({ "event": "early", "context": context, "usage": usage.to_value() })
            }
        };
        value["v"] = json!(VERSION);
        format!("{value}\n")
    }

    /// Reads a line. An error says what was found instead.
    pub(super) fn parse(line: &[u8]) -> Result<Entry, String> {
        let value = json::parse("an entry of the budget ledger", line).map_err(|error| error.to_string())?;
        let version = value.get("v").and_then(Value::as_u64);
        if version != Some(VERSION) {
            return Err(format!("version {} of the format", value.get("v").unwrap_or(&Value::Null)));
        }
        let event = value.get("event").and_then(Value::as_str).unwrap_or_default();
        Entry::of(event, &value).ok_or_else(|| match event {
            "" => "no event".to_owned(),
            event => format!(
                "an event '{}' that lacks something or is not known",
                event.chars().take(40).collect::<String>()
            ),
        })
    }

    fn of(event: &str, value: &Value) -> Option<Entry> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let at = || value.get("at_ms").and_then(Value::as_i64);
        Some(match event {
            "reserve" => {
                let hold = |name: &str| value.get("hold")?.get(name)?.as_u64();
                let hold = Hold { tokens: hold("tokens")?, cost: Usd(hold("nano_usd")?) };
                Entry::Reserve {
                    id: text("id")?,
                    peer: text("peer")?,
                    at: at()?,
                    context: text("context"),
                    hold,
                    counts: value.get("counts") != Some(&json!(false)),
                }
            }
            "accepted" => Entry::Accepted { id: text("id")?, context: text("context")? },
            "release" => Entry::Release { id: text("id")? },
            "carried" => Entry::Carried {
                generation: value.get("generation")?.as_u64()?,
                lines: value.get("lines")?.as_u64()?,
            },
            "sum" => Entry::Sum {
                peer: text("peer")?,
                sum: Sum {
                    at: at()?,
                    turns: value.get("turns")?.as_u64()?,
                    tokens: Tally::of(value.get("tokens")?)?,
                    nano_usd: Tally::of(value.get("nano_usd")?)?,
                },
            },
            "last" => Entry::Last { peer: text("peer")?, at: at()? },
            "booked" => Entry::Booked { reply: text("reply")?, context: text("context")? },
            "early" => Entry::Early {
                context: text("context")?,
                usage: Usage::read(value.get("usage").filter(|usage| usage.is_object())?).usage,
            },
            "settle" => {
                let notes = value.get("notes").and_then(Value::as_array).into_iter().flatten();
                Entry::Settle {
                    reply: text("reply")?,
                    context: text("context")?,
                    of: text("of"),
                    usage: Usage::read(value.get("usage").filter(|usage| usage.is_object())?).usage,
                    notes: notes.filter_map(Value::as_str).map(str::to_owned).collect(),
                }
            }
            "reset" => Entry::Reset { peer: text("peer")?, at: at()?, by: text("by")? },
            "mended" => Entry::Mended,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_as_it_is_written() {
        let usage = Usage { input_tokens: Some(3), cost: Some(Usd(45_000)), ..Usage::default() };
        let hold = Hold { tokens: 5, cost: Usd(7) };
        let t = |text: &str| text.to_owned();
        for entry in [
            Entry::Reserve { id: t("i"), peer: t("p"), at: -5, context: None, hold, counts: true },
            Entry::Reserve { id: t("i"), peer: t("p"), at: 5, context: Some(t("c")), hold, counts: false },
            Entry::Carried { generation: 3, lines: 9 },
            Entry::Sum {
                peer: t("p"),
                sum: Sum {
                    at: 5,
                    turns: 4,
                    tokens: Tally { used: 3, unknown: 2 },
                    nano_usd: Tally { used: u64::MAX, unknown: 1 },
                },
            },
            Entry::Last { peer: t("p"), at: 5 },
            Entry::Booked { reply: t("\"r\""), context: t("c") },
            Entry::Early { context: t("c"), usage },
            Entry::Accepted { id: t("i"), context: t("c") },
            Entry::Release { id: t("i") },
            Entry::Settle {
                reply: t("\"r\""),
                context: t("c"),
                of: Some(t("i")),
                usage,
                notes: vec![t("n")],
            },
            Entry::Reset { peer: t("p"), at: 5, by: t("me") },
            Entry::Mended,
        ] {
            let line = entry.to_line();
            assert_eq!(Entry::parse(line.trim_end().as_bytes()), Ok(entry), "{line}");
            assert!(Entry::parse(&line.as_bytes()[..line.len() - 2]).is_err(), "a half is no entry");
        }
    }

    #[test]
    fn what_is_no_entry_says_what_it_is() {
        for (line, found) in [
            (r#"{"v":2,"event":"reserve"}"#, "version 2 of the format"),
            (r#"{"event":"release","id":"x"}"#, "version null"),
            (r#"{"v":1,"event":"gift"}"#, "an event 'gift'"),
            (r#"{"v":1,"event":"release"}"#, "lacks something"),
            (r#"{"v":1}"#, "no event"),
        ] {
            let error = Entry::parse(line.as_bytes()).expect_err(line);
            assert!(error.contains(found), "{line}: {error}");
        }
    }
}
