//! Who may call which tool (team sheet 9.1).

use serde_json::Value;

use super::Team;
use super::error::TeamError;
use super::names::RunId;
use super::participants::{Seat, seat_in};
use super::state::RunStatus;

/// A caller that was let in.
pub(crate) struct Entered {
    pub(crate) run: RunId,
    pub(crate) seat: Seat,
}

impl Team {
    /// Lets a participant of the run in that a call names.
    pub(crate) async fn enter(
        &self,
        tool: &str,
        session: &str,
        arguments: &Value,
    ) -> Result<Entered, TeamError> {
        let named = arguments.get("teamRunId").and_then(Value::as_str).filter(|named| !named.is_empty());
        let Some(named) = named else {
            return Err(TeamError::Denied(format!("team-mode tool {tool} requires teamRunId argument")));
        };
        let run = RunId::new(named)?;
        match self.seat(session, &run).await {
            Some(seat) => Ok(Entered { run, seat }),
            None => {
                // A run that is not there, or cannot be read, is told so: nobody takes part in it.
                self.store().load(&run).await?;
                let denied = format!("team-mode tool {tool} denied: not a participant of team {run}");
                Err(TeamError::Denied(denied))
            }
        }
    }

    /// Lets the lead in alone.
    pub(crate) async fn enter_as_lead(
        &self,
        tool: &str,
        session: &str,
        arguments: &Value,
    ) -> Result<Entered, TeamError> {
        let entered = self.enter(tool, session, arguments).await?;
        if entered.seat.leads { Ok(entered) } else { Err(TeamError::Denied(format!("{tool} is lead-only"))) }
    }

    /// Lets the lead in, and the member that a call is about.
    pub(crate) async fn enter_for(
        &self,
        tool: &str,
        session: &str,
        arguments: &Value,
        member: &str,
    ) -> Result<Entered, TeamError> {
        let entered = self.enter(tool, session, arguments).await?;
        if entered.seat.leads || entered.seat.member == member {
            return Ok(entered);
        }
        Err(TeamError::Denied(format!("{tool}: caller must be target member or team lead")))
    }

    /// Lets in who may delete: the lead, and by force also a member of a run that nobody leads any more or whose delete did not come to its
    /// end (TEAM-DEL-05).
    pub(crate) async fn enter_to_delete(
        &self,
        session: &str,
        arguments: &Value,
        force: bool,
    ) -> Result<Entered, TeamError> {
        let tool = "team_delete";
        let named = arguments.get("teamRunId").and_then(Value::as_str).unwrap_or_default();
        if let Ok(run) = RunId::new(named)
            && let Ok(state) = self.store().load(&run).await
            && let Some(seat) = seat_in(&state, session).or(self.seat(session, &run).await)
        {
            let over =
                matches!(state.status(), RunStatus::Orphaned | RunStatus::Deleting | RunStatus::Deleted);
            if seat.leads || (force && over) {
                return Ok(Entered { run, seat });
            }
            return Err(TeamError::Denied(format!("{tool} is lead-only")));
        }
        self.enter_as_lead(tool, session, arguments).await
    }
}
