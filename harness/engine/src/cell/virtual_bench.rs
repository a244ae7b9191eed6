//! The bench of the virtual lane: one simulated machine that holds everything.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use gauntlet_protocol::fleet::{MODES, Mode};
use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::Settings as FleetSettings;
use gauntlet_runtime::fleet::command;
use gauntlet_runtime::team::TeamSettings;
use gauntlet_simulators::{cli, gate, programs, receiver};
use gauntlet_world::fault::Unsynced;
use gauntlet_world::injection::Injector;
use gauntlet_world::network::Address;
use gauntlet_world::process::{Pid, Signal};
use gauntlet_world::simulated::{Exploration, Launch, NetworkWeather, ProcessState, program};
use gauntlet_world::{Host, Machine, World, WorldSettings};
use tokio::sync::{Notify, oneshot};

use super::bench::{
    BenchError, Places, TEMPLATE, fleet_yaml, launchers, mode, receiver_config, receiver_environment,
    runtime_environment, template, watch_deliveries,
};
use super::hermes::NODES;
use super::names::Names;
use super::plan::{Deviation, Plan};
use super::stage::CellStage;
use super::tap::{OnlyOpened, Wire};
use crate::scenario::SubjectKind;
use crate::trace::Trace;

const NODE_PORT: u16 = 9219;
const GATE_PORT: u16 = 9218;
/// As many port calls as a cell may make. The largest honest cell makes a few thousand.
const TOUCH_BUDGET: u64 = 200_000;

/// The name of the runtime's command.
const COMMAND: &str = "gauntlet";

type Exit = gauntlet_world::simulated::Exit;

/// The port of a subject that is no receiver.
const NO_RECEIVER_PORT: u16 = 9311;

/// The one that a receiver takes when its configuration says none, so that one without a configuration is found, too.
fn receiver_port(plan: &Plan) -> u16 {
    mode(plan).map_or(NO_RECEIVER_PORT, |mode| mode.default_port)
}

/// The bench of the virtual lane.
pub(crate) struct VirtualBench {
    pub(crate) world: World,
    pub(crate) machine: Machine,
    _looked_at: Rc<Machine>,
    pub(crate) places: Places,
    pub(crate) receiver_port: u16,
    pub(crate) harness: Host,
    pub(crate) client: Host,
    pub(crate) injector: Injector,
    pub(crate) runtime: RefCell<Option<Runtime>>,
    pub(crate) runtime_lost: Notify,
    receiver: RefCell<Option<(Pid, Exit)>>,
    runtime_pid: Cell<Option<Pid>>,
    /// The team mode of the runtime, if it has one.
    pub(super) team: RefCell<Option<TeamSettings>>,
    plan: Plan,
    names: Rc<Names>,
    wire: Rc<Wire>,
    trace: Rc<Trace>,
}

