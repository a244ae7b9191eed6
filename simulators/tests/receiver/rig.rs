//! One simulated machine with the receiver, a tiny scripted CLI, and a Hermes that takes its callbacks.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::codex::MODE as CODEX;
use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::extension::EXTENSIONS;
use gauntlet_simulators::http1::Framing;
use gauntlet_simulators::receiver;
use gauntlet_world::http::{self, Request};
use gauntlet_world::injection::Injector;
use gauntlet_world::network::{Address, Stream};
use gauntlet_world::process::{Command, Pid};
use gauntlet_world::simulated::{Exit, Launch, ProcessState, program};
use gauntlet_world::{Host, Machine, World, WorldSettings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::callbacks;

pub(crate) const PORT: u16 = 9320;
const HERMES_PORT: u16 = 9219;
pub(crate) const TOKEN: &str = "tok-of-the-test";
pub(crate) const FOLDER: &str = "/repo/.hermes";
/// The horizon: a test that hangs fails instead.
const HORIZON: Duration = Duration::from_secs(7 * 86_400);

pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// What the CLI does in one turn.
#[derive(Clone)]
pub(crate) struct Play {
    pub(crate) after: f64,
    pub(crate) reply: Option<&'static str>,
    pub(crate) stderr: &'static str,
    pub(crate) code: i32,
    pub(crate) ignores_term: bool,
    /// How long a grandchild in a group of its own lives on.
    pub(crate) grandchild: Option<f64>,
}

impl Default for Play {
    fn default() -> Self {
        Self { after: 1.0, reply: Some("done"), stderr: "", code: 0, ignores_term: false, grandchild: None }
    }
}

/// One run of the CLI.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) args: Vec<String>,
    pub(crate) began_ms: u64,
    pub(crate) ended_ms: Option<u64>,
}

impl Run {
    pub(crate) fn is_about(&self, text: &str) -> bool {
        self.args.iter().any(|arg| arg.ends_with(text))
    }
}

/// A callback as Hermes got it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) context: String,
    pub(crate) text: String,
    pub(crate) at_ms: u64,
}

#[derive(Default)]
struct Seen {
    plays: RefCell<VecDeque<Play>>,
    probe: Cell<Option<f64>>,
    runs: RefCell<Vec<Run>>,
    calls: RefCell<Vec<Call>>,
    /// How Hermes answers its next callbacks; 200 when there is nothing left.
    answers: RefCell<VecDeque<u16>>,
}

pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) machine: Machine,
    pub(crate) visitor: Host,
    seen: Rc<Seen>,
    mode: &'static Mode,
    pub(crate) framing: Framing,
}

/// Runs a test in a fresh world with a receiver that is configured like this and not yet started.
pub(crate) fn run<R: Future>(config: &Value, body: impl FnOnce(Rig) -> R) -> R::Output {
    run_with(WorldSettings::default(), config.to_string().as_bytes(), body)
}

/// The same, with any bytes for a configuration.
pub(crate) fn run_with<R: Future>(
    settings: WorldSettings,
    config: &[u8],
    body: impl FnOnce(Rig) -> R,
) -> R::Output {
    run_in(settings, &CODEX, config, body)
}

/// The same, with a receiver of this mode.
pub(crate) fn run_as<R: Future>(
    mode: &'static Mode,
    config: &[u8],
    body: impl FnOnce(Rig) -> R,
) -> R::Output {
    run_in(WorldSettings::default(), mode, config, body)
}

fn run_in<R: Future>(
    settings: WorldSettings,
    mode: &'static Mode,
    config: &[u8],
    body: impl FnOnce(Rig) -> R,
) -> R::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let rig = Rig::new(settings, mode, config).await;
        let (clock, world) = (rig.visitor.clone(), rig.world.clone());
        let outcome = clock.clock().within(HORIZON, body(rig)).await;
        assert_eq!(world.panics(), Vec::<String>::new());
        assert!(!world.is_exhausted(), "the budget of touches ran out");
        outcome.expect("the test comes to its end")
    })
}

/// A configuration with a bearer, and with these members beside the usual ones.
pub(crate) fn config(further: Value) -> Value {
    let mut config = json!({
        "bind_port": PORT,
        "auth_token_env": "TOKEN",
        "hermes_auth_token_env": "HERMES_TOKEN",
        "role_prompt": "role",
    });
    if let (Value::Object(config), Value::Object(further)) = (&mut config, further) {
        config.extend(further);
    }
    config
}

