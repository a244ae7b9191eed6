//! The recorded exchange, and the same questions put to the simulated host.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::opencode_serve::{Frame, SseReader};
use gauntlet_simulators::session_host::{Ends, HostScript, MemberScript, MemberTurn, Settings, serve};
use gauntlet_world::http::{self, Request};
use gauntlet_world::injection::Millis;
use gauntlet_world::network::Address;
use gauntlet_world::{Host, Machine, World, WorldSettings};
use serde_json::Value;

const PORT: u16 = 4096;

/// What a host was asked, answered and told.
#[derive(Default)]
pub(super) struct Told {
    pub(super) answers: Vec<Answered>,
    /// Events, each with the story in which it came.
    pub(super) events: Vec<(String, Value)>,
    pub(super) stream_head: Vec<String>,
}

#[derive(Clone)]
pub(super) struct Answered {
    pub(super) story: String,
    pub(super) method: String,
    path: String,
    asked: Value,
    pub(super) status: u64,
    pub(super) head: Vec<String>,
    pub(super) body: String,
}

impl Answered {
    pub(super) fn path_kind(&self) -> &str {
        self.path.rsplit('/').next().filter(|last| !last.starts_with("ses_")).unwrap_or("of a session")
    }
}

impl Told {
    pub(super) fn stories(&self) -> Vec<String> {
        let mut stories: Vec<String> = self.answers.iter().map(|answer| answer.story.clone()).collect();
        stories.dedup();
        stories
    }
}

#[expect(clippy::disallowed_methods, reason = "a test reads its fixtures from the real disk")]
pub(super) fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/opencode_serve/1.18.33");
    std::fs::read_to_string(folder.join(name)).expect("a recording that belongs to the repository")
}

/// Signs of life come when they come; the rest tells of plugins and catalogues, which the simulated host has none of.
pub(super) fn is_noise(event: &Value) -> bool {
    let kinds =
        ["server.heartbeat", "plugin.added", "catalog.updated", "reference.updated", "integration.updated"];
    kinds.iter().any(|kind| event["type"] == *kind)
}

fn frames(bytes: &[u8]) -> Vec<Value> {
    let data = |frame| match frame {
        Frame::Event { data, .. } => serde_json::from_str(&data).expect("an event is JSON"),
        Frame::TooLarge => unreachable!("no recorded event is over the cap"),
    };
    SseReader::default().push(bytes).into_iter().map(data).collect()
}

/// The recorded exchange, without what a host that wants a password answered.
pub(super) fn recorded() -> Told {
    let mut told = Told::default();
    for line in fixture("wire.jsonl").lines() {
        let line: Value = serde_json::from_str(line).expect("a line is JSON");
        let text = |key: &str| line[key].as_str().expect("a text").to_owned();
        let head = line["head"].as_array().expect("lines").iter();
        told.answers.push(Answered {
            story: text("mark"),
            method: text("method"),
            path: text("path"),
            asked: line["asked"].clone(),
            status: line["status"].as_u64().expect("a status"),
            head: head.map(|line| line.as_str().expect("a line").to_owned()).collect(),
            body: text("body"),
        });
    }
    for story in told.stories() {
        if story != "no password" {
            let events = frames(fixture(&format!("{}.sse", story.replace(' ', "-"))).as_bytes());
            told.events.extend(events.into_iter().map(|event| (story.clone(), event)));
        }
    }
    told.stream_head = fixture("stream-head.txt").trim_end().lines().map(str::to_owned).collect();
    told
}

/// What the recorded model did, by the prompts that it got.
fn script() -> HostScript {
    let says = || MemberTurn { reply: "mock done".to_owned(), ..MemberTurn::default() };
    let slow = |seconds: u64| MemberTurn { after: Millis(seconds * 1000), ..says() };
    let turns = vec![
        says(),
        says(),
        slow(5),
        slow(2),
        says(),
        MemberTurn { ends: Ends::Fails("model says no".to_owned()), ..says() },
        MemberTurn { retries: 5, ..says() },
    ];
    let member = |title: &str, turns| MemberScript { title: Some(title.to_owned()), agent: None, turns };
    let members = vec![member("member one", turns), member("short", vec![slow(2)]), member("", vec![says()])];
    HostScript { members, ..HostScript::default() }
}

/// How long the recorder waited behind a question.
fn pause(answer: &Answered) -> u64 {
    let asked = answer.asked.to_string();
    match answer.method.as_str() {
        // In time before the model is asked.
        "POST" if answer.story == "abort before the model is asked" => 7,
        "POST" if asked.contains("SLOW") || asked.contains("BUSY") => 500,
        "POST" if answer.path.ends_with("prompt_async") || answer.path.ends_with("abort") => 4000,
        "GET" if answer.story == "model is overloaded" => 3000,
        "DELETE" if answer.story == "delete while a turn runs" => 10_000,
        _ => 10,
    }
}

