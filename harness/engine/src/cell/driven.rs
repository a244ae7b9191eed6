//! A runtime that is not ours, in one cell: its driver's process, what stands between it and its peer, and what it says.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gauntlet_world::network::{Address, Listener, Stream};
use gauntlet_world::process::{Child, Pid, Reader, Signal, Writer};
use gauntlet_world::{Either, Host, race};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Mutex, Notify};

use super::bench::{BenchError, HERMES_TOKEN, PEER, Places, RECEIVER_TOKEN};
use super::foreign::append;
use super::names::Names;
use super::real::free_port;
use crate::driver::ForeignRuntime;
use crate::driver::orders::{self, CallbackTold, Dispatched, MAX_LINE, Order, PeerTold, Reply};

/// How long a dispatch may take, as its order says.
const SEND: Duration = Duration::from_secs(8);
/// So much later than it was told to a driver may answer.
const GRACE: Duration = Duration::from_secs(4);

/// The runtime of a cell, by its driver.
pub(super) struct Driven {
    runtime: Arc<ForeignRuntime>,
    /// One order at a time.
    driver: Mutex<Driver>,
    pid: Cell<Option<Pid>>,
    between: Between,
    harness: Host,
}

/// The process that takes orders.
enum Driver {
    /// It takes orders.
    Up(Box<Live>),
    /// It does not, and this is why.
    Down(String),
}

struct Live {
    child: Child,
    input: Writer,
    output: Reader,
    /// What it printed behind the last answer.
    read: Vec<u8>,
    seq: u64,
    /// What it answers is kept there, whole: a bearer could stand in any member.
    answers: PathBuf,
}

impl Driven {
    /// `tapped` is the host whose connections to the receiver are observations.
    pub(super) fn new(
        runtime: &Arc<ForeignRuntime>,
        harness: &Host,
        tapped: &Host,
        receiver: u16,
    ) -> Result<Self, BenchError> {
        let port = free_port(harness).map_err(|error| BenchError::because("no port is free", error))?;
        Ok(Self {
            runtime: runtime.clone(),
            driver: Mutex::new(Driver::Down("it was not started".to_owned())),
            pid: Cell::default(),
            between: Between { host: tapped.clone(), port, receiver, open: RefCell::default() },
            harness: harness.clone(),
        })
    }

    /// Its process, while it runs.
    pub(super) fn pid(&self) -> Option<Pid> {
        self.pid.get()
    }