impl VirtualBench {
    /// Builds the machine: folders, files, the executor's CLI, the gate. Nothing runs yet but the gate.
    pub(crate) async fn build(
        plan: &Plan,
        names: &Rc<Names>,
        trace: &Rc<Trace>,
    ) -> Result<(Self, Rc<Wire>), BenchError> {
        let log_touches = match &plan.deviation {
            None => true,
            Some(Deviation::Explored(explored)) => explored.log,
            Some(Deviation::Quirk(_) | Deviation::Fault(_)) => false,
        };
        let slips = match &plan.deviation {
            Some(Deviation::Explored(explored)) => explored.slips.clone(),
            _ => Vec::new(),
        };
        let settings = WorldSettings {
            seed: plan.cell_seed(),
            faults: plan.faults(),
            slips,
            touch_budget: TOUCH_BUDGET,
            exploration: plan
                .scenario
                .given
                .disturbances
                .shake
                .map_or(Exploration::Off, Exploration::ShakeBy),
            log_touches,
            ..WorldSettings::default()
        };
        let world = World::new(settings);
        let machine = Machine::new(&world, "machine");
        if let Some(latency) = plan.scenario.given.disturbances.latency {
            machine.set_weather(None, None, NetworkWeather::Latency(latency.duration()));
        }
        let places = Places { root: PathBuf::from("/cell") };
        *names.workdir.borrow_mut() = places.repo().to_string_lossy().into_owned();
        // The machine holds the CLI, which holds the stage, which looks at the machine: a circle that would never be freed if
        // the last were no weak one.
        let looked_at = Rc::new(machine.clone());
        let look = {
            let (machine, places, trace) = (Rc::downgrade(&looked_at), places.clone(), trace.clone());
            move |moment: &str| {
                if let Some(machine) = machine.upgrade() {
                    look_at_files(&machine, &places, &trace, moment);
                }
            }
        };
        let receiver_port = receiver_port(plan);
        names.port.set(receiver_port);
        let stage = Rc::new(CellStage::new(
            plan.scenario.given.executor.turns.clone(),
            names.clone(),
            trace.clone(),
            Box::new(look.clone()),
        ));
        let wire = Rc::new(Wire::new(trace.clone(), receiver_port, Box::new(look)));
        let secrets = [("token".to_owned(), names.token.clone())].into();
        // What passes in a plain cell says what could bite there; what passes in another one says nothing to anybody.
        let injector = match plan.deviation {
            None => Injector::new(plan.quirks(), secrets),
            Some(_) => Injector::without_log(plan.quirks(), secrets),
        };
        let gated = !plan.scenario.given.hermes.answers.is_empty();
        furnish(&machine, plan, names, &places, gated)
            .map_err(|error| BenchError::because("cannot furnish the cell", error))?;
        install(&machine, plan, &places, &stage, &injector)
            .map_err(|error| BenchError::because("cannot install the CLI", error))?;
        let harness = machine.visitor("harness", Default::default(), places.root.clone(), None);
        let client = machine.visitor("client", Default::default(), places.root.clone(), Some(wire.clone()));
        let bench = Self {
            world,
            machine,
            _looked_at: looked_at,
            places,
            receiver_port,
            harness,
            client,
            injector,
            runtime: RefCell::default(),
            runtime_lost: Notify::new(),
            receiver: RefCell::default(),
            runtime_pid: Cell::default(),
            team: RefCell::default(),
            plan: plan.clone(),
            names: names.clone(),
            wire: wire.clone(),
            trace: trace.clone(),
        };
        if gated {
            bench.open_gate().await?;
        }
        Ok((bench, wire))
    }

    async fn open_gate(&self) -> Result<(), BenchError> {
        let host = self.machine.visitor(
            "gate",
            Default::default(),
            self.places.root.clone(),
            Some(self.wire.clone()),
        );
        let listener = gate::listen(&host, &Address::loopback(GATE_PORT)).await;
        let listener = listener.map_err(|error| BenchError::because("cannot open the gate", error))?;
        let node = format!("http://127.0.0.1:{NODE_PORT}/jsonrpc").parse();
        let node = node.map_err(|error| BenchError::because("cannot open the gate", error))?;
        host.spawn(gate::serve(
            host.clone(),
            listener,
            node,
            self.plan.scenario.given.hermes.answers.clone(),
        ));
        Ok(())
    }

    /// What a runtime of this machine is told, beside its files.
    pub(super) fn fleet_settings(&self) -> FleetSettings {
        let bin = self.places.bin();
        let settings = launchers(&self.places, self.injector.clone(), |mode| {
            (bin.join(deployed(mode)).to_string_lossy().into_owned(), Vec::new())
        });
        FleetSettings { team: self.team.borrow().clone(), ..settings }
    }

    /// Starts the runtime, unless it runs. In a world that misbehaves it may refuse to start: then it is started once more, as whoever
    /// watches over it would, and what is missing shows in the trace.
    pub(crate) async fn start_runtime(&self) -> Result<(), BenchError> {
        let started = self.start_runtime_once().await;
        if started.is_ok() || !self.plan.is_explored() {
            return started;
        }
        self.harness.clock().sleep(Duration::from_secs(1)).await;
        if let Err(error) = self.start_runtime_once().await {
            tracing::debug!(%error, "the runtime did not start twice");
        }
        Ok(())
    }

