//! `gauntlet explore`: every crash of a story, and worlds that nobody thought of. What they find of bugs that are planted is in
//! `planted.rs`.

mod cells;
mod own;

use std::path::Path;
use std::sync::Arc;

use cells::{library, settings};
use gauntlet_engine::data::Library;
use gauntlet_engine::explore::faults;
use own::{Folder, gauntlet, shown};
use serde_json::{Value, json};

fn valid(schema: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/schema").join(schema);
    let schema = own::json(&path);
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let mistakes: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(mistakes.is_empty(), "{mistakes:?}");
}

/// What a command prints as JSON, without what no two runs share, and its exit code.
fn told(command: &mut assert_cmd::Command) -> (Value, i32) {
    let output = command.args(["--format", "json"]).output().expect("it runs");
    let mut value: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    value["took_ms"] = json!(0);
    (value, output.status.code().expect("it ended by itself"))
}

/// A story whose receiver runs again what it ran before it died.
const RUNS_AGAIN: &str = "id: mine/runs-again\ntitle: A receiver that forgets.\nsubject: receiver\nexecutors: [codex]\ngiven:\n  \
                          disturbances: { quirks: [done-lines-run-again] }\nsteps:\n  - dispatch: { as: first, context: c1, text: hello }\n  \
                          - await: { reply_to: first, within: 30s }\n";

#[test]
fn every_crash_of_a_story_is_tried_and_every_kind_of_call_is_one_at_which_its_host_died() {
    let (found, code) = told(gauntlet().args([
        "explore",
        "crash",
        "--executor",
        "codex",
        "--only",
        "fleet/killed-during-a-turn",
    ]));
    valid("explore-crash-1.json", &found);
    assert_eq!((code, &found["findings"]), (0, &json!([])));
    let kinds: Vec<&Value> = found["hosts"]
        .as_array()
        .expect("hosts")
        .iter()
        .flat_map(|host| host["kinds"].as_array().expect("kinds"))
        .collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    for kind in kinds {
        assert_eq!(kind["reached"], kind["crashes"], "a crash that did not come about: {kind}");
        assert_eq!(kind["covered"].as_u64(), kind["points"].as_u64().map(|points| 2 * points), "{kind}");
    }
    assert!(found["double_crashes"].as_u64() > Some(5));
}

#[test]
fn what_a_crash_brings_out_is_told_with_the_command_that_runs_it_alone() {
    let folder = Folder::with(&[("suites/again.yaml", RUNS_AGAIN)]);
    let (data, out) =
        (folder.path().to_string_lossy().into_owned(), folder.out().to_string_lossy().into_owned());
    let explore = |args: &[&str]| {
        told(
            gauntlet()
                .args(["explore", "crash", "--scenarios", &data, "--out", &out, "--twice", "0"])
                .args(args),
        )
    };
    let (found, code) = explore(&["--only", "mine/runs-again", "--host", "receiver"]);
    assert_eq!(code, 1);
    valid("explore-crash-1.json", &found);
    assert_eq!(own::json(&folder.out().join("explore-crash.json"))["findings"], found["findings"]);
    let finding = &found["findings"][0];
    assert_eq!(
        (&finding["role"], &finding["cell"]),
        (&json!("receiver"), &json!("mine/runs-again@codex-0.169.0#0"))
    );
    let trace =
        found["findings"].as_array().into_iter().flatten().find_map(|finding| finding["trace"].as_str());
    assert!(folder.out().join(trace.expect("a trace")).is_file());
    let point = finding["point"].as_str().expect("a point");
    let replay = finding["replay"].as_str().expect("a command");
    assert!(
        replay.ends_with(&format!("--scenarios '{data}'"))
            && replay.contains(&format!("--host receiver --point {point}")),
        "{replay}"
    );
    let (alone, code) =
        explore(&["--only", "mine/runs-again@codex-0.169.0#0", "--host", "receiver", "--point", point]);
    assert_eq!((code, alone["crashes"].as_u64()), (1, Some(1)));
    assert_eq!(alone["findings"][0]["observed"], finding["observed"]);
}

#[test]
fn mistakes_in_what_is_asked_for_end_with_2_and_nothing_selected_with_4() {
    for (args, code, said) in [
        (vec!["--point", "17:maim", "--host", "receiver", "--only", "fleet/*"], 2, "expected a point"),
        (vec!["--point", "17"], 2, "--host"),
        (vec!["--executor", "codx"], 2, "did you mean \"codex\""),
        (vec!["--only", "fleet/no-such-story"], 4, "nothing was selected"),
        (
            vec![
                "--only",
                "fleet/killed-during-a-turn@codex-0.169.0#0",
                "--host",
                "receiver",
                "--point",
                "99999",
            ],
            4,
            "0 crashes",
        ),
    ] {
        let run = gauntlet().args(["explore", "crash"]).args(&args).assert().code(code);
        assert!(shown(&run).contains(said), "{args:?}: {}", shown(&run));
    }
    gauntlet().args(["explore", "faults", "--cells", "0"]).assert().code(2);
}

