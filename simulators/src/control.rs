//! The control connection of the real lane: how a stand-in CLI, which is a process of its own behind a receiver, reaches the
//! stage of its cell.
//!
//! One JSON object a line, each way, over loopback. The first line carries the key, which the stand-in reads from a file that
//! only its user can read; a receiver filters the environment and the working directory, so nothing else is relied on.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use gauntlet_world::network::{Address, Listener, Stream};
use gauntlet_world::{Either, Host, race};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::cli::{self, Profile};
use crate::stage::{Ending, Invocation, LocalFuture, Part, Stage};
use gauntlet_world::injection::{Injector, Quirk};

/// The exit code of a stand-in that could not reach its stage.
pub const NO_CONTROL: i32 = 97;
/// What such a stand-in says. Found in a reply or a log, it means that the harness failed and not the subject.
pub const NO_CONTROL_TEXT: &str = "gauntlet stand-in: no control connection";

const MAX_LINE: usize = 16 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    Hello { key: String },
    Lifeline { key: String },
    Enter(Box<Invocation>),
    Leave(Box<Ending>),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Welcome { profile: Box<Profile>, quirks: Vec<Quirk> },
    Part(Box<Part>),
    Done,
}

/// Why a control connection does not work.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// It broke.
    #[error("the control connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// What came is no line of this protocol.
    #[error("the control connection says what nobody expected: {0}")]
    Unexpected(String),
}

struct Lines {
    stream: Stream,
    buffer: Vec<u8>,
}

impl Lines {
    fn new(stream: Stream) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    async fn write<T: Serialize>(&mut self, value: &T) -> Result<(), ControlError> {
        let mut line =
            serde_json::to_vec(value).map_err(|error| ControlError::Unexpected(error.to_string()))?;
        line.push(b'\n');
        self.stream.write_all(&line).await?;
        Ok(self.stream.flush().await?)
    }

    async fn read<T: for<'de> Deserialize<'de>>(&mut self) -> Result<T, ControlError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return serde_json::from_slice(&line)
                    .map_err(|error| ControlError::Unexpected(error.to_string()));
            }
            self.buffer.reserve(8192);
            let read = self.stream.read_buf(&mut self.buffer).await?;
            if read == 0 || self.buffer.len() > MAX_LINE {
                return Err(ControlError::Unexpected("the end of the connection".to_owned()));
            }
        }
    }
}

/// How long nobody is let in after that failed: out of descriptors, most likely, and those who are served give theirs back.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves stand-ins for ever: hands each the profile and the quirks, and connects it with the stage.
pub async fn serve(
    host: Host,
    listener: Listener,
    key: String,
    stage: Rc<dyn Stage>,
    profile: Arc<Profile>,
    quirks: Vec<Quirk>,
) {
    loop {
        let stream = match listener.accept().await {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(%error, "a stand-in could not be let in");
                host.clock().sleep(PAUSE).await;
                continue;
            }
        };
        let (key, stage, profile, quirks) = (key.clone(), stage.clone(), profile.clone(), quirks.clone());
        host.spawn(async move {
            // A stand-in that is killed breaks its connection; that is how most of them end.
            let _ = attend(Lines::new(stream), &key, &*stage, &profile, quirks).await;
        });
    }
}

async fn attend(
    mut lines: Lines,
    key: &str,
    stage: &dyn Stage,
    profile: &Profile,
    quirks: Vec<Quirk>,
) -> Result<(), ControlError> {
    let is_right = |shown: &str| bool::from(shown.as_bytes().ct_eq(key.as_bytes()));
    match lines.read().await? {
        Question::Hello { key: shown } if is_right(&shown) => {}
        Question::Lifeline { key: shown } if is_right(&shown) => {
            // Held open until this program ends; the stand-in ends with it.
            let _: Result<Question, _> = lines.read().await;
            return Ok(());
        }
        _ => return Err(ControlError::Unexpected("a wrong key".to_owned())),
    }
    lines.write(&Reply::Welcome { profile: Box::new(profile.clone()), quirks }).await?;
    loop {
        match lines.read().await? {
            Question::Enter(invocation) => {
                let part = stage.enter(*invocation).await;
                lines.write(&Reply::Part(Box::new(part))).await?;
            }
            Question::Leave(ending) => {
                stage.leave(*ending).await;
                lines.write(&Reply::Done).await?;
            }
            Question::Hello { .. } | Question::Lifeline { .. } => {
                return Err(ControlError::Unexpected("a second hello".to_owned()));
            }
        }
    }
}

