//! Contexts with a turn in flight. There are modes that take one dispatch at a time (fleet sheet 3.3).
//!
//! A claim goes the way of its dispatch: taken before the dispatch is written down, kept until the line is handed off, held by
//! the turn, and let go when the turn is over, however it ends.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use gauntlet_protocol::fleet::refusal;
use gauntlet_protocol::jsonrpc::RpcError;
use serde_json::{Value, json};

use super::state::Receiver;
use gauntlet_world::injection::Point;

type Held = Rc<RefCell<BTreeMap<String, usize>>>;

/// The contexts that are claimed.
#[derive(Default)]
pub(super) struct Claims {
    held: Held,
    /// Claims of lines that are written down and not handed off.
    waiting: RefCell<BTreeMap<String, Vec<Claim>>>,
}

/// A context is at work for as long as one of these names it.
pub(super) struct Claim {
    context: String,
    held: Held,
}

impl Claims {
    /// Claims a context, whoever else did.
    fn share(&self, context: &str) -> Claim {
        *self.held.borrow_mut().entry(context.to_owned()).or_default() += 1;
        Claim { context: context.to_owned(), held: self.held.clone() }
    }

    /// Claims a context that nobody has claimed.
    fn take(&self, context: &str) -> Option<Claim> {
        let is_free = !self.held.borrow().contains_key(context);
        is_free.then(|| self.share(context))
    }

    /// Keeps the claim of a line until the line is handed off.
    pub(super) fn keep(&self, claim: Claim) {
        self.waiting.borrow_mut().entry(claim.context.clone()).or_default().push(claim);
    }

    /// The claim that was kept for a line of this context.
    fn kept(&self, context: &str) -> Option<Claim> {
        let mut waiting = self.waiting.borrow_mut();
        let claims = waiting.get_mut(context)?;
        let claim = claims.pop();
        if claims.is_empty() {
            waiting.remove(context);
        }
        claim
    }
}

impl Claim {
    /// Nobody can let this claim go any more.
    fn stay_for_ever(self) {
        if let Some(count) = self.held.borrow_mut().get_mut(&self.context) {
            *count += 1;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut held = self.held.borrow_mut();
        match held.get_mut(&self.context) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                held.remove(&self.context);
            }
        }
    }
}

impl Receiver {
    /// Claims a context for a dispatch. When it is at work, the dispatch is refused (FLEET-ACK-07), or waits (FLEET-ACK-10).
    pub(super) async fn claim(&self, context: &str) -> Result<Claim, RpcError> {
        // Taken before anything is waited for, so that of two dispatches at once only one finds the context free.
        let claim = self.claims.take(context);
        let waits = !self.settings.mode.one_in_flight;
        let event = json!({ "contextId": context, "free": claim.is_some(), "waits": waits });
        let passed = self.pass(Point::ReceiverClaim, event).await.first().unwrap_or_default();
        let is = |name: &str| passed.get(name).and_then(Value::as_bool).unwrap_or(false);
        match is("free") || is("waits") {
            true => Ok(claim.unwrap_or_else(|| self.claims.share(context))),
            false => Err(refusal::duplicate_dispatch()),
        }
    }

    /// Claims a context for a line that an earlier life wrote down.
    pub(super) fn claim_for_line(&self, context: &str) {
        self.claims.keep(self.claims.share(context));
    }

    /// The claim that the turn of a line holds.
    pub(super) fn claim_of_turn(&self, context: &str) -> Claim {
        self.claims.kept(context).unwrap_or_else(|| self.claims.share(context))
    }

    /// A turn is over: its context can be dispatched to again, before Hermes has the reply (FLEET-ACK-08). What is given back is to
    /// be held until Hermes has it.
    pub(super) async fn release(&self, claim: Claim) -> Option<Claim> {
        let event = json!({ "contextId": claim.context, "waits_for_thanks": false });
        match self.pass(Point::ReceiverRelease, event).await.first() {
            None => {
                claim.stay_for_ever();
                None
            }
            Some(event) => (event["waits_for_thanks"] == true).then_some(claim),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_free_again_when_the_last_claim_on_it_is_gone() {
        let claims = Claims::default();
        let one = claims.take("c").expect("it is free");
        let two = claims.share("c");
        assert!(claims.take("c").is_none() && claims.take("d").is_some(), "only this context is claimed");
        drop(one);
        assert!(claims.take("c").is_none(), "the other one stays");
        drop(two);
        assert!(claims.take("c").is_some());
    }

    #[test]
    fn a_claim_is_kept_for_each_line_of_a_context() {
        let claims = Claims::default();
        claims.keep(claims.share("c"));
        claims.keep(claims.share("c"));
        let first = claims.kept("c").expect("the first line's");
        let second = claims.kept("c").expect("the second line's");
        assert!(claims.kept("c").is_none());
        drop(first);
        assert!(claims.take("c").is_none());
        drop(second);
        assert!(claims.take("c").is_some());
    }
}
