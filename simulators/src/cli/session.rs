//! Sessions: the conversations that a CLI can go on with, one file each below its home, so that a later turn works across
//! processes, and dies with the home.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use gauntlet_world::Host;
use serde_json::{Value, json};

use super::scene::Scene;
use super::stop::Stop;
use gauntlet_world::injection::Point;

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Its id.
    pub(crate) id: String,
    /// The folder that its file is in.
    folder: PathBuf,
    /// How many model calls its earlier turns took.
    pub(crate) calls: u64,
}

/// The session that a turn runs on, once there is one.
#[derive(Debug, Default)]
pub(crate) struct Current(RefCell<Option<Session>>);

impl Current {
    pub(crate) fn set(&self, session: Session) {
        *self.0.borrow_mut() = Some(session);
    }

    pub(crate) fn id(&self) -> Option<String> {
        self.0.borrow().as_ref().map(|session| session.id.clone())
    }

    /// How many model calls its earlier turns took.
    pub(crate) fn earlier_calls(&self) -> u64 {
        self.0.borrow().as_ref().map_or(0, |session| session.calls)
    }

    /// Adds the turn to it: what was asked, what was answered, and how many model calls it took.
    pub(crate) async fn add(&self, scene: &Scene<'_>, reply: Option<&str>, calls: u64) -> Result<(), Stop> {
        let session = self.0.borrow().clone();
        match session {
            Some(session) => session.add(scene.host, &scene.request.prompt, reply, calls).await,
            None => Ok(()),
        }
    }
}

/// What became of the lookup of a session.
pub(crate) enum Lookup {
    Found(Session),
    Unknown(String),
    Skipped,
}

impl Session {
    /// A session that nobody knows yet.
    pub(crate) fn new(id: String, folder: PathBuf) -> Self {
        Self { id, folder, calls: 0 }
    }

    /// The session with this id, if there is a file of it.
    pub(crate) async fn find(host: &Host, folder: &Path, id: &str) -> Result<Option<Self>, Stop> {
        let session = Self::new(id.to_owned(), folder.to_path_buf());
        let Some(path) = session.path() else { return Ok(None) };
        let content = host.disk().read_if_present(&path).await;
        let content = content.map_err(|error| Stop::mishap(path.display(), &error))?;
        Ok(content.map(|content| Self { calls: calls(&content), ..session }))
    }

    /// Looks a session up, through its point: a quirk may look for another one, not find it, or not look at all.
    pub(crate) async fn look_up(scene: &Scene<'_>, folder: &Path, asked: &str) -> Result<Lookup, Stop> {
        let session = Self::find(scene.host, folder, asked).await?;
        let event = json!({ "session": asked, "found": session.is_some() });
        let passed = scene.console.injector().pass(scene.host, Point::CliResume, event).await;
        if let Some(code) = passed.exit {
            return Err(Stop::Exit(code));
        }
        let Some(event) = passed.first() else { return Ok(Lookup::Skipped) };
        let Some(id) = event.get("session").and_then(Value::as_str).filter(|id| !id.is_empty()) else {
            return Ok(Lookup::Skipped);
        };
        Ok(match (event.get("found").and_then(Value::as_bool).unwrap_or(false), session) {
            (false, _) => Lookup::Unknown(id.to_owned()),
            (true, Some(session)) if session.id == id => Lookup::Found(session),
            (true, _) => {
                let other = Self::find(scene.host, folder, id).await?;
                Lookup::Found(other.unwrap_or_else(|| Self::new(id.to_owned(), folder.to_path_buf())))
            }
        })
    }

    /// Creates the file, so that a turn that is killed half way can be gone on with.
    pub(crate) async fn begin(&self, host: &Host) -> Result<(), Stop> {
        self.append(host, b"").await
    }

    /// What its earlier turns answered, in order.
    pub(crate) async fn replies(&self, host: &Host) -> Result<Vec<String>, Stop> {
        let Some(path) = self.path() else { return Ok(Vec::new()) };
        let content = host.disk().read_if_present(&path).await;
        let content = content.map_err(|error| Stop::mishap(path.display(), &error))?.unwrap_or_default();
        let reply = |turn: Value| turn.get("reply")?.as_str().map(str::to_owned);
        Ok(turns(&content).filter_map(reply).collect())
    }

    /// Adds a turn: what was asked, what was answered, and how many model calls it took.
    pub(crate) async fn add(
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
        let Some(path) = self.path() else {
            return Err(Stop::mishap("the session's id is no file name", &self.id));
        };
        let made = host.disk().make_dir(&self.folder).await;
        made.map_err(|error| Stop::mishap(self.folder.display(), &error))?;
        let written = host.disk().append(&path, bytes).await;
        written.map_err(|error| Stop::mishap(path.display(), &error))
    }

    /// Its file. An id comes from outside: one that could name another place has no file.
    fn path(&self) -> Option<PathBuf> {
        let is_name =
            !self.id.is_empty() && self.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        is_name.then(|| self.folder.join(format!("{}.jsonl", self.id)))
    }
}

/// The turns in a file. Lines that are not whole (the process was killed) are none.
fn turns(content: &[u8]) -> impl Iterator<Item = Value> + '_ {
    content.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok())
}

/// The model calls of the turns in a file.
fn calls(content: &[u8]) -> u64 {
    turns(content).filter_map(|turn| turn.get("calls").and_then(Value::as_u64)).fold(0, u64::saturating_add)
}
