//! The whole search: the plain cells, then their crashes, then crashes of what came back.
#![expect(clippy::disallowed_methods, reason = "how long the search takes is measured outside of any cell")]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gauntlet_reports::explore::{CRASHES, Crashes, Finding, LeftOut};
use gauntlet_reports::{Lane, Verdict};
use gauntlet_world::simulated::Slip;
use gauntlet_world::touch::Touch;

use super::coverage::Coverage;
use super::point::{Asked, Crash, Point, Subject};
use super::rule::{drawn, rule};
use super::twice::second;
use super::worlds::{Place, worlds};
use crate::cell::{Deviation, Explored, Plan};
use crate::data::Library;
use crate::exit::ExitCode;
use crate::explore::finding::finding;
use crate::files;
use crate::matrix::{Selection, not_here};
use crate::record::{Record, quoted};
use crate::runner::{self, Settings};
use crate::scenario::SubjectKind;

/// What is to be searched.
#[derive(Debug, Clone)]
pub struct Request {
    /// The plain cells. Only those of the virtual lane are taken, and of each executor those of its newest version.
    pub selection: Selection,
    /// Whether each story is told on every executor; otherwise on one, drawn by its name.
    pub thorough: bool,
    /// The processes that die.
    pub hosts: Vec<Subject>,
    /// The one point that is meant, if so.
    pub asked: Option<Asked>,
    /// Of so many crashes one is followed by another during recovery; 0 for none.
    pub twice: u64,
    /// The time after which nothing more is begun.
    pub limit: Option<Duration>,
    /// Mistakes that programs make in every cell: bugs that the search has to find.
    pub slips: Vec<Slip>,
    /// Where the traces of findings go.
    pub out: Option<PathBuf>,
}

/// What happens meanwhile, for whoever shows progress.
pub enum News<'a> {
    /// So many more cells will be run.
    Planned(u64),
    /// A cell was run.
    Done(&'a Record),
}

/// So many findings are told one by one.
const MOST_FINDINGS: usize = 1000;
/// So many cells are planned at once, so that memory does not grow with the search.
const BATCH: usize = 4096;
/// The same where there is a limit of time, which is looked at between them.
const BATCH_IN_TIME: usize = 256;
/// Of so many findings the trace is kept.
const MOST_TRACES: usize = 20;

