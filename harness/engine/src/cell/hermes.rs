//! The Hermes nodes of a cell whose subject is one: the node itself, in one of its two implementations, and if the scenario asks for
//! one a second profile beside it, which is always the runtime's own. Who answers behind them plays a part of the scenario.
//!
//! In the virtual lane each is a process of the machine. In the real one each is a host of this process over real ports, as the
//! runtime is: nothing of them needs a process of its own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::hermes::{Agent, AgentAnswer, Model, ModelAnswer};
use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::Settings as FleetSettings;
use gauntlet_runtime::fleet::hermes::Minds;
use gauntlet_simulators::cli::Cli;
use gauntlet_simulators::hermes::{self, HermesProfile, Implementation, Peer};
use gauntlet_simulators::stage::ShellCommand;
use gauntlet_world::simulated::{Program, program};
use gauntlet_world::{Either, Host, race};
use serde_json::{Map, Value, json};
use tokio::sync::oneshot;

use super::bench::{
    Bench, BenchError, HERMES_TOKEN, PEER, Places, Process, RECEIVER_TOKEN, runtime_environment,
};
use super::names::Names;
use super::plan::Plan;
use super::workdir;
use crate::scenario::{Call, HostName, MindPart, Nodes as Which, SubjectKind};
use crate::trace::{Trace, What};

/// How long a node may take to be loaded, to listen, or to stop.
const PATIENCE: Duration = Duration::from_secs(15);

/// The names of their processes: the subject, and its neighbour.
pub(super) const NODES: [&str; 2] = ["hermes", "neighbour"];

/// The nodes of a cell.
pub(super) struct Nodes {
    plan: Plan,
    bench: Rc<Bench>,
    names: Rc<Names>,
    trace: Rc<Trace>,
    neighbour_port: Cell<u16>,
    subject: RefCell<Option<Live>>,
    neighbour: RefCell<Option<Live>>,
    parts: Rc<Parts>,
}

/// What agents and models do next.
struct Parts {
    agent: RefCell<VecDeque<MindPart>>,
    model: RefCell<VecDeque<MindPart>>,
    of_neighbour: RefCell<VecDeque<MindPart>>,
    /// Why a command of an agent could not be run.
    mishap: RefCell<Option<BenchError>>,
}

/// A node that was loaded.
#[derive(Clone)]
struct Live {
    node: Node,
    process: Process,
}

#[derive(Clone)]
enum Node {
    Runtime(Box<Runtime>),
    Peer(Peer),
}

impl Nodes {
    pub(super) fn new(plan: &Plan, bench: &Rc<Bench>, names: &Rc<Names>, trace: &Rc<Trace>) -> Self {
        let given = &plan.scenario.given.hermes;
        let of_neighbour = given.neighbour.as_ref().map(|neighbour| neighbour.agent.clone());
        let queue = |parts: Vec<MindPart>| RefCell::new(parts.into());
        Self {
            plan: plan.clone(),
            bench: bench.clone(),
            names: names.clone(),
            trace: trace.clone(),
            neighbour_port: Cell::default(),
            subject: RefCell::default(),
            neighbour: RefCell::default(),
            parts: Rc::new(Parts {
                agent: queue(given.agent.clone()),
                model: queue(given.model.clone()),
                of_neighbour: queue(of_neighbour.unwrap_or_default()),
                mishap: RefCell::default(),
            }),
        }
    }

    /// Writes the profiles and starts what the scenario gives.
    pub(super) async fn begin(&self) -> Result<(), BenchError> {
        let given = &self.plan.scenario.given;
        if given.hermes.neighbour.is_some() {
            self.neighbour_port.set(self.bench.further_port()?);
        }
        let written = given.files.keys().any(|path| path == "~hermes/fleet.yaml");
        if !written {
            self.bench.write("~hermes/fleet.yaml", &self.fleet_yaml(HostName::Hermes), false)?;
        }
        if let Some(neighbour) = &given.hermes.neighbour {
            self.bench.write("~neighbour/fleet.yaml", &self.fleet_yaml(HostName::Neighbour), false)?;
            self.load(HostName::Neighbour).await?;
            if !neighbour.same_bind {
                self.connect(Which::Neighbour).await;
            }
        }
        self.load(HostName::Hermes).await?;
        if given.hermes.connects {
            self.connect(Which::Hermes).await;
        }
        Ok(())
    }

