//! What is wrong with a data file, and where.

use std::sync::Arc;

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

/// One mistake in one data file: what was expected, what came, where, and the nearest known name.
#[derive(Debug, Error, Diagnostic)]
#[error("{file}:{line}:{column}: {message}")]
pub struct DataError {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: u64,
    /// The column, counted from 1.
    pub column: u64,
    /// What was expected and what came.
    pub message: String,
    /// What to do about it.
    #[help]
    pub help: Option<String>,
    #[source_code]
    text: Arc<NamedSource<String>>,
    #[label("here")]
    span: SourceSpan,
}

impl DataError {
    /// A mistake at a line and column (both counted from 1; 0 stands for the beginning) of a file's text.
    pub fn new(
        file: &str,
        text: &str,
        (line, column): (u64, u64),
        message: String,
        help: Option<String>,
    ) -> Self {
        let before =
            text.split_inclusive('\n').take(usize::try_from(line.saturating_sub(1)).unwrap_or_default());
        let line_start: usize = before.map(str::len).sum();
        let rest = text.get(line_start..).unwrap_or_default();
        let within: usize = rest
            .chars()
            .take(usize::try_from(column.saturating_sub(1)).unwrap_or_default())
            .take_while(|c| *c != '\n')
            .map(char::len_utf8)
            .sum();
        let start = line_start + within;
        let length = text
            .get(start..)
            .map_or(0, |rest| rest.find(['\n', ' ', ':', ',', '}', ']']).unwrap_or(rest.len()));
        Self {
            file: file.to_owned(),
            line: line.max(1),
            column: column.max(1),
            message,
            help,
            text: Arc::new(NamedSource::new(file, text.to_owned())),
            span: (start, length.max(1).min(text.len().saturating_sub(start))).into(),
        }
    }
}

/// All mistakes in the data, so that they can be mended in one go.
#[derive(Debug, Error, Diagnostic)]
#[error("the data cannot be used: {} mistake{}{}", .count, if *.count == 1 { "" } else { "s" }, if *.count > .mistakes.len() { ", of which these are the first" } else { "" })]
pub struct DataErrors {
    /// The first of them, each said once.
    #[related]
    pub mistakes: Vec<DataError>,
    /// How many there are.
    pub count: usize,
}

impl DataErrors {
    /// So many mistakes are shown: whoever renamed something that everything uses is not helped by more.
    const SHOWN: usize = 20;

    pub(crate) fn new(mut mistakes: Vec<DataError>) -> Self {
        // A file that stands for several scenarios is read once for each.
        let mut said = std::collections::BTreeSet::new();
        mistakes.retain(|mistake| {
            said.insert((mistake.file.clone(), mistake.line, mistake.column, mistake.message.clone()))
        });
        let count = mistakes.len();
        mistakes.truncate(Self::SHOWN);
        Self { mistakes, count }
    }
}

/// The known name that is nearest to what was written, if any is near.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.into_iter().map(|name| (strsim::damerau_levenshtein(written, name), name));
    let (distance, name) = scored.min_by_key(|(distance, _)| *distance)?;
    (distance <= name.chars().count().max(4) / 2).then_some(name)
}
