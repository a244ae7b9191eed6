//! Members in panes of the caller's window (team sheet 8.8). Whatever goes wrong here, teams go on without.

use std::time::Duration;

use super::Team;
use super::error::TeamError;
use super::names::RunId;
use super::state::{RunState, TmuxLayout};
use super::worktree::{Said, run};

const LIMIT: Duration = Duration::from_secs(5);

impl Team {
    /// Whether members are to be shown, and can be: in a terminal that tmux runs.
    fn shows_members(&self) -> bool {
        let inside = self.host().env("TMUX").is_some_and(|tmux| !tmux.is_empty());
        if self.config().tmux_visualization && !inside {
            tracing::info!("members are not shown: this is not inside of tmux");
        }
        self.config().tmux_visualization && inside && !self.settings().attach.is_empty()
    }

    async fn tmux(&self, args: &[&str]) -> Result<Said, TeamError> {
        let said = run(self.host(), "tmux", args, self.layout().project(), LIMIT).await;
        let said = said.map_err(|error| TeamError::Layout(error.to_string()))?;
        if said.fine { Ok(said) } else { Err(TeamError::Layout(said.err)) }
    }

    /// Shows the members of a run. The panes that were made come back also when the rest failed, so that somebody can remove them (F06).
    pub(crate) async fn show_members(&self, run: &RunId, state: &RunState) -> Option<TmuxLayout> {
        if !self.shows_members() {
            return None;
        }
        let leader = self.host().env("TMUX_PANE").unwrap_or_default().to_owned();
        let mut panes = Vec::new();
        if let Err(error) = self.make_panes(state, &leader, &mut panes).await {
            tracing::warn!(%run, %error, "not all members are shown");
        }
        let session = self.tmux(&["display-message", "-p", "#{session_id}"]).await.map(|said| said.out);
        (!panes.is_empty()).then(|| TmuxLayout {
            owned_session: false,
            target_session_id: session.unwrap_or_default(),
            focus_window_id: None,
            grid_window_id: None,
            pane_ids: Some(panes),
        })
    }

    async fn make_panes(
        &self,
        state: &RunState,
        leader: &str,
        panes: &mut Vec<String>,
    ) -> Result<(), TeamError> {
        let shown = state.members.iter().filter(|member| !member.leads());
        for (place, member) in shown.enumerate() {
            let Some(session) = &member.session_id else { continue };
            let middle = panes.get(panes.len() / 2).map_or(leader, String::as_str).to_owned();
            let way = if place % 2 == 1 { "-v" } else { "-h" };
            let mut split = vec!["split-window", way];
            if place == 0 {
                split.extend(["-l", "70%"]);
            }
            if !middle.is_empty() {
                split.extend(["-t", middle.as_str()]);
            }
            split.extend(["-P", "-F", "#{pane_id}"]);
            let pane = self.tmux(&split).await?.out;
            panes.push(pane.clone());
            self.tmux(&["select-pane", "-t", &pane, "-T", &format!("omo-team-{}", member.name)]).await?;
            let folder = match member.worktree_path.as_deref() {
                Some(written) => self.worktree_place(written),
                None => self.layout().project().to_path_buf(),
            };
            let folder = folder.to_string_lossy().into_owned();
            let further = ["--session", session, "--dir", &folder];
            let words = self.settings().attach.iter().map(String::as_str).chain(further);
            let line = words.map(quoted).collect::<Vec<_>>().join(" ");
            self.tmux(&["send-keys", "-t", &pane, &line, "Enter"]).await?;
        }
        if !panes.is_empty() && !leader.is_empty() {
            self.tmux(&["select-layout", "-t", leader, "main-vertical"]).await?;
            self.tmux(&["resize-pane", "-t", leader, "-x", "30%"]).await?;
        }
        Ok(())
    }

    /// Removes what of a terminal belongs to a run: its panes, and nothing of the caller's. True: there was something, and it is gone.
    pub(crate) async fn hide_members(
        &self,
        run: &RunId,
        layout: Option<&TmuxLayout>,
    ) -> Result<bool, TeamError> {
        let Some(layout) = layout else { return Ok(false) };
        for pane in layout.pane_ids.iter().flatten() {
            if let Err(error) = self.tmux(&["kill-pane", "-t", pane]).await {
                // Somebody closed it, or tmux is gone: the latter shows in the next call.
                tracing::info!(pane, %error, "a pane was not closed");
            }
        }
        if layout.owned_session {
            self.tmux(&["kill-session", "-t", &format!("omo-team-{run}")]).await?;
        } else {
            self.tmux(&["list-panes", "-a", "-F", "#{pane_id}"]).await?;
            for window in [&layout.focus_window_id, &layout.grid_window_id].into_iter().flatten() {
                self.tmux(&["kill-window", "-t", window]).await?;
            }
        }
        Ok(true)
    }

    /// Removes the terminal sessions of runs that are not there any more. Whatever goes wrong is not worth a word.
    pub(crate) async fn sweep_tmux(&self) {
        if !self.shows_members() {
            return;
        }
        let Ok(said) = self.tmux(&["list-sessions", "-F", "#{session_name}"]).await else { return };
        for session in said.out.lines() {
            let Some(run) = session.strip_prefix("omo-team-").and_then(|id| RunId::new(id).ok()) else {
                continue;
            };
            let lives = self.store().load(&run).await.is_ok_and(|state| state.status().is_live());
            // A person's own session may begin so, too.
            if !lives && run.as_str().len() == 36 {
                let _ = self.tmux(&["kill-session", "-t", session]).await;
            }
        }
    }
}

/// A word as a shell takes it for one, whatever is in it (F78).
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_blanks_and_quotes_is_one_word() {
        assert_eq!(quoted("/a b/it's"), "'/a b/it'\\''s'");
        assert_eq!(quoted(""), "''");
    }
}
