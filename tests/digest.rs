//! Same cell, same trace, byte for byte: with other jobs, in another order, in another process.

mod cells;

use std::collections::BTreeMap;

use cells::{library, run, settings};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::runner::Settings;
use gauntlet_reports::{CellLine, Lane};

fn lines(settings: &Settings, seed: u64) -> Vec<CellLine> {
    let library = library();
    let selection = Selection { lanes: vec![Lane::Virtual], seed, ..Selection::default() };
    let mut plans = selection.plain(&library);
    plans.retain(|plan| plan.scenario.real_only().is_none());
    run(plans, &library, settings).into_iter().map(|record| record.line).collect()
}

#[test]
fn traces_do_not_depend_on_jobs_or_order() {
    let one = lines(&settings(1), 0);
    assert!(one.iter().all(|line| line.digest.len() == 64), "every virtual cell has a digest");
    assert_eq!(one, lines(&settings(2), 0), "two jobs");
    for shuffle in [1, 2] {
        assert_eq!(one, lines(&Settings { shuffle: Some(shuffle), ..settings(2) }, 0), "another order");
    }
}

#[test]
fn another_seed_gives_other_traces_and_the_same_verdicts() {
    let (zero, seven) = (lines(&settings(2), 0), lines(&settings(2), 7));
    assert!(zero.iter().zip(&seven).all(|(a, b)| a.verdict == b.verdict));
    // Where nothing random can be seen (an unknown path is a 404 under every seed), traces are the same.
    let differing = zero.iter().zip(&seven).filter(|(a, b)| a.digest != b.digest).count();
    assert!(differing > zero.len() / 2, "only {differing} of {} traces depend on the seed", zero.len());
}

#[test]
fn two_processes_write_the_same_results() {
    let written = |jobs: &str, extra: &[&str]| -> BTreeMap<&'static str, String> {
        let out = tempfile::tempdir().expect("a folder");
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.args(["run", "--lane", "virtual", "--executor", "codex", "--executor", "hermes"]);
        command.args(["--jobs", jobs, "--out"]).arg(out.path()).args(extra);
        command.assert().success();
        ["results.jsonl", "summary.json", "codex/report.json", "codex/report.md", "codex/junit.xml"]
            .map(|name| (name, std::fs::read_to_string(out.path().join(name)).expect(name)))
            .into()
    };
    assert_eq!(written("1", &[]), written("2", &["--shuffle", "3"]));
}
