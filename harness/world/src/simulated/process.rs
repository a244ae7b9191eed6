//! Processes of a simulated machine.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;

use tokio::io::AsyncRead;
use tokio::sync::Notify;

use crate::host::{Host, Identity};
use crate::life::Life;
use crate::network::Tap;
use crate::process::{Child, Command, ExitStatus, Output, Pid, Reader, Signal, Sink, Stdin, Stdio, Writer};
use crate::simulated::Machine;
use crate::simulated::machine::Program;
use crate::simulated::pipe::{PipeReader, PipeWriter, channel};

/// A process that the harness itself starts on a machine, as an init system or a shell would.
pub struct Launch {
    /// The name in traces and fault files.
    pub name: String,
    /// What runs.
    pub program: Program,
    /// Arguments.
    pub args: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// The working directory.
    pub cwd: std::path::PathBuf,
    /// The file that standard output and error are appended to; nowhere when absent.
    pub log: Option<std::path::PathBuf>,
    /// Sees the bytes of its connections.
    pub tap: Option<Rc<dyn Tap>>,
}

/// What the machine's table says of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessState {
    /// It runs.
    Running,
    /// It has ended.
    Ended(ExitStatus),
}

pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) group: Pid,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) life: Rc<Life>,
    pub(crate) state: Rc<Ending>,
    pub(crate) signals: SignalBox,
}

pub(crate) struct Ending {
    pub(crate) state: RefCell<ProcessState>,
    changed: Notify,
}

impl Ending {
    pub(crate) fn set(&self, status: ExitStatus) {
        *self.state.borrow_mut() = ProcessState::Ended(status);
        self.changed.notify_waiters();
    }
}

/// The end of a simulated process, for whoever waits for it.
#[derive(Clone)]
pub struct Exit(Rc<Ending>);

impl Exit {
    /// Waits until the process has ended.
    pub async fn wait(&self) -> ExitStatus {
        loop {
            let changed = self.0.changed.notified();
            if let ProcessState::Ended(status) = &*self.0.state.borrow() {
                return *status;
            }
            changed.await;
        }
    }

    /// How it stands now.
    pub fn state(&self) -> ProcessState {
        self.0.state.borrow().clone()
    }
}

/// The signals sent to a simulated process that handles them.
#[derive(Clone, Default)]
pub struct SignalBox(Rc<SignalQueue>);

#[derive(Default)]
struct SignalQueue {
    handled: Cell<bool>,
    waiting: RefCell<VecDeque<Signal>>,
    arrived: Notify,
}

impl SignalBox {
    pub(crate) fn handle(&self) {
        self.0.handled.set(true);
    }

    /// Leaves the signal for the process; false when it does not handle signals.
    pub(crate) fn deliver(&self, signal: Signal) -> bool {
        if !self.0.handled.get() {
            return false;
        }
        self.0.waiting.borrow_mut().push_back(signal);
        self.0.arrived.notify_one();
        true
    }

    pub(crate) async fn next(&mut self) -> Signal {
        loop {
            let next = self.0.waiting.borrow_mut().pop_front();
            match next {
                Some(signal) => return signal,
                None => self.0.arrived.notified().await,
            }
        }
    }
}

/// One argument or variable may have this many bytes with its end, as on Linux (`MAX_ARG_STRLEN`).
const MAX_STRING: usize = 131_072;

/// What the real mechanics refuse: a NUL inside of a string, and a string that is too long.
fn check_strings(command: &Command) -> io::Result<()> {
    let pairs = command.env.iter().map(|(name, value)| name.len() + 1 + value.len());
    let lengths = command.args.iter().map(String::len).chain(pairs);
    let strings = command.args.iter().chain(command.env.values()).chain(command.env.keys());
    if strings.chain([&command.program]).any(|text| text.contains('\0')) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "nul byte found in provided data"));
    }
    if lengths.max().unwrap_or_default() >= MAX_STRING {
        return Err(io::Error::from_raw_os_error(7));
    }
    Ok(())
}

pub(crate) fn spawn(machine: &Machine, parent: &Host, command: Command) -> io::Result<Child> {
    check_strings(&command)?;
    let cwd = parent.cwd().join(&command.cwd);
    for output in [&command.stdout, &command.stderr] {
        if let Output::Append(path) = output {
            machine.disk_mut(|disk| disk.append(&cwd.join(path), &[], 0o600))?;
        }
    }
    if machine.disk().stat(&cwd)?.kind != crate::disk::Kind::Directory {
        return Err(io::Error::from_raw_os_error(20));
    }
    let (name, program) = machine.route(&command, &cwd)?;
    let life = Rc::new(Life::default());
    let sink = |output: &Output, parents: &Sink| -> (Sink, Option<Reader>) {
        match output {
            Output::Null => (Sink::Null, None),
            Output::Append(path) => (Sink::File(cwd.join(path)), None),
            Output::Inherit => match parents {
                Sink::Pipe(end) => (end.another_writer().map_or(Sink::Null, Sink::Pipe), None),
                other => (other.clone(), None),
            },
            Output::Piped => {
                let (read, write) = channel();
                parent.life().hold(&read);
                (Sink::Pipe(write), Some(Box::pin(PipeReader::new(read))))
            }
        }
    };
    let (out, stdout) = sink(&command.stdout, &parent.inner.stdio.stdout);
    let (err, stderr) = sink(&command.stderr, &parent.inner.stdio.stderr);
    let mut parents: Option<Writer> = None;
    let stdin: Reader = match command.stdin {
        Stdin::Null => Box::pin(tokio::io::empty()),
        Stdin::Piped => {
            let (read, write) = channel();
            life.hold(&read);
            parent.life().hold(&write);
            parents = Some(Box::pin(PipeWriter(write)));
            Box::pin(PipeReader::new(read))
        }
        Stdin::Given(bytes) => Box::pin(io::Cursor::new(bytes)),
        Stdin::Held => {
            let (read, write) = channel();
            parent.life().hold(&write);
            Box::pin(Keeping { reader: PipeReader::new(read), _writer: write })
        }
    };
    for sink in [&out, &err] {
        if let Sink::Pipe(end) = sink {
            life.hold(end);
        }
    }
    let identity = Identity { name, args: command.args, env: command.env, cwd, incarnation: 0 };
    let group = (!command.own_group).then(|| machine.group_of(parent.pid()));
    let stdio = Stdio { stdin: RefCell::new(Some(stdin)), stdout: out, stderr: err };
    let (pid, exit) = machine.start(program, identity, group, stdio, life, None);
    Ok(Child {
        pid,
        stdin: parents,
        stdout,
        stderr,
        host: parent.clone(),
        exit: crate::process::Exit::Simulated(exit),
    })
}

/// A pipe's reader that holds its writer open.
struct Keeping {
    reader: PipeReader,
    _writer: Rc<crate::simulated::pipe::End>,
}

impl AsyncRead for Keeping {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
        buffer: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.reader).poll_read(context, buffer)
    }
}

impl Entry {
    pub(crate) fn new(identity: &Identity, group: Pid, life: Rc<Life>) -> Self {
        let state = Rc::new(Ending { state: RefCell::new(ProcessState::Running), changed: Notify::new() });
        let Identity { name, args, env, .. } = identity.clone();
        Self { name, group, args, env, life, state, signals: SignalBox::default() }
    }

    pub(crate) fn exit(&self) -> Exit {
        Exit(self.state.clone())
    }

    pub(crate) fn runs(&self) -> bool {
        *self.state.state.borrow() == ProcessState::Running
    }
}
