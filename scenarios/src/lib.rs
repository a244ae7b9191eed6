//! The embedded data: requirements, suites, executors, profiles, releases, quirks, faults, what the
//! tests' mutants break, the roadmap, and the revisions of the catalogue.
//!
//! The folders beside this one hold the files; this crate only carries them, so that the binary needs no files around it.

use include_dir::{Dir, include_dir};

static REQUIREMENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/requirements");
static SUITES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/suites");
static EXECUTORS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/executors");
static PROFILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/profiles");
static RELEASES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/releases");
static QUIRKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/quirks");
static FAULTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/faults");
static ROADMAP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/roadmap");
static CATALOGUE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/catalogue");
static MUTANTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/mutants");

/// Every embedded YAML file: its path below the folder `scenarios`, and its text. Ordered by folder, then by path.
pub fn files() -> impl Iterator<Item = (String, &'static str)> {
    [
        ("requirements", &REQUIREMENTS),
        ("suites", &SUITES),
        ("executors", &EXECUTORS),
        ("profiles", &PROFILES),
        ("releases", &RELEASES),
        ("quirks", &QUIRKS),
        ("faults", &FAULTS),
        ("mutants", &MUTANTS),
        ("roadmap", &ROADMAP),
        ("catalogue", &CATALOGUE),
    ]
    .into_iter()
    .flat_map(|(kind, folder)| {
        let mut files: Vec<_> = folder
            .find("**/*.yaml")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.as_file())
            .filter_map(|file| Some((format!("{kind}/{}", file.path().to_str()?), file.contents_utf8()?)))
            .collect();
        files.sort();
        files
    })
}
