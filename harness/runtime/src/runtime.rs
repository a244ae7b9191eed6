//! A running runtime.

use std::rc::Rc;

use gauntlet_protocol::fleet::config::{ConfigError, Server};
use gauntlet_world::Host;
use gauntlet_world::injection::Point;
use gauntlet_world::network::Address;
use gauntlet_world::process::Pid;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::fleet::hermes::{Listening, Minds, Node};
use crate::fleet::{Deliveries, Fleet, Settings, tools};
use crate::registry::{CallError, Caller, Registry, Tool};
use crate::team::{self, Team};

/// Why a runtime does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its Hermes node cannot listen.
    #[error("the Hermes node cannot listen on {0}: {1}")]
    Bind(Address, std::io::Error),
    /// Its `fleet.yaml` does not keep the rules, or is not there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No port has the number that its `fleet.yaml` says.
    #[error("fleet.server.bind_port must be from 0 to 65535, got {0}")]
    Port(i64),
    /// Its own files cannot be read or written.
    #[error("the runtime's files cannot be prepared: {0}")]
    Files(std::io::Error),
    /// Team mode cannot prepare its folders.
    #[error(transparent)]
    Team(#[from] team::TeamError),
}

/// A running runtime: its tools, and the replies that reached it.
#[derive(Clone)]
pub struct Runtime {
    registry: Rc<Registry>,
    fleet: Rc<Fleet>,
    node: Rc<Node>,
    /// Team mode, where it is switched on.
    team: Option<Team>,
    host: Host,
    /// Where its node is to listen, as its `fleet.yaml` says.
    server: Server,
    /// Whether its `fleet.yaml` lets it be part of a fleet.
    enabled: bool,
    listening: Rc<Mutex<Option<Listening>>>,
}

impl Runtime {
    /// Loads the runtime, lets its Hermes node listen, and looks after the receivers that are its own.
    pub async fn start(host: Host, settings: Settings) -> Result<Self, StartError> {
        let runtime = Self::load(host, settings, Minds::default()).await?;
        if runtime.enabled {
            runtime.connect().await?;
            let fleet = runtime.fleet.clone();
            runtime.host.spawn(async move { fleet.reconcile().await });
        }
        if let Some(team) = &runtime.team {
            team.prepare().await?;
            // Nobody waits for it: whoever is asked for sessions may not answer (TEAM-RES-06).
            let team = team.clone();
            runtime.host.spawn(async move {
                let report = team.resume().await;
                tracing::info!(?report, "teams were taken up");
            });
            let team = runtime.team.clone();
            runtime.host.spawn(async move {
                if let Some(team) = team {
                    team.watch().await;
                }
            });
        }
        Ok(runtime)
    }

    /// Loads the runtime on a host: reads what an earlier life left. Its files are in the folder that the host's `HERMES_HOME`
    /// names. Nothing listens yet (FLEET-HUB-12). `minds` answer for the Hermes node.
    pub async fn load(host: Host, settings: Settings, minds: Minds) -> Result<Self, StartError> {
        let fleet = Fleet::open(host.clone(), settings).await.map_err(StartError::Files)?;
        Self::of(host, fleet, minds).await
    }

    /// The runtime of a profile for somebody who only sends, also beside another one that is running: of its files, only the record
    /// of its conversations is written.
    pub async fn visit(host: Host) -> Result<Self, StartError> {
        let fleet = Fleet::visit(host.clone()).await;
        let runtime = Self::of(host, fleet, Minds::default()).await?;
        runtime.fleet.make_records().await.map_err(StartError::Files)?;
        Ok(runtime)
    }

    /// Team mode, where it is switched on.
    pub fn team(&self) -> Option<&Team> {
        self.team.as_ref()
    }

    async fn of(host: Host, fleet: Fleet, minds: Minds) -> Result<Self, StartError> {
        let fleet = Rc::new(fleet);
        let config = fleet.config().await?;
        let (enabled, server) = (config.enabled, config.server.clone());
        let mut registry = Registry::default();
        // Switched off, the fleet is not there at all: no tool, no node, nothing that is looked after (fleet sheet 6.1).
        let event = json!({ "enabled": enabled, "registers": enabled });
        if fleet.decide(Point::RuntimeLoad, event).await.yes("registers") {
            tools::all(&fleet).into_iter().for_each(|tool| registry.add(tool));
        }
        let team = match fleet.team_settings() {
            Some(settings) => {
                let config = team::config::load(&host, &settings.project).await?;
                config.enabled.then(|| Team::new(host.clone(), config, settings))
            }
            None => None,
        };
        team.iter().flat_map(team::tools::all).for_each(|tool| registry.add(tool));
        let node = Rc::new(Node::new(fleet.clone(), minds));
        let registry = Rc::new(registry);
        Ok(Self { registry, fleet, node, team, host, server, enabled, listening: Rc::default() })
    }

    /// Lets the Hermes node listen. One that does already goes on, and one that cannot may try again later (FLEET-HUB-13).
    pub async fn connect(&self) -> Result<(), StartError> {
        let mut listening = self.listening.lock().await;
        if listening.is_none() {
            // Not before: whoever never listens is not kept from sending by a port.
            let port = self.server.bind_port;
            let port = u16::try_from(port).map_err(|_| StartError::Port(port))?;
            let bind = Address { host: self.server.bind_host.clone(), port };
            let listener = self.host.network().listen(&bind).await;
            let listener = listener.map_err(|error| StartError::Bind(bind, error))?;
            self.fleet.listens_on(listener.port());
            // Only who has the port is the node of this profile.
            self.node.sweep().await;
            *listening = Some(Listening::begin(self.node.clone(), listener));
            self.fleet.hand_on();
        }
        Ok(())
    }

    /// Lets the Hermes node listen no longer. Requests under way have a moment to come to their end.
    pub async fn disconnect(&self) {
        if let Some(listening) = self.listening.lock().await.take() {
            listening.stop().await;
        }
    }

    /// The port that the Hermes node listens on since it last connected, also when the settings left the choice to the system.
    pub fn port(&self) -> u16 {
        self.fleet.port.get()
    }

    /// The tools that a caller sees, in order of name, as a model is told of them.
    pub fn tools<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a Tool> {
        self.registry.visible(caller)
    }

    /// Calls a tool on behalf of a caller.
    pub async fn call(&self, caller: &Caller, tool: &str, arguments: Value) -> Result<Value, CallError> {
        let mut judged = self.registry.judge(caller, tool, &arguments);
        if let Some(judged) = &mut judged {
            let event = json!({
                "tool": tool, "open": judged.open, "unknown": judged.unknown, "refused": judged.refused,
            });
            let decided = self.fleet.decide(Point::RuntimeCall, event).await;
            judged.open = decided.yes("open");
            judged.refused = decided.text("refused").map(str::to_owned);
        }
        let names_context = arguments.get("context_id").is_some_and(|context| !context.is_null());
        let result = self.registry.carry_out(caller, tool, arguments, judged).await?;
        let context = if names_context { "named" } else { "none" };
        let event = json!({ "tool": tool, "context": context, "result": result });
        Ok(self.fleet.decide(Point::RuntimeTool, event).await.value("result").clone())
    }

    /// The receivers that this runtime started and that it did not end itself.
    pub fn launched(&self) -> Vec<Pid> {
        self.fleet.launched()
    }

    /// The replies that were delivered.
    pub fn deliveries(&self) -> &Deliveries {
        self.fleet.deliveries()
    }
}
