//! The results of an earlier run, as its reports have them: what `list --roadmap` and `explain` show as the last result.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gauntlet_reports::{CellLine, ExecutorReport, RequirementRow, Summary, Verdict};

use crate::data::Library;
use crate::files;

/// Where a run writes its reports unless it is told otherwise.
pub const USUAL: &str = "reports/out";

/// What earlier reports say.
#[derive(Debug, Clone, Default)]
pub struct Results {
    /// The verdict of each requirement on each executor on which it was judged.
    requirements: BTreeMap<String, BTreeMap<String, Verdict>>,
    cells: BTreeMap<String, CellLine>,
    summary: Option<Summary>,
}

/// Why there are no results at a place.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ResultsError {
    /// There is nothing of ours.
    #[error("{}: expected a folder of reports, a report.json or a results.jsonl; found none", .0.display())]
    #[diagnostic(help("`gauntlet run --out DIR` writes one"))]
    Absent(PathBuf),
    /// A file has other lines than the run that wrote it.
    #[error("{}:{}:1: {}", .file.display(), .found + 1, not_whole(*.expected, *.found))]
    #[diagnostic(help("{TAKE_THE_WHOLE}"))]
    NotWhole {
        /// The file.
        file: PathBuf,
        /// How many lines the run wrote.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// A file is not what its name says.
    #[error("{}: expected {expected}; {error}", .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What is wrong with it.
        #[source]
        error: serde_json::Error,
    },
}

/// What to do about results that are not whole.
pub(crate) const TAKE_THE_WHOLE: &str = "the file was cut, or is of another run than the summary.json beside it: take the whole folder of one run";

/// What is wrong with results that are not whole.
pub(crate) fn not_whole(expected: usize, found: usize) -> String {
    format!("expected {expected} lines, one for each cell that summary.json beside it counts; found {found}")
}

/// How many lines the run wrote whose `results.jsonl` this is: its summary beside it says so. Nothing when there is none.
pub(crate) fn lines_of_run(results: &Path) -> Option<usize> {
    if results.file_name()? != "results.jsonl" {
        return None;
    }
    let content = files::read(&results.with_file_name("summary.json"))?;
    let summary: Summary = serde_json::from_slice(&content).ok()?;
    usize::try_from(summary.cells.total).ok()
}

impl Results {
    /// Reads what was asked for: a folder that a run wrote, a `report.json` of it, or its `results.jsonl`.
    pub fn read(path: &Path, library: &Library) -> Result<Self, ResultsError> {
        let mut results = Self::default();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let found = if name.ends_with(".jsonl") {
            results.lines(path)?
        } else if name.ends_with(".json") {
            results.report(path)?
        } else {
            results.folder(path)?
        };
        if !found {
            return Err(ResultsError::Absent(path.to_path_buf()));
        }
        if results.requirements.is_empty() {
            results.derive(library);
        }
        Ok(results)
    }

    fn folder(&mut self, folder: &Path) -> Result<bool, ResultsError> {
        let mut found = self.lines(&folder.join("results.jsonl"))?;
        for name in files::names_in(folder) {
            found |= self.report(&folder.join(name).join("report.json"))?;
        }
        let path = folder.join("summary.json");
        if let Some(content) = files::read(&path) {
            self.summary = Some(parsed(&path, "the summary of a run", &content)?);
        }
        Ok(found)
    }

    fn report(&mut self, path: &Path) -> Result<bool, ResultsError> {
        let Some(content) = files::read(path) else { return Ok(false) };
        let report: ExecutorReport = parsed(path, "the report of an executor", &content)?;
        let judged = |row: &&RequirementRow| !row.by_version.is_empty();
        for row in report.requirements.iter().chain(&report.newer).filter(judged) {
            self.note(&row.id, &report.executor, row.verdict);
        }
        Ok(true)
    }

    fn lines(&mut self, path: &Path) -> Result<bool, ResultsError> {
        let Some(content) = files::read(path) else { return Ok(false) };
        let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let mut found = 0;
        for line in lines {
            let line: CellLine = parsed(path, "the result of a cell in each line", line)?;
            self.cells.insert(line.id.clone(), line);
            found += 1;
        }
        if let Some(expected) = lines_of_run(path).filter(|expected| *expected != found) {
            return Err(ResultsError::NotWhole { file: path.to_path_buf(), expected, found });
        }
        Ok(true)
    }

    /// What lines of cells alone say of requirements: what a plain cell failed, failed; of what else its scenario judges, no more is
    /// known than the worst of the other verdicts.
    fn derive(&mut self, library: &Library) {
        let mut found = Vec::new();
        for line in self.cells.values() {
            let Some((scenario, rest)) = line.id.split_once('@') else { continue };
            if rest.contains('+') {
                continue;
            }
            let executors = library.executors.keys().filter(|name| rest.starts_with(&format!("{name}-")));
            let Some(executor) = executors.max_by_key(|name| name.len()) else { continue };
            let others = Verdict::ALL.into_iter().filter(|verdict| {
                *verdict != Verdict::Fail && line.counts.get(verdict.as_str()).is_some_and(|count| *count > 0)
            });
            let other = if line.verdict == Verdict::Error { Verdict::Error } else { Verdict::worst(others) };
            let judged = library.scenarios.get(scenario).map(|scenario| scenario.requirements());
            for id in judged.into_iter().flatten().filter(|id| !line.failed.contains(&id.value)) {
                found.push((id.value.clone(), executor.clone(), other));
            }
            found.extend(line.failed.iter().map(|id| (id.clone(), executor.clone(), Verdict::Fail)));
        }
        found.iter().for_each(|(id, executor, verdict)| self.note(id, executor, *verdict));
    }

    fn note(&mut self, id: &str, executor: &str, verdict: Verdict) {
        let of_executor = self.requirements.entry(id.to_owned()).or_default();
        let known = of_executor.entry(executor.to_owned()).or_insert(verdict);
        *known = verdict.max(*known);
    }

    /// The result of a requirement in words, for instance `pass on codex, opencode; fail on agy`; nothing when it was not run.
    pub fn requirement(&self, id: &str) -> Option<String> {
        let by_executor = self.requirements.get(id)?;
        let mut verdicts = Verdict::ALL;
        verdicts.sort_by_key(|verdict| std::cmp::Reverse(*verdict));
        let groups = verdicts.into_iter().filter_map(|verdict| {
            let on: Vec<&str> =
                by_executor.iter().filter(|(_, of)| **of == verdict).map(|(name, _)| name.as_str()).collect();
            (!on.is_empty()).then(|| format!("{} on {}", verdict.label(), on.join(", ")))
        });
        Some(groups.collect::<Vec<_>>().join("; "))
    }

    /// The line of a cell.
    pub fn cell(&self, id: &str) -> Option<&CellLine> {
        self.cells.get(id)
    }

    /// The lines of a scenario's cells.
    pub fn cells_of<'a>(&'a self, scenario: &'a str) -> impl Iterator<Item = &'a CellLine> {
        let is_of = move |id: &str| id.split_once('@').is_some_and(|(name, _)| name == scenario);
        self.cells.values().filter(move |line| is_of(&line.id))
    }

    /// The summary, when a folder was read.
    pub fn summary(&self) -> Option<&Summary> {
        self.summary.as_ref()
    }
}

fn parsed<T: serde::de::DeserializeOwned>(
    file: &Path,
    expected: &'static str,
    content: &[u8],
) -> Result<T, ResultsError> {
    serde_json::from_slice(content).map_err(|error| ResultsError::Malformed {
        file: file.to_path_buf(),
        expected,
        error,
    })
}
