//! The twelve tools of team mode (team sheet 5).

use std::future::Future;
use std::rc::Rc;

use serde_json::{Value, json};

use super::Team;
use super::error::TeamError;
use super::listing::Scope;
use super::mailbox::{Kind, Outgoing, correlation, references};
use super::names::TaskId;
use super::spec::agents;
use super::tasks::{TaskList, TaskStatus, Update};
use crate::registry::{Caller, Schema, Session, Tool};

/// The toolset of the tools.
pub const TOOLSET: &str = "team";

/// The names of all of them.
pub const NAMES: [&str; 12] = [
    "team_create",
    "team_delete",
    "team_shutdown_request",
    "team_approve_shutdown",
    "team_reject_shutdown",
    "team_send_message",
    "team_task_create",
    "team_task_list",
    "team_task_update",
    "team_task_get",
    "team_status",
    "team_list",
];

/// All of them, if team mode is on; none otherwise (TEAM-CFG-01, TEAM-CFG-02).
pub fn all(team: &Team) -> Vec<Tool> {
    if !team.config().enabled {
        return Vec::new();
    }
    vec![
        create(team),
        delete(team),
        shutdown_request(team),
        approve_shutdown(team),
        reject_shutdown(team),
        send_message(team),
        task_create(team),
        task_list(team),
        task_update(team),
        task_get(team),
        status(team),
        list(team),
    ]
}

/// A tool whose call is carried out to its end, also when whoever called does not wait for it: it may hold a lock.
fn tool<F, R>(
    team: &Team,
    name: &'static str,
    description: &'static str,
    arguments: fn() -> Value,
    result: fn() -> Value,
    body: F,
) -> Tool
where
    F: Fn(Team, Session, Value) -> R + 'static,
    R: Future<Output = Result<Value, TeamError>> + 'static,
{
    let team = team.clone();
    Tool {
        name,
        toolset: TOOLSET,
        description,
        arguments: Schema::new(arguments),
        result: Schema::new(move || or_error(result())),
        handler: Rc::new(move |caller: &Caller, arguments| {
            let running = team.host().spawn(body(team.clone(), caller.session().clone(), arguments));
            Box::pin(async move {
                match running.join().await {
                    Some(Ok(told)) => told,
                    Some(Err(error)) => error.to_value(),
                    None => {
                        json!({ "error": format!("{name} did not come to its end"), "class": "InternalError" })
                    }
                }
            })
        }),
    }
}

/// What a call gives: its result, or what was thrown.
fn or_error(result: Value) -> Value {
    json!({
        "oneOf": [
            result,
            {
                "type": "object",
                "properties": { "error": { "type": "string" }, "class": { "type": "string" } },
                "required": ["error", "class"],
            },
        ],
    })
}

fn text(arguments: &Value, name: &str) -> String {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A text that must have something in it.
fn needed(arguments: &Value, name: &str) -> Result<String, TeamError> {
    Some(text(arguments, name))
        .filter(|text| !text.is_empty())
        .ok_or_else(|| TeamError::Usage(format!("the argument {name:?} must not be empty")))
}

fn optional(arguments: &Value, name: &str) -> Option<String> {
    Some(text(arguments, name)).filter(|text| !text.is_empty())
}

fn session(session: &Session) -> Result<String, TeamError> {
    session.id.clone().ok_or_else(|| TeamError::Usage("session ID is required".to_owned()))
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn words() -> Value {
    json!({ "type": "string" })
}

fn name() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn statuses() -> Value {
    json!({ "type": "string", "enum": TaskStatus::ALL.map(TaskStatus::name) })
}

fn task_schema() -> Value {
    object(
        json!({
            "version": { "const": 1 }, "id": words(), "subject": words(), "description": words(), "activeForm": words(),
            "status": statuses(), "owner": words(),
            "blocks": { "type": "array", "items": words() }, "blockedBy": { "type": "array", "items": words() },
            "metadata": { "type": "object" },
            "createdAt": { "type": "integer" }, "updatedAt": { "type": "integer" }, "claimedAt": { "type": "integer" },
        }),
        &[
            "version",
            "id",
            "subject",
            "description",
            "status",
            "blocks",
            "blockedBy",
            "createdAt",
            "updatedAt",
        ],
    )
}

fn member_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": words(), "kind": { "type": "string", "description": "category or subagent_type" },
            "category": words(), "subagent_type": words(), "prompt": words(), "systemPrompt": words(),
            "loadSkills": { "type": "array", "items": words() }, "role": words(), "description": words(),
        },
    })
}

