//! How many cells a second, and where the time goes: `cargo bench -p gauntlet-engine`.
//!
//! `matrix` is the figure that counts: all plain cells of the virtual lane, on as many threads as there are processors. The
//! others take one cell apart: what a runtime and a machine cost, what one turn costs, what a 300 s timeout costs.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_reports::Lane;

fn main() {
    divan::main();
}

fn library() -> Arc<Library> {
    Arc::new(Library::load(&[Source::Embedded]).expect("the embedded data is sound"))
}

fn plans(library: &Library, only: &[&str]) -> Vec<gauntlet_engine::cell::Plan> {
    let selection = Selection {
        only: only.iter().map(|only| (*only).to_owned()).collect(),
        lanes: vec![Lane::Virtual],
        ..Selection::default()
    };
    selection.plain(library)
}

#[divan::bench(sample_count = 20)]
fn matrix(bencher: Bencher<'_, '_>) {
    let library = library();
    let cells = plans(&library, &[]);
    let settings = Settings::default();
    bencher
        .counter(ItemsCount::new(cells.len()))
        .with_inputs(|| cells.clone())
        .bench_values(|cells| runner::run(cells, &library, &settings, &mut |_| {}));
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
