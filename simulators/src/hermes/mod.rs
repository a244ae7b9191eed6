//! A Hermes node as a peer: the contract of the fleet sheet, sections 4.1 to 4.5, kept a second time. It shares messages and
//! texts with the runtime's node, and nothing of what happens between them, so that a mistake of one shows beside the other.
//!
//! `http` is what there is over HTTP, `answers` what a message leads to, `choice` who answers it, `command` the handlers of its user, `memory` what is kept between messages, `records` the
//! files, `astray` replies of other profiles, `client` what is sent to others, `failure` why that failed, `feed` what the dashboard shows.

mod answers;
mod astray;
mod choice;
mod client;
mod command;
mod config;
mod failure;
mod feed;
mod http;
mod memory;
mod profile;
mod records;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::config::FleetConfig;
use gauntlet_protocol::fleet::hermes::{Agent, Model};
use gauntlet_world::network::{Address, Listener};
use gauntlet_world::{Host, Task};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify};

pub use self::profile::{HermesProfile, Implementation};

use self::memory::Memory;
use crate::http1::Framing;
use gauntlet_world::injection::{Injector, Point};

/// How long what is under way may go on when a node stops listening.
const GRACE: Duration = Duration::from_secs(5);

/// What a node is started with beside its `fleet.yaml`.
#[derive(Clone)]
pub struct Settings {
    /// How its server frames.
    pub framing: Framing,
    /// Its quirks.
    pub injector: Injector,
    /// The gateway's agent; without it the bridge is not there.
    pub agent: Option<Agent>,
    /// A model without tools; without it there is no provider.
    pub model: Option<Model>,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It has no usable configuration.
    #[error("the node has no usable configuration: {0}")]
    Config(String),
    /// It cannot listen.
    #[error("the node cannot listen on {0}: {1}")]
    Listen(Address, io::Error),
}

/// A loaded node. Cloning gives another handle.
#[derive(Clone)]
pub struct Peer(Rc<State>);

struct State {
    host: Host,
    settings: Settings,
    /// What was read first: where it listens stays.
    first: FleetConfig,
    memory: Memory,
    /// One writer of the files at a time.
    files: Mutex<()>,
    /// One at a time looks into the file of other profiles' replies and writes it.
    astray: Mutex<()>,
    last_astray: RefCell<astray::LastSeen>,
    /// Whether somebody is at work to hand those on.
    rounds: Cell<bool>,
    /// How often that was wanted.
    wanted: Cell<u64>,
    /// Somebody asks for theirs.
    nudged: Notify,
    accepting: Mutex<Option<Task<()>>>,
    /// What an earlier life left running was ended.
    swept: Cell<bool>,
    exit: Cell<Option<i32>>,
    ended: Notify,
    /// Connections that are open, so that they can be ended after the listener.
    connections: RefCell<Vec<Task<()>>>,
    /// No connection is used for a further request.
    closing: Cell<bool>,
}

impl Peer {
    /// Loads a node, which does not listen yet.
    pub async fn load(host: Host, settings: Settings) -> Result<Self, StartError> {
        let first = config::read(&host).await.map_err(|broken| StartError::Config(broken.to_string()))?;
        let peer = Self(Rc::new(State {
            host,
            settings,
            first,
            memory: Memory::default(),
            files: Mutex::default(),
            astray: Mutex::default(),
            last_astray: RefCell::default(),
            rounds: Cell::default(),
            wanted: Cell::default(),
            nudged: Notify::new(),
            swept: Cell::default(),
            accepting: Mutex::default(),
            exit: Cell::default(),
            ended: Notify::new(),
            connections: RefCell::default(),
            closing: Cell::default(),
        }));
        let event = peer.pass(Point::HermesLoad, json!({ "listens": false })).await;
        if event.is_some_and(|event| event["listens"] == true) {
            peer.connect().await?;
        }
        Ok(peer)
    }

    /// Lets it listen, unless it does.
    pub async fn connect(&self) -> Result<(), StartError> {
        let mut accepting = self.0.accepting.lock().await;
        let event = self.pass(Point::HermesConnect, json!({ "already": accepting.is_some() })).await;
        if event.is_some_and(|event| event["already"] == true) {
            return Ok(());
        }
        let server = &self.0.first.server;
        let port = u16::try_from(server.bind_port).unwrap_or_default();
        let address = Address { host: server.bind_host.clone(), port };
        match self.0.host.network().listen(&address).await {
            Ok(listener) => {
                if !self.0.swept.replace(true) {
                    self.sweep_commands().await;
                }
                self.0.closing.set(false);
                *accepting = Some(self.accept(listener));
                self.begin_rounds();
                Ok(())
            }
            Err(error) => {
                let injector = &self.0.settings.injector;
                let passed =
                    injector.pass(&self.0.host, Point::HermesBusyPort, json!({ "port": port })).await;
                if passed.exit.is_some() {
                    self.0.exit.set(passed.exit);
                    self.0.ended.notify_waiters();
                }
                Err(StartError::Listen(address, error))
            }
        }
    }

    /// Lets it listen no longer.
    pub async fn disconnect(&self) {
        if let Some(accepting) = self.0.accepting.lock().await.take() {
            accepting.cancel();
            accepting.join().await;
        }
        self.0.closing.set(true);
        let event = json!({ "grace_ms": GRACE.as_millis() as u64 });
        let grace = self.pass(Point::HermesDisconnect, event).await;
        let grace = grace.and_then(|event| event["grace_ms"].as_u64()).map_or(GRACE, Duration::from_millis);
        let connections = std::mem::take(&mut *self.0.connections.borrow_mut());
        let host = self.0.host.clone();
        self.0.host.spawn(async move {
            host.clock().sleep(grace).await;
            connections.iter().for_each(Task::cancel);
        });
    }

    /// Waits for its end, which nothing but a quirk brings about, and gives its code.
    pub async fn ended(&self) -> i32 {
        loop {
            let ended = self.0.ended.notified();
            if let Some(code) = self.0.exit.get() {
                return code;
            }
            ended.await;
        }
    }

    /// The name by which others know it.
    fn name(&self) -> &str {
        self.0.first.name.as_deref().unwrap_or("default")
    }

    fn accept(&self, listener: Listener) -> Task<()> {
        let peer = self.clone();
        self.0.host.spawn(async move {
            loop {
                match listener.accept().await {
                    Ok(stream) => {
                        let serving = peer.clone();
                        let connection = peer.0.host.spawn(async move { serving.connection(stream).await });
                        let mut open = peer.0.connections.borrow_mut();
                        open.retain(|connection| !connection.is_finished());
                        open.push(connection);
                    }
                    Err(_) => peer.0.host.clock().sleep(Duration::from_millis(100)).await,
                }
            }
        })
    }

    /// What becomes of an event at a point.
    async fn pass(&self, point: Point, event: Value) -> Option<Value> {
        self.0.settings.injector.pass(&self.0.host, point, event).await.first()
    }
}
