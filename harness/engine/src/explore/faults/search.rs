//! The whole search: batch by batch, so that what a cell is made of does not depend on who runs it.
#![expect(clippy::disallowed_methods, reason = "how long the search takes is measured outside of any cell")]

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use gauntlet_reports::explore::{FAULTS, FaultSearch, Found};
use gauntlet_reports::{Lane, Verdict};
use gauntlet_world::injection::Quirk;
use gauntlet_world::simulated::Slip;

use super::corpus::{Corpus, pairs};
use super::shrink::shrunk;
use super::story::story;
use crate::cell::{Deviation, Explored, Plan};
use crate::data::Library;
use crate::data::release::REFERENCE;
use crate::exit::ExitCode;
use crate::explore::choices::{Choice, Choices};
use crate::explore::file;
use crate::files;
use crate::record::{Record, quoted};
use crate::runner::{self, Settings};
use crate::scenario;

/// What is to be searched.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// So many cells.
    pub cells: u64,
    /// What draws them.
    pub seed: u64,
    /// The number of the first cell, counted from 0.
    pub first: u64,
    /// Deviations that are in every cell and excuse nothing: bugs that the search has to find.
    pub planted: Vec<Arc<Quirk>>,
    /// Mistakes that programs make in every cell: the same.
    pub slips: Vec<Slip>,
    /// After so many different findings it ends.
    pub most: usize,
    /// In so many cells at most a finding is made smaller.
    pub attempts: usize,
    /// Where the scenario files of findings go.
    pub out: Option<PathBuf>,
}

/// What happens meanwhile, for whoever shows progress.
pub enum News {
    /// A cell was run.
    Done,
    /// Something was found, and is made smaller.
    Found(String),
}

/// So many cells are made at once. What the corpus came to counts from the next batch on.
const BATCH: u64 = 256;

/// Searches.
pub fn explore(
    library: &Arc<Library>,
    request: &Request,
    settings: &Settings,
    news: &mut dyn FnMut(News),
) -> io::Result<FaultSearch> {
    let began = Instant::now();
    let settings = Settings { traces: 0, ..settings.clone() };
    let mut search = Search { library, request, settings: &settings };
    let mut corpus = Corpus::default();
    let mut found: BTreeMap<(String, String), Found> = BTreeMap::new();
    let (mut cells, mut not_made, mut drawn, mut complete) = (0, 0, 0, true);
    while drawn < request.cells && found.len() < request.most && complete {
        let numbers = drawn..(drawn + BATCH).min(request.cells);
        drawn = numbers.end;
        let all = numbers.end - numbers.start;
        let made: Vec<Made> =
            numbers.filter_map(|number| search.make(&corpus, request.first + number)).collect();
        not_made += all - made.len() as u64;
        let mut wrong: Vec<(Vec<Choice>, Wrong)> = Vec::new();
        let mut at = 0;
        let plans = made.iter().map(|made| made.plan.clone()).collect();
        complete = runner::run(plans, library, &settings, &mut |record| {
            let list = &made[at].list;
            at += 1;
            cells += 1;
            news(News::Done);
            corpus.take(list, &pairs(&record));
            wrong.extend(search.wrong(&record).map(|wrong| (list.clone(), wrong)));
        });
        for (list, wrong) in wrong {
            let key = (wrong.requirement.clone(), wrong.role.clone());
            if let Some(known) = found.get_mut(&key) {
                known.cells += 1;
                continue;
            }
            if found.len() == request.most {
                break;
            }
            news(News::Found(wrong.requirement.clone()));
            let told = search.told(&list, wrong)?;
            found.insert(key, told);
        }
    }
    let code = if !found.is_empty() {
        ExitCode::Nonconformance
    } else if complete && not_made == 0 {
        ExitCode::Pass
    } else {
        ExitCode::Broken
    };
    Ok(FaultSearch {
        schema: FAULTS.to_owned(),
        seed: request.seed,
        complete,
        cells,
        not_made,
        pairs: corpus.pairs() as u64,
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        findings: found.into_values().collect(),
        exit_code: code.code(),
    })
}

/// A cell that was made.
struct Made {
    list: Vec<Choice>,
    id: String,
    text: String,
    plan: Plan,
}

impl Made {
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

struct Search<'a> {
    library: &'a Arc<Library>,
    request: &'a Request,
    settings: &'a Settings,
}

