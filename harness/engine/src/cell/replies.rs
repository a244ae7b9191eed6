//! What a runtime that is not ours gives out: it is asked for it, and each reply that it gives is a delivery.

use std::time::Duration;

use serde_json::{Value, json};

use super::driven::Driven;
use super::steps::Stagehand;
use crate::driver::orders::Reply;
use crate::oracle::wire;
use crate::scenario::Await;
use crate::trace::What;

/// A reply that was taken is given out within this, at the end of a story.
const TAKEN: Duration = Duration::from_secs(3);
/// So long it is asked for one more that should not be there.
const SURPLUS: Duration = Duration::from_millis(250);
/// The callback that a reply came by is seen within this.
const SEEN: Duration = Duration::from_secs(1);
/// More are not asked for: one that always has another one is found out by then.
const MOST: usize = 8;

/// A callback that came whole, with an id and a context.
struct Came {
    context: String,
    /// As JSON writes it.
    id: String,
    text: String,
    taken: bool,
}

impl Stagehand {
    /// Waits for the reply to a dispatch.
    pub(super) async fn wait_for_driver(&self, driven: &Driven, dispatch: &str, wait: &Await) -> Value {
        let clock = self.bench.harness().clock();
        let deadline = clock.now() + wait.within.duration();
        loop {
            if let Some(value) = self.happened(wait) {
                return value;
            }
            let left = deadline.saturating_duration_since(clock.now());
            let context =
                self.asked().into_iter().find(|(name, _)| name == dispatch).map(|(_, context)| context);
            // Nobody is owed a reply to what was not accepted.
            let (Some(context), false) = (context, left.is_zero()) else {
                return json!({ "happens": false });
            };
            match driven.await_reply(dispatch, &context, left).await {
                Ok(Some(reply)) => self.note_reply(&context, reply).await,
                Ok(None) => {}
                Err(error) => return json!({ "happens": false, "tool": { "error": error, "broken": true } }),
            }
        }
    }

    /// Asks for everything that the runtime has for the senders of this cell.
    pub(super) async fn collect(&self) {
        let Some(driven) = self.bench.driven() else { return };
        let mut asked = self.asked();
        asked.dedup_by(|one, other| one.1 == other.1);
        for (dispatch, context) in asked {
            for _ in 0..MOST {
                let within = if self.is_owed(&context) { TAKEN } else { SURPLUS };
                match driven.await_reply(&dispatch, &context, within).await {
                    Ok(Some(reply)) => self.note_reply(&context, reply).await,
                    Ok(None) | Err(_) => break,
                }
            }
        }
    }

    /// The dispatches whose context is known, in order, each with it.
    fn asked(&self) -> Vec<(String, String)> {
        self.trace.read(|all| {
            let asked = all.iter().filter_map(|seen| match &seen.what {
                What::Dispatched { dispatch, context: Some(context), .. } => {
                    Some((dispatch.clone(), context.clone()))
                }
                _ => None,
            });
            asked.collect()
        })
    }

    /// Whether the runtime took more replies on a context than it gave out.
    fn is_owed(&self, context: &str) -> bool {
        let mut taken: Vec<String> =
            self.came(context).into_iter().filter(|came| came.taken).map(|came| came.id).collect();
        taken.sort();
        taken.dedup();
        taken.len() > self.delivered(context).len()
    }

    /// The ids under which replies on a context were given out so far.
    fn delivered(&self, context: &str) -> Vec<String> {
        self.trace.read(|all| {
            let ids = all.iter().filter_map(|seen| match &seen.what {
                What::Delivered { id, context: on, .. } if on == context => Some(id.clone()),
                _ => None,
            });
            ids.collect()
        })
    }

    fn came(&self, context: &str) -> Vec<Came> {
        self.trace.read(|all| {
            let came = all.iter().filter_map(|seen| match &seen.what {
                What::Callback { sent, answered } => came(&sent.0, &answered.0),
                _ => None,
            });
            came.filter(|came| came.context == context).collect()
        })
    }

    /// A reply was given out. Of which callback it is, a driver need not know: it is the first with this text that was not given out, or
    /// once more the last one; one that is of no callback on its context is told as what it is.
    async fn note_reply(&self, asked_on: &str, reply: Reply) {
        let context = reply.context.unwrap_or_else(|| asked_on.to_owned());
        let given = self.delivered(&context);
        let like_it = || self.came(&context).into_iter().filter(|came| came.text == reply.text);
        let first = || like_it().find(|came| !given.contains(&came.id));
        let clock = self.bench.harness().clock();
        let deadline = clock.now() + SEEN;
        // A callback is seen when it was answered, and a reply may be given out before.
        while first().is_none()
            && clock.within(SEEN, self.trace.changed()).await.is_some()
            && clock.now() < deadline
        {}
        let id = first().or(like_it().next_back()).map_or("of no callback".to_owned(), |came| came.id);
        self.trace.push(What::Delivered { id, context, text: reply.text, late: false });
    }
}

fn came(sent: &[u8], answered: &[u8]) -> Option<Came> {
    let body = wire::request(sent)?.body?;
    let message = body.pointer("/params/message")?;
    let text = message.pointer("/parts/0/text").and_then(Value::as_str).unwrap_or_default();
    let answer = wire::answers(answered).into_iter().next();
    let taken = answer.is_some_and(|answer| {
        (200..300).contains(&answer.status)
            && answer.body.as_ref().is_some_and(|body| body.get("error").is_none())
    });
    Some(Came {
        context: message.get("contextId")?.as_str()?.to_owned(),
        id: body.get("id").filter(|id| !id.is_null())?.to_string(),
        text: text.to_owned(),
        taken,
    })
}
