//! Stories side by side, until the time is over.
#![expect(clippy::disallowed_methods, reason = "how long it goes on is measured outside of any cell")]

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gauntlet_reports::explore::{Disturbed, REAL, Soak, SoakFinding};
use gauntlet_reports::{Lane, Verdict};

use super::story::story;
use crate::cell::{Deviation, Explored, Plan};
use crate::data::Library;
use crate::data::release::REFERENCE;
use crate::exit::ExitCode;
use crate::explore::choices::Choices;
use crate::explore::file;
use crate::files;
use crate::record::{Record, quoted};
use crate::runner::{self, Settings};
use crate::scenario;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Request {
    /// The time after which no story is begun any more.
    pub time: Duration,
    /// What draws the stories.
    pub seed: u64,
    /// Only these executors; all that have a receiver when empty.
    pub executors: Vec<String>,
    /// After findings of so many requirements it ends.
    pub most: usize,
    /// Where the files of what was found go.
    pub out: Option<PathBuf>,
}

/// What happens meanwhile, for whoever shows progress.
pub enum News {
    /// A story was told.
    Done,
    /// Something was found, and is told again.
    Found(String),
}

/// So often what failed is told again, by itself.
const AGAIN: u32 = 3;
/// The steps that disturb what goes on, as they are counted.
const DISTURBANCES: [&str; 5] = ["kill", "stop", "freeze", "disconnect", "request"];

/// Goes on until the time is over. An error: what was found could not be written.
pub fn explore(
    library: &Arc<Library>,
    request: &Request,
    settings: &Settings,
    news: &mut dyn FnMut(News),
) -> io::Result<Soak> {
    let began = Instant::now();
    let settings = Settings { traces: 0, ..settings.clone() };
    let meant = &request.executors;
    let with_receiver = library.executors.values().filter(|executor| executor.files.is_some());
    let executors: Vec<&str> = with_receiver
        .map(|executor| executor.id.value.as_str())
        .filter(|name| meant.is_empty() || meant.iter().any(|meant| meant == name))
        .collect();
    let soak = Exploration { library, request, settings: &settings, executors };
    let mut told = Soak {
        schema: REAL.to_owned(),
        seed: request.seed,
        complete: true,
        cells: 0,
        dispatches: 0,
        disturbances: Vec::new(),
        took_ms: 0,
        findings: Vec::new(),
        exit_code: ExitCode::Pass.code(),
    };
    let mut disturbances: BTreeMap<&str, u64> = BTreeMap::new();
    let mut found: BTreeMap<(String, String), SoakFinding> = BTreeMap::new();
    let mut number = 0;
    let is_over = || began.elapsed() >= request.time || soak.executors.is_empty();
    while !is_over() && found.len() < request.most && told.complete {
        // As many as are told at once: so it ends as soon as the slowest of them is over.
        let many = settings.real_jobs.max(1) as u64;
        let made: Vec<Made> = (number..number + many).filter_map(|number| soak.make(number)).collect();
        number += many;
        let mut wrong: Vec<(usize, Wrong)> = Vec::new();
        let (mut at, plans) = (0, made.iter().map(|made| made.plan.clone()).collect());
        told.complete = runner::run(plans, library, &settings, &mut |record| {
            told.cells += 1;
            told.dispatches += made[at].count("dispatch");
            for word in DISTURBANCES {
                *disturbances.entry(word).or_default() += made[at].count(word);
            }
            wrong.extend(Wrong::all(&record).into_iter().map(|wrong| (at, wrong)));
            at += 1;
            news(News::Done);
        });
        for (at, wrong) in wrong {
            let key = (wrong.requirement.clone(), wrong.role.clone());
            if let Some(known) = found.get_mut(&key) {
                known.cells += 1;
                continue;
            }
            if found.len() == request.most || settings.stop.is_asked() {
                break;
            }
            news(News::Found(wrong.requirement.clone()));
            let finding = soak.told(&made[at], wrong)?;
            found.insert(key, finding);
        }
    }
    told.disturbances = disturbances
        .into_iter()
        .map(|(what, times)| Disturbed { what: said(what).to_owned(), times })
        .collect();
    told.findings = found.into_values().collect();
    told.took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let code = if told.findings.iter().any(|finding| finding.again > 0) {
        ExitCode::Nonconformance
    } else if !told.findings.is_empty() || !told.complete {
        ExitCode::Broken
    } else if told.cells == 0 {
        ExitCode::NothingSelected
    } else {
        ExitCode::Pass
    };
    told.exit_code = code.code();
    Ok(told)
}

