//! A whole run: plain cells, then what they make reachable, and the reports on disk.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gauntlet_reports::{CellLine, Lane, Summary, badge, html, json, junit, markdown};

use crate::cell::Plan;
use crate::data::Library;
use crate::files::{self, Lines};
use crate::known::Tally;
use crate::matrix::Selection;
use crate::narrow::Rows;
use crate::pattern::{Pattern, PatternError};
use crate::project::{self, Gathered, Reports};
use crate::record::Record;
use crate::runner::{self, Beside, Settings};
use crate::{second_look, strays};

/// What happens during a run, for whoever shows progress.
pub enum Progress<'a> {
    /// So many more cells will be run.
    Planned(usize),
    /// A cell was run.
    Done(&'a Record),
}

/// A run that came to its end, or was stopped.
pub struct Finished {
    /// What was found.
    pub reports: Reports,
    /// The files that were written.
    pub written: Vec<PathBuf>,
    /// What the lists of known failures came to.
    pub known: Tally,
}

/// Runs the selected part of the matrix and writes its reports below a folder, which afterwards holds no report of an earlier
/// run. `results.jsonl` grows while cells are run, in the order of the matrix. Nothing is written, and nothing given, when
/// nothing was selected.
pub fn run(
    library: &Arc<Library>,
    selection: &Selection,
    settings: &Settings,
    out: &Path,
    progress: &mut dyn FnMut(Progress<'_>),
) -> io::Result<Option<Finished>> {
    let writer = Writer {
        out,
        results: None,
        gathered: Gathered::against(&settings.known),
        traces: settings.traces,
        rows: selection.narrow.rows.clone(),
        written: Vec::new(),
    };
    if selection.lanes.contains(&Lane::Real) {
        strays::clear_abandoned(&settings.scratch);
    }
    let mut session = Session { library, settings, writer, progress };
    let mut complete = true;
    for seed in selection.all_seeds() {
        complete &= session.seed(&Selection { seed, seeds: 1, ..selection.clone() })?;
    }
    let complete = complete && !settings.stop.is_asked();
    if session.writer.results.is_none() && complete {
        return Ok(None);
    }
    session.writer.finish(library, selection, complete).map(Some)
}

struct Session<'a> {
    library: &'a Arc<Library>,
    settings: &'a Settings,
    writer: Writer<'a>,
    progress: &'a mut dyn FnMut(Progress<'_>),
}

