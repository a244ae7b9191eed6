//! Sending: every recipient has a file before the call returns; who is idle is told at once (team sheet 6.1 to 6.6).

use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::envelope::envelope;
use super::inbox::{Inbox, Slot};
use super::message::{Kind, Message, Reference};
use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::names::{MemberName, MessageId, RunId};
use crate::team::sessions::{Prompt, Prompted};
use crate::team::state::{MemberStatus, RunState, RunStatus};

/// What is to be sent.
pub(crate) struct Outgoing {
    /// The name of the sender, which its session says and never the call (TEAM-MSG-09).
    pub(crate) from: String,
    /// Whether the sender leads.
    pub(crate) leads: bool,
    pub(crate) to: String,
    pub(crate) kind: Kind,
    pub(crate) body: String,
    pub(crate) summary: Option<String>,
    pub(crate) references: Option<Vec<Reference>>,
    pub(crate) correlation: Option<String>,
    /// Its id, where the same message may be sent again after a crash: it is there once all the same.
    pub(crate) id: Option<MessageId>,
}

impl Outgoing {
    /// A message of the runtime's own.
    pub(crate) fn own(from: &str, to: &str, kind: Kind, body: String) -> Self {
        Self {
            from: from.to_owned(),
            leads: false,
            to: to.to_owned(),
            kind,
            body,
            summary: None,
            references: None,
            correlation: None,
            id: None,
        }
    }

    /// The same, with the id that is made of what it is about.
    pub(crate) fn once(mut self, about: &[&str]) -> Self {
        let hash = blake3::hash(about.join("\n").as_bytes()).to_hex();
        let part = |from: usize, to: usize| hash.get(from..to).unwrap_or_default();
        let id =
            format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32));
        self.id = MessageId::new(&id).ok();
        self
    }
}

impl Team {
    /// Sends, and tells idle recipients at once.
    pub(crate) async fn send(
        &self,
        run: &RunId,
        outgoing: Outgoing,
        directory: Option<&str>,
    ) -> Result<(MessageId, Vec<String>), TeamError> {
        let (message, recipients) = self.post(run, outgoing, Slot::Reserved).await?;
        let id = MessageId::new(&message.message_id)?;
        for recipient in &recipients {
            self.deliver(run, recipient, &id, &message, directory).await;
        }
        Ok((id, recipients.iter().map(ToString::to_string).collect()))
    }

    /// Sends without telling anybody at once.
    pub(crate) async fn leave_mail(&self, run: &RunId, outgoing: Outgoing) -> Result<(), TeamError> {
        self.post(run, outgoing, Slot::Unread).await.map(drop)
    }

    async fn post(
        &self,
        run: &RunId,
        outgoing: Outgoing,
        slot: Slot,
    ) -> Result<(Message, Vec<MemberName>), TeamError> {
        let state = self.store().load(run).await?;
        let (outgoing, recipients, slot) = self.settled(run, &state, outgoing, slot).await?;
        let is_known = outgoing.id.is_some();
        let id = match outgoing.id.clone() {
            Some(id) => id,
            None => MessageId::new(&self.host().entropy().uuid().to_string())?,
        };
        let now = self.host().clock().wall().millis().max(1);
        let mut message = Message::new(&id, &outgoing.from, &outgoing.to, outgoing.kind, outgoing.body, now);
        message.summary = outgoing.summary;
        message.references = outgoing.references;
        message.correlation_id = outgoing.correlation;
        message.color = state.member(&outgoing.from).and_then(|member| member.color.clone());
        let limit = self.config().recipient_unread_max_bytes;
        for (written, member) in recipients.iter().enumerate() {
            let inbox = Inbox { store: self.store(), run, member };
            let put = inbox.put(&message, slot, limit).await;
            if matches!(&put, Err(TeamError::DuplicateMessage(_)) if is_known) {
                continue;
            }
            if let Err(error) = put {
                // Nobody comes back to the reservations of a call that failed (TEAM-MSG-10).
                let event = json!({ "stored": written });
                let lets_go = !self.decide(Point::RuntimeTeamFailed, event).await.is_omitted();
                for member in recipients.iter().take(written).filter(|_| lets_go) {
                    self.let_go(run, member, &id).await;
                }
                return Err(error);
            }
        }
        Ok((message, recipients))
    }

