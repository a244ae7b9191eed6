//! What narrows the matrix down beside executor, version and pattern: rows of the catalogue, what failed before, quirks, a shard.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use gauntlet_reports::{CellLine, Class, Compliance, Detection, Level, Verdict};

use crate::cell::Plan;
use crate::coverage;
use crate::data::catalogue::{Requirement, Role};
use crate::data::{DataError, Library, nearest};
use crate::files;
use crate::pattern::{CellParts, Glob, Pattern};
use crate::record::Record;
use crate::results;
use crate::scores::ExecutorCompliance;

/// What narrows a selection down. Nothing, by default.
#[derive(Debug, Clone, Default)]
pub struct Narrow {
    /// Only cells that judge these rows, and only these are scored.
    pub rows: Rows,
    /// Only these cells, and the file that named them.
    pub failed_in: Option<Arc<FailedIn>>,
    /// Which quirks and faults cross the plain cells.
    pub crossing: Crossing,
    /// Only this part of what is selected otherwise.
    pub shard: Option<Shard>,
}

impl Narrow {
    /// Whether nothing is left out but what other shards run.
    pub fn is_nothing(&self) -> bool {
        self.leaves_out_no_plain_cell() && self.crossing == Crossing::All
    }

    /// Whether every plain cell is run but what other shards run. One quirk alone is tried with what it crosses.
    pub fn leaves_out_no_plain_cell(&self) -> bool {
        let crossing = match &self.crossing {
            Crossing::All => true,
            Crossing::These(quirks) => quirks.is_empty(),
        };
        self.rows.0.is_none() && self.failed_in.is_none() && crossing
    }

    /// Whether a cell is selected.
    pub fn takes(&self, plan: &Plan) -> bool {
        let crosses = plan.deviation.as_ref().is_none_or(|deviation| self.crossing.takes(deviation.id()));
        crosses
            && self.rows.take(plan)
            && self.failed_in.as_ref().is_none_or(|before| before.cells.contains(&plan.id()))
            && self.shard.is_none_or(|shard| shard.takes(plan))
    }
}

/// A name on the command line that nothing has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("{option}: expected {expected}; found {found:?}")]
pub struct UnknownValue {
    option: &'static str,
    expected: String,
    found: String,
    #[help]
    help: Option<String>,
}

fn unknown(option: &'static str, what: &str, found: &str, known: &[&str]) -> UnknownValue {
    // Of hundreds of names the nearest one says more than all.
    let all = if known.len() <= 12 { format!(" ({})", known.join(", ")) } else { String::new() };
    UnknownValue {
        option,
        expected: format!("{what}{all}"),
        found: found.to_owned(),
        help: nearest(found, known.iter().copied()).map(|name| format!("did you mean {name:?}?")),
    }
}

/// The rows of the catalogue that are judged; all if there is no set.
#[derive(Debug, Clone, Default)]
pub struct Rows(Option<Arc<Chosen>>);

#[derive(Debug)]
struct Chosen {
    ids: BTreeSet<String>,
    /// Nothing but invariants was chosen, and every cell judges these.
    in_every_cell: bool,
}

/// The row of a CLI that says whether its receiver speaks to it as it wants.
const ITS_ARGUMENTS: &str = "FLEET-INV-08";

/// What was asked for of the catalogue. A row has to be of each kind that is named.
#[derive(Debug, Clone, Default)]
pub struct AskedRows {
    /// Ids, or globs of them.
    pub requirements: Vec<String>,
    /// Classes.
    pub classes: Vec<String>,
    /// Levels.
    pub levels: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
}

