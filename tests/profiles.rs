//! `gauntlet profile record`: profiles made of the recordings in the fixtures.

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use gauntlet_simulators::cli::Profile;
use predicates::str::contains;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn record(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.current_dir(root()).args(["profile", "record"]).arg(folder);
    command
}

/// The folders of recordings that profiles were made of by hand, and these profiles.
fn recorded() -> Vec<(PathBuf, Profile)> {
    let profiles = fs::read_dir(root().join("scenarios/profiles")).expect("there are profiles");
    let mut recorded: Vec<(PathBuf, Profile)> = profiles
        .map(|entry| {
            let text = fs::read_to_string(entry.expect("an entry").path()).expect("a profile is text");
            serde_saphyr::from_str::<Profile>(&text).expect("a profile")
        })
        // What was recorded of a session host is its traffic, and no run of a command.
        .filter(|profile| profile.executor() != "team")
        .filter_map(|profile| Some((PathBuf::from(profile.recorded_from.clone()?), profile)))
        .collect();
    recorded.sort_by(|one, other| one.0.cmp(&other.0));
    recorded
}

#[test]
fn the_file_that_is_made_reads_back_and_names_its_origin() {
    let recorded = recorded();
    assert!(recorded.len() >= 12, "{} profiles are recorded", recorded.len());
    for (folder, by_hand) in recorded {
        let made = record(&folder).assert().success().stderr(contains("not told: breaks:"));
        let text = String::from_utf8(made.get_output().stdout.clone()).expect("text");
        let made: Profile = serde_saphyr::from_str(&text).expect("a profile");
        assert_eq!((&made.version, made.executor()), (&by_hand.version, by_hand.executor()));
        assert_eq!(made.recorded_from, by_hand.recorded_from);
    }
}

#[test]
fn a_made_profile_is_data_like_any_other() {
    let data = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(data.path().join("profiles")).expect("a folder");
    // Under another version, beside the one that is known.
    let copy = tempfile::tempdir().expect("a folder");
    let folder = copy.path().join("codex/0.169.1");
    fs::create_dir_all(&folder).expect("a folder");
    for entry in fs::read_dir(root().join("tests/fixtures/codex/0.169.0")).expect("recordings") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    record(&folder).arg("--out").arg(data.path().join("profiles/codex-0.169.1.yaml")).assert().success();
    let out = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["run", "--executor", "codex", "--version", "0.169.1", "--lane", "virtual"])
        .args(["--only", "fleet/second-turn-resumes", "--scenarios"])
        .arg(data.path())
        .arg("--out")
        .arg(out.path())
        .assert()
        .success();
}

#[test]
fn garbage_is_wrong_usage_and_says_what_was_expected_and_where() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = |name: &str, file: &str, content: &[u8]| {
        let folder = scratch.path().join(name);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(file), content).expect("a file");
        folder
    };
    let cases: [(PathBuf, &str); 6] = [
        (scratch.path().join("nowhere"), "expected recordings"),
        (folder("codex/1", "notes.txt", b"hi"), "expected recordings"),
        (
            folder("codex/2", "text.stdout.jsonl", b"no event\n"),
            "text.stdout.jsonl, line 1: expected an event",
        ),
        (folder("codex/3", "text.stdout.jsonl", b"\xff\n"), "byte 0: expected text in UTF-8"),
        (
            folder("cursor/1", "text.stdout.jsonl", b"{}\n"),
            "expected an executor whose recordings can be read",
        ),
        (folder("agy/1", "text.stdout.jsonl", b"hi\n"), "found some of \"agy\", whose CLI prints"),
    ];
    for (folder, said) in cases {
        let refused = record(&folder).assert().code(2);
        let stderr = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        // Long lines are broken where the terminal ends.
        let stderr = stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(stderr.contains(said), "{said}: {stderr}");
    }
}
