//! Budgets of peers, with a runtime that dies at any moment: no turn is sent that is not counted, and no reply is booked twice.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use gauntlet_runtime::fleet::budget::{self, BudgetError, Standing};
use gauntlet_runtime::registry::Caller;
use gauntlet_world::fault::{Happening, Moment, Rule, Unsynced};
use gauntlet_world::network::Address;
use gauntlet_world::simulated::ProcessState;
use gauntlet_world::touch::{Op, Touch};
use gauntlet_world::{Host, WorldSettings};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{HOME, PEER, Rig, TOKEN, run, seconds};

/// A peer that takes everything. Gives how many dispatches it saw.
fn peer(rig: &Rig) -> Rc<Cell<usize>> {
    let (host, seen) = (rig.visitor.clone(), Rc::new(Cell::new(0)));
    let counted = seen.clone();
    rig.visitor.spawn(async move {
        let listener = host.network().listen(&Address::loopback(PEER)).await.expect("a free port");
        while let Ok(mut stream) = listener.accept().await {
            let mut space = vec![0; 65_536];
            let read = stream.read(&mut space).await.unwrap_or_default();
            if read == 0 {
                continue;
            }
            counted.set(counted.get() + 1);
            let request = String::from_utf8_lossy(&space[..read]).into_owned();
            let body: Value = request
                .split("\r\n\r\n")
                .nth(1)
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default();
            let context = body.pointer("/params/message/contextId").cloned().unwrap_or(json!("made-up"));
            let message =
                json!({ "role": "agent", "parts": [{ "text": "x [queued]" }], "contextId": context });
            let answer =
                json!({ "jsonrpc": "2.0", "id": 1, "result": { "kind": "message", "message": message } })
                    .to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
            let _ = stream.write_all(format!("{head}{answer}").as_bytes()).await;
        }
    });
    seen
}

fn with_budget(rig: &mut Rig, budget: Value) {
    rig.config["fleet"]["agents"]["peer"]["budget"] = budget;
}

async fn send(rig: &Rig, context: &str) -> Option<Value> {
    let (runtime, caller) = (rig.runtime(), Caller::with(["a2a"]));
    let arguments = json!({ "agent": "peer", "message": "x", "context_id": context });
    // One that is dead never answers.
    let answer =
        rig.visitor.clock().within(seconds(60.0), runtime.call(&caller, "fleet_send", arguments)).await;
    answer.map(|answer| answer.expect("a known tool"))
}

/// A receiver's reply with what its turn used. True: the node has it.
async fn reply(rig: &Rig, id: &str, context: &str) -> bool {
    let usage = json!({ "input_tokens": 10, "output_tokens": 5, "cost_usd": 0.5 });
    let message = json!({
        "role": "agent", "parts": [{ "text": "done" }], "contextId": context,
        "extensions": ["urn:gauntlet:ext:usage:1"], "metadata": { "urn:gauntlet:ext:usage:1": usage },
    });
    let body =
        json!({ "jsonrpc": "2.0", "id": id, "method": "SendMessage", "params": { "message": message } });
    let answer = rig.post(Some(&format!("Bearer {TOKEN}")), body.to_string().as_bytes()).await;
    answer.is_ok_and(|answer| String::from_utf8_lossy(&answer.body).contains("\"result\""))
}

fn looker(rig: &Rig) -> Host {
    rig.machine.visitor("looker", rig.env.clone(), PathBuf::from(HOME), None)
}

async fn standing(rig: &Rig) -> Standing {
    budget::show(&looker(rig), Some("peer")).await.expect("the ledger is sound").remove(0)
}

/// Sends until the budget is used up, with a reply to each dispatch, and starts the runtime again whenever it dies.
fn survives(fault: Option<Rule>, story: &str) -> Vec<Touch> {
    let settings = WorldSettings { faults: fault.into_iter().collect(), ..WorldSettings::default() };
    run(settings, async |mut rig: Rig| {
        with_budget(&mut rig, json!({ "turns": 3, "tokens": 1000, "period": "never", "unknown": "allow" }));
        let seen = peer(&rig);
        let (_, mut exit) = rig.start().await;
        let (mut told, mut answered) = (0, None);
        for context in ["c1", "c2", "c3", "c4", "c5"] {
            if exit.state() != ProcessState::Running {
                exit = rig.start().await.1;
            }
            let before = seen.get();
            let answer = send(&rig, context).await;
            if exit.state() != ProcessState::Running {
                exit = rig.start().await.1;
            }
            if seen.get() > before {
                let mut attempts = 0;
                while !reply(&rig, context, context).await {
                    attempts += 1;
                    assert!(attempts < 5, "{story}: the reply is never taken");
                    rig.pass(1.0).await;
                    if exit.state() != ProcessState::Running {
                        exit = rig.start().await.1;
                    }
                }
                told += 15;
                answered = Some(context);
            } else if let Some(answer) = answer {
                assert_eq!(answer["retry_safe"], true, "{story}: {answer}");
            }
        }
        let touches = rig.world.log();
        for fate in [Unsynced::Kept, Unsynced::Lost] {
            let found = standing(&rig).await;
            assert!(seen.get() <= 3, "{story}: {} dispatches were sent", seen.get());
            assert!(found.turns.used >= seen.get() as u64 && found.turns.used <= 3, "{story}: {found:?}");
            assert_eq!(found.tokens.used, told, "{story}: {found:?}");
            rig.machine.power_cut(fate);
            rig.start().await;
            let again = answered.expect("two dispatches at least are answered, whatever happens to one");
            assert!(reply(&rig, again, again).await, "{story}: it comes again");
        }
        touches
    })
}

