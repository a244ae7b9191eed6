//! Declared teams and runs, for anybody who asks (team sheet 5.12, 8.5).

use serde_json::{Value, json};

use super::Team;
use super::error::TeamError;
use super::names::RunId;
use super::spec::{Author, load};
use super::state::{RunState, RunStatus, SpecSource};

/// From which age on a delete counts as left by its process.
const DELETING_MS: i64 = 60_000;

/// Which teams are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    User,
    Project,
    All,
}

impl Scope {
    pub(crate) fn named(name: Option<&str>) -> Result<Self, TeamError> {
        match name {
            None | Some("" | "all") => Ok(Self::All),
            Some("user") => Ok(Self::User),
            Some("project") => Ok(Self::Project),
            Some(other) => {
                Err(TeamError::Usage(format!("scope must be user, project or all, found {other:?}")))
            }
        }
    }

    fn has(self, source: SpecSource) -> bool {
        match self {
            Self::All => true,
            Self::User => source == SpecSource::User,
            Self::Project => source == SpecSource::Project,
        }
    }
}

impl Team {
    /// All runs that are not over, by team. What is left of those that are is removed on the way (8.5).
    pub(crate) async fn runs(&self) -> Result<Vec<(RunId, RunState)>, TeamError> {
        let mut runs = Vec::new();
        for (run, state) in self.store().readable().await? {
            let over = match state.status() {
                RunStatus::Deleted | RunStatus::Failed => true,
                RunStatus::Deleting => self.is_left(&run).await,
                _ => false,
            };
            if !over {
                runs.push((run, state));
            } else if let Err(error) = self.clean_up(&run, &state).await {
                tracing::warn!(%run, %error, "what is left of a team cannot be removed");
            }
        }
        Ok(runs)
    }

    async fn is_left(&self, run: &RunId) -> bool {
        let Ok(meta) = self.host().disk().stat(self.layout().state(run)).await else { return false };
        let age = self.host().clock().wall().millis().saturating_sub(meta.modified_ms);
        age.saturating_abs() > DELETING_MS
    }

    /// What `team_list` tells: each declared team with its runs, then the runs of no declared team (TEAM-QRY-02, TEAM-QRY-03).
    pub(crate) async fn list(&self, scope: Scope, caller: Option<String>) -> Result<Value, TeamError> {
        let max_members = usize::try_from(self.config().max_members).unwrap_or(8);
        // Whoever asks may lead: a team that leaves that to its caller is fine.
        let caller = caller.or_else(|| Some("sisyphus".to_owned()));
        let author = Author { caller, default_category: None, max_members };
        let declared = load::all(self.host(), self.layout(), &author).await;
        let runs = self.runs().await?;
        let of_run = |run: &RunId, state: &RunState, scope: Value| {
            json!({
                "name": state.team_name, "scope": scope, "status": state.status(), "teamRunId": run.as_str(),
                "memberCount": state.members.len(),
            })
        };
        let mut entries = Vec::new();
        for team in &declared {
            let own: Vec<_> =
                runs.iter().filter(|(_, state)| state.team_name == team.name.as_str()).collect();
            if !scope.has(team.source) {
                continue;
            }
            entries.extend(own.iter().map(|(run, state)| of_run(run, state, json!(team.source))));
            if own.is_empty() {
                entries.push(match &team.spec {
                    Ok(spec) => json!({
                        "name": team.name.as_str(), "scope": team.source, "status": "not-started",
                        "memberCount": spec.members.len(),
                    }),
                    Err(error) => json!({
                        "name": team.name.as_str(), "scope": team.source, "status": "invalid", "memberCount": 0,
                        "error": error.to_string(),
                    }),
                });
            }
        }
        let is_declared = |name: &str| declared.iter().any(|team| team.name.as_str() == name);
        let others =
            runs.iter().filter(|(_, state)| !is_declared(&state.team_name) && scope.has(state.spec_source));
        entries.extend(others.map(|(run, state)| of_run(run, state, json!(state.spec_source))));
        Ok(Value::Array(entries))
    }
}
