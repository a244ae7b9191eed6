//! The life of a turn, event by event as it was recorded.

use std::time::Duration;

use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use super::SessionHost;
use super::script::{Ends, MemberTurn};
use super::seen::Did;
use super::shapes::{self, TOKENS};
use super::store::{Message, Reply, Said};

/// A model that is overloaded is asked again after so long, then after twice as long, and so on.
const FIRST_RETRY: Duration = Duration::from_secs(2);

impl SessionHost {
    /// Takes a prompt that was acknowledged.
    pub(super) fn take_up(&self, session: String, agent: Option<String>, text: String) {
        let taking = self.clone();
        self.0.host.spawn(async move {
            taking.0.host.clock().sleep(taking.0.settings.script.uptake.duration()).await;
            taking.prompted(&session, agent, text);
        });
    }

    fn prompted(&self, id: &str, agent: Option<String>, text: String) {
        let script = &self.0.settings.script;
        let Some(session) = self.0.settings.store.get(id) else { return };
        let default = script.agents.first().cloned().unwrap_or_default();
        let agent = agent.or_else(|| session.agent.clone()).unwrap_or(default);
        if !script.agents.contains(&agent) {
            let known = script.agents.join(", ");
            let text = format!("Agent not found: \"{agent}\". Available agents: {known}");
            self.tell_error(id, &unknown_error(&text));
            // The second is told by whoever called, with a trace of its calls.
            self.tell_error(id, &unknown_error("UnknownError: UnknownError"));
            return;
        }
        if !session.has_model || session.agent.as_deref() != Some(&agent) {
            self.touched(id, |session| {
                session.agent = Some(agent.clone());
                session.has_model = true;
            });
        }
        if self.member_turn(id, session.turns).unheard {
            self.0.settings.store.change(id, |session| session.turns += 1);
            return;
        }
        self.show(Did::Prompted, &session, Some(agent.clone()), Some(text.clone()));
        let message = Message {
            id: self.id("msg"),
            agent,
            created: self.now(),
            said: Said::Asked { part: self.id("prt"), text, has_summary: false, is_answered: false },
        };
        self.0.settings.store.change(id, |session| session.messages.push(message.clone()));
        self.tell_message(id, &message, true);
        if let Said::Asked { part, text, .. } = &message.said {
            let part =
                json!({ "type": "text", "text": text, "messageID": message.id, "sessionID": id, "id": part });
            self.tell_part(id, part);
        }
        self.touched(id, |_| ());
        let is_running = self.0.turns.borrow().get(id).is_some_and(|turn| !turn.is_finished());
        if !is_running {
            let (playing, session) = (self.clone(), id.to_owned());
            let turn = self.0.host.spawn(async move { playing.play(&session).await });
            self.0.turns.borrow_mut().insert(id.to_owned(), turn);
        }
    }

    /// What the member of a session does in a turn.
    fn member_turn(&self, id: &str, number: usize) -> MemberTurn {
        let Some(session) = self.0.settings.store.get(id) else { return MemberTurn::default() };
        let member = self.0.settings.script.members.iter().find(|member| {
            member.title.as_ref().is_none_or(|title| session.title.contains(title.as_str()))
                && member.agent.as_ref().is_none_or(|agent| session.agent.as_ref() == Some(agent))
        });
        member.and_then(|member| member.turns.get(number)).cloned().unwrap_or_default()
    }

    /// Answers what was asked in a session until nothing is left.
    async fn play(&self, id: &str) {
        let mut last_asked: Option<String> = None;
        let mut last_turn = MemberTurn::default();
        loop {
            self.busy(id);
            let Some(asked) = self.next_asked(id) else { break };
            let number = self.0.settings.store.change(id, |session| {
                session.turns += 1;
                session.turns - 1
            });
            let turn = self.member_turn(id, number.unwrap_or_default());
            let answer = Message {
                id: self.id("msg"),
                agent: asked.agent.clone(),
                created: self.now(),
                said: Said::Answered { to: asked.id.clone(), completed: None, reply: None, error: None },
            };
            self.0.settings.store.change(id, |session| session.messages.push(answer.clone()));
            self.tell_message(id, &answer, false);
            let counted = last_asked.replace(asked.id.clone()).unwrap_or_else(|| asked.id.clone());
            self.tell_changes(id, &counted);
            self.0.host.clock().sleep(self.0.settings.script.prepares.duration()).await;
            self.busy(id);
            self.0.asking.borrow_mut().insert(id.to_owned());
            let is_answered = self.answer(id, &asked, &answer.id, &turn).await;
            self.0.asking.borrow_mut().remove(id);
            if !is_answered {
                return;
            }
            last_turn = turn;
        }
        let late = last_turn.idle_late.duration();
        self.does(id, json!({ "type": "idle" }));
        if !late.is_zero() {
            self.0.host.clock().sleep(late).await;
        }
        for _ in 0..last_turn.idles {
            self.tell_idle(id);
        }
        if let Some(asked) = last_asked {
            self.tell_changes(id, &asked);
        }
    }