    /// Who has it, from whom and how, if it can be sent at all.
    async fn settled(
        &self,
        run: &RunId,
        state: &RunState,
        mut outgoing: Outgoing,
        slot: Slot,
    ) -> Result<(Outgoing, Vec<MemberName>, Slot), TeamError> {
        let (bytes, limit) = (outgoing.body.len(), self.config().message_payload_max_bytes);
        let meant = recipients(state, &outgoing);
        let refusal = if bytes as u64 > limit {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Some(("payload", TeamError::PayloadTooLarge { bytes, limit }))
        } else if matches!(state.status(), RunStatus::Deleting | RunStatus::Deleted) {
            Some(("deleting", TeamError::Deleting))
        } else if outgoing.to == "*" && !outgoing.leads {
            Some(("broadcast", TeamError::BroadcastNotPermitted))
        } else {
            None
        };
        let (recipients, refusal) = match (meant, refusal) {
            (meant, Some(refusal)) => (meant.unwrap_or_default(), Some(refusal)),
            (Err(error), None) => (Vec::new(), Some(("recipient", error))),
            (Ok(recipients), None) => {
                let counted = self.count_messages(run, state, recipients.len()).await;
                (recipients, counted.err().map(|error| ("limit", error)))
            }
        };
        let names: Vec<&str> = recipients.iter().map(MemberName::as_str).collect();
        let event = json!({
            "from": outgoing.from, "to": outgoing.to, "kind": outgoing.kind.name(), "bytes": bytes, "recipients": names,
            "refused": refusal.as_ref().map(|(because, _)| *because),
            "slot": if slot == Slot::Reserved { "reserved" } else { "unread" },
        });
        let decided = self.decide(Point::RuntimeTeamPost, event).await;
        if let Some((_, error)) = refusal.filter(|_| decided.text("refused").is_some()) {
            return Err(error);
        }
        outgoing.from = decided.text("from").unwrap_or_default().to_owned();
        let slot = if decided.text("slot") == Some("reserved") { Slot::Reserved } else { Slot::Unread };
        let chosen = decided.value("recipients").as_array().into_iter().flatten();
        let chosen = chosen.filter_map(|name| name.as_str()).map(MemberName::new);
        Ok((outgoing, chosen.collect::<Result<_, _>>()?, slot))
    }

    async fn let_go(&self, run: &RunId, member: &MemberName, id: &MessageId) {
        let inbox = Inbox { store: self.store(), run, member };
        if let Err(error) = inbox.release(id).await {
            tracing::warn!(%run, %member, %id, %error, "a reservation is left until the team is resumed");
        }
    }