fn create(team: &Team) -> Tool {
    tool(
        team,
        "team_create",
        "Creates a team: a declared one by teamName, or one that comes along as inline_spec. Whoever creates it leads it.",
        || {
            object(
                json!({
                    "teamName": words(),
                    "inline_spec": {
                        "type": ["object", "string"],
                        "description": "The team as an object, or the same as JSON text.",
                        "properties": {
                            "name": words(), "description": words(), "leadAgentId": words(), "lead": member_schema(),
                            "members": { "type": "array", "items": member_schema() },
                            "teamAllowedPaths": { "type": "array", "items": words() }, "sessionPermission": words(),
                        },
                    },
                    "leadSessionId": words(),
                }),
                &[],
            )
        },
        || {
            object(
                json!({ "teamRunId": words(), "runtimeState": { "type": "object" } }),
                &["teamRunId", "runtimeState"],
            )
        },
        |team, caller, arguments| async move { team.create(&caller, &arguments).await },
    )
}

fn delete(team: &Team) -> Tool {
    tool(
        team,
        "team_delete",
        "Deletes a team with all its files. Its members must be done; force ends them.",
        || object(json!({ "teamRunId": name(), "force": { "type": "boolean" } }), &["teamRunId"]),
        || {
            object(
                json!({
                    "teamRunId": words(), "teamName": words(), "deleted": { "const": true },
                    "removedWorktrees": { "type": "array", "items": words() }, "removedLayout": { "type": "boolean" },
                }),
                &["teamRunId", "teamName", "deleted", "removedWorktrees", "removedLayout"],
            )
        },
        |team, caller, arguments| async move {
            let force = arguments.get("force").and_then(Value::as_bool).unwrap_or_default();
            let entered = team.enter_to_delete(&session(&caller)?, &arguments, force).await?;
            team.delete(&entered.run, force).await
        },
    )
}

fn shutdown_request(team: &Team) -> Tool {
    tool(
        team,
        "team_shutdown_request",
        "Asks a member to end. It answers by team_approve_shutdown or team_reject_shutdown.",
        || {
            object(
                json!({ "teamRunId": name(), "targetMemberName": name() }),
                &["teamRunId", "targetMemberName"],
            )
        },
        || {
            object(
                json!({
                    "teamRunId": words(), "targetMemberName": words(), "requesterName": words(),
                    "status": { "const": "shutdown_requested" },
                }),
                &["teamRunId", "targetMemberName", "requesterName", "status"],
            )
        },
        |team, caller, arguments| async move {
            let entered = team.enter_as_lead("team_shutdown_request", &session(&caller)?, &arguments).await?;
            let target = needed(&arguments, "targetMemberName")?;
            team.request_shutdown(&entered.run, &entered.seat, &target).await
        },
    )
}

fn approve_shutdown(team: &Team) -> Tool {
    tool(
        team,
        "team_approve_shutdown",
        "Agrees to the lead's request that a member ends.",
        || object(json!({ "teamRunId": name(), "memberName": name() }), &["teamRunId", "memberName"]),
        || {
            object(
                json!({
                    "teamRunId": words(), "memberName": words(), "approverName": words(),
                    "status": { "const": "shutdown_approved" },
                }),
                &["teamRunId", "memberName", "approverName", "status"],
            )
        },
        |team, caller, arguments| async move {
            let member = needed(&arguments, "memberName")?;
            let entered =
                team.enter_for("team_approve_shutdown", &session(&caller)?, &arguments, &member).await?;
            team.approve_shutdown(&entered.run, &entered.seat, &member).await
        },
    )
}

fn reject_shutdown(team: &Team) -> Tool {
    tool(
        team,
        "team_reject_shutdown",
        "Refuses the lead's request that a member ends, and says why.",
        || {
            object(
                json!({ "teamRunId": name(), "memberName": name(), "reason": name() }),
                &["teamRunId", "memberName", "reason"],
            )
        },
        || {
            object(
                json!({
                    "teamRunId": words(), "memberName": words(), "rejectedBy": words(), "reason": words(),
                    "status": { "const": "shutdown_rejected" },
                }),
                &["teamRunId", "memberName", "rejectedBy", "reason", "status"],
            )
        },
        |team, caller, arguments| async move {
            let member = needed(&arguments, "memberName")?;
            let entered =
                team.enter_for("team_reject_shutdown", &session(&caller)?, &arguments, &member).await?;
            let reason = needed(&arguments, "reason")?;
            team.reject_shutdown(&entered.run, &entered.seat, &member, &reason).await
        },
    )
}

