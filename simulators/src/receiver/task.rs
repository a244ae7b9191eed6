//! What a dispatch says beside its text (docs/extensions.md): read when it comes, shown to the CLI as text, and remembered until the
//! outcome has gone where it asks for.

use gauntlet_protocol::fleet::extension::task::{EndedBy, Report, Task};
use gauntlet_protocol::fleet::extension::{Due, Extension, Kept, Misuse, TASK};
use gauntlet_protocol::fleet::{ContextId, InboxRecord, Lines};
use gauntlet_protocol::jsonrpc::{RpcError, code};
use serde_json::{Value, json};

use super::account::Used;
use super::journal::{Answer, Outcome};
use super::state::Receiver;
use gauntlet_world::injection::Point;

/// A longer `messageId` is not repeated.
const LONGEST_ID: usize = 256;

impl Receiver {
    fn takes(&self, extension: &Extension) -> bool {
        self.settings.declares.contains(&extension)
    }

    /// The structured task of a dispatch that came on a context, if it has one. Who does not declare the extension does not look.
    pub(super) async fn task_of(
        &self,
        params: &Value,
        text: &str,
        context: Option<&ContextId>,
    ) -> Result<Option<Kept>, RpcError> {
        let Some(message) = params.get("message").filter(|_| self.takes(&TASK)) else { return Ok(None) };
        let read = Task::in_message(message, text);
        // Before anything is waited for. A life that meets no deadline needs no name.
        let came = read.as_ref().is_ok_and(Option::is_some).then(|| self.moment());
        let (task, because, refusal) = match read {
            Ok(None) if message.get("extensions").and_then(Value::as_array).is_none_or(Vec::is_empty) => {
                return Ok(None);
            }
            Ok(None) => (None, Some("others"), None),
            Ok(Some(task)) => match self.misdirected(&task, context).await {
                None => (Some(task), None, None),
                Some((because, misuse)) => (Some(task), Some(because), Some(misuse)),
            },
            Err(misuse) => (None, Some(kind(&misuse)), Some(misuse)),
        };
        let event = json!({
            "contextId": context, "because": because, "payload": task.as_ref().map(Task::to_value),
            "refused": refusal.is_some(),
        });
        let passed = self.pass(Point::ReceiverTask, event).await.first();
        let refused = passed.and_then(|event| event.get("refused")?.as_bool()).unwrap_or(refusal.is_some());
        if refused {
            return Err(match refusal {
                Some(misuse) => refused_for(&misuse),
                None => RpcError::new(code::INVALID_PARAMS, "invalid params: params.message.extensions"),
            });
        }
        let id = message.get("messageId").and_then(Value::as_str);
        let of = id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID).map(str::to_owned);
        Ok(task.map(|task| {
            let due = came.and_then(|came| Some(Due::after(task.deadline_ms?, came)));
            Kept { task, of, due }
        }))
    }

    /// Why a reply may not go where a task asks for it: an address that is not the sender's own, or a context on which it asked for
    /// nothing.
    async fn misdirected(&self, task: &Task, context: Option<&ContextId>) -> Option<(&'static str, Misuse)> {
        let reply_to = task.reply_to.as_ref()?;
        if let Some(error) = reply_to.leads_out(&self.config.hermes_url) {
            return Some(("address", error.into()));
        }
        let asked = reply_to.context.as_ref().filter(|asked| Some(*asked) != context)?;
        if self.was_dispatched_on(asked).await {
            return None;
        }
        let expected = "a context on which something was dispatched here";
        let error = gauntlet_protocol::ParseError::new("task", "/reply_to/context", expected, asked.as_str());
        Some(("context", error.into()))
    }

    async fn was_dispatched_on(&self, context: &ContextId) -> bool {
        let content = self.inbox_content().await.unwrap_or_default();
        Lines::new(&content).filter_map(|(_, line)| InboxRecord::parse_line(line).ok()).any(|record| {
            record.from == InboxRecord::HERMES && record.context.as_deref() == Some(context.as_str())
        })
    }

    /// The task of a line whose turn begins, as far as it is still known.
    pub(super) async fn still_known(&self, line: u64, context: &str, kept: Option<Kept>) -> Option<Kept> {
        let kept = kept?;
        let earlier_life = line <= self.earlier_lines.get();
        let event = json!({ "contextId": context, "earlier_life": earlier_life, "deadline": kept.due.is_some(), "known": true });
        let passed = self.pass(Point::ReceiverTaskKept, event).await.first();
        passed.is_none_or(|event| event["known"] == true).then_some(kept)
    }

    /// What the executor is given to read.
    pub(super) async fn shown(&self, context: &str, text: &str, kept: Option<&Kept>) -> String {
        let Some(kept) = kept else { return text.to_owned() };
        let whole = kept.task.text_form(text);
        let event = json!({ "contextId": context, "text": text, "shown": whole });
        let passed = self.pass(Point::ReceiverTaskShown, event).await.first();
        passed.and_then(|event| event.get("shown")?.as_str().map(str::to_owned)).unwrap_or(whole)
    }

    /// The outcome of a dispatch on a context, on its way to where the task asks for it.
    pub(super) async fn outcome(&self, context: &str, kept: Option<&Kept>, ended: Ended) -> Outcome {
        let Ended { id, text, ended_by } = ended;
        let busy = ended_by == EndedBy::Busy;
        // Of what did not begin it is known.
        let used = if busy { Used::nothing() } else { Used::default() };
        let Some(kept) = kept else {
            return Outcome { id, context: context.to_owned(), text, busy, answer: None, used };
        };
        let mut on = kept.answers_on(context).to_owned();
        let mut url = kept.task.reply_to.as_ref().and_then(|reply_to| reply_to.url.clone());
        let mut report = Report { of: kept.of.clone(), ended_by }.to_value();
        let event = json!({ "contextId": context, "on": on, "url": url, "report": report });
        if let Some(passed) = self.pass(Point::ReceiverTaskAnswer, event).await.first() {
            let member = |name: &str| passed.get(name).and_then(Value::as_str).map(str::to_owned);
            on = member("on").unwrap_or(on);
            url = member("url");
            report = passed.get("report").cloned().unwrap_or_default();
        }
        Outcome { id, context: on, text, busy, answer: Some(Answer { url, report }), used }
    }

    /// Where an outcome is sent. What a task asked for counts only as long as it is below the configured address: that may be another
    /// one by now.
    pub(super) fn address_of(&self, outcome: &Outcome) -> String {
        let asked = outcome.answer.as_ref().and_then(|answer| answer.url.clone());
        let reply_to = gauntlet_protocol::fleet::extension::ReplyTo { context: None, url: asked };
        match reply_to.leads_out(&self.config.hermes_url) {
            None => reply_to.url.unwrap_or_else(|| self.config.hermes_url.clone()),
            Some(_) => self.config.hermes_url.clone(),
        }
    }
}

/// How the work on a dispatch ended.
pub(super) struct Ended {
    pub(super) id: String,
    pub(super) text: String,
    pub(super) ended_by: EndedBy,
}

/// What kind of misuse it is, for whoever wants to bite one of them.
fn kind(misuse: &Misuse) -> &'static str {
    match misuse {
        Misuse::Version { .. } => "version",
        Misuse::Half { .. } => "announcement",
        Misuse::Shape(error) if error.at == "/deadline_s" => "deadline",
        Misuse::Shape(error) if error.at == "/reply_to/url" => "address",
        Misuse::Shape(_) => "payload",
    }
}

fn refused_for(misuse: &Misuse) -> RpcError {
    let mut error = RpcError::new(code::INVALID_PARAMS, format!("invalid params: {misuse}"));
    if let Misuse::Version { known, .. } = misuse {
        error.data = Some(json!({ "supported": [known] }));
    }
    error
}
