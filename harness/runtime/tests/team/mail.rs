//! Messages: where they are written, who is told when, and when they are put away.

use std::time::Duration;

use gauntlet_runtime::team::sessions::Prompted;
use gauntlet_runtime::team::{Event, RunId};
use gauntlet_world::fault::{Errno, Happening, Moment, Rule};
use gauntlet_world::touch::Op;
use serde_json::{Value, json};

use crate::rig::{Rig, run, together};

const SECOND: Duration = Duration::from_secs(1);

async fn send(rig: &Rig, team: &RunId, from: &str, to: &str, body: &str) -> Value {
    rig.call(from, "team_send_message", json!({ "teamRunId": team.as_str(), "to": to, "body": body })).await
}

async fn idle(rig: &Rig, session: &str) {
    rig.pass(SECOND).await;
    rig.team().on_event(Event::Idle { session: session.to_owned() }).await;
}

fn id(told: &Value) -> String {
    told["messageId"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[test]
fn an_idle_member_is_told_at_once_and_its_mail_is_put_away_when_it_is_idle_again() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        idle(rig, &sessions["a"]).await;
        let told = send(rig, &team, "boss", "a", "read this").await;
        let id = id(&told);
        assert_eq!(told["deliveredTo"], json!(["a"]));
        let prompts = rig.fake.change(|state| state.prompts.clone());
        assert_eq!(prompts.len(), 1);
        assert!(prompts[0].text.contains("read this") && prompts[0].session == sessions["a"]);
        assert_eq!(prompts[0].model, Some(json!({ "providerID": "p", "modelID": "a" })), "its own model");
        assert_eq!(rig.files(&team, "inboxes/a"), [format!(".delivering-{id}.json")]);
        idle(rig, &sessions["a"]).await;
        assert_eq!(rig.files(&team, "inboxes/a"), [format!("processed/{id}.json")]);
        assert_eq!(rig.json(&team, "state.json")["members"][1]["pendingInjectedMessageIds"], json!([]));
    });
}

#[test]
fn who_works_gets_its_mail_at_the_next_turn_once() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        let id = id(&send(rig, &team, "boss", "a", "later").await);
        assert_eq!(rig.files(&team, "inboxes/a"), [format!("{id}.json")]);
        let history = vec![json!({ "info": { "role": "user" } }), json!({ "info": { "role": "assistant" } })];
        let (one, two) = (rig.team(), rig.team());
        let both = [
            one.turn(&sessions["a"], history.clone()).await,
            two.turn(&sessions["a"], history.clone()).await,
        ];
        let with_mail: Vec<_> = both.iter().filter(|turn| turn.len() == 3).collect();
        assert_eq!(with_mail.len(), 1, "one of two looks at one turn has it");
        assert!(with_mail[0][0]["parts"][0]["text"].as_str().is_some_and(|text| text.contains(&id)));
        // A later turn does not have it again, and what is new is in it.
        let more = self::id(&send(rig, &team, "boss", "a", "more").await);
        let mail = rig.team().mail_for(&sessions["a"], 5).await.unwrap().unwrap();
        assert!(mail.contains(&more) && !mail.contains(&id), "{mail}");
        // Hosts may keep no record of what was put into a turn.
        idle(rig, &sessions["a"]).await;
        assert_eq!(rig.files(&team, "inboxes/a").len(), 2);
        assert!(rig.files(&team, "inboxes/a").iter().all(|file| file.starts_with("processed/")));
        let plain = vec![json!({ "role": "user" })];
        assert_eq!(rig.team().turn("stranger", plain.clone()).await, plain);
    });
}

