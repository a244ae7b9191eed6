//! What the host says of sessions and messages, member by member in the order of the recordings, which differs from place to place.

use serde_json::{Map, Value, json};

use super::store::{Message, Reply, Said, Session};

/// The release whose interface this is.
pub(super) const VERSION: &str = "1.18.33";

/// What all sessions of a host have in common.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Where it works.
    pub(super) directory: String,
    /// The provider and its model.
    pub(super) model: (String, String),
}

/// Tokens of one answer, as the recorded model counts them.
pub(super) const TOKENS: (u64, u64) = (11, 3);

impl Place {
    /// A session, asked for.
    pub(super) fn asked(&self, session: &Session) -> Value {
        let mut told = self.beginning(session, false);
        put(&mut told, "parentID", session.parent.as_deref().map(Value::from));
        put(&mut told, "summary", session.has_summary.then(summary));
        put(&mut told, "cost", Some(json!(0)));
        put(&mut told, "tokens", Some(tokens(session.tokens)));
        put(&mut told, "title", Some(json!(session.title)));
        put(&mut told, "agent", session.agent.as_deref().map(Value::from));
        put(&mut told, "model", session.has_model.then(|| self.session_model()));
        put(&mut told, "version", Some(json!(VERSION)));
        put(&mut told, "time", Some(time(session)));
        Value::Object(told)
    }

    /// A session that was just made, in an event.
    pub(super) fn created(&self, session: &Session) -> Value {
        let mut told = self.beginning(session, true);
        put(&mut told, "parentID", session.parent.as_deref().map(Value::from));
        put(&mut told, "title", Some(json!(session.title)));
        put(&mut told, "agent", session.agent.as_deref().map(Value::from));
        put(&mut told, "cost", Some(json!(0)));
        put(&mut told, "tokens", Some(tokens(session.tokens)));
        put(&mut told, "time", Some(time(session)));
        Value::Object(told)
    }

    /// A session that changed or is gone, in an event.
    pub(super) fn updated(&self, session: &Session) -> Value {
        let mut told = self.beginning(session, false);
        put(&mut told, "parentID", session.parent.as_deref().map(Value::from));
        put(&mut told, "title", Some(json!(session.title)));
        put(&mut told, "agent", session.agent.as_deref().map(Value::from));
        put(&mut told, "model", session.has_model.then(|| self.session_model()));
        put(&mut told, "version", Some(json!(VERSION)));
        put(&mut told, "summary", session.has_summary.then(summary));
        put(&mut told, "cost", Some(json!(0)));
        put(&mut told, "tokens", Some(tokens(session.tokens)));
        put(&mut told, "time", Some(time(session)));
        Value::Object(told)
    }

    fn beginning(&self, session: &Session, with_version: bool) -> Map<String, Value> {
        let mut told = Map::new();
        put(&mut told, "id", Some(json!(session.id)));
        put(&mut told, "slug", Some(json!(session.slug)));
        put(&mut told, "version", with_version.then(|| json!(VERSION)));
        put(&mut told, "projectID", Some(json!("global")));
        put(&mut told, "directory", Some(json!(self.directory)));
        put(&mut told, "path", Some(json!(self.directory.trim_start_matches('/'))));
        told
    }

    fn session_model(&self) -> Value {
        json!({ "id": self.model.1, "providerID": self.model.0, "variant": "default" })
    }

    fn message_model(&self) -> Value {
        json!({ "providerID": self.model.0, "modelID": self.model.1 })
    }

    /// A message without its parts, in an event.
    pub(super) fn message(&self, session: &str, message: &Message, is_first: bool) -> Value {
        match &message.said {
            Said::Asked { .. } if is_first => json!({
                "id": message.id, "role": "user", "sessionID": session, "time": { "created": message.created },
                "agent": message.agent, "model": self.message_model(),
            }),
            // The counted changes stand behind the ids when they were just counted, and before them later.
            Said::Asked { has_summary, .. } => {
                let mut told = Map::new();
                put(&mut told, "role", Some(json!("user")));
                put(&mut told, "time", Some(json!({ "created": message.created })));
                put(&mut told, "agent", Some(json!(message.agent)));
                put(&mut told, "model", Some(self.message_model()));
                put(&mut told, "summary", has_summary.then(|| json!({ "diffs": [] })));
                put(&mut told, "id", Some(json!(message.id)));
                put(&mut told, "sessionID", Some(json!(session)));
                put(&mut told, "summary", (!has_summary).then(|| json!({ "diffs": [] })));
                Value::Object(told)
            }
            Said::Answered { to, completed, reply, error } => {
                let mut time = json!({ "created": message.created });
                if let Some(completed) = completed {
                    time["completed"] = json!(completed);
                }
                let tokens = if reply.is_some() { answer_tokens("write", "read") } else { no_tokens() };
                let mut told = json!({
                    "id": message.id, "parentID": to, "role": "assistant", "mode": message.agent, "agent": message.agent,
                    "path": self.path(), "cost": 0, "tokens": tokens, "modelID": self.model.1,
                    "providerID": self.model.0, "time": time, "sessionID": session,
                });
                if let Some(error) = error {
                    told["error"] = error.clone();
                }
                if reply.is_some() {
                    told["finish"] = json!("stop");
                }
                told
            }
        }
    }