    /// Finds a place for a second profile beside a receiver, before anybody is told of it.
    pub(super) async fn find_place(&self) -> Result<(), BenchError> {
        if self.plan.scenario.given.hermes.neighbour.is_some() {
            let port = self.bench.further_port()?;
            self.neighbour_port.set(port);
            self.names.neighbour_port.set(port);
        }
        Ok(())
    }

    /// Starts the second profile beside a receiver and its runtime, and makes the two known to each other.
    pub(super) async fn begin_beside(&self) -> Result<(), BenchError> {
        let (Some(_), Some(runtime)) = (&self.plan.scenario.given.hermes.neighbour, self.bench.runtime())
        else {
            return Ok(());
        };
        let port = self.neighbour_port.get();
        let entry = format!(
            "    {}:\n      url: http://127.0.0.1:{port}\n      token_env: {HERMES_TOKEN}\n",
            NODES[1]
        );
        self.bench.write("~hermes/fleet.yaml", &entry, true)?;
        let at =
            |port: u16, token: &str| json!({ "url": format!("http://127.0.0.1:{port}"), "token_env": token });
        let mut subject = at(self.bench.receiver_port(), RECEIVER_TOKEN);
        subject["mode"] = json!(self.plan.executor.id.value);
        let fleet = json!({
            "self": { "name": NODES[1] },
            "server": { "bind_host": "127.0.0.1", "bind_port": port, "token_env": HERMES_TOKEN },
            "agents": { "gauntlet": at(runtime.port(), HERMES_TOKEN), PEER: subject },
        });
        self.bench.write("~neighbour/fleet.yaml", &json!({ "fleet": fleet }).to_string(), false)?;
        self.load(HostName::Neighbour).await?;
        self.connect(Which::Neighbour).await;
        Ok(())
    }

    /// Starts again what a power cut ended: every node listens.
    pub(super) async fn begin_again(&self) -> Result<(), BenchError> {
        self.subject.borrow_mut().take();
        self.neighbour.borrow_mut().take();
        if let Some(neighbour) = &self.plan.scenario.given.hermes.neighbour {
            self.load(HostName::Neighbour).await?;
            if !neighbour.same_bind {
                self.connect(Which::Neighbour).await;
            }
        }
        self.load(HostName::Hermes).await?;
        self.connect(Which::Hermes).await;
        Ok(())
    }

    /// A profile's configuration, as JSON, which YAML reads alike.
    fn fleet_yaml(&self, host: HostName) -> String {
        let hermes = &self.plan.scenario.given.hermes;
        let (own, other) = (self.bench.receiver_port(), self.neighbour_port.get());
        let entry =
            |port: u16, token: &str| json!({ "url": format!("http://127.0.0.1:{port}"), "token_env": token });
        let server = |port: u16, token: &str| json!({ "bind_host": "127.0.0.1", "bind_port": port, "token_env": token });
        let none = Default::default();
        let (mut fleet, config) = match (host, &hermes.neighbour) {
            (HostName::Neighbour, neighbour) => {
                let shared = neighbour.as_ref().is_some_and(|neighbour| neighbour.same_bind);
                let agents = json!({ "subject": entry(own, RECEIVER_TOKEN) });
                let server = server(if shared { own } else { other }, HERMES_TOKEN);
                let fleet = json!({ "server": server, "self": { "name": "neighbour" }, "agents": agents });
                (fleet, neighbour.as_ref().map_or(&none, |neighbour| &neighbour.config))
            }
            (_, neighbour) => {
                let agents = match neighbour {
                    Some(_) => json!({ "neighbour": entry(other, HERMES_TOKEN) }),
                    None => json!({}),
                };
                let server = server(own, RECEIVER_TOKEN);
                (json!({ "server": server, "self": { "name": "subject" }, "agents": agents }), &hermes.config)
            }
        };
        for (name, value) in config {
            join(&mut fleet, &self.names.resolve(name), &self.names.resolve_value(value));
        }
        json!({ "fleet": fleet }).to_string()
    }

