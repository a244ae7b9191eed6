//! One simulated machine with a receiver of the release, a CLI, and a Hermes that takes every callback.
#![expect(clippy::disallowed_methods, reason = "a test reads fixtures and has no host of its own")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::{Mode, Sessions};
use gauntlet_simulators::http1::Framing;
use gauntlet_simulators::receiver;
use gauntlet_world::injection::{Injector, Quirk};
use gauntlet_world::network::Address;
use gauntlet_world::simulated::{Launch, Program, program};
use gauntlet_world::{Host, Machine, World, WorldSettings};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::callbacks;
use crate::rig::repository;

const PORT: u16 = 9320;
const HERMES_PORT: u16 = 9219;

/// A release file, as far as a receiver is made of it.
#[derive(Deserialize)]
pub(super) struct Release {
    pub(super) framing: Framing,
    pub(super) quirks: Vec<String>,
    executors: BTreeMap<String, Before>,
}

#[derive(Deserialize)]
struct Before {
    quirks: Vec<String>,
}

impl Release {
    /// The release that was recorded.
    pub(super) fn recorded() -> Self {
        read_yaml("scenarios/releases/a2a_fleet.yaml")
    }

    /// Its quirks in front of an executor.
    pub(super) fn quirks(&self, executor: &str) -> Vec<Quirk> {
        let further = self.executors.get(executor).into_iter().flat_map(|before| &before.quirks);
        let all = self.quirks.iter().chain(further);
        all.map(|id| read_yaml(&format!("scenarios/quirks/{id}.yaml"))).collect()
    }
}

#[expect(clippy::panic, reason = "a file that cannot be read fails the test")]
fn read_yaml<T: serde::de::DeserializeOwned>(path: &str) -> T {
    let text = std::fs::read_to_string(repository(path)).expect("the file is there");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A recorded file of receivers.
pub(super) fn recorded(name: &str) -> String {
    let path = repository(format!("tests/fixtures/receivers/{name}"));
    std::fs::read_to_string(path).expect("the recording is there")
}

/// What a receiver is made of.
pub(super) struct Made {
    pub(super) mode: &'static Mode,
    pub(super) framing: Framing,
    pub(super) quirks: Vec<Quirk>,
    /// Its repository, below the root.
    pub(super) repo: String,
    pub(super) config: Value,
    pub(super) env: BTreeMap<String, String>,
    pub(super) cli: Program,
}

pub(super) struct Rig {
    mode: &'static Mode,
    machine: Machine,
    visitor: Host,
    calls: Rc<RefCell<Vec<String>>>,
}

/// A place of the simulated machine that every process may write to.
pub(super) const HOME: &str = "/home";

impl Rig {
    /// A machine on which such a receiver runs and answers.
    pub(super) async fn start(made: Made) -> Self {
        let Made { mode, framing, quirks, repo, mut config, mut env, cli } = made;
        let machine = Machine::new(&World::new(WorldSettings::default()), "box");
        config["repo_path"] = json!(repo);
        config["bind_port"] = json!(PORT);
        // The recorder's were shorter than the usual two seconds, too.
        config["poll_interval_s"] = json!(0.05);
        machine
            .disk_mut(|disk| {
                for folder in ["/.hermes", HOME, "/bin", &format!("/{repo}")] {
                    disk.make_dir(Path::new(folder))?;
                }
                let path = Path::new("/.hermes").join(mode.files.config);
                disk.write(&path, config.to_string().as_bytes(), 0o600)?;
                disk.settle();
                Ok::<_, std::io::Error>(())
            })
            .expect("an empty disk takes folders");
        machine.install(&Path::new("/bin").join(mode.cli), mode.cli, cli).expect("the CLI can be installed");
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
        let listener = visitor.network().listen(&Address::loopback(HERMES_PORT)).await.expect("a free port");
        let calls: Rc<RefCell<Vec<String>>> = Rc::default();
        let taken = calls.clone();
        visitor.spawn(callbacks::take(visitor.clone(), listener, move |body| {
            let text = body.pointer("/params/message/parts/0/text").and_then(Value::as_str);
            taken.borrow_mut().push(text.expect("a callback has a text").to_owned());
            (200, json!({}))
        }));
        // The recorded receivers declare nothing.
        let injector = Injector::new(quirks, BTreeMap::new());
        let settings = receiver::Settings { mode, framing, injector, declares: Vec::new() };
        env.extend(
            [("PATH", "/bin"), ("HOME", HOME)].map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        machine.launch(Launch {
            name: "receiver".to_owned(),
            program: program(move |host| receiver::run(host, settings.clone())),
            args: Vec::new(),
            env,
            // The folder that holds its files; the repository is configured.
            cwd: PathBuf::from("/"),
            log: None,
            tap: None,
        });
        let rig = Self { mode, machine, visitor, calls };
        rig.pass(1.0).await;
        rig
    }

    pub(super) async fn pass(&self, seconds: f64) {
        self.visitor.clock().sleep(Duration::from_secs_f64(seconds)).await;
    }

    /// Sends bytes on a connection of their own and reads for a while. Gives what came, and whether the receiver closed.
    pub(super) async fn exchange(&self, sent: &[u8]) -> (String, bool) {
        let mut stream =
            self.visitor.network().connect(&Address::loopback(PORT)).await.expect("the receiver listens");
        stream.write_all(sent).await.expect("it reads");
        let mut received = Vec::new();
        let reading = stream.read_to_end(&mut received);
        let closed = self.visitor.clock().within(Duration::from_millis(300), reading).await.is_some();
        (String::from_utf8(received).expect("answers are UTF-8"), closed)
    }

    /// Dispatches a text with a bearer.
    pub(super) async fn post(&self, bearer: &str, body: &str) -> String {
        let head = format!(
            "POST /jsonrpc HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {bearer}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.exchange(format!("{head}{body}").as_bytes()).await.0
    }

    /// The texts that Hermes was called back with so far.
    pub(super) fn replies(&self) -> Vec<String> {
        self.calls.borrow().clone()
    }

    /// Waits for so many callbacks.
    pub(super) async fn replied(&self, count: usize) {
        let patience = async {
            while self.calls.borrow().len() < count {
                self.pass(0.05).await;
            }
        };
        let came = self.visitor.clock().within(Duration::from_secs(60), patience).await;
        assert!(came.is_some(), "{count} callbacks were expected; there are {:?}", self.replies());
    }

    /// A file of the receiver.
    pub(super) fn file(&self, name: &str) -> String {
        let content = self.machine.disk().read(&Path::new("/.hermes").join(name)).expect("the file is there");
        String::from_utf8(content).expect("the receiver writes UTF-8")
    }

    /// Its map of sessions, if its mode has one.
    pub(super) fn sessions(&self) -> Option<String> {
        match self.mode.sessions {
            Sessions::Map { file, .. } => Some(self.file(file)),
            Sessions::Derived => None,
        }
    }

    /// Writes a file of the receiver.
    pub(super) fn put(&self, name: &str, content: &str) {
        let path = Path::new("/.hermes").join(name);
        let written = self.machine.disk_mut(|disk| disk.write(&path, content.as_bytes(), 0o600));
        written.expect("the file can be written");
    }
}
