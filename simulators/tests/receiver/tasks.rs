//! Structured tasks across crashes, where scenarios do not look: where their outcome goes, and how much they may say.

use gauntlet_world::fault::Unsynced;
use serde_json::{Value, json};

use crate::rig::{Play, Rig, config, run, send_message};

const URI: &str = "urn:gauntlet:ext:task:1";

/// Dispatches a structured task; gives the code of its refusal, or nothing when it was acknowledged.
async fn dispatch(rig: &Rig, context: &str, text: &str, task: Value) -> Option<i64> {
    let mut body: Value = serde_json::from_slice(&send_message(context, text)).expect("JSON");
    body["params"]["message"]["extensions"] = json!([URI]);
    body["params"]["message"]["metadata"] = json!({ URI: task });
    let answer = rig.rpc(body.to_string().as_bytes()).await.expect("an answer");
    answer.pointer("/error/code").and_then(Value::as_i64)
}

#[test]
fn the_outcome_goes_where_the_task_asked_for_it_also_after_the_power_was_cut() {
    let slots = config(json!({ "max_concurrent_turns": 1 }));
    run(&slots, async |rig: Rig| {
        rig.play(Play { after: 60.0, ..Play::default() });
        rig.start().await;
        assert_eq!(dispatch(&rig, "c1", "first", json!({ "context": "x" })).await, None);
        rig.pass(5.0).await;
        let elsewhere = json!({ "reply_to": { "context": "c1" } });
        assert_eq!(dispatch(&rig, "c2", "second", elsewhere.clone()).await, None);
        rig.pass(5.0).await;
        rig.machine.power_cut(Unsynced::Lost);
        rig.start().await;
        let calls = rig.callbacks(2).await;
        assert!(calls.iter().all(|call| call.context == "c1"), "{calls:?}");
        assert!(calls[0].text.starts_with("[interrupted]"), "{calls:?}");
        // What began and was cut short is told there, too.
        rig.play(Play { after: 60.0, ..Play::default() });
        assert_eq!(dispatch(&rig, "c2", "third", elsewhere).await, None);
        rig.pass(5.0).await;
        rig.machine.power_cut(Unsynced::Lost);
        rig.start().await;
        let calls = rig.callbacks(3).await;
        assert!(calls[2].context == "c1" && calls[2].text.starts_with("[interrupted]"), "{calls:?}");
    });
}

#[test]
fn a_task_that_says_too_much_is_refused_and_one_at_the_limit_is_taken() {
    run(&config(json!({})), async |rig: Rig| {
        rig.start().await;
        let said = |length: usize| json!({ "context": "x".repeat(length) });
        assert_eq!(dispatch(&rig, "c1", "first", said(65_537)).await, Some(-32_602));
        assert_eq!(dispatch(&rig, "c1", "first", said(65_536)).await, None);
        let long = "y".repeat(262_000);
        assert_eq!(dispatch(&rig, "c2", &long, said(1000)).await, Some(-32_602));
        assert_eq!(rig.callbacks(1).await.len(), 1);
    });
}
