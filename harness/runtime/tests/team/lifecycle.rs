//! How teams come and go.

use std::time::Duration;

use gauntlet_runtime::team::{Event, RunId, tools};
use serde_json::{Value, json};

use crate::rig::{BASE, FakeSession, Rig, run};

fn named(team: &RunId) -> Value {
    json!({ "teamRunId": team.as_str() })
}

fn with(team: &RunId, more: Value) -> Value {
    let mut args = named(team);
    args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    args
}

fn spec(members: &[&str]) -> Value {
    let members: Vec<Value> = members
        .iter()
        .map(|name| json!({ "name": name, "category": "quick", "prompt": "do what comes" }))
        .collect();
    json!({ "inline_spec": { "name": "pair", "members": members } })
}

fn is_there(rig: &Rig, path: &str) -> bool {
    rig.machine.disk().stat(path.as_ref()).is_ok()
}

#[test]
fn switched_off_there_are_no_tools_and_nothing_is_touched() {
    run(1, async |rig| {
        rig.config.enabled = false;
        rig.restart().await;
        assert!(tools::all(&rig.team()).is_empty());
        rig.config.enabled = true;
        rig.restart().await;
        assert!(!is_there(rig, BASE));
        let tools = tools::all(&rig.team());
        assert_eq!(tools.len(), 12);
        for tool in &tools {
            assert!(jsonschema::meta::is_valid(&tool.arguments) && jsonschema::meta::is_valid(&tool.result));
        }
    });
}

#[test]
fn a_team_lives_from_creation_to_an_orderly_end() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a", "b"]).await;
        assert_eq!(sessions["lead"], "boss", "who creates it leads it");
        let launches = rig.fake.change(|state| state.launches.clone());
        assert_eq!(launches.len(), 2);
        assert_eq!(
            (launches[0].parent_session.as_str(), launches[0].team_run.as_str()),
            ("boss", team.as_str())
        );
        assert!(launches[0].prompt.starts_with(&format!("Team: pair\nTeamRunId: {team}\nMember: a\n")));
        assert_eq!(launches[0].description, "Create team member pair/a");
        for folder in [BASE.to_owned(), format!("{BASE}/runtime"), format!("{BASE}/runtime/{team}/inboxes/a")]
        {
            assert_eq!(rig.machine.disk().stat(folder.as_ref()).unwrap().mode, 0o700, "{folder}");
        }
        let status = rig.call(&sessions["a"], "team_status", named(&team)).await;
        assert_eq!(
            (&status["status"], &status["members"][1]["status"]),
            (&json!("active"), &json!("running"))
        );
        let busy = rig.refused("boss", "team_delete", named(&team)).await;
        assert_eq!(busy, "members still active: a, b");
        let early = with(&team, json!({ "memberName": "a" }));
        assert_eq!(
            rig.refused(&sessions["a"], "team_approve_shutdown", early).await,
            "shutdown request missing for 'a'"
        );
        for name in ["a", "b"] {
            let ask = with(&team, json!({ "targetMemberName": name }));
            rig.call("boss", "team_shutdown_request", ask.clone()).await;
            rig.call("boss", "team_shutdown_request", ask).await;
            let asked = rig.files(&team, &format!("inboxes/{name}"));
            assert_eq!(asked.len(), 1, "once");
        }
        let no = with(&team, json!({ "memberName": "b", "reason": "not yet" }));
        rig.call(&sessions["b"], "team_reject_shutdown", no).await;
        let other = with(&team, json!({ "memberName": "b" }));
        let denied = rig.refused(&sessions["a"], "team_approve_shutdown", other).await;
        assert_eq!(denied, "team_approve_shutdown: caller must be target member or team lead");
        let ask = with(&team, json!({ "targetMemberName": "b" }));
        rig.call("boss", "team_shutdown_request", ask).await;
        for name in ["a", "b"] {
            for _ in 0..2 {
                let yes = with(&team, json!({ "memberName": name }));
                let told = rig.call(&sessions[name], "team_approve_shutdown", yes).await;
                assert_eq!(told["status"], "shutdown_approved");
            }
        }
        let kinds: Vec<_> = rig
            .files(&team, "inboxes/lead")
            .into_iter()
            .map(|file| rig.json(&team, &format!("inboxes/lead/{file}"))["kind"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(kinds.iter().filter(|kind| *kind == "shutdown_approved").count(), 2);
        assert_eq!(kinds.len(), 3);
        let late = with(&team, json!({ "memberName": "a", "reason": "no" }));
        assert!(rig.refused(&sessions["a"], "team_reject_shutdown", late).await.contains("approved already"));
        let working = rig.refused("boss", "team_delete", named(&team)).await;
        assert!(working.starts_with("members still active"), "its tasks run: {working}");
        assert_eq!(rig.fake.change(|state| state.cancelled.len()), 0, "a refusal has no effect");
        rig.fake.change(|state| state.tasks.iter_mut().for_each(|(_, task)| task.works = false));
        let deleted = rig.call("boss", "team_delete", named(&team)).await;
        assert_eq!(deleted["deleted"], true);
        assert!(!is_there(rig, &format!("{BASE}/runtime/{team}")));
        assert_eq!(rig.call("boss", "team_status", named(&team)).await["class"], "ENOENT");
        let (again, _) = rig.team_of(&["a"]).await;
        assert_ne!(again, team);
    });
}

