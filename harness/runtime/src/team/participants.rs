//! Who takes part in which run (team sheet 5, 9.1).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Team;
use super::names::RunId;
use super::state::RunState;

/// The place of a session in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The member that it is.
    pub member: String,
    /// Whether it leads.
    pub leads: bool,
}

/// The sessions that this life knows of, from the moment on that they exist: their state may be on the disk only later
/// (TEAM-CREATE-11).
#[derive(Default)]
pub(crate) struct Registered(RefCell<BTreeMap<String, BTreeMap<RunId, Seat>>>);

impl Registered {
    pub(crate) fn add(&self, session: &str, run: &RunId, seat: Seat) {
        self.0.borrow_mut().entry(session.to_owned()).or_default().insert(run.clone(), seat);
    }

    pub(crate) fn remove_run(&self, run: &RunId) {
        let mut all = self.0.borrow_mut();
        all.values_mut().for_each(|seats| drop(seats.remove(run)));
        all.retain(|_, seats| !seats.is_empty());
    }

    fn seat(&self, session: &str, run: &RunId) -> Option<Seat> {
        self.0.borrow().get(session)?.get(run).cloned()
    }

    fn sessions(&self) -> Vec<String> {
        self.0.borrow().keys().cloned().collect()
    }

    fn any(&self, session: &str) -> Option<(RunId, Seat)> {
        let all = self.0.borrow();
        let (run, seat) = all.get(session)?.first_key_value()?;
        Some((run.clone(), seat.clone()))
    }
}

/// The place of a session in a run as its state has it.
pub(crate) fn seat_in(state: &RunState, session: &str) -> Option<Seat> {
    if state.lead_session_id.as_deref() == Some(session) {
        let lead = state.lead().map(|lead| lead.name.clone()).unwrap_or_else(|| "lead".to_owned());
        return Some(Seat { member: lead, leads: true });
    }
    let member = state.members.iter().find(|member| member.session_id.as_deref() == Some(session))?;
    Some(Seat { member: member.name.clone(), leads: member.leads() })
}

impl Team {
    /// The place of a session in one run: as this life knows it, else as the disk has it while the run lives.
    pub(crate) async fn seat(&self, session: &str, run: &RunId) -> Option<Seat> {
        if let Some(seat) = self.registered().seat(session, run) {
            return Some(seat);
        }
        let state = self.store().load(run).await.ok()?;
        seat_in(&state, session).filter(|_| state.status().is_live())
    }

    /// The sessions that take part in runs that live, also in those of earlier lives.
    pub(crate) async fn sessions_of_live_runs(&self) -> Vec<String> {
        let mut sessions: BTreeSet<String> = self.registered().sessions().into_iter().collect();
        let runs = self.store().readable().await.unwrap_or_default();
        for (_, state) in runs.into_iter().filter(|(_, state)| state.status().is_live()) {
            sessions.extend(state.lead_session_id);
            sessions.extend(state.members.into_iter().filter_map(|member| member.session_id));
        }
        sessions.into_iter().collect()
    }

    /// The run that a session takes part in, and as whom.
    pub(crate) async fn taking_part(&self, session: &str) -> Option<(RunId, Seat)> {
        if let Some(known) = self.registered().any(session) {
            return Some(known);
        }
        let runs = self.store().readable().await.ok()?;
        let live = runs.into_iter().filter(|(_, state)| state.status().is_live());
        live.into_iter().find_map(|(run, state)| seat_in(&state, session).map(|seat| (run, seat)))
    }
}
