//! The bench of the real lane: the receiver and its CLI are processes, the network is loopback TCP, and the runtime is real.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::Settings as FleetSettings;
use gauntlet_runtime::team::TeamSettings;
use gauntlet_simulators::receiver::Deviations;
use gauntlet_simulators::{control, gate};
use gauntlet_world::injection::Injector;
use gauntlet_world::network::{Address, Tap};
use gauntlet_world::process::{Child, Command, Output, Pid, Signal, Stdin};
use gauntlet_world::{Host, Identity};
use tokio::sync::Notify;

use super::bench::{
    BenchError, Places, TEMPLATE, fleet_yaml, launchers, prefixed, receiver_config, receiver_environment,
    runtime_environment, template, watch_deliveries,
};
use super::driven::Driven;
use super::foreign::{self, CellOfSubject, ForeignSubject};
use super::names::Names;
use super::plan::Plan;
use super::stage::CellStage;
use super::tap::{OnlyOpened, PassedOn, Wire};
use super::workdir;
use crate::certify::Foreign;
use crate::files;
use crate::hold::Hold;
use crate::scenario::Nodes;
use crate::stand_in;
use crate::strays;
use crate::trace::{File, Files, Trace, What};

/// What the real lane needs to know of the program that it runs in.
#[derive(Debug, Clone)]
pub(crate) struct RealSettings {
    /// The `gauntlet` binary: it is the receiver and the stand-in CLI.
    pub(crate) binary: PathBuf,
    /// The folder of the cell, not made yet.
    pub(crate) root: PathBuf,
    /// Where the cell is to be held.
    pub(crate) hold: Option<Arc<Hold>>,
    /// Nothing else is run meanwhile, after it failed beside others.
    pub(crate) is_alone: bool,
}

/// How long a deployed receiver may take to be healthy in a cell that is looked at again. The product line gives it eight seconds, which
/// are over before a process has begun on a computer with enough else to do.
const PATIENT_HEALTH: Duration = Duration::from_secs(30);

/// The bench of the real lane.
pub(crate) struct RealBench {
    is_alone: bool,
    pub(crate) places: Places,
    pub(crate) receiver_port: u16,
    pub(crate) harness: Host,
    pub(crate) client: Host,
    pub(crate) runtime: RefCell<Option<Runtime>>,
    /// That of the second profile, beside a receiver.
    pub(super) neighbour: RefCell<Option<Runtime>>,
    /// The team mode of the runtime, if it has one.
    pub(super) team: RefCell<Option<TeamSettings>>,
    runtime_host: Host,
    receiver: RefCell<Option<Started>>,
    /// The receiver that is not ours: what of this cell it was given, and what it consists of.
    subject: Option<ForeignSubject>,
    /// The runtime that is not ours.
    driven: Option<Box<Driven>>,
    pub(super) binary: PathBuf,
    /// What lives in this process shares it, since a quirk may begin by what passed another point.
    pub(super) injector: Injector,
    plan: Plan,
    names: Rc<Names>,
    trace: Rc<Trace>,
    wire: Rc<Wire>,
}

/// The code of a receiver that was not started, since no start of it ever came to anything.
const NEVER_STARTED: i32 = -1;

/// Where nobody takes callbacks.
const NOWHERE: &str = "http://127.0.0.1:9/jsonrpc";

fn runtime_url(runtime: &Runtime) -> String {
    format!("http://127.0.0.1:{}/jsonrpc", runtime.port())
}

struct Started {
    /// Nothing of one that somebody else started.
    pid: Option<Pid>,
    code: Rc<Cell<Option<i32>>>,
    ended: Rc<Notify>,
}

/// A port for the receiver that is free now. It is taken from below the range that outgoing connections get theirs from, and no
/// other cell of this process is given it for a long time, so that only a stranger could take it before the receiver does.
pub(super) fn free_port(host: &Host) -> io::Result<u16> {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static BEGINNING: OnceLock<u32> = OnceLock::new();
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let beginning =
        *BEGINNING.get_or_init(|| u32::try_from(host.entropy().below(COUNT.into())).unwrap_or_default());
    let mut last = None;
    for _ in 0..50 {
        let next = beginning.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + next).unwrap_or(u16::MAX);
        match host.network().is_free(port) {
            Ok(()) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| io::Error::other("no port was tried")))
}

