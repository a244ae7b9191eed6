//! The lists of executors say the same, and nothing beside them knows an executor by its name. `simulators/README.md` tells how the next one
//! is added.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gauntlet_engine::data::{Library, Source};
use gauntlet_protocol::fleet::{MODES, Mode, Sessions};
use gauntlet_simulators::executors;

fn library() -> Library {
    Library::load(&[Source::Embedded]).expect("the embedded data is sound")
}

/// The executors of the data that have a receiver in front of them.
fn with_receiver(library: &Library) -> BTreeSet<&str> {
    let executors = library.executors.values().filter(|executor| executor.files.is_some());
    executors.map(|executor| executor.id.value.as_str()).collect()
}

#[test]
fn every_executor_with_a_receiver_is_in_the_data_in_protocol_and_in_simulators() {
    let library = library();
    let in_data = with_receiver(&library);
    assert!(!in_data.is_empty());
    assert_eq!(in_data, MODES.iter().map(|mode| mode.name).collect(), "scenarios/executors and MODES");
    assert_eq!(
        in_data,
        executors::names().into_iter().collect(),
        "scenarios/executors and the list in simulators"
    );
    let profiled: BTreeSet<&str> = library.profiled().into_iter().collect();
    let all: BTreeSet<&str> = library.executors.keys().map(String::as_str).collect();
    assert_eq!(all, profiled, "scenarios/executors and scenarios/profiles");
}

/// Expectations do not take their words from the protocol crate, so that a mistake cannot hide in both; that they agree is said here.
#[test]
fn the_data_names_a_receiver_and_its_files_as_its_mode_does() {
    let library = library();
    for name in with_receiver(&library) {
        let (data, mode) = (&library.executors[name], Mode::named(name).expect("a mode"));
        let words = [&data.cli, &data.peer, &data.short, &data.label, &data.callback_prefix];
        assert_eq!(words, [mode.cli, mode.peer, mode.cli, mode.label, mode.callback_prefix], "{name}");
        assert!(data.output.is_some(), "{name}: nobody can read what its CLI prints");
        let sessions = match mode.sessions {
            Sessions::Map { file, .. } => Some(file),
            Sessions::Derived => None,
        };
        let f = &mode.files;
        for (word, file) in [
            ("config", Some(f.config)),
            ("inbox", Some(f.inbox)),
            ("offset", Some(f.offset)),
            ("transcript", Some(f.transcript)),
            ("pid", Some(f.pid)),
            ("token", Some(f.token)),
            ("sessions", sessions),
        ] {
            let expected = file.map(|file| format!(".hermes/{file}"));
            assert_eq!(data.file(word), expected.as_deref(), "{name}: {word}");
        }
    }
}

/// Folders whose code has no branch by an executor's name: what differs is in the executors' own folders, and in the data.
const BLIND: &[&str] = &[
    "harness/runtime/src",
    "harness/engine/src",
    "harness/protocol/src/fleet",
    "simulators/src/cli",
    "simulators/src/receiver",
    "simulators/src/recorder",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        match path.is_dir() {
            // Models are what tests compare with.
            _ if name == "tests" || name == "model" => {}
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// Where a text of code says one of these names, tests aside.
fn says<'t>(text: &'t str, names: &BTreeSet<&str>) -> Option<&'t str> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let ways = |name: &&str| [format!("\"{name}\""), format!("\"{name}-"), format!("protocol::{name}::")];
    let words: Vec<String> = names.iter().flat_map(ways).collect();
    code.lines().find(|line| words.iter().any(|word| line.contains(word)))
}

#[test]
fn no_code_beside_the_executors_own_knows_one_by_its_name() {
    let library = library();
    let names = with_receiver(&library);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    BLIND.iter().for_each(|folder| sources(&root.join(folder), &mut files));
    assert!(files.len() > 100, "only {} files were looked at", files.len());
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        assert_eq!(says(&text, &names), None, "{}: does it know an executor by its name?", file.display());
    }
    // The check itself can fail.
    assert_eq!(says("match mode {\n    \"codex\" => 1,\n", &names), Some("    \"codex\" => 1,"));
}
