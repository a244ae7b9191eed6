//! One simulated machine with a runtime, and a tester that plays its peers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::Settings;
use gauntlet_runtime::registry::Caller;
use gauntlet_world::http::{self, Answer, HttpError, Request};
use gauntlet_world::process::Pid;
use gauntlet_world::simulated::{Exit, Launch, ProcessState, program};
use gauntlet_world::{Host, Machine, World, WorldSettings};
use serde_json::{Value, json};

pub(crate) const NODE: u16 = 9219;
pub(crate) const PEER: u16 = 9320;
pub(crate) const TOKEN: &str = "hub-of-the-test";
pub(crate) const HOME: &str = "/hermes";

pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) machine: Machine,
    pub(crate) visitor: Host,
    /// What is in `fleet.yaml` when the runtime starts.
    pub(crate) config: Value,
    pub(crate) env: BTreeMap<String, String>,
    runtime: Rc<RefCell<Option<Runtime>>>,
}

pub(crate) fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Runs a test in a fresh world with a runtime that is not yet started.
pub(crate) fn run<R: Future>(settings: WorldSettings, body: impl FnOnce(Rig) -> R) -> R::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(settings);
        let machine = Machine::new(&world, "box");
        machine
            .disk_mut(|disk| {
                disk.make_dir(Path::new("/repo/.hermes"))?;
                disk.settle();
                Ok::<_, std::io::Error>(())
            })
            .expect("an empty disk takes folders");
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
        let config = json!({ "fleet": {
            "self": { "name": "hermes" },
            "server": { "bind_port": NODE, "token_env": "HUB_TOKEN" },
            "agents": { "peer": {
                "url": format!("http://127.0.0.1:{PEER}"),
                "mode": "codex",
                "repo_path": "/repo",
            } },
        } });
        let env = [("HERMES_HOME", HOME), ("HUB_TOKEN", TOKEN)];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let rig = Rig {
            world: world.clone(),
            machine,
            visitor: visitor.clone(),
            config,
            env,
            runtime: Rc::default(),
        };
        let outcome = visitor.clock().within(seconds(86_400.0), body(rig)).await;
        assert_eq!(world.panics(), Vec::<String>::new());
        outcome.expect("the test comes to its end")
    })
}

impl Rig {
    /// Launches the runtime and waits until it listens, or has ended.
    pub(crate) async fn start(&self) -> (Pid, Exit) {
        *self.runtime.borrow_mut() = None;
        // JSON is YAML, too.
        self.put(&format!("{HOME}/fleet.yaml"), &self.config.to_string());
        let place = self.runtime.clone();
        let (pid, exit) = self.machine.launch(Launch {
            name: "runtime".to_owned(),
            program: program(move |host: Host| {
                let place = place.clone();
                async move {
                    match Runtime::start(host, Settings::default()).await {
                        Ok(runtime) => *place.borrow_mut() = Some(runtime),
                        Err(_) => return 2,
                    }
                    std::future::pending().await
                }
            }),
            args: Vec::new(),
            env: self.env.clone(),
            cwd: PathBuf::from(HOME),
            log: None,
            tap: None,
        });
        while self.runtime.borrow().is_none() && exit.state() == ProcessState::Running {
            self.pass(0.01).await;
        }
        (pid, exit)
    }

    pub(crate) fn runtime(&self) -> Runtime {
        self.runtime.borrow().clone().expect("the runtime was started")
    }

    pub(crate) async fn pass(&self, time: f64) {
        self.visitor.clock().sleep(seconds(time)).await;
    }

    /// Calls a tool. Whatever comes of it, the result keeps the schema that the tool promises.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        let (runtime, caller) = (self.runtime(), Caller::with(["a2a"]));
        let result = runtime.call(&caller, tool, arguments).await.expect("a known tool");
        let promised = runtime.tools(&caller).find(|listed| listed.name == tool).expect("a listed tool");
        let kept = jsonschema::validate(&promised.result, &result);
        assert!(kept.is_ok(), "{tool}: {result} is not what is promised: {kept:?}");
        result
    }

    /// What was delivered to a context, by ids.
    pub(crate) fn delivered(&self, context: &str) -> Vec<String> {
        self.runtime().deliveries().to(context).into_iter().map(|delivery| delivery.id).collect()
    }

    /// Posts to the node.
    pub(crate) async fn post(&self, bearer: Option<&str>, body: &[u8]) -> Result<Answer, HttpError> {
        let request = Request {
            method: "POST".to_owned(),
            url: format!("http://127.0.0.1:{NODE}/jsonrpc").parse().expect("a URL"),
            headers: bearer.map(|field| ("authorization".to_owned(), field.to_owned())).into_iter().collect(),
            body: body.to_vec(),
            limit: seconds(30.0),
        };
        http::exchange(&self.visitor, request).await
    }

    /// Sends a callback as a receiver does, once. True: the node says that it has the reply.
    pub(crate) async fn call_back(&self, id: &str, context: &str, text: &str) -> bool {
        let answer = self.post(Some(&format!("Bearer {TOKEN}")), &callback(id, context, text)).await;
        answer.is_ok_and(|answer| {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            answer.status == 200 && body.get("result").is_some()
        })
    }

    /// A file of the runtime.
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        let content = self.machine.disk().read(&Path::new(HOME).join(path)).ok()?;
        Some(String::from_utf8_lossy(&content).into_owned())
    }

    /// Writes a file anywhere, durably.
    pub(crate) fn put(&self, path: &str, content: &str) {
        self.machine
            .disk_mut(|disk| {
                disk.make_dir(Path::new(path).parent().unwrap_or(Path::new("/")))?;
                disk.write(Path::new(path), content.as_bytes(), 0o600)?;
                disk.settle();
                Ok::<_, std::io::Error>(())
            })
            .expect("the file can be written");
    }
}

/// The body of a callback.
pub(crate) fn callback(id: &str, context: &str, text: &str) -> Vec<u8> {
    let message = json!({ "role": "agent", "parts": [{ "text": text }], "contextId": context });
    json!({ "jsonrpc": "2.0", "id": id, "method": "SendMessage", "params": { "message": message } })
        .to_string()
        .into_bytes()
}