#[test]
fn the_same_seed_draws_the_same_cells_whoever_runs_them() {
    let search = |jobs: &str, seed: &str| {
        told(gauntlet().args(["explore", "faults", "--cells", "600", "--seed", seed, "--jobs", jobs]))
    };
    let (found, code) = search("1", "7");
    valid("explore-faults-1.json", &found);
    assert_eq!((code, &found["findings"]), (0, &json!([])), "the reference keeps every invariant");
    assert_eq!(search("2", "7").0, found);
    assert_ne!(search("2", "8").0["pairs"], found["pairs"]);
}

/// What `--only` and `--host` say of the story by which double crashes are asked for.
const KILLED: [&str; 4] = ["--only", "fleet/killed-during-a-turn@codex-0.169.0#0", "--host", "receiver"];

#[test]
fn of_two_crashes_that_are_asked_for_the_second_one_has_to_come_about_too() {
    let explore = |point: &str| told(gauntlet().args(["explore", "crash", "--point", point]).args(KILLED));
    let (found, code) = explore("20:kill:before,receiver:30:cut:after");
    assert_eq!((code, found["double_crashes"].as_u64(), &found["left_out"][0]), (0, Some(1), &Value::Null));
    let (found, code) = explore("20:kill:before,receiver:99999:cut:after");
    assert_eq!((code, found["exit_code"].as_u64(), found["double_crashes"].as_u64()), (4, Some(4), Some(0)));
    assert_eq!(
        found["left_out"],
        json!([{ "cells": 1, "because": "the receiver never comes to 99999:cut:after" }])
    );
    let args = ["explore", "crash", "--point", "20:kill:before,receiver:99999:cut:after"];
    let run = gauntlet().args(args).args(KILLED).assert().code(4);
    assert!(shown(&run).contains("the receiver never comes to 99999:cut:after"), "{}", shown(&run));
}

#[test]
fn who_has_no_time_for_all_of_it_is_told_that_it_is_incomplete() {
    let args = ["explore", "crash", "--executor", "codex", "--only", "fleet/b*", "--limit", "1"];
    let (found, code) = told(gauntlet().args(args));
    assert_eq!(found["complete"], json!(false), "{found}");
    assert!(code == 0 || code == 4, "{code}");
    let run = gauntlet().args(args).assert();
    assert!(shown(&run).contains("Incomplete"), "{}", shown(&run));
    assert!(shown(&run).contains("the time limit came before their crash"), "{}", shown(&run));
}

/// A version of a CLI that does not know an option which its receiver gives it, and of which nobody says that it breaks anything.
fn without_an_option() -> Folder {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/profiles/codex-0.169.0.yaml");
    let newest = std::fs::read_to_string(path).expect("a profile");
    let lines = newest.lines().filter(|line| !line.contains("{ long: json }"));
    let lines = lines.map(|line| line.replace("version: 0.169.0", "version: 9.0.0"));
    Folder::with(&[("profiles/codex-9.0.0.yaml", &lines.collect::<Vec<_>>().join("\n"))])
}