/// The stage as a stand-in sees it.
struct Remote {
    host: Host,
    lines: RefCell<Option<Lines>>,
}

impl Remote {
    async fn ask(&self, question: Question) -> Option<Reply> {
        let mut lines = self.lines.borrow_mut().take()?;
        lines.write(&question).await.ok()?;
        let reply = lines.read().await.ok()?;
        *self.lines.borrow_mut() = Some(lines);
        Some(reply)
    }
}

impl Stage for Remote {
    fn enter(&self, invocation: Invocation) -> LocalFuture<'_, Part> {
        Box::pin(async move {
            match self.ask(Question::Enter(Box::new(invocation))).await {
                Some(Reply::Part(part)) => *part,
                _ => {
                    let text = format!("{NO_CONTROL_TEXT}\n");
                    let _ = self.host.processes().print_error(text.as_bytes()).await;
                    Part { exit: Some(NO_CONTROL), ..Part::default() }
                }
            }
        })
    }

    fn leave(&self, ending: Ending) -> LocalFuture<'_, ()> {
        Box::pin(async move {
            self.ask(Question::Leave(Box::new(ending))).await;
        })
    }
}

/// Runs a stand-in: reaches the stage, learns the profile, and is that CLI. Gives the exit code. It does not outlive the
/// harness: when that is gone, a second connection, which carries nothing, comes to its end.
pub async fn stand_in(host: Host, control: &Address, key_file: &Path) -> i32 {
    match connect(&host, control, key_file).await {
        Ok(Connected { lines, mut lifeline, profile, quirks }) => {
            let stage = Rc::new(Remote { host: host.clone(), lines: RefCell::new(Some(lines)) });
            let cli = cli::run(host, Arc::new(profile), stage, Injector::new(quirks, Default::default()));
            match race(cli, lifeline.read::<Reply>()).await {
                Either::First(code) => code,
                Either::Second(_) => NO_CONTROL,
            }
        }
        Err(error) => {
            let _ = host.processes().print_error(format!("{NO_CONTROL_TEXT}: {error}\n").as_bytes()).await;
            NO_CONTROL
        }
    }
}

struct Connected {
    lines: Lines,
    lifeline: Lines,
    profile: Profile,
    quirks: Vec<Quirk>,
}

