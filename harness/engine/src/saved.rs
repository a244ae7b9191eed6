//! Traces on disk, and judging them again.
//!
//! A saved trace holds all that oracles read: every byte, and what the cell's names came to. The secrets of its cell are not in it:
//! a mark stands for each, and whoever judges puts it back, since a cell's bearers follow from its id. Forms of a secret that are not
//! its plain text (base64, percent-encoded) are redacted for good.
//!
//! The first line is the [`Head`], each further one an observation. A file can be compressed as gzip does it, as those of
//! certification are.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gauntlet_reports::{Catalogue, Secrets, Tool, Verdict, redact};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::error::Category;

use crate::cell::{Names, Outcome, Plan, Told};
use crate::certify::{self, Foreign};
use crate::data::{self, DataError, Library, nearest};
use crate::files;
use crate::matrix::Selection;
use crate::oracle::{self, Judgement, Memory};
use crate::pattern::Pattern;
use crate::project;
use crate::session;
use crate::trace::{Observation, What};

/// The value of [`Head::schema`].
pub const SCHEMA: &str = "gauntlet.trace/1";

/// What a saved trace begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The name and version of this format, `gauntlet.trace/1`.
    #[schemars(extend("const" = SCHEMA))]
    pub schema: String,
    /// The cell's id.
    pub cell: String,
    /// What made it.
    pub tool: Tool,
    /// What it was judged by.
    pub catalogue: Catalogue,
    /// The verdict of each requirement that the cell touched.
    pub verdicts: BTreeMap<String, Verdict>,
    /// Why the harness or its environment failed, if so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The receiver, when it is not ours, as a manifest that says what judging needs of it and nothing of how it is started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Whether it was waited for limits of that receiver that cannot be set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub slow: bool,
    /// What the names of the cell came to.
    pub names: Told,
    /// For how many secrets marks stand.
    pub secrets: usize,
    /// How many observations follow.
    pub observations: usize,
}

/// A line of a saved trace: the head, which is the first one, or an observation.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the schema is used: what is read says which line it is by its place")]
enum Line {
    /// The first line.
    Head(Head),
    /// Any other.
    Observation(Observation),
}

/// The JSON Schema of a line of a saved trace.
pub fn schema() -> Value {
    gauntlet_reports::schema::published::<Line>(SCHEMA, "Gauntlet: a line of a saved trace")
}

/// A trace that was read.
#[derive(Debug, Clone)]
pub struct Saved {
    /// Its first line.
    pub head: Head,
    observations: Vec<Observation>,
    plan: Plan,
    /// Something in it was redacted for good.
    is_redacted: bool,
}

/// What today's oracles say of a saved trace.
#[derive(Debug, Clone)]
pub struct Again {
    /// The verdicts of today.
    pub judgements: BTreeMap<String, Judgement>,
    /// The requirements whose verdict is another one, with that of then and that of today.
    pub changed: BTreeMap<String, (Option<Verdict>, Option<Verdict>)>,
    /// What was not judged again: it looks for what was redacted.
    pub left: Vec<String>,
}

/// Why a trace cannot be judged.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TraceError {
    /// It cannot be read.
    #[error("{file}: expected a saved trace; {error}")]
    #[diagnostic(help(
        "`gauntlet replay CELL --save FILE` writes one, and `gauntlet certify` one of each cell"
    ))]
    Unreadable {
        /// The file.
        file: String,
        /// What came instead.
        error: io::Error,
    },
    /// Something in it is not what it should be.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Malformed(#[from] Box<DataError>),
}

/// The mark that stands for a secret.
fn mark(number: usize) -> String {
    format!("{{{{gauntlet-secret:{number}}}}}")
}

/// The secrets, each with its mark, the longest first: one can be a part of another.
fn marked(secrets: &[String]) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let numbered = secrets.iter().enumerate().filter(|(_, secret)| !secret.is_empty());
    let mut marked: Vec<(String, String)> = numbered
        .filter(|(_, secret)| seen.insert((*secret).clone()))
        .map(|(number, secret)| (secret.clone(), mark(number)))
        .collect();
    marked.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
    marked
}

/// A cell that was run, as the text of a saved trace.
pub fn text(library: &Library, plan: &Plan, outcome: &Outcome) -> String {
    let marked = marked(&outcome.secrets);
    let secrets = Secrets::new(&outcome.secrets);
    let hidden = |value: &Value| {
        let line = marked.iter().fold(value.to_string(), |line, (secret, mark)| line.replace(secret, mark));
        secrets.redact(&line)
    };
    let head = Head {
        schema: SCHEMA.to_owned(),
        cell: plan.id(),
        tool: project::tool(),
        catalogue: project::catalogue(library),
        verdicts: outcome.judgements.iter().map(|(id, judgement)| (id.clone(), judgement.verdict)).collect(),
        error: outcome.error.clone(),
        receiver: plan.foreign().map(|foreign| foreign.sketch()),
        slow: plan.foreign().is_some_and(|foreign| foreign.slow),
        names: outcome.names.clone(),
        secrets: outcome.secrets.len(),
        observations: outcome.observations.len(),
    };
    let head = serde_json::to_value(head).unwrap_or_default();
    let lines = outcome.observations.iter().map(|seen| hidden(&whole(seen, &marked)));
    std::iter::once(hidden(&head)).chain(lines).map(|line| line + "\n").collect()
}

