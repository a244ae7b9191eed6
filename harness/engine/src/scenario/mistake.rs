//! What breaks a rule that the types of a scenario cannot hold, and where it stands in the file.

use crate::data::{DataError, Outline};

/// Something in a scenario that no scenario may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The way to it, by keys and numbers.
    path: Vec<String>,
    /// Whether the last key of the way is meant, and not its value.
    key: bool,
    /// What was expected, and what came.
    message: String,
    help: Option<String>,
}

impl Mistake {
    /// A mistake in the value that a path leads to.
    pub(super) fn at(path: &[&str], message: impl Into<String>) -> Self {
        let path = path.iter().map(|step| (*step).to_owned()).collect();
        Self { path, key: false, message: message.into(), help: None }
    }

    /// A mistake in the key that a path leads to.
    pub(super) fn at_key(path: &[&str], message: impl Into<String>) -> Self {
        Self { key: true, ..Self::at(path, message) }
    }

    /// What to do about it.
    pub(super) fn help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }

    /// The mistake with its place in a file.
    pub(super) fn in_file(self, file: &str, text: &str) -> DataError {
        let outline = Outline::of(text);
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let place = if self.key { outline.key(&path) } else { outline.value(&path) };
        DataError::new(file, text, place, self.message, self.help)
    }
}
