//! How a peer stands: what of its budget is used, and whether there is anything left.

use gauntlet_protocol::fleet::config::{Budget, Unknown};
use gauntlet_protocol::fleet::extension::usage::{Usage, Usd};
use gauntlet_world::clock::WallTime;
use serde_json::{Value, json};

use super::entry::{Hold, Tally};
use super::period::around;
use super::state::{Fate, State};

/// One of the things that a budget limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part {
    /// What turns that are over used, or were estimated to have used.
    pub used: u64,
    /// What turns that may be under way hold.
    pub held: u64,
    /// Of how many turns that are over nobody knows it.
    pub unknown: u64,
    /// What there is in all, if it is limited.
    pub limit: Option<u64>,
}

/// How a peer stands. Money is in billionths of a US dollar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The peer.
    pub peer: String,
    /// Its budget.
    pub budget: Budget,
    /// When its period began.
    pub from: Option<WallTime>,
    /// When the next one begins.
    pub until: Option<WallTime>,
    /// Turns.
    pub turns: Part,
    /// Tokens.
    pub tokens: Part,
    /// Money.
    pub cost: Part,
}

impl Part {
    fn add(&mut self, fate: Fate, hold: u64, unknown: Option<u64>, known: impl Fn(&Usage) -> Option<u64>) {
        let add = |sum: &mut u64, more: u64| *sum = sum.saturating_add(more);
        match fate {
            Fate::Open => add(&mut self.held, hold),
            Fate::Settled(usage) => match known(&usage) {
                Some(used) => add(&mut self.used, used),
                None => {
                    add(&mut self.unknown, 1);
                    add(&mut self.used, unknown.unwrap_or_default());
                }
            },
            Fate::Released => {}
        }
    }

    /// Adds what turns used that are over.
    fn add_all(&mut self, tally: Tally, unknown: Option<u64>) {
        let guessed = tally.unknown.saturating_mul(unknown.unwrap_or_default());
        self.unknown = self.unknown.saturating_add(tally.unknown);
        self.used = self.used.saturating_add(tally.used).saturating_add(guessed);
    }

    /// Whether so much more would be too much. Whoever dispatches uses something.
    fn is_short_of(&self, more: u64) -> bool {
        let taken = self.used.saturating_add(self.held);
        self.limit.is_some_and(|limit| taken.saturating_add(more.max(1)) > limit)
    }

    fn to_value(self) -> Value {
        json!({ "used": self.used, "held": self.held, "unknown_turns": self.unknown, "limit": self.limit })
    }
}

impl Standing {
    pub(super) fn of(peer: &str, budget: &Budget, state: &State, now: WallTime) -> Self {
        let (from, until) = around(budget.period, state.time_of(peer, now.millis()));
        let limited = |limit| Part { limit, ..Part::default() };
        let mut standing = Self {
            peer: peer.to_owned(),
            budget: budget.clone(),
            from,
            until,
            turns: limited(budget.turns),
            tokens: limited(budget.tokens),
            cost: limited(budget.cost.map(|cost| cost.0)),
        };
        let estimate = match budget.unknown {
            Unknown::Estimate { tokens, cost } => (Some(tokens), cost.map(|cost| cost.0)),
            Unknown::Refuse | Unknown::Allow => (None, None),
        };
        let first = from.map_or(i64::MIN, WallTime::millis);
        for sum in state.sums_of(peer).filter(|sum| sum.at >= first) {
            standing.turns.used = standing.turns.used.saturating_add(sum.turns);
            standing.tokens.add_all(sum.tokens, estimate.0);
            standing.cost.add_all(sum.nano_usd, estimate.1);
        }
        let counted = state.turns_of(peer).filter(|turn| turn.fate != Fate::Released && turn.at >= first);
        for turn in counted {
            standing.turns.used += 1;
            standing.tokens.add(turn.fate, turn.hold.tokens, estimate.0, Usage::tokens);
            standing.cost.add(turn.fate, turn.hold.cost.0, estimate.1, |usage| usage.cost.map(|cost| cost.0));
        }
        standing
    }

    /// Why a turn that holds so much is refused, if it is: which budget, what is used, the limit, and when it begins anew.
    pub(super) fn refuses(&self, hold: Hold) -> Option<String> {
        let what = self.exhausted(hold)?;
        let again = match self.until {
            Some(until) => format!("it resets at {} UTC", until.stamp()),
            None => format!("it resets by `gauntlet budget reset {}` alone", self.peer),
        };
        let span = match self.budget.period.name() {
            "never" => "since its last reset".to_owned(),
            name => format!("in this {name}"),
        };
        Some(format!("the budget of '{}' does not allow this dispatch: {what} {span}; {again}", self.peer))
    }

    fn exhausted(&self, hold: Hold) -> Option<String> {
        let number = |count: u64| count.to_string();
        let money = |nanos: u64| Usd(nanos).to_string();
        let more = |part: &Part, hold: u64, shown: &dyn Fn(u64) -> String| {
            let held = if part.held > 0 {
                format!(", {} held by turns under way", shown(part.held))
            } else {
                String::new()
            };
            let this =
                if hold > 0 { format!(", {} estimated for this one", shown(hold)) } else { String::new() };
            let limit = shown(part.limit.unwrap_or_default());
            format!("{} of {limit} used{held}{this}", shown(part.used))
        };
        for (name, part, hold, shown) in [
            ("turns", &self.turns, 0, &number as &dyn Fn(u64) -> String),
            ("tokens", &self.tokens, hold.tokens, &number),
            ("cost_usd", &self.cost, hold.cost.0, &money),
        ] {
            if part.is_short_of(hold) {
                return Some(format!("{name}: {}", more(part, hold, shown)));
            }
            if self.budget.unknown == Unknown::Refuse && part.limit.is_some() && part.unknown > 0 {
                let limit = shown(part.limit.unwrap_or_default());
                return Some(format!(
                    "{name}: {} of {limit} used, and what {} of its turns used is unknown, which its policy (unknown: refuse) does not guess",
                    shown(part.used),
                    part.unknown
                ));
            }
        }
        None
    }

    /// What refuses the next dispatch, if anything does.
    pub fn refusal(&self) -> Option<String> {
        self.refuses(Hold::of(self.budget.unknown))
    }

    /// For programs. Money in US dollars.
    pub fn to_value(&self) -> Value {
        let stamp = |time: Option<WallTime>| time.map(WallTime::stamp);
        let dollars = |nanos: u64| Usd(nanos).dollars();
        json!({
            "peer": self.peer,
            "period": self.budget.period.name(),
            "from": stamp(self.from),
            "resets_at": stamp(self.until),
            "unknown": self.budget.unknown.to_string(),
            "turns": { "used": self.turns.used, "limit": self.turns.limit },
            "tokens": self.tokens.to_value(),
            "cost_usd": {
                "used": dollars(self.cost.used), "held": dollars(self.cost.held),
                "unknown_turns": self.cost.unknown, "limit": self.cost.limit.map(dollars),
            },
            "refuses": self.refusal(),
        })
    }
}
