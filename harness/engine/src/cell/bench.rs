//! The bench: the machines of a cell, and what the harness can do to them. One for each lane.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gauntlet_protocol::fleet::{MODES, Mode};
use gauntlet_runtime::Runtime;
use gauntlet_runtime::fleet::{Launcher, Settings as FleetSettings};
use gauntlet_runtime::team::TeamSettings;
use gauntlet_simulators::receiver::SUBJECT_TOKEN;
use gauntlet_simulators::stranger::{self, Says};
use gauntlet_world::fault::{Rule, Unsynced};
use gauntlet_world::http::{self, Request};
use gauntlet_world::injection::{Injector, Millis};
use gauntlet_world::network::Address;
use gauntlet_world::process::Pid;
use gauntlet_world::simulated::{Exit, Launch, Program};
use gauntlet_world::touch::Touch;
use gauntlet_world::{Host, Identity, Machine};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::driven::Driven;
use super::names::{NEIGHBOUR_PORT, Names};
use super::plan::Plan;
use super::real::{RealBench, free_port, search_path};
use super::virtual_bench::VirtualBench;
use super::workdir;
use crate::certify::Foreign;
use crate::scenario::{Folder, Limits, SubjectKind};
use crate::strays;
use crate::trace::{File, Trace, What};

/// A process that the bench started beside the receiver: of the machine, or a host in this process.
#[derive(Clone)]
pub(super) enum Process {
    Simulated(Machine, Pid, Exit),
    Hosted(Host, Rc<Notify>),
}

impl Process {
    pub(super) fn kill(&self) {
        match self {
            Process::Simulated(machine, pid, _) => machine.kill(*pid),
            Process::Hosted(host, ended) => {
                host.end();
                ended.notify_waiters();
            }
        }
    }

    /// Completes when it does not run any more.
    pub(super) async fn ended(&self) {
        match self {
            Process::Simulated(_, _, exit) => drop(exit.wait().await),
            Process::Hosted(host, ended) => {
                let told = ended.notified();
                if !host.is_dead() {
                    told.await;
                }
            }
        }
    }
}

/// The harness itself failed, or its environment did: the cell has no verdict.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct BenchError(pub(crate) String);

