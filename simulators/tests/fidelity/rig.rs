//! One simulated machine with a CLI on its `PATH`.
#![expect(clippy::disallowed_methods, reason = "a test reads fixtures and has no host of its own")]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gauntlet_simulators::cli;
use gauntlet_simulators::cli::profile::Profile;
use gauntlet_simulators::recorder;
use gauntlet_simulators::stage::{Ending, Failure, Invocation, LocalFuture, Part, Stage};
use gauntlet_world::injection::{Injector, Quirk};
use gauntlet_world::process::{Child, Command, ExitStatus, Reader, Stdin};
use gauntlet_world::simulated::program;
use gauntlet_world::{Host, Machine, World, WorldSettings};
use tokio::io::AsyncReadExt as _;

/// Where the recorder's machine paths are in the simulation; the recordings call it `SCRATCH`.
pub(crate) const SCRATCH: &str = "/scratch";

/// A file of the repository.
pub(crate) fn repository(path: impl AsRef<Path>) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The profile of an executor's version.
pub(crate) fn profile(executor: &str, version: &str) -> Profile {
    let path = repository(format!("scenarios/profiles/{executor}-{version}.yaml"));
    let text = std::fs::read_to_string(&path).expect("the profile is there");
    match serde_saphyr::from_str(&text) {
        Ok(profile) => profile,
        Err(error) => unreadable(&path, &error),
    }
}

/// What the recorder makes of the recordings of an executor's version.
#[expect(clippy::panic, reason = "recordings that cannot be read fail the test")]
pub(crate) fn made(executor: &str, version: &str) -> recorder::Made {
    let from = format!("tests/fixtures/{executor}/{version}");
    let folder = repository(&from);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&folder).expect("the recordings are there") {
        let entry = entry.expect("an entry");
        let text = std::fs::read_to_string(entry.path()).expect("recordings are UTF-8");
        files.insert(entry.file_name().to_string_lossy().into_owned(), text);
    }
    if let Ok(codes) = std::fs::read_to_string(folder.with_file_name("exit-codes.txt")) {
        files.insert("exit-codes.txt".to_owned(), codes);
    }
    let made = recorder::record(executor, version, &from, &recorder::Recordings::new(version, files));
    made.unwrap_or_else(|error| panic!("{executor} {version}: {error}"))
}

/// The recorded text of one stream of a case, if it was recorded.
pub(crate) fn recorded(profile: Profile, case: &str, stream: &str) -> Option<String> {
    let folder = profile.recorded_from.expect("these profiles are recorded");
    std::fs::read_to_string(repository(folder).join(format!("{case}.{stream}"))).ok()
}

/// Every file among a profile's recordings belongs to one of these cases.
pub(crate) fn all_belong_to(cases: &[&str], profile: Profile) {
    let folder = repository(profile.recorded_from.expect("recorded"));
    for entry in std::fs::read_dir(&folder).expect("the recordings are there") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let case = name.split('.').next().expect("a name has a beginning");
        assert!(cases.contains(&case), "{}/{name} is compared with nothing", folder.display());
    }
}

/// The part of a turn that fails.
pub(crate) fn failing(failure: Failure, reply: Option<&str>) -> Part {
    Part { failure: Some(failure), reply: reply.map(str::to_owned), ..Part::default() }
}

#[expect(clippy::panic, reason = "a profile that cannot be read fails the test")]
fn unreadable(path: &Path, error: &serde_saphyr::Error) -> ! {
    panic!("{}: {error}", path.display())
}

/// Runs a test on the paused clock.
pub(crate) fn cell<F: Future>(body: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime can be built"), body)
}

/// A stage that hands out its parts in order and remembers everything.
#[derive(Default)]
pub(crate) struct Script {
    parts: RefCell<VecDeque<Part>>,
    pub(crate) entered: RefCell<Vec<Invocation>>,
    pub(crate) left: RefCell<Vec<Ending>>,
}

impl Stage for Script {
    fn enter(&self, invocation: Invocation) -> LocalFuture<'_, Part> {
        self.entered.borrow_mut().push(invocation);
        let part = self.parts.borrow_mut().pop_front().unwrap_or_default();
        Box::pin(std::future::ready(part))
    }

    fn leave(&self, ending: Ending) -> LocalFuture<'_, ()> {
        self.left.borrow_mut().push(ending);
        Box::pin(std::future::ready(()))
    }
}