#[test]
fn no_turn_is_sent_uncounted_and_no_reply_booked_twice_across_a_crash_at_every_touch() {
    let touches = survives(None, "no fault");
    let mut counts = BTreeMap::<Op, u32>::new();
    let mut tried = 0;
    for touch in touches.iter().filter(|touch| touch.host == "runtime") {
        let nth = counts.entry(touch.op).or_default();
        *nth += 1;
        for moment in [Moment::Before, Moment::After] {
            for happening in [
                Happening::Kill,
                Happening::PowerCut(Unsynced::Lost),
                Happening::PowerCut(Unsynced::Kept),
                Happening::PowerCut(Unsynced::Torn),
            ] {
                let host = "runtime".to_owned();
                let rule = Rule { host, at: touch.op, target: None, nth: *nth, moment, happening };
                survives(Some(rule.clone()), &format!("{rule:?}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "only {tried} crashes were tried");
}

#[test]
fn a_reset_is_an_entry_that_says_who_and_when_and_looking_writes_nothing() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        with_budget(&mut rig, json!({ "turns": 1, "period": "never" }));
        let seen = peer(&rig);
        rig.env.insert("USER".to_owned(), "ada".to_owned());
        rig.start().await;
        assert!(send(&rig, "c1").await.is_some_and(|answer| answer["reply"].is_string()));
        assert!(send(&rig, "c2").await.is_some_and(|answer| answer["class"] == "budget"));
        let before = rig.file("budget.jsonl");
        assert_eq!(standing(&rig).await.turns.used, 1);
        assert_eq!(rig.file("budget.jsonl"), before);
        let nobody = budget::reset(&looker(&rig), Some("nobody")).await;
        assert!(matches!(nobody, Err(BudgetError::NoBudget { .. })), "{nobody:?}");
        assert_eq!(budget::reset(&looker(&rig), None).await, Ok(vec!["peer".to_owned()]));
        let last = rig
            .file("budget.jsonl")
            .and_then(|text| text.lines().last().map(str::to_owned))
            .unwrap_or_default();
        assert!(
            last.contains(r#""event":"reset","peer":"peer","at_ms":"#) && last.contains(r#""by":"ada""#),
            "{last}"
        );
        assert!(send(&rig, "c3").await.is_some_and(|answer| answer["reply"].is_string()));
        assert_eq!(seen.get(), 2);
    });
}

#[test]
fn a_ledger_that_is_gone_while_the_runtime_lives_stops_it() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        with_budget(&mut rig, json!({ "turns": 5, "period": "never" }));
        let seen = peer(&rig);
        rig.start().await;
        assert!(send(&rig, "c1").await.is_some());
        let path = PathBuf::from(HOME).join("budget.jsonl");
        rig.machine.disk_mut(|disk| disk.remove(&path)).expect("it was there");
        let answer = send(&rig, "c2").await.expect("an answer");
        assert!(
            answer["class"] == "not_sent"
                && answer["error"]
                    .as_str()
                    .is_some_and(|text| text.contains("budget.jsonl has lost entries")),
            "{answer}"
        );
        assert_eq!(seen.get(), 1);
    });
}

#[test]
fn a_lock_that_a_dead_process_left_keeps_nobody_waiting() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        with_budget(&mut rig, json!({ "turns": 5, "period": "never" }));
        let seen = peer(&rig);
        rig.put(&format!("{HOME}/budget.lock"), "of an earlier life");
        rig.start().await;
        let began = rig.world.elapsed_ms();
        assert!(send(&rig, "c1").await.is_some_and(|answer| answer["reply"].is_string()));
        assert!(rig.world.elapsed_ms() - began < 1000);
        // One that lives does, and says so.
        let held = looker(&rig).disk().try_lock(PathBuf::from(HOME).join("budget.lock")).await;
        let answer = send(&rig, "c2").await.expect("an answer");
        assert!(
            answer["class"] == "not_sent"
                && answer["error"].as_str().is_some_and(|text| text.contains("held by another process")),
            "{answer}"
        );
        drop(held);
        assert!(send(&rig, "c3").await.is_some_and(|answer| answer["reply"].is_string()));
        assert_eq!(seen.get(), 2);
    });
}

/// So many turns are in the ledger of [`written_anew`], each with what it used: more lines than it keeps.
const EARLIER: u64 = 300;

