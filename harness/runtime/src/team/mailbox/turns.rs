//! Mail at a turn: what is unread is put before the last words of the user, once (team sheet 6.7).

use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::envelope::envelope;
use super::inbox::Inbox;
use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::names::{MemberName, MessageId};

impl Team {
    /// What a turn of a session is to see: the same messages, with its mail among them. A session that takes part in no team, and a
    /// mailbox that cannot be read, leave the turn as it is (TEAM-POLL-05).
    pub async fn turn(&self, session: &str, mut messages: Vec<Value>) -> Vec<Value> {
        let mail = match self.mail_for(session, messages.len()).await {
            Ok(Some(mail)) => mail,
            Ok(None) => return messages,
            Err(error) => {
                tracing::warn!(session, %error, "a turn goes on without its mail");
                return messages;
            }
        };
        let role = |message: &Value| {
            message
                .pointer("/info/role")
                .or_else(|| message.get("role"))
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let place =
            messages.iter().rposition(|message| role(message).as_deref() == Some("user")).unwrap_or(0);
        let event = json!({ "place": place, "text": mail });
        let decided = self.decide(Point::RuntimeTeamTurn, event).await;
        let place = decided.number("place").unwrap_or(place).min(messages.len());
        let mail = decided.text("text").unwrap_or_default().to_owned();
        let mail = json!({
            "info": { "role": "user", "sessionID": session },
            "parts": [{ "type": "text", "text": mail, "synthetic": true }],
        });
        messages.insert(place, mail);
        messages
    }

    /// The mail for a turn whose history has so many messages; none when there is none, or when this turn has it already.
    pub async fn mail_for(&self, session: &str, history: usize) -> Result<Option<String>, TeamError> {
        let (team, session) = (self.clone(), session.to_owned());
        // On its own: whoever asks may stop waiting, and what holds a lock comes to its end.
        let asked = self.host().spawn(async move { team.claim_mail(&session, history).await });
        asked.join().await.unwrap_or(Ok(None))
    }

    async fn claim_mail(&self, session: &str, history: usize) -> Result<Option<String>, TeamError> {
        let Some((run, seat)) = self.taking_part(session).await else { return Ok(None) };
        let name = MemberName::new(&seat.member)?;
        let marker = format!("{session}#{history}");
        let inbox = Inbox { store: self.store(), run: &run, member: &name };
        let claimed = self.store().update(&run, async |state| {
            let Some(member) = state.member_mut(name.as_str()) else { return Ok(Vec::new()) };
            let again = member.last_injected_turn_marker.as_deref() == Some(marker.as_str());
            let unread = inbox.unread_messages().await?;
            let pending = &member.pending_injected_message_ids;
            let told = |id: &MessageId| pending.iter().any(|known| known == id.as_str());
            let known = unread.iter().filter(|(id, _)| told(id)).count();
            let event = json!({ "again": again, "unread": unread.len(), "pending": known });
            let decided = self.decide(Point::RuntimeTeamTurnMail, event).await;
            if decided.yes("again") {
                return Ok(Vec::new());
            }
            let tells_again = known > 0 && decided.number::<usize>("pending") == Some(0);
            let fresh: Vec<_> = unread.into_iter().filter(|(id, _)| tells_again || !told(id)).collect();
            if !fresh.is_empty() {
                member.last_injected_turn_marker = Some(marker.clone());
                fresh.iter().for_each(|(id, _)| member.note_pending(id.as_str()));
            }
            Ok(fresh)
        });
        let fresh = claimed.await?;
        if fresh.is_empty() {
            return Ok(None);
        }
        for (id, _) in &fresh {
            self.note_injected(&run, &name, id);
        }
        Ok(Some(fresh.iter().map(|(_, message)| envelope(message)).collect::<Vec<_>>().join("\n")))
    }
}