/// Whether programs can be run below a folder. It is asked once for all cells that live there.
fn runs_programs(folder: &Path) -> io::Result<()> {
    static KNOWN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.iter().any(|known| known == folder) {
        files::runs_programs(folder)?;
        known.push(folder.to_path_buf());
    }
    Ok(())
}

impl RealBench {
    /// Builds the folders, the stand-in CLI and the control connection.
    pub(crate) async fn build(
        plan: &Plan,
        settings: &RealSettings,
        names: &Rc<Names>,
        trace: &Rc<Trace>,
    ) -> Result<(Self, Rc<Wire>), BenchError> {
        let wrong = |error| BenchError::because("cannot furnish the cell", error);
        files::make_private_dir(&settings.root).map_err(wrong)?;
        let folder = settings.root.parent().unwrap_or(&settings.root);
        runs_programs(folder).map_err(|error| {
            BenchError::because(&format!("no program can be run in {}; set TMPDIR", folder.display()), error)
        })?;
        let places = Places { root: settings.root.clone() };
        *names.workdir.borrow_mut() = places.repo().to_string_lossy().into_owned();
        let host = |name: &str, env, tap| {
            let identity =
                Identity { name: name.to_owned(), env, cwd: places.root.clone(), ..Identity::default() };
            Host::real(identity, tap)
        };
        let harness = host("harness", Default::default(), None);
        let look = {
            let (places, trace) = (places.clone(), trace.clone());
            move |moment: &str| look_at_files(&places, &trace, moment)
        };
        let receiver_port = match plan.foreign().and_then(|foreign| foreign.port()) {
            Some(port) => port,
            None => free_port(&harness).map_err(wrong)?,
        };
        names.port.set(receiver_port);
        let wire = Rc::new(Wire::new(trace.clone(), receiver_port, Box::new(look.clone())));
        let stage = Rc::new(CellStage::new(
            plan.scenario.given.executor.turns.clone(),
            names.clone(),
            trace.clone(),
            Box::new(look),
        ));
        let gated = !plan.scenario.given.hermes.answers.is_empty();
        // Behind the gate only the connections that the runtime opens are observations of their own.
        let runtime_tap: Rc<dyn Tap> = match plan.driven() {
            Some(_) => Rc::new(PassedOn(wire.clone())),
            None if gated => Rc::new(OnlyOpened(wire.clone())),
            None => wire.clone(),
        };
        let runtime_host =
            host("runtime", runtime_environment(&places, names, &search_path(&places)), Some(runtime_tap));
        let client = host("client", Default::default(), Some(wire.clone() as Rc<_>));
        // One that goes away and comes back is found where it was.
        let goes_away = plan.scenario.steps.iter().any(|step| step.disconnect == Some(Nodes::Runtime));
        let node = if goes_away { free_port(&harness).map_err(wrong)? } else { 0 };
        furnish(plan, names, &places, (receiver_port, node)).map_err(wrong)?;
        if plan.scenario.given.git {
            workdir::make_repository(&harness, &places).await.map_err(wrong)?;
        }
        let bin = places.bin();
        let place = stand_in::Place {
            binary: &settings.binary,
            folder: &places.root,
            bin: plan.scenario.given.executor.installed.then_some(bin.as_path()),
        };
        let put = stand_in::put(&harness, &place, &plan.executor, stage, plan.profile.clone(), plan.quirks());
        put.await.map_err(|error| BenchError::because("cannot open the control connection", error))?;
        let driven =
            plan.driven().map(|runtime| Driven::new(runtime, &harness, &runtime_host, receiver_port));
        let driven = driven.transpose()?.map(Box::new);
        let bench = Self {
            is_alone: settings.is_alone,
            driven,
            places,
            receiver_port,
            harness,
            client,
            runtime: RefCell::default(),
            neighbour: RefCell::default(),
            team: RefCell::default(),
            runtime_host,
            receiver: RefCell::default(),
            subject: plan.foreign().map(ForeignSubject::new),
            binary: settings.binary.clone(),
            // Nothing reads a log of it.
            injector: Injector::without_log(
                plan.quirks(),
                [("token".to_owned(), names.token.clone())].into(),
            ),
            plan: plan.clone(),
            names: names.clone(),
            trace: trace.clone(),
            wire: wire.clone(),
        };
        Ok((bench, wire))
    }

