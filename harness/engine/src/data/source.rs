//! Where data files come from.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::files;

/// One data file: its path below the root of its source, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// The name for error messages.
    pub name: String,
    /// The folder below the root that says what it is: `requirements`, `suites`, `profiles`, …
    pub kind: String,
    /// The content.
    pub text: String,
    /// Whether the binary carries it.
    pub embedded: bool,
}

/// The embedded data, or a folder of a user's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// What the binary carries.
    Embedded,
    /// A folder with the same layout.
    Folder(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Embedded => f.write_str("the embedded data"),
            Source::Folder(root) => write!(f, "the folder {}", root.display()),
        }
    }
}

impl Source {
    /// All YAML files of the source, in order of path.
    pub fn files(&self) -> std::io::Result<Vec<SourceFile>> {
        let embedded = *self == Source::Embedded;
        let all = match self {
            Source::Embedded => gauntlet_scenarios::files()
                .map(|(path, text)| (format!("scenarios/{path}"), path, text.to_owned()))
                .collect(),
            Source::Folder(root) => files::yaml_below(root)?
                .into_iter()
                .map(|(path, text)| (root.join(&path).to_string_lossy().into_owned(), path, text))
                .collect::<Vec<_>>(),
        };
        Ok(all
            .into_iter()
            .filter_map(|(name, path, text)| {
                let kind = Path::new(&path).components().next()?.as_os_str().to_str()?.to_owned();
                (Path::new(&path).components().count() > 1).then_some(SourceFile {
                    name,
                    kind,
                    text,
                    embedded,
                })
            })
            .collect())
    }
}
