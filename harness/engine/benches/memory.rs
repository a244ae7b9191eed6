//! The most memory that a run takes, for 10,000 cells and for 100,000: `cargo bench -p gauntlet-engine --bench memory`.
//!
//! A peak is one of a process, so that each run is a process of its own: this program, with the number of cells.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a bench is outside of any cell")]

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;
use std::{env, fs};

use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::runner::Settings;
use gauntlet_engine::session;
use gauntlet_reports::Lane;

fn main() {
    // Cargo adds `--bench`.
    match env::args().nth(1).and_then(|number| number.parse().ok()) {
        Some(cells) => run(cells),
        None => {
            let own = env::current_exe().expect("this program");
            for cells in ["10000", "100000"] {
                Command::new(&own).arg(cells).status().expect("it can be started");
            }
        }
    }
}

/// Runs all cells of one version in virtual time, with as many seeds as make so many cells or a few more.
fn run(wanted: u32) {
    let library = Arc::new(Library::load(&[Source::Embedded]).expect("the embedded data is sound"));
    let out = tempfile::tempdir().expect("a folder");
    let run = |seeds| {
        let selection = Selection {
            versions: vec!["0.169.0".to_owned()],
            lanes: vec![Lane::Virtual],
            seeds,
            ..Selection::default()
        };
        let finished = session::run(&library, &selection, &Settings::default(), out.path(), &mut |_| {});
        finished
            .expect("the reports can be written")
            .expect("cells were selected")
            .reports
            .summary
            .cells
            .total
    };
    let seeds = wanted.div_ceil(run(1));
    let began = Instant::now();
    let cells = run(seeds as usize);
    let seconds = began.elapsed().as_secs_f64();
    println!("{cells} cells: {:.0} cells/s, at most {} MiB", f64::from(cells) / seconds, peak() / 1024);
}

/// The most memory that this process ever had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak is told");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}