    /// What a runtime of this cell is told, beside its files.
    pub(super) fn fleet_settings(&self) -> FleetSettings {
        let deployed = deployed(&self.places).to_string_lossy().into_owned();
        let mut settings = launchers(&self.places, self.injector.clone(), |mode| {
            // Unlike the receiver of the cell it outlives whoever started it; what is left of it is swept with the cell.
            let args = ["serve", mode.name, "--deviations", &deployed];
            (self.binary.to_string_lossy().into_owned(), args.map(str::to_owned).into())
        });
        settings.team = self.team.borrow().clone();
        settings.health_budget = self.is_alone.then_some(PATIENT_HEALTH);
        settings
    }

    /// Starts the runtime, puts the gate before it when the scenario asks for one, and tells the receiver where callbacks go.
    pub(crate) async fn start_runtime(&self) -> Result<(), BenchError> {
        if let Some(driven) = self.driven.as_deref() {
            return self.start_driver(driven).await;
        }
        let settings = self.fleet_settings();
        let runtime = Runtime::start(self.runtime_host.clone(), settings).await;
        let runtime = runtime.map_err(|error| BenchError::because("the runtime did not start", error))?;
        let answers = self.plan.scenario.given.hermes.answers.clone();
        let callbacks = if answers.is_empty() {
            runtime.port()
        } else {
            self.open_gate(&runtime_url(&runtime), answers).await?
        };
        self.configure_receiver(callbacks)
            .map_err(|error| BenchError::because("cannot configure the receiver", error))?;
        watch_deliveries(&self.harness, &runtime, &self.trace);
        *self.runtime.borrow_mut() = Some(runtime);
        Ok(())
    }

    /// Starts a runtime that is not ours. The receiver calls back at the gate, where callbacks are seen.
    async fn start_driver(&self, driven: &Driven) -> Result<(), BenchError> {
        let given = &self.plan.scenario.given;
        let node = driven.start(&self.places, &self.names, given.receiver.auth).await?;
        // Where there is nobody, callbacks go nowhere; what the story asks of the driver tells why.
        let node = node.unwrap_or_else(|reason| {
            tracing::debug!(reason, "the driver did not start");
            NOWHERE.to_owned()
        });
        let callbacks = self.open_gate(&node, given.hermes.answers.clone()).await?;
        self.configure_receiver(callbacks)
            .map_err(|error| BenchError::because("cannot configure the receiver", error))
    }

    /// The runtime that is not ours.
    pub(super) fn driven(&self) -> Option<&Driven> {
        self.driven.as_deref()
    }

    async fn open_gate(&self, node: &str, answers: Vec<gate::GateAnswer>) -> Result<u16, BenchError> {
        let identity =
            Identity { name: "gate".to_owned(), cwd: self.places.root.clone(), ..Identity::default() };
        let host = Host::real(identity, Some(self.wire.clone()));
        let listener = gate::listen(&host, &Address::loopback(0)).await;
        let listener = listener.map_err(|error| BenchError::because("cannot open the gate", error))?;
        // One that names no place where it could be called back is called back nowhere.
        let node = node.parse().or_else(|_| NOWHERE.parse());
        let node = node.map_err(|error| BenchError::because("cannot open the gate", error))?;
        let port = listener.port();
        host.spawn(gate::serve(host.clone(), listener, node, answers));
        Ok(port)
    }

    fn configure_receiver(&self, callbacks: u16) -> io::Result<()> {
        if self.plan.executor.files.is_none() {
            return Ok(());
        }
        if let Some(subject) = &self.subject {
            let cell = self.cell_of_subject();
            subject.is_told(&cell, callbacks);
            return Ok(());
        }
        let config = receiver_config(&self.plan, &self.names, &self.places, self.receiver_port, callbacks);
        let path = self.places.repo().join(self.plan.executor.file("config").unwrap_or_default());
        files::write(&path, &config)?;
        files::set_mode(&path, 0o600)
    }

