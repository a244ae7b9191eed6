//! What a turn used, and how far it came: as its CLI told it.

use gauntlet_protocol::fleet::extension::USAGE;
use gauntlet_protocol::fleet::extension::usage::{Reading, Usage};
use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::state::Receiver;

/// What a CLI tells of what a turn used.
pub(crate) enum Account {
    /// What this turn used.
    OfTurn(Reading),
    /// What all turns of its session used so far.
    OfSession(Reading),
}

/// What a turn used.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Used {
    /// By itself.
    pub(super) usage: Usage,
    /// With all earlier turns of its session, which is named; where its CLI tells that alone.
    pub(super) total: Option<(String, Usage)>,
}

impl Used {
    /// What a turn used in which nothing ran.
    pub(super) fn nothing() -> Self {
        Self { usage: Usage::NOTHING, total: None }
    }

    /// As the journal keeps it; nothing when nothing is known.
    pub(super) fn to_value(&self) -> Option<Value> {
        (*self != Used::default()).then(|| {
            let total = self.total.as_ref().map(|(session, total)| json!([session, total.to_value()]));
            json!({ "turn": self.usage.to_value(), "total": total })
        })
    }

    pub(super) fn from_value(value: &Value) -> Self {
        let usage = Usage::read(value.get("turn").unwrap_or(&json!({}))).usage;
        let session = value.pointer("/total/0").and_then(Value::as_str).map(str::to_owned);
        let total = value.pointer("/total/1").map(|total| Usage::read(total).usage);
        Self { usage, total: session.zip(total) }
    }
}

impl Receiver {
    /// What a turn used by what its CLI printed: in which session it ran, and which one it was to go on with. Who does not declare
    /// the extension does not look.
    pub(super) async fn used(
        &self,
        context: &str,
        session: Option<&str>,
        resumed: Option<&str>,
        stdout: &[u8],
    ) -> Used {
        if !self.settings.declares.contains(&&USAGE) {
            return Used::default();
        }
        let (told, is_total) = match self.talk.account(stdout) {
            Account::OfTurn(told) => (told, false),
            Account::OfSession(told) => (told, true),
        };
        for note in &told.notes {
            self.log(format!("usage of context {context}: {note}; it counts as unknown")).await;
        }
        let mut used = Used { usage: told.usage, total: None };
        if let Some(session) = session.filter(|_| is_total) {
            // Of a session that is new it is the turn's own; of one of which no total was ever told nobody knows what this turn added.
            let before = self.journal.total_of(session);
            let before = before.or_else(|| (resumed != Some(session)).then(|| zero_like(&told.usage)));
            used.usage = before.map_or_else(Usage::default, |before| told.usage.since(&before));
            used.total = Some((session.to_owned(), told.usage));
        }
        let event = json!({
            "contextId": context, "usage": used.usage.to_value(), "later": used.usage != told.usage,
            "doubted": !told.notes.is_empty(), "counts": "turn",
        });
        let passed = self.pass(Point::ReceiverUsage, event.clone()).await.first().unwrap_or_default();
        if passed.get("counts") != event.get("counts") {
            used.usage = told.usage;
        } else if passed != event {
            // Whatever it is: what cannot be must be told by somebody.
            used.usage = Usage::read(passed.get("usage").unwrap_or(&Value::Null)).usage;
        }
        used
    }

    /// What is told of a turn that was ended from here: how far it came.
    pub(super) async fn with_last_step(&self, context: &str, text: String, stdout: &[u8]) -> String {
        let step = self.talk.last_step(stdout);
        let (number, name) = (step.as_ref().map(|step| step.number), step.as_ref().map(|step| &step.name));
        let event = json!({ "contextId": context, "number": number, "name": name });
        let passed = self.pass(Point::ReceiverLastStep, event).await.first().unwrap_or_default();
        // None is made up.
        let (Some(number), Some(name)) = (passed["number"].as_u64(), passed["name"].as_str()) else {
            return text;
        };
        format!("{text}\nlast completed step: {number}, {name}")
    }
}

/// 0 wherever something is known.
fn zero_like(usage: &Usage) -> Usage {
    usage.since(usage)
}
