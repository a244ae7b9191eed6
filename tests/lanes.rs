//! Both lanes give the same verdicts: the same scenarios, in virtual time and over real processes.

mod cells;

use cells::{explain, library, run, settings};
use gauntlet_engine::matrix::{Selection, virtual_only};
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
        if virtual_only(&other.plan.scenario).is_some() {
            assert_eq!(other.line.verdict, Verdict::Skipped, "{}", explain(other));
            continue;
        }
        compared += 1;
        let verdicts = |record: &gauntlet_engine::record::Record| -> Vec<(String, Verdict)> {
            record.judgements.iter().map(|(id, judgement)| (id.clone(), judgement.verdict)).collect()
        };
        assert_eq!(verdicts(one), verdicts(other), "{}\n{}", explain(one), explain(other));
    }
    assert!(compared >= 10, "only {compared} scenarios run in both lanes");
}
