//! State files: read by everyone, changed by one at a time (TEAM-STATE-02, TEAM-STATE-03).

use gauntlet_world::Host;
use gauntlet_world::injection::{Injector, Point};
use serde_json::{Value, json};

use super::record::RunState;
use crate::fleet::decided::Decided;
use crate::team::error::TeamError;
use crate::team::layout::Layout;
use crate::team::names::RunId;
use crate::team::{files, lock};

/// The runs on a disk.
#[derive(Clone)]
pub struct Store {
    pub(crate) host: Host,
    pub(crate) layout: Layout,
    pub(crate) injector: Injector,
}

impl Store {
    /// Passes what is about to be done through an injection point. What the event means is said there.
    pub(crate) async fn decide(&self, point: Point, event: Value) -> Decided {
        Decided::pass(&self.injector, &self.host, point, event).await
    }

    /// The state of a run.
    pub async fn load(&self, run: &RunId) -> Result<RunState, TeamError> {
        let file = self.layout.state(run);
        let Some(content) = files::read(&self.host, &file).await? else {
            return Err(TeamError::Missing { what: format!("there is no team run {run}"), file });
        };
        RunState::parse(run, &content).map_err(|reason| TeamError::State {
            run: run.to_string(),
            file,
            reason,
        })
    }

    /// Writes the first state of a run, and its folder.
    pub(crate) async fn begin(&self, run: &RunId, state: &RunState) -> Result<(), TeamError> {
        files::make_private_dir(&self.host, &self.layout.run(run)).await?;
        files::replace(&self.host, &self.layout.state(run), &files::pretty(state)).await
    }

    /// Changes the state of a run, alone. What is changed is written when the change says that it is fine.
    pub(crate) async fn update<T>(
        &self,
        run: &RunId,
        change: impl AsyncFnOnce(&mut RunState) -> Result<T, TeamError>,
    ) -> Result<T, TeamError> {
        // Before a lock file is made where there is no run.
        self.load(run).await?;
        let lock = lock::acquire(&self.host, &self.layout.state_lock(run), "team-state-store").await?;
        let outcome = self.changed(run, change).await;
        lock.release(&self.host).await;
        outcome
    }

    async fn changed<T>(
        &self,
        run: &RunId,
        change: impl AsyncFnOnce(&mut RunState) -> Result<T, TeamError>,
    ) -> Result<T, TeamError> {
        let before = self.load(run).await?;
        let mut state = before.clone();
        let outcome = change(&mut state).await?;
        if state != before {
            files::replace(&self.host, &self.layout.state(run), &files::pretty(&state)).await?;
        }
        Ok(outcome)
    }

    /// The names of all folders of runs.
    pub(crate) async fn run_ids(&self) -> Result<Vec<RunId>, TeamError> {
        let names = files::list(&self.host, &self.layout.runs()).await?;
        let folders = names.into_iter().filter(|(_, kind)| *kind == gauntlet_world::disk::Kind::Directory);
        Ok(folders.filter_map(|(name, _)| RunId::new(&name).ok()).collect())
    }

    /// All runs that can be read, by team and id. The others are told of in the log and left as they are (TEAM-STATE-04).
    pub(crate) async fn readable(&self) -> Result<Vec<(RunId, RunState)>, TeamError> {
        let mut runs = Vec::new();
        let mut unreadable = Vec::new();
        for run in self.run_ids().await? {
            match self.load(&run).await {
                Ok(state) => runs.push((run, state)),
                Err(error) => {
                    tracing::warn!(%run, %error, "a team run is passed over");
                    unreadable.push((run, error));
                }
            }
        }
        let event = json!({ "runs": runs.len(), "unreadable": unreadable.len(), "passes_over": true, "removes": false });
        let decided = self.decide(Point::RuntimeTeamFound, event).await;
        for (run, _) in unreadable.iter().filter(|_| decided.yes("removes")) {
            self.remove(run).await?;
        }
        if !decided.yes("passes_over")
            && let Some((_, error)) = unreadable.pop()
        {
            return Err(error);
        }
        runs.sort_by(|(a, x), (b, y)| (&x.team_name, a).cmp(&(&y.team_name, b)));
        Ok(runs)
    }

    /// Removes the folder of a run, its state at the very end: whatever crashes, what is left says that it is deleted.
    pub(crate) async fn remove(&self, run: &RunId) -> Result<(), TeamError> {
        let folder = self.layout.run(run);
        for (name, kind) in files::list(&self.host, &folder).await? {
            let path = folder.join(&name);
            match kind {
                gauntlet_world::disk::Kind::Directory => files::remove_tree(&self.host, &path).await?,
                _ if name == "state.json" => {}
                _ => files::remove(&self.host, &path).await?,
            }
        }
        let synced = self.host.disk().sync_dir(&folder).await;
        match synced {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            synced => synced.map_err(|error| TeamError::disk("remove", &folder, error))?,
        }
        files::remove(&self.host, &self.layout.state(run)).await?;
        files::remove_tree(&self.host, &folder).await?;
        let runs = self.layout.runs();
        self.host.disk().sync_dir(&runs).await.map_err(|error| TeamError::disk("remove", &runs, error))
    }
}