    /// The latest prompt that nobody answers yet; earlier ones are answered with it.
    fn next_asked(&self, id: &str) -> Option<Message> {
        let next = self.0.settings.store.change(id, |session| {
            let mut next = None;
            for message in &mut session.messages {
                if let Said::Asked { is_answered, .. } = &mut message.said
                    && !std::mem::replace(is_answered, true)
                {
                    next = Some(message.clone());
                }
            }
            next
        });
        next.flatten()
    }

    /// Gives one answer. False: the turn is over in another way.
    async fn answer(&self, id: &str, asked: &Message, answer: &str, turn: &MemberTurn) -> bool {
        let clock = self.0.host.clock();
        let text = match &asked.said {
            Said::Asked { text, .. } => text.clone(),
            Said::Answered { .. } => String::new(),
        };
        if turn.idle_early {
            self.tell_idle(id);
        }
        if let Some(stumble) = &turn.stumbles {
            self.tell_error(id, &unknown_error(stumble));
        }
        for attempt in 1..=turn.retries {
            let pause = FIRST_RETRY * 2_u32.saturating_pow(attempt - 1);
            let next = self.now().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
            let retry = json!({ "type": "retry", "attempt": attempt, "message": "overloaded", "next": next });
            self.does(id, retry);
            clock.sleep(pause).await;
            self.busy(id);
        }
        let event = json!({ "sessionID": id, "agent": asked.agent, "text": text, "reply": turn.reply });
        let passed = self.pass(Point::HostTurn, event).await;
        let Some(passed) = passed else { return std::future::pending().await };
        let said = passed["reply"].as_str().unwrap_or_default().to_owned();
        clock.sleep(turn.after.duration()).await;
        match &turn.ends {
            Ends::Answers => {}
            Ends::StaysSilent => return std::future::pending().await,
            Ends::Dies => {
                self.end_session(id, true);
                return false;
            }
            Ends::Vanishes => {
                self.end_session(id, false);
                return false;
            }
            Ends::Fails(why) => {
                let error = json!({ "name": "APIError", "data": {
                    "message": why, "statusCode": 400, "isRetryable": false,
                } });
                self.failed(id, answer, error);
                return false;
            }
        }
        if self.0.settings.store.get(id).is_none() {
            self.haunt(id);
            return false;
        }
        self.say(id, answer, said).await;
        true
    }

    async fn say(&self, id: &str, answer: &str, text: String) {
        let begun = self.now();
        let mut reply = Reply {
            start_part: self.id("prt"),
            text_part: self.id("prt"),
            finish_part: self.id("prt"),
            text,
            time: (begun, begun),
        };
        self.tell_part(id, shapes::step_start(id, answer, &reply));
        self.tell_part(id, shapes::text_begins(id, answer, &reply));
        for delta in words(&reply.text) {
            let delta = json!({
                "sessionID": id, "messageID": answer, "partID": reply.text_part, "field": "text", "delta": delta,
            });
            self.tell("message.part.delta", delta);
        }
        self.0.host.clock().sleep(Duration::from_millis(1)).await;
        reply.time.1 = self.now();
        self.tell_part(id, shapes::text_ends(id, answer, &reply));
        self.tell_part(id, shapes::step_finish(id, answer, &reply));
        let now = self.now();
        let answered = self.0.settings.store.change(id, |session| {
            session.tokens = (session.tokens.0 + TOKENS.0, session.tokens.1 + TOKENS.1);
            let message = session.messages.iter_mut().find(|message| message.id == answer)?;
            if let Said::Answered { completed, reply: said, .. } = &mut message.said {
                (*completed, *said) = (Some(now), Some(reply));
            }
            Some(message.clone())
        });
        if let Some(message) = answered.flatten() {
            self.tell_message(id, &message, false);
            self.tell_message(id, &message, false);
        }
    }

    /// Ends an answer with an error; the session lives on.
    fn failed(&self, id: &str, answer: &str, error: Value) {
        self.tell_error(id, &error);
        self.idle(id);
        self.complete(id, answer, Some(error));
        self.idle(id);
    }

