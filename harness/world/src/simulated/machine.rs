//! A simulated machine: a disk, a table of processes, a loopback network and a wall clock.
#![expect(clippy::disallowed_methods, reason = "the machine starts the main task of each process")]

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::time::Duration;

use futures_util::FutureExt;

use crate::clock::WallTime;
use crate::disk::Kind;
use crate::fault::{Happening, Moment, Unsynced};
use crate::host::{Host, Identity, Inner, Mechanics, panic_text};
use crate::life::Life;
use crate::network::Tap;
use crate::process::{Command, ExitStatus, Pid, Signal, Sink, Stdio};
use crate::simulated::disk::DiskImage;
use crate::simulated::lock::HeldLock;
use crate::simulated::network::Listening;
use crate::simulated::pipe::Weather;
use crate::simulated::process::{Entry, Exit, Launch, SignalBox};
use crate::simulated::world::{Crash, Decision, World};
use crate::touch::Op;

/// The body of a process: what it does with its host until it ends with a code.
pub type Program = Rc<dyn Fn(Host) -> Pin<Box<dyn Future<Output = i32>>>>;

/// Makes a program of an async function.
pub fn program<F, R>(body: F) -> Program
where
    F: Fn(Host) -> R + 'static,
    R: Future<Output = i32> + 'static,
{
    Rc::new(move |host| Box::pin(body(host)))
}

/// One simulated machine. Cloning gives another handle.
#[derive(Clone)]
pub struct Machine(Rc<State>);

struct State {
    name: String,
    world: World,
    disk: RefCell<DiskImage>,
    processes: RefCell<BTreeMap<Pid, Entry>>,
    next_pid: Cell<u32>,
    next_port: Cell<u16>,
    incarnations: RefCell<BTreeMap<String, u32>>,
    programs: RefCell<BTreeMap<String, Program>>,
    listeners: RefCell<BTreeMap<u16, Weak<Listening>>>,
    locks: RefCell<BTreeMap<PathBuf, Weak<HeldLock>>>,
    weather: RefCell<Vec<Front>>,
    jump_ms: Cell<i64>,
    power_cuts: Cell<u32>,
}

/// Bad weather, and the connections that it is over: those that `host` (or anyone) opens to `port` (or any).
struct Front {
    host: Option<String>,
    port: Option<u16>,
    weather: Weather,
}

impl Front {
    fn is_over(&self, host: &str, port: u16) -> bool {
        self.host.as_deref().is_none_or(|name| name == host) && self.port.is_none_or(|number| number == port)
    }
}

/// The pid of every visitor: it is outside the table, whose pids begin at [`FIRST_PID`].
const VISITOR: Pid = Pid(1);
const FIRST_PID: u32 = 100;
/// Where the ports begin that the system chooses.
const FIRST_FREE_PORT: u16 = 40_000;

impl Machine {
    /// An empty machine.
    pub fn new(world: &World, name: impl Into<String>) -> Self {
        Self(Rc::new(State {
            name: name.into(),
            world: world.clone(),
            disk: RefCell::default(),
            processes: RefCell::default(),
            next_pid: Cell::new(FIRST_PID),
            next_port: Cell::new(FIRST_FREE_PORT),
            incarnations: RefCell::default(),
            programs: RefCell::default(),
            listeners: RefCell::default(),
            locks: RefCell::default(),
            weather: RefCell::default(),
            jump_ms: Cell::new(0),
            power_cuts: Cell::new(0),
        }))
    }

    /// The name in traces.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The world that it is part of.
    pub fn world(&self) -> &World {
        &self.0.world
    }

    /// The wall clock: the cell's epoch, plus the time that passed, plus this machine's jump.
    pub fn wall(&self) -> WallTime {
        let elapsed = i64::try_from(self.0.world.elapsed().as_millis()).unwrap_or(i64::MAX);
        WallTime(
            self.0.world.settings().epoch_ms.saturating_add(elapsed).saturating_add(self.0.jump_ms.get()),
        )
    }

    /// Moves the wall clock by so many milliseconds, forwards or backwards.
    pub fn jump(&self, millis: i64) {
        self.0.jump_ms.set(self.0.jump_ms.get().saturating_add(millis));
    }