    /// A message with its parts, in a history.
    pub(super) fn in_history(&self, session: &str, message: &Message) -> Value {
        let part = |id: &str, kind: &str| json!({ "id": id, "sessionID": session, "messageID": message.id, "type": kind });
        match &message.said {
            Said::Asked { part: id, text, has_summary, .. } => {
                let mut info = json!({
                    "id": message.id, "sessionID": session, "role": "user", "time": { "created": message.created },
                });
                if *has_summary {
                    info["summary"] = json!({ "diffs": [] });
                }
                info["agent"] = json!(message.agent);
                info["model"] = self.message_model();
                let mut part = part(id, "text");
                part["text"] = json!(text);
                json!({ "info": info, "parts": [part] })
            }
            Said::Answered { to, completed, reply, error } => {
                let mut time = json!({ "created": message.created });
                if let Some(completed) = completed {
                    time["completed"] = json!(completed);
                }
                let mut info =
                    json!({ "id": message.id, "sessionID": session, "role": "assistant", "time": time });
                if let Some(error) = error {
                    info["error"] = error.clone();
                }
                let tokens = if reply.is_some() { answer_tokens("read", "write") } else { no_tokens() };
                for (key, value) in [
                    ("parentID", json!(to)),
                    ("modelID", json!(self.model.1)),
                    ("providerID", json!(self.model.0)),
                    ("mode", json!(message.agent)),
                    ("agent", json!(message.agent)),
                    ("path", self.path()),
                    ("cost", json!(0)),
                    ("tokens", tokens.clone()),
                ] {
                    info[key] = value;
                }
                let Some(reply) = reply else { return json!({ "info": info, "parts": [] }) };
                info["finish"] = json!("stop");
                let mut text = part(&reply.text_part, "text");
                text["text"] = json!(reply.text);
                text["time"] = json!({ "start": reply.time.0, "end": reply.time.1 });
                let mut finish = part(&reply.finish_part, "step-finish");
                finish["reason"] = json!("stop");
                finish["cost"] = json!(0);
                finish["tokens"] = tokens;
                json!({ "info": info, "parts": [part(&reply.start_part, "step-start"), text, finish] })
            }
        }
    }

    fn path(&self) -> Value {
        json!({ "cwd": self.directory, "root": "/" })
    }
}

/// The parts of an answer, in the order in which events tell them, up to its last. `deltas` are told by another event.
pub(super) fn step_start(session: &str, message: &str, reply: &Reply) -> Value {
    json!({ "id": reply.start_part, "messageID": message, "sessionID": session, "type": "step-start" })
}

pub(super) fn text_begins(session: &str, message: &str, reply: &Reply) -> Value {
    json!({
        "id": reply.text_part, "messageID": message, "sessionID": session, "type": "text", "text": "",
        "time": { "start": reply.time.0 },
    })
}

pub(super) fn text_ends(session: &str, message: &str, reply: &Reply) -> Value {
    json!({
        "id": reply.text_part, "messageID": message, "sessionID": session, "type": "text", "text": reply.text,
        "time": { "start": reply.time.0, "end": reply.time.1 },
    })
}

pub(super) fn step_finish(session: &str, message: &str, reply: &Reply) -> Value {
    json!({
        "id": reply.finish_part, "reason": "stop", "messageID": message, "sessionID": session,
        "type": "step-finish", "tokens": answer_tokens("write", "read"), "cost": 0,
    })
}

fn put(told: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        told.insert(key.to_owned(), value);
    }
}

fn summary() -> Value {
    json!({ "additions": 0, "deletions": 0, "files": 0 })
}

fn time(session: &Session) -> Value {
    json!({ "created": session.created, "updated": session.updated })
}

fn tokens((input, output): (u64, u64)) -> Value {
    json!({ "input": input, "output": output, "reasoning": 0, "cache": { "read": 0, "write": 0 } })
}

fn no_tokens() -> Value {
    tokens((0, 0))
}

fn answer_tokens(first: &str, second: &str) -> Value {
    let (input, output) = TOKENS;
    json!({
        "total": input + output, "input": input, "output": output, "reasoning": 0, "cache": { first: 0, second: 0 },
    })
}
