//! A host: one process on one machine, real or simulated.
#![expect(clippy::disallowed_methods, reason = "Host::spawn is the one place where tasks start")]

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_util::FutureExt;

use crate::clock::Clock;
use crate::disk::Disk;
use crate::entropy::Entropy;
use crate::fault::Moment;
use crate::life::Life;
use crate::network::{Network, Tap};
use crate::process::{Pid, Processes, Stdio};
use crate::real::RealMachine;
use crate::simulated::Machine;
use crate::simulated::world::Decision;
use crate::touch::Op;

/// Where the log has the calls of ports: `--log port=trace`.
pub(crate) const PORT: &str = "port";

/// One process on one machine. Cloning gives another handle to the same process.
#[derive(Clone)]
pub struct Host {
    pub(crate) inner: Rc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) identity: Identity,
    pub(crate) pid: Pid,
    pub(crate) life: Rc<Life>,
    pub(crate) mechanics: Mechanics,
    pub(crate) entropy: Entropy,
    pub(crate) stdio: Stdio,
    pub(crate) tap: Option<Rc<dyn Tap>>,
}

pub(crate) enum Mechanics {
    Simulated(Machine),
    Real(RealMachine),
}

/// Who a process is: what it would see of itself through its arguments and environment.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The name in traces and fault files, for instance `receiver`.
    pub name: String,
    /// Arguments, without the program's own name.
    pub args: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// How many processes of this name ran before on this machine.
    pub incarnation: u32,
}

impl Host {
    /// A host over the real ports: sockets, files and processes of this computer. `tap` sees the bytes of its connections.
    pub fn real(identity: Identity, tap: Option<Rc<dyn Tap>>) -> Self {
        Self {
            inner: Rc::new(Inner {
                identity,
                pid: RealMachine::own_pid(),
                life: Rc::default(),
                mechanics: Mechanics::Real(RealMachine::default()),
                entropy: Entropy::real(),
                stdio: Stdio::inherited(),
                tap,
            }),
        }
    }

    /// The name in traces, for instance `receiver`.
    pub fn name(&self) -> &str {
        &self.inner.identity.name
    }

    /// Arguments, without the program's own name.
    pub fn args(&self) -> &[String] {
        &self.inner.identity.args
    }