/// A machine with a CLI installed, and a shell to start it from.
pub(crate) struct Rig {
    cli: String,
    pub(crate) machine: Machine,
    pub(crate) script: Rc<Script>,
    pub(crate) shell: Host,
    pub(crate) injector: Injector,
}

/// What a finished process left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Rig {
    /// The CLI of a profile, with these quirks. `home` and `repo` are folders below the recorder's.
    pub(crate) fn of(profile: Profile, quirks: Vec<Quirk>, home: &str, repo: &str) -> Self {
        let (cli, profile) = (profile.executor().to_owned(), std::sync::Arc::new(profile));
        let world = World::new(WorldSettings::default());
        let machine = Machine::new(&world, "box");
        let script = Rc::new(Script::default());
        let injector = Injector::new(quirks, BTreeMap::new());
        let (home, repo) = (format!("{SCRATCH}/{home}"), format!("{SCRATCH}/{repo}"));
        for directory in [&home, &repo] {
            machine
                .disk_mut(|disk| disk.make_dir(Path::new(directory)))
                .expect("an empty disk takes folders");
        }
        let (stage, quirky) = (script.clone(), injector.clone());
        let program_of_cli = program(move |host| {
            let (profile, stage, injector) = (profile.clone(), stage.clone(), quirky.clone());
            async move { cli::run(host, profile, stage, injector).await }
        });
        let path = Path::new("/bin").join(&cli);
        machine.install(&path, &cli, program_of_cli).expect("the CLI can be installed");
        machine.install(Path::new("/bin/sleep"), "sleep", program(sleep)).expect("sleep can be installed");
        let env = [("PATH", "/bin"), ("HOME", home.as_str()), ("TMPDIR", SCRATCH)];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let shell = machine.visitor("shell", env, PathBuf::from(repo), None);
        Self { cli, machine, script, shell, injector }
    }

    /// Starts the CLI with this part to play.
    pub(crate) async fn start(&self, args: &[&str], part: Part, stdin: Stdin) -> Child {
        self.script.parts.borrow_mut().push_back(part);
        let command = Command {
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            env: self.shell.environment().clone(),
            stdin,
            ..Command::new(&self.cli, self.shell.cwd())
        };
        self.shell.processes().spawn(command).await.expect("the CLI is installed")
    }

    /// Runs the CLI to its end.
    pub(crate) async fn run(&self, args: &[&str], part: Part) -> Ran {
        let child = self.start(args, part, Stdin::Null).await;
        finish(child).await
    }

    /// The files below a folder of the CLI's home, by name.
    pub(crate) fn files_below(&self, folder: &str) -> BTreeMap<String, String> {
        let files = self.machine.disk().files_below(&self.shell.home().join(folder));
        let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
        files.into_iter().map(|(name, file)| (name, text(&file.content))).collect()
    }
}

/// Reads both streams to their ends, and reaps.
pub(crate) async fn finish(mut child: Child) -> Ran {
    let stdout = rest(child.stdout.take()).await;
    let stderr = rest(child.stderr.take()).await;
    let code = match child.wait().await.expect("a child can be waited for") {
        ExitStatus::Code(code) => code,
        ExitStatus::Signal(number) => -number,
    };
    Ran { stdout, stderr, code }
}

/// What a stream still holds, to its end.
pub(crate) async fn rest(reader: Option<Reader>) -> String {
    let mut bytes = Vec::new();
    reader.expect("piped").read_to_end(&mut bytes).await.expect("a pipe can be read");
    String::from_utf8(bytes).expect("a CLI prints UTF-8")
}

/// A part that answers.
pub(crate) fn answer(reply: &str) -> Part {
    Part { reply: Some(reply.to_owned()), ..Part::default() }
}

/// Masks every run of exactly `length` characters of this kind between a beginning and an end.
pub(crate) fn masked(
    text: &str,
    begin: &str,
    kind: impl Fn(char) -> bool,
    length: usize,
    end: &str,
) -> String {
    let mut parts = text.split(begin);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str(begin);
        let run = part.chars().take_while(|c| kind(*c)).count();
        match part.get(run..) {
            Some(rest) if run == length && rest.starts_with(end) => {
                masked.push('#');
                masked.push_str(rest);
            }
            _ => masked.push_str(part),
        }
    }
    masked
}

async fn sleep(host: Host) -> i32 {
    let seconds: f64 = host.args().first().and_then(|text| text.parse().ok()).unwrap_or_default();
    host.clock().sleep(std::time::Duration::from_secs_f64(seconds)).await;
    0
}