#[test]
fn a_prompt_that_is_refused_leaves_the_mail_unread_and_one_that_vanishes_brings_it_back() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        idle(rig, &sessions["a"]).await;
        rig.fake.change(|state| state.answer = Some(Prompted::Refused("no".to_owned())));
        let refused = id(&send(rig, &team, "boss", "a", "one").await);
        assert_eq!(rig.files(&team, "inboxes/a"), [format!("{refused}.json")]);
        rig.fake.change(|state| (state.answer, state.vanish) = (None, true));
        let vanished = id(&send(rig, &team, "boss", "a", "two").await);
        assert!(rig.files(&team, "inboxes/a").contains(&format!(".delivering-{vanished}.json")));
        // While the session works, an idle is none.
        rig.fake.change(|state| state.sessions.get_mut(&sessions["a"]).unwrap().active = true);
        idle(rig, &sessions["a"]).await;
        assert!(rig.files(&team, "inboxes/a").contains(&format!(".delivering-{vanished}.json")));
        rig.fake.change(|state| state.sessions.get_mut(&sessions["a"]).unwrap().active = false);
        idle(rig, &sessions["a"]).await;
        assert!(
            rig.files(&team, "inboxes/a").contains(&format!("{vanished}.json")),
            "it was not in the history"
        );
    });
}

#[test]
fn an_answer_that_is_lost_counts_as_told_until_the_history_shows_otherwise() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        idle(rig, &sessions["a"]).await;
        rig.fake.change(|state| state.answer = Some(Prompted::failed_with("fetch failed: unexpected EOF")));
        let id = id(&send(rig, &team, "boss", "a", "one").await);
        assert_eq!(rig.files(&team, "inboxes/a"), [format!(".delivering-{id}.json")]);
        assert_eq!(rig.json(&team, "state.json")["members"][1]["pendingInjectedMessageIds"], json!([id]));
        assert_eq!(Prompted::failed_with("HTTP 500"), Prompted::Refused("HTTP 500".to_owned()));
    });
}

#[test]
fn mail_that_was_told_and_cannot_be_noted_is_put_away_at_once() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        idle(rig, &sessions["a"]).await;
        let target = Some("state.lock".to_owned());
        let happening = Happening::Fail(Errno::Io);
        let host = "runtime".to_owned();
        rig.world.arm(Rule { host, at: Op::DiskCreate, target, nth: 1, moment: Moment::Before, happening });
        let id = id(&send(rig, &team, "boss", "a", "one").await);
        assert_eq!(rig.files(&team, "inboxes/a"), [format!("processed/{id}.json")]);
    });
}

#[test]
fn everybody_but_the_sender_gets_a_broadcast_and_only_the_lead_sends_one() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a", "b"]).await;
        let told = send(rig, &team, "boss", "*", "all").await;
        assert_eq!(told["deliveredTo"], json!(["a", "b"]));
        assert_eq!(rig.files(&team, "inboxes/lead"), Vec::<String>::new());
        let args = json!({ "teamRunId": team.as_str(), "to": "*", "body": "all" });
        assert_eq!(
            rig.refused(&sessions["a"], "team_send_message", args).await,
            "broadcast requires lead role"
        );
        let told = send(rig, &team, &sessions["a"], "lead", "to you").await;
        let file = rig.json(&team, &format!("inboxes/lead/{}.json", id(&told)));
        assert_eq!(
            (&file["from"], &file["to"], &file["kind"]),
            (&json!("a"), &json!("lead"), &json!("message"))
        );
    });
}

#[test]
fn what_is_no_message_is_refused_before_anything_is_written() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        let long = "é".repeat(16_385);
        for (more, expected) in [
            (json!({ "to": "nobody", "body": "x" }), "unknown or inactive team recipient: nobody"),
            (json!({ "to": "../x", "body": "x" }), "team path escapes base directory"),
            (json!({ "to": "a", "body": "x", "correlationId": "7" }), "correlationId"),
            (
                json!({ "to": "a", "body": "x", "kind": "shutdown_request" }),
                "must use lifecycle tools for shutdown kinds",
            ),
            (json!({ "to": "a", "body": long }), "payload exceeds 32 KB"),
            (json!({ "to": "a", "body": "x", "references": [{}] }), "references"),
        ] {
            let mut args = json!({ "teamRunId": team.as_str() });
            args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let refused = rig.refused("boss", "team_send_message", args).await;
            assert!(refused.contains(expected), "{refused}");
        }
        assert_eq!(rig.files(&team, "inboxes"), Vec::<String>::new());
        let fits = json!({ "teamRunId": team.as_str(), "to": "a", "body": "x".repeat(32_768), "correlationId": "", "summary": "" });
        assert_eq!(rig.call("boss", "team_send_message", fits).await["deliveredTo"], json!(["a"]));
        let own = json!({ "teamRunId": team.as_str(), "to": "a", "body": "x" });
        let refused = rig.refused(&sessions["a"], "team_send_message", own).await;
        assert!(refused.contains("unknown or inactive"), "{refused}");
    });
}

