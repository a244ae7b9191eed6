//! State files that are broken, locks of the dead, folders of others.

use std::time::Duration;

use serde_json::json;

use crate::rig::{BASE, run};

#[test]
fn a_broken_run_is_named_where_it_is_asked_for_and_hides_no_other() {
    run(1, async |rig| {
        let (team, _) = rig.team_of(&["a"]).await;
        rig.put(format!("{BASE}/runtime/broken/state.json"), b"{\"version\": 1");
        rig.put(format!("{BASE}/runtime/empty/notes.txt"), b"");
        rig.put(format!("{BASE}/runtime/{team}/state.json.0123.tmp"), b"half");
        let list = rig.call("x", "team_list", json!({})).await;
        assert_eq!(list.as_array().map(Vec::len), Some(1), "{list}");
        let told = rig.call("boss", "team_status", json!({ "teamRunId": "broken" })).await;
        assert_eq!(
            (&told["class"], &told["code"]),
            (&json!("RuntimeStateError"), &json!("invalid_runtime_state"))
        );
        assert!(told["file"].as_str().is_some_and(|file| file.ends_with("runtime/broken/state.json")));
        assert!(rig.machine.disk().stat(format!("{BASE}/runtime/broken/state.json").as_ref()).is_ok());
        assert!(
            rig.call("boss", "team_status", json!({ "teamRunId": team.as_str() }))
                .await
                .get("error")
                .is_none()
        );
    });
}

#[test]
fn the_state_lock_of_the_dead_is_waited_for_and_taken_over_when_it_is_old() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        let lock = rig.team().layout().run(&team).join("state.lock");
        let ask = json!({ "teamRunId": team.as_str(), "targetMemberName": "a" });
        let now = rig.machine.wall().millis();
        rig.put(&lock, format!("ghost\n99999\n{}\n", now - 10_000).as_bytes());
        let began = rig.visitor.clock().now();
        let told = rig.call("boss", "team_shutdown_request", ask.clone()).await;
        assert!(told["error"].as_str().unwrap().starts_with("Timed out acquiring lock: "), "{told}");
        let waited = rig.visitor.clock().now() - began;
        assert!((Duration::from_secs(15)..Duration::from_secs(16)).contains(&waited), "{waited:?}");
        rig.pass(Duration::from_secs(300)).await;
        assert_eq!(rig.call("boss", "team_shutdown_request", ask).await["status"], "shutdown_requested");
        assert_eq!(
            rig.files(&team, "inboxes/a").len(),
            1,
            "the message of the first try is that of the second"
        );
        // One that says nothing goes by its age.
        rig.put(&lock, b"");
        rig.pass(Duration::from_secs(301)).await;
        let yes = json!({ "teamRunId": team.as_str(), "memberName": "a" });
        let told = rig.call(&sessions["a"], "team_approve_shutdown", yes).await;
        assert_eq!(told["status"], "shutdown_approved", "{told}");
    });
}

#[test]
fn team_status_changes_nothing() {
    run(1, async |rig| {
        let (team, _) = rig.team_of(&["a"]).await;
        let before = rig.machine.disk().changes();
        rig.call("boss", "team_status", json!({ "teamRunId": team.as_str() })).await;
        assert_eq!(rig.machine.disk().changes(), before);
    });
}