#[test]
fn no_more_members_are_started_at_once_than_may_be() {
    run(1, async |rig| {
        rig.config.max_parallel_members = 2;
        rig.restart().await;
        rig.fake.change(|state| state.slow = Duration::from_millis(200));
        rig.team_of(&["a", "b", "c", "d", "e"]).await;
        assert_eq!(rig.fake.change(|state| state.most_at_once), 2);
    });
}

#[test]
fn a_team_whose_members_cannot_all_be_started_leaves_nothing_behind() {
    run(1, async |rig| {
        rig.config.max_parallel_members = 1;
        rig.restart().await;
        rig.fake.change(|state| state.failing.insert("c".to_owned()));
        let told = rig.call("boss", "team_create", spec(&["a", "b", "c", "d"])).await;
        assert_eq!(told["class"], "TeamRunCreateError");
        assert_eq!(
            told["error"],
            "Failed to create team run 'pair': Failed to resolve member 'c': no such model"
        );
        let cancelled = rig.fake.change(|state| state.cancelled.clone());
        assert_eq!(cancelled, ["ses-b-1", "ses-a-0"], "the last one first");
        assert_eq!(told["cleanupReport"]["cancelledTaskIds"], json!(cancelled));
        assert_eq!(rig.call("boss", "team_list", json!({})).await, json!([]));
        assert_eq!(rig.machine.disk().list(format!("{BASE}/runtime").as_ref()).unwrap(), []);
        // A session that never comes ends with the time for creation.
        rig.config.max_wall_clock_minutes = 1;
        rig.restart().await;
        rig.fake.change(|state| state.silent.insert("a".to_owned()));
        let told = rig.call("boss", "team_create", spec(&["a"])).await;
        assert!(
            told["error"].as_str().unwrap().contains("team creation exceeded max_wall_clock_minutes"),
            "{told}"
        );
    });
}