impl Session<'_> {
    /// Runs what is selected with one seed, the lanes side by side. False when it was stopped before its end.
    fn seed(&mut self, selection: &Selection) -> io::Result<bool> {
        let library = self.library;
        let (mut plain, real): (Vec<Plan>, Vec<Plan>) =
            selection.plain(library).into_iter().partition(|plan| plan.lane == Lane::Virtual);
        let mut side =
            Side { beside: Beside::start(library, self.settings), done: Vec::new(), named: BTreeSet::new() };
        let crossed_by_name = selection.crossed_by_name(library);
        (self.progress)(Progress::Planned(real.len() + crossed_by_name.len()));
        let mut named: BTreeSet<String> = real.iter().map(Plan::id).collect();
        named.extend(crossed_by_name.iter().map(Plan::id));
        side.named = named;
        real.into_iter().chain(crossed_by_name).for_each(|plan| side.beside.add(plan));
        let wanted: BTreeSet<String> = plain.iter().map(Plan::id).collect();
        // A quirk crosses the cells whose plain form touched its point, so the plain forms are run even when only crossed
        // cells were asked for.
        let probes = selection.probes(library);
        plain.extend(probes.iter().filter(|probe| !wanted.contains(&probe.id())).cloned());
        let probes: BTreeSet<String> = probes.iter().map(Plan::id).collect();
        let mut crossed = Vec::new();
        let mut complete = self.batch(selection, plain, &mut side, &mut |record| {
            if probes.contains(&record.line.id) {
                crossed.extend(selection.crossed(library, &record.plan, &record.reachable));
            }
            wanted.contains(&record.line.id)
        })?;
        let crossed = selection.sampled(library, crossed);
        complete &= self.batch(selection, crossed, &mut side, &mut |_| true)?;
        // The results of the real lane stand behind those of the virtual one, whichever came first.
        let Side { beside, done, named: _ } = side;
        let mut doubted = Vec::new();
        let mut outcome =
            done.into_iter().try_for_each(|record| self.writer.take_real(library, record, &mut doubted));
        complete &= beside.finish(&mut |record| {
            (self.progress)(Progress::Done(&record));
            if outcome.is_ok() {
                outcome = self.writer.take_real(library, record, &mut doubted);
            }
            if outcome.is_err() {
                self.settings.stop.ask();
            }
        });
        outcome?;
        self.look_again(doubted)?;
        Ok(complete)
    }

    /// Runs cells of the real lane once more, each alone: nothing else is run any more. Their results stand behind all others.
    fn look_again(&mut self, doubted: Vec<Record>) -> io::Result<()> {
        let alone = Settings { real_jobs: 1, is_alone: true, ..self.settings.clone() };
        for first in doubted {
            let mut again = None;
            runner::run(vec![first.plan.as_ref().clone()], self.library, &alone, &mut |record| {
                again = Some(record);
            });
            // Nothing, when the run was stopped meanwhile: then the first look counts.
            let record = match again {
                Some(again) => {
                    let (record, flaky) = second_look::settled(first, again);
                    self.writer.gathered.flaky.extend(flaky);
                    record
                }
                None => first,
            };
            self.writer.take(self.library, record)?;
        }
        Ok(())
    }

    /// Runs cells of the virtual lane, and writes those that `take` wants. A cell with a quirk that is worth it is run over real
    /// processes as well.
    fn batch(
        &mut self,
        selection: &Selection,
        plans: Vec<Plan>,
        side: &mut Side,
        take: &mut dyn FnMut(&Record) -> bool,
    ) -> io::Result<bool> {
        let Self { library, settings, writer, progress } = self;
        progress(Progress::Planned(plans.len()));
        let mut outcome = Ok(());
        let complete = runner::run(plans, library, settings, &mut |record| {
            progress(Progress::Done(&record));
            side.done.extend(side.beside.records().inspect(|record| progress(Progress::Done(record))));
            if !take(&record) || outcome.is_err() {
                return;
            }
            match writer.take(library, record) {
                Ok(sample) => {
                    let sample = sample.and_then(|sample| selection.in_real_lane(library, &sample));
                    if let Some(sample) = sample.filter(|sample| !side.named.contains(&sample.id())) {
                        progress(Progress::Planned(1));
                        side.beside.add(sample);
                    }
                }
                Err(error) => {
                    outcome = Err(error);
                    settings.stop.ask();
                }
            }
        });
        outcome.map(|()| complete)
    }
}

/// The real lane, beside the virtual one.
struct Side {
    beside: Beside,
    /// What came of it so far.
    done: Vec<Record>,
    /// The cells that it was given from the start.
    named: BTreeSet<String>,
}

/// Writes the reports of a run while it goes on.
struct Writer<'a> {
    out: &'a Path,
    /// The results, and the folder that is this run's alone while it lasts.
    results: Option<(files::Lock, Lines)>,
    gathered: Gathered,
    /// How many more traces are kept.
    traces: usize,
    /// The rows that are judged.
    rows: Rows,
    written: Vec<PathBuf>,
}