    /// The whole environment.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.inner.identity.env
    }

    /// One variable of the environment.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.inner.identity.env.get(name).map(String::as_str)
    }

    /// The working directory, absolute.
    pub fn cwd(&self) -> &Path {
        &self.inner.identity.cwd
    }

    /// The home directory: `HOME`, else `/`.
    pub fn home(&self) -> PathBuf {
        PathBuf::from(self.env("HOME").unwrap_or("/"))
    }

    /// The process id.
    pub fn pid(&self) -> Pid {
        self.inner.pid
    }

    /// How many processes of this name ran before on this machine.
    pub fn incarnation(&self) -> u32 {
        self.inner.identity.incarnation
    }

    /// The clock port.
    pub fn clock(&self) -> Clock<'_> {
        Clock(self)
    }

    /// The disk port.
    pub fn disk(&self) -> Disk<'_> {
        Disk(self)
    }

    /// The network port.
    pub fn network(&self) -> Network<'_> {
        Network(self)
    }

    /// The process port.
    pub fn processes(&self) -> Processes<'_> {
        Processes(self)
    }

    /// The entropy port.
    pub fn entropy(&self) -> &Entropy {
        &self.inner.entropy
    }

    /// Starts a task of this process. It ends with the process, at the latest.
    pub fn spawn<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let host = self.clone();
        // On the heap before it is handed on: some of these futures are large, and a task is moved several times.
        let future = Box::pin(future);
        let join = tokio::task::spawn_local(async move {
            host.life().alive().await;
            match AssertUnwindSafe(future).catch_unwind().await {
                Ok(output) => Some(output),
                Err(panic) => {
                    host.report_panic(&*panic);
                    None
                }
            }
        });
        self.inner.life.own_task(join.abort_handle());
        Task { join }
    }

    /// Panics of tasks so far: those that this host started in the real mechanics, those of the whole world in the simulated
    /// ones. Each is a bug of ours.
    pub fn panics(&self) -> Vec<String> {
        match &self.inner.mechanics {
            Mechanics::Simulated(machine) => machine.world().panics(),
            Mechanics::Real(machine) => machine.panics.borrow().clone(),
        }
    }

    /// Ends a process that runs inside this program (the harness' own hosts in the real lane): its tasks stop where they
    /// stand. A simulated process is ended through its machine, and a real one by a signal.
    pub fn end(&self) {
        self.inner.life.end();
        if let Mechanics::Real(machine) = &self.inner.mechanics {
            machine.held.borrow_mut().clear();
        }
    }

    /// Whether the process has ended.
    pub fn is_dead(&self) -> bool {
        self.inner.life.is_dead()
    }

    /// A real child was reaped: nobody reads any more what was held open for it. Simulated pipes see to this themselves.
    pub(crate) fn let_go_of_stdin(&self, child: Pid) {
        if let Mechanics::Real(machine) = &self.inner.mechanics {
            machine.held.borrow_mut().remove(&child);
        }
    }

    pub(crate) fn life(&self) -> &Life {
        &self.inner.life
    }

    fn report_panic(&self, panic: &(dyn Any + Send)) {
        let text = panic_text(panic);
        match &self.inner.mechanics {
            Mechanics::Simulated(machine) => machine.world().note_panic(format!("{}: {text}", self.name())),
            Mechanics::Real(machine) => {
                tracing::error!(host = self.name(), text, "a task panicked");
                machine.panics.borrow_mut().push(format!("{}: {text}", self.name()));
            }
        }
    }

    /// The span of a port call, from its beginning to its end, for whoever logs: who, what, and on what. What is read, written or
    /// passed as an argument is no part of it, since secrets are among that. Without a log it costs the look at one number.
    pub(crate) fn call(&self, op: &str, target: &str) -> tracing::Span {
        tracing::trace_span!(target: PORT, "call", host = self.name(), op, target)
    }

    /// One port call whose effect takes no time: scheduler point, kill point, effect, kill point.
    pub(crate) async fn touch<T>(
        &self,
        op: Op,
        target: &str,
        effect: impl FnOnce(Cut) -> io::Result<T>,
    ) -> io::Result<T> {
        let _call = self.call(op.name(), target);
        let cut = self.before(op, target).await?;
        let outcome = effect(cut);
        self.after(op, target).await;
        cut.outcome(outcome)
    }

    /// The first half of a port call. Never completes when the process is dead or dies here.
    pub(crate) async fn before(&self, op: Op, target: &str) -> io::Result<Cut> {
        self.life().alive().await;
        let Mechanics::Simulated(machine) = &self.inner.mechanics else {
            return Ok(Cut::None);
        };
        machine.world().yield_point().await;
        self.life().alive().await;
        match machine.decide(self, op, target, Moment::Before) {
            Decision::Proceed => Ok(Cut::None),
            Decision::Fail(errno) => Err(errno.error()),
            Decision::Torn(errno) => Ok(Cut::Half(errno)),
            Decision::Dead => std::future::pending().await,
        }
    }

    /// The second half of a port call: the effect has happened, the caller does not know yet.
    pub(crate) async fn after(&self, op: Op, target: &str) {
        // The effect itself may have ended the process, for instance a signal to its own group.
        self.life().alive().await;
        if let Mechanics::Simulated(machine) = &self.inner.mechanics
            && let Decision::Dead = machine.decide(self, op, target, Moment::After)
        {
            std::future::pending().await
        }
    }

    /// A port call from inside a poll function, where nothing can be awaited.
    pub(crate) fn decide_now(&self, op: Op, target: &str, moment: Moment) -> Decision {
        match &self.inner.mechanics {
            _ if self.is_dead() => Decision::Dead,
            Mechanics::Simulated(machine) => machine.decide(self, op, target, moment),
            Mechanics::Real(_) => Decision::Proceed,
        }
    }
}

/// What a panic says.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without text")
}

/// Whether an effect is carried out whole.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    None,
    Half(crate::fault::Errno),
}

impl Cut {
    /// The bytes that a write brings to their place: all, or the first half when a fault tears it.
    pub(crate) fn part(self, bytes: &[u8]) -> &[u8] {
        match self {
            Cut::None => bytes,
            Cut::Half(_) => bytes.get(..bytes.len() / 2).unwrap_or_default(),
        }
    }

    /// What the caller of a write learns after its effect.
    pub(crate) fn outcome<T>(self, outcome: io::Result<T>) -> io::Result<T> {
        match self {
            Cut::None => outcome,
            Cut::Half(errno) => outcome.and_then(|_| Err(errno.error())),
        }
    }
}

/// A running task of a host.
pub struct Task<T> {
    join: tokio::task::JoinHandle<Option<T>>,
}

impl<T> Task<T> {
    /// The task's output, or nothing when it was cancelled, its process died, or it panicked (which the cell reports).
    pub async fn join(self) -> Option<T> {
        self.join.await.ok().flatten()
    }

    /// Stops the task where it stands.
    pub fn cancel(&self) {
        self.join.abort();
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        self.join.is_finished()
    }
}
