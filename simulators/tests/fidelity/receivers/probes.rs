//! Every probe that can be read in the recordings, sent again in the recorded order; and the files that were written meanwhile.

use std::collections::BTreeMap;

use gauntlet_protocol::fleet::Mode;
use gauntlet_world::simulated::program;
use serde::Deserialize;
use serde_json::{Value, json};

use super::fake;
use super::rig::{Made, Release, Rig, recorded};
use crate::rig::{cell, masked};

/// The recorder kept so many characters of a request, and of a line of a file.
const CUT_REQUEST: usize = 1500;
const CUT_LINE: usize = 600;

/// A recorded exchange.
#[derive(Deserialize)]
struct Exchange {
    receiver: String,
    probe: String,
    sent: String,
    received: String,
    closed_by_peer: bool,
}

impl Exchange {
    fn all(executor: &str) -> Vec<Exchange> {
        let text = recorded(&format!("{executor}.wire.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).expect("a whole exchange")).collect()
    }

    /// What was really sent: where the recorder cut it, the rest follows from the announced length and from the answer.
    fn request(&self) -> Vec<u8> {
        if self.sent.len() < CUT_REQUEST {
            return self.sent.clone().into_bytes();
        }
        let (head, body) = self.sent.split_once("\r\n\r\n").expect("a head and a body");
        let length: usize = member(head, "Content-Length: ", "\r\n").parse().expect("a length");
        let beginning = body.trim_end_matches('y');
        let context = member(&self.received, r#""contextId": ""#, "\"");
        let end = format!(r#""}}], "contextId": "{context}"}}}}}}"#);
        let filling = "y".repeat(length - beginning.len() - end.len());
        format!("{head}\r\n\r\n{beginning}{filling}{end}").into_bytes()
    }

    fn context(&self) -> Option<&str> {
        self.received.contains("contextId").then(|| member(&self.received, r#""contextId": ""#, "\""))
    }
}

/// What stands between a beginning and an end.
fn member<'t>(text: &'t str, begin: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(begin).expect("it is there");
    rest.split(end).next().unwrap_or_default()
}

/// What the recordings of one mode hold.
struct Recording {
    mode: &'static Mode,
    wire: Vec<Exchange>,
    inbox: Vec<String>,
    transcript: Vec<String>,
    sessions: Option<String>,
}

/// A line with half a surrogate pair in it: no Rust string holds that, and the receiver refuses it (protocol's `json`). Both its
/// dispatch and its records are left out.
fn has_half_a_surrogate(line: &str) -> bool {
    line.contains(r"\ud800")
}

impl Recording {
    fn of(executor: &str) -> Self {
        let mode = Mode::named(executor).expect("the mode is known");
        let lines = |file: &str| -> Vec<String> {
            let text = recorded(&format!("{executor}.{file}.jsonl"));
            text.lines().filter(|line| !has_half_a_surrogate(line)).map(str::to_owned).collect()
        };
        let has_map = !matches!(mode.sessions, gauntlet_protocol::fleet::Sessions::Derived);
        Self {
            mode,
            wire: Exchange::all(executor),
            inbox: lines("inbox"),
            transcript: lines("transcript"),
            sessions: has_map.then(|| recorded(&format!("{executor}.sessions.json"))),
        }
    }

    fn prefix(&self) -> &str {
        &self.wire[0].receiver
    }

    /// The built-in role of that release, as far as the fake CLI said it back.
    fn role(&self) -> String {
        let said =
            self.transcript.iter().find_map(|line| line.split_once("turn 1: You are ")).map(|(_, said)| said);
        let beginning =
            said.and_then(|said| said.split_once("Reply concisely")).map(|(beginning, _)| beginning);
        // One mode's recording ends before the last words, which all have.
        beginning.map_or("role".to_owned(), |beginning| {
            format!("You are {beginning}Reply concisely with results/status.")
        })
    }

    fn repo(&self) -> &str {
        let health = self.wire.iter().find(|exchange| exchange.received.contains("repo_path"));
        member(&health.expect("health was asked for").received, r#""repo_path": ""#, "\"")
    }

    /// A receiver like the recorded one, but for what the change does to its release.
    async fn receiver(&self, change: impl FnOnce(&mut Release)) -> Rig {
        let mut release = Release::recorded();
        change(&mut release);
        let config = json!({ "auth_token_env": "TOKEN", "role_prompt": self.role() });
        Rig::start(Made {
            mode: self.mode,
            quirks: release.quirks(self.mode.name),
            framing: release.framing,
            repo: self.repo().to_owned(),
            config,
            env: BTreeMap::from([("TOKEN".to_owned(), self.token())]),
            cli: program(fake::run),
        })
        .await
    }

    fn token(&self) -> String {
        format!("tok-{}-loopback", self.prefix())
    }

    /// Sends everything again, and compares answers and files.
    async fn play(&self, change: impl FnOnce(&mut Release)) {
        let rig = self.receiver(change).await;
        let mut wire = self.wire.iter().peekable();
        let mut replies = 0;
        for line in &self.inbox {
            let context = member(line, r#""contextId": ""#, "\"");
            let text = text_of(line);
            // The recorder waited for each reply, but for those of turns that take a while.
            if !text.contains("FAKE:sleep") {
                rig.replied(replies).await;
            }
            replies += 1;
            // The exchanges that can be read stand in the order in which their dispatches were accepted.
            if wire.peek().is_some_and(|exchange| exchange.context() == Some(context)) {
                while let Some(exchange) =
                    wire.next_if(|exchange| exchange.context().is_none_or(|of| of == context))
                {
                    assert_answer(&rig, exchange).await;
                    if wire.peek().is_some_and(|next| next.context() == Some(context)) {
                        break;
                    }
                }
            } else {
                assert!(
                    rig.post(&self.token(), &request(context, &text)).await.contains("[queued]"),
                    "{line}"
                );
            }
        }
        assert_eq!(wire.count(), 0, "every exchange was sent");
        // Dispatches whose inbox lines were cut off, and whose sessions were not.
        for name in ["cb500", "cbrpcerr"] {
            let context = format!("{}-{name}", self.prefix());
            if !self.inbox.iter().any(|line| line.contains(&context)) {
                rig.post(&self.token(), &request(&context, "FAKE:reply=lost?")).await;
                replies += 1;
            }
        }
        rig.replied(replies).await;
        assert_lines(&rig.file(self.mode.files.inbox), &self.inbox);
        assert_lines(&rig.file(self.mode.files.transcript), &self.transcript);
        if let (Some(ours), Some(recorded)) = (rig.sessions(), &self.sessions) {
            assert_sessions(&ours, recorded);
        }
    }
}

/// The text of a line of the inbox. Of a line that was cut off it is what is left, which nobody sends: its exchange is there.
fn text_of(line: &str) -> String {
    let written = member(line, r#""text": ""#, "\"}");
    serde_json::from_str(&format!("\"{written}\"")).expect("a JSON text, but for its quotes")
}

/// A dispatch that leaves such a line in the inbox. Its own bytes were not kept.
fn request(context: &str, text: &str) -> String {
    let mut message = json!({ "role": "user", "parts": [{ "text": text }, { "text": "a second part" }] });
    if !context.starts_with("anon-") {
        message["contextId"] = json!(context);
    }
    json!({ "jsonrpc": "2.0", "id": "1", "method": "SendMessage", "params": { "message": message } })
        .to_string()
}

async fn assert_answer(rig: &Rig, exchange: &Exchange) {
    let (received, closed) = rig.exchange(&exchange.request()).await;
    assert_eq!(normalised(&received), normalised(&exchange.received), "{}", exchange.probe);
    assert_eq!(closed, exchange.closed_by_peer, "{}", exchange.probe);
}

/// Status lines, header fields and bodies without what differs between two runs of the same thing: dates, stamps and made-up ids.
fn normalised(text: &str) -> String {
    let text = masked(text, "Date: ", |c| c != '\r', 29, "\r\n");
    let text = masked(&text, r#""ts": ""#, |c| c != '"', 19, "\"");
    let text = masked(&text, "anon-", |c| c.is_ascii_hexdigit() || c == '-', 36, "\"");
    let text = masked(&text, r#""updated_at": "#, |c| c.is_ascii_digit(), 10, "");
    ["thread_id", "session_id", "conversation_id"].iter().fold(text, |text, key| {
        let begin = format!(r#""{key}": ""#);
        let id = |c: char| c.is_ascii_hexdigit() || c == '-' || c == 's' || c == 'e' || c == '_';
        let text = masked(&text, &begin, id, 36, "\"");
        masked(&text, &begin, id, 30, "\"")
    })
}

/// Whether a line is the recorded one, as far as that goes, but for what differs between two runs.
fn is_recorded(ours: &str, recorded: &str) -> bool {
    let (ours, told) = (normalised(ours), normalised(recorded));
    if recorded.len() < CUT_LINE { ours == told } else { ours.starts_with(&told) }
}

fn assert_lines(ours: &str, recorded: &[String]) {
    let ours: Vec<&str> = ours.lines().collect();
    assert!(ours.len() >= recorded.len(), "{} lines of {}", ours.len(), recorded.len());
    for (ours, recorded) in ours.iter().zip(recorded) {
        let shown: String = ours.chars().take(CUT_LINE).collect();
        assert!(is_recorded(ours, recorded), "\n{shown}\nis not\n{recorded}");
    }
}

/// The entries of a map of sessions, each with its lines; the map is sorted by context.
fn entries(map: &str) -> Vec<(String, Vec<String>)> {
    let mut entries: Vec<(String, Vec<String>)> = Vec::new();
    for line in map.lines() {
        if let Some(key) = line.strip_prefix("  \"").and_then(|line| line.strip_suffix("\": {")) {
            entries.push((normalised(&format!("{key}\"")), Vec::new()));
        } else if let Some((_, lines)) = entries.last_mut() {
            lines.push(line.to_owned());
        }
    }
    // Made-up contexts stand in an order that is as random as they are.
    entries.sort();
    entries
}

/// The recorded map is cut off in its last entry; so far ours must be the same, with no entry more.
fn assert_sessions(ours: &str, recorded: &str) {
    let (ours, recorded) = (entries(ours), entries(recorded));
    let (last, whole) = recorded.split_last().expect("there are entries");
    let ours: Vec<_> = ours.into_iter().filter(|(context, _)| *context <= last.0).collect();
    let names =
        |entries: &[(String, Vec<String>)]| entries.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&recorded));
    for ((context, ours), (_, recorded)) in ours.iter().zip(&recorded) {
        for (ours, recorded) in ours.iter().zip(recorded) {
            let shown: String = ours.chars().take(CUT_LINE).collect();
            assert!(is_recorded(ours, recorded), "{context}:\n{shown}\nis not\n{recorded}");
        }
    }
    for ((_, ours), (context, recorded)) in ours.iter().zip(whole) {
        assert_eq!(ours.len(), recorded.len(), "{context}");
    }
}

#[test]
fn a_receiver_before_claude_code_answers_and_writes_as_the_recorded_one() {
    cell(Recording::of("claude_code").play(|_| {}));
}

#[test]
fn a_receiver_before_opencode_answers_and_writes_as_the_recorded_one() {
    cell(Recording::of("opencode").play(|_| {}));
}

#[test]
fn a_receiver_before_codex_answers_and_writes_as_the_recorded_one() {
    cell(Recording::of("codex").play(|_| {}));
}

#[test]
fn a_receiver_before_agy_answers_and_writes_as_the_recorded_one() {
    cell(Recording::of("agy").play(|_| {}));
}

/// The comparison sees each part of the framing: changed, some answer is not the recorded one.
#[test]
fn another_framing_is_not_the_recorded_one() {
    let recording = Recording::of("codex");
    let differing = |change: fn(&mut Release)| {
        cell(async {
            let rig = recording.receiver(change).await;
            let mut differing = Vec::new();
            for exchange in &recording.wire {
                let received = rig.exchange(&exchange.request()).await.0;
                if normalised(&received) != normalised(&exchange.received) {
                    differing.push(exchange.probe.as_str());
                }
            }
            differing
        })
    };
    assert_eq!(differing(|_| {}), [""; 0]);
    let refused = [
        "401 with keep-alive: body read as next request?",
        "404 POST with keep-alive: body read as next request?",
    ];
    assert_eq!(differing(|release| release.framing.drains_refused_bodies = true), refused);
    assert_eq!(differing(|release| release.framing.date = false).len(), recording.wire.len());
    assert_eq!(differing(|release| release.framing.server = None).len(), recording.wire.len());
}

/// The comparison of files sees a quirk: without this one the inbox and the replies tell that a text was cut.
#[test]
#[should_panic(expected = "is not")]
fn a_receiver_that_tells_of_a_cut_is_not_the_recorded_one() {
    cell(Recording::of("codex").play(|release| release.quirks.retain(|quirk| quirk != "cuts-in-silence")));
}

/// And one of agy alone: with this one a later answer of a conversation begins with the earlier ones.
#[test]
#[should_panic(expected = "is not")]
fn a_receiver_that_repeats_what_agy_repeats_is_not_the_recorded_one() {
    cell(Recording::of("agy").play(|release| release.quirks.push("replay-in-the-reply".to_owned())));
}

/// The comparison of files sees a record that is another one.
#[test]
fn another_record_is_not_the_recorded_one() {
    let recorded = r#"{"ts": "2026-11-21 01:12:47", "from": "hermes", "contextId": "anon-33284318-c117-42ce-a3a7-4eb50618aaa2", "text": "hi"}"#;
    let same = recorded.replace("01:12:47", "00:00:00").replace("33284318", "00000000");
    assert!(is_recorded(&same, recorded));
    for (from, to) in
        [("hi", "ho"), ("anon-", "anon"), ("\"from\"", "\"of\""), ("2026-11-21 01", "2026-11-21T 01")]
    {
        let other = recorded.replace(from, to);
        assert!(!is_recorded(&other, recorded), "{other}");
    }
    let value: Value = serde_json::from_str(recorded).expect("JSON");
    assert!(!is_recorded(&value.to_string(), recorded), "other spaces");
}
