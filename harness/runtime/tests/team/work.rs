//! The list of tasks.

use gauntlet_runtime::team::RunId;
use serde_json::{Value, json};

use crate::rig::{Rig, run};

async fn task(rig: &Rig, team: &RunId, blocked_by: &[&str]) -> String {
    let args =
        json!({ "teamRunId": team.as_str(), "subject": "s", "description": "d", "blockedBy": blocked_by });
    rig.call("boss", "team_task_create", args).await["taskId"].as_str().expect("an id").to_owned()
}

fn step(team: &RunId, task: &str, status: &str) -> Value {
    json!({ "teamRunId": team.as_str(), "taskId": task, "status": status })
}

#[test]
fn a_pipeline_of_two_is_worked_off_in_order() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a", "b"]).await;
        let (first, second) = (task(rig, &team, &[]).await, task(rig, &team, &["1"]).await);
        let blocked = rig.call(&sessions["b"], "team_task_update", step(&team, &second, "claimed")).await;
        assert_eq!((&blocked["class"], &blocked["blockers"]), (&json!("BlockedByError"), &json!(["1"])));
        let begun = rig.call(&sessions["a"], "team_task_update", step(&team, &first, "in_progress")).await;
        assert_eq!((&begun["task"]["owner"], &begun["task"]["status"]), (&json!("a"), &json!("in_progress")));
        assert!(begun["task"]["claimedAt"].is_i64());
        let cross = rig.refused(&sessions["b"], "team_task_update", step(&team, &first, "completed")).await;
        assert_eq!(cross, "cross-owner updates are not allowed");
        let mut as_other = step(&team, &first, "completed");
        as_other["owner"] = json!("a");
        assert_eq!(rig.refused(&sessions["b"], "team_task_update", as_other).await, cross);
        let done = rig.call(&sessions["a"], "team_task_update", step(&team, &first, "completed")).await;
        let again = rig.call(&sessions["a"], "team_task_update", step(&team, &first, "completed")).await;
        assert_eq!(done, again, "the same once more changes nothing");
        let claimed = rig.call(&sessions["b"], "team_task_update", step(&team, &second, "claimed")).await;
        assert_eq!(claimed["task"]["owner"], "b");
        let back = rig.refused(&sessions["a"], "team_task_update", step(&team, &first, "pending")).await;
        assert_eq!(back, "no reverse transitions from completed to pending");
        let lost = rig.refused(&sessions["a"], "team_task_update", step(&team, &second, "claimed")).await;
        assert_eq!(lost, "already_claimed");
    });
}

#[test]
fn numbers_are_never_given_twice_whatever_became_of_the_mark() {
    run(1, async |rig| {
        let (team, _) = rig.team_of(&["a"]).await;
        for _ in 0..11 {
            task(rig, &team, &[]).await;
        }
        let tasks = rig.team().layout().tasks(&team);
        rig.put(tasks.join(".highwatermark"), b"x");
        assert_eq!(task(rig, &team, &[]).await, "12");
        rig.put(tasks.join("2.json"), b"half of {");
        rig.put(tasks.join("notes.json"), b"{}");
        let all = rig.call("boss", "team_task_list", json!({ "teamRunId": team.as_str() })).await;
        let ids: Vec<_> =
            all["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["1", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
        let broken =
            rig.call("boss", "team_task_get", json!({ "teamRunId": team.as_str(), "taskId": "2" })).await;
        assert!(broken["file"].as_str().is_some_and(|file| file.ends_with("tasks/2.json")), "{broken}");
        let trick =
            rig.call("boss", "team_task_get", json!({ "teamRunId": team.as_str(), "taskId": "../1" })).await;
        assert_eq!(trick["class"], "TeamPathTraversalError");
        let none =
            rig.call("boss", "team_task_get", json!({ "teamRunId": team.as_str(), "taskId": "99" })).await;
        assert_eq!(none["class"], "ENOENT");
    });
}

#[test]
fn a_claim_lock_of_the_dead_is_taken_over_and_that_of_the_living_never() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        let (one, two) = (task(rig, &team, &[]).await, task(rig, &team, &[]).await);
        let claims = rig.team().layout().tasks(&team).join("claims");
        let now = rig.machine.wall().millis();
        let alive = rig.host().pid();
        rig.put(claims.join("1.lock"), format!("ghost\n99999\n{}\n", now - 400_000).as_bytes());
        rig.put(claims.join("2.lock"), format!("ghost\n{alive}\n{}\n", now - 4_000_000).as_bytes());
        let status = rig.call("boss", "team_status", json!({ "teamRunId": team.as_str() })).await;
        assert_eq!(status["staleLocks"].as_array().map(Vec::len), Some(1), "{status}");
        let claimed = rig.call(&sessions["a"], "team_task_update", step(&team, &one, "claimed")).await;
        assert_eq!(claimed["task"]["owner"], "a");
        let held = rig.refused(&sessions["a"], "team_task_update", step(&team, &two, "claimed")).await;
        assert_eq!(held, "already_claimed");
    });
}