    /// The same, once: after a crash both a step and whoever watches for crashes may want it back.
    async fn start_runtime_once(&self) -> Result<(), BenchError> {
        if self.machine.running().iter().any(|(pid, ..)| Some(*pid) == self.runtime_pid.get()) {
            return Ok(());
        }
        let (ready, started) = oneshot::channel();
        let ready = Rc::new(Cell::new(Some(ready)));
        let settings = self.fleet_settings();
        let body = program(move |host: Host| {
            let (ready, settings) = (ready.clone(), settings.clone());
            async move {
                let runtime = Runtime::start(host, settings).await;
                let failed = runtime.is_err();
                if let Some(ready) = ready.take() {
                    // Whoever asked for the runtime may be gone with the cell.
                    let _ = ready.send(runtime);
                }
                if failed { 2 } else { std::future::pending().await }
            }
        });
        let gated = !self.plan.scenario.given.hermes.answers.is_empty();
        let (pid, _) = self.machine.launch(Launch {
            name: "runtime".to_owned(),
            program: body,
            args: Vec::new(),
            env: runtime_environment(&self.places, &self.names, &self.places.bin().to_string_lossy()),
            cwd: self.places.hermes(),
            log: None,
            // Behind the gate only the connections that the runtime opens are observations of their own.
            tap: if gated { Some(Rc::new(OnlyOpened(self.wire.clone()))) } else { Some(self.wire.clone()) },
        });
        self.runtime_pid.set(Some(pid));
        let started = self.harness.clock().within(Duration::from_secs(30), started).await;
        let runtime = match started {
            Some(Ok(Ok(runtime))) => runtime,
            Some(Ok(Err(error))) => return Err(BenchError::because("the runtime did not start", error)),
            // It died on the way, by a fault: whoever watches for crashes starts it again.
            Some(Err(_)) | None => return Ok(()),
        };
        watch_deliveries(&self.harness, &runtime, &self.trace);
        *self.runtime.borrow_mut() = Some(runtime);
        Ok(())
    }

    pub(crate) fn launch_receiver(&self) -> Result<(), BenchError> {
        let mode = mode(&self.plan).ok_or_else(|| {
            let found = &self.plan.executor.id.value;
            BenchError(format!("expected an executor that a receiver stands in front of; found {found:?}"))
        })?;
        let settings = receiver::Settings {
            mode,
            framing: self.plan.release.framing.clone(),
            injector: self.injector.clone(),
            declares: self.plan.extensions(),
        };
        let started = self.machine.launch(Launch {
            name: "receiver".to_owned(),
            program: program(move |host| receiver::run(host, settings.clone())),
            args: Vec::new(),
            env: receiver_environment(
                &self.plan,
                &self.places,
                &self.names,
                &self.places.bin().to_string_lossy(),
            ),
            cwd: self.places.repo(),
            log: Some(self.places.log()),
            tap: None,
        });
        *self.receiver.borrow_mut() = Some(started);
        Ok(())
    }

    pub(crate) fn receiver_runs(&self) -> bool {
        self.receiver.borrow().as_ref().is_some_and(|(_, exit)| exit.state() == ProcessState::Running)
    }

    pub(crate) fn receiver_code(&self) -> Option<i32> {
        match self.receiver.borrow().as_ref()?.1.state() {
            ProcessState::Running => None,
            ProcessState::Ended(status) => Some(status.return_code()),
        }
    }

    /// Completes when the receiver does not run.
    pub(crate) async fn receiver_ended(&self) {
        let exit = self.receiver.borrow().as_ref().map(|(_, exit)| exit.clone());
        if let Some(exit) = exit {
            exit.wait().await;
        }
    }

    pub(crate) fn signal_receiver(&self, signal: Signal) {
        if let Some((pid, _)) = &*self.receiver.borrow() {
            self.machine.send(*pid, signal);
        }
    }

    pub(crate) fn kill_runtime(&self) {
        if let Some(pid) = self.runtime_pid.take() {
            self.machine.kill(pid);
            self.lose_runtime();
        }
    }

    /// The runtime is gone, by whatever cause.
    pub(crate) fn lose_runtime(&self) {
        *self.runtime.borrow_mut() = None;
        self.runtime_lost.notify_waiters();
    }

    pub(crate) fn power_cut(&self, fate: Unsynced) {
        self.machine.power_cut(fate);
        self.lose_runtime();
    }

    pub(crate) fn write(&self, path: &Path, content: &[u8], append: bool) -> io::Result<()> {
        self.machine.disk_mut(|disk| {
            disk.make_dir(path.parent().unwrap_or(Path::new("/")))?;
            if append {
                disk.append(path, content, 0o644)?
            } else {
                disk.write(path, content, 0o644)?
            }
            disk.sync(path)?;
            disk.sync_dir(path.parent().unwrap_or(Path::new("/")))
        })
    }