    fn complete(&self, id: &str, answer: &str, error: Option<Value>) {
        let now = self.now();
        let changed = self.0.settings.store.change(id, |session| {
            let message = session.messages.iter_mut().find(|message| message.id == answer)?;
            if let Said::Answered { completed, error: why, .. } = &mut message.said {
                (*completed, *why) = (Some(now), error);
            }
            Some(message.clone())
        });
        if let Some(message) = changed.flatten() {
            self.tell_message(id, &message, false);
        }
    }

    /// Ends the turn of a session, if one runs, and tells that it is idle, whether it exists or not.
    pub(super) fn abort(&self, id: &str, ends: bool) {
        let turn = self.0.turns.borrow_mut().remove(id).filter(|turn| !turn.is_finished());
        let is_retried = self.0.active.borrow().get(id).is_some_and(|status| status["type"] == "retry");
        match turn {
            Some(turn) if ends => {
                turn.cancel();
                let is_asking = self.0.asking.borrow_mut().remove(id);
                let open = self.0.settings.store.get(id).and_then(|session| {
                    session
                        .messages
                        .into_iter()
                        .rev()
                        .find(|message| matches!(&message.said, Said::Answered { completed: None, .. }))
                });
                let aborted = json!({ "name": "MessageAbortedError", "data": { "message": "Aborted" } });
                match open {
                    // Errors are those of a model that is being asked, and of none that is only waited for.
                    Some(open) if is_retried || !is_asking => {
                        self.complete(id, &open.id, (!is_retried).then_some(aborted));
                        self.idle(id);
                    }
                    Some(open) => self.failed(id, &open.id, aborted),
                    None => self.idle(id),
                }
            }
            Some(turn) => drop(self.0.turns.borrow_mut().insert(id.to_owned(), turn)),
            None => self.idle(id),
        }
    }

    /// Removes a session and those that belong to it, these first. A turn in it goes on, and finds out.
    pub(super) fn delete(&self, id: &str) {
        for child in self.0.settings.store.children(id) {
            self.delete(&child.id);
        }
        if let Some(session) = self.0.settings.store.remove(id) {
            self.tell_session("session.deleted", &session);
        }
    }

    fn end_session(&self, id: &str, is_told: bool) {
        self.0.active.borrow_mut().remove(id);
        if let Some(session) = self.0.settings.store.remove(id)
            && is_told
        {
            self.tell_session("session.deleted", &session);
        }
    }

    /// What a turn still tells whose session was deleted meanwhile.
    fn haunt(&self, id: &str) {
        self.tell_error(id, &unknown_error("Failed query: insert into \"part\""));
        self.idle(id);
        self.idle(id);
        self.tell_error(id, &unknown_error("EffectDrizzleQueryError: Failed query: insert into \"message\""));
    }

    fn tell_message(&self, id: &str, message: &Message, is_first: bool) {
        let info = self.0.place.message(id, message, is_first);
        self.tell("message.updated", json!({ "sessionID": id, "info": info }));
    }

    fn tell_part(&self, id: &str, part: Value) {
        let time = self.now();
        self.tell("message.part.updated", json!({ "sessionID": id, "part": part, "time": time }));
    }

    /// Tells what a prompt changed in files, which is nothing.
    fn tell_changes(&self, id: &str, asked: &str) {
        self.touched(id, |session| session.has_summary = true);
        if self.0.settings.store.get(id).is_none() {
            return;
        }
        self.tell("session.diff", json!({ "sessionID": id, "diff": [] }));
        let find = |session: &mut super::Session| {
            session.messages.iter_mut().find(|message| message.id == asked).map(|message| {
                let before = message.clone();
                if let Said::Asked { has_summary, .. } = &mut message.said {
                    *has_summary = true;
                }
                before
            })
        };
        if let Some(message) = self.0.settings.store.change(id, find).flatten() {
            self.tell_message(id, &message, false);
        }
    }
}

fn unknown_error(message: &str) -> Value {
    json!({ "name": "UnknownError", "data": { "message": message } })
}

/// A text in the pieces in which a model gives it: words, each with what stands before it.
fn words(text: &str) -> Vec<&str> {
    let starts = text.match_indices(' ').map(|(at, _)| at).filter(|at| *at > 0);
    let mut cuts: Vec<usize> = std::iter::once(0).chain(starts).collect();
    cuts.push(text.len());
    cuts.windows(2).filter_map(|cut| text.get(cut[0]..cut[1])).filter(|word| !word.is_empty()).collect()
}
