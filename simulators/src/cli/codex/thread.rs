//! Threads: the conversations that `codex exec resume` goes on with, one file each below the CLI's home.

use std::path::{Path, PathBuf};

use gauntlet_world::Host;
use serde_json::{Value, json};

use super::stop::Stop;

/// The CLI's home: `$CODEX_HOME`, else `.codex` in the home directory.
pub(super) fn codex_home(host: &Host) -> PathBuf {
    match host.env("CODEX_HOME") {
        Some(home) if !home.is_empty() => PathBuf::from(home),
        _ => host.home().join(".codex"),
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Thread {
    /// Its id.
    pub(super) id: String,
    /// How many model calls its earlier turns took.
    pub(super) calls: u64,
}

impl Thread {
    /// A thread with a new id: a UUID of version 7, as recorded.
    pub(super) fn new(host: &Host) -> Self {
        let mut random = [0; 10];
        host.entropy().fill(&mut random);
        let millis = u64::try_from(host.clock().wall().millis()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Self { id: id.to_string(), calls: 0 }
    }

    /// The thread with this id, if there is a file of it.
    pub(super) async fn find(host: &Host, id: &str) -> Result<Option<Self>, Stop> {
        let Some(path) = path(host, id) else { return Ok(None) };
        let content = host.disk().read_if_present(&path).await;
        let content = content.map_err(|error| Stop::mishap(path.display(), &error))?;
        Ok(content.map(|content| Self { id: id.to_owned(), calls: calls(&content) }))
    }

    /// Creates the file, so that a turn that is killed half way can be resumed.
    pub(super) async fn begin(&self, host: &Host) -> Result<(), Stop> {
        self.append(host, b"").await
    }

    /// Adds a turn: what was asked, what was answered, and how many model calls it took.
    pub(super) async fn add(
        &self,
        host: &Host,
        prompt: &str,
        reply: Option<&str>,
        calls: u64,
    ) -> Result<(), Stop> {
        let line = json!({ "prompt": prompt, "reply": reply, "calls": calls });
        self.append(host, format!("{line}\n").as_bytes()).await
    }

    async fn append(&self, host: &Host, bytes: &[u8]) -> Result<(), Stop> {
        let Some(path) = path(host, &self.id) else {
            return Err(Stop::mishap("the thread's id is no file name", &self.id));
        };
        let directory = path.parent().unwrap_or(Path::new("/"));
        let made = host.disk().make_dir(directory).await;
        made.map_err(|error| Stop::mishap(directory.display(), &error))?;
        let written = host.disk().append(&path, bytes).await;
        written.map_err(|error| Stop::mishap(path.display(), &error))
    }
}

/// The file of a thread. An id comes from outside: one that could name another place has no file.
fn path(host: &Host, id: &str) -> Option<PathBuf> {
    let is_name = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    is_name.then(|| codex_home(host).join("sessions").join(format!("{id}.jsonl")))
}

/// The model calls of the turns in a file. Lines that are not whole (the process was killed) count nothing.
fn calls(content: &[u8]) -> u64 {
    let turns =
        content.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    turns.filter_map(|turn| turn.get("calls").and_then(Value::as_u64)).fold(0, u64::saturating_add)
}
