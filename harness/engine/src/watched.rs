//! What a receiver that is served sees of whoever speaks to it: the requirements of its client's side, kept or broken, by the raw bytes
//! of their connections. Only what can be seen from there is judged: how it dispatches, and how it takes callbacks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use gauntlet_reports::cap::{DETAIL_LIMIT, cap};
use gauntlet_reports::escape::one_line;
use gauntlet_world::network::{Flow, Side, Tap};
use serde_json::{Value, json};

use crate::data::Library;
use crate::exit::ExitCode;
use crate::oracle::wire;

/// More than this is not kept of one direction of a connection.
const MAX_KEPT: usize = 4 * 1024 * 1024;
/// So many findings of a requirement are told.
const TOLD: usize = 20;

const WELL_FORMED: &str = "FLEET-CLI-01";
const ITS_CONTEXT: &str = "FLEET-CLI-02";
const SENT_ONCE: &str = "FLEET-CLI-19";
const TAKES_CALLBACKS: &str = "FLEET-HUB-14";

/// Watches the connections of one host.
#[derive(Debug, Default)]
pub struct Watched {
    next: Cell<u64>,
    open: RefCell<BTreeMap<u64, Conversation>>,
    rows: RefCell<BTreeMap<&'static str, Row>>,
    /// Dispatches that may have been accepted.
    taken: RefCell<BTreeSet<String>>,
    /// The story whose rows alone are judged, and these.
    only: Option<(String, BTreeSet<&'static str>)>,
}

/// A story cannot be asked of a client.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum NoStory {
    /// There is none of this name.
    #[error("expected a story; there is none called {0:?}")]
    #[diagnostic(help("`gauntlet list scenarios` shows them"))]
    Unknown(String),
    /// It judges nothing of clients that can be seen from a receiver.
    #[error("expected a story that judges one of {SEEN:?}; {0} judges none of them")]
    NothingToSee(String),
}

/// What can be seen from a receiver.
const SEEN: [&str; 4] = [WELL_FORMED, ITS_CONTEXT, SENT_ONCE, TAKES_CALLBACKS];

#[derive(Debug)]
struct Conversation {
    side: Side,
    sent: Vec<u8>,
    received: Vec<u8>,
}

#[derive(Debug, Default)]
struct Row {
    kept: u32,
    broken: u32,
    findings: Vec<String>,
}

impl Tap for Watched {
    fn opened(&self, side: Side, _: u16) -> u64 {
        let number = self.next.replace(self.next.get() + 1);
        let conversation = Conversation { side, sent: Vec::new(), received: Vec::new() };
        self.open.borrow_mut().insert(number, conversation);
        number
    }

    fn bytes(&self, connection: u64, flow: Flow, bytes: &[u8]) {
        let mut complete = Vec::new();
        {
            let mut open = self.open.borrow_mut();
            let Some(conversation) = open.get_mut(&connection) else { return };
            let kept = match flow {
                Flow::Sent => &mut conversation.sent,
                Flow::Received => &mut conversation.received,
            };
            let room = MAX_KEPT.saturating_sub(kept.len()).min(bytes.len());
            kept.extend_from_slice(&bytes[..room]);
            while let Some(exchange) = conversation.complete() {
                complete.push(exchange);
            }
        }
        for (side, request, answer) in complete {
            self.judge(side, &request, &answer);
        }
    }

    /// Nothing more comes: an answer that only this ends is whole now, and a request that has none will get none.
    fn closed(&self, connection: u64) {
        let conversation = self.open.borrow_mut().remove(&connection);
        let Some(mut conversation) = conversation else { return };
        let (requests, answers) = conversation.directions();
        if wire::request_length(requests).is_some() {
            let (request, answer) = (std::mem::take(requests), std::mem::take(answers));
            self.judge(conversation.side, &request, &answer);
        }
    }
}

impl Conversation {
    /// The first exchange that is complete, with its request and its answer; who connects may go on afterwards.
    fn complete(&mut self) -> Option<(Side, Vec<u8>, Vec<u8>)> {
        let side = self.side;
        let (requests, answers) = self.directions();
        let (request, answer) = (wire::request_length(requests)?, wire::answer_length(answers)?);
        let (rest, left) = (requests.split_off(request), answers.split_off(answer));
        let request = std::mem::replace(requests, rest);
        let answer = std::mem::replace(answers, left);
        Some((side, request, answer))
    }

    /// What was asked, and what was answered.
    fn directions(&mut self) -> (&mut Vec<u8>, &mut Vec<u8>) {
        match self.side {
            Side::Accepted => (&mut self.received, &mut self.sent),
            Side::Connected => (&mut self.sent, &mut self.received),
        }
    }
}