async fn connect(host: &Host, control: &Address, key_file: &Path) -> Result<Connected, ControlError> {
    let key = host.disk().read(key_file).await?;
    let key = String::from_utf8_lossy(&key).trim().to_owned();
    let mut lifeline = Lines::new(host.network().connect(control).await?);
    lifeline.write(&Question::Lifeline { key: key.clone() }).await?;
    let mut lines = Lines::new(host.network().connect(control).await?);
    lines.write(&Question::Hello { key }).await?;
    match lines.read().await? {
        Reply::Welcome { profile, quirks } => Ok(Connected { lines, lifeline, profile: *profile, quirks }),
        other => Err(ControlError::Unexpected(format!("{other:?}").chars().take(100).collect())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use gauntlet_world::fault::Rule;
    use gauntlet_world::process::ExitStatus;
    use gauntlet_world::simulated::{Exit, Launch, ProcessState, program};
    use gauntlet_world::{Machine, World, WorldSettings};
    use proptest::prelude::*;

    use super::*;
    use crate::stage::Purpose;

    const PROFILE: &str = include_str!("../../scenarios/profiles/codex-0.44.0.yaml");
    const CONTROL: u16 = 7000;

    #[derive(Default)]
    struct Script {
        entered: RefCell<Vec<Invocation>>,
        left: RefCell<Vec<Ending>>,
    }

    impl Stage for Script {
        fn enter(&self, invocation: Invocation) -> LocalFuture<'_, Part> {
            self.entered.borrow_mut().push(invocation);
            let part = Part { reply: Some("from the stage".to_owned()), ..Part::default() };
            Box::pin(std::future::ready(part))
        }

        fn leave(&self, ending: Ending) -> LocalFuture<'_, ()> {
            self.left.borrow_mut().push(ending);
            Box::pin(std::future::ready(()))
        }
    }

    struct Rig {
        world: World,
        machine: Machine,
        visitor: Host,
        harness: Host,
        script: Rc<Script>,
    }

    fn run(body: impl AsyncFnOnce(Rig)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), async {
            let world = World::new(WorldSettings::default());
            let machine = Machine::new(&world, "box");
            for (path, content) in [("/run/key", "k3y\n"), ("/run/wrong", "key"), ("/repo/x", "")] {
                machine
                    .disk_mut(|disk| {
                        disk.make_dir(Path::new(path).parent().unwrap_or(Path::new("/")))?;
                        disk.write(Path::new(path), content.as_bytes(), 0o600)
                    })
                    .expect("an empty disk takes files");
            }
            let visitor = |name| machine.visitor(name, BTreeMap::new(), PathBuf::from("/"), None);
            let (harness, script) = (visitor("harness"), Rc::new(Script::default()));
            let listener = harness.network().listen(&Address::loopback(CONTROL)).await.expect("a free port");
            let profile = Arc::new(serde_saphyr::from_str::<Profile>(PROFILE).expect("a profile"));
            harness.spawn(serve(
                harness.clone(),
                listener,
                "k3y".to_owned(),
                script.clone(),
                profile,
                Vec::new(),
            ));
            let rig = Rig {
                world: world.clone(),
                machine: machine.clone(),
                visitor: visitor("tester"),
                harness,
                script,
            };
            let clock = rig.visitor.clone();
            let outcome = clock.clock().within(Duration::from_secs(3600), body(rig)).await;
            assert_eq!(world.panics(), Vec::<String>::new());
            outcome.expect("the test comes to its end");
        });
    }

    impl Rig {
        fn launch(&self, args: &[&str], port: u16, key_file: &'static str) -> Exit {
            let launch = Launch {
                name: "codex".to_owned(),
                program: program(move |host| async move {
                    stand_in(host, &Address::loopback(port), Path::new(key_file)).await
                }),
                args: args.iter().map(|arg| (*arg).to_owned()).collect(),
                env: BTreeMap::new(),
                cwd: PathBuf::from("/repo"),
                log: Some(PathBuf::from("/out")),
                tap: None,
            };
            self.machine.launch(launch).1
        }

        fn output(&self) -> String {
            let content = self.machine.disk().read(Path::new("/out")).unwrap_or_default();
            String::from_utf8_lossy(&content).into_owned()
        }
    }

    const TURN: [&str; 6] = ["exec", "do it", "-s", "workspace-write", "--json", "--skip-git-repo-check"];

    #[test]
    fn a_stand_in_plays_the_part_that_its_stage_gives_it_and_says_what_it_did() {
        run(async |rig| {
            let exit = rig.launch(&TURN, CONTROL, "/run/key");
            assert_eq!(exit.wait().await, ExitStatus::Code(0), "{}", rig.output());
            assert!(rig.output().contains("from the stage"));
            let entered = rig.script.entered.borrow();
            assert_eq!(entered[0].args, TURN);
            assert!(matches!(&entered[0].purpose, Purpose::Turn { prompt, .. } if prompt == "do it"));
            let left = rig.script.left.borrow();
            assert_eq!((left.len(), left[0].pid, left[0].code), (1, entered[0].pid, 0));
            assert_eq!(left[0].stdout, rig.output());
        });
    }

    #[test]
    fn a_stand_in_that_cannot_be_let_in_does_not_lock_out_the_next() {
        run(async |rig| {
            // Whoever only visits a machine is spared by faults, so that this one is a process there.
            let (port, script) = (CONTROL + 7, rig.script.clone());
            let profile = Arc::new(serde_saphyr::from_str::<Profile>(PROFILE).expect("a profile"));
            let served = program(move |host| {
                let (script, profile) = (script.clone(), profile.clone());
                async move {
                    let listener =
                        host.network().listen(&Address::loopback(port)).await.expect("a free port");
                    serve(host, listener, "k3y".to_owned(), script, profile, Vec::new()).await;
                    0
                }
            });
            rig.machine.launch(Launch {
                name: "server".to_owned(),
                program: served,
                args: Vec::new(),
                env: BTreeMap::new(),
                cwd: PathBuf::from("/"),
                log: None,
                tap: None,
            });
            let rule = serde_json::from_value::<Rule>(
                serde_json::json!({ "host": "server", "at": "net.accept", "do": { "fail": "try_again" } }),
            );
            rig.world.arm(rule.expect("a rule"));
            let exit = rig.launch(&TURN, port, "/run/key");
            assert_eq!(exit.wait().await, ExitStatus::Code(NO_CONTROL), "{}", rig.output());
            let exit = rig.launch(&TURN, port, "/run/key");
            assert_eq!(exit.wait().await, ExitStatus::Code(0), "{}", rig.output());
        });
    }

    #[test]
    fn without_its_stage_a_stand_in_says_so_and_blames_nobody_else() {
        run(async |rig| {
            for (port, key_file) in
                [(CONTROL + 1, "/run/key"), (CONTROL, "/run/wrong"), (CONTROL, "/run/absent")]
            {
                let exit = rig.launch(&TURN, port, key_file);
                assert_eq!(exit.wait().await, ExitStatus::Code(NO_CONTROL));
            }
            assert_eq!(rig.output().matches(NO_CONTROL_TEXT).count(), 3, "{}", rig.output());
            assert!(!rig.output().contains("k3y"));
            assert!(rig.script.entered.borrow().is_empty());
        });
    }

    #[test]
    fn a_stand_in_does_not_outlive_the_harness() {
        run(async |rig| {
            let silent =
                rig.harness.network().listen(&Address::loopback(CONTROL + 2)).await.expect("a free port");
            let exit = rig.launch(&TURN, CONTROL + 2, "/run/key");
            // A harness that says welcome, gives no part, and dies.
            let profile = Box::new(serde_saphyr::from_str::<Profile>(PROFILE).expect("a profile"));
            let mut lifeline = Lines::new(silent.accept().await.expect("the lifeline"));
            let _: Question = lifeline.read().await.expect("a key");
            let mut lines = Lines::new(silent.accept().await.expect("the stand-in"));
            let _: Question = lines.read().await.expect("a key");
            lines.write(&Reply::Welcome { profile, quirks: Vec::new() }).await.expect("it is read");
            let _: Question = lines.read().await.expect("what it was given");
            rig.visitor.clock().sleep(Duration::from_secs(60)).await;
            assert_eq!(exit.state(), ProcessState::Running);
            drop(lifeline);
            assert_eq!(exit.wait().await, ExitStatus::Code(NO_CONTROL));
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whoever_says_something_else_is_sent_away_and_the_next_one_is_served(
            parts in prop::collection::vec(prop_oneof![
                prop::collection::vec(any::<u8>(), 0..30),
                Just(b"\n".to_vec()),
                Just(b"{\"hello\":{\"key\":\"key\"}}\n".to_vec()),
                Just(b"{\"hello\":{\"key\":\"k3y\"}}\n".to_vec()),
                Just(b"{\"lifeline\":{\"key\":\"k3y\"}}\n".to_vec()),
                Just(b"{\"enter\":{}}\n".to_vec()),
            ], 0..5),
        ) {
            run(async |rig| {
                let stream = rig.visitor.network().connect(&Address::loopback(CONTROL)).await;
                let mut stream = stream.expect("it listens");
                let _ = stream.write_all(&parts.concat()).await;
                let _ = stream.shutdown().await;
                let mut answer = Vec::new();
                let _ = stream.read_to_end(&mut answer).await;
                assert!(rig.script.entered.borrow().is_empty());
                assert!(!String::from_utf8_lossy(&answer).contains("k3y"));
                let exit = rig.launch(&TURN, CONTROL, "/run/key");
                assert_eq!(exit.wait().await, ExitStatus::Code(0));
            });
        }
    }
}
