//! `gauntlet drift`: versions of a CLI behind a release, what changed between them, and which one to pin.

mod own;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use own::{Folder, gauntlet, shown};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `gauntlet drift … --format json` prints, and its exit code.
fn drift(args: &[&str]) -> (Value, i32) {
    let output = gauntlet().arg("drift").args(args).args(["--format", "json"]).output().expect("it runs");
    let code = output.status.code().expect("it ended by itself");
    (serde_json::from_slice(&output.stdout).expect("it prints JSON"), code)
}

fn texts(list: &Value, member: &str) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item[member].as_str()).map(str::to_owned).collect()
}

fn version<'a>(told: &'a Value, version: &str) -> &'a Value {
    let versions = told["versions"].as_array().expect("versions");
    versions.iter().find(|known| known["version"] == version).expect("the version has a profile")
}

/// What a real receiver did in front of one version of a real CLI.
#[derive(Debug, Default)]
struct Seen {
    answers: bool,
    resumes: bool,
    /// A dead session is replaced. Nothing when that was not tried, or did not come about.
    recovers: Option<bool>,
    /// It says that the turn failed when the model refused it.
    tells_refusal: bool,
}

/// What is recorded in `tests/fixtures/receivers/with-real-clis.txt`, which is `cli/receivers-with-real-clis.txt` of the shared
/// recordings: by executor, each version with what was seen. What ran a fake instead of the version that it names is left out.
fn seen() -> BTreeMap<String, Vec<(String, Seen)>> {
    let text =
        fs::read_to_string(root().join("tests/fixtures/receivers/with-real-clis.txt")).expect("recordings");
    let mut all: BTreeMap<String, Vec<(String, Seen)>> = BTreeMap::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("== ") {
            let (named, reported) = head.split_once(':').unwrap_or((head, ""));
            let mut words = named.rsplit(' ');
            let (version, executor) = (words.next().expect("a version"), words.next().expect("an executor"));
            let is_itself = reported.trim().is_empty() || reported.trim() == version;
            open = is_itself.then(|| (executor.to_owned(), version.to_owned()));
            if is_itself {
                all.entry(executor.to_owned()).or_default().push((version.to_owned(), Seen::default()));
            }
            continue;
        }
        let Some((executor, _)) = &open else { continue };
        let Some((_, seen)) = all.get_mut(executor).and_then(|versions| versions.last_mut()) else {
            continue;
        };
        let works =
            |answer: &str| line.contains(answer) && !line.contains("[error]") && !line.contains("[no reply");
        match line {
            line if line.starts_with("turn1") => seen.answers = works("first answer"),
            line if line.starts_with("turn2") => seen.resumes = works("second answer"),
            line if line.starts_with("model 401") => seen.tells_refusal = line.contains("[error]"),
            line if line.contains("dead") => {
                let recovered = works("afterdead");
                seen.recovers = Some(seen.recovers.unwrap_or(true) && recovered);
            }
            _ => {}
        }
    }
    all
}

#[test]
fn the_recorded_release_comes_out_as_real_receivers_were_seen_in_front_of_real_clis() {
    let all = seen();
    assert_eq!(all.keys().collect::<Vec<_>>(), ["codex", "opencode"]);
    let judged: usize = all.values().map(Vec::len).sum();
    assert_eq!(judged, 8, "five of codex and three of opencode: {all:?}");
    for (executor, versions) in all {
        let (told, code) = drift(&[&executor, "--release", "a2a_fleet"]);
        let mut safe = Vec::new();
        for (name, seen) in versions {
            let breaks = texts(&version(&told, &name)["breaks"], "requirement");
            let has = |ids: &[&str]| ids.iter().any(|id| breaks.iter().any(|broken| broken == id));
            assert_eq!(
                !seen.answers,
                has(&["CODEX-EVENT-01", "FLEET-INV-08"]),
                "{executor} {name}: {breaks:?}"
            );
            if seen.answers {
                assert_eq!(!seen.resumes, has(&["CODEX-RESUME-01"]), "{executor} {name}: {breaks:?}");
                assert_eq!(
                    !seen.tells_refusal,
                    has(&["CODEX-FAIL-01", "OPENCODE-FAIL-01"]),
                    "{executor} {name}"
                );
            }
            if seen.answers && seen.resumes {
                let recovers = seen.recovers.expect("it was tried");
                assert_eq!(!recovers, has(&["FLEET-OC-05", "FLEET-CDX-07"]), "{executor} {name}: {breaks:?}");
            }
            let good = seen.answers && seen.resumes && seen.tells_refusal && seen.recovers == Some(true);
            assert_eq!(good, breaks.is_empty(), "{executor} {name}: {seen:?}, and {breaks:?}");
            safe.extend(good.then_some(name));
        }
        let newest = safe.iter().max_by_key(|version| -> Vec<u32> {
            version.split('.').map(|part| part.parse().expect("a number")).collect()
        });
        assert_eq!(
            told["pin"]["version"].as_str(),
            newest.map(String::as_str),
            "{executor}: {}",
            told["pin"]
        );
        assert_eq!(code, if newest.is_some() { 0 } else { 1 }, "{executor}");
    }
}

