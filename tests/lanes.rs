//! Both lanes give the same verdicts: the same scenarios, in virtual time and over real processes.

mod cells;

use cells::{explain, library, run, settings};
use gauntlet_engine::cell::Plan;
use gauntlet_engine::matrix::{Selection, virtual_only};
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::record::Record;
use gauntlet_engine::scores::Scores;
use gauntlet_reports::{Lane, Verdict};

#[test]
fn every_scenario_has_the_same_verdicts_in_both_lanes() {
    let library = library();
    let newest = library.versions("codex").last().expect("there is a profile").version.clone();
    let of = |lane| {
        let selection =
            Selection { versions: vec![newest.clone()], lanes: vec![lane], ..Selection::default() };
        // Real cells mostly wait, so several at once cost little.
        run(selection.plain(&library), &library, &settings(4))
    };
    let (virtual_records, real_records) = (of(Lane::Virtual), of(Lane::Real));
    assert_eq!(virtual_records.len(), real_records.len());
    let mut compared = 0;
    for (one, other) in virtual_records.iter().zip(&real_records) {
        if one.plan.scenario.real_only().is_some() {
            assert_eq!(one.line.verdict, Verdict::Skipped, "{}", explain(one));
            continue;
        }
        if virtual_only(&other.plan.scenario).is_some() {
            assert_eq!(other.line.verdict, Verdict::Skipped, "{}", explain(other));
            continue;
        }
        compared += 1;
        let verdicts = |record: &Record| -> Vec<(String, Verdict)> {
            record.judgements.iter().map(|(id, judgement)| (id.clone(), judgement.verdict)).collect()
        };
        assert_eq!(verdicts(one), verdicts(other), "{}\n{}", explain(one), explain(other));
    }
    assert!(compared >= 10, "only {compared} scenarios run in both lanes");
}

#[test]
fn a_quirk_that_does_not_bite_over_real_processes_is_not_caught() {
    let library = library();
    let selection = Selection { versions: vec!["0.169.0".to_owned()], ..Selection::default() };
    let probes = selection.probes(&library).into_iter();
    let plain: Vec<Plan> =
        probes.filter(|plan| plan.scenario.id.value == "fleet/work-in-the-repository").collect();
    let crossed = selection.crossed(&library, &plain[0], &["bearers-passed-on".to_owned()]);
    let records = run(crossed, &library, &settings(1));
    let sample = Scores::default().add(&library, &records[0]).expect("the quirk was caught");
    let real = selection.in_real_lane(&library, &sample).expect("the story can be told over real processes");
    let mut over_processes = records[0].clone();
    over_processes.plan = real.into();
    over_processes.line.id = over_processes.plan.id();
    let row = |record: &Record| {
        let detection = Scores::of(&library, records.iter().chain([record])).detection(&library, false);
        detection.quirks.into_iter().find(|row| row.id == "bearers-passed-on").expect("the quirk has a row")
    };
    let caught = row(&over_processes);
    assert!(caught.caught && caught.missed_real.is_empty(), "{caught:?}");
    over_processes.line.failed.clear();
    let not_caught = row(&over_processes);
    assert!(!not_caught.caught, "{not_caught:?}");
    assert_eq!(not_caught.missed_real, ["FLEET-INV-06"]);
    assert_eq!(not_caught.real_cell.as_deref(), Some(over_processes.line.id.as_str()));
}

/// The real task of a codex receiver, with another command in the place of the one that mends the bug.
fn task(library: &std::sync::Arc<gauntlet_engine::data::Library>, command: Option<&str>) -> Record {
    let selection = Selection {
        executors: vec!["codex".to_owned()],
        only: vec![Pattern::parse("fleet/bug-in-a-shell-script").expect("a pattern")],
        lanes: vec![Lane::Real],
        ..Selection::default()
    };
    let mut plan = selection.plain(library).remove(0);
    if let Some(command) = command {
        let mut scenario = (*plan.scenario).clone();
        scenario.given.executor.turns[0].commands[1].command = command.to_owned();
        plan.scenario = scenario.into();
    }
    run(vec![plan], library, &settings(1)).remove(0)
}

#[test]
fn a_real_task_is_judged_by_what_the_repository_says() {
    let library = library();
    let failed = |command| task(&library, command).line.failed;
    assert_eq!(failed(None), [""; 0], "{}", explain(&task(&library, None)));
    let mended_nothing = failed(Some("true"));
    assert_eq!(mended_nothing, ["FLEET-TASK-01", "FLEET-TASK-02", "FLEET-TASK-03"]);
    // It is green, and by the wrong way: the test was changed.
    let cheated = failed(Some("echo 'echo all passed' > test.sh"));
    assert_eq!(cheated, ["FLEET-TASK-03"]);
}

/// The real task of both implementations of a Hermes node, with another command in the place of the one that mends the bug.
fn task_of_hermes(
    library: &std::sync::Arc<gauntlet_engine::data::Library>,
    command: Option<&str>,
) -> Vec<Record> {
    let selection = Selection {
        executors: vec!["hermes".to_owned()],
        only: vec![Pattern::parse("fleet/bug-mended-by-hermes").expect("a pattern")],
        lanes: vec![Lane::Real],
        ..Selection::default()
    };
    let mut plans = selection.plain(library);
    assert_eq!(plans.len(), 2, "a node of the runtime and a simulated peer");
    if let Some(command) = command {
        for plan in &mut plans {
            let mut scenario = (*plan.scenario).clone();
            scenario.given.hermes.agent[0].commands[1].command = command.to_owned();
            plan.scenario = scenario.into();
        }
    }
    run(plans, library, &settings(1))
}

#[test]
fn a_real_task_of_a_hermes_node_fails_when_its_agent_mends_nothing() {
    let library = library();
    for record in task_of_hermes(&library, None) {
        assert_eq!(record.line.verdict, Verdict::Pass, "{}", explain(&record));
    }
    let all = ["FLEET-TASK-04", "FLEET-TASK-05", "FLEET-TASK-06"];
    // A cheat is green, and by the wrong way: the test was changed.
    for (command, failed) in [("true", &all[..]), ("echo 'echo all passed' > test.sh", &all[2..])] {
        for record in task_of_hermes(&library, Some(command)) {
            assert_eq!(record.line.failed, failed, "{command}: {}", explain(&record));
        }
    }
}