/// An observation with all its bytes.
fn whole(seen: &Observation, marked: &[(String, String)]) -> Value {
    let mut value = serde_json::to_value(seen).unwrap_or_default();
    match &seen.what {
        What::Exchange { sent, received, .. } => {
            value["sent"] = sent.whole(marked);
            value["received"] = received.whole(marked);
        }
        What::Callback { sent, answered } => {
            value["sent"] = sent.whole(marked);
            value["answered"] = answered.whole(marked);
        }
        What::Files { changed, .. } => {
            for (path, file) in changed.iter().filter_map(|(path, file)| Some((path, file.as_ref()?))) {
                value["changed"][path]["content"] = file.content.whole(marked);
            }
        }
        _ => {}
    }
    value
}

/// Writes a cell's trace to a file that nobody else may read.
pub fn write(path: &Path, library: &Library, plan: &Plan, outcome: &Outcome) -> io::Result<()> {
    files::write_private(path, text(library, plan, outcome).as_bytes())
}

/// The longest beginning of a line that a mistake shows.
const SHOWN: usize = 160;

/// A file that is being read.
struct Reading<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reading<'_> {
    fn wrong(&self, (line, column): (usize, usize), message: String, help: Option<String>) -> TraceError {
        // Lines of a trace can be megabytes; the text around a mistake is shown.
        let short: Vec<String> = self.text.lines().map(|line| line.chars().take(SHOWN).collect()).collect();
        let place = (u64::try_from(line).unwrap_or(1), u64::try_from(column).unwrap_or(1));
        Box::new(DataError::new(self.file, &short.join("\n"), place, message, help)).into()
    }

    fn parse<T: serde::de::DeserializeOwned>(
        &self,
        number: usize,
        line: &str,
        what: &str,
    ) -> Result<T, TraceError> {
        serde_json::from_str(line).map_err(|error| {
            let said = error.to_string();
            let said = said.split(" at line ").next().unwrap_or_default();
            let help = match error.classify() {
                Category::Eof => Some("the file was cut in the middle: save the trace again".to_owned()),
                Category::Data => suggestion(said),
                _ => Some(SAVE.to_owned()),
            };
            // Of a name that is not known serde knows the name, and not the place.
            let named = said.split('`').nth(1).and_then(|name| line.find(&format!("\"{name}\"")));
            let column = named.filter(|_| error.is_data()).map_or(error.column(), |at| at + 2);
            self.wrong((number, column), format!("expected {what}; {said}"), help)
        })
    }
}

const SAVE: &str = "`gauntlet replay CELL --save FILE` writes a trace";

/// The nearest of the names that serde lists, for one that it does not know.
fn suggestion(said: &str) -> Option<String> {
    let mut quoted = said.split('`').skip(1).step_by(2);
    let found = quoted.next()?;
    let known: Vec<&str> = quoted.collect();
    nearest(found, known).map(|name| format!("did you mean {name:?}?"))
}

