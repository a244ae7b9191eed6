//! What the command tells of what there is: lists of cells and of the roadmap, explanations, revisions, the computer, the log, manuals.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use assert_cmd::Command;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::explain::Explainer;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_engine::session;
use predicates::prelude::*;
use predicates::str::contains;
use serde_json::Value;
use tempfile::TempDir;

fn gauntlet(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    // Nothing of this repository's own last run is looked at.
    command.args(args).current_dir(std::env::temp_dir());
    command
}

fn shown(args: &[&str]) -> String {
    let output = gauntlet(args).assert().success().get_output().stdout.clone();
    String::from_utf8(output).expect("text")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn library() -> Arc<Library> {
    Arc::new(Library::load(&[Source::Embedded]).expect("the embedded data is sound"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

fn read(path: &Path) -> Value {
    json(&fs::read_to_string(path).expect("a file"))
}

/// A short run, and where its reports are.
fn run(out: &TempDir, more: &[&str]) -> assert_cmd::assert::Assert {
    let path = out.path().to_string_lossy().into_owned();
    let short = ["run", "--lane", "virtual", "--executor", "codex", "--version", "0.169.0", "--out", &path];
    gauntlet(&[&short[..], more].concat()).assert()
}

#[test]
fn no_list_is_wider_than_80_columns_where_the_terminal_is_not_known() {
    for what in ["requirements", "scenarios", "quirks", "profiles", "releases", "faults", "--roadmap"] {
        let text = shown(&["list", what]);
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{what}: {wide:?}");
    }
}

#[test]
fn the_cells_that_are_listed_are_those_that_a_run_takes() {
    let out = folder();
    let select = ["--executor", "codex", "--lane", "virtual", "--only", "fleet/turn-at-its-cap*"];
    let path = out.path().to_string_lossy().into_owned();
    gauntlet(&[&["run", "--out", &path], &select[..]].concat()).assert().success();
    let results = fs::read_to_string(out.path().join("results.jsonl")).expect("results");
    let ran: Vec<String> =
        results.lines().map(|line| json(line)["id"].as_str().expect("an id").to_owned()).collect();
    let listed = shown(&[&["list", "cells", "--format", "json"], &select[..]].concat());
    let listed: Vec<String> = json(&listed)
        .as_array()
        .expect("a list")
        .iter()
        .map(|cell| cell["cell"].as_str().expect("an id").to_owned())
        .collect();
    assert!(ran.iter().any(|id| id.contains('+')), "cells with quirks are among them");
    assert_eq!(listed, ran);
    gauntlet(&["list", "cells", "--only", "fleet/no-such-thing"]).assert().code(4);
    gauntlet(&["list", "cells", "--executor", "codx"])
        .assert()
        .code(2)
        .stderr(contains("did you mean \"codex\""));
}

#[test]
fn a_cell_that_is_skipped_is_listed_with_the_reason() {
    let listed =
        shown(&["list", "cells", "--only", "fleet/*@codex-*~real", "--format", "json", "--lane", "real"]);
    let cells = json(&listed);
    let mut cells = cells.as_array().expect("a list").iter();
    assert!(cells.any(|cell| cell["lane"] == "real" && cell["skipped"] != ""), "{listed}");
}

#[test]
fn the_roadmap_shows_each_item_its_requirements_and_their_last_result() {
    let list = |args: &[&str]| json(&shown(&[&["list", "--roadmap", "--format", "json"], args].concat()));
    let row = |list: &Value, requirement: &str| -> Value {
        let rows = list.as_array().expect("a list").iter();
        let found = { rows }.find(|row| row["requirement"] == requirement);
        found.unwrap_or_else(|| panic!("no {requirement} in {list}")).clone()
    };
    let before = list(&[]);
    assert_eq!(row(&before, "FLEET-TURN-07")["last result"], "not run");
    let items: BTreeSet<&str> =
        before.as_array().expect("a list").iter().filter_map(|row| row["item"].as_str()).collect();
    for item in library().roadmap.iter() {
        assert!(items.contains(item.id.value.as_str()), "{} is not listed", item.id.value);
    }
    let out = folder();
    run(&out, &["--only", "fleet/turn-at-its-cap@*"]).success();
    for place in ["", "codex/report.json", "results.jsonl"] {
        let place = out.path().join(place).to_string_lossy().into_owned();
        let after = list(&["--results", &place]);
        assert_eq!(row(&after, "FLEET-TURN-07")["last result"], "pass on codex", "{place}");
        assert_eq!(row(&after, "FLEET-REC-04")["last result"], "not run", "{place}");
    }
    gauntlet(&["list", "--roadmap", "--results", "/nowhere"]).assert().code(2).stderr(contains("found none"));
}

#[test]
fn a_requirement_is_explained_with_its_judges_its_breakers_and_its_line() {
    let text = shown(&["explain", "FLEET-TURN-07"]);
    for part in [
        "requirement FLEET-TURN-07",
        "scenarios/requirements/fleet.yaml:",
        "depends on:",
        "fleet/turn-at-its-cap,",
        "broken by quirks:",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let told = json(&shown(&["explain", "FLEET-TURN-07", "--format", "json"]));
    let one = &told[0];
    assert_eq!(
        (&one["kind"], &one["level"], &one["role"]),
        (&"requirement".into(), &"must".into(), &"receiver".into())
    );
    // The line is that of the row, and the lines of its judges are where they name it.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let line = |file: &str, number: u64| -> String {
        let text = fs::read_to_string(root.join(file)).expect("a data file");
        text.lines().nth(usize::try_from(number).expect("a line") - 1).expect("the line is there").to_owned()
    };
    let at = line(one["file"].as_str().expect("a file"), one["line"].as_u64().expect("a line"));
    assert!(at.contains("FLEET-TURN-07"), "{at}");
    for judge in one["judged_by"].as_array().expect("judges") {
        let place = judge.as_str().and_then(|judge| judge.rsplit_once(" (")).expect("a place").1;
        let (file, number) = place.trim_end_matches(')').rsplit_once(':').expect("a line");
        let at = line(file, number.parse().expect("a number"));
        assert!(at.contains("FLEET-TURN-07"), "{judge}: {at}");
    }
}

#[test]
fn everything_that_has_a_name_can_be_explained() {
    let library = library();
    let explainer = Explainer::new(&library, None);
    let names = explainer.names();
    assert!(names.len() > 500, "{}", names.len());
    for name in names {
        let found = explainer.explain(&name).expect("it has a name");
        assert!(found.iter().all(|one| !one.facts.is_empty()), "{name}");
        let with_file = found.iter().filter(|one| one.kind != "injection point");
        for one in with_file {
            let (file, line) = one.place.as_ref().unwrap_or_else(|| panic!("{name} is written nowhere"));
            assert!(file.starts_with("scenarios/") && *line > 0, "{name}: {file}:{line}");
        }
    }
    for (name, kind) in [
        ("FLEET-INV-01", "invariant"),
        ("fleet/turn-at-its-cap", "scenario"),
        ("cuts-in-silence", "quirk"),
        ("kill-after-spawn", "fault"),
        ("codex-0.169.0", "profile"),
        ("a2a_fleet", "release"),
        ("codex", "executor"),
        ("task-payload", "roadmap item"),
        ("receiver.callback", "injection point"),
        ("2026-11", "revision"),
        ("fleet/turn-at-its-cap@codex-0.169.0+group-kill-misses-grandchild#0", "cell"),
        ("fleet/turn-at-its-cap@codex-0.169.0#0~real", "cell"),
    ] {
        let found = explainer.explain(name).unwrap_or_else(|error| panic!("{error}"));
        assert!(found.iter().any(|one| one.kind == kind), "{name} is no {kind}: {found:?}");
    }
}

#[test]
fn an_unknown_name_is_exit_2_with_the_nearest_one() {
    for (wrong, near) in [
        ("FLEET-TURN-0", "FLEET-TURN-0"),
        ("cuts-in-silense", "cuts-in-silence"),
        ("receiver.calback", "receiver.callback"),
        ("fleet/turn-at-its-cpa", "fleet/turn-at-its-cap"),
    ] {
        gauntlet(&["explain", wrong]).assert().code(2).stderr(contains("did you mean").and(contains(near)));
    }
    gauntlet(&["explain", "fleet/turn-at-its-cap@codex-9.9.9#0"]).assert().code(2);
}

#[test]
fn the_last_result_of_a_cell_and_of_a_row_are_explained() {
    let out = folder();
    run(&out, &["--only", "fleet/turn-at-its-cap@*"]).success();
    let results = out.path().to_string_lossy().into_owned();
    let told = |id: &str| {
        json(&shown(&["explain", id, "--format", "json", "--results", &results]))[0]["last_result"].clone()
    };
    assert_eq!(told("FLEET-TURN-07"), "pass on codex");
    assert_eq!(told("fleet/turn-at-its-cap@codex-0.169.0#0"), "fleet/turn-at-its-cap@codex-0.169.0#0: pass");
    assert_eq!(told("fleet/turn-at-its-cap@codex-0.44.0#0"), "not run");
}

#[test]
fn an_unknown_revision_is_exit_2_with_the_list() {
    let out = folder();
    run(&out, &["--catalogue", "2026-1"]).code(2).stderr(contains("2026-11").and(contains("did you mean")));
    assert!(!out.path().join("summary.json").exists());
}

/// A folder with a revision that is older than most rows: it has one of them, at another level.
fn older_revision() -> TempDir {
    let folder = folder();
    let catalogue = folder.path().join("catalogue");
    fs::create_dir_all(&catalogue).expect("a folder");
    let text = "revision: \"2001-01\"\ndate: \"2001-01-01\"\nrequirements:\n  FLEET-TURN-08: { level: may, class: core }\n";
    fs::write(catalogue.join("2001-01.yaml"), text).expect("a file");
    folder
}

#[test]
fn an_old_revision_judges_by_its_own_rows_and_shows_the_newer_ones_apart() {
    let (out, data) = (folder(), older_revision());
    let path = data.path().to_string_lossy().into_owned();
    let only = ["--only", "fleet/turn-at-its-cap@*", "--scenarios", &path];
    run(&out, &[&only[..], &["--catalogue", "2001-01"]].concat()).success();
    let report = read(&out.path().join("codex/report.json"));
    assert_eq!(report["catalogue"]["revision"], "2001-01");
    let ids = |rows: &Value| -> Vec<String> {
        let rows = rows.as_array().expect("rows").iter();
        rows.map(|row| row["id"].as_str().expect("an id").to_owned()).collect()
    };
    assert_eq!(ids(&report["requirements"]), ["FLEET-TURN-08"]);
    assert_eq!(report["requirements"][0]["level"], "may");
    assert_eq!(report["compliance"]["may"]["pass"], 1);
    assert_eq!(report["compliance"]["must"]["pass"], 0);
    let newer = ids(&report["newer"]);
    assert!(newer.contains(&"FLEET-TURN-07".to_owned()) && newer.len() > 50, "{}", newer.len());
    let passed = report["newer"].as_array().expect("rows").iter().filter(|row| row["verdict"] == "pass");
    assert!(passed.count() > 2, "they ran");
    let markdown = fs::read_to_string(out.path().join("codex/report.md")).expect("a report");
    assert!(markdown.contains("## Newer than 2001-01"));
    // The same cells by today's catalogue: nothing is apart.
    run(&out, &only).success();
    let report = read(&out.path().join("codex/report.json"));
    assert!(report.get("newer").is_none() && ids(&report["requirements"]).len() > 50);
}

#[test]
fn what_is_newer_than_the_revision_fails_no_run() {
    let data = older_revision();
    let suites = data.path().join("suites/own");
    fs::create_dir_all(&suites).expect("a folder");
    let story = |requirement: &str| {
        format!(
            "id: own/expectation\ntitle: A story\nsubject: receiver\nsteps:\n  - dispatch: {{ text: hello }}\n    \
             expect: {{ acknowledged: false }}\n    requirement: {requirement}\n"
        )
    };
    let path = data.path().to_string_lossy().into_owned();
    let only = ["--only", "own/expectation@*", "--scenarios", &path];
    let old = [&only[..], &["--catalogue", "2001-01"]].concat();
    let out = folder();
    fs::write(suites.join("expectation.yaml"), story("FLEET-ACK-03")).expect("a file");
    run(&out, &only).code(1);
    run(&out, &old).success();
    let report = read(&out.path().join("codex/report.json"));
    let newer = report["newer"].as_array().expect("rows").iter();
    let failed: Vec<_> = newer.filter(|row| row["verdict"] == "fail").map(|row| row["id"].clone()).collect();
    assert_eq!(failed, ["FLEET-ACK-03"], "it is shown apart");
    fs::write(suites.join("expectation.yaml"), story("FLEET-TURN-08")).expect("a file");
    run(&out, &old).code(1);
}

#[test]
fn a_revision_is_cut_once() {
    let text = shown(&["catalogue", "freeze", "2099-01", "--date", "2099-01-31"]);
    let ids = text.lines().filter(|line| line.contains("level:")).count();
    assert_eq!(ids, library().catalogue.ids().count());
    gauntlet(&["catalogue", "freeze", "2026-11", "--date", "2026-11-30"])
        .assert()
        .code(2)
        .stderr(contains("frozen already"));
    gauntlet(&["catalogue", "freeze", "2099-01", "--date", "yesterday"]).assert().code(2);
}

#[test]
fn the_doctor_looks_and_leaves_everything_as_it_was() {
    let home = folder();
    fs::create_dir_all(home.path().join(".hermes")).expect("a folder");
    let fleet = home.path().join(".hermes/fleet.yaml");
    fs::write(&fleet, "fleet:\n  agents: [tok-very-secret]\n").expect("a file");
    let codex = home.path().join("codex");
    fs::write(&codex, "#!/bin/sh\necho codex-cli 0.44.0\n").expect("a file");
    fs::set_permissions(&codex, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    let names = || -> BTreeSet<_> {
        let below = |folder: &Path| {
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
        };
        below(home.path()).chain(below(&home.path().join(".hermes"))).collect()
    };
    let before = names();
    let path = format!("{}:{}", home.path().display(), std::env::var("PATH").unwrap_or_default());
    let doctor = |args: &[&str]| {
        let mut command = gauntlet(&[&["doctor"], args].concat());
        command
            .env("HOME", home.path())
            .env_remove("HERMES_HOME")
            .env("PATH", &path)
            .current_dir(home.path());
        let output = command.assert().success().get_output().stdout.clone();
        String::from_utf8(output).expect("text")
    };
    let text = doctor(&[]);
    assert!(text.contains("`gauntlet run` works here") && !text.contains("very-secret"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let told = json(&doctor(&["--format", "json"]));
    let of = |what: &str| -> Value {
        let findings = told["findings"].as_array().expect("findings").iter();
        { findings }.find(|finding| finding["what"] == what).expect("it was looked at").clone()
    };
    assert!(of("codex (codex)")["found"].as_str().expect("text").starts_with("0.44.0 in "), "{told}");
    assert_eq!((&of("codex (codex)")["state"], &of("fleet")["state"]), (&"fine".into(), &"wrong".into()));
    assert_eq!(names(), before, "nothing new is there");
    let mut command = gauntlet(&["doctor"]);
    let broken = command.env("TMPDIR", home.path().join("absent")).env("HOME", home.path());
    broken.assert().code(3).stdout(contains("would not work here"));
}

#[test]
fn the_log_tells_of_cells_and_port_calls_and_changes_no_result() {
    let (quiet, loud) = (folder(), folder());
    let only = ["--only", "fleet/turn-at-its-cap@*"];
    run(&quiet, &only).success().stderr(contains("port").not());
    let assert = run(&loud, &[&only[..], &["--log", "cell=info,port=trace"]].concat()).success();
    let log = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    for part in [
        "cell{id=\"fleet/turn-at-its-cap@codex-0.169.0#0\"}",
        "op=\"disk.append\"",
        "op=\"net.connect\"",
        "net.read",
        "op=\"process.spawn\"",
        "op=\"clock.sleep",
        "entropy.fill",
    ] {
        assert!(log.contains(part), "no {part} in the log");
    }
    let results = |out: &TempDir| fs::read(out.path().join("results.jsonl")).expect("results");
    assert_eq!(results(&quiet), results(&loud));
    run(&quiet, &["--log", "port=loudly"]).code(2).stderr(contains("expected a filter"));
}

#[test]
fn no_secret_of_a_cell_is_in_its_log() {
    let library = library();
    let id = "fleet/turn-at-its-cap@codex-0.169.0#0";
    let plan = session::find(&library, id).expect("the cell is there");
    let outcome = runner::outcome(&plan, &library, &Settings::default(), &Arc::default()).expect("it ends");
    let secrets: Vec<String> = outcome.secrets;
    assert!(!secrets.is_empty());
    let assert = gauntlet(&["replay", id, "--log", "trace"]).assert().success();
    let log = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(log.contains("disk.append"), "it is a log of everything");
    for secret in secrets {
        assert!(!log.contains(&secret), "a secret is in the log");
    }
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let text = shown(&["completions", shell]);
        for word in ["explain", "doctor", "freeze", "roadmap"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
        assert!(!text.contains("stand-in"), "{shell} offers what is hidden");
    }
    let out = folder();
    shown(&["man", "--out", &out.path().to_string_lossy()]);
    let pages: BTreeSet<String> = fs::read_dir(out.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    for page in [
        "gauntlet.1",
        "gauntlet-run.1",
        "gauntlet-explain.1",
        "gauntlet-catalogue-freeze.1",
        "gauntlet-profile-record.1",
    ] {
        assert!(pages.contains(page), "{page} is not among {pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("stand-in") || page.contains("help")), "{pages:?}");
    let page = fs::read_to_string(out.path().join("gauntlet-explain.1")).expect("a page");
    assert!(page.contains("gauntlet\\-explain") && page.contains("\\-\\-results"), "{page}");
}