impl BenchError {
    pub(crate) fn because(what: &str, error: impl std::fmt::Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

/// The bench of a lane.
pub(crate) enum Bench {
    Virtual(VirtualBench),
    Real(RealBench),
}

/// The name of the runtime's peer: the subject.
pub(crate) const PEER: &str = "subject";
/// The variable that holds the bearer of the subject.
pub(super) const RECEIVER_TOKEN: &str = SUBJECT_TOKEN;
/// The variable that holds the bearer of whoever takes callbacks, or of a subject's neighbour.
pub(super) const HERMES_TOKEN: &str = "A2A_HERMES_TOKEN";
/// How long a receiver may take until it is ready.
const READY: Duration = Duration::from_secs(15);

/// Where things are below the root of a cell; the same in both lanes.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    pub(crate) root: PathBuf,
}

impl Places {
    pub(crate) fn repo(&self) -> PathBuf {
        self.root.join("repo")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    pub(crate) fn hermes(&self) -> PathBuf {
        self.root.join("hermes")
    }

    pub(crate) fn neighbour(&self) -> PathBuf {
        self.root.join("neighbour")
    }

    pub(crate) fn bin(&self) -> PathBuf {
        self.root.join("bin")
    }

    /// The runtime's command, where it is a program of the simulation.
    pub(crate) fn command(&self) -> PathBuf {
        self.bin().join("gauntlet")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("receiver.log")
    }

    /// The places whose files are observed, with the prefix of their paths in the trace.
    pub(crate) fn observed(&self) -> [(PathBuf, &'static str); 5] {
        [
            (self.repo(), "repo"),
            (self.home(), "home"),
            (self.hermes(), "hermes"),
            (self.neighbour(), "neighbour"),
            (self.log(), "receiver.log"),
        ]
    }

    /// A path of a scenario: relative to the working directory, to the executor's home after `~/`, or to the runtime's after
    /// `~hermes/`. Loading refuses paths that lead out; whatever a word in one stood for, nothing here leads out either.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        let (folder, rest) = Folder::split(written);
        let below = Path::new(rest).components().filter(|part| matches!(part, Component::Normal(_)));
        self.root.join(folder.in_trace()).join(below.collect::<PathBuf>())
    }
}

/// The mode of the plan's executor; nothing when no receiver stands in front of it.
pub(crate) fn mode(plan: &Plan) -> Option<&'static Mode> {
    Mode::named(plan.profile.executor())
}

/// The time after which a receiver of this plan ends a turn: the lane's, unless the scenario says another one, and what its executor
/// is given beyond it.
pub(crate) fn turn_cap(plan: &Plan) -> Duration {
    let said = plan.scenario.given.receiver.config.get(&cap_member(plan)).and_then(Value::as_f64);
    let said = said.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let grace = plan.executor.grace.map_or(Duration::ZERO, Millis::duration);
    // One that is not ours may not be told of it.
    let said = said.filter(|_| plan.foreign().is_none_or(|foreign| foreign.can_set("turn_cap")));
    said.unwrap_or(limits(plan).turn_cap).saturating_add(grace)
}

/// The limits of a cell's receiver.
pub(super) fn limits(plan: &Plan) -> Limits {
    plan.foreign().map_or(Limits::of(plan.lane), |foreign| foreign.limits)
}

fn cap_member(plan: &Plan) -> String {
    format!("{}_timeout_s", plan.executor.cli)
}

/// The receiver's configuration file.
pub(crate) fn receiver_config(
    plan: &Plan,
    names: &Names,
    places: &Places,
    port: u16,
    callbacks: u16,
) -> Vec<u8> {
    let (given, limits) = (&plan.scenario.given.receiver, limits(plan));
    let seconds = |duration: Duration| json!(duration.as_secs_f64());
    *names.hermes_url.borrow_mut() = format!("http://127.0.0.1:{callbacks}/jsonrpc");
    let mut config = json!({
        "repo_path": places.repo().to_string_lossy(),
        "bind_host": "127.0.0.1",
        "bind_port": port,
        "hermes_url": *names.hermes_url.borrow(),
        "hermes_auth_token_env": HERMES_TOKEN,
        "role_prompt": "You are the executor of this repository.",
        "idle_timeout_s": seconds(limits.idle),
        "poll_interval_s": seconds(limits.poll),
        "context_lock_wait_s": seconds(limits.lock_wait),
    });
    if let Value::Object(members) = &mut config {
        members.insert(cap_member(plan), seconds(limits.turn_cap));
        if given.auth {
            members.insert("auth_token_env".to_owned(), json!(RECEIVER_TOKEN));
        }
        let given = given.config.iter();
        members.extend(given.map(|(name, value)| (names.resolve(name), names.resolve_value(value))));
    }
    config.to_string().into_bytes()
}

/// The environment of the receiver. It has a bearer only when its configuration names it: of one that nobody told it of it cannot
/// know that it is a secret.
pub(crate) fn receiver_environment(
    plan: &Plan,
    places: &Places,
    names: &Names,
    path: &str,
) -> BTreeMap<String, String> {
    let given = &plan.scenario.given.receiver;
    let names_it = |member: &str, variable: &str, usually: bool| {
        given.config.get(member).map_or(usually, |said| said.as_str() == Some(variable))
    };
    let bearers = [
        ("auth_token_env", RECEIVER_TOKEN, given.auth, &names.token),
        ("hermes_auth_token_env", HERMES_TOKEN, true, &names.hermes_token),
    ];
    let bearers =
        bearers.into_iter().filter(|(member, variable, usually, _)| names_it(member, variable, *usually));
    let own = [("HOME", places.home().to_string_lossy().into_owned()), ("PATH", path.to_owned())];
    own.into_iter()
        .chain(bearers.map(|(_, variable, _, token)| (variable, token.clone())))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The environment of the runtime.
pub(crate) fn runtime_environment(places: &Places, names: &Names, path: &str) -> BTreeMap<String, String> {
    [
        ("HOME", places.home().to_string_lossy().into_owned()),
        ("PATH", path.to_owned()),
        ("HERMES_HOME", places.hermes().to_string_lossy().into_owned()),
        (RECEIVER_TOKEN, names.token.clone()),
        (HERMES_TOKEN, names.hermes_token.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// How the runtime starts a receiver that it deploys. The template's text is only looked at.
pub(crate) fn launchers(
    places: &Places,
    injector: Injector,
    start: impl Fn(&'static Mode) -> (String, Vec<String>),
) -> FleetSettings {
    let receivers = MODES.iter().map(|mode| {
        let (program, args) = start(mode);
        (mode.name.to_owned(), Launcher { template: template(places), program, args })
    });
    FleetSettings { receivers: receivers.collect(), injector, health_budget: None, team: None }
}

/// The file that a deploy copies into a repository.
pub(crate) fn template(places: &Places) -> PathBuf {
    places.root.join("receiver-template.py")
}

/// What is in it: the receiver of a cell is a program of the harness.
pub(crate) const TEMPLATE: &[u8] =
    b"# The receiver of this cell runs elsewhere; this file stands in its place.\n";

/// The runtime's `fleet.yaml`: its one peer is the subject.
pub(crate) fn fleet_yaml(plan: &Plan, places: &Places, receiver: u16, node: u16) -> Vec<u8> {
    if plan.scenario.subject == SubjectKind::Team {
        let server = format!("{{ bind_host: 127.0.0.1, bind_port: {node}, token_env: {HERMES_TOKEN} }}");
        return format!("fleet:\n  enabled: false\n  server: {server}\n").into_bytes();
    }
    let token = if plan.scenario.given.receiver.auth { RECEIVER_TOKEN } else { "null" };
    // Texts are written as JSON writes them, which YAML reads alike.
    let (mode, repo) = (json!(plan.executor.id.value), json!(places.repo().to_string_lossy()));
    let mut text = format!(
        "fleet:
  self:
    name: gauntlet
  server:
    bind_host: 127.0.0.1
    bind_port: {node}
    token_env: {HERMES_TOKEN}
  agents:
    {PEER}:
      url: http://127.0.0.1:{receiver}
      token_env: {token}
      mode: {mode}
      repo_path: {repo}
"
    );
    for (member, value) in &plan.scenario.given.peer {
        text.push_str(&format!("      {member}: {value}\n"));
    }
    text.into_bytes()
}

impl Bench {
    /// The harness' own host: for its clock, and for requests that are no observations.
    pub(crate) fn harness(&self) -> &Host {
        match self {
            Bench::Virtual(bench) => &bench.harness,
            Bench::Real(bench) => &bench.harness,
        }
    }

    /// The host whose requests are observations.
    pub(crate) fn client(&self) -> &Host {
        match self {
            Bench::Virtual(bench) => &bench.client,
            Bench::Real(bench) => &bench.client,
        }
    }

    pub(crate) fn places(&self) -> &Places {
        match self {
            Bench::Virtual(bench) => &bench.places,
            Bench::Real(bench) => &bench.places,
        }
    }

    pub(crate) fn receiver_port(&self) -> u16 {
        match self {
            Bench::Virtual(bench) => bench.receiver_port,
            Bench::Real(bench) => bench.receiver_port,
        }
    }

    pub(crate) fn runtime(&self) -> Option<Runtime> {
        match self {
            Bench::Virtual(bench) => bench.runtime.borrow().clone(),
            Bench::Real(bench) => bench.runtime.borrow().clone(),
        }
    }

    /// The runtime that is not ours, if one is certified.
    pub(super) fn driven(&self) -> Option<&Driven> {
        match self {
            Bench::Virtual(_) => None,
            Bench::Real(bench) => bench.driven(),
        }
    }

    /// Completes when the runtime of this moment is gone.
    pub(crate) async fn runtime_lost(&self) {
        match self {
            Bench::Virtual(bench) => bench.runtime_lost.notified().await,
            Bench::Real(_) => std::future::pending().await,
        }
    }

    /// Starts a process beside the receiver.
    pub(super) fn launch(
        &self,
        name: &str,
        env: BTreeMap<String, String>,
        cwd: PathBuf,
        program: Program,
    ) -> Process {
        match self {
            Bench::Virtual(bench) => {
                let launch = Launch {
                    name: name.to_owned(),
                    program,
                    args: Vec::new(),
                    env,
                    cwd,
                    log: None,
                    tap: None,
                };
                let (pid, exit) = bench.machine.launch(launch);
                Process::Simulated(bench.machine.clone(), pid, exit)
            }
            Bench::Real(_) => {
                let identity = Identity { name: name.to_owned(), env, cwd, ..Identity::default() };
                let (host, ended) = (Host::real(identity, None), Rc::new(Notify::new()));
                let (living, told) = (host.clone(), ended.clone());
                self.harness().spawn(async move {
                    program(living.clone()).await;
                    living.end();
                    told.notify_waiters();
                });
                Process::Hosted(host, ended)
            }
        }
    }

    /// A port for one more who listens.
    pub(super) fn further_port(&self) -> Result<u16, BenchError> {
        match self {
            Bench::Virtual(_) => Ok(NEIGHBOUR_PORT),
            Bench::Real(bench) => {
                let port = free_port(&bench.harness);
                port.map_err(|error| BenchError::because("no port is free", error))
            }
        }
    }

    /// A host beside the machine: what happens to that does not happen to it.
    pub(super) fn beside(&self, name: &str) -> Host {
        let cwd = self.places().repo();
        match self {
            Bench::Virtual(bench) => bench.machine.visitor(name, BTreeMap::new(), cwd, None),
            Bench::Real(_) => {
                Host::real(Identity { name: name.to_owned(), cwd, ..Identity::default() }, None)
            }
        }
    }

    /// What was written so far outlasts a power cut.
    pub(super) fn settle_disk(&self) {
        if let Bench::Virtual(bench) = self {
            bench.machine.disk_mut(|disk| disk.settle());
        }
    }

    /// Gives the runtime that is started from now on a team mode.
    pub(super) fn set_team(&self, settings: TeamSettings) {
        match self {
            Bench::Virtual(bench) => *bench.team.borrow_mut() = Some(settings),
            Bench::Real(bench) => *bench.team.borrow_mut() = Some(settings),
        }
    }

    /// The injector of a Hermes node.
    pub(super) fn hermes_injector(&self) -> Injector {
        match self {
            Bench::Virtual(bench) => bench.injector.clone(),
            Bench::Real(bench) => bench.injector.clone(),
        }
    }

    /// What a runtime of this cell is told, beside its files.
    pub(super) fn fleet_settings(&self) -> FleetSettings {
        match self {
            Bench::Virtual(bench) => bench.fleet_settings(),
            Bench::Real(bench) => bench.fleet_settings(),
        }
    }

    /// The runtime of the second profile is there; what it launches is none of a turn's leftovers.
    pub(super) fn note_neighbour(&self, neighbour: &Runtime) {
        if let Bench::Real(bench) = self {
            *bench.neighbour.borrow_mut() = Some(neighbour.clone());
        }
    }

    /// Starts the runtime.
    pub(crate) async fn start_runtime(&self) -> Result<(), BenchError> {
        match self {
            Bench::Virtual(bench) => bench.start_runtime().await,
            Bench::Real(bench) => bench.start_runtime().await,
        }
    }

    /// Starts the receiver and waits until it is ready, or has ended instead.
    pub(crate) async fn start_receiver(&self, trace: &Trace) -> Result<(), BenchError> {
        trace.push(What::Started { host: "receiver".to_owned() });
        match self {
            Bench::Virtual(bench) => bench.launch_receiver()?,
            Bench::Real(bench) => bench.launch_receiver().await?,
        }
        let harness = self.harness();
        let deadline = harness.clock().now() + self.foreign().map_or(READY, |foreign| foreign.ready_within());
        while harness.clock().now() < deadline && self.receiver_runs() {
            if self.is_ready().await {
                self.is_settled();
                trace.push(What::Ready { host: "receiver".to_owned() });
                self.look("ready", trace);
                return Ok(());
            }
            harness.clock().sleep(Duration::from_millis(10)).await;
        }
        self.foreign().into_iter().for_each(|foreign| foreign.became_ready(false));
        if let Some(code) = self.receiver_code() {
            trace.push(What::Ended { host: "receiver".to_owned(), code });
        }
        Ok(())
    }

    /// The receiver that is not ours, if one is certified.
    fn foreign(&self) -> Option<&Arc<Foreign>> {
        match self {
            Bench::Virtual(_) => None,
            Bench::Real(bench) => bench.foreign(),
        }
    }

    /// The receiver is ready: what there is of it now is it, and not what it began.
    fn is_settled(&self) {
        if let Bench::Real(bench) = self {
            bench.settle();
        }
    }

    async fn is_ready(&self) -> bool {
        let path = self.foreign().map_or("/health", |foreign| foreign.ready_path());
        let Ok(url) = format!("http://127.0.0.1:{}{path}", self.receiver_port()).parse() else {
            return false;
        };
        let request = Request {
            method: "GET".to_owned(),
            url,
            headers: Vec::new(),
            body: Vec::new(),
            limit: Duration::from_secs(2),
        };
        http::exchange(self.harness(), request).await.is_ok_and(|answer| answer.status == 200)
    }

    /// Whether the receiver's process runs.
    pub(crate) fn receiver_runs(&self) -> bool {
        match self {
            Bench::Virtual(bench) => bench.receiver_runs(),
            Bench::Real(bench) => bench.receiver_runs(),
        }
    }

    /// Runs a program of this computer in the working directory: its exit code, and what it printed.
    pub(crate) async fn run(&self, command: &str) -> Result<Value, BenchError> {
        match self {
            Bench::Virtual(_) => {
                Err(BenchError("a simulated machine has no programs of this computer".to_owned()))
            }
            Bench::Real(bench) => {
                let ran = workdir::run(&bench.harness, &bench.places, command).await;
                let (code, text) =
                    ran.map_err(|error| BenchError::because(&format!("cannot run {command}"), error))?;
                Ok(json!({ "code": code, "text": text }))
            }
        }
    }

    /// The runtime's command.
    pub(super) fn command(&self) -> PathBuf {
        match self {
            Bench::Virtual(bench) => bench.places.command(),
            Bench::Real(bench) => bench.binary.clone(),
        }
    }

    /// The environment of the runtime, which its command shares.
    pub(super) fn runtime_environment(&self, names: &Names) -> BTreeMap<String, String> {
        let path = match self {
            Bench::Virtual(bench) => bench.places.bin().to_string_lossy().into_owned(),
            Bench::Real(bench) => search_path(&bench.places),
        };
        runtime_environment(self.places(), names, &path)
    }

    /// The return code of the receiver that ended last.
    pub(crate) fn receiver_code(&self) -> Option<i32> {
        match self {
            Bench::Virtual(bench) => bench.receiver_code(),
            Bench::Real(bench) => bench.receiver_code(),
        }
    }

    /// Waits for the receiver's end, at most so long.
    pub(crate) async fn receiver_ends(&self, limit: Duration) -> Option<i32> {
        let ended = async {
            match self {
                Bench::Virtual(bench) => bench.receiver_ended().await,
                Bench::Real(bench) => bench.receiver_ended().await,
            }
        };
        self.harness().clock().within(limit, ended).await?;
        self.receiver_code()
    }

    /// Kills the receiver at once.
    pub(crate) async fn kill_receiver(&self) {
        match self {
            Bench::Virtual(bench) => bench.signal_receiver(gauntlet_world::process::Signal::Kill),
            Bench::Real(bench) => bench.signal_receiver(gauntlet_world::process::Signal::Kill).await,
        }
        self.receiver_ends(Duration::from_secs(5)).await;
    }

    /// Stops the receiver for a while. Only steps of the real lane ask for it.
    pub(crate) fn freeze_receiver(&self, time: Duration) {
        if let Bench::Real(bench) = self {
            bench.freeze_receiver(time);
        }
    }

    /// Asks the receiver to end.
    pub(crate) async fn stop_receiver(&self) {
        self.signal_receiver(gauntlet_world::process::Signal::Terminate).await;
    }

    /// Sends the receiver a signal.
    pub(crate) async fn signal_receiver(&self, signal: gauntlet_world::process::Signal) {
        match self {
            Bench::Virtual(bench) => bench.signal_receiver(signal),
            Bench::Real(bench) => bench.signal_receiver(signal).await,
        }
    }

    /// Kills the runtime at once. Only steps of the virtual lane ask for it.
    pub(crate) fn kill_runtime(&self) {
        if let Bench::Virtual(bench) = self {
            bench.kill_runtime();
        }
    }

    /// Cuts the machine's power. Only steps of the virtual lane ask for it.
    pub(crate) fn power_cut(&self, fate: Unsynced) {
        if let Bench::Virtual(bench) = self {
            bench.power_cut(fate);
        }
    }

    /// Lets a port call misbehave. Only steps of the virtual lane ask for it.
    pub(crate) fn arm(&self, rule: Rule) {
        if let Bench::Virtual(bench) = self {
            bench.world.arm(rule);
        }
    }

    /// Lets the wall clock of the machine jump.
    pub(crate) fn jump(&self, millis: i64) {
        if let Bench::Virtual(bench) = self {
            bench.machine.jump(millis);
        }
    }

    /// Lets all port calls behave again.
    pub(crate) fn mend(&self) {
        if let Bench::Virtual(bench) = self {
            bench.world.disarm();
        }
    }

    /// Writes a file from outside.
    pub(crate) fn write(&self, written: &str, text: &str, append: bool) -> Result<(), BenchError> {
        let path = self.places().path(written);
        let outcome = match self {
            Bench::Virtual(bench) => bench.write(&path, text.as_bytes(), append),
            Bench::Real(bench) => bench.write(&path, text.as_bytes(), append),
        };
        outcome.map_err(|error| BenchError::because(&format!("cannot write {written}"), error))
    }

    /// Removes a file or folder from outside.
    pub(crate) fn remove(&self, written: &str) -> Result<(), BenchError> {
        let path = self.places().path(written);
        let outcome = match self {
            Bench::Virtual(bench) => bench.remove(&path),
            Bench::Real(bench) => bench.remove(&path),
        };
        outcome.map_err(|error| BenchError::because(&format!("cannot remove {written}"), error))
    }

    /// Makes a symbolic link from outside.
    pub(crate) fn link(&self, written: &str, to: &str) -> Result<(), BenchError> {
        let (path, target) = (self.places().path(written), self.places().path(to));
        let outcome = match self {
            Bench::Virtual(bench) => bench.link(&target, &path),
            Bench::Real(_) => crate::files::link(&target, &path),
        };
        outcome.map_err(|error| BenchError::because(&format!("cannot make the link {written}"), error))
    }

    /// Lets something listen that has nothing to do with the fleet.
    pub(crate) async fn let_a_stranger_listen(
        &self,
        port: u16,
        says: Says,
        after: Duration,
    ) -> Result<(), BenchError> {
        let host = self.harness();
        let listener = host.network().listen(&Address::loopback(port)).await;
        let listener = listener.map_err(|error| BenchError::because("the stranger cannot listen", error))?;
        host.spawn(stranger::serve(host.clone(), listener, says, after));
        Ok(())
    }

    /// The processes that run now and that the harness did not start.
    pub(crate) fn strays(&self) -> Vec<(Pid, String)> {
        match self {
            Bench::Virtual(bench) => bench.strays(),
            Bench::Real(bench) => bench.strays(),
        }
    }

    /// The receivers that the runtime deployed and that run, with their arguments.
    pub(super) fn deployed(&self) -> Vec<(Pid, Vec<String>)> {
        let launched = self.runtime().map(|runtime| runtime.launched()).unwrap_or_default();
        let arguments = |pid: Pid| match self {
            Bench::Virtual(bench) => bench.machine.arguments(pid),
            Bench::Real(_) => strays::arguments(pid.0),
        };
        launched.into_iter().filter_map(|pid| Some((pid, arguments(pid)?))).collect()
    }

    /// How long a process that was killed may still be seen.
    pub(crate) fn dying(&self) -> Duration {
        match self {
            Bench::Virtual(_) => Duration::ZERO,
            Bench::Real(_) => Duration::from_secs(1),
        }
    }

    /// Takes a snapshot of the files.
    pub(crate) fn look(&self, moment: &str, trace: &Trace) {
        match self {
            Bench::Virtual(bench) => bench.look(moment, trace),
            Bench::Real(bench) => bench.look(moment, trace),
        }
    }

    /// The port calls of the cell, for faults; nothing in the real lane.
    pub(crate) fn touches(&self) -> Vec<Touch> {
        match self {
            Bench::Virtual(bench) => bench.world.log(),
            Bench::Real(_) => Vec::new(),
        }
    }

    /// The injector of the cell's simulated peers; nothing in the real lane, where they are other processes.
    pub(crate) fn injector(&self) -> Option<Injector> {
        match self {
            Bench::Virtual(bench) => Some(bench.injector.clone()),
            Bench::Real(_) => None,
        }
    }

    /// Why the cell has no verdict, when the simulation itself failed.
    pub(crate) fn failure(&self) -> Option<String> {
        match self {
            Bench::Virtual(bench) => bench.failure(),
            Bench::Real(bench) => bench.failure(),
        }
    }

    /// Ends everything that is left.
    pub(crate) async fn tear_down(&self) {
        if let Bench::Real(bench) = self {
            bench.tear_down().await;
        }
    }
}

/// Watches the deliveries of a runtime that were not seen before.
pub(crate) fn watch_deliveries(host: &Host, runtime: &Runtime, trace: &Rc<Trace>) {
    let delivered = |what: &What| match what {
        What::Delivered { id, context, .. } => Some((id.clone(), context.clone())),
        _ => None,
    };
    let seen: BTreeSet<(String, String)> =
        trace.read(|all| all.iter().filter_map(|seen| delivered(&seen.what)).collect());
    // What an earlier life delivered is read back from the disk, perhaps among what it wrote and could not confirm. If some of it is
    // missing there, it was not durable, and showing it again when it comes again is right.
    let read_back = runtime.deliveries().count();
    let (runtime, trace) = (runtime.clone(), trace.clone());
    host.spawn(async move {
        for number in 0.. {
            let delivery = runtime.deliveries().nth(number).await;
            let gauntlet_runtime::fleet::Delivery { id, context, text, late } = delivery;
            if number < read_back && seen.contains(&(id.clone(), context.clone())) {
                continue;
            }
            trace.push(What::Delivered { id, context, text, late });
        }
    });
}

/// Puts files below a place under a prefix.
pub(crate) fn prefixed(
    files: impl IntoIterator<Item = (String, File)>,
    prefix: &str,
) -> impl Iterator<Item = (String, File)> {
    files.into_iter().map(move |(path, file)| {
        (if path.is_empty() { prefix.to_owned() } else { format!("{prefix}/{path}") }, file)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_a_scenario_leads_out_of_its_cell() {
        let places = Places { root: PathBuf::from("/cell") };
        for (written, path) in [
            ("a/b.txt", "/cell/repo/a/b.txt"),
            ("~/.config/x", "/cell/home/.config/x"),
            ("~hermes/deliveries.jsonl", "/cell/hermes/deliveries.jsonl"),
            ("/etc/passwd", "/cell/repo/etc/passwd"),
            ("~/../../x", "/cell/home/x"),
            ("a/../../../x", "/cell/repo/a/x"),
        ] {
            assert_eq!(places.path(written), PathBuf::from(path), "{written}");
        }
    }
}
