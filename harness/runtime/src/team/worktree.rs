//! A working tree of its own for a member, made and removed by the real git (team sheet 8.7).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::process::{Command, ExitStatus};
use tokio::io::AsyncReadExt;

use super::Team;
use super::error::TeamError;
use super::files;
use super::names::RunId;
use super::state::RunState;

const LIMIT: Duration = Duration::from_secs(60);

/// What a program said.
pub(crate) struct Said {
    pub(crate) fine: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs a program to its end, with the environment of this host.
pub(crate) async fn run(
    host: &Host,
    program: &str,
    args: &[&str],
    cwd: &Path,
    limit: Duration,
) -> io::Result<Said> {
    let mut command = Command::new(program, cwd);
    command.args = args.iter().map(|arg| (*arg).to_owned()).collect();
    command.env = host.environment().clone();
    let mut child = host.processes().spawn(command).await?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let pid = child.pid;
    let reading = async {
        let (mut said, mut wrong) = (Vec::new(), Vec::new());
        if let Some(mut out) = out {
            out.read_to_end(&mut said).await?;
        }
        if let Some(mut err) = err {
            err.read_to_end(&mut wrong).await?;
        }
        let status = child.wait().await?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        Ok(Said { fine: status == ExitStatus::Code(0), out: text(said), err: text(wrong) })
    };
    match host.clock().within(limit, reading).await {
        Some(said) => said,
        None => {
            host.processes().signal_group(pid, gauntlet_world::process::Signal::Kill).await?;
            Err(io::Error::new(io::ErrorKind::TimedOut, format!("{program} did not end in time")))
        }
    }
}

impl Team {
    /// Where a path of a specification leads.
    pub(crate) fn worktree_place(&self, written: &str) -> PathBuf {
        let mut place = PathBuf::new();
        for part in self.layout().project().join(written).components() {
            match part {
                std::path::Component::ParentDir => drop(place.pop()),
                std::path::Component::CurDir => {}
                part => place.push(part),
            }
        }
        place
    }

    /// Makes a working tree for a member. What is there already is nobody's to take (TEAM-WT-03).
    pub(crate) async fn make_worktree(&self, run: &RunId, place: &Path) -> Result<(), TeamError> {
        let host = self.host();
        if files::list(host, place).await.map_or(true, |there| !there.is_empty()) {
            let text = format!(
                "worktree {} is there already and not empty; name another path or empty it",
                place.display()
            );
            return Err(TeamError::Worktree(text));
        }
        // Noted before it is made: what a crash leaves is known to be this run's.
        self.note_worktree(run, place).await?;
        if let Some(parent) = place.parent() {
            host.disk()
                .make_dir(parent)
                .await
                .map_err(|error| TeamError::disk("make the folder", parent, error))?;
        }
        let shown = place.to_string_lossy();
        let said = self.git(&["worktree", "add", "--detach", &shown]).await?;
        if said.fine {
            return Ok(());
        }
        Err(TeamError::Worktree(format!("git worktree add {shown} failed: {}", said.err)))
    }

    async fn git(&self, args: &[&str]) -> Result<Said, TeamError> {
        match run(self.host(), "git", args, self.layout().project(), LIMIT).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TeamError::Worktree(
                "git required for worktree members: it is not installed, or not on the PATH".to_owned(),
            )),
            said => said.map_err(|error| TeamError::Worktree(format!("git cannot be run: {error}"))),
        }
    }

    fn worktree_notes(&self, run: &RunId) -> PathBuf {
        self.layout().run(run).join("worktrees.txt")
    }

    async fn note_worktree(&self, run: &RunId, place: &Path) -> Result<(), TeamError> {
        let file = self.worktree_notes(run);
        let line = format!("{}\n", place.display());
        let noted = self.host().disk().append_durably(&file, line.as_bytes()).await;
        noted.map_err(|error| TeamError::disk("write", &file, error))?;
        let folder = self.layout().run(run);
        self.host().disk().sync_dir(&folder).await.map_err(|error| TeamError::disk("write", &file, error))
    }

    /// Whether a place was made by this run: it is noted, or is where runs have theirs, or is a tree that git links to a repository.
    async fn is_own_worktree(&self, run: &RunId, place: &Path) -> bool {
        let notes =
            files::read(self.host(), &self.worktree_notes(run)).await.ok().flatten().unwrap_or_default();
        let noted = String::from_utf8_lossy(&notes).lines().any(|line| Path::new(line) == place);
        let conventional = place.starts_with(self.layout().base().join("worktrees").join(run.as_str()));
        let link = self.host().disk().read(place.join(".git")).await;
        noted || conventional || link.is_ok_and(|link| link.starts_with(b"gitdir:"))
    }

    /// Removes one working tree. What git says of a tree that it does not know is no reason to keep the folder.
    pub(crate) async fn remove_worktree(&self, run: &RunId, place: &Path) -> Result<bool, TeamError> {
        if self.host().disk().stat(place).await.is_err() || !self.is_own_worktree(run, place).await {
            return Ok(false);
        }
        let shown = place.to_string_lossy();
        let removed = self.git(&["worktree", "remove", "--force", &shown]).await;
        if let Ok(said) = &removed
            && !said.fine
        {
            tracing::info!(worktree = %shown, said = said.err, "git did not remove a worktree");
        }
        files::remove_tree(self.host(), place).await?;
        if removed.is_ok()
            && let Err(error) = self.git(&["worktree", "prune"]).await
        {
            tracing::info!(%error, "git worktree prune failed");
        }
        Ok(true)
    }

    /// Removes all working trees of a run, the lead's too (TEAM-DEL-02), and names them.
    pub(crate) async fn remove_worktrees(
        &self,
        run: &RunId,
        state: &RunState,
    ) -> Result<Vec<String>, TeamError> {
        let mut removed: Vec<String> = Vec::new();
        for written in state.members.iter().filter_map(|member| member.worktree_path.as_deref()) {
            let place = self.worktree_place(written);
            let shown = place.to_string_lossy().into_owned();
            if !removed.contains(&shown) && self.remove_worktree(run, &place).await? {
                removed.push(shown);
            }
        }
        Ok(removed)
    }
}
