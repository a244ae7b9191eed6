//! A host that can be looked at, and not written to: of its disk port, what reads is here, and nothing else.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::disk::{Kind, Meta};
use gauntlet_world::network::Address;
use gauntlet_world::process::{Command, Output, Signal};
use tokio::io::AsyncReadExt;

/// A program that is asked for its version answers within this time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Whoever listens on the loopback interface takes a connection within this time.
const SOON: Duration = Duration::from_secs(1);
/// No program says its version in more bytes.
const LONGEST_ANSWER: u64 = 4096;

/// What can be seen from a host.
pub(super) struct Eyes<'a>(&'a Host);

impl<'a> Eyes<'a> {
    pub(super) fn new(host: &'a Host) -> Self {
        Self(host)
    }

    pub(super) fn env(&self, name: &str) -> Option<&str> {
        self.0.env(name).filter(|value| !value.trim().is_empty())
    }

    pub(super) fn home(&self) -> PathBuf {
        self.0.home()
    }

    pub(super) fn cwd(&self) -> &Path {
        self.0.cwd()
    }

    pub(super) async fn stat(&self, path: &Path) -> io::Result<Meta> {
        self.0.disk().stat(path).await
    }

    pub(super) async fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.disk().canonical(path).await
    }

    /// The text of a file; nothing when there is none.
    pub(super) async fn text(&self, path: &Path) -> io::Result<Option<String>> {
        let content = self.0.disk().read_if_present(path).await?;
        Ok(content.map(|content| String::from_utf8_lossy(&content).into_owned()))
    }

    async fn is_program(&self, path: &Path) -> bool {
        self.stat(path).await.is_ok_and(|meta| meta.kind == Kind::File && meta.mode & 0o111 != 0)
    }

    /// Where a program is, along the search path.
    pub(super) async fn on_path(&self, program: &str) -> Option<PathBuf> {
        let folders = self.0.env("PATH").unwrap_or_default().split(':').filter(|folder| !folder.is_empty());
        self.first(folders, program).await
    }

    /// Where a program is, in the first of some folders that has it.
    pub(super) async fn first<'f>(
        &self,
        folders: impl IntoIterator<Item = &'f str>,
        program: &str,
    ) -> Option<PathBuf> {
        for folder in folders {
            let path = self.0.cwd().join(folder).join(program);
            if self.is_program(&path).await {
                return Some(path);
            }
        }
        None
    }

    /// What a program says when it is asked for its version: it gets nothing to read, no secrets, a group of its own, and the time
    /// that this takes; then its group is killed.
    pub(super) async fn version(&self, program: &Path) -> io::Result<String> {
        let mut command = Command::new(program.to_string_lossy(), "/");
        command.args = vec!["--version".to_owned()];
        command.env = without_secrets(self.0.environment());
        command.stderr = Output::Null;
        let mut child = self.0.processes().spawn(command).await?;
        let mut said = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = stdout.take(LONGEST_ANSWER);
            // What came until then counts, also when something keeps the pipe open.
            let _ = self.0.clock().within(PATIENCE, stdout.read_to_end(&mut said)).await;
        }
        // Before it is reaped, its number cannot be somebody else's.
        self.0.processes().signal_group(child.pid, Signal::Kill).await?;
        child.wait().await?;
        let said = String::from_utf8_lossy(&said);
        Ok(said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default().to_owned())
    }

    /// Whether this host can listen where only its machine reaches it.
    pub(super) async fn can_listen(&self) -> io::Result<()> {
        self.0.network().listen(&Address::loopback(0)).await.map(drop)
    }

    /// Whether somebody listens on a port of the loopback interface.
    pub(super) async fn is_taken(&self, port: u16) -> bool {
        let address = Address::loopback(port);
        let connected = self.0.clock().within(SOON, self.0.network().connect(&address)).await;
        connected.is_none_or(|connected| connected.is_ok())
    }
}

/// The environment without what looks like a secret.
fn without_secrets(env: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let is_secret = |name: &str| {
        let name = name.to_ascii_uppercase();
        ["TOKEN", "SECRET", "PASSWORD", "KEY", "CREDENTIAL"].iter().any(|word| name.contains(word))
    };
    env.iter()
        .filter(|(name, _)| !is_secret(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}