impl Rows {
    /// The rows that were asked for.
    pub fn of(library: &Library, asked: &AskedRows) -> Result<Self, UnknownValue> {
        let AskedRows { requirements, classes, levels, roles } = asked;
        if [requirements, classes, levels, roles].into_iter().all(Vec::is_empty) {
            return Ok(Self::default());
        }
        let ids: Vec<&str> = library.catalogue.ids().collect();
        let globs: Vec<Glob> = requirements.iter().map(|text| Glob::new(text)).collect();
        for glob in &globs {
            if !ids.iter().any(|id| glob.matches(id)) {
                return Err(unknown("--requirement", "a requirement", glob.text(), &ids));
            }
        }
        let known_classes: Vec<&str> = Class::ALL.iter().map(|class| class.as_str()).collect();
        let known_levels: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        let known_roles: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        for (option, what, found, known) in [
            ("--class", "a class", classes, &known_classes),
            ("--level", "a level", levels, &known_levels),
            ("--role", "a role", roles, &known_roles),
        ] {
            if let Some(found) = found.iter().find(|found| !known.contains(&found.as_str())) {
                return Err(unknown(option, what, found, known));
            }
        }
        let is_among = |asked: &[String], name: &str| asked.is_empty() || asked.iter().any(|one| one == name);
        let chosen = library.catalogue.all().filter(|row| {
            let id = row.id.value.as_str();
            (globs.is_empty() || globs.iter().any(|glob| glob.matches(id)))
                && is_among(classes, row.class.as_str())
                && is_among(levels, row.level.as_str())
                && is_among(roles, row.role.name())
        });
        let chosen: Vec<_> = chosen.collect();
        let in_every_cell = !chosen.is_empty() && chosen.iter().all(|row| row.invariant);
        let ids = chosen.into_iter().map(|row| row.id.value.clone()).collect();
        Ok(Self(Some(Arc::new(Chosen { ids, in_every_cell }))))
    }

    /// Of these rows, what somebody who certifies a receiver is told of: what receivers owe, and whether the CLI took the arguments
    /// by which it was started.
    pub fn of_receivers(&self, library: &Library) -> Self {
        let is_told = |row: &&Requirement| row.role == Role::Receiver || row.id.value == ITS_ARGUMENTS;
        let ids = library.catalogue.all().filter(is_told).map(|row| row.id.value.clone());
        let ids: BTreeSet<String> = ids.filter(|id| self.has(id)).collect();
        let in_every_cell = self.0.as_ref().is_some_and(|chosen| chosen.in_every_cell);
        Self(Some(Arc::new(Chosen { ids, in_every_cell })))
    }

    /// Of these rows, what somebody who certifies a runtime is told of: what runtimes owe, and whoever takes callbacks.
    pub fn of_runtimes(&self, library: &Library) -> Self {
        let is_told = |row: &&Requirement| matches!(row.role, Role::Runtime | Role::Hermes);
        let ids = library.catalogue.all().filter(is_told).map(|row| row.id.value.clone());
        let ids: BTreeSet<String> = ids.filter(|id| self.has(id)).collect();
        let in_every_cell = self.0.as_ref().is_some_and(|chosen| chosen.in_every_cell);
        Self(Some(Arc::new(Chosen { ids, in_every_cell })))
    }

    /// Whether a row is judged.
    pub fn has(&self, id: &str) -> bool {
        self.0.as_ref().is_none_or(|chosen| chosen.ids.contains(id))
    }

    fn take(&self, plan: &Plan) -> bool {
        let Some(chosen) = &self.0 else { return true };
        let judged = || coverage::judged(&plan.scenario, plan.profile.executor());
        chosen.in_every_cell || judged().into_iter().any(|id| chosen.ids.contains(id))
    }

    /// Leaves of a record what speaks of these rows.
    pub fn narrow(&self, record: &mut Record) {
        if self.0.is_none() {
            return;
        }
        record.judgements.retain(|id, _| self.has(id));
        record.failures.retain(|failure| self.has(&failure.requirement));
        record.line.failed.retain(|id| self.has(id));
        let verdicts = || record.judgements.values().map(|judgement| judgement.verdict);
        record.line.counts = Verdict::counts(verdicts());
        if record.line.verdict == Verdict::Error {
            return;
        }
        record.line.verdict = Verdict::worst(verdicts());
        let unjudged = record.judgements.values().find(|one| one.verdict == record.line.verdict);
        record.line.reason = unjudged.and_then(|judgement| judgement.reason.clone());
        record.forget_trace_of_no_failure();
    }

    /// Leaves of a score what speaks of these rows.
    pub fn narrow_compliance(&self, scored: &mut ExecutorCompliance) {
        if self.0.is_none() {
            return;
        }
        scored.requirements.retain(|row| self.has(&row.id));
        scored.newer.retain(|row| self.has(&row.id));
        scored.compliance = Compliance::of(&scored.requirements);
        let of_profiles = scored.profiles.iter_mut().flat_map(|profile| {
            [&mut profile.breaks, &mut profile.unexpected_breaks, &mut profile.missing_breaks]
        });
        let of_release = scored.release.iter_mut().flat_map(|release| {
            release.breaks.retain(|known| self.has(&known.requirement));
            [&mut release.unexpected_breaks, &mut release.missing_breaks]
        });
        let others = [&mut scored.uncovered, &mut scored.unbroken];
        of_profiles.chain(of_release).chain(others).for_each(|ids| ids.retain(|id| self.has(id)));
    }

