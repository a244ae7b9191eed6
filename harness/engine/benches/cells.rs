//! How many cells a second, and where the time goes: `cargo bench -p gauntlet-engine`.
//!
//! `whole_matrix` is the figure that counts: what `gauntlet run --lane virtual --quirks all` runs, on one thread and
//! on two. `one_executor_of_the_matrix` and the others like it say whether cells a second fall as executors are added. The others take one cell apart:
//! what a runtime and a machine cost, what one turn costs, what a 300 s timeout costs.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use gauntlet_engine::cell::Plan;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::pattern::Pattern;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_reports::Lane;

fn main() {
    divan::main();
}

fn library() -> Arc<Library> {
    Arc::new(Library::load(&[Source::Embedded]).expect("the embedded data is sound"))
}

fn plans(library: &Library, only: &[&str]) -> Vec<Plan> {
    let selection = Selection {
        only: only.iter().map(|only| Pattern::parse(only).expect("a pattern")).collect(),
        lanes: vec![Lane::Virtual],
        ..Selection::default()
    };
    selection.plain(library)
}

/// The plain cells of some executors, and each with every quirk and fault that has something to bite on there.
fn whole(library: &Arc<Library>, executors: &[&str]) -> Vec<Plan> {
    let selection = Selection {
        executors: executors.iter().map(|executor| (*executor).to_owned()).collect(),
        lanes: vec![Lane::Virtual],
        ..Selection::default()
    };
    let mut plans = selection.plain(library);
    let mut crossed = Vec::new();
    runner::run(selection.probes(library), library, &Settings::default(), &mut |record| {
        crossed.extend(selection.crossed(library, &record.plan, &record.reachable));
    });
    plans.extend(crossed);
    plans
}

fn run_all(bencher: Bencher<'_, '_>, executors: &[&str], jobs: usize) {
    let library = library();
    let cells = whole(&library, executors);
    let settings = Settings { jobs, ..Settings::default() };
    bencher
        .counter(ItemsCount::new(cells.len()))
        .with_inputs(|| cells.clone())
        .bench_values(|cells| runner::run(cells, &library, &settings, &mut |_| {}));
}

#[divan::bench(sample_count = 3, sample_size = 1, args = [1, 2])]
fn whole_matrix(bencher: Bencher<'_, '_>, jobs: usize) {
    run_all(bencher, &[], jobs);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn one_executor_of_the_matrix(bencher: Bencher<'_, '_>) {
    run_all(bencher, &["codex"], 2);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn two_executors_of_the_matrix(bencher: Bencher<'_, '_>) {
    run_all(bencher, &["codex", "opencode"], 2);
}

fn one(bencher: Bencher<'_, '_>, id: &str) {
    let library = library();
    let plan = plans(&library, &[id]).into_iter().next().expect("the cell exists");
    let settings = Settings::default();
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| runner::outcome(&plan, &library, &settings, &Arc::default()));
}

#[divan::bench]
fn one_turn(bencher: Bencher<'_, '_>) {
    one(bencher, "fleet/work-in-the-repository@codex-0.169.0#0");
}

#[divan::bench]
fn a_turn_that_runs_into_its_cap(bencher: Bencher<'_, '_>) {
    one(bencher, "fleet/turn-at-its-cap@codex-0.169.0#0");
}

#[divan::bench]
fn an_empty_runtime(bencher: Bencher<'_, '_>) {
    bencher.bench(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), std::future::ready(()));
    });
}
