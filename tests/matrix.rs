//! Every scenario on every executor, every quirk and every fault, as named tests: `cargo test --test matrix -- turn-at-its-cap`.

mod cells;

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use cells::{explain, library, plain, run, settings};
use gauntlet_engine::cell::Plan;
use gauntlet_engine::coverage::Reached;
use gauntlet_engine::data::Library;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::record::Record;
use gauntlet_engine::scores::Scores;
use gauntlet_reports::{Lane, Verdict};
use libtest_mimic::{Arguments, Failed, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let library = library();
    let mut trials = Vec::new();
    for executor in library.profiled() {
        let told = library.scenarios.values().filter(|scenario| scenario.is_for(executor));
        for scenario in told.filter(|scenario| scenario.real_only().is_none()) {
            let (library, id) = (library.clone(), scenario.id.value.clone());
            let cells = format!("{id}@{executor}-*");
            trials.push(Trial::test(format!("{executor}::{id}"), move || holds(&library, &cells)));
        }
        let (library, executor) = (library.clone(), executor.to_owned());
        trials.push(Trial::test(format!("{executor}::breaks"), move || breaks_match(&library, &executor)));
    }
    for quirk in library.quirks.keys() {
        let (library, quirk) = (library.clone(), quirk.clone());
        trials.push(Trial::test(format!("quirk::{quirk}"), move || is_caught(&library, &quirk)));
    }
    for fault in library.faults.keys() {
        let (library, fault) = (library.clone(), fault.clone());
        trials.push(Trial::test(format!("fault::{fault}"), move || is_survived(&library, &fault)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// A scenario passes on every version of an executor, except for what the version's profile says that it breaks.
fn holds(library: &Arc<Library>, cells: &str) -> Result<(), Failed> {
    let records = run(plain(library, cells), library, &settings(1));
    if records.is_empty() {
        return Err(format!("{cells} makes no cell").into());
    }
    for record in &records {
        let surprising = record.line.failed.iter().any(|id| !record.plan.profile.breaks.contains_key(id));
        if surprising || record.line.verdict == Verdict::Error {
            return Err(explain(record).into());
        }
    }
    Ok(())
}

fn breaks_match(library: &Arc<Library>, executor: &str) -> Result<(), Failed> {
    let selection = Selection {
        executors: vec![executor.to_owned()],
        lanes: vec![Lane::Virtual],
        ..Selection::default()
    };
    let records = run(selection.plain(library), library, &settings(2));
    for profile in Scores::of(library, &records).compliance(library, executor, &Reached::unknown()).profiles {
        if !profile.unexpected_breaks.is_empty() || !profile.missing_breaks.is_empty() {
            return Err(format!(
                "{executor} {}: failed without being listed {:?}, listed without failing {:?}",
                profile.version, profile.unexpected_breaks, profile.missing_breaks
            )
            .into());
        }
    }
    Ok(())
}

/// The plain cells, which say what quirks and faults can reach: run once for all tests.
static PROBES: OnceLock<Vec<(Arc<Plan>, Vec<String>)>> = OnceLock::new();

/// The cells that a quirk or fault crosses.
fn crossed(library: &Arc<Library>, deviation: &str) -> Vec<Record> {
    let selection = Selection { lanes: vec![Lane::Virtual], ..Selection::default() };
    let probes = PROBES.get_or_init(|| {
        let records = run(selection.probes(library), library, &settings(2));
        records.into_iter().map(|record| (record.plan, record.reachable)).collect()
    });
    let only = [deviation.to_owned()];
    let plans = probes
        .iter()
        .filter(|(_, reachable)| reachable.iter().any(|id| id == deviation))
        .flat_map(|(plan, _)| selection.crossed(library, plan, &only));
    run(plans.collect(), library, &settings(1))
}

fn is_caught(library: &Arc<Library>, quirk: &str) -> Result<(), Failed> {
    let records = crossed(library, quirk);
    let detection = Scores::of(library, &records).detection(library, true);
    let row = detection.quirks.iter().find(|row| row.id == quirk).ok_or("the quirk has no row")?;
    if !row.caught {
        let missed: BTreeSet<_> = row.missed.iter().collect();
        let text = format!(
            "over {} cells: not failed {missed:?}, failed without being named {:?}",
            row.cells, row.unnamed
        );
        return Err(text.into());
    }
    nobody_else_is_hurt(library, &records)
}

fn is_survived(library: &Arc<Library>, fault: &str) -> Result<(), Failed> {
    let records = crossed(library, fault);
    if records.is_empty() {
        return Err(format!("{fault} reaches no cell").into());
    }
    nobody_else_is_hurt(library, &records)
}

fn nobody_else_is_hurt(library: &Arc<Library>, records: &[Record]) -> Result<(), Failed> {
    if let Some(record) = records.iter().find(|record| record.line.verdict == Verdict::Error) {
        return Err(explain(record).into());
    }
    let resilience = Scores::of(library, records).resilience();
    match resilience.broken.first() {
        None => Ok(()),
        Some(broken) => {
            let record = records.iter().find(|record| record.line.id == broken.cell);
            Err(format!(
                "{} of the {} failed\n{}",
                broken.requirement,
                broken.role,
                record.map(explain).unwrap_or_default()
            )
            .into())
        }
    }
}