fn send_message(team: &Team) -> Tool {
    tool(
        team,
        "team_send_message",
        "Writes to a member of the team by name; the lead can write to everybody, which is \"*\".",
        || {
            object(
                json!({
                    "teamRunId": name(), "to": name(), "body": words(),
                    "kind": { "type": "string", "enum": ["message", "announcement"], "default": "message" },
                    "correlationId": { "type": "string", "description": "A UUID." },
                    "summary": words(),
                    "references": {
                        "type": "array",
                        "items": object(json!({ "path": name(), "description": words() }), &["path"]),
                    },
                }),
                &["teamRunId", "to", "body"],
            )
        },
        || {
            object(
                json!({ "messageId": words(), "deliveredTo": { "type": "array", "items": words() } }),
                &["messageId", "deliveredTo"],
            )
        },
        |team, caller, arguments| async move {
            let entered = team.enter("team_send_message", &session(&caller)?, &arguments).await?;
            let kind = match text(&arguments, "kind").as_str() {
                "" | "message" => Kind::Message,
                "announcement" => Kind::Announcement,
                other if other.starts_with("shutdown_") => {
                    let reason = format!("must use lifecycle tools for shutdown kinds, found {other:?}");
                    return Err(TeamError::InvalidMessage { field: "kind", reason });
                }
                other => {
                    let reason = format!("must be message or announcement, found {other:?}");
                    return Err(TeamError::InvalidMessage { field: "kind", reason });
                }
            };
            let outgoing = Outgoing {
                from: entered.seat.member,
                leads: entered.seat.leads,
                to: needed(&arguments, "to")?,
                kind,
                body: text(&arguments, "body"),
                summary: optional(&arguments, "summary"),
                references: references(arguments.get("references").unwrap_or(&Value::Null))?,
                correlation: correlation(arguments.get("correlationId").unwrap_or(&Value::Null))?,
                id: None,
            };
            let (id, to) = team.send(&entered.run, outgoing, caller.directory.as_deref()).await?;
            Ok(json!({ "messageId": id.as_str(), "deliveredTo": to }))
        },
    )
}

fn task_create(team: &Team) -> Tool {
    tool(
        team,
        "team_task_create",
        "Adds a task to the common list. It can wait for others (blockedBy, by id).",
        || {
            object(
                json!({
                    "teamRunId": name(), "subject": words(), "description": words(),
                    "blockedBy": { "type": "array", "items": words() },
                }),
                &["teamRunId", "subject", "description"],
            )
        },
        || object(json!({ "taskId": words(), "task": task_schema() }), &["taskId", "task"]),
        |team, caller, arguments| async move {
            let entered = team.enter("team_task_create", &session(&caller)?, &arguments).await?;
            let mut blocked_by = Vec::new();
            for blocker in arguments.get("blockedBy").and_then(Value::as_array).into_iter().flatten() {
                let id = blocker.as_str().map(TaskId::new).transpose()?.ok_or_else(|| {
                    TeamError::Usage(format!("blockedBy must hold ids of tasks, found {blocker}"))
                })?;
                if !blocked_by.iter().any(|known| known == id.as_str()) {
                    blocked_by.push(id.as_str().to_owned());
                }
            }
            let list = TaskList { store: team.store(), run: &entered.run };
            let task =
                list.create(text(&arguments, "subject"), text(&arguments, "description"), blocked_by).await?;
            Ok(json!({ "taskId": task.id, "task": task }))
        },
    )
}

fn task_list(team: &Team) -> Tool {
    tool(
        team,
        "team_task_list",
        "Shows the common list of tasks, or those of one status or owner.",
        || object(json!({ "teamRunId": name(), "status": statuses(), "owner": words() }), &["teamRunId"]),
        || object(json!({ "tasks": { "type": "array", "items": task_schema() } }), &["tasks"]),
        |team, caller, arguments| async move {
            let entered = team.enter("team_task_list", &session(&caller)?, &arguments).await?;
            let status = optional(&arguments, "status").map(|status| task_status(&status)).transpose()?;
            let owner = optional(&arguments, "owner");
            let list = TaskList { store: team.store(), run: &entered.run };
            Ok(json!({ "tasks": list.all(status, owner.as_deref()).await? }))
        },
    )
}