    fn place(&self, host: HostName) -> &RefCell<Option<Live>> {
        if host == HostName::Neighbour { &self.neighbour } else { &self.subject }
    }

    /// Starts a node and loads it; it does not listen yet. What cannot be loaded is not there.
    async fn load(&self, host: HostName) -> Result<(), BenchError> {
        let (ready, loaded) = oneshot::channel();
        let ready = Rc::new(Cell::new(Some(ready)));
        let (agent, model) = (self.agent(host), self.model());
        let agent = (host == HostName::Neighbour || self.plan.scenario.given.hermes.bridge).then_some(agent);
        let implementation = match (&self.plan.profile.cli, host) {
            (Cli::Hermes(HermesProfile { implementation }), HostName::Hermes) => *implementation,
            _ => Implementation::Node,
        };
        let settings = hermes::Settings {
            framing: self.plan.release.framing.clone(),
            injector: self.bench.hermes_injector(),
            agent: agent.clone(),
            model: Some(model.clone()),
        };
        let minds = Minds { agent, model: Some(model) };
        // Beside a receiver it is a runtime like the other one: it deploys, and has the cell's quirks.
        let fleet = match self.plan.scenario.subject {
            SubjectKind::Hermes => FleetSettings::default(),
            _ => self.bench.fleet_settings(),
        };
        let body: Program = program(move |host: Host| {
            let (ready, settings, minds) = (ready.clone(), settings.clone(), minds.clone());
            let fleet = fleet.clone();
            async move {
                let node = match implementation {
                    Implementation::Node => Runtime::load(host, fleet, minds)
                        .await
                        .map(|runtime| Node::Runtime(Box::new(runtime)))
                        .map_err(|error| error.to_string()),
                    Implementation::Peer => {
                        Peer::load(host, settings).await.map(Node::Peer).map_err(|error| error.to_string())
                    }
                };
                let peer = match &node {
                    Ok(Node::Peer(peer)) => Some(peer.clone()),
                    Ok(Node::Runtime(_)) => None,
                    Err(_) => {
                        tell(&ready, node);
                        return 2;
                    }
                };
                tell(&ready, node);
                match peer {
                    Some(peer) => peer.ended().await,
                    None => std::future::pending().await,
                }
            }
        });
        let (name, home) = self.whereabouts(host);
        let places = self.bench.places();
        // Its registered handlers are programs of the computer, or what stands for them.
        let mut env = runtime_environment(places, &self.names, &super::real::search_path(places));
        env.insert("HERMES_HOME".to_owned(), home.to_string_lossy().into_owned());
        let process = self.bench.launch(name, env, home, body);
        self.trace.push(What::Started { host: name.to_owned() });
        let loaded = self.bench.harness().clock().within(PATIENCE, loaded).await;
        *self.place(host).borrow_mut() = match loaded {
            Some(Ok(Ok(node))) => {
                if let Node::Runtime(runtime) = &node {
                    self.bench.note_neighbour(runtime);
                }
                self.trace.push(What::Ready { host: name.to_owned() });
                Some(Live { node, process })
            }
            Some(Ok(Err(error))) => {
                tracing::debug!(error, "the node was not loaded");
                None
            }
            Some(Err(_)) | None => None,
        };
        Ok(())
    }

    fn whereabouts(&self, host: HostName) -> (&'static str, PathBuf) {
        match host {
            HostName::Neighbour => (NODES[1], self.bench.places().neighbour()),
            _ => (NODES[0], self.bench.places().hermes()),
        }
    }

    /// Tells nodes to listen, all at once.
    pub(super) async fn connect(&self, which: Which) -> Value {
        let one = async |host: HostName| {
            let live = self.place(host).borrow().clone();
            match live {
                Some(live) => live.connect(self.bench.harness()).await,
                None => Err("it does not run".to_owned()),
            }
        };
        let outcomes = match which {
            Which::Runtime => vec![self.connect_runtime().await],
            Which::Hermes => vec![one(HostName::Hermes).await],
            Which::Neighbour => vec![one(HostName::Neighbour).await],
            Which::Both => {
                let (one, two) =
                    futures_util::future::join(one(HostName::Hermes), one(HostName::Neighbour)).await;
                vec![one, two]
            }
        };
        let errors: Vec<&String> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
        json!({ "listening": outcomes.len() - errors.len(), "errors": errors })
    }