#[test]
fn where_no_version_is_safe_the_least_bad_one_is_named_with_what_it_breaks_and_cells_that_show_it() {
    let (told, code) = drift(&["opencode", "--release", "a2a_fleet"]);
    assert_eq!((code, told["pin"]["least_bad"].as_str()), (1, Some("1.18.33")));
    let failing = told["pin"]["failing"].as_array().expect("what fails");
    assert_eq!(texts(&told["pin"]["failing"], "requirement"), ["FLEET-OC-05"]);
    let cell = failing[0]["cells"][0].as_str().expect("a cell");
    let run = gauntlet().args(["replay", cell]).assert().code(1);
    assert!(shown(&run).contains("fail FLEET-OC-05"), "{}", shown(&run));
    // What no version mends is told, and apart.
    let own = texts(&told["pin"]["on_no_version"], "requirement");
    assert!(own.contains(&"FLEET-INV-01".to_owned()) && own.contains(&"FLEET-INV-06".to_owned()), "{own:?}");
    let run = gauntlet().args(["drift", "opencode", "--release", "a2a_fleet"]).assert().code(1);
    assert!(shown(&run).contains("no safe pin; the least bad one is 1.18.33"), "{}", shown(&run));
}

/// A profile of codex 0.169.0 under a newer version's name.
fn newer(version: &str, change: impl Fn(String) -> String) -> Folder {
    let text = fs::read_to_string(root().join("scenarios/profiles/codex-0.169.0.yaml")).expect("a profile");
    let text = change(text.replace("version: 0.169.0", &format!("version: {version}")));
    Folder::with(&[(&format!("profiles/codex-{version}.yaml"), &text)])
}

#[test]
fn a_version_that_nobody_recorded_is_never_a_pin() {
    let folder = newer("0.170.0", |text| text.replace("recorded_from: tests/fixtures/codex/0.169.0\n", ""));
    let data = folder.path().to_str().expect("a path");
    let (told, code) = drift(&["codex", "--scenarios", data]);
    assert_eq!((code, told["pin"]["version"].as_str()), (0, Some("0.169.0")));
    let next = &told["pin"]["next"];
    assert_eq!((next["version"].as_str(), next["recorded"].as_bool()), (Some("0.170.0"), Some(false)));
    assert!(told["pin"]["rationale"].to_string().contains("0.170.0 was never recorded"), "{}", told["pin"]);
    let run = gauntlet().args(["drift", "agy"]).assert().code(1);
    assert!(shown(&run).contains("no safe pin: no version is recorded"), "{}", shown(&run));
    let run = gauntlet().args(["drift", "agy", "--format", "md"]).assert().code(1);
    assert!(shown(&run).contains("**unrecorded: never a pin**"), "{}", shown(&run));
}