    pub(crate) fn link(&self, target: &Path, path: &Path) -> io::Result<()> {
        self.machine.disk_mut(|disk| {
            disk.make_dir(path.parent().unwrap_or(Path::new("/")))?;
            disk.link(target, path)
        })
    }

    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        match self.machine.disk_mut(|disk| disk.remove_all(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Every process of the machine but the runtime, its command, Hermes nodes and receivers.
    pub(crate) fn strays(&self) -> Vec<(Pid, String)> {
        let receiver = self.receiver.borrow().as_ref().map(|(pid, _)| *pid);
        let ours = [receiver, self.runtime_pid.get()];
        let running = self.machine.running().into_iter().map(|(pid, name, _)| (pid, name));
        let is_deployed = |name: &str| MODES.iter().any(|mode| deployed(mode) == name);
        let is_ours =
            |pid: &Pid, name: &str| ours.contains(&Some(*pid)) || NODES.contains(&name) || name == COMMAND;
        running.filter(|(pid, name)| !is_ours(pid, name) && !is_deployed(name)).collect()
    }

    pub(crate) fn look(&self, moment: &str, trace: &Trace) {
        look_at_files(&self.machine, &self.places, trace, moment);
    }

    pub(crate) fn failure(&self) -> Option<String> {
        if self.world.is_exhausted() {
            return Some(format!("more than {TOUCH_BUDGET} port calls: something runs in circles"));
        }
        let panics = self.world.panics();
        (!panics.is_empty()).then(|| format!("panic: {}", panics.join("; ")))
    }
}

/// Looks at the files that are observed. Between two looks the disk has often not changed at all.
fn look_at_files(machine: &Machine, places: &Places, trace: &Trace, moment: &str) {
    let disk = machine.disk();
    let changes = disk.changes();
    if trace.looked_at() == Some(changes) {
        return;
    }
    trace.look_at_files(moment, Some(changes), |see| {
        for (place, prefix) in places.observed() {
            disk.visit_files(&place, prefix, see);
        }
    });
}

/// The program that stands for a receiver which the runtime deploys.
fn deployed(mode: &Mode) -> String {
    format!("{}-deployed", mode.name)
}

fn furnish(machine: &Machine, plan: &Plan, names: &Names, places: &Places, gated: bool) -> io::Result<()> {
    let callbacks = if gated { GATE_PORT } else { NODE_PORT };
    let config = receiver_config(plan, names, places, receiver_port(plan), callbacks);
    machine.disk_mut(|disk| {
        for folder in [places.repo().join(".hermes"), places.home(), places.hermes(), places.bin()] {
            disk.make_dir(&folder)?;
        }
        if let Some(file) = plan.executor.file("config") {
            disk.write(&places.repo().join(file), &config, 0o600)?;
        }
        disk.write(&template(places), TEMPLATE, 0o644)?;
        let fleet = fleet_yaml(plan, places, receiver_port(plan), NODE_PORT);
        disk.write(&places.hermes().join("fleet.yaml"), &fleet, 0o600)?;
        for (path, text) in &plan.scenario.given.files {
            let path = places.path(&names.resolve(path));
            disk.make_dir(path.parent().unwrap_or(Path::new("/")))?;
            disk.write(&path, text.as_bytes(), 0o644)?;
        }
        for link in &plan.scenario.given.links {
            let path = places.path(&names.resolve(&link.path));
            disk.make_dir(path.parent().unwrap_or(Path::new("/")))?;
            disk.link(&places.path(&names.resolve(&link.to)), &path)?;
        }
        disk.settle();
        Ok(())
    })
}

fn install(
    machine: &Machine,
    plan: &Plan,
    places: &Places,
    stage: &Rc<CellStage>,
    injector: &Injector,
) -> io::Result<()> {
    let sleep = program(|host: Host| async move {
        let seconds: f64 = host.args().first().and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        host.clock().sleep(Duration::try_from_secs_f64(seconds).unwrap_or_default()).await;
        0
    });
    machine.install(&places.bin().join("sleep"), "sleep", sleep)?;
    if plan.scenario.subject == SubjectKind::Hermes {
        for (name, program) in programs::all() {
            machine.install(&places.bin().join(name), name, program)?;
        }
    }
    if plan.scenario.steps.iter().any(|step| step.command.is_some()) {
        let injector = injector.clone();
        let command = program(move |host| command::program(host, injector.clone()));
        machine.install(&places.command(), COMMAND, command)?;
    }
    for mode in MODES {
        let settings = receiver::Settings {
            mode,
            framing: plan.release.framing.clone(),
            injector: injector.clone(),
            declares: plan.extensions(),
        };
        let receiver = program(move |host| receiver::run(host, settings.clone()));
        machine.install(&places.bin().join(deployed(mode)), &deployed(mode), receiver)?;
    }
    if plan.scenario.given.executor.installed {
        let profile = plan.profile.clone();
        let (stage, injector) = (stage.clone(), injector.clone());
        let cli = program(move |host| cli::run(host, profile.clone(), stage.clone(), injector.clone()));
        machine.install(&places.bin().join(&plan.executor.cli), &plan.executor.cli, cli)?;
    }
    Ok(())
}
