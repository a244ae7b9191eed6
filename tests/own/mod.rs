//! A folder of a user's own data, and the command run on it.

#![allow(dead_code, reason = "each target uses a part of this module")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use serde_json::Value;
use tempfile::TempDir;

/// A story that expects what never happens.
pub(crate) const FAILS: &str = "id: mine/fails\ntitle: A story that expects what never happens.\nsubject: receiver\nexecutors: [codex]\n\
                                steps:\n  - dispatch: { as: first, context: c1, text: hello }\n    expect: { acknowledged: false }\n    \
                                requirement: FLEET-ACK-01\n";

/// A story that holds.
pub(crate) const HOLDS: &str = "id: mine/holds\ntitle: A story that holds.\nsubject: receiver\nexecutors: [codex]\nsteps:\n  - dispatch: { \
                                as: first, context: c1, text: hello }\n    expect: { acknowledged: true }\n    requirement: FLEET-ACK-01\n";

/// A story in two forms, of which one expects what never happens.
pub(crate) const SOMETIMES: &str = "id: mine/sometimes\ntitle: A story that holds in one of its forms.\nsubject: receiver\nexecutors: \
                                         [codex]\nparams:\n  - { case: well, expected: true }\n  - { case: badly, expected: false \
                                         }\nsteps:\n  - dispatch: { as: first, context: c1, text: hello }\n    expect: { acknowledged: \
                                         {expected} }\n    requirement: FLEET-ACK-01\n";

pub(crate) fn gauntlet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.env_remove("GITHUB_STEP_SUMMARY");
    command
}

/// A folder of data with a place for reports beside it.
pub(crate) struct Folder {
    data: TempDir,
    out: TempDir,
}

impl Folder {
    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let folder = || tempfile::tempdir().expect("a folder");
        let made = Self { data: folder(), out: folder() };
        for (name, text) in files {
            made.put(name, text);
        }
        made
    }

    pub(crate) fn put(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    pub(crate) fn path(&self) -> &Path {
        self.data.path()
    }

    /// Where the reports go; nothing is there before.
    pub(crate) fn out(&self) -> PathBuf {
        self.out.path().join("out")
    }

    /// A run of some plain cells in virtual time.
    pub(crate) fn run(&self, only: &str) -> Command {
        let mut command = gauntlet();
        command.args(["run", "--lane", "virtual", "--quirks", "none", "--only", only, "--scenarios"]);
        command.arg(self.path()).arg("--out").arg(self.out());
        command
    }

    /// The ids of the cells of the last run.
    pub(crate) fn cells(&self) -> Vec<String> {
        let results = fs::read_to_string(self.out().join("results.jsonl")).expect("results");
        let id = |line: &str| {
            serde_json::from_str::<Value>(line).expect("JSON")["id"].as_str().expect("an id").to_owned()
        };
        results.lines().map(id).collect()
    }
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the file was written")).expect("the file is JSON")
}

/// What was printed, on one line: a narrow page breaks lines where it likes.
pub(crate) fn shown(run: &Assert) -> String {
    let output = run.get_output();
    let text =
        String::from_utf8([output.stdout.as_slice(), output.stderr.as_slice()].concat()).expect("text");
    text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
}
