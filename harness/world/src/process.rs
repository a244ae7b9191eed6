//! The process port: children in groups, signals, and the own standard streams.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::host::{Host, Mechanics};
use crate::real;
use crate::simulated::process as simulated;
use crate::touch::Op;

/// A process id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pid(pub u32);

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The signals that bridges use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// SIGINT: the user interrupts.
    Interrupt,
    /// SIGTERM: please end.
    Terminate,
    /// SIGKILL: end at once; cannot be handled.
    Kill,
}

impl Signal {
    /// The number on Linux.
    pub fn number(self) -> i32 {
        match self {
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
            Signal::Kill => 9,
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitStatus {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

impl ExitStatus {
    /// The return code as Python's subprocess shows it: negative for a signal.
    pub fn return_code(self) -> i32 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(number) => -number,
        }
    }
}

/// What a child reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// End of file at once.
    Null,
    /// A pipe that stays open for as long as the parent lives (also while it waits), and that nobody writes to.
    Held,
    /// These bytes, and then the end of file.
    Given(Vec<u8>),
    /// From the parent, through a pipe of the usual size, until it drops [`Child::stdin`].
    Piped,
}

/// Where a child's standard output or error goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// To the parent, through a pipe of the usual size.
    Piped,
    /// Nowhere.
    Null,
    /// Where the parent's own goes.
    Inherit,
    /// To the end of this file.
    Append(PathBuf),
}

/// A child to be started.
#[derive(Debug, Clone)]
pub struct Command {
    /// A path, or a name that is looked up along `PATH` of `env`.
    pub program: String,
    /// Arguments, without the program's own name.
    pub args: Vec<String>,
    /// The whole environment of the child; nothing is inherited beside it.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: PathBuf,
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Whether the child leads a process group of its own.
    pub own_group: bool,
}

impl Command {
    /// A command with empty arguments and environment, null input, both outputs piped, in a group of its own.
    pub fn new(program: impl Into<String>, cwd: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: cwd.into(),
            stdin: Stdin::Null,
            stdout: Output::Piped,
            stderr: Output::Piped,
            own_group: true,
        }
    }
}

/// Bytes that a process reads.
pub type Reader = Pin<Box<dyn AsyncRead>>;
/// Bytes that a process writes.
pub type Writer = Pin<Box<dyn AsyncWrite>>;

/// A started child. Dropping it does not end it.
pub struct Child {
    /// Its process id; also the id of its group when it leads one.
    pub pid: Pid,
    /// Its standard input, when piped.
    pub stdin: Option<Writer>,
    /// Its standard output, when piped.
    pub stdout: Option<Reader>,
    /// Its standard error, when piped.
    pub stderr: Option<Reader>,
    pub(crate) host: Host,
    pub(crate) exit: Exit,
}

#[expect(
    clippy::disallowed_types,
    reason = "this is the port: the ban keeps everyone else from going around it"
)]
pub(crate) enum Exit {
    Simulated(simulated::Exit),
    Real(Box<tokio::process::Child>),
}

impl Child {
    /// Waits until it has ended, and reaps it.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        let target = self.pid.to_string();
        let _call = self.host.call(Op::ProcessWait.name(), &target);
        let status = match &mut self.exit {
            Exit::Simulated(exit) => exit.wait().await,
            Exit::Real(child) => {
                let status = real::process::status(child.wait().await?);
                self.host.let_go_of_stdin(self.pid);
                status
            }
        };
        self.host.before(Op::ProcessWait, &target).await?;
        self.host.after(Op::ProcessWait, &target).await;
        Ok(status)
    }
}

/// The processes of one host's machine.
pub struct Processes<'a>(pub(crate) &'a Host);

