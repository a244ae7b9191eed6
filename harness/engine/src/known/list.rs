//! Reading lists of known failures.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::Date;
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::coverage;
use crate::data::{DataError, DataErrors, Library, nearest, parse_yaml};
use crate::files;
use crate::pattern::{Glob, Pattern, PatternError};

/// The lists of a run, and the day on which it is held against them.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// The entries of all files, in order.
    pub entries: Vec<Arc<Entry>>,
    /// Today. Only [`List::default`], which holds nothing, has none.
    pub today: Option<Date>,
    /// Whether what fails is written down, and not held against the run.
    pub updates: bool,
}

/// An entry of a list.
#[derive(Debug)]
pub struct Entry {
    /// The file.
    pub file: PathBuf,
    /// The line and the column of its pattern, from 1.
    pub at: (u64, u64),
    /// The cells that it is of.
    pub pattern: Pattern,
    /// The requirements that it is of; every one if absent.
    pub requirement: Option<Glob>,
    /// Why they fail.
    pub reason: String,
    /// Who sees to it.
    pub owner: String,
    /// Where it is discussed.
    pub issue: Option<String>,
    /// Its last day.
    pub expires: Date,
    /// Whether its cells may also pass.
    pub flaky: bool,
    /// Whether it is what the maker of a subject does not agree with.
    pub challenged: bool,
    /// Whether there is no such cell any more; only lists that are being updated hold such entries.
    pub is_dead: bool,
}

impl Entry {
    /// Where it stands.
    pub fn place(&self) -> String {
        format!("{}:{}:{}", self.file.display(), self.at.0, self.at.1)
    }

    /// Whether it is of a requirement.
    pub fn is_of(&self, requirement: &str) -> bool {
        self.requirement.as_ref().is_none_or(|glob| glob.matches(requirement))
    }

    /// The pattern, with the requirement if it has one.
    pub fn name(&self) -> String {
        match &self.requirement {
            Some(requirement) => format!("{}!{}", self.pattern.text(), requirement.text()),
            None => self.pattern.text().to_owned(),
        }
    }
}

/// Why a list cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ListError {
    /// The file cannot be read.
    #[error("{0}: expected a list of known failures; it cannot be read")]
    #[diagnostic(help("`--update-known-failures` writes a new one"))]
    Unreadable(String, #[source] std::io::Error),
    /// Mistakes in it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(#[from] DataErrors),
}

/// An entry as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pattern: Spanned<String>,
    #[serde(default)]
    requirement: Option<Spanned<String>>,
    reason: Spanned<String>,
    owner: Spanned<String>,
    #[serde(default)]
    issue: Option<Spanned<String>>,
    expires: Spanned<String>,
    #[serde(default)]
    flaky: bool,
}

