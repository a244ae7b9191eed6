//! What is wrong with a manifest, pointed at.

use std::ops::Range;

use toml::Spanned;

use crate::braces::Unknown;
use crate::data::{DataError, nearest};

/// A mistake at a span of bytes of the text.
pub(crate) fn at(
    file: &str,
    text: &str,
    span: Range<usize>,
    message: String,
    help: Option<String>,
) -> DataError {
    let before = text.get(..span.start.min(text.len())).unwrap_or_default();
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    DataError::new(file, text, (line, column), message, help)
}

/// What the TOML reader found wrong.
pub(crate) fn of_reader(file: &str, text: &str, error: &toml::de::Error) -> DataError {
    let said = error.message();
    let named: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let (message, help) = match named.as_slice() {
        [found, known @ ..] if said.starts_with("unknown ") && !known.is_empty() => {
            let help = nearest(found, known.iter().copied()).map(|name| format!("did you mean {name:?}?"));
            (format!("expected one of {}; found {found:?}", known.join(", ")), help)
        }
        [missing] if said.starts_with("missing field") => {
            (format!("expected {missing:?}, which is missing"), Some(format!("add `{missing} = …`")))
        }
        _ => (said.trim().replace('\n', "; "), None),
    };
    at(file, text, error.span().unwrap_or_default(), message, help)
}

/// A mistake, and where it is.
pub(crate) struct Wrong {
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Wrong {
    pub(crate) fn at<T>(value: &Spanned<T>, message: &str) -> Self {
        Self { span: value.span(), message: message.to_owned(), help: None }
    }

    pub(crate) fn unknown(value: &Spanned<String>, what: &str, known: &[&str]) -> Self {
        let found = value.get_ref();
        // Of hundreds of names the nearest one says more than all.
        let all = if known.len() <= 12 { format!(" ({})", known.join(", ")) } else { String::new() };
        let help = nearest(found, known.iter().copied()).map(|name| format!("did you mean {name:?}?"));
        Self { span: value.span(), message: format!("expected {what}{all}; found {found:?}"), help }
    }

    /// A word in braces that stands for nothing.
    pub(crate) fn word(template: &Spanned<String>, known: &[&str], unknown: &Unknown) -> Self {
        let message = format!("expected one of the words {}; found {{{}}}", known.join(", "), unknown.found);
        let help = unknown.near.map(|near| format!("did you mean {{{near}}}?"));
        Self { span: template.span(), message, help }
    }

    /// The same, as whoever wrote the text is told.
    pub(crate) fn pointed_at(self, file: &str, text: &str) -> DataError {
        at(file, text, self.span, self.message, self.help)
    }
}