impl Processes<'_> {
    /// Starts a child.
    pub async fn spawn(&self, command: Command) -> io::Result<Child> {
        let target = command.program.clone();
        let _call = self.0.call(Op::ProcessSpawn.name(), &target);
        self.0.before(Op::ProcessSpawn, &target).await?;
        let child = match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => simulated::spawn(machine, self.0, command)?,
            Mechanics::Real(_) => real::process::spawn(self.0, command)?,
        };
        self.0.after(Op::ProcessSpawn, &target).await;
        Ok(child)
    }

    /// Sends a signal to one process. Fine when it has ended already.
    pub async fn signal(&self, pid: Pid, signal: Signal) -> io::Result<()> {
        self.0
            .touch(Op::ProcessSignal, &pid.to_string(), |_| match &self.0.inner.mechanics {
                Mechanics::Simulated(machine) => {
                    machine.signal(pid, signal);
                    Ok(())
                }
                Mechanics::Real(_) => real::process::signal(pid, signal),
            })
            .await
    }

    /// Sends a signal to every process of the group that `leader` leads. Fine when there is none.
    pub async fn signal_group(&self, leader: Pid, signal: Signal) -> io::Result<()> {
        self.0
            .touch(Op::ProcessSignal, &format!("group {leader}"), |_| match &self.0.inner.mechanics {
                Mechanics::Simulated(machine) => {
                    machine.signal_group(leader, signal);
                    Ok(())
                }
                Mechanics::Real(_) => real::process::signal_group(leader, signal),
            })
            .await
    }

    /// Whether a process runs, whoever started it. One that only waits to be reaped does not.
    pub async fn runs(&self, pid: Pid) -> io::Result<bool> {
        self.0
            .touch(Op::ProcessLook, &pid.to_string(), |_| match &self.0.inner.mechanics {
                Mechanics::Simulated(machine) => Ok(machine.runs(pid)),
                Mechanics::Real(_) => Ok(real::process::runs(pid)),
            })
            .await
    }

    /// The running processes whose environment holds `name=value`, in order of pid. Children inherit the environment, so a
    /// mark there finds also what was started between a spawn and the record of it.
    pub async fn marked(&self, name: &str, value: &str) -> io::Result<Vec<Pid>> {
        self.0
            .touch(Op::ProcessLook, name, |_| match &self.0.inner.mechanics {
                Mechanics::Simulated(machine) => Ok(machine.marked(name, value)),
                Mechanics::Real(_) => real::process::marked(name, value),
            })
            .await
    }

    /// The signals that are sent to this process from now on. Until this is called, a signal ends it.
    pub fn signals(&self) -> io::Result<Signals> {
        Ok(match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => Signals::Simulated(machine.handle_signals(self.0.pid())),
            Mechanics::Real(_) => Signals::Real(real::process::Signals::new()?),
        })
    }

    /// Writes to the own standard output, whole, waiting while the reader is slow.
    pub async fn print(&self, bytes: &[u8]) -> io::Result<()> {
        self.print_to("stdout", &self.0.inner.stdio.stdout, bytes).await
    }

    /// Writes to the own standard error, whole, waiting while the reader is slow.
    pub async fn print_error(&self, bytes: &[u8]) -> io::Result<()> {
        self.print_to("stderr", &self.0.inner.stdio.stderr, bytes).await
    }

    async fn print_to(&self, name: &str, sink: &Sink, bytes: &[u8]) -> io::Result<()> {
        let _call = self.0.call(Op::ProcessPrint.name(), name);
        let cut = self.0.before(Op::ProcessPrint, name).await?;
        let outcome = sink.write(self.0, cut.part(bytes)).await;
        self.0.after(Op::ProcessPrint, name).await;
        cut.outcome(outcome)
    }

    /// The own standard input; nothing when it was taken already.
    pub fn stdin(&self) -> Option<Reader> {
        self.0.inner.stdio.stdin.borrow_mut().take()
    }
}

/// The signals that reach a process, in order.
pub enum Signals {
    /// Of a simulated process.
    Simulated(simulated::SignalBox),
    /// Of this program.
    Real(real::process::Signals),
}

impl Signals {
    /// Waits for the next signal.
    pub async fn next(&mut self) -> Signal {
        match self {
            Signals::Simulated(signals) => signals.next().await,
            Signals::Real(signals) => signals.next().await,
        }
    }
}

/// The standard streams of a process.
pub(crate) struct Stdio {
    pub(crate) stdin: std::cell::RefCell<Option<Reader>>,
    pub(crate) stdout: Sink,
    pub(crate) stderr: Sink,
}

impl Stdio {
    #[expect(clippy::disallowed_methods, reason = "the real mechanics are where the port ends")]
    pub(crate) fn inherited() -> Self {
        Self {
            stdin: std::cell::RefCell::new(Some(Box::pin(tokio::io::stdin()))),
            stdout: Sink::RealOut,
            stderr: Sink::RealErr,
        }
    }
}

/// Where a process' own output goes.
#[derive(Clone)]
pub(crate) enum Sink {
    RealOut,
    RealErr,
    Null,
    File(PathBuf),
    Pipe(Rc<crate::simulated::pipe::End>),
}

impl Sink {
    async fn write(&self, host: &Host, bytes: &[u8]) -> io::Result<()> {
        use std::io::Write as _;
        use tokio::io::AsyncWriteExt as _;
        match (self, &host.inner.mechanics) {
            (Sink::RealOut, _) => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            }
            (Sink::RealErr, _) => io::stderr().lock().write_all(bytes),
            (Sink::File(path), Mechanics::Simulated(machine)) => {
                machine.disk_mut(|disk| disk.append(path, bytes, 0o600))
            }
            (Sink::Pipe(end), _) => crate::simulated::pipe::PipeWriter(end.clone()).write_all(bytes).await,
            (Sink::Null | Sink::File(_), _) => Ok(()),
        }
    }
}