    async fn connect_runtime(&self) -> Result<(), String> {
        let Some(runtime) = self.bench.runtime() else { return Err("it does not run".to_owned()) };
        let outcome = self.bench.harness().clock().within(PATIENCE, runtime.connect()).await;
        outcome.unwrap_or(Ok(())).map_err(|error| error.to_string())
    }

    /// Tells nodes to listen no longer.
    pub(super) async fn disconnect(&self, which: Which) -> Value {
        if which == Which::Runtime {
            // For whoever calls back it is as if it were not there.
            self.trace.push(What::Stopped { host: "runtime".to_owned() });
            if let Some(runtime) = self.bench.runtime() {
                self.bench.harness().clock().within(PATIENCE, runtime.disconnect()).await;
            }
            return json!({});
        }
        for host in which.hosts() {
            let live = self.place(*host).borrow().clone();
            let Some(live) = live else { continue };
            let stopped = async {
                match &live.node {
                    Node::Runtime(runtime) => runtime.disconnect().await,
                    Node::Peer(peer) => peer.disconnect().await,
                }
            };
            self.bench.harness().clock().within(PATIENCE, stopped).await;
        }
        json!({})
    }

    /// Ends a node's process.
    pub(super) fn kill(&self, host: HostName) -> Value {
        if let Some(live) = self.place(host).borrow_mut().take() {
            let (name, _) = self.whereabouts(host);
            self.trace.push(What::Killed { host: name.to_owned() });
            live.process.kill();
        }
        json!({})
    }

    /// Loads a node again and lets it listen.
    pub(super) async fn start(&self, host: HostName) -> Result<Value, BenchError> {
        self.load(host).await?;
        let which = if host == HostName::Neighbour { Which::Neighbour } else { Which::Hermes };
        let listening = self.connect(which).await;
        Ok(json!({ "happens": listening["listening"] == 1 }))
    }

    /// Calls a tool of a node.
    pub(super) async fn call(&self, call: &Call) -> Value {
        let host = if call.by_neighbour { HostName::Neighbour } else { HostName::Hermes };
        let live = self.place(host).borrow().clone();
        let Some(live) = live else { return json!({ "tool": { "interrupted": "the node does not run" } }) };
        let (tool, args) = (self.names.resolve(&call.tool), self.names.resolve_value(&call.args));
        let called = async {
            match &live.node {
                Node::Runtime(runtime) => {
                    let outcome = runtime.call(&call.caller(), &tool, args).await;
                    outcome.unwrap_or_else(|error| json!({ "refused": error.to_string() }))
                }
                Node::Peer(peer) => {
                    let outcome = peer.tool(&tool, &args).await;
                    outcome.unwrap_or_else(|| json!({ "refused": format!("there is no tool {tool:?}") }))
                }
            }
        };
        match race(called, live.process.ended()).await {
            Either::First(tool) => json!({ "tool": tool }),
            Either::Second(()) => json!({ "tool": { "interrupted": "the node died during the call" } }),
        }
    }

    /// Why the cell has no verdict, when an agent could not do its work.
    pub(super) fn failure(&self) -> Option<String> {
        self.parts.mishap.borrow().as_ref().map(ToString::to_string)
    }

    /// Ends what runs.
    pub(super) fn end(&self) {
        for place in [&self.subject, &self.neighbour] {
            if let Some(live) = place.borrow_mut().take() {
                live.process.kill();
            }
        }
    }

