//! Until when a task may take. The clock that never jumps judges it in the life in which it came, the wall clock after a restart.

use std::cell::OnceCell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use gauntlet_protocol::fleet::extension::task::EndedBy;
use gauntlet_protocol::fleet::extension::{Kept, Moment};
use gauntlet_world::Host;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::state::Receiver;
use gauntlet_world::injection::Point;

/// This life of the receiver.
pub(super) struct Life {
    began: Instant,
    /// Its name, as soon as one is needed.
    name: OnceCell<String>,
}

impl Life {
    pub(super) fn begin(host: &Host) -> Self {
        Self { began: host.clock().now(), name: OnceCell::new() }
    }
}

/// The deadline of a turn that is waiting or running.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
    /// Of how many milliseconds it is the end.
    pub(super) whole_ms: u64,
    /// Whether it was set before the receiver was started again.
    earlier_life: bool,
}

/// What became of waiting for something.
pub(super) enum Waited<T> {
    /// It came.
    Got(T),
    /// It did not come for as long as the receiver waits.
    Busy,
    /// The deadline came first.
    Over,
}

impl Receiver {
    /// Now, by both clocks.
    pub(super) fn moment(&self) -> Moment<'_> {
        let clock = self.host.clock();
        let elapsed = clock.now() - self.life.began;
        Moment {
            wall_ms: clock.wall().millis(),
            life: self.life.name.get_or_init(|| self.host.entropy().uuid().to_string()),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// The deadline of a task, as its turn is taken up.
    pub(super) async fn deadline_of(&self, context: &str, kept: Option<&Kept>) -> Option<Deadline> {
        let due = kept?.due.as_ref()?;
        let now = self.moment();
        let earlier_life = !due.is_of(now.life);
        let left = u64::try_from(due.left(now).as_millis()).unwrap_or(u64::MAX);
        let event = json!({
            "contextId": context, "earlier_life": earlier_life, "left_ms": left,
            "by": if earlier_life { "wall" } else { "life" },
        });
        let passed = self.pass(Point::ReceiverDeadline, event.clone()).await.first().unwrap_or_default();
        let left = match passed.get("left_ms").and_then(Value::as_u64) {
            Some(other) if other != left => Duration::from_millis(other),
            _ if passed.get("by") != event.get("by") => due.left_by_wall(now.wall_ms),
            _ => due.left(now),
        };
        let now = self.host.clock().now();
        Some(Deadline { at: now.checked_add(left).unwrap_or(now), whole_ms: due.whole_ms, earlier_life })
    }

    /// Waits for something as long as the receiver waits, and no longer than the deadline.
    pub(super) async fn wait_for<F: Future>(
        &self,
        what: F,
        deadline: Option<Deadline>,
        context: &str,
    ) -> Waited<F::Output> {
        let clock = self.host.clock();
        let patience = self.config.lock_wait;
        let mut what = pin!(what);
        let left = deadline.map(|deadline| deadline.at.saturating_duration_since(clock.now()));
        let mut waited = Duration::ZERO;
        if let Some(left) = left.filter(|left| *left <= patience) {
            if let Some(got) = clock.within(left, what.as_mut()).await {
                return Waited::Got(got);
            }
            if self.sees_over(deadline, context).await {
                return Waited::Over;
            }
            waited = left;
        }
        match clock.within(patience.saturating_sub(waited), what).await {
            Some(got) => Waited::Got(got),
            None => Waited::Busy,
        }
    }

    /// Whether a turn whose CLI is about to be started comes too late for it.
    pub(super) async fn is_over(&self, deadline: Option<Deadline>, context: &str) -> bool {
        deadline.is_some_and(|deadline| deadline.at <= self.host.clock().now())
            && self.sees_over(deadline, context).await
    }

    async fn sees_over(&self, deadline: Option<Deadline>, context: &str) -> bool {
        let earlier_life = deadline.is_some_and(|deadline| deadline.earlier_life);
        let event = json!({ "contextId": context, "earlier_life": earlier_life });
        !self.pass(Point::ReceiverDeadlineOver, event).await.events.is_empty()
    }

    /// How long the CLI may still work, and what it is that ends it. Where both fall together it is the deadline.
    pub(super) async fn limit(&self, context: &str, deadline: Option<Deadline>) -> (Duration, EndedBy) {
        let cap = self.cap(context).await;
        let Some(Deadline { at, whole_ms, earlier_life }) = deadline else { return (cap, EndedBy::Cap) };
        let left = at.saturating_duration_since(self.host.clock().now());
        let by = if left <= cap { EndedBy::Deadline } else { EndedBy::Cap };
        let together = Duration::from_millis(whole_ms) == self.config.turn_cap;
        let event = json!({
            "contextId": context, "earlier_life": earlier_life, "together": together,
            "by": by.name(), "named": by.name(),
        });
        let passed = self.pass(Point::ReceiverLimit, event).await.first().unwrap_or_default();
        let end = |name: &str| EndedBy::named(passed.get(name)?.as_str()?);
        let limit = match end("by") {
            Some(EndedBy::Deadline) => left,
            _ => cap,
        };
        (limit, end("named").unwrap_or(by))
    }
}