/// Explores. Nothing when nothing was selected.
pub fn explore(
    library: &Arc<Library>,
    request: &Request,
    settings: &Settings,
    news: &mut dyn FnMut(News<'_>),
) -> io::Result<Option<Crashes>> {
    let (plans, left_out) = plain(library, request);
    if plans.is_empty() {
        return Ok(None);
    }
    let mut search = Search {
        library,
        request,
        settings,
        news,
        began: Instant::now(),
        coverage: Coverage::default(),
        left_out,
        findings: Vec::new(),
        more_findings: 0,
        traces: 0,
        written: Ok(()),
        asked_for: AskedFor::default(),
        is_interrupted: false,
        ran_out_of_time: false,
    };
    let (cells, jobs) = search.probe(plans);
    let points = search.coverage.points();
    let (crashes, doubles) = search.crash(jobs);
    let double_crashes = search.crash_twice(doubles);
    search.locate();
    search.tell_unreached();
    std::mem::replace(&mut search.written, Ok(()))?;
    let unreached = if search.had_time() { search.coverage.unreached() } else { Vec::new() };
    let code = if !search.findings.is_empty() {
        ExitCode::Nonconformance
    } else if search.is_interrupted || !unreached.is_empty() {
        ExitCode::Broken
    } else if crashes == 0 || (request.asked.is_some() && search.asked_for.reached == 0) {
        ExitCode::NothingSelected
    } else {
        ExitCode::Pass
    };
    Ok(Some(Crashes {
        schema: CRASHES.to_owned(),
        seed: request.selection.seed,
        complete: !search.is_interrupted && !search.ran_out_of_time,
        cells,
        points,
        crashes,
        double_crashes,
        took_ms: u64::try_from(search.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        hosts: search.coverage.told(),
        unreached,
        left_out: search.left_out,
        findings: search.findings,
        findings_left_out: search.more_findings,
        exit_code: code.code(),
    }))
}

/// The plain cells that are explored, and what of the selection is not.
fn plain(library: &Library, request: &Request) -> (Vec<Plan>, Vec<LeftOut>) {
    let selection = Selection { lanes: vec![Lane::Virtual], ..request.selection.clone() };
    let mut left_out: BTreeMap<String, u64> = BTreeMap::new();
    let mut plans = Vec::new();
    for plan in selection.plain(library) {
        match unexplored(library, request, &plan) {
            Some(because) => *left_out.entry(because).or_default() += 1,
            None => plans.push(plan),
        }
    }
    let left_out = left_out.into_iter().map(|(because, cells)| LeftOut { cells, because });
    (plans, left_out.collect())
}

/// Why a plain cell is not explored, if so.
fn unexplored(library: &Library, request: &Request, plan: &Plan) -> Option<String> {
    if plan.scenario.subject == SubjectKind::Hermes {
        return Some("a Hermes node is neither of the hosts".to_owned());
    }
    if let Some(reason) = not_here(library, plan) {
        return Some(reason);
    }
    let executor = plan.profile.executor();
    let newest = library.versions(executor).last().map(|newest| newest.version.clone());
    if request.selection.versions.is_empty()
        && !is_named(request, plan)
        && newest.is_some_and(|newest| newest != plan.profile.version)
    {
        return Some("it is on an older version of a CLI".to_owned());
    }
    let one_is_enough =
        !request.thorough && request.selection.executors.is_empty() && !is_named(request, plan);
    if one_is_enough {
        let able = library.profiled().into_iter().filter(|executor| plan.scenario.is_for(executor));
        let able: Vec<&str> = able.collect();
        let count = u64::try_from(able.len()).unwrap_or(1).max(1);
        let chosen = usize::try_from(drawn(&plan.scenario.id.value) % count).unwrap_or_default();
        if able.get(chosen).is_some_and(|chosen| *chosen != executor) {
            return Some("its story is explored on another executor (--thorough: on each)".to_owned());
        }
    }
    None
}

/// Whether a pattern says which version is meant.
fn is_named(request: &Request, plan: &Plan) -> bool {
    let id = plan.id();
    request.selection.only.iter().any(|pattern| pattern.text() == id)
}

/// A crash that is to be tried.
struct Job {
    cell: Arc<Plan>,
    host: Subject,
    place: Place,
    crash: Crash,
    /// The kinds of the points for which it stands.
    stands_for: Vec<gauntlet_world::touch::Op>,
    /// Whether one of its recovery's points is tried as well.
    twice: bool,
}

/// Two crashes that are to be tried.
struct Double {
    cell: Arc<Plan>,
    host: Subject,
    first: Point,
    then: (Subject, Point),
    explored: Explored,
}

/// What came of the point that was asked for.
#[derive(Default)]
struct AskedFor {
    /// In so many cells all of it came about.
    reached: u64,
    /// In so many something of it did not, and what.
    unreached: BTreeMap<String, u64>,
}

impl AskedFor {
    fn came(&mut self, it_did: bool, host: Subject, point: Point) {
        if it_did {
            self.reached += 1;
        } else {
            self.never_came(host, point);
        }
    }

    fn never_came(&mut self, host: Subject, point: Point) {
        let because = format!("the {} never comes to {point}", host.name());
        *self.unreached.entry(because).or_default() += 1;
    }
}

struct Search<'a> {
    library: &'a Arc<Library>,
    request: &'a Request,
    settings: &'a Settings,
    news: &'a mut dyn FnMut(News<'_>),
    began: Instant,
    coverage: Coverage,
    left_out: Vec<LeftOut>,
    findings: Vec<Finding>,
    more_findings: u64,
    traces: usize,
    written: io::Result<()>,
    asked_for: AskedFor,
    is_interrupted: bool,
    ran_out_of_time: bool,
}