    /// Tells an idle recipient at once (6.6). Whatever goes wrong, the message stays where it is found later, and the call is fine.
    pub(crate) async fn deliver(
        &self,
        run: &RunId,
        member: &MemberName,
        id: &MessageId,
        message: &Message,
        directory: Option<&str>,
    ) {
        // One at a time for each member: the second one sees what the first one left pending (TEAM-DLV-03).
        let turn = self.delivery_turn(run, member);
        let _turn = turn.lock().await;
        let inbox = Inbox { store: self.store(), run, member };
        match inbox.reserve(id).await {
            Ok(true) => {}
            // Somebody else took it meanwhile.
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%run, %member, %id, %error, "mail cannot be reserved");
                return;
            }
        }
        let outcome = match self.store().load(run).await {
            Ok(state) => self.prompt_with(&state, member, message, directory).await,
            Err(error) => {
                tracing::warn!(%run, %error, "mail waits, since the state cannot be read");
                "unasked"
            }
        };
        let accepted = matches!(outcome, "accepted" | "unclear");
        let event =
            json!({ "member": member.as_str(), "outcome": outcome, "counts": accepted, "marks": accepted });
        let decided = self.decide(Point::RuntimeTeamPrompted, event).await;
        if !decided.yes("counts") {
            self.let_go(run, member, id).await;
            return;
        }
        if !decided.yes("marks") {
            return;
        }
        let marked = self.store().update(run, async |state| {
            if let Some(member) = state.member_mut(member.as_str()) {
                member.note_pending(id.as_str());
            }
            Ok(())
        });
        if let Err(error) = marked.await {
            // It is in the session and nobody would know: so it counts as read (TEAM-DLV-06).
            tracing::warn!(%run, %member, %id, %error, "mail that was told is put away at once");
            if let Err(error) = inbox.ack(id).await {
                tracing::warn!(%run, %member, %id, %error, "mail that was told cannot be put away");
            }
        }
    }

    /// What became of telling a member a message at once.
    async fn prompt_with(
        &self,
        state: &RunState,
        member: &MemberName,
        message: &Message,
        directory: Option<&str>,
    ) -> &'static str {
        let Some(member) = state.member(member.as_str()) else { return "unasked" };
        let pending = member.pending_injected_message_ids.len();
        let ready = member.status() == MemberStatus::Idle && pending == 0;
        let event = json!({
            "member": member.name, "status": member.status(), "pending": pending, "ready": ready, "agent": member.subagent_type,
            "directory": member.worktree_path.as_deref().or(directory), "text": envelope(message),
        });
        let decided = self.store().injector.pass(self.host(), Point::RuntimeTeamPrompt, event).await;
        let mut outcome = "unasked";
        for event in decided.events {
            let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
            let is_ready = event.get("ready") == Some(&json!(true));
            let Some(session) = member.session_id.clone().filter(|_| is_ready) else { continue };
            let prompt = Prompt {
                session,
                text: text("text").unwrap_or_default(),
                agent: text("agent"),
                model: member.model.clone(),
                directory: text("directory"),
            };
            let Some(answer) = self.sessions().prompt(prompt) else { continue };
            let prompted = answer.await;
            if prompted != Prompted::Accepted {
                tracing::info!(member = member.name, ?prompted, "a live prompt was not accepted");
            }
            outcome = match prompted {
                Prompted::Accepted => "accepted",
                Prompted::Refused(_) => "refused",
                Prompted::Unclear(_) => "unclear",
            };
        }
        outcome
    }

    /// Counts messages against the run's limit (TEAM-CFG-06). What an earlier life sent is found on the disk.
    async fn count_messages(&self, run: &RunId, state: &RunState, more: usize) -> Result<(), TeamError> {
        let limit = state.bounds.max_messages_per_run;
        let known = self.messages_sent(run);
        let sent = match known {
            Some(sent) => sent,
            None => {
                let mut sent = 0;
                for member in &state.members {
                    let member = MemberName::new(&member.name)?;
                    sent += Inbox { store: self.store(), run, member: &member }.count_all().await?;
                }
                sent
            }
        };
        if sent + more as u64 > limit {
            return Err(TeamError::MessageLimit(limit));
        }
        self.note_messages(run, sent + more as u64);
        Ok(())
    }
}

/// Who is to have it, in the order of members: one by name, or all but the sender, whether they have begun or not (TEAM-MSG-02).
fn recipients(state: &RunState, outgoing: &Outgoing) -> Result<Vec<MemberName>, TeamError> {
    let is_meant = |name: &str| name != outgoing.from && (outgoing.to == "*" || outgoing.to == name);
    let meant = state.members.iter().filter(|member| is_meant(&member.name));
    let recipients: Result<Vec<_>, _> = meant.map(|member| MemberName::new(&member.name)).collect();
    let recipients = recipients?;
    if recipients.is_empty() && outgoing.to != "*" {
        // A name that is a path is told apart, and neither makes anything.
        MemberName::new(&outgoing.to)?;
        return Err(TeamError::InvalidRecipient(outgoing.to.clone()));
    }
    Ok(recipients)
}
