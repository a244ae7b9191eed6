//! A command line that is really run, by `sh`: for real tasks, whose result nobody wrote down beforehand.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use gauntlet_world::Host;
use gauntlet_world::process::{Child, Command, Output, Pid};
use tokio::io::AsyncReadExt;

/// More than this is not kept of what a command prints.
const MAX_OUTPUT: u64 = 64 * 1024;

/// A command line that runs.
pub struct Shell(Child);

impl Shell {
    /// Starts a command line in a folder, with this environment and no other. In a group of its own it can be killed with all that
    /// it started; else it is of the group of whoever started it, and dies with that.
    pub async fn start(
        host: &Host,
        line: &str,
        cwd: &Path,
        env: BTreeMap<String, String>,
        own_group: bool,
    ) -> io::Result<Self> {
        let command = Command {
            // What it says on standard error is part of what its reader sees.
            args: vec!["-c".to_owned(), format!("exec 2>&1\n{line}")],
            env,
            stderr: Output::Null,
            own_group,
            ..Command::new("sh", cwd)
        };
        host.processes().spawn(command).await.map(Self)
    }

    /// The process, which leads the group when it has one of its own.
    pub fn pid(&self) -> Pid {
        self.0.pid
    }

    /// Waits for its end: its exit code, and what it printed.
    pub async fn end(&mut self) -> io::Result<(i32, String)> {
        let mut printed = Vec::new();
        if let Some(stdout) = self.0.stdout.take() {
            stdout.take(MAX_OUTPUT).read_to_end(&mut printed).await?;
        }
        let status = self.0.wait().await?;
        Ok((status.return_code(), String::from_utf8_lossy(&printed).into_owned()))
    }
}
