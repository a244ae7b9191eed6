//! A running runtime.

use std::rc::Rc;

use gauntlet_protocol::fleet::config::ConfigError;
use gauntlet_world::Host;
use gauntlet_world::network::Address;
use gauntlet_world::process::Pid;
use serde_json::Value;

use crate::fleet::{Deliveries, Fleet, Settings, hermes, tools};
use crate::registry::{CallError, Caller, Registry, Tool};

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
}

/// A running runtime: its tools, and the replies that reached it.
#[derive(Clone)]
pub struct Runtime {
    registry: Rc<Registry>,
    fleet: Rc<Fleet>,
    port: u16,
}

impl Runtime {
    /// Starts the runtime on a host: reads what an earlier life left, and lets the Hermes node listen where its `fleet.yaml`
    /// says. Its files are in the folder that the host's `HERMES_HOME` names.
    pub async fn start(host: Host, settings: Settings) -> Result<Self, StartError> {
        let fleet = Rc::new(Fleet::open(host.clone(), settings).await.map_err(StartError::Files)?);
        let server = fleet.config().await?.server.clone();
        let port = u16::try_from(server.bind_port).map_err(|_| StartError::Port(server.bind_port))?;
        let address = Address { host: server.bind_host, port };
        let listener =
            host.network().listen(&address).await.map_err(|error| StartError::Bind(address, error))?;
        let port = listener.port();
        fleet.listens_on(port);
        host.spawn(hermes::serve(fleet.clone(), listener));
        let looked_after = fleet.clone();
        host.spawn(async move { looked_after.reconcile().await });
        let mut registry = Registry::default();
        for tool in tools::all(&fleet) {
            registry.add(tool);
        }
        Ok(Self { registry: Rc::new(registry), fleet, port })
    }

    /// The port that the Hermes node listens on, also when the settings left the choice to the system.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The tools that a caller sees, in order of name, as a model is told of them.
    pub fn tools<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a Tool> {
        self.registry.visible(caller)
    }

    /// Calls a tool on behalf of a caller.
    pub async fn call(&self, caller: &Caller, tool: &str, arguments: Value) -> Result<Value, CallError> {
        self.registry.call(caller, tool, arguments).await
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
