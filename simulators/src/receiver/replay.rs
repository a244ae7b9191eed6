//! What a CLI says that prints its whole conversation each time, and names it nowhere but in a file of its own (fleet sheet 3.5).

use std::path::Path;

use gauntlet_protocol::fleet::replay::{LastConversations, Replay, Replays, TurnOutput};
use gauntlet_protocol::fleet::{LastOutput, Session};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use super::cli::Output;
use super::sign_in::SignIn;
use super::state::Receiver;
use super::talk::Spoken;
use gauntlet_world::injection::Point;

impl Receiver {
    /// Waits until no other turn begins a conversation. Of several that begin at once in one directory, the CLI's file names the
    /// one that wrote last.
    pub(super) async fn first_turn(&self, context: &str) -> Option<MutexGuard<'_, ()>> {
        let event = json!({ "contextId": context });
        let passed = self.pass(Point::ReceiverFirstTurn, event).await;
        match passed.events.is_empty() {
            true => None,
            false => Some(self.first_turns.lock().await),
        }
    }

    /// What the output of a turn says, which was to go on with `stored` if that is there, and before which the CLI named these
    /// conversations. What it comes to is remembered here: a conversation that does not exist any more is forgotten first, whatever
    /// else is to be said.
    pub(super) async fn hear_replay(
        &self,
        words: &Replays,
        context: &str,
        (stored, named): (Option<&Session>, &[String]),
        output: &Output,
    ) -> Spoken {
        let before = stored.map(|session| session.last_output.as_ref().map_or("", |last| last.text.as_str()));
        let mut heard = match before {
            None => TurnOutput::first(&output.stdout),
            Some(before) => TurnOutput::later(words, &output.stdout, before),
        };
        let mut dead = None;
        if let Some(session) = stored.filter(|_| heard.not_found.is_some()) {
            match self.sees_dead(context, &session.id).await {
                Some(Seen { again }) => dead = Some((session, again)),
                None => {
                    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
                    heard = TurnOutput::going_on(printed, before.unwrap_or_default());
                }
            }
        }
        if let Some((session, again)) = dead {
            self.log(format!("the conversation of context {context} is gone, the CLI has begun a new one"))
                .await;
            if let Err(error) = self.forget(context, &session.id).await {
                self.log(format!("the dead conversation could not be forgotten: {error}")).await;
            }
            if again {
                return Spoken { wrong_session: true, ..Spoken::default() };
            }
        }
        if self.sees_nobody_signed_in(words, context, output, &heard).await {
            // Nothing of it is remembered: the conversation is as it was.
            return Spoken { reply: self.settings.mode.signed_out_text(), ..Spoken::default() };
        }
        let alive = stored.filter(|_| dead.is_none());
        let drifted = alive.is_some() && self.compare(context, &mut heard).await;
        let session = match alive {
            Some(session) => Some(session.id.clone()),
            None => {
                let dead = dead.map(|(session, _)| session.id.as_str());
                self.discover(words, context, dead, named).await
            }
        };
        match session {
            Some(id) => {
                let now = self.host.clock().wall().seconds();
                let last_output = Some(LastOutput { text: heard.text, drifted_at: drifted.then_some(now) });
                let session = Session { id, updated_at: now, last_output };
                if let Err(error) = self.remember(context, session).await {
                    self.log(format!("the conversation could not be remembered: {error}")).await;
                }
            }
            None => {
                self.log(format!(
                    "the conversation of context {context} is not known, its next turn begins one"
                ))
                .await;
            }
        }
        Spoken { answered: heard.reply.is_some(), reply: heard.reply, ..Spoken::default() }
    }

    /// Whether it is seen that the conversation does not exist any more.
    async fn sees_dead(&self, context: &str, session: &str) -> Option<Seen> {
        // The CLI has done the work in a new one already.
        let event = json!({ "contextId": context, "session": session, "sign": "not_found", "again": false });
        let passed = self.pass(Point::ReceiverSessionDead, event).await;
        let again = |event: Value| event.get("again").and_then(Value::as_bool).unwrap_or(false);
        passed.first().map(|event| Seen { again: again(event) })
    }

    async fn sees_nobody_signed_in(
        &self,
        words: &Replays,
        context: &str,
        output: &Output,
        heard: &TurnOutput,
    ) -> bool {
        let sign = SignIn::of(words, output, &heard.text, heard.reply.as_deref());
        let event = json!({ "contextId": context, "sign": sign.name(), "missing": sign.is_missing() });
        let passed = self.pass(Point::ReceiverSignIn, event).await.first();
        let missing = passed.and_then(|event| event.get("missing").and_then(Value::as_bool));
        missing.unwrap_or_else(|| sign.is_missing())
    }

    /// Compares what is repeated with what was printed before; true when it does not fit.
    async fn compare(&self, context: &str, heard: &mut TurnOutput) -> bool {
        let fits = heard.replay != Replay::Drifted;
        let event = json!({ "contextId": context, "fits": fits, "stripped": fits, "drifted": !fits });
        let passed = self.pass(Point::ReceiverReplay, event).await.first();
        let said = |name: &str, usual: bool| {
            passed.as_ref().and_then(|event| event.get(name)?.as_bool()).unwrap_or(usual)
        };
        if !said("stripped", fits) {
            heard.reply = Some(heard.text.trim().to_owned()).filter(|reply| !reply.is_empty());
        }
        let drifted = said("drifted", !fits);
        if drifted {
            self.log(format!("the replay of context {context} does not fit what was printed before")).await;
        }
        drifted
    }

    /// The conversations that the CLI's file names for the repository: by its configured path, and by its path without links.
    async fn last_conversations(&self, words: &Replays) -> [(&'static str, Option<String>); 2] {
        let known = self.host.disk().read_if_present(self.host.home().join(words.conversations)).await;
        let known = LastConversations::parse(&known.ok().flatten().unwrap_or_default());
        let of = |path: &str| known.of(path).map(str::to_owned);
        let real = self.host.disk().canonical(Path::new(&self.config.repo_path)).await.ok();
        let by_real = real.and_then(|path| of(&path.to_string_lossy()));
        [("path", of(&self.config.repo_path)), ("real path", by_real)]
    }

    /// The same before a turn, as far as they are there.
    pub(super) async fn named_conversations(&self, words: &Replays) -> Vec<String> {
        self.last_conversations(words).await.into_iter().filter_map(|(_, session)| session).collect()
    }

    /// The conversation that the CLI has just begun. One that was named before the turn already is not it, and neither is one of
    /// another context: the CLI has not written down which one it began, and to go on with such a one would mix two.
    async fn discover(
        &self,
        words: &Replays,
        context: &str,
        dead: Option<&str>,
        named: &[String],
    ) -> Option<String> {
        for (by, session) in self.last_conversations(words).await {
            let whose = match &session {
                Some(id) if self.is_of_another(context, id).await => json!("another's"),
                Some(id) if named.contains(id) || Some(id.as_str()) == dead => json!("an earlier turn's"),
                _ => Value::Null,
            };
            let event = json!({ "contextId": context, "by": by, "session": session, "whose": whose });
            let passed = self.pass(Point::ReceiverDiscovery, event).await;
            let Some(event) = passed.first() else { continue };
            let found = event.get("session").and_then(Value::as_str).map(str::to_owned);
            if found.is_some() && event.get("whose").is_some_and(Value::is_null) {
                return found;
            }
        }
        None
    }
}

/// That a conversation does not exist was seen.
struct Seen {
    /// Whether the turn is to be run once more.
    again: bool,
}
