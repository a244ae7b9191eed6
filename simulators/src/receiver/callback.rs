//! The way back: a reply is posted to Hermes, with the same id and body at every attempt.

use std::time::Duration;

use gauntlet_protocol::fleet::extension::{PROFILE, TASK, USAGE};
use gauntlet_protocol::fleet::{Callback, ContextId};
use gauntlet_protocol::json;
use gauntlet_protocol::jsonrpc::Response;
use gauntlet_world::http::{self, Request, Url};
use serde_json::json;

use super::journal::Outcome;
use super::state::Receiver;
use gauntlet_world::injection::Point;

const LIMIT: Duration = Duration::from_secs(30);
/// What is waited before the second and the third attempt (fleet sheet 1.1).
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];

impl Receiver {
    /// Posts an outcome, up to three times. True when Hermes has it.
    pub(super) async fn call_back(&self, line: u64, outcome: &Outcome) -> bool {
        for attempt in 0..=PAUSES.len() {
            if let Some(pause) = attempt.checked_sub(1).and_then(|before| PAUSES.get(before)) {
                self.host.clock().sleep(*pause).await;
            }
            match self.attempt(line, outcome, attempt).await {
                Ok(()) => return true,
                Err(reason) => {
                    self.log(format!("callback {} attempt {}: {reason}", outcome.id, attempt + 1)).await
                }
            }
        }
        self.log(format!("callback {} is given up; the reply stays in the transcript", outcome.id)).await;
        false
    }

    async fn attempt(&self, line: u64, outcome: &Outcome, attempt: usize) -> Result<(), String> {
        let event = json!({
            "id": outcome.id, "contextId": outcome.context, "text": outcome.text, "role": "agent",
            "attempt": attempt + 1, "url": self.address_of(outcome), "bearer": self.outbound.is_some(),
            "report": outcome.answer.as_ref().map(|answer| &answer.report),
            "usage": self.settings.declares.contains(&&USAGE).then(|| outcome.used.usage.to_value()),
            "profile": self.journal.profile_of(line).filter(|_| self.settings.declares.contains(&&PROFILE)),
        });
        let passed = self.pass(Point::ReceiverCallback, event).await;
        let mut last = Ok(());
        for event in &passed.events {
            let member =
                |name| event.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
            let Some(context) = ContextId::new(member("contextId")) else { continue };
            let callback = Callback { id: member("id"), context, text: member("text") };
            let mut value = callback.to_value();
            if let Some(role) = value.pointer_mut("/params/message/role") {
                *role = json!(member("role"));
            }
            if let (Some(message), Some(report)) =
                (value.pointer_mut("/params/message"), event.get("report").filter(|report| !report.is_null()))
            {
                TASK.announce(message, report.clone());
            }
            if let (Some(message), Some(usage)) =
                (value.pointer_mut("/params/message"), event.get("usage").filter(|usage| !usage.is_null()))
            {
                USAGE.announce(message, usage.clone());
            }
            if let (Some(message), Some(profile)) =
                (value.pointer_mut("/params/message"), event.get("profile").filter(|name| !name.is_null()))
            {
                PROFILE.announce(message, json!({ "profile": profile }));
            }
            let body = passed.mangle.apply(json::spaced(&value).into_bytes());
            last = self.post(&member("url"), event["bearer"] == true, body).await;
        }
        last
    }

    async fn post(&self, url: &str, bearer: bool, body: Vec<u8>) -> Result<(), String> {
        let url: Url = url.parse().map_err(|error| format!("hermes_url: {error}"))?;
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(token) = self.outbound.as_ref().filter(|_| bearer) {
            headers.push(("authorization".to_owned(), format!("Bearer {token}")));
        }
        let request = Request { method: "POST".to_owned(), url, headers, body, limit: LIMIT };
        let answer = http::exchange(&self.host, request).await.map_err(|error| error.to_string())?;
        // An error inside a 200 means that Hermes did not take the reply (FLEET-CB-06).
        let error = match Response::parse(&answer.body) {
            Ok(Response { outcome: Err(error), .. }) => Some(error),
            _ => None,
        };
        let is_good = (200..300).contains(&answer.status);
        let taken = is_good && error.is_none();
        let event = json!({ "status": answer.status, "error": error.is_some(), "taken": taken });
        let passed = self.pass(Point::ReceiverCallbackAnswer, event).await;
        if passed.first().is_some_and(|event| event["taken"] == true) {
            return Ok(());
        }
        Err(error
            .filter(|_| is_good)
            .map_or_else(|| format!("HTTP {}", answer.status), |error| format!("refused: {error}")))
    }
}
