//! Reading a YAML file into a type, with every mistake pointed at.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use super::error::{DataError, nearest};

/// Reads the text of a file.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, DataError> {
    serde_saphyr::from_str(text).map_err(|error| explain(file, text, &error))
}

fn explain(file: &str, text: &str, error: &Error) -> DataError {
    let bare = error.without_snippet();
    let place = bare.location().map_or((0, 0), |location| (location.line(), location.column()));
    let list = |names: &[&'static str]| names.join(", ");
    let (message, help) = match bare {
        Error::SerdeUnknownField { field, expected, .. } => {
            let message = format!("expected one of {}; found {field:?}", list(expected));
            (message, suggestion(field, expected))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let message = format!("expected one of {}; found {variant:?}", list(expected));
            (message, suggestion(variant, expected))
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("expected {field:?}, which is missing here"), Some(format!("add `{field}: …`")))
        }
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            (format!("expected {expected}, found {unexpected}"), None)
        }
        // The reader's own words on these are advice to programmers.
        Error::MultipleDocuments { .. } => (
            "expected one document; found another after `---`".to_owned(),
            Some("make it a file of its own".to_owned()),
        ),
        Error::DuplicateMappingKey { key, .. } => {
            let named = key.as_ref().map(|key| format!("; found {key:?} again")).unwrap_or_default();
            (format!("expected each key once in a map{named}"), None)
        }
        Error::NullIntoString { .. } | Error::InvalidCharNull { .. } => {
            ("expected a text; found nothing".to_owned(), None)
        }
        other => (first_line(&other.to_string()), None),
    };
    DataError::new(file, text, place, message, help)
}

fn suggestion(written: &str, known: &[&'static str]) -> Option<String> {
    nearest(written, known.iter().copied()).map(|name| format!("did you mean {name:?}?"))
}

fn first_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("the file is not valid YAML");
    line.trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_file_is_said_to_its_writer_and_not_to_a_programmer() {
        for (text, message) in [
            ("a: x\n---\nb: y\n", "expected one document; found another after `---`"),
            ("a: x\na: y\n", "expected each key once in a map; found \"a\" again"),
            ("a: x\nb: null\n", "expected a text; found nothing"),
        ] {
            let error = parse::<BTreeMap<String, String>>("x.yaml", text).expect_err("a mistake");
            assert_eq!((error.message.as_str(), error.line > 1), (message, true));
        }
    }
}
