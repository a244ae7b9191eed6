//! What the real receivers said when real CLIs were behind them (`with-real-clis.txt`): the receiver of the release in front of
//! the simulated CLI of the same version says the same.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use gauntlet_protocol::fleet::Mode;
use gauntlet_simulators::cli;
use gauntlet_simulators::stage::{Ending, Failure, Invocation, LocalFuture, Part, Stage};
use gauntlet_world::injection::Injector;
use gauntlet_world::simulated::program;
use serde_json::json;

use super::rig::{Made, Release, Rig, recorded};
use crate::rig::{answer, cell, failing, profile};

/// The recorder kept so many characters of a reply.
const CUT_REPLY: usize = 200;

/// Gives a part to each turn, in order; a second run within one turn plays the same again.
#[derive(Default)]
struct Parts(RefCell<VecDeque<Part>>);

impl Stage for Parts {
    fn enter(&self, _: Invocation) -> LocalFuture<'_, Part> {
        let part = self.0.borrow().front().cloned().unwrap_or_default();
        Box::pin(std::future::ready(part))
    }

    fn leave(&self, _: Ending) -> LocalFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// The recorded lines of one version.
fn section(executor: &str, version: &str) -> Vec<String> {
    let text = recorded("with-real-clis.txt");
    let head = format!("+ real {executor} {version}");
    let mut lines = text
        .lines()
        .skip_while(|line| !line.trim_end().split(':').next().unwrap_or_default().ends_with(&head));
    assert!(lines.next().is_some(), "{executor} {version} was recorded");
    lines.take_while(|line| !line.starts_with("== ")).map(str::to_owned).collect()
}

/// A receiver of the release in front of a version of a CLI.
struct Scene {
    rig: Rig,
    parts: Rc<Parts>,
    said: usize,
}

impl Scene {
    async fn before(executor: &str, version: &str, quirks: fn(&str) -> bool) -> Self {
        let parts = Rc::new(Parts::default());
        let (stage, profile) = (parts.clone(), Arc::new(profile(executor, version)));
        let release = Release::recorded();
        let quirks = release.quirks(executor).into_iter().filter(|quirk| quirks(&quirk.id)).collect();
        let rig = Rig::start(Made {
            mode: Mode::named(executor).expect("the mode is known"),
            framing: release.framing,
            quirks,
            repo: "repo".to_owned(),
            config: json!({ "role_prompt": "role" }),
            env: Default::default(),
            cli: program(move |host| cli::run(host, profile.clone(), stage.clone(), Injector::default())),
        })
        .await;
        Self { rig, parts, said: 0 }
    }

    /// Dispatches, and gives the reply as the recorder kept it.
    async fn turn(&mut self, context: &str, part: Part) -> String {
        *self.parts.0.borrow_mut() = VecDeque::from([part]);
        let message = json!({ "role": "user", "parts": [{ "text": "go" }], "contextId": context });
        let body =
            json!({ "jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": { "message": message } });
        self.rig.post("", &body.to_string()).await;
        self.said += 1;
        self.rig.replied(self.said).await;
        self.rig.replies().last().expect("a reply").chars().take(CUT_REPLY).collect()
    }
}

/// A list of texts as Python prints it.
fn list(texts: &[String]) -> String {
    let quoted = |text: &String| {
        let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
        format!("{quote}{}{quote}", text.replace('\u{1b}', "\\x1b"))
    };
    format!("[{}]", texts.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

/// What the scene says beside what was recorded, line by line.
async fn lines(executor: &str, version: &str, quirks: fn(&str) -> bool) -> Vec<(String, String)> {
    let mut scene = Scene::before(executor, version, quirks).await;
    let (map, key, dead) = match executor {
        "codex" => ("a2a-codex-sessions.json", "thread_id", "00000000-0000-4000-8000-000000000000"),
        _ => ("a2a-oc-sessions.json", "session_id", "ses_deadbeef0000000000000000"),
    };
    let mut said = Vec::new();
    let mut lines = Vec::new();
    for line in section(executor, version) {
        let ours = if line.starts_with("turn") {
            let reply = ["first answer", "second answer", "tool done"][said.len()];
            said.push(scene.turn("c1", answer(reply)).await);
            list(&said)
        } else if line.starts_with("model 401") {
            let reply = scene.turn("c401", failing(Failure::Unauthorized, None)).await;
            // What the CLI said on standard error names places and moments of the recorder's.
            list(&[reply.split(": ").next().unwrap_or_default().to_owned()])
        } else if line.starts_with("stored session dead") || line.starts_with("dead thread") {
            if !line.contains("attempt 1") {
                scene.rig.put(map, &json!({ "dead": { key: dead, "updated_at": 1 } }).to_string());
            }
            let reply = scene.turn("dead", answer("afterdead")).await;
            let kept = scene.rig.sessions().is_some_and(|map| map.contains(dead));
            format!("{} kept {kept}", list(&[reply]))
        } else {
            // Parallel contexts need no real CLI, and a line that says that the recorder gave up says nothing of receivers.
            continue;
        };
        lines.push((ours, as_said(&line, dead)));
    }
    lines
}

/// The recorded line without its name and times, and of the map only whether the dead session is still in it.
fn as_said(line: &str, dead: &str) -> String {
    let start = line.find("['").or_else(|| line.find("[\"")).expect("a list");
    let end = line.rfind(']').expect("its end");
    let list = &line[start..=end];
    if line.starts_with("model 401") {
        let told = list.split(": ").next().unwrap_or_default();
        return if told.ends_with(']') { told.to_owned() } else { format!("{told}']") };
    }
    match line[end..].split_once("map: ") {
        Some((_, kept)) => format!("{list} kept {}", kept.trim() == dead),
        None => list.to_owned(),
    }
}

fn compare(executor: &str, version: &str) {
    let lines = cell(lines(executor, version, |_| true));
    assert!(lines.len() >= 3, "{executor} {version}: {lines:?}");
    for (ours, recorded) in lines {
        assert_eq!(ours, recorded, "{executor} {version}");
    }
}

#[test]
fn before_opencode_it_says_what_the_real_one_said() {
    for version in ["1.0.0", "1.15.13", "1.18.33"] {
        compare("opencode", version);
    }
}

#[test]
fn before_codex_it_says_what_the_real_one_said() {
    for version in ["0.36.0", "0.44.0", "0.80.0", "0.135.0", "0.169.0"] {
        compare("codex", version);
    }
}

/// The comparison sees a quirk: without it the dead session is replaced, which was not recorded.
#[test]
fn without_its_quirk_it_says_something_else() {
    let lines = cell(lines("opencode", "1.18.33", |quirk| quirk != "dead-session-not-seen"));
    let differing: Vec<_> = lines.iter().filter(|(ours, recorded)| ours != recorded).collect();
    assert_eq!(differing.len(), 2, "both attempts at the dead session: {differing:?}");
    assert!(differing[0].0.contains("afterdead"), "{differing:?}");
}
