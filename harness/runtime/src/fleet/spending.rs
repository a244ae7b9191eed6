//! What a dispatch and its reply mean to the budget of a peer.

use gauntlet_protocol::fleet::AgentMessage;
use gauntlet_protocol::fleet::config::{PeerEntry, Period, Unknown};
use gauntlet_protocol::fleet::extension::usage::{Reading, Usage};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::Fleet;
use super::budget::{Manner, Refusal, Wanted};
use super::client::{Class, SendError};

impl Fleet {
    /// Reserves a turn of a peer with a budget. False: nothing is counted for it.
    pub(super) async fn reserve(
        &self,
        name: &str,
        peer: &PeerEntry,
        id: &str,
        on: Option<&str>,
    ) -> Result<bool, SendError> {
        let Some(budget) = &peer.budget else { return Ok(false) };
        let mut budget = budget.clone();
        let kind = match budget.unknown {
            Unknown::Refuse => "refuse",
            Unknown::Allow => "allow",
            Unknown::Estimate { .. } => "estimate",
        };
        let event = json!({ "peer": name, "period": budget.period.name(), "unknown": kind });
        let looked = self.decide(Point::RuntimeBudget, event).await;
        if looked.is_omitted() {
            return Ok(false);
        }
        if looked.text("unknown") != Some(kind) {
            budget.unknown = Unknown::Allow;
        }
        let named = Period::ALL.into_iter().find(|period| looked.text("period") == Some(period.name()));
        budget.period = named.unwrap_or(budget.period);
        let account = looked.text("peer").unwrap_or(name);
        let manner = self.manner(account).await;
        let wanted = Wanted { id, peer: account, budget: &budget, context: on };
        match self.budgets.reserve(&self.host, wanted, manner).await {
            Ok(()) => Ok(true),
            Err(Refusal::Exceeded(text)) => {
                let event =
                    json!({ "peer": name, "exceeded": true, "text": text, "class": Class::Budget.name() });
                let told = self.decide(Point::RuntimeBudgetRefusal, event).await;
                if !told.yes("exceeded") {
                    return Ok(false);
                }
                let class = if told.text("class") == Some("budget") { Class::Budget } else { Class::Unknown };
                Err(SendError::new(class, "budget", told.text("text").unwrap_or(&text)))
            }
            Err(Refusal::Ledger(error)) => {
                let event = json!({ "peer": name, "text": error.to_string() });
                let told = self.decide(Point::RuntimeBudgetLedger, event).await;
                if told.is_omitted() {
                    return Ok(false);
                }
                let text = told.text("text").unwrap_or_default();
                Err(SendError::new(Class::NotSent, "budget ledger", text))
            }
        }
    }

    async fn manner(&self, account: &str) -> Manner {
        let event = json!({ "peer": account, "alone": true, "durable": true, "mode": "0600" });
        let passed = self.decide(Point::RuntimeBudgetReserve, event).await;
        let mode = passed.text("mode").and_then(|mode| u32::from_str_radix(mode, 8).ok());
        Manner { alone: passed.yes("alone"), durable: passed.yes("durable"), mode: mode.unwrap_or(0o600) }
    }

    /// What was reserved surely came to nothing.
    pub(super) async fn release(&self, id: &str) {
        let event =
            json!({ "event": "release", "reply": null, "contextId": null, "usage": null, "doubted": false });
        if !self.decide(Point::RuntimeBudgetEntry, event).await.is_omitted() {
            self.budgets.release(&self.host, id).await;
        }
    }

    /// Books what a peer answered. A receiver will reply later; the answer of a Hermes node is the reply itself.
    pub(super) async fn book(
        &self,
        id: &str,
        is_plain: bool,
        answers_on: Option<&str>,
        message: &AgentMessage,
        told: Reading,
    ) {
        let named = answers_on.or(message.context.as_deref()).unwrap_or_default();
        if is_plain && !message.text.contains("[queued]") {
            self.settle(&format!("answer to {id}"), named, Some(id), told).await;
        } else if answers_on.is_none() {
            self.budgets.accepted(&self.host, id, named).await;
        }
    }

    /// Books what a reply tells.
    pub(super) async fn settle(&self, reply: &str, context: &str, of: Option<&str>, told: Reading) {
        let usage = told.usage.to_value();
        let doubted = !told.notes.is_empty();
        let event = json!({ "event": "settle", "reply": reply, "contextId": context, "usage": usage, "doubted": doubted });
        for event in self.settings.injector.pass(&self.host, Point::RuntimeBudgetEntry, event).await.events {
            let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let told = match event.get("usage") {
                Some(same) if *same == usage => told.clone(),
                other => {
                    Reading { usage: Usage::read(other.unwrap_or(&Value::Null)).usage, notes: Vec::new() }
                }
            };
            self.budgets.settle(&self.host, &text("reply"), &text("contextId"), of, told).await;
        }
    }
}