/// What turns of an earlier time wrote down.
fn long_ledger() -> String {
    let hold = json!({ "tokens": 0, "nano_usd": 0 });
    let usage = json!({ "input_tokens": 10, "output_tokens": 5, "cost_usd": 0.5 });
    let lines = (0..EARLIER).map(|turn| {
        let (id, context) = (format!("earlier-{turn}"), format!("e{turn}"));
        let reserve = json!({
            "event": "reserve", "id": id, "peer": "peer", "at_ms": 1_767_000_000_000_u64 + turn, "context": context,
            "hold": hold, "v": 1,
        });
        let settle = json!({
            "event": "settle", "reply": id, "context": context, "of": null, "usage": usage, "notes": [], "v": 1,
        });
        format!("{reserve}\n{settle}\n")
    });
    lines.collect()
}

/// Sends by a ledger that is long enough to be written anew, with a crash on the way.
fn written_anew(fault: Option<Rule>, story: &str) -> Vec<Touch> {
    let settings = WorldSettings { faults: fault.into_iter().collect(), ..WorldSettings::default() };
    run(settings, async |mut rig: Rig| {
        with_budget(&mut rig, json!({ "tokens": 100_000, "period": "never", "unknown": "allow" }));
        rig.put(&format!("{HOME}/budget.jsonl"), &long_ledger());
        let seen = peer(&rig);
        let (_, exit) = rig.start().await;
        if exit.state() == ProcessState::Running {
            send(&rig, "c1").await;
        }
        let touches = rig.world.log();
        for fate in [Unsynced::Kept, Unsynced::Lost] {
            rig.machine.power_cut(fate);
            let found = standing(&rig).await;
            assert_eq!(found.tokens.used, EARLIER * 15, "{story}: {found:?}");
            let least = EARLIER + seen.get() as u64;
            assert!((least..=EARLIER + 1).contains(&found.turns.used), "{story}: {found:?}");
        }
        rig.start().await;
        let answer = send(&rig, "c2").await.expect("it lives");
        assert!(answer["reply"].is_string(), "{story}: {answer}");
        let text = rig.file("budget.jsonl").expect("a ledger");
        assert!(text.starts_with(r#"{"event":"carried","generation":1,"#), "{story}: {}", &text[..200]);
        assert_eq!(standing(&rig).await.tokens.used, EARLIER * 15, "{story}");
        assert!(reply(&rig, "earlier-7", "e7").await, "{story}: a reply that was booked comes again");
        assert_eq!(standing(&rig).await.tokens.used, EARLIER * 15, "{story}: it is booked once");
        touches
    })
}

#[test]
fn a_ledger_that_is_written_anew_keeps_every_sum_across_a_crash_at_every_touch() {
    let touches = written_anew(None, "no fault");
    let of_runtime: Vec<&Touch> = touches.iter().filter(|touch| touch.host == "runtime").collect();
    let renamed = of_runtime.iter().filter(|touch| touch.op == Op::DiskRename).count();
    assert!(renamed >= 1, "the ledger was not replaced");
    let mut counts = BTreeMap::<Op, u32>::new();
    let mut tried = 0;
    for touch in of_runtime {
        let nth = counts.entry(touch.op).or_default();
        *nth += 1;
        for moment in [Moment::Before, Moment::After] {
            for happening in [
                Happening::Kill,
                Happening::PowerCut(Unsynced::Lost),
                Happening::PowerCut(Unsynced::Kept),
                Happening::PowerCut(Unsynced::Torn),
            ] {
                let host = "runtime".to_owned();
                let rule = Rule { host, at: touch.op, target: None, nth: *nth, moment, happening };
                written_anew(Some(rule.clone()), &format!("{rule:?}"));
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "only {tried} crashes were tried");
}

#[test]
fn two_runtimes_of_one_profile_see_each_others_entries_when_one_writes_the_ledger_anew() {
    run(WorldSettings::default(), async |mut rig: Rig| {
        with_budget(&mut rig, json!({ "turns": EARLIER + 2, "period": "never" }));
        peer(&rig);
        rig.start().await;
        assert!(send(&rig, "c1").await.is_some_and(|answer| answer["reply"].is_string()));
        // Somebody else of the same profile writes much, and the next one that looks makes it short.
        let before = rig.file("budget.jsonl").expect("a ledger");
        rig.put(&format!("{HOME}/budget.jsonl"), &format!("{before}{}", long_ledger()));
        assert_eq!(budget::show(&looker(&rig), None).await.map(|all| all[0].turns.used), Ok(EARLIER + 1));
        assert!(send(&rig, "c2").await.is_some_and(|answer| answer["reply"].is_string()));
        assert!(rig.file("budget.jsonl").is_some_and(|text| text.contains(r#""event":"carried""#)));
        let refused = send(&rig, "c3").await.expect("an answer");
        assert_eq!(refused["class"], "budget", "{refused}");
        assert_eq!(standing(&rig).await.turns.used, EARLIER + 2);
    });
}
