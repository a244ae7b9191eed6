//! What there is over HTTP.

use gauntlet_world::injection::{Mangle, Point};
use gauntlet_world::network::Stream;
use gauntlet_world::{Either, race};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::SessionHost;
use super::events::{Next, frame};
use super::script::PromptAnswer;
use super::seen::Did;
use super::store::{Said, Session};
use crate::http1::{Connection, Framing, Head, reason};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// More is not read of a request.
const LONGEST: usize = 16 * 1024 * 1024;

/// An answer: status and body; `Null` is none.
type Answer = (u16, Value);

/// What becomes of a request.
enum Outcome {
    Answer(Answer),
    /// The connection ends.
    End,
    /// Nothing comes.
    Nothing,
}

impl SessionHost {
    pub(super) async fn connection(&self, stream: Stream) {
        let host = self.0.host.clone();
        let framing = Framing::default();
        let mut connection = Connection::new(&host, &framing, stream);
        loop {
            let Ok(head) = connection.head().await else { return };
            let Ok(body) = connection.body(&head, LONGEST).await else { return };
            let path = head.path.split('?').next().unwrap_or_default().to_owned();
            let outcome = if !self.may_ask(&head) {
                Outcome::Answer((401, Value::Null))
            } else if head.method == "GET" && path == "/event" {
                return self.watched(connection).await;
            } else {
                self.route(&head.method, &path, &body).await
            };
            let answer = match outcome {
                Outcome::Answer(answer) => answer,
                Outcome::End => return connection.close().await,
                Outcome::Nothing => return connection.hung_up().await,
            };
            let event = json!({ "method": head.method, "path": path, "status": answer.0, "body": answer.1 });
            let passed = self.0.settings.injector.pass(&host, Point::HostResponse, event).await;
            for event in &passed.events {
                let status = event["status"].as_u64().and_then(|status| u16::try_from(status).ok());
                let bytes = self.response(status.unwrap_or(500), &event["body"]);
                if connection.send(&passed.mangle.apply(bytes)).await.is_err() {
                    return;
                }
            }
            if !head.wants_more() || passed.events.is_empty() || passed.mangle != Mangle::Nothing {
                return connection.close().await;
            }
        }
    }