    /// The disk, to look at: no touch is counted.
    pub fn disk(&self) -> Ref<'_, DiskImage> {
        self.0.disk.borrow()
    }

    /// The disk, to change: no touch is counted.
    pub fn disk_mut<T>(&self, change: impl FnOnce(&mut DiskImage) -> T) -> T {
        let now = self.wall().millis();
        let mut disk = self.0.disk.borrow_mut();
        disk.now_ms = now;
        change(&mut disk)
    }

    /// Installs a program: an executable file at `path` that the process port routes to this function. The file is durable,
    /// and nothing else becomes so.
    pub fn install(&self, path: &Path, name: &str, program: Program) -> io::Result<()> {
        self.0.programs.borrow_mut().insert(name.to_owned(), program);
        self.disk_mut(|disk| {
            disk.make_dir(path.parent().unwrap_or(Path::new("/")))?;
            disk.write(path, format!("#!gauntlet {name}\n").as_bytes(), 0o755)?;
            disk.set_mode(path, 0o755)?;
            disk.settle_at(path)
        })
    }

    /// Starts a process as an init system would: no parent, a group of its own.
    pub fn launch(&self, launch: Launch) -> (Pid, Exit) {
        let sink = launch.log.map_or(Sink::Null, Sink::File);
        let stdio = Stdio {
            stdin: RefCell::new(Some(Box::pin(tokio::io::empty()))),
            stdout: sink.clone(),
            stderr: sink,
        };
        let identity = Identity {
            name: launch.name,
            args: launch.args,
            env: launch.env,
            cwd: launch.cwd,
            incarnation: 0,
        };
        self.start(launch.program, identity, None, stdio, Rc::default(), launch.tap)
    }

    /// A host that is not a process of the table: for the harness, which acts on the machine from outside the simulation's
    /// own faults. No armed fault bites it and no power cut ends it. Two visitors of one name are two incarnations.
    pub fn visitor(
        &self,
        name: &str,
        env: BTreeMap<String, String>,
        cwd: PathBuf,
        tap: Option<Rc<dyn Tap>>,
    ) -> Host {
        let incarnation = self.next_incarnation(&format!("visitor {name}"));
        let identity = Identity { name: name.to_owned(), args: Vec::new(), env, cwd, incarnation };
        let stdio = Stdio {
            stdin: RefCell::new(Some(Box::pin(tokio::io::empty()))),
            stdout: Sink::Null,
            stderr: Sink::Null,
        };
        self.host(VISITOR, identity, stdio, Rc::default(), tap)
    }

    fn host(
        &self,
        pid: Pid,
        identity: Identity,
        stdio: Stdio,
        life: Rc<Life>,
        tap: Option<Rc<dyn Tap>>,
    ) -> Host {
        let kind = if pid == VISITOR { "visitor" } else { "process" };
        let Identity { name, incarnation, .. } = &identity;
        let stream = format!("{}/{kind}/{name}/{incarnation}", self.0.name);
        let entropy = self.0.world.entropy(stream.as_bytes());
        let mechanics = Mechanics::Simulated(self.clone());
        Host { inner: Rc::new(Inner { identity, pid, life, mechanics, entropy, stdio, tap }) }
    }

    pub(crate) fn start(
        &self,
        program: Program,
        mut identity: Identity,
        group: Option<Pid>,
        stdio: Stdio,
        life: Rc<Life>,
        tap: Option<Rc<dyn Tap>>,
    ) -> (Pid, Exit) {
        let pid = Pid(self.0.next_pid.get());
        self.0.next_pid.set(pid.0 + 1);
        identity.incarnation = self.next_incarnation(&identity.name);
        let entry = Entry::new(&identity, group.unwrap_or(pid), life.clone());
        let exit = entry.exit();
        self.0.processes.borrow_mut().insert(pid, entry);
        let host = self.host(pid, identity, stdio, life.clone(), tap);
        let machine = self.clone();
        let main = tokio::task::spawn_local(async move {
            let name = host.name().to_owned();
            // The call itself is inside, since a program may panic before it gives its future.
            let body = async move { program(host).await };
            let code = match AssertUnwindSafe(body).catch_unwind().await {
                // A parent sees the low eight bits.
                Ok(code) => code & 0xff,
                Err(panic) => {
                    machine.world().note_panic(format!("{name}: {}", panic_text(&*panic)));
                    101
                }
            };
            machine.end(pid, ExitStatus::Code(code));
        });
        life.own_task(main.abort_handle());
        (pid, exit)
    }

    fn next_incarnation(&self, name: &str) -> u32 {
        let mut incarnations = self.0.incarnations.borrow_mut();
        let count = incarnations.entry(name.to_owned()).or_default();
        *count += 1;
        *count - 1
    }

    /// What runs, in order of pid: pid, name, group.
    pub fn running(&self) -> Vec<(Pid, String, Pid)> {
        let processes = self.0.processes.borrow();
        let running = processes.iter().filter(|(_, entry)| entry.runs());
        running.map(|(pid, entry)| (*pid, entry.name.clone(), entry.group)).collect()
    }

    /// The arguments of a process that runs, as everyone on the machine can read them.
    pub fn arguments(&self, pid: Pid) -> Option<Vec<String>> {
        let processes = self.0.processes.borrow();
        processes.get(&pid).filter(|entry| entry.runs()).map(|entry| entry.args.clone())
    }

    /// Kills a process at once: its completed writes stay, its children live on.
    pub fn kill(&self, pid: Pid) {
        self.end(pid, ExitStatus::Signal(9));
    }

    /// Every process dies, and what was not synced meets its fate.
    pub fn power_cut(&self, fate: Unsynced) {
        let running: Vec<Pid> = self.running().into_iter().map(|(pid, ..)| pid).collect();
        for pid in running {
            self.kill(pid);
        }
        let cuts = self.0.power_cuts.get();
        self.0.power_cuts.set(cuts + 1);
        let entropy = self.0.world.entropy(format!("{}/power cut/{cuts}", self.0.name).as_bytes());
        self.disk_mut(|disk| disk.power_cut(fate, &entropy));
    }

    /// Lets connections that `host` (or anyone) opens to `port` (or any) be slow, cut, stalled or garbled from now on. Of
    /// several that match a connection, the one set last applies.
    pub fn set_weather(&self, host: Option<&str>, port: Option<u16>, kind: NetworkWeather) {
        let weather = match kind {
            NetworkWeather::Latency(latency) => Weather { latency, ..Weather::default() },
            NetworkWeather::CutAfter(bytes) => Weather { cut_after: Some(bytes), ..Weather::default() },
            NetworkWeather::StallAfter(bytes) => Weather { stall_after: Some(bytes), ..Weather::default() },
            NetworkWeather::GarbleAt(byte) => Weather { garble_at: Some(byte), ..Weather::default() },
        };
        self.0.weather.borrow_mut().push(Front { host: host.map(str::to_owned), port, weather });
    }

    /// Ends all bad weather for new connections.
    pub fn clear_weather(&self) {
        self.0.weather.borrow_mut().clear();
    }

    pub(crate) fn weather(&self, host: &str, port: u16) -> Weather {
        let fronts = self.0.weather.borrow();
        fronts.iter().rfind(|front| front.is_over(host, port)).map(|front| front.weather).unwrap_or_default()
    }

    fn end(&self, pid: Pid, status: ExitStatus) {
        let (life, state) = {
            let processes = self.0.processes.borrow();
            let Some(entry) = processes.get(&pid).filter(|entry| entry.runs()) else { return };
            (entry.life.clone(), entry.state.clone())
        };
        life.end();
        state.set(status);
    }

    pub(crate) fn decide(&self, host: &Host, op: Op, target: &str, moment: Moment) -> Decision {
        self.0.world.count(host.name(), op, target, moment);
        if self.0.world.is_exhausted() {
            return Decision::Dead;
        }
        if host.pid() == VISITOR {
            return Decision::Proceed;
        }
        let Some(happening) = self.0.world.bites(host.name(), op, target, moment) else {
            return Decision::Proceed;
        };
        match (happening, moment) {
            // What is done is done: a failure has nothing left to prevent.
            (Happening::Fail(_) | Happening::Torn(_), Moment::After) => Decision::Proceed,
            (Happening::Torn(errno), Moment::Before) if op.can_tear() => Decision::Torn(errno),
            (Happening::Fail(errno) | Happening::Torn(errno), Moment::Before) => Decision::Fail(errno),
            (Happening::Kill, _) => {
                self.kill(host.pid());
                self.0.world.note_crash(Crash::Killed { host: host.name().to_owned() });
                Decision::Dead
            }
            (Happening::PowerCut(fate), _) => {
                self.power_cut(fate);
                self.0.world.note_crash(Crash::PowerCut { machine: self.0.name.clone() });
                Decision::Dead
            }
        }
    }

    pub(crate) fn signal(&self, pid: Pid, signal: Signal) {
        let handled = {
            let processes = self.0.processes.borrow();
            let Some(entry) = processes.get(&pid).filter(|entry| entry.runs()) else { return };
            signal != Signal::Kill && entry.signals.deliver(signal)
        };
        if !handled {
            self.end(pid, ExitStatus::Signal(signal.number()));
        }
    }

    pub(crate) fn signal_group(&self, leader: Pid, signal: Signal) {
        let members: Vec<Pid> = {
            let processes = self.0.processes.borrow();
            processes
                .iter()
                .filter(|(_, entry)| entry.group == leader && entry.runs())
                .map(|(pid, _)| *pid)
                .collect()
        };
        for pid in members {
            self.signal(pid, signal);
        }
    }

    /// Sends a signal from outside, as a person at a terminal does.
    pub fn send(&self, pid: Pid, signal: Signal) {
        self.signal(pid, signal);
    }

    pub(crate) fn marked(&self, name: &str, value: &str) -> Vec<Pid> {
        let processes = self.0.processes.borrow();
        let marked = processes
            .iter()
            .filter(|(_, entry)| entry.runs() && entry.env.get(name).is_some_and(|found| found == value));
        marked.map(|(pid, _)| *pid).collect()
    }

    pub(crate) fn runs(&self, pid: Pid) -> bool {
        self.0.processes.borrow().get(&pid).is_some_and(Entry::runs)
    }

    pub(crate) fn group_of(&self, pid: Pid) -> Pid {
        self.0.processes.borrow().get(&pid).map_or(pid, |entry| entry.group)
    }

    pub(crate) fn handle_signals(&self, pid: Pid) -> SignalBox {
        let processes = self.0.processes.borrow();
        let signals = processes.get(&pid).map(|entry| entry.signals.clone()).unwrap_or_default();
        signals.handle();
        signals
    }

    /// Finds the program that a command names: along `PATH`, executable, and known to this machine.
    pub(crate) fn route(&self, command: &Command, cwd: &Path) -> io::Result<(String, Program)> {
        let missing = || io::Error::from_raw_os_error(2);
        let disk = self.0.disk.borrow();
        let candidates: Vec<PathBuf> = if command.program.contains('/') {
            vec![cwd.join(&command.program)]
        } else {
            // Without PATH the C library looks in these two. An empty part stands for the working directory.
            let path = command.env.get("PATH").map_or("/bin:/usr/bin", String::as_str);
            path.split(':').map(|part| cwd.join(part).join(&command.program)).collect()
        };
        let mut outcome = Err(missing());
        for candidate in candidates {
            match disk.stat(&candidate) {
                Ok(meta) if meta.kind == Kind::File && meta.mode & 0o111 != 0 => {
                    let content = disk.read(&candidate)?;
                    let text = String::from_utf8_lossy(&content);
                    let name = text.lines().next().and_then(|line| line.strip_prefix("#!gauntlet "));
                    let name = name.ok_or_else(|| io::Error::from_raw_os_error(8))?;
                    let programs = self.0.programs.borrow();
                    let program = programs.get(name).cloned().ok_or_else(missing)?;
                    return Ok((name.to_owned(), program));
                }
                Ok(_) => outcome = Err(io::Error::from_raw_os_error(13)),
                Err(error) if command.program.contains('/') => outcome = Err(error),
                Err(_) => {}
            }
        }
        outcome
    }

    pub(crate) fn listening(&self, port: u16) -> Option<Rc<Listening>> {
        self.0.listeners.borrow().get(&port).and_then(Weak::upgrade)
    }

    /// Who holds which lock.
    pub(crate) fn locks(&self) -> RefMut<'_, BTreeMap<PathBuf, Weak<HeldLock>>> {
        self.0.locks.borrow_mut()
    }

    pub(crate) fn start_listening(&self, port: u16, listening: &Rc<Listening>) {
        self.0.listeners.borrow_mut().insert(port, Rc::downgrade(listening));
    }

    pub(crate) fn stop_listening(&self, port: u16) {
        self.0.listeners.borrow_mut().remove(&port);
    }

    pub(crate) fn free_port(&self) -> u16 {
        loop {
            let port = self.0.next_port.get();
            self.0.next_port.set(port.checked_add(1).unwrap_or(FIRST_FREE_PORT));
            if self.listening(port).is_none() {
                return port;
            }
        }
    }
}

/// What new connections suffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkWeather {
    /// Every byte arrives this much later.
    Latency(Duration),
    /// The connection is reset once so many bytes passed in one direction; they still arrive.
    CutAfter(u64),
    /// After so many bytes in one direction nothing more passes, not even the end of the stream, and nobody is told: a
    /// writer goes on until the buffers are full. With 0 not even the connection comes about.
    StallAfter(u64),
    /// This byte of each direction arrives changed.
    GarbleAt(u64),
}