    fn cell_of_subject(&self) -> CellOfSubject<'_> {
        CellOfSubject { plan: &self.plan, names: &self.names, places: &self.places, port: self.receiver_port }
    }

    /// The receiver that is not ours, if one is certified.
    pub(crate) fn foreign(&self) -> Option<&Arc<Foreign>> {
        self.plan.foreign()
    }

    /// The receiver is ready: the processes that there are now are its own.
    pub(crate) fn settle(&self) {
        let Some(subject) = &self.subject else { return };
        let pid = self.running_pid();
        subject.settled(strays::of_cell(&self.places.root, pid.map(|pid| pid.0)));
    }

    pub(crate) async fn launch_receiver(&self) -> Result<(), BenchError> {
        if let Some(subject) = &self.subject {
            return self.launch_subject(subject).await;
        }
        let mut command = Command::new(self.binary.to_string_lossy(), self.places.repo());
        let deviations = deviations(&self.places).to_string_lossy().into_owned();
        let args = ["receiver", &self.plan.executor.id.value, "--deviations", &deviations];
        command.args = args.map(str::to_owned).into();
        let path = search_path(&self.places);
        command.env = receiver_environment(&self.plan, &self.places, &self.names, &path);
        // The receiver ends with the harness, however that ends: its standard input is at an end then.
        command.stdin = Stdin::Held;
        command.stdout = Output::Append(self.places.log());
        command.stderr = Output::Append(self.places.log());
        let child = self.harness.processes().spawn(command).await;
        let child = child.map_err(|error| BenchError::because("cannot start the receiver", error))?;
        let started = Started { pid: Some(child.pid), code: Rc::default(), ended: Rc::default() };
        self.harness.spawn(reap(child, started.code.clone(), started.ended.clone()));
        *self.receiver.borrow_mut() = Some(started);
        Ok(())
    }

    async fn launch_subject(&self, subject: &ForeignSubject) -> Result<(), BenchError> {
        let wrong = |error| BenchError::because("cannot write the receiver's files", error);
        subject.write_files(&self.cell_of_subject()).map_err(wrong)?;
        // One that was never ready is not waited for again and again; and one that runs already is not started.
        let Some(command) = subject.command(&self.cell_of_subject()) else {
            let code = Rc::new(Cell::new((!subject.foreign.runs_already()).then_some(NEVER_STARTED)));
            *self.receiver.borrow_mut() = Some(Started { pid: None, code, ended: Rc::default() });
            return Ok(());
        };
        let child = self.harness.processes().spawn(command).await;
        let mut child = child.map_err(|error| BenchError::because("cannot start the receiver", error))?;
        foreign::keep_log(&self.harness, &mut child, self.places.log());
        let started = Started { pid: Some(child.pid), code: Rc::default(), ended: Rc::default() };
        self.harness.spawn(reap(child, started.code.clone(), started.ended.clone()));
        *self.receiver.borrow_mut() = Some(started);
        Ok(())
    }

    pub(crate) fn receiver_runs(&self) -> bool {
        self.receiver.borrow().as_ref().is_some_and(|started| started.code.get().is_none())
    }

    fn running_pid(&self) -> Option<Pid> {
        let receiver = self.receiver.borrow();
        receiver.as_ref().filter(|started| started.code.get().is_none()).and_then(|started| started.pid)
    }

    pub(crate) fn receiver_code(&self) -> Option<i32> {
        self.receiver.borrow().as_ref().and_then(|started| started.code.get())
    }

    /// Completes when the receiver does not run.
    pub(crate) async fn receiver_ended(&self) {
        let running =
            self.receiver.borrow().as_ref().map(|started| (started.code.clone(), started.ended.clone()));
        let Some((code, ended)) = running else { return };
        while code.get().is_none() {
            ended.notified().await;
        }
    }

    pub(crate) async fn signal_receiver(&self, signal: Signal) {
        let own = self.subject.iter().flat_map(|subject| subject.own(signal));
        for pid in self.running_pid().into_iter().chain(own) {
            let _ = self.harness.processes().signal(pid, signal).await;
        }
        if self.subject.as_ref().is_some_and(|subject| subject.foreign.runs_already()) {
            // Nobody here ends it; the cell has no more to do with it.
            let receiver = self.receiver.borrow();
            receiver.iter().for_each(|started| {
                started.code.set(Some(0));
                started.ended.notify_waiters();
            });
        }
    }

    /// Stops the receiver, and continues it after a while.
    pub(crate) fn freeze_receiver(&self, time: Duration) {
        let Some(pid) = self.running_pid() else { return };
        send(pid, rustix::process::Signal::STOP);
        let code = self.receiver.borrow().as_ref().map(|started| started.code.clone());
        let harness = self.harness.clone();
        self.harness.spawn(async move {
            harness.clock().sleep(time).await;
            // As long as nobody reaped it nobody else has its number.
            if code.is_some_and(|code| code.get().is_none()) {
                send(pid, rustix::process::Signal::CONT);
            }
        });
    }

    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        self.subject.iter().for_each(|subject| subject.was_changed(path));
        files::remove(path)
    }

    pub(crate) fn write(&self, path: &Path, content: &[u8], append: bool) -> io::Result<()> {
        self.subject.iter().for_each(|subject| subject.was_changed(path));
        let mut whole = if append { files::read(path).unwrap_or_default() } else { Vec::new() };
        whole.extend_from_slice(content);
        files::write(path, &whole)
    }

    /// Every process of the cell but receivers.
    pub(crate) fn strays(&self) -> Vec<(Pid, String)> {
        let receiver = self.running_pid().map(|pid| pid.0);
        let (own, neighbour) = (self.runtime.borrow(), self.neighbour.borrow());
        let runtimes = own.iter().chain(neighbour.iter());
        let deployed: Vec<u32> = runtimes.flat_map(Runtime::launched).map(|pid| pid.0).collect();
        let strays = strays::of_cell(&self.places.root, receiver).into_iter();
        strays
            .filter(|stray| !deployed.contains(&stray.pid))
            .filter(|stray| self.driven.as_deref().and_then(Driven::pid) != Some(Pid(stray.pid)))
            .filter(|stray| {
                !self.receiver_runs() || self.subject.as_ref().is_none_or(|subject| !subject.has(stray))
            })
            .map(|stray| (Pid(stray.pid), stray.name))
            .collect()
    }

    /// Every process of the cell, the receiver first.
    pub(crate) fn processes(&self) -> Vec<(u32, String)> {
        let receiver = self.running_pid().map(|pid| pid.0);
        let others = strays::of_cell(&self.places.root, receiver).into_iter();
        let others = others.map(|stray| (stray.pid, stray.name));
        receiver.map(|pid| (pid, "receiver".to_owned())).into_iter().chain(others).collect()
    }

    pub(crate) fn look(&self, moment: &str, trace: &Trace) {
        look_at_files(&self.places, trace, moment);
    }

    pub(crate) fn files(&self) -> Files {
        observed(&self.places)
    }

    /// A panic of the harness; or a stand-in that did not reach its stage. It says so on its standard error, which a receiver
    /// puts into replies and logs.
    pub(crate) fn failure(&self) -> Option<String> {
        let hosts = [&self.harness, &self.client, &self.runtime_host];
        let panics: Vec<String> = hosts.iter().flat_map(|host| host.panics()).collect();
        if !panics.is_empty() {
            return Some(format!("panic: {}", panics.join("; ")));
        }
        let says_so = |content: &[u8]| String::from_utf8_lossy(content).contains(control::NO_CONTROL_TEXT);
        let replied = self.trace.any(|what| match what {
            What::Callback { sent, .. } => says_so(&sent.0),
            What::Delivered { text, .. } => says_so(text.as_bytes()),
            _ => false,
        });
        let written = || self.files().values().any(|file| says_so(&file.content));
        (replied || written()).then(|| control::NO_CONTROL_TEXT.to_owned())
    }

    /// Ends every process of the cell and removes its folder.
    pub(crate) async fn tear_down(&self) {
        let processes = self.harness.processes();
        if let Some(pid) = self.running_pid() {
            let _ = processes.signal_group(pid, Signal::Kill).await;
        }
        self.harness.clock().within(Duration::from_secs(5), self.receiver_ended()).await;
        if let Some(driven) = self.driven.as_deref() {
            driven.stop().await;
        }
        self.runtime_host.end();
        // Only now nobody starts another one.
        sweep_and_remove(&self.harness, &self.places.root).await;
    }
}