impl Watched {
    /// Watches only what a story judges, and what that rests on.
    pub fn of_story(library: &Library, story: &str) -> Result<Self, NoStory> {
        let scenario = library.scenarios.get(story).ok_or_else(|| NoStory::Unknown(story.to_owned()))?;
        let judged = scenario.requirements().into_iter().map(|id| id.value.clone());
        let rests_on = |id: String| {
            let below =
                library.catalogue.foundations(&id).into_iter().map(|id| id.to_string()).collect::<Vec<_>>();
            below.into_iter().chain([id])
        };
        let asked: BTreeSet<String> = judged.flat_map(rests_on).collect();
        let seen: BTreeSet<&'static str> = SEEN.into_iter().filter(|id| asked.contains(*id)).collect();
        if seen.is_empty() {
            return Err(NoStory::NothingToSee(story.to_owned()));
        }
        Ok(Self { only: Some((story.to_owned(), seen)), ..Self::default() })
    }

    fn note(&self, id: &'static str, wrong: Option<String>) {
        if self.only.as_ref().is_some_and(|(_, seen)| !seen.contains(id)) {
            return;
        }
        let mut rows = self.rows.borrow_mut();
        let row = rows.entry(id).or_default();
        match wrong {
            None => row.kept += 1,
            Some(finding) => {
                row.broken += 1;
                if row.findings.len() < TOLD {
                    row.findings.push(cap(&finding, DETAIL_LIMIT).into_owned());
                }
            }
        }
    }

    fn judge(&self, side: Side, request: &[u8], answer: &[u8]) {
        let Some(asked) = wire::request(request) else { return };
        let status = wire::answers(answer).first().map(|answer| answer.status);
        match side {
            Side::Connected => {
                let shows_one = asked.headers.iter().any(|(name, _)| name == "authorization");
                let wrong = (status != Some(200)).then(|| {
                    let found = status.map_or("the connection ended instead".to_owned(), |status| {
                        format!("it was {status}")
                    });
                    format!("expected status 200 for a callback; {found}")
                });
                // Who shows no bearer need not be taken.
                if shows_one || wrong.is_none() {
                    self.note(TAKES_CALLBACKS, wrong);
                }
            }
            Side::Accepted if asked.method == "POST" && asked.path == "/jsonrpc" => {
                let Some(body) = asked.body.as_ref().filter(|body| body.is_object()) else {
                    return self.note(WELL_FORMED, Some("expected a JSON object as the body".to_owned()));
                };
                let method = body.get("method").and_then(Value::as_str).unwrap_or_default();
                // Whoever asks for something else dispatches nothing.
                if method.is_empty() || ["SendMessage", "message/send"].contains(&method) {
                    self.note(WELL_FORMED, ill_formed(body, status));
                    self.note(ITS_CONTEXT, misplaced(body));
                    self.note_again(body, answer);
                }
            }
            Side::Accepted => {}
        }
    }

    /// The same dispatch once more, to the letter, when the first one may have been accepted. Who gives messages no ids may mean another
    /// one by the same words.
    fn note_again(&self, body: &Value, answer: &[u8]) {
        if body.pointer("/params/message/messageId").and_then(Value::as_str).is_none_or(str::is_empty) {
            return;
        }
        let refused = wire::answers(answer).first().is_some_and(|answer| {
            let says_no = answer.body.as_ref().is_some_and(|body| body.get("error").is_some());
            says_no || (400..500).contains(&answer.status)
        });
        let (mut taken, said) = (self.taken.borrow_mut(), body.to_string());
        let known = if refused { taken.contains(&said) } else { !taken.insert(said) };
        let again =
            || "expected a dispatch that may have been accepted to be sent once; it came again".to_owned();
        self.note(SENT_ONCE, known.then(again));
    }

    /// What was seen, as `client.json`, with the exit code that it comes to: 0 kept, 1 broken, 4 nothing was seen.
    pub fn report(&self, library: &Library) -> (Value, ExitCode) {
        let seen = self.rows.borrow();
        let rows: Vec<Value> = seen
            .iter()
            .map(|(id, row)| {
                let known = library.catalogue.get(id);
                json!({
                    "id": id,
                    "level": known.map(|known| known.level.as_str()),
                    "statement": known.map(|known| known.statement.as_str()),
                    "verdict": if row.broken > 0 { "fail" } else { "pass" },
                    "kept": row.kept,
                    "broken": row.broken,
                    "findings": row.findings,
                })
            })
            .collect();
        let code = match seen.values().any(|row| row.broken > 0) {
            true => ExitCode::Nonconformance,
            false if seen.is_empty() => ExitCode::NothingSelected,
            false => ExitCode::Pass,
        };
        let mut report =
            json!({ "schema": "gauntlet.client/1", "requirements": rows, "exit_code": code.code() });
        if let Some((story, _)) = &self.only {
            report["scenario"] = json!(story);
        }
        (report, code)
    }

