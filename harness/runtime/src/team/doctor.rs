//! Whether a machine is fit for team mode (team sheet 9.4). It looks and changes nothing (TEAM-DOC-01).

use std::path::Path;
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::disk::Kind;

use super::config;
use super::layout::Layout;
use super::worktree::run;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `skip`, `pass` or `warn`.
    pub status: &'static str,
    /// In one line.
    pub message: String,
}

/// Looks at a machine for a project.
pub async fn look(host: &Host, project: &Path) -> Finding {
    // One that cannot be read counts as none; who starts a runtime with it is told what is wrong.
    let config = config::load(host, project).await.unwrap_or_default();
    if !config.enabled {
        return Finding { status: "skip", message: "team_mode: disabled".to_owned() };
    }
    let inside = host.env("TMUX").is_some_and(|tmux| !tmux.is_empty());
    let tmux = inside || answers(host, "tmux", "-V", project).await;
    let git = answers(host, "git", "--version", project).await;
    let layout = Layout::new(config.base(host), project.to_path_buf());
    let base = host.disk().stat(layout.base()).await.is_ok_and(|meta| meta.kind == Kind::Directory);
    let declared = folders(host, &layout.user_teams()).await + folders(host, &layout.project_teams()).await;
    let runs = folders(host, &layout.runs()).await;
    let word = |is_there| if is_there { "ok" } else { "missing" };
    Finding {
        status: if tmux && git { "pass" } else { "warn" },
        message: [
            "team_mode: enabled".to_owned(),
            format!("tmux: {}", word(tmux)),
            format!("git: {}", word(git)),
            format!("base dir: {}", word(base)),
            format!("declared: {declared}"),
            format!("runtime dirs: {runs}"),
        ]
        .join(" | "),
    }
}

async fn answers(host: &Host, program: &str, question: &str, project: &Path) -> bool {
    let folder = if host.disk().stat(project).await.is_ok() { project } else { host.cwd() };
    run(host, program, &[question], folder, Duration::from_secs(5)).await.is_ok_and(|said| said.fine)
}

async fn folders(host: &Host, folder: &Path) -> usize {
    let listed = host.disk().list(folder).await.unwrap_or_default();
    listed.iter().filter(|(_, kind)| *kind == Kind::Directory).count()
}
