//! A host over either mechanics, in an empty directory, with a place for programs.
#![expect(
    clippy::disallowed_methods,
    reason = "the rig waits below the clock port for the real system to settle"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use gauntlet_world::network::Tap;
use gauntlet_world::process::{Child, Command, Reader};
use gauntlet_world::simulated::Program;
use gauntlet_world::{Host, Identity, Machine, World, WorldSettings};
use tokio::io::AsyncReadExt;

/// What a test body works with.
pub(crate) struct Rig {
    /// A host whose working directory is empty.
    pub host: Host,
    machine: Option<Machine>,
    identity: Identity,
    panics_are_expected: Rc<Cell<bool>>,
}

/// Runs a body over the simulated mechanics.
pub(crate) fn simulated<R: Future<Output = ()>>(body: impl FnOnce(Rig) -> R) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let world = World::new(WorldSettings::default());
        let machine = Machine::new(&world, "lab");
        let identity = identity(PathBuf::from("/lab"));
        machine.disk_mut(|disk| disk.make_dir(&identity.cwd)).expect("an empty disk takes a directory");
        let host = machine.visitor(&identity.name, identity.env.clone(), identity.cwd.clone(), None);
        let panics_are_expected = Rc::new(Cell::new(false));
        let expected = panics_are_expected.clone();
        let rig = Rig { host: host.clone(), machine: Some(machine), identity, panics_are_expected };
        let outcome = host.clock().within(Duration::from_secs(3600), body(rig)).await;
        assert!(outcome.is_some(), "the body hangs");
        assert!(expected.get() || host.panics().is_empty(), "{:?}", host.panics());
    });
}

/// Runs a body over the real mechanics.
pub(crate) fn real<R: Future<Output = ()>>(body: impl FnOnce(Rig) -> R) {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let identity = identity(directory.path().canonicalize().expect("the directory is there"));
        let host = Host::real(identity.clone(), None);
        let panics_are_expected = Rc::new(Cell::new(false));
        let expected = panics_are_expected.clone();
        let rig = Rig { host: host.clone(), machine: None, identity, panics_are_expected };
        let outcome = host.clock().within(Duration::from_secs(60), body(rig)).await;
        assert!(outcome.is_some(), "the body hangs");
        assert!(expected.get() || host.panics().is_empty(), "{:?}", host.panics());
    });
}

fn identity(cwd: PathBuf) -> Identity {
    // The tests' own process has this variable from cargo; the simulated host has it from here.
    let env = BTreeMap::from([("CARGO_MANIFEST_DIR".to_owned(), "set".to_owned())]);
    Identity { name: "tester".to_owned(), env, cwd, ..Identity::default() }
}

impl Rig {
    /// Whether permission bits hold this host back: root is never held back, and so are tests that run as root.
    pub(crate) fn obeys_permissions(&self) -> bool {
        self.machine.is_some() || !rustix::process::geteuid().is_root()
    }

    /// The body has looked at the panics itself.
    pub(crate) fn panics_are_expected(&self) {
        self.panics_are_expected.set(true);
    }

    /// The same host again, with a tap on its connections.
    pub(crate) fn tapped(&self, tap: Rc<dyn Tap>) -> Host {
        let Identity { name, env, cwd, .. } = self.identity.clone();
        match &self.machine {
            Some(machine) => machine.visitor(&name, env, cwd, Some(tap)),
            None => Host::real(self.identity.clone(), Some(tap)),
        }
    }

    /// Installs a program in `bin`: a shell script, or the function that behaves like it.
    pub(crate) async fn install(&self, name: &str, script: &str, simulated: Program) {
        let disk = self.host.disk();
        let path = disk.absolute("bin").join(name);
        disk.make_dir("bin").await.expect("a directory for programs");
        match &self.machine {
            Some(machine) => machine.install(&path, name, simulated).expect("the program is installed"),
            None => {
                let script = format!("#!/bin/sh\n{script}\n");
                disk.create_new(&path, script.as_bytes(), 0o755).await.expect("the script is written");
            }
        }
    }

    /// A command that looks for its program in `bin`, then where the system keeps its own.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program, self.host.cwd());
        let bin = self.host.disk().absolute("bin");
        command.env.insert("PATH".to_owned(), format!("{}:/usr/bin:/bin", bin.display()));
        command.args = args.iter().map(|&arg| arg.to_owned()).collect();
        command
    }

    /// Starts a child. A script that another test's fork still holds open for writing is "busy" for a moment.
    pub(crate) async fn spawn(&self, command: Command) -> io::Result<Child> {
        const TEXT_FILE_BUSY: i32 = 26;
        let mut tries = 0;
        loop {
            match self.host.processes().spawn(command.clone()).await {
                Err(error) if error.raw_os_error() == Some(TEXT_FILE_BUSY) && tries < 100 => tries += 1,
                outcome => return outcome,
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Starts a program of `bin` with default settings.
    pub(crate) async fn start(&self, program: &str) -> Child {
        self.spawn(self.command(program, &[])).await.expect("the program starts")
    }

    /// Whether a future is still not done after a moment that is long for this computer.
    pub(crate) async fn waits<F: Future>(&self, future: F) -> bool {
        self.host.clock().within(Duration::from_millis(300), future).await.is_none()
    }
}

/// The two numbers of an error: those of Rust and of the operating system.
pub(crate) fn assert_error<T: Debug>(outcome: io::Result<T>, kind: io::ErrorKind, number: i32) {
    match outcome {
        Ok(value) => assert_eq!(format!("{value:?}"), format!("an error: {kind:?}")),
        Err(error) => assert_eq!((error.kind(), error.raw_os_error()), (kind, Some(number))),
    }
}

/// Everything up to the end of a child's output.
pub(crate) async fn read_all(reader: &mut Option<Reader>) -> String {
    let mut bytes = Vec::new();
    reader.as_mut().expect("a piped output").read_to_end(&mut bytes).await.expect("the pipe is readable");
    String::from_utf8(bytes).expect("text")
}

/// One line of a child's output, with its end.
pub(crate) async fn read_line(reader: &mut Option<Reader>) -> String {
    let reader = reader.as_mut().expect("a piped output");
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let byte = reader.read_u8().await.expect("the line comes to its end");
        line.push(byte);
    }
    String::from_utf8(line).expect("text")
}