    /// The same in a few lines for people.
    pub fn lines(&self) -> Vec<String> {
        let rows = self.rows.borrow();
        let line = |(id, row): (&&str, &Row)| {
            let verdict = if row.broken > 0 { "fail" } else { "pass" };
            let first = row.findings.first().map(|finding| format!(": {}", one_line(finding)));
            format!("{verdict} {id} kept {}, broken {}{}", row.kept, row.broken, first.unwrap_or_default())
        };
        rows.iter().map(line).collect()
    }
}

/// What is wrong with a dispatch, if anything is.
fn ill_formed(body: &Value, status: Option<u16>) -> Option<String> {
    let at = |pointer: &str| body.pointer(pointer);
    let found = |pointer: &str| at(pointer).map_or("nothing".to_owned(), Value::to_string);
    let text = |pointer: &str| at(pointer).and_then(Value::as_str);
    if status == Some(401) {
        return Some("expected the bearer of the peer; the receiver answered 401".to_owned());
    }
    if text("/jsonrpc") != Some("2.0") {
        return Some(format!("expected \"2.0\" as /jsonrpc; found {}", found("/jsonrpc")));
    }
    if at("/id").is_none_or(Value::is_null) {
        return Some("expected an id; found none".to_owned());
    }
    if text("/method").is_none() {
        return Some(format!("expected SendMessage as /method; found {}", found("/method")));
    }
    if text("/params/message/role") != Some("user") {
        let role = found("/params/message/role");
        return Some(format!("expected \"user\" as the role of the message; found {role}"));
    }
    let has_text = text("/params/message/parts/0/text").is_some();
    (!has_text).then(|| "expected a text in the first part of the message; found none".to_owned())
}

