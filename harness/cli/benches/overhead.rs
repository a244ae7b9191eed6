//! What certifying adds to a subject's own time: `cargo bench -p gauntlet --bench overhead`, or with `--profile dev` what a
//! development build adds.
//!
//! The same ordinary turns of one context are sent to the Python sample receiver twice, by the harness in a cell of the real lane as
//! `gauntlet certify` does it, and by a client that does the least that one can: it sends, reads the acknowledgement and takes the
//! callback. Both are told in turns, each time with a receiver of their own. A turn is counted from one reply to the next.
//!
//! The client's CLI is a shell script that prints what codex prints, so that the harness pays for its stand-in, too. How long the agent
//! works is what the rows differ by; none takes no time, which no agent does.
#![expect(clippy::print_stdout, reason = "a bench tells its figures")]

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use gauntlet_engine::certify::Foreign;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_engine::trace::What;
use gauntlet_reports::Lane;
use serde_json::json;

/// So many turns of one context.
const TURNS: usize = 10;
/// So often by each of the two.
const ROUNDS: usize = 5;
/// How long the agent works in each row.
const WORK: [Duration; 3] = [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(500)];

fn main() {
    println!(
        "{:>8}  {:>14}  {:>14}  {:>9}  {:>8}",
        "work", "by the client", "by the harness", "ratio", "more"
    );
    for work in WORK {
        let harness = Harness::new(work);
        let (mut plain, mut certified) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            plain.extend(Client::new(work).turns());
            certified.extend(harness.turns());
        }
        let (plain, certified) = (median(&mut plain), median(&mut certified));
        println!(
            "{:>6} s  {:>11.1} ms  {:>11.1} ms  {:>9.3}  {:>5.1} ms",
            work.as_secs_f64(),
            milliseconds(plain),
            milliseconds(certified),
            certified.as_secs_f64() / plain.as_secs_f64(),
            milliseconds(certified) - milliseconds(plain)
        );
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().expect("turns were measured")
}

fn subject() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/subjects/python")
}

/// The harness: a story of these turns, in the real lane.
struct Harness {
    library: Arc<Library>,
    foreign: Arc<Foreign>,
    settings: Settings,
    _data: tempfile::TempDir,
}

impl Harness {
    fn new(work: Duration) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(data.path().join("suites/bench")).expect("a folder");
        fs::write(data.path().join("suites/bench/turns.yaml"), story(work)).expect("a story");
        let library = Library::load(&[Source::Embedded, Source::Folder(data.path().to_path_buf())]);
        let library = Arc::new(library.expect("sound data"));
        let foreign = Foreign::read(&library, &subject().join("receiver.toml"), false).expect("a manifest");
        let settings =
            Settings { binary: Some(env!("CARGO_BIN_EXE_gauntlet").into()), ..Settings::default() };
        Self { library, foreign: Arc::new(foreign), settings, _data: data }
    }

    fn turns(&self) -> Vec<Duration> {
        let selection = Selection {
            executors: vec!["codex".to_owned()],
            only: vec![Pattern::parse("bench/turns").expect("a pattern")],
            lanes: vec![Lane::Real],
            foreign: Some(self.foreign.clone()),
            ..Selection::default()
        };
        let plan = selection.plain(&self.library).into_iter().next().expect("the story fits the subject");
        let outcome =
            runner::outcome(&plan, &self.library, &self.settings, &Arc::default()).expect("it ends");
        assert_eq!(outcome.error, None);
        let delivered =
            outcome.observations.iter().filter(|seen| matches!(seen.what, What::Delivered { .. }));
        let ends: Vec<Duration> = delivered.map(|seen| Duration::from_millis(seen.at_ms)).collect();
        assert_eq!(ends.len(), TURNS, "every turn comes to its reply");
        ends.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }
}