#[test]
fn an_inbox_is_full_by_what_is_unread_and_reserved_also_for_two_at_once() {
    run(1, async |rig| {
        rig.config.recipient_unread_max_bytes = 2048;
        rig.restart().await;
        let (team, sessions) = rig.team_of(&["a", "b"]).await;
        let args = json!({ "teamRunId": team.as_str(), "to": "a", "body": "x".repeat(700) });
        let three = ["boss", &sessions["b"], "boss"]
            .map(|from| rig.try_call(from, "team_send_message", args.clone()));
        let told = together(three.into()).await;
        let taken = told.iter().flatten().filter(|told| told.get("error").is_none()).count();
        assert_eq!(taken, 2, "{told:?}");
        let refused = rig.refused("boss", "team_send_message", args.clone()).await;
        assert!(refused.starts_with("recipient inbox full (backpressure)"), "{refused}");
        // A broadcast that one cannot take leaves no reservation at the others.
        let all = json!({ "teamRunId": team.as_str(), "to": "*", "body": "x".repeat(700) });
        assert!(rig.refused("boss", "team_send_message", all).await.contains("backpressure"));
        let hidden: Vec<_> =
            rig.files(&team, "inboxes").into_iter().filter(|file| file.contains(".delivering-")).collect();
        assert_eq!(hidden, Vec::<String>::new());
        // What was read does not count.
        rig.team().mail_for(&sessions["a"], 1).await.unwrap();
        idle(rig, &sessions["a"]).await;
        assert_eq!(rig.call("boss", "team_send_message", args).await["deliveredTo"], json!(["a"]));
    });
}

#[test]
fn a_file_that_is_no_message_stays_and_keeps_nobody_from_the_others() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        let inbox = rig.team().layout().run(&team).join("inboxes/a");
        rig.put(inbox.join("broken.json"), b"{\"version\": 1, \"mess");
        rig.put(inbox.join("notes.txt"), b"mine");
        rig.put(inbox.join("huge.json"), &vec![b' '; 1 << 17]);
        let id = id(&send(rig, &team, "boss", "a", "fine").await);
        let mail = rig.team().mail_for(&sessions["a"], 1).await.unwrap().unwrap();
        assert!(mail.contains(&id));
        assert_eq!(rig.files(&team, "inboxes/a").len(), 4);
    });
}

#[test]
fn unread_mail_wakes_its_reader_once_in_half_a_minute() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        send(rig, &team, "boss", "a", "secret").await;
        let session = sessions["a"].clone();
        let hints = |rig: &Rig| rig.fake.change(|state| state.prompts.len());
        idle(rig, &session).await;
        assert_eq!(hints(rig), 1);
        assert!(!rig.fake.change(|state| state.prompts[0].text.contains("secret")));
        rig.team().on_event(Event::Idle { session: session.clone() }).await;
        idle(rig, &session).await;
        assert_eq!(hints(rig), 1, "the same mail");
        rig.pass(Duration::from_secs(31)).await;
        idle(rig, &session).await;
        assert_eq!(hints(rig), 2);
    });
}

#[test]
fn a_thousand_messages_go_through_one_inbox() {
    run(1, async |rig| {
        let (team, sessions) = rig.team_of(&["a"]).await;
        for number in 0..1000 {
            idle(rig, &sessions["a"]).await;
            id(&send(rig, &team, "boss", "a", &number.to_string()).await);
        }
        idle(rig, &sessions["a"]).await;
        assert_eq!(rig.files(&team, "inboxes/a/processed").len(), 1000);
        let told =
            rig.fake.change(|state| state.sessions[&sessions["a"]].history.matches("<peer_message").count());
        assert_eq!(told, 1000);
    });
}