#[test]
fn who_takes_part_makes_no_other_team_and_strangers_do_nothing_but_look() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        for session in ["boss", &sessions["a"]] {
            let told = rig.call(session, "team_create", spec(&["x"])).await;
            // The lead gets its own again, and nobody a second one.
            assert!(told["class"] == "DeniedError" || told["teamRunId"] == team.as_str(), "{told}");
        }
        let member = |tool: &'static str, more: Value| (tool, with(&team, more));
        for (tool, args) in [
            member("team_status", json!({})),
            member("team_delete", json!({ "force": true })),
            member("team_send_message", json!({ "to": "a", "body": "x" })),
            member("team_task_list", json!({})),
            member("team_shutdown_request", json!({ "targetMemberName": "a" })),
        ] {
            let refused = rig.refused("stranger", tool, args).await;
            assert_eq!(refused, format!("team-mode tool {tool} denied: not a participant of team {team}"));
        }
        let none = rig.refused("boss", "team_status", json!({})).await;
        assert_eq!(none, "team-mode tool team_status requires teamRunId argument");
        let lead_only =
            rig.refused(&sessions["a"], "team_delete", with(&team, json!({ "force": true }))).await;
        assert_eq!(lead_only, "team_delete is lead-only");
        for trick in ["..", "../x", "/etc"] {
            let told = rig.call("boss", "team_status", json!({ "teamRunId": trick })).await;
            assert_eq!(told["class"], "TeamPathTraversalError", "{told}");
        }
        let seen = rig.call("stranger", "team_list", json!({})).await;
        assert_eq!((seen[0]["name"].as_str(), seen[0]["memberCount"].as_u64()), (Some("pair"), Some(2)));
        let denied = rig.call_as("x", Some("oracle".to_owned()), "team_create", spec(&["x"])).await.unwrap();
        assert!(
            denied["error"]
                .as_str()
                .unwrap()
                .starts_with("team_create denied: caller 'oracle' is a hard-reject agent")
        );
        let both = rig.refused("x", "team_create", json!({ "teamName": "", "inline_spec": null })).await;
        assert!(both.starts_with("team_create requires exactly one of teamName or inline_spec"), "{both}");
    });
}

#[test]
fn declared_teams_are_listed_and_created_by_name() {
    run(1, async |rig| {
        let team = |member: &str| {
            json!({ "name": "night", "members": [{ "name": member, "subagent_type": "atlas" }] }).to_string()
        };
        rig.put("/project/.omo/teams/night/config.json", team("of-project").as_bytes());
        rig.put(format!("{BASE}/teams/night/config.json"), team("of-user").as_bytes());
        rig.put(format!("{BASE}/teams/broken/config.json"), b"{ half");
        rig.put(format!("{BASE}/teams/empty/notes.txt"), b"");
        let list = rig.call("x", "team_list", json!({})).await;
        let told: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|team| (team["name"].as_str().unwrap(), team["status"].as_str().unwrap()))
            .collect();
        assert_eq!(told, [("broken", "invalid"), ("empty", "invalid"), ("night", "not-started")]);
        let made = rig.call("boss", "team_create", json!({ "teamName": "night" })).await;
        assert_eq!(made["runtimeState"]["members"][1]["name"], "of-project");
        assert_eq!(made["runtimeState"]["specSource"], "project");
        assert_eq!(made["runtimeState"]["members"][1].get("pendingInjectedMessageIds"), None);
        let missing = rig.call("other", "team_create", json!({ "teamName": "none" })).await;
        assert_eq!(missing["code"], "TEAM_SPEC_NOT_FOUND");
        let broken = rig.call("other", "team_create", json!({ "teamName": "broken" })).await;
        assert_eq!(broken["code"], "INVALID_JSON");
        let user = rig.call("x", "team_list", json!({ "scope": "user" })).await;
        assert!(user.as_array().unwrap().iter().all(|team| team["scope"] == "user"), "{user}");
    });
}

