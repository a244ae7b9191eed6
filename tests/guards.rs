//! The guards against hanging: a cell that waits for ever, or keeps its thread, ends in a verdict.

mod cells;

use std::sync::Arc;
use std::time::{Duration, Instant};

use cells::{library, plain, run, settings};
use gauntlet_engine::cell::{Deviation, Plan};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::scenario::{Lane as ScenarioLane, Scenario, read};
use gauntlet_reports::{Lane, Verdict};
use gauntlet_world::injection::{Millis, Quirk};
use serde_json::json;

fn cell() -> Plan {
    plain(&library(), "fleet/work-in-the-repository@codex-0.169.0#0").remove(0)
}

fn scenario(text: &str) -> Scenario {
    read("guards.yaml", text, ScenarioLane::Virtual).expect("the scenario is sound").remove(0)
}

#[test]
fn a_wait_beyond_the_horizon_fails_the_waiting_side_in_no_time() {
    let mut forever = scenario(
        "id: guards/forever\ntitle: A reply that never comes is waited for until the horizon.\nsubject: receiver\nsteps:\n  \
         - dispatch: { as: first, context: c1, text: hello }\n  - await: { reply_to: first, within: 60s }\n    expect: \
         { text: ok }\n    requirement: FLEET-HTTP-01\n",
    );
    // A row that rests on no other is judged whatever else is lost. No file may wait so long: it is refused when it is read.
    let wait = forever.steps[1].wait.as_mut().expect("the second step waits");
    wait.within = Millis(90_000 * 60_000);
    let lost: Quirk = serde_json::from_value(json!({
        "id": "lost", "title": "Replies are lost.", "role": "receiver", "at": "receiver.callback", "do": "stall",
        "violates": ["FLEET-HTTP-01"], "seen_in": ["tests/guards.rs"],
    }))
    .expect("a quirk");
    let plan =
        Plan { scenario: Arc::new(forever), deviation: Some(Deviation::Quirk(Arc::new(lost))), ..cell() };
    let began = Instant::now();
    let record = run(vec![plan], &library(), &settings(1)).remove(0);
    assert!(began.elapsed() < Duration::from_secs(20), "a virtual day must cost no time");
    assert_eq!(record.judgements["FLEET-HTTP-01"].verdict, Verdict::Fail);
    assert_eq!(record.judgements["FLEET-HTTP-01"].findings[0].observed, "it did not");
}

#[test]
fn a_cell_that_keeps_its_thread_is_given_up_and_the_others_go_on() {
    let library = library();
    let selection = Selection {
        only: vec![
            Pattern::parse("fleet/nothing-to-do@*").expect("a pattern"),
            Pattern::parse("fleet/health*").expect("a pattern"),
        ],
        versions: vec!["0.169.0".to_owned()],
        lanes: vec![Lane::Real],
        ..Selection::default()
    };
    let plans = selection.plain(&library);
    assert!(plans.len() >= 2);
    // A real cell that has to wait for the idle time is as good as a loop for a watchdog of two seconds.
    let scratch = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        watchdog: Duration::from_secs(2),
        real_jobs: 1,
        scratch: scratch.path().to_path_buf(),
        ..settings(1)
    };
    let records = run(plans, &library, &settings);
    for record in &records {
        let given_up = record.plan.scenario.id.value == "fleet/nothing-to-do";
        let expected = if given_up { Verdict::Error } else { Verdict::Pass };
        assert_eq!(record.line.verdict, expected, "{:?}", record.line);
    }
    assert!(!has_children(), "the receiver of the cell that was given up is still there");
    let left = std::fs::read_dir(scratch.path()).expect("the folder").count();
    assert_eq!(left, 0, "the folder of the cell that was given up is still there");
}

/// Whether this process has children that live: one that was killed may wait to be reaped.
fn has_children() -> bool {
    let own = std::process::id().to_string();
    let is_living_child = |stat: String| {
        let Some((_, rest)) = stat.rsplit_once(')') else { return false };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        fields.get(1) == Some(&own.as_str()) && fields.first() != Some(&"Z")
    };
    let processes = std::fs::read_dir("/proc").expect("Linux").flatten();
    processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok()).any(is_living_child)
}