#[test]
fn what_the_next_version_breaks_and_what_changed_there_are_computed_from_its_profile() {
    let folder = newer("0.170.0", |text| {
        let (before, resume) = text.split_once("command: codex exec resume").expect("the command");
        let resume = resume
            .replacen("          - { long: json }\n", "", 1)
            .replace("exit: 1 # inferred: the", "exit: 7 # the");
        format!("{before}command: codex exec resume{resume}")
            .replace("breaks: {}", "breaks: { CODEX-RESUME-01: made up }")
            .replace("          cache_write_input_tokens: 0\n", "")
    });
    let data = folder.path().to_str().expect("a path");
    let (told, code) = drift(&["codex", "--scenarios", data]);
    assert_eq!((code, told["pin"]["version"].as_str()), (0, Some("0.169.0")));
    let breaks = &told["pin"]["next"]["breaks"];
    assert_eq!(texts(breaks, "requirement"), ["CODEX-RESUME-01"]);
    for (member, code) in [("cells", 1), ("kept_in", 0)] {
        let cell = if member == "cells" { &breaks[0][member][0] } else { &breaks[0][member] };
        let cell = cell.as_str().expect("a cell");
        gauntlet().args(["replay", cell, "--scenarios", data]).assert().code(code);
    }
    let step = told["steps"].as_array().and_then(|steps| steps.last()).expect("a step");
    assert_eq!(step["broken"][0], "CODEX-RESUME-01");
    let changes: Vec<(&str, &str, &Value, &Value)> = step["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|change| {
            let text = |member: &str| change[member].as_str().expect("a text");
            (text("aspect"), text("what"), &change["before"], &change["after"])
        })
        .collect();
    let (switch, one, seven) = (Value::from("switch"), Value::from("1"), Value::from("7"));
    let field = Value::from("/usage/cache_write_input_tokens");
    assert_eq!(
        changes,
        [
            ("flag", "codex exec resume --json", &switch, &Value::Null),
            ("field", "turn.completed", &field, &Value::Null),
            ("exit_code", "unknown_thread", &one, &seven),
        ]
    );
}

#[test]
fn what_changed_between_recorded_versions_is_there_in_each_aspect() {
    let (told, _) = drift(&["codex"]);
    let changes = |to: &str| -> Vec<(String, String)> {
        let steps = told["steps"].as_array().expect("steps");
        let step = steps.iter().find(|step| step["to"] == to).expect("the step");
        let changes = step["changes"].as_array().expect("changes").iter();
        let text = |change: &Value, member: &str| change[member].as_str().expect("a text").to_owned();
        changes.map(|change| (text(change, "aspect"), text(change, "what"))).collect()
    };
    for (to, aspect, what) in [
        ("0.44.0", "event", "thread.started"),
        ("0.80.0", "flag", "codex exec resume --json"),
        ("0.80.0", "field", "item.started / command_execution"),
        ("0.135.0", "error_text", "unknown_thread"),
        ("0.135.0", "exit_code", "unknown_thread"),
        ("0.135.0", "behaviour", "stdin.turns"),
    ] {
        assert!(changes(to).contains(&(aspect.to_owned(), what.to_owned())), "{to}: {:?}", changes(to));
    }
}

#[test]
fn what_is_printed_for_programs_keeps_the_published_schema() {
    let output = gauntlet().args(["schema", "drift"]).output().expect("it runs");
    let schema: Value = serde_json::from_slice(&output.stdout).expect("a schema");
    let validator = jsonschema::draft202012::new(&schema).expect("a sound schema");
    for args in [vec!["claude_code"], vec!["opencode", "--release", "a2a_fleet"]] {
        let (told, _) = drift(&args);
        assert!(validator.is_valid(&told), "{args:?}");
        let mut broken = told.clone();
        broken["pin"]["versoin"] = Value::from("1");
        assert!(!validator.is_valid(&broken));
    }
}

#[test]
fn what_has_no_versions_behind_a_receiver_is_wrong_usage() {
    for (args, words) in [
        (vec!["codxe"], vec!["expected an executor", "did you mean \"codex\"?"]),
        (vec!["hermes"], vec!["expected an executor whose CLI is behind a receiver", "\"hermes\""]),
        (vec!["codex", "--release", "a2a_flet"], vec!["expected a release", "did you mean \"a2a_fleet\"?"]),
    ] {
        let run = gauntlet().arg("drift").args(&args).assert().code(2);
        let printed = shown(&run);
        assert!(words.iter().all(|word| printed.contains(word)), "{words:?}: {printed}");
    }
}
