//! A machine with team mode on it, and agents' sessions that do what a test says.
#![allow(dead_code, reason = "each test target uses its own part of it")]
#![allow(clippy::panic, reason = "what it cannot go on with fails the test")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_runtime::registry::{Caller, Session};
use gauntlet_runtime::team::sessions::{
    Answer, Background, Cancel, History, KnownSession, Launch, Launched, Prompt, Prompted, Sessions,
};
use gauntlet_runtime::team::{RunId, Team, TeamConfig, TeamSettings, tools};
use gauntlet_world::injection::Injector;
use gauntlet_world::simulated::{Launch as Start, program};
use gauntlet_world::{Host, Machine, World, WorldSettings};
use serde_json::{Value, json};

pub(crate) const BASE: &str = "/home/.omo";

/// One session, as the host of sessions has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeSession {
    pub(crate) gone: bool,
    pub(crate) active: bool,
    pub(crate) history: String,
}

/// What the sessions' host is and does.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) sessions: BTreeMap<String, FakeSession>,
    pub(crate) prompts: Vec<Prompt>,
    pub(crate) launches: Vec<Launch>,
    pub(crate) cancelled: Vec<String>,
    pub(crate) tasks: Vec<(String, Background)>,
    /// The answer to prompts from now on; accepted when there is none.
    pub(crate) answer: Option<Prompted>,
    /// A prompt that is accepted never reaches the history.
    pub(crate) vanish: bool,
    /// Members that cannot be launched.
    pub(crate) failing: BTreeSet<String>,
    /// Members whose session never comes.
    pub(crate) silent: BTreeSet<String>,
    /// How long a session takes to come.
    pub(crate) slow: Duration,
    pub(crate) no_history: bool,
    /// The answer to whether a session exists fails.
    pub(crate) unreachable: bool,
    pub(crate) launching: usize,
    pub(crate) most_at_once: usize,
}

#[derive(Clone)]
pub(crate) struct Fake(pub(crate) Rc<RefCell<State>>, Host);

impl Fake {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.borrow_mut())
    }
}

impl Sessions for Fake {
    fn exists(&self, session: &str) -> Answer<Result<bool, String>> {
        let state = self.0.borrow();
        let answer = match state.unreachable {
            true => Err("HTTP 500".to_owned()),
            false => Ok(state.sessions.get(session).is_some_and(|session| !session.gone)),
        };
        Box::pin(async move { answer })
    }

    fn is_active(&self, session: &str) -> Answer<bool> {
        let active = self.0.borrow().sessions.get(session).is_some_and(|session| session.active);
        Box::pin(async move { active })
    }

    fn history(&self, session: &str) -> Answer<History> {
        let state = self.0.borrow();
        let answer = match state.sessions.get(session) {
            _ if state.no_history => History::Unavailable,
            Some(session) => History::Text(session.history.clone()),
            None => History::Failed("404".to_owned()),
        };
        Box::pin(async move { answer })
    }

    fn prompt(&self, prompt: Prompt) -> Option<Answer<Prompted>> {
        let mut state = self.0.borrow_mut();
        let answer = state.answer.clone().unwrap_or(Prompted::Accepted);
        if !matches!(answer, Prompted::Refused(_)) && !state.vanish {
            let session = state.sessions.entry(prompt.session.clone()).or_default();
            session.history.push_str(&prompt.text);
        }
        state.prompts.push(prompt);
        Some(Box::pin(async move { answer }))
    }

    fn launch(&self, launch: Launch, known: KnownSession) -> Answer<Result<Launched, String>> {
        let (state, host) = (self.0.clone(), self.1.clone());
        Box::pin(async move {
            let member = launch.description.rsplit('/').next().unwrap_or_default().to_owned();
            let slow = state.borrow().slow;
            {
                let mut state = state.borrow_mut();
                state.launches.push(launch.clone());
                state.launching += 1;
                state.most_at_once = state.most_at_once.max(state.launching);
            }
            host.clock().sleep(slow).await;
            let mut state = state.borrow_mut();
            state.launching -= 1;
            if state.failing.contains(&member) {
                return Err("no such model".to_owned());
            }
            let session = format!("ses-{member}-{}", state.tasks.len());
            state.sessions.insert(session.clone(), FakeSession::default());
            let task = Background {
                task: session.clone(),
                team_run: Some(launch.team_run.clone()),
                parent_message: None,
                works: true,
            };
            state.tasks.push((launch.parent_session.clone(), task));
            known(&session);
            Ok(Launched {
                task: session,
                agent: None,
                model: Some(json!({ "providerID": "p", "modelID": member })),
            })
        })
    }