    fn agent(&self, host: HostName) -> Agent {
        let (trace, parts) = (self.trace.clone(), self.parts.clone());
        let (harness, (node, _)) = (self.bench.harness().clone(), self.whereabouts(host));
        let places = self.bench.places().clone();
        Rc::new(move |turn| {
            let (trace, parts, harness) = (trace.clone(), parts.clone(), harness.clone());
            let places = places.clone();
            Box::pin(async move {
                let given = json!({
                    "context": turn.context, "session": turn.session, "peer": turn.peer, "text": turn.text,
                });
                trace.push(What::Asked { node: node.to_owned(), mind: "agent".to_owned(), given });
                let queue = if host == HostName::Neighbour { &parts.of_neighbour } else { &parts.agent };
                let mut part = next(queue, &harness).await;
                if let Err(error) = work(&mut part, &harness, &places).await {
                    *parts.mishap.borrow_mut() = Some(error);
                }
                match (part.refuses, part.fails) {
                    (Some(why), _) => AgentAnswer::Refuses(why),
                    (_, Some(why)) => AgentAnswer::Fails(why),
                    _ if part.silent => AgentAnswer::Reply(None),
                    _ => AgentAnswer::Reply(Some(part.reply.unwrap_or_else(|| "ok".to_owned()))),
                }
            })
        })
    }

    fn model(&self) -> Model {
        let (trace, parts, harness) = (self.trace.clone(), self.parts.clone(), self.bench.harness().clone());
        Rc::new(move |call| {
            let (trace, parts, harness) = (trace.clone(), parts.clone(), harness.clone());
            Box::pin(async move {
                let messages: Vec<Value> = call
                    .messages
                    .iter()
                    .map(|said| json!({ "role": said.role, "content": said.content }))
                    .collect();
                let given = json!({
                    "messages": messages, "max_tokens": call.max_tokens, "temperature": call.temperature,
                });
                trace.push(What::Asked { node: "hermes".to_owned(), mind: "model".to_owned(), given });
                let part = next(&parts.model, &harness).await;
                match (part.refuses, part.fails) {
                    (Some(_), _) => ModelAnswer::NoProvider,
                    (_, Some(why)) => ModelAnswer::Fails(why),
                    _ => ModelAnswer::Reply(part.reply.unwrap_or_else(|| "ok".to_owned())),
                }
            })
        })
    }
}

impl Live {
    async fn connect(&self, harness: &Host) -> Result<(), String> {
        let connected = async {
            match &self.node {
                Node::Runtime(runtime) => runtime.connect().await.map_err(|error| error.to_string()),
                Node::Peer(peer) => peer.connect().await.map_err(|error| error.to_string()),
            }
        };
        let outcome = harness.clock().within(PATIENCE, race(connected, self.process.ended())).await;
        match outcome {
            Some(Either::First(outcome)) => outcome,
            Some(Either::Second(())) => Err("it ended".to_owned()),
            None => Err("it took too long".to_owned()),
        }
    }
}

type Loaded = Result<Node, String>;

/// Hands a node over to whoever asked for it; they may be gone with the cell.
fn tell(ready: &Cell<Option<oneshot::Sender<Loaded>>>, node: Loaded) {
    if let Some(ready) = ready.take() {
        let _ = ready.send(node);
    }
}

/// The next part, when its time has passed.
async fn next(parts: &RefCell<VecDeque<MindPart>>, harness: &Host) -> MindPart {
    let part = parts.borrow_mut().pop_front().unwrap_or_default();
    if let Some(after) = part.after {
        harness.clock().sleep(after.duration()).await;
    }
    part
}

/// Runs the commands of a part, one after the other, and lets its reply tell of them.
async fn work(part: &mut MindPart, harness: &Host, places: &Places) -> Result<(), BenchError> {
    for command in &mut part.commands {
        let ran = workdir::run(harness, places, &command.command).await;
        (command.exit, command.output) = ran.map_err(|error| {
            BenchError::because(&format!("an agent cannot run {}", command.command), error)
        })?;
    }
    part.reply = part.reply.take().map(|reply| ShellCommand::told(&reply, &part.commands));
    Ok(())
}

/// Puts a member into an object. Objects are joined, and null takes a member away.
fn join(object: &mut Value, name: &str, value: &Value) {
    let Value::Object(members) = object else { return };
    match value {
        Value::Null => drop(members.remove(name)),
        Value::Object(further) => {
            let known = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
            further.iter().for_each(|(name, value)| join(known, name, value));
        }
        other => drop(members.insert(name.to_owned(), other.clone())),
    }
}
