//! Lock files: who holds one is written in it, and one whose holder is dead is taken over in time (team sheet 4.4).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::process::Pid;

use super::error::TeamError;
use super::files;

const RETRY: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(15);
/// From which age on the lock of a dead process is taken over.
pub(crate) const STALE_MS: i64 = 300_000;

/// A lock that is held. It is let go with [`LockFile::release`]; when its process dies before, it is stale in time.
#[must_use]
pub(crate) struct LockFile {
    file: PathBuf,
    content: String,
}

/// Takes a lock, waiting for its holder as long as is reasonable.
pub(crate) async fn acquire(host: &Host, file: &Path, owner: &str) -> Result<LockFile, TeamError> {
    let deadline = host.clock().now() + PATIENCE;
    loop {
        if let Some(lock) = try_acquire(host, file, owner).await? {
            return Ok(lock);
        }
        if host.clock().now() >= deadline {
            let holder = files::read(host, file).await?.unwrap_or_default();
            let holder = match Holder::parse(&holder) {
                Some(holder) => format!("held by {} of process {}", holder.owner, holder.pid),
                None => "it does not say who holds it".to_owned(),
            };
            return Err(TeamError::LockTimeout { file: file.to_path_buf(), holder });
        }
        host.clock().sleep(RETRY).await;
    }
}

/// Takes a lock if nobody alive holds it.
pub(crate) async fn try_acquire(
    host: &Host,
    file: &Path,
    owner: &str,
) -> Result<Option<LockFile>, TeamError> {
    for _ in 0..2 {
        let content = format!("{owner}\n{}\n{}\n", host.pid(), host.clock().wall().millis());
        match host.disk().create_new(file, content.as_bytes(), 0o600).await {
            Ok(()) => return Ok(Some(LockFile { file: file.to_path_buf(), content })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => {
                // What was half written is nobody's.
                let own = files::read(host, file).await.ok().flatten();
                if own.is_some_and(|own| !own.is_empty() && content.as_bytes().starts_with(&own)) {
                    let _ = files::remove(host, file).await;
                }
                return Err(TeamError::disk("lock", file, error));
            }
        }
        if !is_stale(host, file).await? || !reap(host, file).await? {
            return Ok(None);
        }
    }
    Ok(None)
}

impl LockFile {
    /// Lets it go, unless somebody else has it by now (TEAM-LOCK-04).
    pub(crate) async fn release(self, host: &Host) {
        for _ in 0..3 {
            let own = match files::read(host, &self.file).await {
                Ok(held) => held.is_some_and(|held| held == self.content.as_bytes()),
                Err(_) => true,
            };
            if !own || files::remove(host, &self.file).await.is_ok() {
                return;
            }
            host.clock().sleep(Duration::from_millis(25)).await;
        }
        tracing::warn!(file = %self.file.display(), "a lock could not be let go");
    }
}

/// Removes a stale lock. Who does so holds a lock of the operating system meanwhile, which dies with its process: of two that see the
/// same stale lock, the second one sees that of its successor. False: it is not stale any more, or somebody else is at it.
async fn reap(host: &Host, file: &Path) -> Result<bool, TeamError> {
    let mut guard = file.as_os_str().to_owned();
    guard.push(".reaper");
    let guard = PathBuf::from(guard);
    let taken = host.disk().try_lock(&guard).await;
    let Some(_guard) = taken.map_err(|error| TeamError::disk("lock", &guard, error))? else {
        return Ok(false);
    };
    if !is_stale(host, file).await? {
        return Ok(false);
    }
    files::remove(host, file).await?;
    Ok(true)
}

/// Whether a lock's holder is dead, and has been for long enough. A lock that says nothing is judged by its file's age alone: a crash
/// between its making and its writing leaves such a one (TEAM-LOCK-03).
pub(crate) async fn is_stale(host: &Host, file: &Path) -> Result<bool, TeamError> {
    let Some(content) = files::read(host, file).await? else { return Ok(false) };
    let now = host.clock().wall().millis();
    // A clock that was set back makes ages of the future: those count by their distance, too.
    let old = |since: i64| now.saturating_sub(since).saturating_abs() > STALE_MS;
    match Holder::parse(&content) {
        Some(holder) => {
            let runs = host.processes().runs(Pid(holder.pid)).await.unwrap_or(true);
            Ok(!runs && old(holder.since_ms))
        }
        None => Ok(host.disk().stat(file).await.is_ok_and(|meta| old(meta.modified_ms))),
    }
}

struct Holder {
    owner: String,
    pid: u32,
    since_ms: i64,
}

impl Holder {
    fn parse(content: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(content).ok()?.lines();
        let owner = lines.next().filter(|owner| !owner.is_empty())?.to_owned();
        let pid = lines.next()?.trim().parse().ok()?;
        let since_ms = lines.next()?.trim().parse().ok()?;
        Some(Self { owner, pid, since_ms })
    }
}
