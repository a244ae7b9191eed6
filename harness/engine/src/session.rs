//! A whole run: plain cells, then what they make reachable, then the reports on disk.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gauntlet_reports::{Lane, Summary, json, junit, markdown};

use crate::cell::Plan;
use crate::data::Library;
use crate::files;
use crate::matrix::Selection;
use crate::project::{self, Reports};
use crate::runner::{self, Record, Settings};

/// What happens during a run, for whoever shows progress.
pub enum Progress<'a> {
    /// So many more cells will be run.
    Planned(usize),
    /// A cell was run.
    Done(&'a Record),
}

/// Runs the selected part of the matrix. Records come in the order of the matrix, whatever the number of jobs; the second
/// value is false when the run was interrupted.
pub fn run(
    library: &Arc<Library>,
    selection: &Selection,
    settings: &Settings,
    cancel: &Arc<AtomicBool>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> (Vec<Record>, bool) {
    let mut batch = |plans: Vec<Plan>| {
        progress(Progress::Planned(plans.len()));
        runner::run(plans, library, settings, cancel, &mut |record| progress(Progress::Done(record)))
    };
    let (mut plain, real): (Vec<Plan>, Vec<Plan>) =
        selection.plain(library).into_iter().partition(|plan| plan.lane == Lane::Virtual);
    let wanted: BTreeSet<String> = plain.iter().map(Plan::id).collect();
    // A quirk crosses the cells whose plain form touched its point, so the plain forms are run even when only crossed cells
    // were asked for.
    let probes = selection.probes(library);
    plain.extend(probes.iter().filter(|probe| !wanted.contains(&probe.id())).cloned());
    let newest: BTreeSet<String> = probes.iter().map(Plan::id).collect();
    let plain = batch(plain);
    let probed = plain.iter().flatten().filter(|record| newest.contains(&record.line.id));
    let crossed =
        probed.flat_map(|record| selection.crossed(library, &record.plan, &record.reachable)).collect();
    let crossed = batch(crossed);
    let real = batch(real);
    let complete =
        plain.iter().chain(&crossed).chain(&real).all(Option::is_some) && !cancel.load(Ordering::Relaxed);
    let plain = plain.into_iter().flatten().filter(|record| wanted.contains(&record.line.id));
    (plain.chain(crossed.into_iter().flatten()).chain(real.into_iter().flatten()).collect(), complete)
}

/// Removes the reports of an earlier run: what its summary says is ours, and nothing else that lies in the folder.
fn clear(out: &Path) -> io::Result<()> {
    let summary = files::read(&out.join("summary.json")).unwrap_or_default();
    let Ok(earlier) = serde_json::from_slice::<Summary>(&summary) else { return Ok(()) };
    for executor in earlier.executors {
        for file in ["report.json", "report.md", "junit.xml"] {
            files::remove(&out.join(&executor.executor).join(file))?;
        }
    }
    for stale in ["traces", "results.jsonl", "summary.json"] {
        files::remove(&out.join(stale))?;
    }
    Ok(())
}

/// Writes the reports of a run below a folder, which afterwards holds no report of an earlier run.
pub fn write(out: &Path, records: &[Record], reports: &Reports) -> io::Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let mut put = |path: PathBuf, content: String| -> io::Result<()> {
        files::write(&path, content.as_bytes())?;
        written.push(path);
        Ok(())
    };
    clear(out)?;
    let lines: String = records.iter().map(|record| json::results_line(&record.line) + "\n").collect();
    put(out.join("results.jsonl"), lines)?;
    put(out.join("summary.json"), json::summary_json(&reports.summary))?;
    for report in &reports.executors {
        let folder = out.join(&report.executor);
        put(folder.join("report.json"), json::report_json(report))?;
        put(folder.join("report.md"), markdown::report(report))?;
        put(folder.join("junit.xml"), junit::report(report))?;
    }
    for record in records.iter().filter(|record| record.trace.is_some()).take(MAX_TRACES) {
        let name: String = record
            .line
            .id
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' })
            .collect();
        let mut lines = project::trace_lines(record);
        if lines.len() > MAX_TRACE {
            let end = (0..=MAX_TRACE).rev().find(|at| lines.is_char_boundary(*at)).unwrap_or_default();
            lines.truncate(end);
        }
        put(out.join("traces").join(format!("{name}.jsonl")), lines)?;
    }
    Ok(written)
}

/// Traces are kept of so many failing cells; the rest are derived again by `gauntlet replay`.
const MAX_TRACES: usize = 100;
const MAX_TRACE: usize = 1024 * 1024;

/// The plan of a cell by its id.
pub fn find(library: &Library, id: &str) -> Option<Plan> {
    let seed = id
        .rsplit_once('#')
        .and_then(|(_, seed)| seed.trim_end_matches("~real").parse().ok())
        .unwrap_or_default();
    let selection = Selection { seed, lanes: vec![Lane::Virtual, Lane::Real], ..Selection::default() };
    let mut plain = selection.plain(library);
    for (_, version) in library.profiles.keys() {
        let of_version =
            Selection { versions: vec![version.clone()], lanes: vec![Lane::Real], ..selection.clone() };
        plain.extend(of_version.plain(library));
    }
    let everything: Vec<String> =
        library.quirks.keys().cloned().chain(library.faults.keys().cloned()).collect();
    let crossed = plain.iter().filter(|plan| plan.lane == Lane::Virtual);
    let crossed: Vec<_> = crossed.flat_map(|plan| selection.crossed(library, plan, &everything)).collect();
    plain.into_iter().chain(crossed).find(|plan| plan.id() == id)
}