impl List {
    /// Reads the lists, those of known failures and those of which every entry is flaky. All mistakes are reported together.
    ///
    /// A list that is to be updated may be missing, may wait for reasons and owners, and may speak of cells that are gone.
    pub fn read(
        library: &Library,
        failures: &[PathBuf],
        flaky: &[PathBuf],
        today: Date,
        updates: bool,
    ) -> Result<Self, ListError> {
        let mut list = Self { entries: Vec::new(), today: Some(today), updates };
        let mut mistakes = Vec::new();
        let files = failures.iter().map(|path| (path, false)).chain(flaky.iter().map(|path| (path, true)));
        for (path, is_flaky) in files {
            if updates && !files::exists(path) {
                continue;
            }
            let text = files::read_text(path)
                .map_err(|error| ListError::Unreadable(path.display().to_string(), error))?;
            match parse(&path.to_string_lossy(), &text) {
                Ok(entries) => {
                    for written in entries {
                        match entry(library, path, &text, written, is_flaky, updates) {
                            Ok(entry) => list.entries.push(Arc::new(entry)),
                            Err(found) => mistakes.extend(found),
                        }
                    }
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        if mistakes.is_empty() { Ok(list) } else { Err(DataErrors::new(mistakes).into()) }
    }

    /// Whether there is anything to hold against a run.
    pub fn is_asked_for(&self) -> bool {
        self.today.is_some()
    }
}

/// The entries of a file; a file without any is fine.
fn parse(file: &str, text: &str) -> Result<Vec<Written>, DataError> {
    let is_empty = text.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    });
    if is_empty { Ok(Vec::new()) } else { parse_yaml(file, text) }
}

fn entry(
    library: &Library,
    path: &Path,
    text: &str,
    written: Written,
    is_flaky: bool,
    updates: bool,
) -> Result<Entry, Vec<DataError>> {
    let file = path.to_string_lossy();
    let mut mistakes = Vec::new();
    let mut mistake = |value: &Spanned<String>, further: usize, message: String, help: Option<String>| {
        let (line, column) = (value.referenced.line(), value.referenced.column());
        // What is quoted begins behind its quote.
        let quote =
            usize::from(further > 0 && sign_at(text, line, column).is_some_and(|sign| "'\"".contains(sign)));
        mistakes.push(DataError::new(&file, text, (line, column + (further + quote) as u64), message, help));
    };
    for (name, value) in [("reason", &written.reason), ("owner", &written.owner)] {
        if value.value.trim().is_empty() && !updates {
            let help = format!("say it: an entry without {name} is nobody's");
            mistake(value, 0, format!("expected the {name} to be filled in; it is empty"), Some(help));
        }
    }
    let expires = written.expires.value.parse::<Date>();
    if expires.is_err() {
        let message = format!("expected a date as YYYY-MM-DD; found {:?}", written.expires.value);
        mistake(&written.expires, 0, message, None);
    }
    let (cells, named) = match written.pattern.value.split_once('!') {
        Some((cells, requirement)) => (cells, Some(requirement)),
        None => (written.pattern.value.as_str(), None),
    };
    if let (Some(_), Some(requirement)) = (named, &written.requirement) {
        let message = "expected one requirement; the pattern names one as well".to_owned();
        mistake(requirement, 0, message, Some("take one of them out".to_owned()));
    }
    let requirement = match (named, &written.requirement) {
        (Some(named), _) => Some((Glob::new(named), &written.pattern, cells.chars().count() + 1)),
        (None, Some(own)) => Some((Glob::new(&own.value), own, 0)),
        (None, None) => None,
    };
    let pattern = Pattern::parse(cells).and_then(|pattern| match pattern.nothing_like_it(library) {
        Some(error) if !updates => Err(error),
        nothing => Ok((pattern, nothing.is_some())),
    });
    let pattern = match pattern {
        Ok(pattern) => Some(pattern),
        Err(PatternError { column, message, help, .. }) => {
            mistake(&written.pattern, column - 1, format!("{message} (this entry is of no cell)"), help);
            None
        }
    };
    let mut is_dead = false;
    if let (Some((pattern, gone)), Some((glob, place, further))) = (&pattern, &requirement) {
        is_dead = *gone;
        if let Some((message, help)) = judged_by_none(library, pattern, glob).filter(|_| !gone) {
            if updates {
                is_dead = true;
            } else {
                mistake(place, *further, message, help);
            }
        }
    } else if let Some((_, gone)) = &pattern {
        is_dead = *gone;
    }
    match (mistakes.is_empty(), pattern, expires) {
        (true, Some((pattern, _)), Ok(expires)) => Ok(Entry {
            file: path.to_path_buf(),
            at: (written.pattern.referenced.line(), written.pattern.referenced.column()),
            pattern,
            requirement: requirement.map(|(glob, _, _)| glob),
            reason: written.reason.value,
            owner: written.owner.value,
            issue: written.issue.map(|issue| issue.value).filter(|issue| !issue.is_empty()),
            expires,
            flaky: is_flaky || written.flaky,
            challenged: false,
            is_dead,
        }),
        _ => Err(mistakes),
    }
}

/// Why no cell of a pattern judges a requirement, if so.
fn judged_by_none(
    library: &Library,
    pattern: &Pattern,
    requirement: &Glob,
) -> Option<(String, Option<String>)> {
    let ids: Vec<&str> = library.catalogue.ids().collect();
    if !ids.iter().any(|id| requirement.matches(id)) {
        let help = nearest(requirement.text(), ids).map(|id| format!("did you mean {id:?}?"));
        let found = requirement.text();
        return Some((format!("expected the name of a requirement; nothing matches {found:?}"), help));
    }
    let mut invariants = library.catalogue.all().filter(|row| row.invariant);
    if invariants.any(|row| requirement.matches(&row.id.value)) {
        return None;
    }
    let mut judged = std::collections::BTreeSet::new();
    for (executor, version) in library.profiles.keys() {
        let profile = format!("{executor}-{version}");
        for scenario in library.scenarios.values().filter(|scenario| scenario.is_for(executor)) {
            if pattern.may_be_of(&scenario.id.value, &profile) {
                judged.extend(coverage::judged(scenario, executor));
            }
        }
    }
    if judged.iter().any(|id| requirement.matches(id)) {
        return None;
    }
    let near = nearest(requirement.text(), judged.iter().copied()).map(|id| format!("did you mean {id:?}?"));
    let help = near.or_else(|| {
        let some: Vec<&str> = judged.iter().copied().take(8).collect();
        Some(format!("they judge {}", some.join(", ")))
    });
    let found = requirement.text();
    Some((
        format!(
            "expected a requirement that these cells judge; none judges {found:?} (this entry is of no cell)"
        ),
        help,
    ))
}

fn sign_at(text: &str, line: u64, column: u64) -> Option<char> {
    let line = text.lines().nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    line.chars().nth(usize::try_from(column).ok()?.checked_sub(1)?)
}