impl Writer<'_> {
    fn results(&mut self) -> io::Result<&mut Lines> {
        if self.results.is_none() {
            let lock = files::lock(self.out)?;
            let lock = lock.ok_or_else(|| io::Error::other("another run is writing there"))?;
            clear(self.out)?;
            let path = self.out.join("results.jsonl");
            self.results = Some((lock, Lines::create(&path)?));
            self.written.push(path);
        }
        self.results.as_mut().map(|(_, lines)| lines).ok_or_else(|| io::Error::other("there are no results"))
    }

    /// Writes one record. Gives its plan when the cell is worth running over real processes too.
    fn take(&mut self, library: &Library, mut record: Record) -> io::Result<Option<Arc<Plan>>> {
        self.rows.narrow(&mut record);
        self.gathered.known.hold(library, &mut record);
        self.results()?.append(&json::results_line(&record.line))?;
        if self.traces == 0 {
            record.forget_trace();
        }
        if let Some(trace) = record.trace.take() {
            self.traces -= 1;
            self.put_bytes(PathBuf::from(trace.file), &trace.content)?;
        }
        Ok(self.gathered.add(library, record))
    }

    /// The same for a cell of the real lane, unless it is to be looked at again first.
    fn take_real(&mut self, library: &Library, record: Record, doubted: &mut Vec<Record>) -> io::Result<()> {
        if doubted.len() < second_look::MOST && second_look::is_wanted(library, &self.gathered, &record) {
            doubted.push(record);
            return Ok(());
        }
        self.take(library, record).map(drop)
    }

    fn finish(mut self, library: &Library, selection: &Selection, complete: bool) -> io::Result<Finished> {
        self.results()?;
        let gathered = std::mem::take(&mut self.gathered);
        let (reports, known) = project::reports(library, selection, gathered, complete);
        for report in &reports.executors {
            let folder = PathBuf::from(&report.executor);
            self.put(folder.join("report.json"), &json::report_json(report))?;
            self.put(folder.join("report.md"), &markdown::report(report))?;
            self.put(folder.join("report.html"), &html::report(report))?;
            self.put(folder.join("junit.xml"), &junit::report(report))?;
            self.put(folder.join("badge.svg"), &badge::report(report))?;
        }
        // The summary comes last: who finds it finds all it speaks of.
        self.put(PathBuf::from("summary.json"), &json::summary_json(&reports.summary))?;
        Ok(Finished { reports, written: self.written, known })
    }

    fn put(&mut self, name: PathBuf, content: &str) -> io::Result<()> {
        self.put_bytes(name, content.as_bytes())
    }

    fn put_bytes(&mut self, name: PathBuf, content: &[u8]) -> io::Result<()> {
        let path = self.out.join(name);
        files::write(&path, content)?;
        self.written.push(path);
        Ok(())
    }
}

/// Removes the reports of an earlier run: what its summary says is ours, and nothing else that lies in the folder. A run that
/// was killed left results and traces, and no summary.
fn clear(out: &Path) -> io::Result<()> {
    let summary = files::read(&out.join("summary.json")).unwrap_or_default();
    let earlier = serde_json::from_slice::<Summary>(&summary).ok();
    let first_line = files::first_line(&out.join("results.jsonl")).unwrap_or_default();
    if earlier.is_none() && serde_json::from_str::<CellLine>(&first_line).is_err() {
        return Ok(());
    }
    for executor in earlier.into_iter().flat_map(|earlier| earlier.executors) {
        for file in ["report.json", "report.md", "junit.xml", "badge.svg", "report.html"] {
            files::remove(&out.join(&executor.executor).join(file))?;
        }
    }
    for stale in ["traces", "results.jsonl", "summary.json"] {
        files::remove(&out.join(stale))?;
    }
    Ok(())
}

/// The plan of a cell by its id.
pub fn find(library: &Library, id: &str) -> Option<Plan> {
    named(library, id).ok()
}

/// The cell that an id names. What there is not is pointed at, with the nearest that there is.
pub fn named(library: &Library, id: &str) -> Result<Plan, PatternError> {
    let pattern = Pattern::parse(id)?;
    let Some(cell) = pattern.as_cell() else {
        return Err(PatternError {
            pattern: id.to_owned(),
            column: id.chars().count() + 1,
            message: "expected the id of one cell, with its executor and version and its seed".to_owned(),
            help: Some(
                "an id looks like fleet/work-in-the-repository@codex-0.169.0#0; results.jsonl lists them"
                    .to_owned(),
            ),
        });
    };
    Selection::default().locate(library, &cell).ok_or_else(|| {
        pattern.nothing_like_it(library).unwrap_or_else(|| PatternError {
            pattern: id.to_owned(),
            column: 1,
            message: "expected a cell; its parts are known, and do not go together".to_owned(),
            help: Some(
                "a fault has no cell of the real lane, and a release none of an executor without a receiver"
                    .to_owned(),
            ),
        })
    })
}
