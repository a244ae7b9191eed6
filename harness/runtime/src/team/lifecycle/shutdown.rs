//! The handshake by which members end (team sheet 8.1). A crash between its steps loses none of them and does none twice: messages have
//! ids that are made of what they are about.

use gauntlet_world::injection::Point;
use serde_json::{Value, json};

use crate::fleet::decided::Decided;
use crate::team::Team;
use crate::team::error::TeamError;
use crate::team::mailbox::{Kind, Outgoing};
use crate::team::names::RunId;
use crate::team::participants::Seat;
use crate::team::state::{MemberStep, RunState, ShutdownRequest};

/// The latest request to a member, with its number.
fn latest<'s>(state: &'s RunState, member: &str) -> Option<(usize, &'s ShutdownRequest)> {
    state.shutdown_requests.iter().enumerate().rev().find(|(_, request)| request.member_id == member)
}

impl Team {
    /// Passes a step of a member's end.
    async fn shutdown_step(&self, does: &str, refused: Option<&str>, done: bool, tells: bool) -> Decided {
        let event = json!({ "does": does, "refused": refused, "done": done, "tells": tells, "notes": true });
        self.decide(Point::RuntimeTeamShutdown, event).await
    }

    /// Asks a member to end. A request that is open is not repeated (TEAM-SHUT-01).
    pub(crate) async fn request_shutdown(
        &self,
        run: &RunId,
        seat: &Seat,
        target: &str,
    ) -> Result<Value, TeamError> {
        let requester = &seat.member;
        let told = json!({
            "teamRunId": run.as_str(), "targetMemberName": target, "requesterName": requester, "status": "shutdown_requested",
        });
        let state = self.store().load(run).await?;
        for name in [target, requester] {
            state.member(name).ok_or_else(|| TeamError::UnknownMember(name.to_owned()))?;
        }
        let open = |state: &RunState| {
            let of_both = |request: &&ShutdownRequest| {
                request.member_id == target && &request.requester_name == requester
            };
            state.shutdown_requests.iter().rev().find(of_both).is_some_and(ShutdownRequest::is_open)
        };
        let is_open = open(&state);
        let step = self.shutdown_step("request", None, is_open, target != requester).await;
        if step.yes("done") {
            return Ok(told);
        }
        let number = state.shutdown_requests.len().to_string();
        if step.yes("tells") {
            let message = Outgoing::own(requester, target, Kind::ShutdownRequest, String::new());
            self.leave_mail(run, message.once(&[run.as_str(), target, "request", &number])).await?;
        }
        let requested_at = self.host().clock().wall().millis().max(1);
        self.store()
            .update(run, async |state| {
                if !open(state) || is_open {
                    state.shutdown_requests.push(ShutdownRequest {
                        member_id: target.to_owned(),
                        requester_name: requester.clone(),
                        requested_at,
                        approved_at: None,
                        rejected_reason: None,
                        rejected_at: None,
                    });
                }
                Ok(())
            })
            .await?;
        Ok(told)
    }

    /// Agrees to end. A second time tells the lead once all the same (TEAM-SHUT-03, F61).
    pub(crate) async fn approve_shutdown(
        &self,
        run: &RunId,
        seat: &Seat,
        member: &str,
    ) -> Result<Value, TeamError> {
        let now = self.host().clock().wall().millis().max(1);
        let missing = || TeamError::NoShutdownRequest(member.to_owned());
        let before = self.store().load(run).await?;
        let known = latest(&before, member).map(|(_, request)| request.approved_at.is_some());
        let refused = if known.is_some() { None } else { Some("missing") };
        let lead = before.lead().map(|lead| lead.name.clone()).filter(|lead| *lead != seat.member);
        let step = self.shutdown_step("approve", refused, known == Some(true), lead.is_some()).await;
        if step.text("refused").is_some() {
            return Err(missing());
        }
        let number = self
            .store()
            .update(run, async |state| {
                let found = latest(state, member).map(|(number, _)| number);
                if known.is_some() && found.is_none() {
                    return Err(missing());
                }
                let request = found.and_then(|number| state.shutdown_requests.get_mut(number));
                let again = request.as_ref().is_some_and(|request| request.approved_at.is_some());
                if step.yes("notes") && !again {
                    if let Some(request) = request {
                        request.approved_at = Some(now);
                    }
                    if let Some(member) = state.member_mut(member) {
                        // One that is done, or broken, stays what it is (TEAM-SHUT-05).
                        member.try_step(MemberStep::ApproveShutdown);
                    }
                }
                Ok(found.unwrap_or_default())
            })
            .await?;
        if let Some(lead) = lead.filter(|_| step.yes("tells")) {
            let message = Outgoing::own(&seat.member, &lead, Kind::ShutdownApproved, member.to_owned());
            let about = [run.as_str(), member, "approve", &number.to_string()];
            self.leave_mail(run, message.once(&about)).await?;
        }
        Ok(json!({
            "teamRunId": run.as_str(), "memberName": member, "approverName": seat.member, "status": "shutdown_approved",
        }))
    }

    /// Refuses to end (TEAM-SHUT-04).
    pub(crate) async fn reject_shutdown(
        &self,
        run: &RunId,
        seat: &Seat,
        member: &str,
        reason: &str,
    ) -> Result<Value, TeamError> {
        let told = json!({
            "teamRunId": run.as_str(), "memberName": member, "rejectedBy": seat.member, "reason": reason,
            "status": "shutdown_rejected",
        });
        let state = self.store().load(run).await?;
        let missing = || TeamError::NoShutdownRequest(member.to_owned());
        let known = latest(&state, member);
        let refused = match known {
            None => Some("missing"),
            Some((_, request)) if request.approved_at.is_some() => Some("approved"),
            Some(_) => None,
        };
        let done = known.is_some_and(|(_, request)| request.rejected_reason.as_deref() == Some(reason));
        let tells = known.is_some_and(|(_, request)| request.requester_name != seat.member);
        let step = self.shutdown_step("reject", refused, done, tells).await;
        match step.text("refused") {
            Some("approved") => return Err(TeamError::AlreadyApproved(member.to_owned())),
            Some(_) => return Err(missing()),
            None if step.yes("done") => return Ok(told),
            None => {}
        }
        let Some((number, request)) = known else { return Ok(told) };
        if step.yes("tells") {
            let message = Outgoing::own(
                &seat.member,
                &request.requester_name,
                Kind::ShutdownRejected,
                reason.to_owned(),
            );
            let about = [run.as_str(), member, "reject", &number.to_string(), reason];
            self.leave_mail(run, message.once(&about)).await?;
        }
        if !step.yes("notes") {
            return Ok(told);
        }
        let now = self.host().clock().wall().millis().max(1);
        self.store()
            .update(run, async |state| {
                let request = state.shutdown_requests.get_mut(number).ok_or_else(missing)?;
                if refused.is_none() && request.approved_at.is_some() {
                    return Err(TeamError::AlreadyApproved(member.to_owned()));
                }
                request.rejected_at = Some(now);
                request.rejected_reason = Some(reason.to_owned());
                Ok(())
            })
            .await?;
        Ok(told)
    }
}