impl Search<'_> {
    /// Runs the plain cells and gives their points.
    fn probe(&mut self, plans: Vec<Plan>) -> (u64, Vec<Job>) {
        let probes: Vec<Plan> = plans.into_iter().map(|plan| probed(plan, &self.request.slips)).collect();
        (self.news)(News::Planned(probes.len() as u64));
        let cells = probes.len() as u64;
        let mut jobs = Vec::new();
        let (library, settings) = (self.library, self.settings);
        let complete = runner::run(probes, library, &without_traces(settings), &mut |mut record| {
            (self.news)(News::Done(&record));
            let touches = std::mem::take(&mut record.touches);
            let cell = Arc::new(Plan { deviation: None, ..Plan::clone(&record.plan) });
            self.judge(record, &cell, "none", "a plain cell");
            self.points(&cell, &touches, &mut jobs);
        });
        self.is_interrupted |= !complete;
        // So that a search that is cut short has seen something of everything.
        jobs.sort_by_cached_key(|job: &Job| {
            drawn(&format!("{} {}", job.cell.scenario.id.value, job.place.point(job.crash)))
        });
        (cells, jobs)
    }

    fn points(&mut self, cell: &Arc<Plan>, touches: &[Touch], jobs: &mut Vec<Job>) {
        for host in self.request.hosts.iter().copied() {
            if let Some(asked) = &self.request.asked {
                for point in asked.points() {
                    let Some(place) = Place::find(touches, host.name(), point.number, point.moment) else {
                        self.asked_for.never_came(host, point);
                        continue;
                    };
                    let twice = asked.then.is_some();
                    let stands_for = vec![place.op];
                    self.coverage.there_are(host, &stands_for);
                    jobs.push(Job { cell: cell.clone(), host, place, crash: point.crash, stands_for, twice });
                }
                continue;
            }
            let worlds = worlds(touches, host.name());
            self.coverage.there_are(host, &worlds.all);
            for (place, stands_for) in worlds.tried {
                for crash in Crash::ALL {
                    let name = format!("twice {} {host:?} {}", cell.id(), place.point(crash));
                    let twice = self.request.twice > 0 && drawn(&name).is_multiple_of(self.request.twice);
                    let stands_for = stands_for.clone();
                    jobs.push(Job { cell: cell.clone(), host, place, crash, stands_for, twice });
                }
            }
        }
    }

    /// Runs the cells with one crash. Gives their number, and the second crashes that follow.
    fn crash(&mut self, jobs: Vec<Job>) -> (u64, Vec<Double>) {
        // With those that may follow, so that whoever waits is not told that it is nearly over.
        let twice = jobs.iter().filter(|job| job.twice).count();
        (self.news)(News::Planned((jobs.len() + twice) as u64));
        let (mut done, mut doubles) = (0, Vec::new());
        let all = jobs.len();
        for batch in jobs.chunks(self.batch()) {
            if self.is_over() {
                break;
            }
            let plans = batch.iter().map(|job| self.crashed(job)).collect();
            let mut number = 0;
            let (library, settings) = (self.library, self.settings);
            let complete = runner::run(plans, library, &self.tracing(settings), &mut |mut record| {
                let job = &batch[number];
                number += 1;
                (self.news)(News::Done(&record));
                self.coverage.tried(job.host, job.place.op, &job.stands_for, record.bitten > 0);
                let touches = std::mem::take(&mut record.touches);
                if job.twice && record.bitten > 0 {
                    doubles.extend(self.double(job, &touches));
                } else if self.request.asked.is_some() {
                    self.asked_for.came(record.bitten > 0, job.host, job.place.point(job.crash));
                }
                let point = job.place.point(job.crash).to_string();
                self.judge(
                    record,
                    &job.cell,
                    &point,
                    &format!("{} {}", job.host.name(), job.place.op.name()),
                );
            });
            done += number;
            self.is_interrupted |= !complete;
        }
        self.cut_short(all - done, "the time limit came before their crash");
        (done as u64, doubles)
    }

    fn crash_twice(&mut self, doubles: Vec<Double>) -> u64 {
        let mut done = 0;
        let all = doubles.len();
        for batch in doubles.chunks(self.batch()) {
            if self.is_over() {
                break;
            }
            let plan = |double: &Double| Plan {
                deviation: Some(Deviation::Explored(Arc::new(double.explored.clone()))),
                ..Plan::clone(&double.cell)
            };
            let plans = batch.iter().map(plan).collect();
            let mut number = 0;
            let (library, settings) = (self.library, self.settings);
            let complete = runner::run(plans, library, &self.tracing(settings), &mut |record| {
                let double = &batch[number];
                number += 1;
                (self.news)(News::Done(&record));
                let (host, then) = double.then;
                if self.request.asked.is_some() {
                    self.asked_for.came(record.bitten > 1, host, then);
                }
                let at =
                    format!("{} at {}, then {} at {then}", double.host.name(), double.first, host.name());
                let point = double.explored.point.clone();
                self.judge(record, &double.cell, &point, &at);
            });
            done += number;
            self.is_interrupted |= !complete;
        }
        self.cut_short(all - done, "the time limit came before their second crash");
        done as u64
    }

    fn batch(&self) -> usize {
        self.request.limit.map_or(BATCH, |_| BATCH_IN_TIME)
    }

    fn is_over(&self) -> bool {
        self.settings.stop.is_asked() || self.request.limit.is_some_and(|limit| self.began.elapsed() >= limit)
    }

    fn cut_short(&mut self, cells: usize, because: &str) {
        let is_interrupted = self.settings.stop.is_asked();
        if cells > 0 && !is_interrupted {
            self.left_out.push(LeftOut { cells: cells as u64, because: because.to_owned() });
            self.ran_out_of_time = true;
        }
        self.is_interrupted |= is_interrupted;
    }

    /// Whether every kind of call had its chance: what was left out are whole cells.
    fn had_time(&self) -> bool {
        !self.is_interrupted && !self.ran_out_of_time && self.request.asked.is_none()
    }

    /// Says where nobody came to the point that was asked for.
    fn tell_unreached(&mut self) {
        let unreached = std::mem::take(&mut self.asked_for.unreached).into_iter();
        self.left_out.extend(unreached.map(|(because, cells)| LeftOut { cells, because }));
    }

    /// The cell of a job.
    fn crashed(&self, job: &Job) -> Plan {
        let point = job.place.point(job.crash).to_string();
        let explored = Explored {
            rules: vec![rule(job.host, job.place, job.crash, &salt(&job.cell, job.host))],
            reproduce: self.command(&job.cell, job.host, &point),
            point,
            log: job.twice,
            slips: self.request.slips.clone(),
        };
        Plan { deviation: Some(Deviation::Explored(Arc::new(explored))), ..Plan::clone(&job.cell) }
    }

    /// The second crash that follows that of a job: the one that was asked for, or one of its recovery.
    fn double(&mut self, job: &Job, touches: &[Touch]) -> Option<Double> {
        let first = job.place.point(job.crash);
        let salt = salt(&job.cell, job.host);
        let then = match &self.request.asked {
            Some(asked) => asked.then,
            None => second(touches, job.host, first, &format!("{salt} {first}")),
        };
        let (host, then) = then?;
        let Some(place) = Place::find(touches, host.name(), then.number, then.moment) else {
            self.asked_for.never_came(host, then);
            return None;
        };
        let point = format!("{first},{}:{then}", host.name());
        let explored = Explored {
            rules: vec![
                rule(job.host, job.place, job.crash, &salt),
                rule(host, place, then.crash, &format!("{salt} {first}")),
            ],
            reproduce: self.command(&job.cell, job.host, &point),
            point,
            slips: self.request.slips.clone(),
            ..Explored::default()
        };
        Some(Double { cell: job.cell.clone(), host: job.host, first, then: (host, then), explored })
    }

    /// The command that runs a point alone.
    fn command(&self, cell: &Plan, host: Subject, point: &str) -> String {
        let mut command = format!(
            "gauntlet explore crash --only {} --host {} --point {point}",
            quoted(&cell.id()),
            host.name()
        );
        if cell.seed != 0 {
            command.push_str(&format!(" --seed {}", cell.seed));
        }
        for folder in &self.settings.folders {
            command.push_str(&format!(" --scenarios {}", quoted(&folder.to_string_lossy())));
        }
        command
    }

    fn tracing(&self, settings: &Settings) -> Settings {
        let traces = match self.request.out {
            Some(_) => MOST_TRACES.saturating_sub(self.traces),
            None => 0,
        };
        Settings { traces, ..settings.clone() }
    }

    /// Keeps what did not hold in a cell.
    fn judge(&mut self, mut record: Record, cell: &Plan, point: &str, at: &str) {
        if let (Some(trace), Some(out)) = (record.trace.take(), &self.request.out) {
            self.traces += 1;
            if self.written.is_ok() {
                self.written = write_trace(out, &trace.file, &trace.content);
            }
        }
        let id = cell.id();
        if record.line.verdict == Verdict::Error {
            let reproduce = match &record.plan.deviation {
                Some(Deviation::Explored(explored)) => explored.reproduce.clone(),
                _ => String::new(),
            };
            self.keep(Finding {
                requirement: "none".to_owned(),
                role: "harness".to_owned(),
                statement: "Every cell comes to a verdict.".to_owned(),
                cell: id.clone(),
                point: point.to_owned(),
                at: at.to_owned(),
                expected: "a verdict".to_owned(),
                observed: record.line.reason.take().unwrap_or_default(),
                replay: reproduce,
                trace: None,
            });
        }
        for failure in record.failures {
            self.keep(finding(&id, point, at, failure));
        }
    }

    fn keep(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more_findings += 1;
        }
    }

    /// Says of each finding on what the call was at which its host died.
    fn locate(&mut self) {
        let cells: BTreeSet<&str> = self.findings.iter().map(|finding| finding.cell.as_str()).collect();
        if cells.is_empty() || self.settings.stop.is_asked() {
            return;
        }
        let (plans, _) = plain(self.library, self.request);
        let plans = plans.into_iter().filter(|plan| cells.contains(plan.id().as_str()));
        let mut logs: BTreeMap<String, Vec<Touch>> = BTreeMap::new();
        let probes = plans.map(|plan| probed(plan, &self.request.slips)).collect();
        runner::run(probes, self.library, &without_traces(self.settings), &mut |record| {
            let cell = Plan { deviation: None, ..Plan::clone(&record.plan) };
            logs.insert(cell.id(), record.touches);
        });
        for finding in &mut self.findings {
            let (Some(log), Ok(asked)) = (logs.get(&finding.cell), finding.point.parse::<Asked>()) else {
                continue;
            };
            let host = finding.at.split(' ').next().unwrap_or_default().to_owned();
            let mut own = log.iter().filter(|touch| touch.host == host);
            if let (Some(touch), None) = (own.nth(asked.number as usize - 1), asked.then) {
                finding.at = format!("{host} {} {}", touch.op.name(), touch.target);
            }
        }
    }
}

/// The plain cell with its port calls, judged as an explored one.
fn probed(plan: Plan, slips: &[Slip]) -> Plan {
    let explored = Explored {
        point: "none".to_owned(),
        reproduce: format!("gauntlet replay {}", quoted(&plan.id())),
        log: true,
        slips: slips.to_vec(),
        ..Explored::default()
    };
    Plan { deviation: Some(Deviation::Explored(Arc::new(explored))), ..plan }
}

fn salt(cell: &Plan, host: Subject) -> String {
    format!("{} {}", cell.id(), host.name())
}

fn without_traces(settings: &Settings) -> Settings {
    Settings { traces: 0, ..settings.clone() }
}

fn write_trace(out: &Path, file: &str, content: &[u8]) -> io::Result<()> {
    files::write(&out.join(file), content)
}