fn story(work: Duration) -> String {
    let mut story =
        "id: bench/turns\ntitle: Ordinary turns of one context.\nsubject: receiver\ngiven:\n".to_owned();
    let part = json!({ "after": format!("{}ms", work.as_millis()), "reply": "done" });
    let turns = json!({ "executor": { "turns": vec![part; TURNS] }, "receiver": { "config": { "codex_timeout_s": 30 } } });
    for (name, value) in turns.as_object().expect("an object") {
        let _ = writeln!(story, "  {name}: {value}");
    }
    story.push_str("steps:\n");
    for number in 0..TURNS {
        let dispatch = json!({ "as": format!("d{number}"), "context": "c1", "text": "add a line" });
        let reply = json!({ "reply_to": format!("d{number}"), "within": "30s" });
        let _ = writeln!(
            story,
            "  - dispatch: {dispatch}\n    expect: {{ acknowledged: true }}\n    requirement: FLEET-HTTP-17"
        );
        let _ = writeln!(
            story,
            "  - await: {reply}\n    expect: {{ text: done }}\n    requirement: FLEET-REPLY-01"
        );
    }
    story
}

/// The least that one can do, with a receiver of its own.
struct Client {
    folder: tempfile::TempDir,
    callbacks: TcpListener,
    port: u16,
    receiver: Child,
}

const TOKEN: &str = "a-token-of-the-client";

impl Client {
    fn new(work: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["bin", "home", "repo/.hermes"] {
            fs::create_dir_all(at(name)).expect("a folder");
        }
        let cli = format!("#!/bin/sh\nsleep {}\nprintf '%s\\n' {EVENTS}\n", work.as_secs_f64());
        fs::write(at("bin/codex"), cli).expect("a file");
        fs::set_permissions(at("bin/codex"), fs::Permissions::from_mode(0o755)).expect("it can be run");
        let callbacks = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let config = json!({
            "repo_path": at("repo"), "bind_port": port, "auth_token_env": "IN", "hermes_auth_token_env": "OUT",
            "hermes_url": format!("http://{}/jsonrpc", callbacks.local_addr().expect("it listens")),
        });
        fs::write(at("repo/.hermes/codex_receiver.json"), config.to_string()).expect("a file");
        let receiver = Command::new("python3")
            .arg(subject().join("receiver.py"))
            .arg(at("repo"))
            .env_clear()
            .envs([("IN", TOKEN), ("OUT", TOKEN)])
            .env("HOME", at("home"))
            .env("PATH", format!("{}:/usr/bin:/bin", at("bin").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 is there");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(5));
        }
        Self { folder, callbacks, port, receiver }
    }

    fn turns(&mut self) -> Vec<Duration> {
        let mut ends = Vec::new();
        for number in 0..TURNS {
            self.dispatch(number);
            self.take_reply();
            ends.push(Instant::now());
        }
        ends.windows(2).map(|pair| pair[1] - pair[0]).collect()
    }

    fn dispatch(&self, number: usize) {
        let message = json!({ "role": "user", "parts": [{ "text": "add a line" }], "contextId": "c1" });
        let call = json!({ "jsonrpc": "2.0", "id": number, "method": "SendMessage", "params": { "message": message } });
        let body = call.to_string();
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let head = &format!("POST /jsonrpc HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}");
        send(&mut stream, head, &body);
        assert!(content(&mut stream).contains("[queued]"));
    }

    fn take_reply(&self) {
        let (mut stream, _) = self.callbacks.accept().expect("it calls back");
        assert!(content(&mut stream).contains("done"));
        let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string();
        send(&mut stream, "HTTP/1.1 200 OK", &answer);
    }
}

/// In one piece: of several small ones each would wait for the other side to have taken the one before.
fn send(stream: &mut TcpStream, head: &str, body: &str) {
    let length = body.len();
    let head =
        format!("{head}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}");
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("it is sent");
}

/// The body of a message, as soon as it is there: who waits for the end of the connection waits for more than a turn.
fn content(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a head");
        let lower = line.trim().to_ascii_lowercase();
        if let Some(said) = lower.strip_prefix("content-length:") {
            length = said.trim().parse().expect("a length");
        }
        if lower.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("a body");
    String::from_utf8_lossy(&body).into_owned()
}

impl Drop for Client {
    fn drop(&mut self) {
        // What was never started cannot be ended, and one that ended need not be.
        let _ = self.receiver.kill();
        let _ = self.receiver.wait();
        let _ = fs::remove_dir_all(self.folder.path());
    }
}

/// What codex prints of a turn, as words of a shell.
const EVENTS: &str = r#"'{"type":"thread.started","thread_id":"0199a213-81c0-7800-8aa1-bbab2a035a53"}' '{"type":"turn.started"}' '{"type":"item.completed","item":{"id":"item_0","type":"agent_message","text":"done"}}' '{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}'"#;
