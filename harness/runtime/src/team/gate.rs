//! Who may call which tool (team sheet 9.1).

use gauntlet_world::injection::Point;
use serde_json::{Value, json};

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
        let seat = self.seat(session, &run).await;
        let refused = if seat.is_some() { Value::Null } else { json!("participant") };
        if self.is_refused(tool, session, seat.as_ref(), false, refused).await.is_none() {
            // Let in by mistake, a stranger does what it likes.
            let seat = seat.unwrap_or(Seat { member: "lead".to_owned(), leads: true });
            return Ok(Entered { run, seat });
        }
        // A run that is not there, or cannot be read, is told so: nobody takes part in it.
        self.store().load(&run).await?;
        let denied = format!("team-mode tool {tool} denied: not a participant of team {run}");
        Err(TeamError::Denied(denied))
    }

    /// Why a caller is not let in, when it is not.
    async fn is_refused(
        &self,
        tool: &str,
        session: &str,
        seat: Option<&Seat>,
        own: bool,
        refused: Value,
    ) -> Option<String> {
        let place = seat.map_or("none", |seat| if seat.leads { "lead" } else { "member" });
        let elsewhere = seat.is_none() && self.taking_part(session).await.is_some();
        let event =
            json!({ "tool": tool, "seat": place, "own": own, "elsewhere": elsewhere, "refused": refused });
        self.decide(Point::RuntimeTeamGate, event).await.text("refused").map(str::to_owned)
    }

    /// Lets the lead in alone.
    pub(crate) async fn enter_as_lead(
        &self,
        tool: &str,
        session: &str,
        arguments: &Value,
    ) -> Result<Entered, TeamError> {
        let entered = self.enter(tool, session, arguments).await?;
        let refused = if entered.seat.leads { Value::Null } else { json!("lead") };
        match self.is_refused(tool, session, Some(&entered.seat), false, refused).await {
            None => Ok(entered),
            Some(_) => Err(TeamError::Denied(format!("{tool} is lead-only"))),
        }
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
        let own = entered.seat.member == member;
        let refused = if entered.seat.leads || own { Value::Null } else { json!("target") };
        if self.is_refused(tool, session, Some(&entered.seat), own, refused).await.is_none() {
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
            let refused = if seat.leads || (force && over) { Value::Null } else { json!("lead") };
            if self.is_refused(tool, session, Some(&seat), false, refused).await.is_none() {
                return Ok(Entered { run, seat });
            }
            return Err(TeamError::Denied(format!("{tool} is lead-only")));
        }
        self.enter_as_lead(tool, session, arguments).await
    }
}
