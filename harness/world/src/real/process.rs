//! The process port over the operating system's processes.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the real mechanics are where the port ends"
)]

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid as RawPid, Signal as RawSignal, kill_process, kill_process_group};
use tokio::io::AsyncWriteExt;
use tokio::signal::unix::{Signal as Stream, SignalKind, signal as listen};

use crate::host::{Host, Mechanics};
use crate::process::{Child, Command, Exit, ExitStatus, Output, Pid, Signal, Stdin};
use crate::race::{Either, race};

pub(crate) fn spawn(host: &Host, command: Command) -> io::Result<Child> {
    let cwd = host.cwd().join(&command.cwd);
    let stdio = |output: &Output| -> io::Result<Stdio> {
        Ok(match output {
            Output::Piped => Stdio::piped(),
            Output::Null => Stdio::null(),
            Output::Inherit => Stdio::inherit(),
            Output::Append(path) => {
                fs::OpenOptions::new().append(true).create(true).mode(0o600).open(cwd.join(path))?.into()
            }
        })
    };
    let found = found(&command, &cwd);
    let mut started = tokio::process::Command::new(found.as_deref().unwrap_or(Path::new(&command.program)));
    started
        .arg0(&command.program)
        .args(&command.args)
        .env_clear()
        .envs(&command.env)
        .current_dir(&cwd)
        .stdin(match &command.stdin {
            Stdin::Null => Stdio::null(),
            Stdin::Held | Stdin::Given(_) | Stdin::Piped => Stdio::piped(),
        })
        .stdout(stdio(&command.stdout)?)
        .stderr(stdio(&command.stderr)?);
    if command.own_group {
        started.process_group(0);
    }
    let mut child = started.spawn()?;
    let pid = child.id().map(Pid).ok_or_else(|| io::Error::other("the child ended before it had a pid"))?;
    let (given, stdin) = match command.stdin {
        Stdin::Given(bytes) => (child.stdin.take().zip(Some(bytes)), None),
        Stdin::Piped => (None, child.stdin.take().map(|stdin| Box::pin(stdin) as crate::process::Writer)),
        Stdin::Null | Stdin::Held => (None, None),
    };
    if let Some((mut stdin, bytes)) = given {
        // A child need not read what it is given.
        host.spawn(async move { drop(stdin.write_all(&bytes).await) });
    }
    // tokio closes an input that it still owns when the child is waited for or let go; this one outlasts both.
    if let (Some(stdin), Mechanics::Real(machine)) = (child.stdin.take(), &host.inner.mechanics) {
        machine.held.borrow_mut().insert(pid, stdin);
    }
    let stdout = child.stdout.take().map(|out| Box::pin(out) as crate::process::Reader);
    let stderr = child.stderr.take().map(|err| Box::pin(err) as crate::process::Reader);
    Ok(Child { pid, stdin, stdout, stderr, host: host.clone(), exit: Exit::Real(Box::new(child)) })
}

/// Where a program lies that is named without a folder, by the search path that it is given. It is looked for here: where the standard
/// library looks for it, the child begins as a copy of this process, which costs more than the child. Nothing when it does not
/// lie anywhere; then the attempt to start it says so.
fn found(command: &Command, cwd: &Path) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    let folders = command.env.get("PATH").filter(|_| !command.program.contains('/'))?;
    std::env::split_paths(folders).map(|folder| cwd.join(folder).join(&command.program)).find(is_program)
}

pub(crate) fn status(status: std::process::ExitStatus) -> ExitStatus {
    match (status.code(), status.signal()) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, signal) => ExitStatus::Signal(signal.unwrap_or_default()),
    }
}

/// The operating system's pid; nothing for numbers that it gives to no process. 0 would mean the own group.
fn raw(pid: Pid) -> Option<RawPid> {
    i32::try_from(pid.0).ok().and_then(RawPid::from_raw)
}

fn raw_signal(signal: Signal) -> RawSignal {
    match signal {
        Signal::HangUp => RawSignal::HUP,
        Signal::Interrupt => RawSignal::INT,
        Signal::Terminate => RawSignal::TERM,
        Signal::Kill => RawSignal::KILL,
    }
}

fn fine_when_gone(outcome: rustix::io::Result<()>) -> io::Result<()> {
    match outcome {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn signal(pid: Pid, signal: Signal) -> io::Result<()> {
    raw(pid).map_or(Ok(()), |pid| fine_when_gone(kill_process(pid, raw_signal(signal))))
}

pub(crate) fn signal_group(leader: Pid, signal: Signal) -> io::Result<()> {
    // A group number of 1 would mean every process that there is.
    let leader = raw(leader).filter(|leader| !leader.is_init());
    leader.map_or(Ok(()), |leader| fine_when_gone(kill_process_group(leader, raw_signal(signal))))
}

/// Whether a process runs, by the kernel's table: one that only waits to be reaped does not.
pub(crate) fn runs(pid: Pid) -> bool {
    let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name stands in parentheses and may itself hold spaces and parentheses.
    let state = text.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| !matches!(state, "Z" | "X"))
}

pub(crate) fn marked(name: &str, value: &str) -> io::Result<Vec<Pid>> {
    let mark = format!("{name}={value}");
    let (mut pids, mut content) = (Vec::new(), vec![0; 16 * 1024]);
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()).map(Pid) else {
            continue;
        };
        let Ok(environment) = read_into(&format!("/proc/{pid}/environ"), &mut content) else { continue };
        if environment.split(|byte| *byte == 0).any(|pair| pair == mark.as_bytes()) && runs(pid) {
            pids.push(pid);
        }
    }
    pids.sort();
    Ok(pids)
}

/// Reads a file of the kernel into a buffer that is used again: such files say no length beforehand, and there are hundreds.
fn read_into<'b>(path: &str, content: &'b mut Vec<u8>) -> io::Result<&'b [u8]> {
    let mut file = fs::File::open(path)?;
    let mut length = 0;
    loop {
        if length == content.len() {
            content.resize(2 * length, 0);
        }
        match file.read(&mut content[length..]) {
            Ok(0) => return Ok(&content[..length]),
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether this program was started with a signal ignored, as `nohup` does it. Where nobody can tell, it was not.
fn is_ignored(signal: RawSignal) -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores(&status, signal))
}

/// The same by what the kernel says of a process.
fn ignores(status: &str, signal: RawSignal) -> bool {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask >> (signal.as_raw() - 1) & 1 == 1)
}

/// The signals that reach this program.
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    /// Nothing where whoever started this program wants it to outlive the terminal.
    hang_up: Option<Stream>,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: (!is_ignored(RawSignal::HUP)).then(|| listen(SignalKind::hangup())).transpose()?,
        })
    }

    pub(crate) async fn next(&mut self) -> Signal {
        let hang_up = async {
            match &mut self.hang_up {
                Some(hang_up) => hang_up.recv().await,
                None => std::future::pending().await,
            }
        };
        match race(self.terminate.recv(), race(self.interrupt.recv(), hang_up)).await {
            Either::First(_) => Signal::Terminate,
            Either::Second(Either::First(_)) => Signal::Interrupt,
            Either::Second(Either::Second(_)) => Signal::HangUp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_started_by_nohup_ignores_that_its_terminal_hangs_up() {
        let status = "Name:\tgauntlet\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert!(ignores(status, RawSignal::HUP) && ignores(status, RawSignal::PIPE));
        assert!(!ignores(status, RawSignal::INT) && !ignores("", RawSignal::HUP));
    }
}
