//! The oracles on observations made by hand: each is seen to hold and to fail.

mod checks;
mod invariants;
mod verdicts;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use gauntlet_reports::{Lane, Verdict};
use gauntlet_simulators::stage::{Ending, Invocation, Purpose};
use serde_json::json;

use super::judge::{Judgement, judge};
use super::memory::Memory;
use super::view::View;
use crate::cell::{Names, Plan};
use crate::data::{Library, Source};
use crate::scenario;
use crate::trace::{Blob, FileSeen, Observation, What};

/// A cell whose observations are made by hand, at a moment that only goes forward.
struct Story {
    plan: Plan,
    library: &'static Library,
    names: Names,
    now_ms: u64,
    observations: Vec<Observation>,
    memory: Memory,
}

pub(super) static LIBRARY: LazyLock<Library> =
    LazyLock::new(|| Library::load(&[Source::Embedded]).expect("the embedded data is right"));

const PLAIN: &str = "id: made/by-hand\ntitle: A story.\nsubject: receiver\nsteps:\n  - advance: 1s\n";

impl Story {
    /// A story with the receiver ready.
    fn new() -> Self {
        Self::of(PLAIN).see(What::Ready { host: "receiver".to_owned() })
    }

    /// The same with an executor that prints its whole session once more in each turn.
    fn by_agy() -> Self {
        let mut story = Self::new();
        let executor = story.library.executors["agy"].clone();
        story.plan.executor = executor.clone();
        story.names = Names::new(&[7; 32], executor);
        story
    }

    /// A story of this scenario, with nothing observed yet.
    fn of(scenario: &str) -> Self {
        let library = &*LIBRARY;
        let scenarios = scenario::read("made/by-hand.yaml", scenario, Lane::Virtual);
        let scenario = scenarios.expect("a scenario").remove(0);
        let executor = library.executors["codex"].clone();
        let plan = Plan {
            executor: executor.clone(),
            scenario: Arc::new(scenario),
            profile: library.profiles.values().next().expect("a profile").clone(),
            release: library.releases["reference"].clone(),
            release_quirks: Vec::new(),
            deviation: None,
            seed: 7,
            lane: Lane::Virtual,
            fitted: None,
        };
        Self {
            plan,
            library,
            names: Names::new(&[7; 32], executor),
            now_ms: 0,
            observations: Vec::new(),
            memory: Memory::default(),
        }
    }

    fn see(mut self, what: What) -> Self {
        self.observations.push(Observation { at_ms: self.now_ms, what });
        self
    }

    fn wait(mut self, millis: u64) -> Self {
        self.now_ms += millis;
        self
    }

    fn dispatched(self, dispatch: &str, context: &str, acknowledged: bool) -> Self {
        let context = Some(self.names.context(context));
        self.see(What::Dispatched { dispatch: dispatch.to_owned(), context, acknowledged })
    }

    fn turn(self, dispatch: &str, pid: u32, session: Option<&str>) -> Self {
        self.invoked(
            Some(dispatch),
            pid,
            Purpose::Turn { prompt: format!("do {dispatch}"), session: session.map(str::to_owned) },
        )
    }

    fn invoked(self, dispatch: Option<&str>, pid: u32, purpose: Purpose) -> Self {
        let invocation = Invocation {
            cli: "codex".to_owned(),
            args: vec!["exec".to_owned()],
            env: BTreeMap::new(),
            cwd: "/cell/repo".into(),
            pid,
            stdin_at_end: true,
            purpose,
        };
        self.see(What::CliEntered { dispatch: dispatch.map(str::to_owned), invocation })
    }

    fn left(self, pid: u32, stdout: &str) -> Self {
        self.left_from(pid, stdout, Some("s"))
    }

    /// The CLI ended after running on a session, or on none.
    fn left_from(self, pid: u32, stdout: &str, session: Option<&str>) -> Self {
        let ending = Ending {
            pid,
            session: session.map(str::to_owned),
            stdout: stdout.to_owned(),
            stderr: String::new(),
            code: 0,
        };
        self.see(What::CliLeft { ending })
    }

    /// A callback with this id, and the answer that it got.
    fn called(self, id: &str, context: &str, answer: &str) -> Self {
        self.called_with(id, context, "done", answer)
    }

    /// The same with a text of its own.
    fn called_with(self, id: &str, context: &str, text: &str, answer: &str) -> Self {
        let real = self.names.context(context);
        self.called_back(&callback(id, &real, text), answer)
    }

    fn called_back(self, sent: &str, answer: &str) -> Self {
        self.see(What::Callback {
            sent: Blob(sent.as_bytes().to_vec()),
            answered: Blob(answer.as_bytes().to_vec()),
        })
    }

    fn delivered(self, id: &str, context: &str) -> Self {
        let context = self.names.context(context);
        self.see(What::Delivered { id: json!(id).to_string(), context, text: "done".to_owned(), late: false })
    }

    fn file(self, path: &str, content: Option<&str>) -> Self {
        let content = content.map(|text| FileSeen { mode: 0o600, content: Blob(text.as_bytes().to_vec()) });
        self.see(What::Files { moment: "end".to_owned(), changed: [(path.to_owned(), content)].into() })
    }

    /// The transcript holds endings on a context, and acknowledgements as well, which are none.
    fn transcript(self, context: &str, endings: usize) -> Self {
        let context = self.names.context(context);
        let record = |dir: &str| {
            json!({ "ts": "", "dir": dir, "from": "codex", "to": "hermes", "contextId": context, "text": "done" })
                .to_string()
        };
        let mut lines = vec![record("codex->hermes (ack)"), "{\"torn".to_owned()];
        lines.extend((0..endings).map(|_| record("codex->hermes")));
        self.file("repo/.hermes/a2a-codex-transcript.jsonl", Some(&(lines.join("\n") + "\n")))
    }

    fn stopped(self, host: &str) -> Self {
        self.see(What::Stopped { host: host.to_owned() })
    }

    fn judged(&self) -> BTreeMap<String, Judgement> {
        judge(&self.plan, &self.library.catalogue, &self.names, &self.observations, &self.memory)
    }

    fn verdict(&self, id: &str) -> Verdict {
        self.judged().get(id).map_or(Verdict::NotExercised, |judgement| judgement.verdict)
    }

    fn view(&self) -> View<'_> {
        View::new(&self.observations, &self.names, &self.memory)
    }
}

/// What a CLI prints that answers so.
fn answers(text: &str) -> String {
    json!({ "type": "item.completed", "item": { "type": "agent_message", "text": text } }).to_string() + "\n"
}

/// The bytes of a callback.
fn callback(id: &str, real_context: &str, text: &str) -> String {
    let message = json!({ "role": "agent", "parts": [{ "text": text }], "contextId": real_context });
    let body =
        json!({ "jsonrpc": "2.0", "id": id, "method": "SendMessage", "params": { "message": message } });
    let body = body.to_string();
    format!("POST /jsonrpc HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The bytes of an answer.
fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn taken() -> String {
    answer(200, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
}

fn refused() -> String {
    answer(200, r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"full"}}"#)
}
