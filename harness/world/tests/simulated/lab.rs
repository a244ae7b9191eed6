//! A world with one machine, and what tests do with it over and over.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::fault::{Happening, Moment, Rule};
use gauntlet_world::network::{Address, Stream};
use gauntlet_world::process::{Command, Pid};
use gauntlet_world::simulated::{Exit, Launch, program};
use gauntlet_world::touch::Op;
use gauntlet_world::{Host, Machine, World, WorldSettings};

pub(crate) const MS: Duration = Duration::from_millis(1);

/// One machine, and a host from which the test acts.
pub(crate) struct Lab {
    pub(crate) world: World,
    pub(crate) machine: Machine,
    pub(crate) visitor: Host,
}

/// Runs a test in a fresh world with default settings.
pub(crate) fn run<R: Future>(body: impl FnOnce(Lab) -> R) -> R::Output {
    run_with(WorldSettings::default(), body)
}

/// Runs a test in a fresh world.
pub(crate) fn run_with<R: Future>(settings: WorldSettings, body: impl FnOnce(Lab) -> R) -> R::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
        let world = World::new(settings);
        let machine = Machine::new(&world, "lab");
        machine.disk_mut(|disk| disk.make_dir(Path::new("/lab"))).expect("an empty disk takes a directory");
        machine.disk_mut(|disk| disk.settle());
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from("/lab"), None);
        let clock = visitor.clone();
        let lab = Lab { world, machine, visitor };
        // The horizon: a test that hangs fails instead.
        let outcome = clock.clock().within(Duration::from_secs(86_400), body(lab)).await;
        outcome.expect("the test comes to its end")
    })
}

impl Lab {
    /// Starts a process named `subject`.
    pub(crate) fn launch<F, R>(&self, body: F) -> (Pid, Exit)
    where
        F: Fn(Host) -> R + 'static,
        R: Future<Output = i32> + 'static,
    {
        self.launch_as("subject", body)
    }

    /// Starts a process with a name.
    pub(crate) fn launch_as<F, R>(&self, name: &str, body: F) -> (Pid, Exit)
    where
        F: Fn(Host) -> R + 'static,
        R: Future<Output = i32> + 'static,
    {
        self.machine.launch(Launch {
            name: name.to_owned(),
            program: program(body),
            args: Vec::new(),
            env: BTreeMap::from([("PATH".to_owned(), "/bin".to_owned())]),
            cwd: PathBuf::from("/lab"),
            log: None,
            tap: None,
        })
    }

    /// Installs a program in `/bin`.
    pub(crate) fn install<F, R>(&self, name: &str, body: F)
    where
        F: Fn(Host) -> R + 'static,
        R: Future<Output = i32> + 'static,
    {
        let path = Path::new("/bin").join(name);
        self.machine.install(&path, name, program(body)).expect("the program is installed");
    }

    /// Arms a fault at the nth such touch of `subject`.
    pub(crate) fn arm(&self, at: Op, nth: u32, moment: Moment, happening: Happening) {
        self.world.arm(Rule { host: "subject".to_owned(), at, target: None, nth, moment, happening });
    }

    /// Lets virtual time pass.
    pub(crate) async fn pass(&self, time: Duration) {
        self.visitor.clock().sleep(time).await;
    }

    /// The content of a file in the working directory; nothing when there is none.
    pub(crate) fn file(&self, name: &str) -> Option<String> {
        let content = self.machine.disk().read(&Path::new("/lab").join(name)).ok()?;
        Some(String::from_utf8(content).expect("text"))
    }

    /// The names of what runs.
    pub(crate) fn running(&self) -> Vec<String> {
        self.machine.running().into_iter().map(|(_, name, _)| name).collect()
    }

    /// Opens a connection from the test to a port.
    pub(crate) async fn connect(&self, port: u16) -> Stream {
        self.visitor.network().connect(&Address::loopback(port)).await.expect("something listens")
    }
}

/// A command that finds its program in `/bin`.
pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program, "/lab");
    command.env.insert("PATH".to_owned(), "/bin".to_owned());
    command
}