impl Rig {
    async fn new(settings: WorldSettings, mode: &'static Mode, config: &[u8]) -> Self {
        let world = World::new(settings);
        let machine = Machine::new(&world, "box");
        machine
            .disk_mut(|disk| {
                for folder in [FOLDER, "/home", "/bin"] {
                    disk.make_dir(Path::new(folder))?;
                }
                disk.write(&Path::new(FOLDER).join(mode.files.config), config, 0o600)?;
                disk.settle();
                Ok::<_, std::io::Error>(())
            })
            .expect("an empty disk takes folders");
        let seen = Rc::new(Seen::default());
        let (cli_seen, cli_world) = (seen.clone(), world.clone());
        let cli = program(move |host| cli(host, cli_seen.clone(), cli_world.clone()));
        machine.install(Path::new("/bin/codex"), "codex", cli).expect("the CLI can be installed");
        let sleep = program(|host: Host| async move {
            let time: f64 = host.args()[0].parse().expect("seconds");
            host.clock().sleep(seconds(time)).await;
            0
        });
        machine.install(Path::new("/bin/sleep"), "sleep", sleep).expect("sleep can be installed");
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/repo"), None);
        let hermes = machine.visitor("hermes", BTreeMap::new(), PathBuf::from("/"), None);
        let listener = hermes.network().listen(&Address::loopback(HERMES_PORT)).await.expect("a free port");
        let (taken, clock) = (seen.clone(), world.clone());
        hermes.spawn(callbacks::take(hermes.clone(), listener, move |body| {
            let part =
                |pointer: &str| body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
            taken.calls.borrow_mut().push(Call {
                id: part("/id"),
                context: part("/params/message/contextId"),
                text: part("/params/message/parts/0/text"),
                at_ms: clock.elapsed_ms(),
            });
            let status = taken.answers.borrow_mut().pop_front().unwrap_or(200);
            (status, json!({ "jsonrpc": "2.0", "id": body["id"], "result": {} }))
        }));
        Self { world, machine, visitor, seen, mode, framing: Framing::default() }
    }

    /// Adds what the CLI does in its next turn without a play.
    pub(crate) fn play(&self, play: Play) {
        self.seen.plays.borrow_mut().push_back(play);
    }

    /// The CLI takes so long to say its version.
    pub(crate) fn slow_probe(&self, time: f64) {
        self.seen.probe.set(Some(time));
    }

    /// How Hermes answers its next callbacks.
    pub(crate) fn hermes_answers(&self, statuses: &[u16]) {
        self.seen.answers.borrow_mut().extend(statuses);
    }

    /// Launches the receiver.
    pub(crate) fn launch(&self) -> (Pid, Exit) {
        let settings = receiver::Settings {
            mode: self.mode,
            framing: self.framing.clone(),
            injector: Injector::default(),
            declares: EXTENSIONS.iter().collect(),
        };
        let env = [
            ("PATH", "/bin"),
            ("HOME", "/home"),
            ("TOKEN", TOKEN),
            ("HERMES_TOKEN", "bearer-of-hermes"),
            ("LANG", "C"),
        ];
        self.machine.launch(Launch {
            name: "receiver".to_owned(),
            program: program(move |host| receiver::run(host, settings.clone())),
            args: Vec::new(),
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            cwd: PathBuf::from("/repo"),
            log: Some(PathBuf::from("/receiver.log")),
            tap: None,
        })
    }

    /// Launches the receiver and waits until it answers, or has ended.
    pub(crate) async fn start(&self) -> (Pid, Exit) {
        let (pid, exit) = self.launch();
        self.ready(&exit).await;
        (pid, exit)
    }

    /// Waits until the receiver answers. False: it ended first.
    pub(crate) async fn ready(&self, exit: &Exit) -> bool {
        while exit.state() == ProcessState::Running {
            let answer = self.exchange("GET", "/health", &[], b"").await;
            if answer.is_ok_and(|answer| answer.status == 200) {
                return true;
            }
            self.pass(0.05).await;
        }
        false
    }

    pub(crate) async fn pass(&self, time: f64) {
        self.visitor.clock().sleep(seconds(time)).await;
    }

    async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<http::Answer, http::HttpError> {
        let request = Request {
            method: method.to_owned(),
            url: format!("http://127.0.0.1:{PORT}{path}").parse().expect("a URL"),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.to_vec(),
            limit: seconds(60.0),
        };
        http::exchange(&self.visitor, request).await
    }

    /// Posts a JSON-RPC body with the right bearer. Nothing: no whole answer came.
    pub(crate) async fn rpc(&self, body: &[u8]) -> Option<Value> {
        let bearer = format!("Bearer {TOKEN}");
        let answer = self.exchange("POST", "/jsonrpc", &[("authorization", &bearer)], body).await.ok()?;
        serde_json::from_slice(&answer.body).ok()
    }