/// What is wrong with the place of the context, if anything is.
fn misplaced(body: &Value) -> Option<String> {
    if body.pointer("/params/contextId").is_some() {
        return Some("expected the context inside of the message; found one beside it".to_owned());
    }
    let named = body.pointer("/params/message/contextId").filter(|named| !named.is_null())?;
    (!named.is_string()).then(|| format!("expected a text as the context; found {named}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(watched: &Watched, body: &str, answer: &str) {
        let connection = watched.opened(Side::Accepted, 1);
        let request = format!("POST /jsonrpc HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        // It comes in pieces, as over a real connection.
        let (first, second) = request.as_bytes().split_at(20);
        watched.bytes(connection, Flow::Received, first);
        watched.bytes(connection, Flow::Received, second);
        watched.bytes(connection, Flow::Sent, answer.as_bytes());
        watched.closed(connection);
    }

    const TAKEN: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    const REFUSED: &str = "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\n{}";
    const DISPATCH: &str = r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"role":"user","parts":[{"text":"hi"}],"contextId":"c"}}}"#;

    fn broken(body: &str, answer: &str) -> Vec<String> {
        let watched = Watched::default();
        asked(&watched, body, answer);
        let rows = watched.rows.borrow();
        rows.iter().filter(|(_, row)| row.broken > 0).map(|(id, _)| (*id).to_owned()).collect()
    }

    #[test]
    fn a_client_is_told_what_it_kept_and_what_it_broke() {
        assert_eq!(broken(DISPATCH, TAKEN), Vec::<String>::new());
        assert_eq!(broken(DISPATCH, REFUSED), [WELL_FORMED]);
        assert_eq!(broken("no json", TAKEN), [WELL_FORMED]);
        assert_eq!(broken(&DISPATCH.replace("\"id\":1,", ""), TAKEN), [WELL_FORMED]);
        assert_eq!(broken(&DISPATCH.replace("user", "agent"), TAKEN), [WELL_FORMED]);
        assert_eq!(broken(&DISPATCH.replace(":\"c\"", ":7"), TAKEN), [ITS_CONTEXT]);
        assert_eq!(
            broken(&DISPATCH.replace("\"params\":{", "\"params\":{\"contextId\":\"c\","), TAKEN),
            [ITS_CONTEXT]
        );
    }

    #[test]
    fn what_may_have_been_accepted_is_sent_once() {
        let named = DISPATCH.replace("\"role\"", "\"messageId\":\"m-1\",\"role\"");
        let twice = |body: &str, first: &str| {
            let watched = Watched::default();
            asked(&watched, body, first);
            asked(&watched, body, TAKEN);
            watched.rows.borrow().get(SENT_ONCE).map(|row| row.broken)
        };
        assert_eq!(twice(&named, TAKEN), Some(1));
        assert_eq!(twice(&named, ""), Some(1), "no answer is no refusal");
        assert_eq!(twice(&named, REFUSED), Some(0));
        assert_eq!(twice(DISPATCH, TAKEN), None, "the same words can be said again");
    }

    #[test]
    fn a_story_narrows_down_what_is_judged() {
        let library = Library::load(&[crate::data::Source::Embedded]).expect("the embedded data is sound");
        let judges = |story: &str| {
            let story = library.scenarios.get(story).expect("it is there");
            story.requirements().iter().any(|id| id.value == WELL_FORMED)
        };
        assert!(judges("fleet/peer-that-answers"));
        let watched = Watched::of_story(&library, "fleet/peer-that-answers").expect("it judges clients");
        asked(&watched, &DISPATCH.replace("\"id\":1,", "").replace(":\"c\"", ":7"), TAKEN);
        let (report, code) = watched.report(&library);
        assert_eq!(code, ExitCode::Nonconformance);
        let ids: Vec<&Value> =
            report["requirements"].as_array().expect("a list").iter().map(|row| &row["id"]).collect();
        assert_eq!(ids, [WELL_FORMED], "{report}");
        assert!(matches!(Watched::of_story(&library, "fleet/nowhere"), Err(NoStory::Unknown(_))));
        assert!(matches!(
            Watched::of_story(&library, "fleet/health-and-card-are-public"),
            Err(NoStory::NothingToSee(_))
        ));
    }

    #[test]
    fn what_only_the_end_of_a_connection_ends_is_judged_then() {
        // An answer that nothing frames, and a callback whose other side hung up.
        let watched = Watched::default();
        asked(&watched, &DISPATCH.replace("user", "agent"), "HTTP/1.1 200 OK\r\n\r\n{}");
        let connection = watched.opened(Side::Connected, 1);
        let request = "POST /jsonrpc HTTP/1.1\r\nAuthorization: Bearer x\r\nContent-Length: 2\r\n\r\n{}";
        watched.bytes(connection, Flow::Sent, request.as_bytes());
        watched.closed(connection);
        let rows = watched.rows.borrow();
        assert_eq!(rows.get(WELL_FORMED).map(|row| row.broken), Some(1));
        assert_eq!(rows.get(TAKES_CALLBACKS).map(|row| (row.kept, row.broken)), Some((0, 1)));
        let told = &rows.get(TAKES_CALLBACKS).expect("it is there").findings;
        assert_eq!(*told, ["expected status 200 for a callback; the connection ended instead"]);
    }

    #[test]
    fn a_request_that_never_became_whole_is_nobodys_dispatch() {
        let watched = Watched::default();
        let connection = watched.opened(Side::Accepted, 1);
        let request = "POST /jsonrpc HTTP/1.1\r\nContent-Length: 200\r\n\r\n{";
        watched.bytes(connection, Flow::Received, request.as_bytes());
        watched.closed(connection);
        assert!(watched.rows.borrow().is_empty());
    }

    #[test]
    fn no_finding_is_longer_than_a_detail() {
        let watched = Watched::default();
        asked(&watched, &DISPATCH.replace("user", &"x".repeat(100_000)), TAKEN);
        let rows = watched.rows.borrow();
        let longest =
            rows.get(WELL_FORMED).expect("it is there").findings.iter().map(|told| told.chars().count());
        assert!(longest.max().expect("one") <= DETAIL_LIMIT + 100, "a client decides how long it is");
    }

    #[test]
    fn a_callback_that_is_not_taken_is_told_of() {
        let watched = Watched::default();
        for (bearer, answer) in [("Authorization: Bearer x\r\n", REFUSED), ("", REFUSED), ("", TAKEN)] {
            let connection = watched.opened(Side::Connected, 1);
            let request = format!("POST /jsonrpc HTTP/1.1\r\n{bearer}Content-Length: 2\r\n\r\n{{}}");
            watched.bytes(connection, Flow::Sent, request.as_bytes());
            watched.bytes(connection, Flow::Received, answer.as_bytes());
        }
        let rows = watched.rows.borrow();
        assert_eq!(rows.get(TAKES_CALLBACKS).map(|row| (row.kept, row.broken)), Some((1, 1)));
    }
}