impl Search<'_> {
    /// The cell with this number.
    fn make(&self, corpus: &Corpus, number: u64) -> Option<Made> {
        let name = format!("explore faults {} {number}", self.request.seed);
        let draw = blake3::hash(name.as_bytes())
            .as_bytes()
            .iter()
            .take(8)
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        self.of(&Choices::going_on(&corpus.seed(draw), &name))
    }

    /// The cell that a list is.
    fn of(&self, choices: &Choices) -> Option<Made> {
        let story = story(self.library, choices)?;
        let (id, text) = file::text(&story.scenario);
        let read = scenario::read("explored.yaml", &text, Lane::Virtual);
        let scenario = match read {
            Ok(mut scenarios) => scenarios.pop()?,
            Err(error) => {
                tracing::error!(%error, text, "a story cannot be read");
                return None;
            }
        };
        let library = self.library;
        let explored = Explored {
            reproduce: format!("gauntlet replay {}", quoted(&id)),
            log: true,
            slips: self.request.slips.clone(),
            ..Explored::default()
        };
        let plan = Plan {
            executor: library.executors.get(&story.executor)?.clone(),
            scenario: Arc::new(scenario),
            profile: story.profile,
            release: library.releases.get(REFERENCE)?.clone(),
            release_quirks: story.quirks.into_iter().chain(self.request.planted.iter().cloned()).collect(),
            deviation: Some(Deviation::Explored(Arc::new(explored))),
            seed: 0,
            lane: Lane::Virtual,
            fitted: None,
        };
        Some(Made { list: choices.taken(), id, text, plan })
    }

    /// The first thing that did not hold in a cell, and that no quirk in it excuses: one excuses its own role.
    fn wrong(&self, record: &Record) -> Option<Wrong> {
        if record.line.verdict == Verdict::Error {
            return Some(Wrong {
                requirement: "none".to_owned(),
                role: "harness".to_owned(),
                statement: "Every cell comes to a verdict.".to_owned(),
                expected: "a verdict".to_owned(),
                observed: record.line.reason.clone().unwrap_or_default(),
            });
        }
        let is_planted = |quirk: &Quirk| self.request.planted.iter().any(|planted| planted.id == quirk.id);
        let quirks = record.plan.release_quirks.iter().filter(|quirk| !is_planted(quirk));
        let excused: Vec<&str> = quirks.map(|quirk| quirk.role.as_str()).collect();
        let failure = record.failures.iter().find(|failure| !excused.contains(&failure.guilty.as_str()))?;
        Some(Wrong {
            requirement: failure.requirement.clone(),
            role: failure.guilty.clone(),
            statement: failure.statement.clone(),
            expected: failure.expected.clone(),
            observed: failure.observed.clone(),
        })
    }

    /// What is wrong with the cell of a list.
    fn run(&self, list: &[Choice]) -> Option<(Made, Option<Wrong>)> {
        let made = self.of(&Choices::of(list))?;
        let mut wrong = None;
        runner::run(vec![made.plan.clone()], self.library, self.settings, &mut |record| {
            wrong = self.wrong(&record)
        });
        Some((made, wrong))
    }

    /// A finding, as small as it can be, in a file.
    fn told(&mut self, list: &[Choice], wrong: Wrong) -> io::Result<Found> {
        let is_same = |candidate: &[Choice]| {
            let ran = self.run(candidate).and_then(|(_, wrong)| wrong);
            !self.settings.stop.is_asked()
                && ran.is_some_and(|ran| (&ran.requirement, &ran.role) == (&wrong.requirement, &wrong.role))
        };
        let smallest = shrunk(list, self.request.attempts, &mut |candidate| is_same(candidate));
        let (made, smallest_wrong) = match self.run(&smallest) {
            Some((made, Some(wrong))) => (Some(made), wrong),
            Some((made, None)) => (Some(made), wrong),
            None => (None, wrong),
        };
        let (id, text, cell) =
            made.as_ref().map(|made| (made.id.clone(), made.text.clone(), made.cell())).unwrap_or_default();
        let mut file = None;
        if let Some(out) = &self.request.out {
            let name = format!("suites/{}.yaml", id.replace('/', "-"));
            files::write(&out.join(&name), text.as_bytes())?;
            file = Some(name);
        }
        Ok(Found {
            requirement: smallest_wrong.requirement,
            role: smallest_wrong.role,
            statement: smallest_wrong.statement,
            expected: smallest_wrong.expected,
            observed: smallest_wrong.observed,
            cells: 1,
            choices: smallest,
            scenario: text,
            file,
            replay: file::replay(&cell, &self.settings.folders, self.request.out.as_deref()),
        })
    }
}
