//! `budget` of a peer: what it may use in a period, and what counts for a turn whose usage nobody told. Source: the hardening
//! roadmap (issue 5 A3); the product line knows no budgets.

use std::fmt;

use serde_json::{Map, Value};

use super::Rule;
use crate::fleet::extension::usage::{MOST_TOKENS, Usd};
use crate::python;

/// What a peer may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Tokens read and written.
    pub tokens: Option<u64>,
    /// Turns, each counted when it is dispatched.
    pub turns: Option<u64>,
    /// Money.
    pub cost: Option<Usd>,
    /// After which time it begins anew.
    pub period: Period,
    /// What counts for a turn of which it is not known what it used.
    pub unknown: Unknown,
}

/// How long a budget lasts, by the wall clock in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// From the first of a month to that of the next.
    Month,
    /// Until somebody resets it.
    Never,
}

impl Period {
    /// All of them.
    pub const ALL: [Period; 4] = [Period::Day, Period::Week, Period::Month, Period::Never];

    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
            Period::Never => "never",
        }
    }
}

/// What counts for a turn of which it is not known what it used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is not known any more what is left, so nothing further is dispatched.
    Refuse,
    /// Nothing; only the turn is counted.
    Allow,
    /// So many tokens, and so much money. A dispatch holds as much until its reply says what it really was.
    Estimate {
        /// Tokens.
        tokens: u64,
        /// Money, where that is limited.
        cost: Option<Usd>,
    },
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Refuse => f.write_str("refuse"),
            Unknown::Allow => f.write_str("allow"),
            Unknown::Estimate { tokens, cost: None } => write!(f, "estimate:{tokens}"),
            Unknown::Estimate { tokens, cost: Some(cost) } => {
                write!(f, "estimate:{tokens}:{}", cost.dollars())
            }
        }
    }
}

const KEYS: [&str; 5] = ["tokens", "turns", "cost_usd", "period", "unknown"];

/// Reads the value of `budget`; nothing when there is none.
pub(super) fn read(peer: &str, value: Option<&Value>) -> Result<Option<Budget>, Rule> {
    let Some(value) = value else { return Ok(None) };
    let members = value.as_object().ok_or_else(|| wrong(peer, "", "a mapping", value))?;
    // A limit with a typing error in its name would be none.
    if let Some(key) = members.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Rule::BudgetKey { peer: peer.to_owned(), key: key.clone(), known: KEYS.join(", ") });
    }
    let get = |key: &str| members.get(key).filter(|value| !value.is_null());
    let count = |key: &'static str, most: u64| {
        let expected = "a whole number from 0 on";
        get(key)
            .map(|value| {
                value.as_u64().filter(|count| *count <= most).ok_or_else(|| wrong(peer, key, expected, value))
            })
            .transpose()
    };
    let (tokens, turns) = (count("tokens", u64::MAX)?, count("turns", u64::MAX)?);
    let cost = get("cost_usd").map(|value| {
        let dollars = value.as_f64().and_then(Usd::from_dollars);
        dollars.ok_or_else(|| wrong(peer, "cost_usd", "a number of US dollars from 0 to 1000000", value))
    });
    let cost = cost.transpose()?;
    if tokens.is_none() && turns.is_none() && cost.is_none() {
        return Err(Rule::BudgetEmpty(peer.to_owned()));
    }
    let period = match get("period") {
        None => return Err(Rule::BudgetPeriod(peer.to_owned())),
        Some(value) => {
            let known = Period::ALL.into_iter().find(|period| value.as_str() == Some(period.name()));
            known.ok_or_else(|| wrong(peer, "period", "day, week, month or never", value))?
        }
    };
    let unknown = unknown(peer, members, cost.is_some())?;
    Ok(Some(Budget { tokens, turns, cost, period, unknown }))
}

