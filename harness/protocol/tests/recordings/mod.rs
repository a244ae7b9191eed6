//! The recordings of one CLI, for the tests that read them.

use std::path::{Path, PathBuf};

/// The recordings of a CLI, by the name of their folder.
pub(crate) struct Recordings(pub(crate) &'static str);

impl Recordings {
    fn folder(&self, release: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(self.0).join(release)
    }

    /// One recorded file.
    #[expect(clippy::disallowed_methods, reason = "a test reads its fixtures from the real disk")]
    pub(crate) fn bytes(&self, release: &str, file: &str) -> Vec<u8> {
        std::fs::read(self.folder(release).join(file)).expect("a recording that belongs to the repository")
    }

    /// One recorded file as text.
    pub(crate) fn text(&self, release: &str, file: &str) -> String {
        String::from_utf8(self.bytes(release, file)).expect("recordings are UTF-8")
    }

    /// The names of what was recorded of standard output.
    #[expect(clippy::disallowed_methods, reason = "a test lists its fixtures on the real disk")]
    pub(crate) fn names(&self, release: &str) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.folder(release))
            .expect("a folder of recordings")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("ASCII"))
            .filter(|name| name.ends_with(".stdout.jsonl"))
            .collect();
        names.sort();
        names
    }
}