#[test]
fn an_error_of_a_session_that_lives_is_passing_and_one_that_is_gone_is_told_to_the_lead_once() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a", "b"]).await;
        let error = |session: &str| Event::Error {
            session: session.to_owned(),
            said: Some("Out of memory".to_owned()),
        };
        rig.team().on_event(error(&sessions["a"])).await;
        assert_eq!(rig.json(&team, "state.json")["members"][1]["status"], "running");
        rig.fake.change(|state| state.unreachable = true);
        rig.team().on_event(error(&sessions["a"])).await;
        rig.fake.change(|state| state.unreachable = false);
        assert_eq!(rig.json(&team, "state.json")["members"][1]["status"], "running", "nobody knows");
        rig.fake.change(|state| state.sessions.get_mut(&sessions["a"]).unwrap().gone = true);
        for _ in 0..2 {
            rig.team().on_event(error(&sessions["a"])).await;
        }
        assert_eq!(rig.json(&team, "state.json")["members"][1]["status"], "errored");
        let mail = rig.files(&team, "inboxes/lead");
        assert_eq!(mail.len(), 1);
        let mail = rig.json(&team, &format!("inboxes/lead/{}", mail[0]));
        assert_eq!((&mail["from"], &mail["body"]), (&json!("system"), &json!("a failed: Out of memory")));
        rig.team().on_event(Event::Deleted { session: sessions["b"].clone() }).await;
        assert_eq!(rig.json(&team, "state.json")["members"][2]["status"], "completed");
        rig.team().on_event(Event::Deleted { session: "boss".to_owned() }).await;
        assert!(!is_there(rig, &format!("{BASE}/runtime/{team}")), "without its lead it goes");
        assert_eq!(rig.fake.change(|state| state.cancelled.len()), 2);
    });
}

#[test]
fn a_delete_by_force_cancels_the_tasks_of_this_run_and_no_others() {
    run(1, async |rig| {
        let (team, _) = rig.team_of(&["a"]).await;
        rig.fake.change(|state| {
            let mut foreign = state.tasks[0].clone();
            (foreign.1.task, foreign.1.team_run) = ("own-work".to_owned(), None);
            state.tasks.push(foreign);
        });
        rig.call("boss", "team_delete", with(&team, json!({ "force": true }))).await;
        assert_eq!(rig.fake.change(|state| state.cancelled.clone()), ["ses-a-0"]);
    });
}

#[test]
fn what_an_earlier_life_left_is_taken_up() {
    run(1, async |rig| {
        let (alive, sessions) = rig.team_of(&["a", "b"]).await;
        let state = rig.json(&alive, "state.json");
        let now = rig.machine.wall().millis();
        let plant = |id: &str, change: &dyn Fn(&mut Value)| {
            let mut planted = state.clone();
            planted["teamRunId"] = json!(id);
            change(&mut planted);
            rig.put(format!("{BASE}/runtime/{id}/state.json"), planted.to_string().as_bytes());
        };
        plant("dead-lead", &|state| state["leadSessionId"] = json!("gone"));
        plant("stuck", &|state| {
            state["status"] = json!("creating");
            state["createdAt"] = json!(now - 40 * 60_000);
        });
        plant("young", &|state| {
            state["status"] = json!("creating");
            state["createdAt"] = json!(now - 60_000);
        });
        plant("deleting", &|state| state["status"] = json!("deleting"));
        rig.put(format!("{BASE}/runtime/broken/state.json"), b"{ half");
        rig.restart().await;
        let report = rig.team().resume().await;
        assert_eq!(
            (report.resumed, report.marked_failed, report.marked_orphaned, report.cleaned),
            (1, 1, 1, 1)
        );
        assert_eq!(report.errors.len(), 1, "the broken one is named: {:?}", report.errors);
        assert!(report.errors[0].contains("broken/state.json"));
        assert!(is_there(rig, &format!("{BASE}/runtime/young/state.json")));
        // One worker dies, and later the other one.
        for (session, resumed) in [("a", 1), ("b", 0)] {
            rig.fake.change(|state| {
                state
                    .sessions
                    .insert(sessions[session].clone(), FakeSession { gone: true, ..FakeSession::default() })
            });
            let report = rig.team().resume().await;
            assert_eq!(report.resumed, resumed, "{report:?}");
        }
        assert_eq!(rig.json(&alive, "state.json")["status"], "orphaned");
        let member = rig.refused(&sessions["b"], "team_status", named(&alive)).await;
        assert!(member.contains("not a participant"), "{member}");
        let gone = rig.call("boss", "team_delete", with(&alive, json!({ "force": true }))).await;
        assert_eq!(gone["deleted"], true);
    });
}