    fn session_of(&self, task: &str) -> Answer<Result<Option<String>, String>> {
        let silent = self.0.borrow().silent.iter().any(|member| task.contains(member.as_str()));
        let answer = (!silent).then(|| task.to_owned());
        Box::pin(async move { Ok(answer) })
    }

    fn tasks(&self, parent_session: &str) -> Answer<Vec<Background>> {
        let state = self.0.borrow();
        let of_parent = state.tasks.iter().filter(|(parent, _)| parent == parent_session);
        let tasks = of_parent.map(|(_, task)| task.clone()).collect();
        Box::pin(async move { tasks })
    }

    fn cancel(&self, task: &str, _why: Cancel) -> Answer<Result<(), String>> {
        let mut state = self.0.borrow_mut();
        state.cancelled.push(task.to_owned());
        for (_, known) in state.tasks.iter_mut().filter(|(_, known)| known.task == task) {
            known.works = false;
        }
        Box::pin(async move { Ok(()) })
    }
}

/// Sessions beside any machine.
pub(crate) fn fake_on(host: &Host) -> Fake {
    Fake(Rc::default(), host.clone())
}

type Opened = Rc<RefCell<Option<(Host, Team)>>>;

pub(crate) struct Rig {
    pub(crate) world: World,
    pub(crate) machine: Machine,
    pub(crate) visitor: Host,
    pub(crate) fake: Fake,
    pub(crate) config: TeamConfig,
    pub(crate) env: BTreeMap<String, String>,
    opened: Opened,
}

/// Runs a test on a fresh machine.
pub(crate) fn run(seed: u8, body: impl AsyncFnOnce(&mut Rig)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let settings =
            WorldSettings { seed: [seed; 32], touch_budget: 5_000_000, ..WorldSettings::default() };
        let world = World::new(WorldSettings { log_touches: false, ..settings });
        let machine = Machine::new(&world, "box");
        machine.disk_mut(|disk| disk.make_dir(Path::new("/project"))).expect("a folder");
        machine.disk_mut(|disk| disk.make_dir(Path::new("/home"))).expect("a folder");
        machine.disk_mut(|disk| disk.settle());
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/"), None);
        let fake = Fake(Rc::default(), visitor.clone());
        fake.change(|state| state.sessions.insert("boss".to_owned(), FakeSession::default()));
        let config = TeamConfig { enabled: true, ..TeamConfig::default() };
        let env =
            BTreeMap::from([("HOME".to_owned(), "/home".to_owned()), ("PATH".to_owned(), "/bin".to_owned())]);
        let mut rig =
            Rig { world: world.clone(), machine, visitor, fake, config, env, opened: Rc::default() };
        rig.restart().await;
        body(&mut rig).await;
        assert_eq!(world.panics(), Vec::<String>::new());
    });
}

impl Rig {
    /// Ends what runs, and starts it anew on what the disk has.
    pub(crate) async fn restart(&self) {
        self.machine.running().into_iter().for_each(|(pid, ..)| self.machine.kill(pid));
        *self.opened.borrow_mut() = None;
        let (opened, fake, config) = (self.opened.clone(), self.fake.clone(), self.config.clone());
        let body = program(move |host: Host| {
            let fake = fake.clone();
            let settings = TeamSettings {
                project: PathBuf::from("/project"),
                sessions: Rc::new(move |_| Some(Rc::new(fake.clone()))),
                injector: Injector::default(),
                turns_carry_mail: true,
                default_category: "quick".to_owned(),
                attach: vec!["agent".to_owned(), "attach".to_owned()],
            };
            let (opened, config) = (opened.clone(), config.clone());
            async move {
                *opened.borrow_mut() = Some((host.clone(), Team::new(host, config, settings)));
                std::future::pending().await
            }
        });
        self.machine.launch(Start {
            name: "runtime".to_owned(),
            program: body,
            args: Vec::new(),
            env: self.env.clone(),
            cwd: PathBuf::from("/project"),
            log: None,
            tap: None,
        });
        self.pass(Duration::from_millis(1)).await;
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.visitor.clock().sleep(time).await;
    }