/// Reads a saved trace.
pub fn read(path: &Path, library: &Library) -> Result<Saved, TraceError> {
    let file = path.display().to_string();
    let unreadable = |error| TraceError::Unreadable { file: file.clone(), error };
    let content = files::read_all(path).and_then(files::gunzip).map_err(unreadable)?;
    let text = String::from_utf8(content).map_err(|error| {
        unreadable(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("byte {} is no UTF-8", error.utf8_error().valid_up_to()),
        ))
    })?;
    let reading = Reading { file: &file, text: &text };
    let mut lines = text.lines();
    let Some(first) = lines.next() else {
        return Err(reading.wrong(
            (1, 1),
            "expected a saved trace; the file is empty".to_owned(),
            Some(SAVE.to_owned()),
        ));
    };
    let head: Head = reading.parse(1, first, "the head of a saved trace")?;
    if head.schema != SCHEMA {
        let message = format!("expected the format {SCHEMA:?}; found {:?}", head.schema);
        let help = "save the trace again with this version of gauntlet".to_owned();
        return Err(reading.wrong((1, first.find(&head.schema).map_or(1, |at| at + 1)), message, Some(help)));
    }
    let named = session::named(library, &head.cell).map_err(|error| {
        let at = first.find(&head.cell).unwrap_or_default() + error.column;
        reading.wrong((1, at), format!("expected a cell that there is; {}", error.message), error.help)
    })?;
    let plan = match &head.receiver {
        None => named,
        Some(told) => with_receiver(library, &head, told).map_err(|message| {
            let at = first.find("\"receiver\"").map_or(1, |at| at + 1);
            reading.wrong((1, at), message, Some("save the trace again with this version".to_owned()))
        })?,
    };
    let names = Names::new(&plan.cell_seed(), plan.executor.clone());
    let mut secrets = names.redacted();
    // Bearers that the cell made do not follow from its id; all that counts is that each is the same everywhere.
    secrets.extend((secrets.len()..head.secrets).map(|number| format!("saved-secret-{number}")));
    let restored = |line: &str| {
        let marks = secrets.iter().enumerate();
        marks.fold(line.to_owned(), |line, (number, secret)| line.replace(&mark(number), secret))
    };
    let mut observations = Vec::new();
    for (number, line) in lines.enumerate() {
        let mut seen: Observation = reading.parse(number + 2, &restored(line), "an observation")?;
        seen.what.restore(&|bytes| unmarked(bytes, &secrets));
        observations.push(seen);
    }
    if observations.len() != head.observations {
        let message = format!("expected {} observations; found {}", head.observations, observations.len());
        let help = "the file was cut, or lines were added: save the trace again".to_owned();
        return Err(reading.wrong((observations.len() + 1, 1), message, Some(help)));
    }
    Ok(Saved { head, observations, plan, is_redacted: text.contains(redact::REDACTED) })
}

/// The cell with the receiver that a trace tells of.
fn with_receiver(library: &Library, head: &Head, told: &str) -> Result<Plan, String> {
    let source = certify::Source::Flags(head.cell.clone());
    let foreign = Foreign::of(library, source, told, PathBuf::from("."), head.slow);
    let foreign = foreign.map_err(|error| format!("expected a receiver that can be judged; {error}"))?;
    let slowly = match foreign.slow {
        // The stories are told with the limits that this receiver has.
        true => Library::load_with(&[data::Source::Embedded], foreign.limits()).ok(),
        false => None,
    };
    let selection = Selection { foreign: Some(Arc::new(foreign)), ..Selection::default() };
    let pattern = Pattern::parse(&head.cell).ok();
    let cell = pattern.as_ref().and_then(Pattern::as_cell);
    let plan = cell.and_then(|cell| selection.locate(slowly.as_ref().unwrap_or(library), &cell));
    plan.ok_or_else(|| "expected a cell that judges a receiver".to_owned())
}

/// Puts secrets back into bytes that are no text.
fn unmarked(bytes: &[u8], secrets: &[String]) -> Vec<u8> {
    let marks = secrets.iter().enumerate();
    marks.fold(bytes.to_vec(), |bytes, (number, secret)| {
        replaced(&bytes, mark(number).as_bytes(), secret.as_bytes())
    })
}

/// Bytes with one sequence in the place of another.
pub(crate) fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest_from = 0;
    for at in memchr::memmem::find_iter(bytes, from) {
        out.extend_from_slice(bytes.get(rest_from..at).unwrap_or_default());
        out.extend_from_slice(to);
        rest_from = at + from.len();
    }
    out.extend_from_slice(bytes.get(rest_from..).unwrap_or_default());
    out
}

impl Saved {
    /// The cell as if it had been run just now.
    pub fn outcome(&self, library: &Library) -> (Plan, Outcome) {
        let names = Names::new(&self.plan.cell_seed(), self.plan.executor.clone());
        let outcome = Outcome {
            judgements: self.judge(library).judgements,
            observations: self.observations.clone(),
            error: self.head.error.clone(),
            secrets: names.redacted(),
            ..Outcome::default()
        };
        (self.plan.clone(), outcome)
    }

    /// Judges the trace by the oracles, the scenario and the catalogue of today.
    pub fn judge(&self, library: &Library) -> Again {
        let names = Names::new(&self.plan.cell_seed(), self.plan.executor.clone());
        names.restore(&self.head.names);
        let mut judgements =
            oracle::judge(&self.plan, &library.catalogue, &names, &self.observations, &Memory::default());
        let mut left = Vec::new();
        if self.is_redacted {
            left.extend(oracle::NO_SECRET.map(str::to_owned));
            left.retain(|id| judgements.remove(id).is_some() || self.head.verdicts.contains_key(id));
        }
        let ids: BTreeSet<&String> = self.head.verdicts.keys().chain(judgements.keys()).collect();
        let now = |id: &String| judgements.get(id).map(|judgement| judgement.verdict);
        let then = |id: &String| self.head.verdicts.get(id).copied();
        let differs = |id: &&String| then(id) != now(id) && !left.contains(*id);
        let changed = ids.into_iter().filter(differs).map(|id| (id.clone(), (then(id), now(id)))).collect();
        Again { judgements, changed, left }
    }
}