    /// Scores a quirk by what it names of these rows, and not at all when it names none.
    pub fn narrow_detection(&self, detection: &mut Detection) {
        if self.0.is_none() {
            return;
        }
        for quirk in &mut detection.quirks {
            quirk.missed.retain(|id| self.has(id));
            quirk.missed_real.retain(|id| self.has(id));
            quirk.scored &= quirk.violates.iter().any(|id| self.has(id));
            quirk.caught = quirk.scored
                && quirk.cells > 0
                && [&quirk.missed, &quirk.unnamed, &quirk.known, &quirk.missed_real]
                    .iter()
                    .all(|ids| ids.is_empty());
        }
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        detection.caught = count(detection.quirks.iter().filter(|quirk| quirk.caught).count());
        detection.all = count(detection.quirks.iter().filter(|quirk| quirk.scored).count());
    }
}

/// Which quirks and faults cross the plain cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Crossing {
    /// All that have something to bite on.
    #[default]
    All,
    /// These.
    These(BTreeSet<String>),
}

impl Crossing {
    /// What was asked for: `none`, `all`, ids, or globs of them. All when nothing was.
    pub fn of(library: &Library, asked: &[String]) -> Result<Self, UnknownValue> {
        let known: Vec<&str> =
            library.quirks.keys().chain(library.faults.keys()).map(String::as_str).collect();
        let mut chosen = BTreeSet::new();
        if asked.is_empty() || asked.iter().any(|name| name == "all") {
            return Ok(Self::All);
        }
        for name in asked.iter().filter(|name| *name != "none") {
            let glob = Glob::new(name);
            let found: Vec<&str> = known.iter().copied().filter(|id| glob.matches(id)).collect();
            if found.is_empty() {
                let names: Vec<&str> = known.iter().copied().chain(["none", "all"]).collect();
                return Err(unknown("--quirks", "`none`, `all`, or a quirk or fault", name, &names));
            }
            chosen.extend(found.into_iter().map(str::to_owned));
        }
        Ok(Self::These(chosen))
    }

    /// Whether a quirk or fault crosses.
    pub fn takes(&self, id: &str) -> bool {
        match self {
            Crossing::All => true,
            Crossing::These(chosen) => chosen.contains(id),
        }
    }
}

/// One of several parts of a matrix, drawn by a hash that depends on nothing but a cell's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    fn takes(self, plan: &Plan) -> bool {
        self.takes_id(&plan.id())
    }

    /// Whether a cell is in this part. Both lanes of a cell are in the same one.
    pub fn takes_id(self, id: &str) -> bool {
        let hash = blake3::hash(id.trim_end_matches("~real").as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        u64::from_le_bytes(first) % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts =
            text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match parts {
            Some((number, of)) if number >= 1 && number <= of => Ok(Self { number, of }),
            _ => Err(format!("expected a part and how many there are, as 1/4; found {text:?}")),
        }
    }
}

/// The cells that failed in an earlier run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedIn {
    /// The file that says so.
    pub file: String,
    /// Their ids.
    pub cells: BTreeSet<String>,
    /// Their seeds.
    pub seeds: BTreeSet<u64>,
}

const WHICH_FILE: &str = "`gauntlet run --out DIR` writes DIR/results.jsonl, a line for each cell";

/// Why an earlier run's results cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ResultsError {
    /// The file cannot be read.
    #[error("{0}: expected the results.jsonl of an earlier run; it cannot be read")]
    Unreadable(String, #[source] std::io::Error),
    /// A line is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Line(#[from] DataError),
}

impl FailedIn {
    /// Reads the results of an earlier run: the cells without a verdict, and those that failed where nobody expected it. What a
    /// quirk names, a profile lists or a list of known failures held fails as it should.
    pub fn read(library: &Library, path: &Path) -> Result<Self, ResultsError> {
        let file = path.to_string_lossy().into_owned();
        let lines = files::lines(path).map_err(|error| ResultsError::Unreadable(file.clone(), error))?;
        let mut failed = Self { file, ..Self::default() };
        if lines.is_empty() {
            let message = "expected the lines of a run; the file is empty".to_owned();
            let help = Some(WHICH_FILE.to_owned());
            return Err(DataError::new(&failed.file, "", (1, 1), message, help).into());
        }
        for (number, line) in lines.iter().enumerate() {
            failed.line(library, number as u64 + 1, line)?;
        }
        failed.is_whole(path, &lines)?;
        Ok(failed)
    }