    pub(crate) fn host(&self) -> Host {
        self.opened.borrow().clone().expect("it runs").0
    }

    pub(crate) fn team(&self) -> Team {
        self.opened.borrow().clone().expect("it runs").1
    }

    /// Calls a tool as a session; nothing when the process died over it. Arguments and result keep the tool's schemas.
    pub(crate) async fn try_call(&self, session: &str, tool: &str, arguments: Value) -> Option<Value> {
        let agent = (session == "boss").then(|| "sisyphus".to_owned());
        self.call_as(session, agent, tool, arguments).await
    }

    pub(crate) async fn call_as(
        &self,
        session: &str,
        agent: Option<String>,
        tool: &str,
        arguments: Value,
    ) -> Option<Value> {
        let (team, host) = (self.team(), self.host());
        let tools = tools::all(&team);
        let tool = tools.iter().find(|known| known.name == tool).expect("there is such a tool");
        let who = Session { id: Some(session.to_owned()), agent, ..Session::default() };
        let caller = Caller::with(["team"]).of_session(who);
        let limit = Duration::from_secs(3600);
        let result = self.visitor.clock().within(limit, (tool.handler)(&caller, arguments)).await;
        if host.is_dead() {
            return None;
        }
        let result = result.expect("it answers");
        let schema = jsonschema::validator_for(&tool.result).expect("a schema");
        if let Err(wrong) = schema.validate(&result) {
            panic!("{}: {wrong}: {result}", tool.name);
        }
        Some(result)
    }

    pub(crate) async fn call(&self, session: &str, tool: &str, arguments: Value) -> Value {
        self.try_call(session, tool, arguments).await.expect("nobody kills it")
    }

    /// What goes wrong with a call.
    pub(crate) async fn refused(&self, session: &str, tool: &str, arguments: Value) -> String {
        let told = self.call(session, tool, arguments).await;
        told.get("error").and_then(Value::as_str).unwrap_or_else(|| panic!("it was taken: {told}")).to_owned()
    }

    /// A team of its lead `boss` and these workers; the run, and the session of each.
    pub(crate) async fn team_of(&self, workers: &[&str]) -> (RunId, BTreeMap<String, String>) {
        let members: Vec<Value> = workers
            .iter()
            .map(|name| json!({ "name": name, "category": "quick", "prompt": "do what comes" }))
            .collect();
        let made = self
            .call("boss", "team_create", json!({ "inline_spec": { "name": "pair", "members": members } }))
            .await;
        let run = made.get("teamRunId").and_then(Value::as_str).unwrap_or_else(|| panic!("{made}"));
        let members = made.pointer("/runtimeState/members").and_then(Value::as_array).expect("members");
        let text = |member: &Value, key: &str| member[key].as_str().expect("a text").to_owned();
        let sessions =
            members.iter().map(|member| (text(member, "name"), text(member, "sessionId"))).collect();
        (RunId::new(run).expect("a name"), sessions)
    }

    /// The names of files below a folder of a run.
    pub(crate) fn files(&self, run: &RunId, below: &str) -> Vec<String> {
        let folder = Path::new(BASE).join("runtime").join(run.as_str()).join(below);
        self.machine.disk().files_below(&folder).into_keys().collect()
    }

    /// A file of a run, as JSON.
    pub(crate) fn json(&self, run: &RunId, file: &str) -> Value {
        let path = Path::new(BASE).join("runtime").join(run.as_str()).join(file);
        let content = self.machine.disk().read(&path).expect("it is there");
        serde_json::from_slice(&content).expect("JSON")
    }

    pub(crate) fn put(&self, path: impl AsRef<Path>, content: &[u8]) {
        let path = path.as_ref();
        self.machine
            .disk_mut(|disk| {
                disk.make_dir(path.parent().expect("it is in a folder"))?;
                disk.write(path, content, 0o600)
            })
            .expect("the disk takes it");
    }
}

/// Waits for all of them, each going on while the others wait.
pub(crate) async fn together<T>(futures: Vec<impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut done = true;
        for (future, output) in &mut waiting {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => done = false,
                }
            }
        }
        if done { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}