/// Puts the recorded questions to a simulated host.
pub(super) fn replay(recorded: &Told) -> Told {
    let (plain, guarded): (Vec<Answered>, Vec<Answered>) =
        recorded.answers.iter().cloned().partition(|answer| answer.story != "no password");
    let mut told = run(script(), |host| ask_all(host, plain));
    let password = Some("secret".to_owned());
    told.answers.extend(run(HostScript { password, ..script() }, |host| ask_all(host, guarded)).answers);
    told
}

/// The body with which a prompt is answered in a session that was just made.
pub(super) fn one_prompt(body: &str) -> String {
    let body = body.to_owned();
    run(script(), |host| async move {
        let made = exchange(&host, "POST", "/session", b"{}").await;
        let session: Value = serde_json::from_str(&made.2).expect("a session");
        let path = format!("/session/{}/prompt_async", session["id"].as_str().expect("an id"));
        exchange(&host, "POST", &path, body.as_bytes()).await.2
    })
}

fn run<F, R>(script: HostScript, body: F) -> R::Output
where
    F: FnOnce(Host) -> R,
    R: Future,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(WorldSettings::default());
        let machine = Machine::new(&world, "lab");
        let host = machine.visitor("host", BTreeMap::new(), PathBuf::from("/work"), None);
        let listener = host.network().listen(&Address::loopback(PORT)).await.expect("a free port");
        let settings = Settings { script, ..Settings::default() };
        host.spawn(serve(host.clone(), listener, settings));
        let asking = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/work"), None);
        let outcome = host.clock().within(Duration::from_secs(3600), body(asking)).await;
        outcome.expect("the replay comes to its end")
    })
}

fn request(method: &str, path: &str, body: &[u8]) -> Request {
    Request {
        method: method.to_owned(),
        url: format!("http://127.0.0.1:{PORT}{path}").parse().expect("a URL"),
        headers: Vec::new(),
        body: body.to_vec(),
        limit: Duration::from_secs(30),
    }
}

async fn exchange(host: &Host, method: &str, path: &str, body: &[u8]) -> (u64, Vec<String>, String) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = host.network().connect(&Address::loopback(PORT)).await.expect("a host that listens");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("room");
    stream.write_all(body).await.expect("room");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an answer");
    let answer = String::from_utf8(answer).expect("text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    let head: Vec<String> = head.lines().map(str::to_owned).collect();
    let status = head[0].split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, head, body.to_owned())
}

async fn ask_all(host: Host, questions: Vec<Answered>) -> Told {
    let watched: Rc<RefCell<(Vec<String>, Vec<Value>)>> = Rc::default();
    let (watching, seen) = (host.clone(), watched.clone());
    host.spawn(async move {
        let mut stream = http::open(&watching, request("GET", "/event", b"")).await.expect("a stream");
        let field = |(name, value): &(String, String)| format!("{name}: {value}");
        let fields = stream.headers.iter().map(field);
        seen.borrow_mut().0 = std::iter::once("HTTP/1.1 200 OK".to_owned()).chain(fields).collect();
        let mut reader = SseReader::default();
        while let Ok(Some(bytes)) = stream.next().await {
            for frame in reader.push(&bytes) {
                if let Frame::Event { data, .. } = frame {
                    seen.borrow_mut().1.push(serde_json::from_str(&data).expect("an event is JSON"));
                }
            }
        }
    });
    host.clock().sleep(Duration::from_millis(500)).await;
    watched.borrow_mut().1.clear();
    let mut told = Told::default();
    let mut sessions: Vec<(String, String)> = Vec::new();
    let id_of = |body: &str| {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        body["id"].as_str().filter(|id| id.starts_with("ses_")).map(str::to_owned)
    };
    for (number, question) in questions.iter().enumerate() {
        let asked = match &question.asked {
            Value::Null => String::new(),
            Value::String(raw) => raw.clone(),
            value => value.to_string(),
        };
        let ours = |text: &str| {
            sessions.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
        };
        let (path, asked) = (ours(&question.path), ours(&asked));
        let (status, head, body) = exchange(&host, &question.method, &path, asked.as_bytes()).await;
        if let (Some(theirs), Some(ours)) = (id_of(&question.body), id_of(&body)) {
            sessions.push((theirs, ours));
        }
        told.answers.push(Answered { status, head, body, ..question.clone() });
        host.clock().sleep(Duration::from_millis(pause(question))).await;
        if questions.get(number + 1).is_none_or(|next| next.story != question.story) {
            host.clock().sleep(Duration::from_secs(1)).await;
            let events = std::mem::take(&mut watched.borrow_mut().1);
            told.events.extend(events.into_iter().map(|event| (question.story.clone(), event)));
        }
    }
    told.stream_head = watched.borrow().0.clone();
    told
}