#[test]
fn the_command_that_tells_a_finding_again_reads_all_that_the_search_read() {
    let (folder, beside) = (without_an_option(), Folder::with(&[]));
    let out = folder.out().to_string_lossy().into_owned();
    let data = [folder.path(), beside.path()].map(|path| path.to_string_lossy().into_owned());
    let (found, code) = told(gauntlet().args([
        "explore",
        "faults",
        "--cells",
        "60",
        "--most",
        "1",
        "--out",
        &out,
        "--scenarios",
        &data[0],
        "--scenarios",
        &data[1],
    ]));
    assert_eq!(code, 1, "{found}");
    valid("explore-faults-1.json", &found);
    let finding = &found["findings"][0];
    let replay = finding["replay"].as_str().expect("a command");
    // As somebody pastes it who has the command on the path.
    let binary = Path::new(env!("CARGO_BIN_EXE_gauntlet")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").expect("a path"));
    let run = assert_cmd::Command::new("sh").env("PATH", path).args(["-c", replay]).assert().code(1);
    let requirement = finding["requirement"].as_str().expect("a requirement");
    assert!(shown(&run).contains(requirement), "{replay}: {}", shown(&run));
    for folder in [&data[0], &data[1], &out] {
        assert!(replay.contains(&format!("--scenarios '{folder}'")), "{replay}");
    }
}

#[test]
fn cells_that_cannot_be_made_are_none_that_were_tried() {
    // Nobody knows what its CLI prints.
    let mut library = Library::clone(&library());
    library.profiles.retain(|(executor, _), _| executor != "opencode");
    let request = faults::Request { cells: 300, seed: 1, most: 1, ..faults::Request::default() };
    let mut told = 0;
    let found = faults::explore(&Arc::new(library), &request, &settings(2), &mut |_| told += 1);
    let found = found.expect("nothing is written");
    assert!(found.not_made > 0 && found.cells > 0, "{found:?}");
    assert_eq!((found.cells, found.cells + found.not_made), (told, 300));
    assert_eq!(found.exit_code, 3, "who asked for 300 did not get them");
    let shown = gauntlet_reports::terminal::fault_search(&found, 100, false);
    assert!(shown.contains(&format!("{} more were drawn and could not be made", found.not_made)), "{shown}");
}

/// What is there of a run over real processes: its folders below a place of its own, and processes that speak of it.
fn left(place: &Path) -> (Vec<String>, Vec<String>) {
    let names = |entries: std::fs::ReadDir| -> Vec<String> {
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
    };
    let folders = names(std::fs::read_dir(place).expect("a folder"));
    let needle = place.to_string_lossy().into_owned();
    let speaks_of_it = |pid: &String| {
        let read = |name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
        let all = [read("cmdline"), read("environ")].concat();
        pid.parse::<u32>().is_ok_and(|pid| pid != std::process::id())
            && String::from_utf8_lossy(&all).contains(&needle)
    };
    let processes = names(std::fs::read_dir("/proc").expect("processes")).into_iter().filter(speaks_of_it);
    (folders, processes.collect())
}

#[test]
fn real_processes_are_disturbed_for_a_while_and_nothing_of_them_is_left() {
    let place = tempfile::tempdir().expect("a folder");
    let out = tempfile::tempdir().expect("a folder");
    let (found, code) = told(
        gauntlet()
            .env("TMPDIR", place.path())
            .args([
                "explore",
                "real",
                "--minutes",
                "0.05",
                "--seed",
                "1",
                "--jobs",
                "4",
                "--executor",
                "codex",
                "--out",
            ])
            .arg(out.path()),
    );
    valid("explore-real-1.json", &found);
    assert_eq!((code, &found["findings"]), (0, &json!([])), "{found}");
    assert!(found["cells"].as_u64() >= Some(4) && found["dispatches"].as_u64() >= Some(8), "{found}");
    let times = |what: &str| {
        let all = found["disturbances"].as_array().expect("a list").iter();
        all.filter(|one| one["what"] == what).map(|one| one["times"].as_u64().expect("a number")).sum::<u64>()
    };
    assert!(times("receiver killed") > 0, "{found}");
    assert_eq!(own::json(&out.path().join("explore-real.json"))["cells"], found["cells"]);
    assert_eq!(left(place.path()), (Vec::new(), Vec::new()));
}

#[test]
fn who_interrupts_a_run_over_real_processes_twice_finds_nothing_left_either() {
    let place = tempfile::tempdir().expect("a folder");
    let mut run = std::process::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["explore", "real", "--minutes", "5", "--jobs", "4", "--format", "json"])
        .env("TMPDIR", place.path())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = rustix::process::Pid::from_child(&run);
    // Until receivers are at work.
    let began = std::time::Instant::now();
    while left(place.path()).1.len() < 2 && began.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for _ in 0..2 {
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is there");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let mut printed = Vec::new();
    std::io::Read::read_to_end(run.stdout.as_mut().expect("a pipe"), &mut printed).expect("it prints");
    assert_eq!(run.wait().expect("it ends").code(), Some(3));
    let found: Value = serde_json::from_slice(&printed).expect("it prints JSON");
    assert_eq!(found["complete"], json!(false));
    assert_eq!(left(place.path()), (Vec::new(), Vec::new()));
}

#[test]
fn minutes_that_are_none_are_wrong_usage_and_an_executor_without_a_receiver_is_told_of() {
    for minutes in ["0", "-1", "much", "1e9", "NaN"] {
        gauntlet().args(["explore", "real", "--minutes", minutes]).assert().code(2);
    }
    let run = gauntlet().args(["explore", "real", "--minutes", "1", "--executor", "codx"]).assert().code(2);
    assert!(shown(&run).contains("did you mean \"codex\""), "{}", shown(&run));
    gauntlet().args(["explore", "real", "--minutes", "1", "--executor", "hermes"]).assert().code(4);
}