    /// Dispatches a text on a context. True: it was acknowledged.
    pub(crate) async fn dispatch(&self, context: &str, text: &str) -> bool {
        let answer = self.rpc(&send_message(context, text)).await.unwrap_or_default();
        let ack = answer.pointer("/result/message/parts/0/text").and_then(Value::as_str);
        ack.is_some_and(|ack| ack.ends_with("[queued]"))
    }

    /// Opens a connection to the receiver.
    pub(crate) async fn connect(&self) -> Stream {
        self.visitor.network().connect(&Address::loopback(PORT)).await.expect("the receiver listens")
    }

    /// Sends bytes on a connection of their own, ends the sending side, and reads until the receiver closes.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect().await;
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    }

    /// The runs of the CLI so far, probes left out.
    pub(crate) fn runs(&self) -> Vec<Run> {
        self.seen.runs.borrow().clone()
    }

    /// The callbacks so far.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.seen.calls.borrow().clone()
    }

    /// The different ids of the callbacks on a context.
    pub(crate) fn ids(&self, context: &str) -> BTreeSet<String> {
        self.calls().into_iter().filter(|call| call.context == context).map(|call| call.id).collect()
    }

    /// Waits until Hermes got so many callbacks.
    pub(crate) async fn callbacks(&self, count: usize) -> Vec<Call> {
        while self.seen.calls.borrow().len() < count {
            self.pass(0.1).await;
        }
        self.calls()
    }

    /// A file of the receiver; nothing when there is none.
    pub(crate) fn file(&self, name: &str) -> Option<String> {
        let content = self.machine.disk().read(&Path::new(FOLDER).join(name)).ok()?;
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    /// Writes a file of the receiver, durably.
    pub(crate) fn put(&self, name: &str, content: &str) {
        let path = Path::new(FOLDER).join(name);
        self.machine
            .disk_mut(|disk| {
                disk.write(&path, content.as_bytes(), 0o600)?;
                disk.settle();
                Ok::<_, std::io::Error>(())
            })
            .expect("the file can be written");
    }

    /// The records of the transcript that say how turns of a context ended.
    pub(crate) fn endings(&self, context: &str) -> Vec<String> {
        let content = self.file("a2a-codex-transcript.jsonl").unwrap_or_default();
        let records = content.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        records
            .filter(|record| record["contextId"] == context)
            .filter(|record| record["dir"] == "codex->hermes" || record["dir"] == "codex->hermes (busy)")
            .map(|record| record["text"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub(crate) fn log(&self) -> String {
        let content = self.machine.disk().read(Path::new("/receiver.log")).unwrap_or_default();
        String::from_utf8_lossy(&content).into_owned()
    }

    /// The pids of what runs under a name.
    pub(crate) fn running(&self, name: &str) -> Vec<Pid> {
        let running = self.machine.running().into_iter();
        running.filter(|(_, found, _)| found == name).map(|(pid, ..)| pid).collect()
    }
}

/// The body of a dispatch.
pub(crate) fn send_message(context: &str, text: &str) -> Vec<u8> {
    let message = json!({ "role": "user", "parts": [{ "text": text }], "contextId": context });
    let request =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": { "message": message } });
    request.to_string().into_bytes()
}

async fn cli(host: Host, seen: Rc<Seen>, world: World) -> i32 {
    if host.args() == ["--version"] {
        if let Some(time) = seen.probe.get() {
            host.clock().sleep(seconds(time)).await;
        }
        return 0;
    }
    let number = seen.runs.borrow().len();
    let run = Run { args: host.args().to_vec(), began_ms: world.elapsed_ms(), ended_ms: None };
    seen.runs.borrow_mut().push(run);
    let play = seen.plays.borrow_mut().pop_front().unwrap_or_default();
    let _ignored = play.ignores_term.then(|| host.processes().signals());
    if let Some(time) = play.grandchild {
        let mut command = Command::new("sleep", "/repo");
        command.args = vec![time.to_string()];
        command.env = host.environment().clone();
        // It holds our outputs open.
        command.stdout = gauntlet_world::process::Output::Inherit;
        command.stderr = gauntlet_world::process::Output::Inherit;
        host.processes().spawn(command).await.expect("sleep is installed");
    }
    host.clock().sleep(seconds(play.after)).await;
    let print = async |value: Value| {
        let _ = host.processes().print(format!("{value}\n").as_bytes()).await;
    };
    print(json!({ "type": "thread.started", "thread_id": format!("thread-{number}") })).await;
    if let Some(reply) = play.reply {
        print(json!({ "type": "item.completed", "item": { "type": "agent_message", "text": reply } })).await;
    }
    let _ = host.processes().print_error(play.stderr.as_bytes()).await;
    seen.runs.borrow_mut()[number].ended_ms = Some(world.elapsed_ms());
    play.code
}