/// Ends every process that lives below a cell's folder, and removes the folder: what is left to do when the cell could not
/// tear itself down.
pub(crate) async fn clear_away(root: &Path) {
    sweep_and_remove(&Host::real(Identity::default(), None), root).await;
}

async fn sweep_and_remove(harness: &Host, root: &Path) {
    sweep(harness, root).await;
    if let Err(error) = files::remove_dir(root) {
        tracing::warn!(%error, folder = %root.display(), "the cell's folder could not be removed");
    }
}

/// Kills every process of a cell until there is none.
async fn sweep(harness: &Host, root: &Path) {
    let swept = async {
        loop {
            let strays = strays::of_cell(root, None);
            for stray in strays.iter().filter(|stray| stray.is_there()) {
                let _ = harness.processes().signal(Pid(stray.pid), Signal::Kill).await;
            }
            if strays.is_empty() {
                break;
            }
            harness.clock().sleep(Duration::from_millis(5)).await;
        }
    };
    if harness.clock().within(Duration::from_secs(5), swept).await.is_none() {
        tracing::warn!(folder = %root.display(), "processes of the cell could not be ended");
    }
}

/// Sends a signal for which the port has no word: nobody in a simulated world is stopped and continued.
fn send(pid: Pid, signal: rustix::process::Signal) {
    let pid = i32::try_from(pid.0).ok().and_then(rustix::process::Pid::from_raw);
    // One that ended meanwhile needs no signal.
    let _ = pid.map(|pid| rustix::process::kill_process(pid, signal));
}