    /// Whether the file has all lines of its run. A file that was cut at a line end looks like any other; only the summary beside it
    /// knows. What lies elsewhere may be an excerpt, and is taken as it is.
    fn is_whole(&self, path: &Path, lines: &[String]) -> Result<(), DataError> {
        let Some(expected) = results::lines_of_run(path).filter(|expected| *expected != lines.len()) else {
            return Ok(());
        };
        let message = results::not_whole(expected, lines.len());
        let last = lines.last().map(String::as_str).unwrap_or_default();
        let mut error =
            DataError::new(&self.file, last, (1, 1), message, Some(results::TAKE_THE_WHOLE.to_owned()));
        error.line = lines.len() as u64 + 1;
        Err(error)
    }

    fn line(&mut self, library: &Library, number: u64, line: &str) -> Result<(), DataError> {
        // Only this line is shown, and it is found by its number.
        let wrong = |column: usize, message: String, help: Option<String>| {
            let mut error = DataError::new(&self.file, line, (1, column as u64), message, help);
            error.line = number;
            error
        };
        if !line.ends_with('\n') {
            let end = line.chars().count() + 1;
            let message = "expected a line end; the file is cut in the middle of a line".to_owned();
            return Err(wrong(end, message, Some("take the whole file of the earlier run".to_owned())));
        }
        let cell: CellLine = serde_json::from_str(line).map_err(|error| {
            let message = format!("expected one cell of a run as JSON; {error}");
            wrong(error.column().max(1), message, Some(WHICH_FILE.to_owned()))
        })?;
        let at = line.find(&cell.id).map_or(1, |byte| line[..byte].chars().count() + 1);
        let pattern = Pattern::parse(&cell.id).map_err(|error| {
            wrong(at + error.column - 1, format!("expected the id of a cell; {}", error.message), error.help)
        })?;
        if let Some(error) = pattern.nothing_like_it(library) {
            let message = format!("{} (cell {})", error.message, cell.id);
            return Err(wrong(at + error.column - 1, message, error.help));
        }
        let parts = pattern.as_cell();
        let parts = parts
            .ok_or_else(|| wrong(at, format!("expected the id of one cell; found {:?}", cell.id), None))?;
        let surprising =
            || cell.failed.iter().any(|id| !cell.known.contains(id) && !is_expected(library, &parts, id));
        if cell.verdict == Verdict::Error || surprising() {
            self.seeds.insert(parts.seed);
            self.cells.insert(cell.id.clone());
        }
        Ok(())
    }
}

/// Whether the profile or the quirk of a cell says that a requirement fails there.
fn is_expected(library: &Library, cell: &CellParts<'_>, requirement: &str) -> bool {
    let mut profiles = library.profiles.iter();
    let profile = profiles.find(|((executor, version), _)| format!("{executor}-{version}") == cell.profile);
    let of_profile = profile.is_some_and(|(_, profile)| profile.breaks.contains_key(requirement));
    let quirk = cell.deviation.and_then(|id| library.quirks.get(id));
    let of_quirk = quirk.is_some_and(|quirk| {
        let role = library.catalogue.get(requirement).map(|known| known.role.name());
        role == Some(quirk.role.as_str()) && quirk.violates.iter().any(|named| named == requirement)
    });
    of_profile || of_quirk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_is_in_exactly_one_shard_with_both_of_its_lanes() {
        for number in 0..200 {
            let id = format!("fleet/story@codex-0.44.0#{number}");
            let of = |id: &str| {
                (1..=3).filter(|number| Shard { number: *number, of: 3 }.takes_id(id)).collect::<Vec<_>>()
            };
            assert_eq!(of(&id).len(), 1);
            assert_eq!(of(&id), of(&format!("{id}~real")));
        }
    }

    #[test]
    fn a_shard_is_a_number_of_several() {
        assert_eq!("2/4".parse(), Ok(Shard { number: 2, of: 4 }));
        for text in ["0/4", "5/4", "1", "a/b", "1/0", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