    /// Starts the driver and its runtime: the port and path at which it takes callbacks, or why it takes none. Only what the harness
    /// itself cannot do is an error.
    pub(super) async fn start(
        &self,
        places: &Places,
        names: &Names,
        wants_bearer: bool,
    ) -> Result<Result<String, String>, BenchError> {
        let env = [(RECEIVER_TOKEN, &names.token), (HERMES_TOKEN, &names.hermes_token)];
        let env = env.map(|(name, token)| (name.to_owned(), token.clone())).into();
        let command = self.runtime.command(&places.hermes(), &places.home(), env);
        let child = self.harness.processes().spawn(command).await;
        let mut child = child.map_err(|error| BenchError::because("cannot start the driver", error))?;
        self.pid.set(Some(child.pid));
        if let Some(errors) = child.stderr.take() {
            let log = places.hermes().join("driver.log");
            self.harness.spawn(append(self.harness.clone(), errors, log));
        }
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(BenchError("the driver was started without pipes".to_owned()));
        };
        let answers = places.hermes().join("driver-answers.jsonl");
        let live = Live { child, input, output, read: Vec::new(), seq: 0, answers };
        *self.driver.lock().await = Driver::Up(Box::new(live));
        let peer = PeerTold {
            name: PEER.to_owned(),
            url: format!("http://127.0.0.1:{}", self.between.port),
            token_env: wants_bearer.then(|| RECEIVER_TOKEN.to_owned()),
        };
        let order = Order::Start {
            workdir: places.hermes().to_string_lossy().into_owned(),
            peers: vec![peer],
            callback: CallbackTold {
                host: "127.0.0.1".to_owned(),
                port: 0,
                token_env: HERMES_TOKEN.to_owned(),
            },
        };
        Ok(self.ask(&order, self.runtime.within(), orders::started).await)
    }

    /// Lets the runtime dispatch a text to a peer. The result is as the reference's own tool would give it.
    pub(super) async fn dispatch(&self, id: &str, peer: &str, context: Option<&str>, text: &str) -> Value {
        self.between.follow(&self.harness).await;
        let order = Order::Dispatch {
            id: id.to_owned(),
            peer: peer.to_owned(),
            text: text.to_owned(),
            context: context.map(str::to_owned),
            within_ms: millis(SEND),
        };
        let told = self.ask(&order, SEND + GRACE, orders::dispatched).await;
        // What it closes now has been seen when the step ends.
        self.between.rest(&self.harness).await;
        match told {
            Ok(dispatched) => as_a_tool(dispatched),
            Err(error) => json!({ "error": error, "broken": true }),
        }
    }

    /// Asks for the next reply to a dispatch.
    pub(super) async fn await_reply(
        &self,
        id: &str,
        context: &str,
        within: Duration,
    ) -> Result<Option<Reply>, String> {
        let (id, context) = (id.to_owned(), context.to_owned());
        let order = Order::Await { id, context, within_ms: millis(within) };
        self.ask(&order, within + GRACE, orders::awaited).await
    }

    /// Ends the runtime: it is asked to, and then killed with all that it started.
    pub(super) async fn stop(&self) {
        let stopped = self.ask(&Order::Stop, self.runtime.within(), |_| Ok(())).await;
        let mut driver = self.driver.lock().await;
        if let (Driver::Up(live), true) = (&mut *driver, stopped.is_ok()) {
            self.harness.clock().within(self.runtime.within(), live.child.wait()).await;
        }
        self.put_down(&mut driver, "it was stopped".to_owned()).await;
    }

    /// Gives an order and reads its answer. A driver that does not answer as it should is ended: what it says next would be the answer to
    /// nobody knows what.
    async fn ask<T>(
        &self,
        order: &Order,
        within: Duration,
        read: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut driver = self.driver.lock().await;
        let live = match &mut *driver {
            Driver::Up(live) => live,
            Driver::Down(reason) => return Err(format!("the driver takes no orders: {reason}")),
        };
        live.seq += 1;
        let seq = live.seq;
        let told = match self.harness.clock().within(within, live.exchange(&order.line(seq))).await {
            Some(Ok(line)) => {
                // Without room for it the story goes on, and the harness's own disk is told of elsewhere.
                let _ = self.harness.disk().append(&live.answers, &[&line, &b"\n"[..]].concat()).await;
                orders::answer(&line, seq).and_then(|answer| read(&answer))
            }
            Some(Err(error)) => Err(error),
            None => Err(format!("expected the answer to order {seq} within {within:?}; none came")),
        };
        if let Err(reason) = &told {
            let reason = reason.clone();
            self.put_down(&mut driver, reason).await;
        }
        told
    }

    async fn put_down(&self, driver: &mut Driver, reason: String) {
        if let Driver::Up(live) = std::mem::replace(driver, Driver::Down(reason)) {
            let Live { mut child, input, .. } = *live;
            drop(input);
            let _ = self.harness.processes().signal_group(child.pid, Signal::Kill).await;
            self.harness.clock().within(GRACE, child.wait()).await;
            self.pid.set(None);
        }
    }
}

