//! The command as its users meet it: exit codes, bad input, reports, interrupts.

use std::fs;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::contains;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

fn gauntlet() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gauntlet"))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A data folder of a user's own with one file in it.
fn data(path: &str, text: &[u8]) -> TempDir {
    let folder = folder();
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().expect("a data file is in a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
    folder
}

fn run_with(data: &TempDir) -> assert_cmd::assert::Assert {
    let out = folder();
    gauntlet()
        .args(["run", "--lane", "virtual", "--scenarios"])
        .arg(data.path())
        .arg("--out")
        .arg(out.path())
        .assert()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the file was written")).expect("the file is JSON")
}

#[test]
fn a_run_writes_every_report_and_a_table_that_fits_the_terminal() {
    let out = folder();
    let run = gauntlet()
        .args([
            "run",
            "--only",
            "fleet/work-in-the-repository",
            "--lane",
            "virtual",
            "--version",
            "0.169.0",
            "--out",
        ])
        .arg(out.path())
        .assert()
        .success();
    for file in ["results.jsonl", "summary.json", "codex/report.json", "codex/report.md", "codex/junit.xml"] {
        assert!(out.path().join(file).is_file(), "{file} is missing");
    }
    let table = String::from_utf8(run.get_output().stdout.clone()).expect("the table is text");
    assert!(
        table.lines().all(|line| line.chars().count() <= 80 || line.contains("reports below")),
        "{table}"
    );
    assert!(table.contains("codex"));
    assert_eq!(json(&out.path().join("summary.json"))["exit_code"], 0);
}

#[test]
fn a_filter_that_selects_nothing_is_exit_4() {
    gauntlet()
        .args(["run", "--only", "fleet/no-such-thing", "--lane", "virtual"])
        .assert()
        .code(4)
        .stderr(contains("nothing was selected"));
    gauntlet().args(["replay", "fleet/no-such-thing@codex-0.0.0#0"]).assert().code(4);
}

#[test]
fn an_unknown_name_is_exit_2_with_the_nearest_known_one() {
    gauntlet()
        .args(["run", "--executor", "codx"])
        .assert()
        .code(2)
        .stderr(contains("did you mean \"codex\""));
    gauntlet().args(["run", "--version", "0.168.0"]).assert().code(2).stderr(contains("0.169.0"));
    gauntlet().args(["run", "--no-such-flag"]).assert().code(2);
    gauntlet().args(["run", "--jobs", "0"]).assert().code(2);
    gauntlet().args(["serve", "codx"]).assert().code(2).stderr(contains("codex"));
    gauntlet()
        .args(["serve", "codex", "--quirk", "no-such-quirk"])
        .assert()
        .code(2)
        .stderr(contains("no-such-quirk"));
}

#[test]
fn a_malformed_scenario_is_pointed_at() {
    let text = "id: my/scenario\ntitle: A story\nsubject: receiver\nsteps:\n  - dispach: { text: hello }\n";
    run_with(&data("suites/a.yaml", text.as_bytes())).code(2).stderr(
        contains("a.yaml:5:5").and(contains("did you mean \"dispatch\"")).and(contains("expected one of")),
    );
}

#[test]
fn an_unknown_requirement_is_pointed_at() {
    let text = "id: my/scenario\ntitle: A story\nsubject: receiver\nsteps:\n  - dispatch: { text: hello }\n    \
                expect: { acknowledged: true }\n    requirement: FLEET-ACK-0l\n";
    run_with(&data("suites/a.yaml", text.as_bytes()))
        .code(2)
        .stderr(contains("a.yaml:7:18").and(contains("did you mean \"FLEET-ACK-01\"")));
}

#[test]
fn a_step_without_a_verb_or_with_two_is_pointed_at() {
    for (steps, line) in [("  - {}\n", 5), ("  - advance: 1s\n  - { advance: 1s, kill: receiver }\n", 6)] {
        let text = format!("id: my/scenario\ntitle: A story\nsubject: receiver\nsteps:\n{steps}");
        run_with(&data("suites/a.yaml", text.as_bytes()))
            .code(2)
            .stderr(contains(format!("a.yaml:{line}:")).and(contains("verb")));
    }
}

#[test]
fn malformed_requirements_profiles_quirks_and_faults_are_pointed_at() {
    let cases: [(&str, &str, &str); 6] = [
        ("requirements/a.yaml", "requirements:\n  - id: MY-1\n    level: maust\n", "a.yaml:3:12"),
        ("profiles/a.yaml", "executor: codex\nversion: [1]\n", "a.yaml:2:"),
        (
            "quirks/a.yaml",
            "id: q\ntitle: t\nrole: receiver\nat: receiver.calback\n",
            "did you mean \"receiver.callback\"",
        ),
        (
            "faults/a.yaml",
            "id: f\ntitle: t\nrule: { host: receiver, at: disk.apend, do: kill }\n",
            "did you mean \"disk.append\"",
        ),
        ("releases/a.yaml", "id: mine\ntitle: t\nquirks: [no-such-quirk]\n", "a.yaml:3:10"),
        ("quirk/a.yaml", "id: q\n", "did you mean the folder \"quirks\""),
    ];
    for (path, text, expected) in cases {
        run_with(&data(path, text.as_bytes())).code(2).stderr(contains(expected));
    }
}

#[test]
fn garbage_in_place_of_data_is_exit_2_and_never_a_panic() {
    let garbage: [&[u8]; 6] = [b"", b"\0\0\0", b"\xff\xfe\x00", b"{{{{", b"- - - -\n:", b"&a [*a, *a]"];
    for kind in ["requirements", "suites", "profiles", "quirks", "faults", "releases"] {
        for bytes in garbage {
            run_with(&data(&format!("{kind}/a.yaml"), bytes)).code(2).stderr(contains("panicked").not());
        }
    }
    gauntlet().args(["run", "--scenarios", "/no/such/folder"]).assert().code(2);
}

#[test]
fn reports_that_cannot_be_written_are_exit_3() {
    let out = folder();
    let file = out.path().join("a-file");
    fs::write(&file, "in the way").expect("a file");
    gauntlet()
        .args(["run", "--only", "fleet/work-in-the-repository", "--lane", "virtual", "--out"])
        .arg(&file)
        .assert()
        .code(3)
        .stderr(contains("cannot be written"));
}

#[test]
fn replay_shows_the_trace_and_keeps_the_secrets() {
    let cell = "fleet/work-in-the-repository@codex-0.169.0#0";
    let replay = gauntlet().args(["replay", cell]).assert().success();
    let shown = String::from_utf8(replay.get_output().stdout.clone()).expect("text");
    assert!(shown.contains("cli_entered") && shown.contains("callback") && shown.contains("digest "));
    assert!(shown.contains("[redacted]") && !shown.contains("Bearer tok-"), "a secret is shown");
}

#[test]
fn published_schemas_are_printed() {
    for format in ["scenario", "report", "summary", "results-line"] {
        let printed = gauntlet().args(["schema", format]).assert().success();
        let schema: Value = serde_json::from_slice(&printed.get_output().stdout).expect("a schema is JSON");
        assert!(schema["$id"].as_str().is_some_and(|id| id.starts_with("gauntlet.")), "{format}");
    }
}

/// A run of the real lane that takes a while, with its temporary folders in a place of the test's own.
struct SlowRun {
    child: Child,
    scratch: TempDir,
    out: TempDir,
}

impl SlowRun {
    fn start() -> Self {
        let (scratch, out) = (folder(), folder());
        let child = Process::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["run", "--lane", "real", "--jobs", "2", "--only", "fleet/*", "--out"])
            .arg(out.path())
            .env("TMPDIR", scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let run = Self { child, scratch, out };
        run.until("a receiver and its CLI run", || run.processes() >= 3);
        run
    }

    /// How many processes were started for this run, itself included: they carry its folder in their arguments, their
    /// environment or their working directory.
    fn processes(&self) -> usize {
        let mark = self.scratch.path().to_string_lossy().into_owned();
        let has = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).contains(&mark);
        let processes = fs::read_dir("/proc").expect("Linux").flatten().filter(|entry| {
            let path = entry.path();
            let alive = fs::read_to_string(path.join("stat")).is_ok_and(|stat| !stat.contains(") Z "));
            alive && ["environ", "cmdline"].iter().any(|file| fs::read(path.join(file)).is_ok_and(has))
        });
        processes.count()
    }

    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !done() {
            assert!(Instant::now() < deadline, "it never happened: {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid")).expect("a pid");
        kill_process(pid, signal).expect("the run can be signalled");
    }
}

#[test]
fn an_interrupt_leaves_a_valid_partial_report_and_no_child() {
    let mut run = SlowRun::start();
    run.signal(Signal::INT);
    let code = run.child.wait().expect("the run ends").code();
    assert_eq!(code, Some(3));
    run.until("every child is gone", || run.processes() == 0);
    let summary = json(&run.out.path().join("summary.json"));
    assert_eq!(summary["complete"], false);
    let schema = gauntlet().args(["schema", "summary"]).assert().success();
    let schema: Value = serde_json::from_slice(&schema.get_output().stdout).expect("a schema");
    assert!(jsonschema::is_valid(&schema, &summary));
    let lines = fs::read_to_string(run.out.path().join("results.jsonl")).expect("the results");
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    let left: Vec<_> = fs::read_dir(run.scratch.path()).expect("the folder").flatten().collect();
    assert!(left.is_empty(), "folders of cells are left: {left:?}");
}

#[test]
fn nothing_outlives_a_harness_that_is_killed() {
    let mut run = SlowRun::start();
    run.signal(Signal::KILL);
    run.child.wait().expect("the run ends");
    run.until("every child is gone", || run.processes() == 0);
}