fn unknown(peer: &str, members: &Map<String, Value>, limits_cost: bool) -> Result<Unknown, Rule> {
    let Some(value) = members.get("unknown").filter(|value| !value.is_null()) else {
        return Ok(Unknown::Refuse);
    };
    let expected = "refuse, allow, estimate:TOKENS or estimate:TOKENS:USD";
    let wrong_here = || wrong(peer, "unknown", expected, value);
    match value.as_str().ok_or_else(wrong_here)? {
        "refuse" => Ok(Unknown::Refuse),
        "allow" => Ok(Unknown::Allow),
        text => {
            let estimate = text.strip_prefix("estimate:").ok_or_else(wrong_here)?;
            let (tokens, cost) = match estimate.split_once(':') {
                None => (estimate, None),
                Some((tokens, cost)) => (tokens, Some(cost)),
            };
            let tokens = tokens.parse().ok().filter(|count| *count <= MOST_TOKENS).ok_or_else(wrong_here)?;
            let cost = cost
                .map(|cost| cost.parse().ok().and_then(Usd::from_dollars).ok_or_else(wrong_here))
                .transpose()?;
            // A limit on money that a turn of unknown cost counts nothing for would be none.
            if limits_cost && cost.is_none() {
                let expected = "an estimate of money as well, estimate:TOKENS:USD, since cost_usd is limited";
                return Err(wrong(peer, "unknown", expected, value));
            }
            Ok(Unknown::Estimate { tokens, cost })
        }
    }
}

fn wrong(peer: &str, key: &str, expected: &'static str, found: &Value) -> Rule {
    let dot = if key.is_empty() { "" } else { "." };
    Rule::Scalar { key: format!("agents.{peer}.budget{dot}{key}"), expected, found: python::repr(found) }
}

#[cfg(test)]
mod tests {
    use super::super::FleetConfig;
    use super::*;

    fn budget(text: &str) -> Result<Option<Budget>, String> {
        let text = format!(
            "fleet: {{server: {{bind_port: 1}}, agents: {{p: {{url: 'http://127.0.0.1:1', budget: {text}}}}}}}"
        );
        let config = FleetConfig::parse("/h/fleet.yaml", &text);
        config.map(|config| config.agents["p"].budget.clone()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_budget_says_what_is_limited_for_how_long_and_what_counts_for_the_unknown() {
        let full = "{tokens: 1000, turns: 3, cost_usd: 0.25, period: week, unknown: 'estimate:100:0.01'}";
        let expected = Budget {
            tokens: Some(1000),
            turns: Some(3),
            cost: Usd::from_dollars(0.25),
            period: Period::Week,
            unknown: Unknown::Estimate { tokens: 100, cost: Usd::from_dollars(0.01) },
        };
        assert_eq!(budget(full), Ok(Some(expected)));
        let least = budget("{turns: 0, period: never}").expect("a budget").expect("one");
        assert_eq!((least.turns, least.tokens, least.unknown), (Some(0), None, Unknown::Refuse));
        assert_eq!(budget("null"), Ok(None));
    }

    #[test]
    fn every_mistake_in_a_budget_says_what_was_expected_and_what_came() {
        for (text, told) in [
            ("[]", "fleet.agents.p.budget must be a mapping, got []"),
            (
                "{token: 5, period: day}",
                "fleet.agents.p.budget has no key 'token'; known: tokens, turns, cost_usd, period, unknown",
            ),
            ("{period: day}", "fleet.agents.p.budget must limit at least one of tokens, turns and cost_usd"),
            ("{turns: 1}", "fleet.agents.p.budget.period is required: day, week, month or never"),
            (
                "{turns: 1, period: year}",
                "fleet.agents.p.budget.period must be day, week, month or never, got 'year'",
            ),
            (
                "{turns: -1, period: day}",
                "fleet.agents.p.budget.turns must be a whole number from 0 on, got -1",
            ),
            (
                "{turns: '3', period: day}",
                "fleet.agents.p.budget.turns must be a whole number from 0 on, got '3'",
            ),
            (
                "{tokens: 1.5, period: day}",
                "fleet.agents.p.budget.tokens must be a whole number from 0 on, got 1.5",
            ),
            ("{cost_usd: .nan, period: day}", "not a plain YAML document"),
            ("{cost_usd: -1, period: day}", "must be a number of US dollars from 0 to 1000000, got -1"),
            (
                "{turns: 1, period: day, unknown: guess}",
                "must be refuse, allow, estimate:TOKENS or estimate:TOKENS:USD, got 'guess'",
            ),
            ("{turns: 1, period: day, unknown: 'estimate:-3'}", "got 'estimate:-3'"),
            (
                "{cost_usd: 1, period: day, unknown: 'estimate:5'}",
                "since cost_usd is limited, got 'estimate:5'",
            ),
        ] {
            let error = budget(text).expect_err(text);
            assert!(error.starts_with("/h/fleet.yaml: ") && error.contains(told), "{text}: {error}");
        }
    }
}