impl Live {
    /// Writes a line and reads one.
    async fn exchange(&mut self, line: &[u8]) -> Result<Vec<u8>, String> {
        let written = async {
            self.input.write_all(line).await?;
            self.input.flush().await
        };
        // One that ended says more by what it printed.
        let written = written.await;
        let mut space = vec![0; 16 * 1024];
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let rest = self.read.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.read, rest);
                line.pop();
                return Ok(line);
            }
            if self.read.len() > MAX_LINE {
                return Err(format!("expected a line of at most {MAX_LINE} bytes; more came without an end"));
            }
            match self.output.read(&mut space).await {
                Ok(read @ 1..) => self.read.extend_from_slice(&space[..read]),
                Ok(_) => {
                    let left = String::from_utf8_lossy(&self.read).chars().take(200).collect::<String>();
                    let why = written.err().map(|error| format!(" ({error})")).unwrap_or_default();
                    return Err(format!(
                        "expected an answer; the driver ended{why}, its last words {left:?}"
                    ));
                }
                Err(error) => return Err(format!("the driver cannot be read: {error}")),
            }
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn as_a_tool(dispatched: Dispatched) -> Value {
    let good = |context: Option<String>, text: Option<String>, outcome: &str| {
        let mut value = json!({ "outcome": outcome });
        for (name, said) in [("context_id", context), ("reply", text)] {
            if let Some(said) = said {
                value[name] = json!(said);
            }
        }
        value
    };
    let bad = |error: String, class: &str, safe: bool| json!({ "error": error, "class": class, "retry_safe": safe });
    match dispatched {
        Dispatched::Accepted { context, text } => good(context, text, "accepted"),
        Dispatched::Replied { context, text } => good(context, text, "replied"),
        Dispatched::Refused { error } => bad(error, "refused", true),
        Dispatched::NotSent { error } => bad(error, "not_sent", true),
        Dispatched::Unknown { error } => bad(error, "unknown", false),
    }
}

/// What stands between a runtime and its peer, so that its bytes are seen. While the peer does not listen, nobody listens here either.
struct Between {
    host: Host,
    port: u16,
    receiver: u16,
    open: RefCell<Option<Open>>,
}

struct Open {
    end: Rc<Notify>,
    /// How many connections there are.
    connections: Rc<Cell<usize>>,
}

impl Between {
    /// Listens where the peer does.
    async fn follow(&self, harness: &Host) {
        let peer = harness.network().connect(&Address::loopback(self.receiver)).await;
        let is_open = self.open.borrow().is_some();
        match (peer.is_ok(), is_open) {
            (true, false) => {
                let Ok(listener) = self.host.network().listen(&Address::loopback(self.port)).await else {
                    return tracing::warn!(port = self.port, "nobody can stand before the peer");
                };
                let open = Open { end: Rc::default(), connections: Rc::default() };
                let relay = relay(
                    self.host.clone(),
                    listener,
                    self.receiver,
                    open.connections.clone(),
                    open.end.clone(),
                );
                self.host.spawn(relay);
                *self.open.borrow_mut() = Some(open);
            }
            (false, true) => {
                if let Some(open) = self.open.borrow_mut().take() {
                    open.end.notify_one();
                }
                // It is gone when its task was there once more.
                harness.clock().sleep(Duration::from_millis(20)).await;
            }
            _ => {}
        }
    }

    /// Waits a moment for connections to come to their end.
    async fn rest(&self, harness: &Host) {
        let connections = self.open.borrow().as_ref().map(|open| open.connections.clone());
        let Some(connections) = connections else { return };
        for _ in 0..20 {
            if connections.get() == 0 {
                return;
            }
            harness.clock().sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn relay(host: Host, listener: Listener, receiver: u16, connections: Rc<Cell<usize>>, end: Rc<Notify>) {
    while let Either::First(Ok(stream)) = race(listener.accept(), end.notified()).await {
        let (own, connections) = (host.clone(), connections.clone());
        host.spawn(async move {
            connections.set(connections.get() + 1);
            pass_on(&own, stream, receiver).await;
            connections.set(connections.get() - 1);
        });
    }
}

async fn pass_on(host: &Host, mut stream: Stream, receiver: u16) {
    if let Ok(mut peer) = host.network().connect(&Address::loopback(receiver)).await {
        // However a connection ends, both of its ends learn of it by their own.
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut peer).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_surely_began_nothing_is_safe_to_send_again() {
        let said = || "why".to_owned();
        for (dispatched, class, safe) in [
            (Dispatched::Refused { error: said() }, "refused", true),
            (Dispatched::NotSent { error: said() }, "not_sent", true),
            (Dispatched::Unknown { error: said() }, "unknown", false),
        ] {
            assert_eq!(as_a_tool(dispatched), json!({ "error": "why", "class": class, "retry_safe": safe }));
        }
        let accepted = Dispatched::Accepted { context: Some("c".to_owned()), text: None };
        assert_eq!(as_a_tool(accepted), json!({ "outcome": "accepted", "context_id": "c" }));
    }
}