async fn reap(mut child: Child, code: Rc<Cell<Option<i32>>>, ended: Rc<Notify>) {
    let status = child.wait().await;
    code.set(Some(status.map_or(-1, |status| status.return_code())));
    ended.notify_waiters();
}

fn look_at_files(places: &Places, trace: &Trace, moment: &str) {
    let files = observed(places);
    trace.look_at_files(moment, None, |see| {
        files.iter().for_each(|(path, file)| see(path, file.mode, &file.content));
    });
}

fn observed(places: &Places) -> Files {
    let mut all = Files::new();
    for (place, prefix) in places.observed() {
        let below = files::all_below(&place).into_iter();
        let found = below.map(|(path, mode, content)| (path, File { mode, content: Rc::new(content) }));
        all.extend(prefixed(found, prefix));
    }
    all
}

/// Where programs are looked for: first where the stand-in is.
pub(super) fn search_path(places: &Places) -> String {
    format!("{}:/usr/bin:/bin", places.bin().to_string_lossy())
}

/// `node` is where the runtime listens; the system chooses when it is 0.
fn furnish(plan: &Plan, names: &Names, places: &Places, (receiver, node): (u16, u16)) -> io::Result<()> {
    for folder in [places.repo().join(".hermes"), places.home(), places.hermes(), places.bin()] {
        files::make_dir(&folder)?;
    }
    files::write(&template(places), TEMPLATE)?;
    files::write(&places.hermes().join("fleet.yaml"), &fleet_yaml(plan, places, receiver, node))?;
    for (path, text) in &plan.scenario.given.files {
        files::write(&places.path(&names.resolve(path)), text.as_bytes())?;
    }
    for link in &plan.scenario.given.links {
        let place = |written: &str| places.path(&names.resolve(written));
        files::link(&place(&link.to), &place(&link.path))?;
    }
    // What is a CLI's comes to the stand-in by the control connection.
    let quirks = plan.quirks().into_iter().filter(|quirk| quirk.role == "receiver").collect();
    let made = Deviations { framing: plan.release.framing.clone(), quirks, declares: plan.declares() };
    files::write(&deviations(places), &serde_json::to_vec(&made).map_err(io::Error::other)?)?;
    // The release alone, without what the scenario says of the cell's own receiver.
    let declares = plan.release.declares.iter().map(|uri| uri.value.clone()).collect();
    let made = Deviations { framing: plan.release.framing.clone(), quirks: Vec::new(), declares };
    files::write(&deployed(places), &serde_json::to_vec(&made).map_err(io::Error::other)?)
}

/// The file that says how the receivers that the runtime deploys differ from the reference. To read the releases' own files, all
/// data would have to be read, which takes longer than all else that such a receiver does.
fn deployed(places: &Places) -> PathBuf {
    places.root.join("deployed.json")
}

/// The file that says how the receiver differs from the reference.
fn deviations(places: &Places) -> PathBuf {
    places.root.join("deviations.json")
}