fn task_status(name: &str) -> Result<TaskStatus, TeamError> {
    TaskStatus::named(name).ok_or_else(|| {
        let known = TaskStatus::ALL.map(TaskStatus::name).join(", ");
        TeamError::Usage(format!("status must be one of {known}, found {name:?}"))
    })
}

fn task_update(team: &Team) -> Tool {
    tool(
        team,
        "team_task_update",
        "Claims a task, or moves it on. Only its owner does the latter; anybody may delete it. The lead can act for another owner.",
        || {
            object(
                json!({ "teamRunId": name(), "taskId": name(), "status": statuses(), "owner": words() }),
                &["teamRunId", "taskId", "status"],
            )
        },
        || object(json!({ "task": task_schema() }), &["task"]),
        |team, caller, arguments| async move {
            let entered = team.enter("team_task_update", &session(&caller)?, &arguments).await?;
            let id = TaskId::new(&text(&arguments, "taskId"))?;
            let to = task_status(&text(&arguments, "status"))?;
            // Whose it is shows in the session; a lead can speak for its members (TEAM-TASK-08).
            let named = optional(&arguments, "owner");
            let speaks = entered.seat.leads && to != TaskStatus::Claimed;
            let by = named.clone().filter(|_| speaks).unwrap_or(entered.seat.member);
            let named = named.as_deref();
            let list = TaskList { store: team.store(), run: &entered.run };
            Ok(json!({ "task": list.update(Update { task: &id, to, by: &by, named }).await? }))
        },
    )
}

fn task_get(team: &Team) -> Tool {
    tool(
        team,
        "team_task_get",
        "Shows one task of the common list.",
        || object(json!({ "teamRunId": name(), "taskId": name() }), &["teamRunId", "taskId"]),
        || object(json!({ "task": task_schema() }), &["task"]),
        |team, caller, arguments| async move {
            let entered = team.enter("team_task_get", &session(&caller)?, &arguments).await?;
            let id = TaskId::new(&text(&arguments, "taskId"))?;
            let list = TaskList { store: team.store(), run: &entered.run };
            Ok(json!({ "task": list.get(&id).await? }))
        },
    )
}

fn status(team: &Team) -> Tool {
    tool(
        team,
        "team_status",
        "Shows where a team stands: its members, tasks, mail and locks.",
        || object(json!({ "teamRunId": name() }), &["teamRunId"]),
        || {
            object(
                json!({
                    "teamName": words(), "teamRunId": words(), "status": words(), "leadSessionId": words(),
                    "createdAt": { "type": "integer" }, "members": { "type": "array" }, "tasks": { "type": "object" },
                    "shutdownRequests": { "type": "array" }, "concurrency": { "type": "object" },
                    "bounds": { "type": "object" }, "staleLocks": { "type": "array", "items": words() },
                }),
                &[
                    "teamName",
                    "teamRunId",
                    "status",
                    "createdAt",
                    "members",
                    "tasks",
                    "shutdownRequests",
                    "concurrency",
                    "bounds",
                    "staleLocks",
                ],
            )
        },
        |team, caller, arguments| async move {
            let entered = team.enter("team_status", &session(&caller)?, &arguments).await?;
            team.status(&entered.run).await
        },
    )
}

fn list(team: &Team) -> Tool {
    tool(
        team,
        "team_list",
        "Shows the teams that are declared, and those that run.",
        || object(json!({ "scope": { "type": "string", "enum": ["user", "project", "all"] } }), &[]),
        || {
            json!({
                "type": "array",
                "items": object(
                    json!({
                        "name": words(), "scope": words(), "status": words(), "teamRunId": words(),
                        "memberCount": { "type": "integer" }, "error": words(),
                    }),
                    &["name", "scope", "status", "memberCount"],
                ),
            })
        },
        |team, caller, arguments| async move {
            let scope = Scope::named(arguments.get("scope").and_then(Value::as_str))?;
            let agent = caller
                .agent
                .as_deref()
                .map(agents::plain_name)
                .filter(|agent| agents::judge(agent) == agents::Verdict::Eligible);
            team.list(scope, agent).await
        },
    )
}