/// What people call it.
fn said(step: &str) -> &'static str {
    match step {
        "kill" => "receiver killed",
        "stop" => "receiver told to end",
        "freeze" => "receiver stopped and continued",
        "disconnect" => "hub gone for a while",
        _ => "connection cut",
    }
}

/// A story that was made.
struct Made {
    id: String,
    text: String,
    plan: Plan,
    steps: Vec<String>,
}

impl Made {
    /// How many of its steps are of a kind.
    fn count(&self, verb: &str) -> u64 {
        self.steps.iter().filter(|step| *step == verb).count() as u64
    }

    /// The id of its cell, as whoever reads the file has it.
    fn cell(&self) -> String {
        Plan { deviation: None, ..self.plan.clone() }.id()
    }
}

/// What did not hold.
struct Wrong {
    requirement: String,
    role: String,
    statement: String,
    expected: String,
    observed: String,
}

impl Wrong {
    fn all(record: &Record) -> Vec<Self> {
        if record.line.verdict == Verdict::Error {
            return vec![Self {
                requirement: "none".to_owned(),
                role: "harness".to_owned(),
                statement: "Every cell comes to a verdict.".to_owned(),
                expected: "a verdict".to_owned(),
                observed: record.line.reason.clone().unwrap_or_default(),
            }];
        }
        let told = record.failures.iter().map(|failure| Self {
            requirement: failure.requirement.clone(),
            role: failure.guilty.clone(),
            statement: failure.statement.clone(),
            expected: failure.expected.clone(),
            observed: failure.observed.clone(),
        });
        told.collect()
    }
}

struct Exploration<'a> {
    library: &'a Arc<Library>,
    request: &'a Request,
    settings: &'a Settings,
    executors: Vec<&'a str>,
}

impl Exploration<'_> {
    /// The story with this number.
    fn make(&self, number: u64) -> Option<Made> {
        let choices = Choices::going_on(&[], &format!("explore real {} {number}", self.request.seed));
        let executor = *choices.one(&self.executors);
        let story = story(executor, &choices);
        let (id, text) = file::text(&story);
        let scenario = match scenario::read("explored.yaml", &text, Lane::Real) {
            Ok(mut scenarios) => scenarios.pop()?,
            Err(error) => {
                tracing::error!(%error, text, "a story cannot be read");
                return None;
            }
        };
        let verbs = story["steps"].as_array().into_iter().flatten();
        let verbs = verbs.filter_map(|step| step.as_object()?.keys().next().cloned());
        let explored = Explored {
            reproduce: format!("gauntlet replay {}", quoted(&format!("{id}~real"))),
            ..Explored::default()
        };
        let plan = Plan {
            executor: self.library.executors.get(executor)?.clone(),
            scenario: Arc::new(scenario),
            profile: self.library.versions(executor).last()?.clone(),
            release: self.library.releases.get(REFERENCE)?.clone(),
            release_quirks: Vec::new(),
            deviation: Some(Deviation::Explored(Arc::new(explored))),
            seed: 0,
            lane: Lane::Real,
            fitted: None,
        };
        Some(Made { id, text, plan, steps: verbs.collect() })
    }

    /// A finding, with how often it came again.
    fn told(&self, made: &Made, wrong: Wrong) -> io::Result<SoakFinding> {
        let settings = Settings { is_alone: true, ..self.settings.clone() };
        let mut again = 0;
        for _ in 0..AGAIN {
            runner::run(vec![made.plan.clone()], self.library, &settings, &mut |record| {
                let same =
                    |other: &Wrong| (&other.requirement, &other.role) == (&wrong.requirement, &wrong.role);
                again += u32::from(Wrong::all(&record).iter().any(same));
            });
        }
        let mut file = None;
        if let Some(out) = &self.request.out {
            let name = format!("suites/{}.yaml", made.id.replace('/', "-"));
            files::write(&out.join(&name), made.text.as_bytes())?;
            file = Some(name);
        }
        Ok(SoakFinding {
            requirement: wrong.requirement,
            role: wrong.role,
            statement: wrong.statement,
            expected: wrong.expected,
            observed: wrong.observed,
            cells: 1,
            again,
            tries: AGAIN,
            scenario: made.text.clone(),
            file,
            replay: file::replay(&made.cell(), &self.settings.folders, self.request.out.as_deref()),
        })
    }
}