    fn response(&self, status: u16, body: &Value) -> Vec<u8> {
        let date = self.0.host.clock().wall().http_date();
        let reason = reason(status);
        if body.is_null() {
            let wants = if status == 401 { "www-authenticate: Basic realm=\"Secure Area\"\r\n" } else { "" };
            return format!(
                "HTTP/1.1 {status} {reason}\r\nVary: Origin\r\n{wants}Date: {date}\r\nContent-Length: 0\r\n\r\n"
            )
            .into_bytes();
        }
        let body = body.to_string();
        let length = body.len();
        format!(
            "HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nDate: {date}\r\nContent-Length: {length}\r\nVary: Origin\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Tells somebody everything that happens from now on.
    async fn watched(&self, mut connection: Connection<'_>) {
        let host = &self.0.host;
        let date = host.clock().wall().http_date();
        let head = format!(
            "HTTP/1.1 200 OK\r\nCache-Control: no-cache, no-transform\r\nX-Content-Type-Options: nosniff\r\nContent-Type: text/event-stream\r\nVary: Origin\r\nx-accel-buffering: no\r\nDate: {date}\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let mut events = self.0.teller.watch();
        let connected = frame(&self.0.teller.event(host, "server.connected", json!({})));
        let mut first = head.into_bytes();
        first.extend(chunk(&connected));
        if connection.send(&first).await.is_err() {
            return;
        }
        let heartbeat = self.0.settings.script.heartbeat.duration();
        let mut beat = host.clock().now() + heartbeat;
        loop {
            let next = race(race(events.recv(), host.clock().sleep_until(beat)), connection.hung_up()).await;
            let (bytes, is_last) = match next {
                Either::Second(()) | Either::First(Either::First(None)) => return,
                Either::First(Either::First(Some(Next::Bytes(bytes)))) => (bytes, false),
                Either::First(Either::First(Some(Next::Last(bytes)))) => (bytes, true),
                Either::First(Either::Second(())) => {
                    beat += heartbeat;
                    (frame(&self.0.teller.event(host, "server.heartbeat", json!({}))), false)
                }
            };
            if !bytes.is_empty() && connection.send(&chunk(&bytes)).await.is_err() {
                return;
            }
            if is_last {
                return;
            }
        }
    }

    fn may_ask(&self, head: &Head) -> bool {
        let Some(password) = &self.0.settings.script.password else { return true };
        let expected = format!("Basic {}", STANDARD.encode(format!("opencode:{password}")));
        head.header("authorization").is_some_and(|given| given == expected.as_bytes())
    }

    async fn route(&self, method: &str, path: &str, body: &[u8]) -> Outcome {
        let mut segments = path.trim_start_matches('/').split('/');
        let parts = (segments.next(), segments.next(), segments.next(), segments.next());
        let answer = match (method, parts) {
            ("GET", (Some("global"), Some("health"), None, None)) => {
                (200, json!({ "healthy": true, "version": super::shapes::VERSION }))
            }
            ("GET", (Some("session"), None, None, None)) => {
                (200, self.told(self.0.settings.store.latest_first()))
            }
            ("POST", (Some("session"), None, None, None)) => self.create(body).await,
            ("GET", (Some("session"), Some("status"), None, None)) => self.statuses().await,
            (_, (Some("session"), Some(id), what, None)) => {
                return self.of_session(method, id, what, body).await;
            }
            _ => (404, not_found("path", path)),
        };
        Outcome::Answer(answer)
    }

    async fn of_session(&self, method: &str, id: &str, what: Option<&str>, body: &[u8]) -> Outcome {
        // The host looks for nothing here.
        if (method, what) == ("POST", Some("abort")) {
            let runs = self.0.active.borrow().contains_key(id);
            let event = self.pass(Point::HostAbort, json!({ "sessionID": id, "runs": runs })).await;
            if let Some(session) = self.0.settings.store.get(id) {
                self.show(Did::Aborted, &session, None, None);
            }
            self.abort(id, event.is_some_and(|event| event["runs"] == true));
            return Outcome::Answer((200, json!(true)));
        }
        if !id.starts_with("ses") {
            return Outcome::Answer(self.server_error());
        }
        let name = match (method, what) {
            ("GET", None) => "get",
            ("DELETE", None) => "delete",
            ("GET", Some(what @ ("message" | "children"))) | ("POST", Some(what @ "prompt_async")) => what,
            _ => return Outcome::Answer((404, not_found("path", what.unwrap_or_default()))),
        };
        let session = self.0.settings.store.get(id);
        let event = json!({ "sessionID": id, "what": name, "found": session.is_some() });
        let found = self.pass(Point::HostLookup, event).await.is_some_and(|event| event["found"] == true);
        let Some(session) = session.filter(|_| found) else {
            return Outcome::Answer((404, not_found("Session", id)));
        };
        Outcome::Answer(match name {
            "get" => (200, self.0.place.asked(&session)),
            "children" => (200, self.told(self.0.settings.store.children(id))),
            "message" => self.history(&session).await,
            "delete" => {
                let event = json!({ "sessionID": id, "title": session.title });
                if self.pass(Point::HostDelete, event).await.is_some() {
                    self.show(Did::Deleted, &session, None, None);
                    self.delete(id);
                }
                (200, json!(true))
            }
            _ => return self.prompt(&session, body).await,
        })
    }

    fn told(&self, sessions: Vec<Session>) -> Value {
        sessions.iter().map(|session| self.0.place.asked(session)).collect()
    }

    async fn create(&self, body: &[u8]) -> Answer {
        let asked: Value = match body {
            b"" => json!({}),
            body => match serde_json::from_slice(body) {
                Ok(asked) => asked,
                Err(_) => return self.server_error(),
            },
        };
        let text = |key: &str| asked.get(key).map(|value| value.as_str().map(str::to_owned));
        let (parent, title, agent) = (text("parentID"), text("title"), text("agent"));
        let is_odd = [&parent, &title, &agent].into_iter().any(|text| *text == Some(None));
        let parent = parent.flatten();
        if is_odd || parent.as_ref().is_some_and(|parent| !parent.starts_with("ses")) {
            return (400, json!({ "_tag": "BadRequest" }));
        }
        let now = self.now();
        let titled = title.flatten().unwrap_or_else(|| {
            let kind = if parent.is_some() { "Child" } else { "New" };
            format!("{kind} session - {}", moment(now))
        });
        let event = json!({ "parentID": parent, "title": titled, "agent": agent.flatten() });
        let passed = self.pass(Point::HostCreate, event.clone()).await;
        let is_made = passed.is_some();
        let made = passed.unwrap_or(event);
        let text = |key: &str| made[key].as_str().map(str::to_owned);
        let session = Session {
            id: self.0.ids.descending(&self.0.host, "ses"),
            slug: self.slug(),
            parent: text("parentID"),
            title: text("title").unwrap_or_default(),
            agent: text("agent"),
            has_model: false,
            has_summary: false,
            created: now,
            updated: now,
            tokens: (0, 0),
            messages: Vec::new(),
            turns: 0,
        };
        if is_made {
            self.0.settings.store.add(session.clone());
            self.show(Did::Created, &session, session.agent.clone(), None);
            self.tell_session("session.created", &session);
        }
        (200, self.0.place.asked(&session))
    }

    async fn statuses(&self) -> Answer {
        let active = self.0.active.borrow().clone();
        let mut told = serde_json::Map::new();
        for (id, status) in active {
            let event = json!({ "sessionID": id, "type": status["type"] });
            if let Some(event) = self.pass(Point::HostStatus, event).await {
                let mut status = status;
                status["type"] = event["type"].clone();
                told.insert(id, status);
            }
        }
        (200, Value::Object(told))
    }

    async fn history(&self, session: &Session) -> Answer {
        let mut told = Vec::new();
        for message in &session.messages {
            let text = match &message.said {
                Said::Asked { text, .. } => Some(text.as_str()),
                Said::Answered { reply, .. } => reply.as_ref().map(|reply| reply.text.as_str()),
            };
            let mut shape = self.0.place.in_history(&session.id, message);
            let event = json!({ "sessionID": session.id, "role": shape["info"]["role"], "text": text });
            let Some(event) = self.pass(Point::HostHistory, event).await else { continue };
            shape["info"]["role"] = event["role"].clone();
            let parts = shape["parts"].as_array_mut().into_iter().flatten();
            for part in parts.filter(|part| part["type"] == "text") {
                part["text"] = event["text"].clone();
            }
            told.push(shape);
        }
        (200, Value::Array(told))
    }

    async fn prompt(&self, session: &Session, body: &[u8]) -> Outcome {
        let Ok(asked) = serde_json::from_slice::<Value>(body) else {
            return Outcome::Answer(self.server_error());
        };
        if let Some(missing) = missing(&asked) {
            let message = format!("Missing key\n  at {missing}");
            let refusal = json!({ "name": "BadRequest", "data": { "message": message, "kind": "Payload" } });
            return Outcome::Answer((400, refusal));
        }
        let texts = asked["parts"].as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
        let text: String = texts.collect();
        let number = self.0.prompts.replace(self.0.prompts.get() + 1);
        let scripted = self.0.settings.script.prompts.get(number).copied().unwrap_or(PromptAnswer::Take);
        let (status, taken) = match scripted {
            PromptAnswer::Refuse(status) => (status, false),
            PromptAnswer::Drop | PromptAnswer::Stall => (204, false),
            _ => (204, true),
        };
        let event = json!({
            "sessionID": session.id, "agent": asked["agent"], "text": text, "status": status, "taken": taken,
        });
        let passed = self.pass(Point::HostPrompt, event.clone()).await;
        let is_answered = passed.is_some();
        let decided = passed.unwrap_or(event);
        if decided["taken"] == true {
            let agent = decided["agent"].as_str().map(str::to_owned);
            let text = decided["text"].as_str().unwrap_or_default().to_owned();
            self.take_up(session.id.clone(), agent, text);
        }
        match scripted {
            _ if !is_answered => return Outcome::End,
            PromptAnswer::Drop | PromptAnswer::TakeAndDrop => return Outcome::End,
            PromptAnswer::Stall | PromptAnswer::TakeAndStall => return Outcome::Nothing,
            PromptAnswer::Late(by) => self.0.host.clock().sleep(by.duration()).await,
            PromptAnswer::Take | PromptAnswer::Refuse(_) => {}
        }
        let status = decided["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or(500);
        let answer = match status {
            204 => (204, Value::Null),
            500 => self.server_error(),
            404 => (404, not_found("Session", &session.id)),
            other => {
                (other, json!({ "name": "Refused", "data": { "message": "the host does not want to" } }))
            }
        };
        Outcome::Answer(answer)
    }

    fn server_error(&self) -> Answer {
        let message = "Unexpected server error. Check server logs for details.";
        let reference = format!("err_{:08x}", self.0.host.entropy().below(1 << 32));
        (500, json!({ "name": "UnknownError", "data": { "message": message, "ref": reference } }))
    }

    fn slug(&self) -> String {
        const FIRST: [&str; 8] = ["brave", "sunny", "lucky", "quick", "misty", "clever", "crisp", "eager"];
        const SECOND: [&str; 8] =
            ["sailor", "lagoon", "planet", "canyon", "eagle", "forest", "wolf", "knight"];
        let one = |of: &[&'static str; 8]| {
            usize::try_from(self.0.host.entropy().below(8)).ok().and_then(|at| of.get(at)).copied()
        };
        format!("{}-{}", one(&FIRST).unwrap_or_default(), one(&SECOND).unwrap_or_default())
    }
}

/// Where a prompt lacks what it must have.
fn missing(asked: &Value) -> Option<String> {
    let Some(parts) = asked["parts"].as_array() else { return Some("[\"parts\"]".to_owned()) };
    let at = |number: usize, key: &str| format!("[\"parts\"][{number}][\"{key}\"]");
    let lacks = |(number, part): (usize, &Value)| {
        let keys: &[&str] = match part["type"].as_str() {
            None => &["type"],
            Some("text") => &["text"],
            Some("subtask") => &["prompt", "description", "agent"],
            Some(_) => &[],
        };
        keys.iter().find(|key| part[**key].as_str().is_none()).map(|key| at(number, key))
    };
    parts.iter().enumerate().find_map(lacks)
}

fn not_found(what: &str, which: &str) -> Value {
    json!({ "name": "NotFoundError", "data": { "message": format!("{what} not found: {which}") } })
}

/// `2026-11-22T04:54:12.285Z`.
fn moment(millis: i64) -> String {
    let moment = Timestamp::from_millisecond(millis).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend_from_slice(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
