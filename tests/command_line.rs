//! The command as its users meet it: exit codes, bad input, reports, interrupts.

use std::fs;
use std::io::Read;
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
    gauntlet().args(["replay", "fleet/no-such-thing@codex-0.0.0#0"]).assert().code(2);
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
    gauntlet()
        .args(["serve", "codex", "--quirk", "resume-loses-thread"])
        .assert()
        .code(2)
        .stderr(contains("expected --version beside"));
    gauntlet()
        .args(["serve", "codex", "--release", "no-such-release"])
        .assert()
        .code(2)
        .stderr(contains("no-such-release").and(contains("reference")));
}

#[test]
fn a_malformed_scenario_is_pointed_at() {
    let text = "id: my/scenario\ntitle: A story\nsubject: receiver\nsteps:\n  - dispach: { text: hello }\n";
    run_with(&data("suites/a.yaml", text.as_bytes())).code(2).stderr(
        contains("a.yaml:5:5").and(contains("did you mean \"dispatch\"")).and(contains("expected one of")),
    );
}

#[test]
fn a_row_that_is_judged_where_nobody_owes_it_is_pointed_at() {
    let text = "id: my/scenario\ntitle: A story\nsubject: receiver\nsteps:\n  - dispatch: { text: hello }\n    \
                expect: { acknowledged: true }\n    requirement: FLEET-CDX-01\n";
    run_with(&data("suites/a.yaml", text.as_bytes()))
        .code(2)
        .stderr(contains("a.yaml:7:18").and(contains("expected a row that agy owes")));
    let narrowed = text.replace("subject:", "executors: [codex]\nsubject:");
    let narrowed = data("suites/a.yaml", narrowed.as_bytes());
    gauntlet().args(["list", "scenarios", "--scenarios"]).arg(narrowed.path()).assert().success();
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
        ("profiles/a.yaml", "# one\nversion: [1]\n", "a.yaml:2:"),
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
fn a_name_that_nothing_has_is_pointed_at_in_every_kind_of_file() {
    let of_profile = |from: &str, to: &str| {
        let text = fs::read_to_string("../../scenarios/profiles/codex-0.44.0.yaml").expect("a profile");
        assert!(text.contains(from), "{from}");
        text.replace("version: 0.44.0", "version: 0.44.9").replace(from, to)
    };
    let scenario = "id: my/scenario\ntitle: A story\nsubject: receiver\n";
    let step = "  - dispatch: { text: hello }\n";
    let cases: [(&str, String, &str, &str); 8] = [
        (
            "profiles/a.yaml",
            of_profile("CODEX-RESUME-01:", "CODEX-RESUME-0l:"),
            "a.yaml:5:3",
            "did you mean \"CODEX-RESUME-01\"",
        ),
        ("profiles/a.yaml", of_profile("\n  codex:", "\n  codx:"), "a.yaml:7:3", "found \"codx\""),
        (
            "suites/a.yaml",
            format!("{scenario}executors: [codx]\nsteps:\n{step}"),
            "a.yaml:4:13",
            "did you mean \"codex\"",
        ),
        (
            "suites/a.yaml",
            format!("{scenario}steps:\n  - fault: {{ host: reciever, at: disk.sync, do: kill }}\n{step}"),
            "a.yaml:5:20",
            "did you mean \"receiver\"",
        ),
        (
            "faults/a.yaml",
            "id: f\ntitle: t\nrule: { host: runtme, at: disk.sync, do: kill }\n".to_owned(),
            "a.yaml:3:15",
            "did you mean \"runtime\"",
        ),
        // What belongs to the harness must not misbehave.
        (
            "faults/a.yaml",
            "id: f\ntitle: t\nrule: { host: harness, at: disk.sync, do: kill }\n".to_owned(),
            "a.yaml:3:15",
            "found \"harness\"",
        ),
        (
            "requirements/a.yaml",
            "requirements:\n  - { id: MY-1, level: must, class: core, role: receiver, statement: s, source: s, depends_on: \
             [FLEET-ACK-0l] }\n"
                .to_owned(),
            "a.yaml:2:97",
            "did you mean \"FLEET-ACK-01\"",
        ),
        (
            "releases/a.yaml",
            "id: mine\ntitle: t\nquirks: [resume-loses-thread]\n".to_owned(),
            "a.yaml:3:10",
            "is of the role cli",
        ),
    ];
    for (path, text, place, help) in cases {
        let run = run_with(&data(path, text.as_bytes())).code(2);
        // A narrow page breaks lines where it likes.
        let shown =
            String::from_utf8_lossy(&run.get_output().stderr).replace("\n  │ ", " ").replace("\n    ", " ");
        assert!(shown.contains(place) && shown.contains(help), "{path}, {place}, {help}:\n{shown}");
    }
}

#[test]
fn a_fault_that_reaches_no_cell_is_a_finding_when_all_stories_were_told() {
    let text = "id: never\ntitle: Nothing is called like this.\nrule: { host: receiver, at: disk.sync, target: no-such-file, do: \
                kill }\n";
    let (data, out) = (data("faults/a.yaml", text.as_bytes()), folder());
    gauntlet()
        .args(["run", "--lane", "virtual", "--quirks", "never", "--scenarios"])
        .arg(data.path())
        .arg("--out")
        .arg(out.path())
        .assert()
        .code(1)
        .stdout(contains("fault never: no scenario makes the call"));
    gauntlet()
        .args(["run", "--lane", "virtual", "--only", "fleet/nothing-to-do*", "--scenarios"])
        .arg(data.path())
        .arg("--out")
        .arg(out.path())
        .assert()
        .code(0);
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
fn a_quirk_that_would_never_bite_is_pointed_at() {
    let quirk = |at: &str, role: &str, rest: &str| {
        format!("id: q\ntitle: t\nrole: {role}\nat: {at}\nviolates: [FLEET-HTTP-01]\nseen_in: [x]\n{rest}\n")
    };
    for (at, rest, place, words) in [
        ("receiver.response", "do: { exit: 3 }", "a.yaml:7:", "found \"exit\""),
        ("receiver.auth", "do: { truncate: 3 }", "a.yaml:7:", "found \"truncate\""),
        ("receiver.ack", "do: { duplicate: {} }", "a.yaml:7:", "found \"duplicate\""),
        ("receiver.response", "do: { replace: { /statsu: 5 } }", "a.yaml:7:18", "\"status\""),
        ("receiver.response", "do: { replace: { /path: /x } }", "a.yaml:7:18", "status, body"),
        ("receiver.response", "do: omit\nwhen: { matches: { /statsu: 5 } }", "a.yaml:8:20", "\"status\""),
        ("receiver.response", "do: omit\nwhen: { matches: { status: 5 } }", "a.yaml:8:20", "JSON"),
        ("receiver.response", "do: omit\nwhen: { nth: 0 }", "a.yaml:8:14", "nth"),
        ("receiver.response", "do: omit\nwhen: { percent: 101 }", "a.yaml:8:18", "percent"),
        ("receiver.log", "do: { replace: { /line: \"{tokn}\" } }", "a.yaml:7:25", "{token}"),
        ("receiver.log", "do: omit\nwhen: { matches: { /line: \"{shrt}\" } }", "a.yaml:8:27", "{short}"),
        ("cli.exit", "do: { exit: 3 }", "a.yaml:3:7", "\"cli\""),
    ] {
        let run = run_with(&data("quirks/a.yaml", quirk(at, "receiver", rest).as_bytes())).code(2);
        let shown = String::from_utf8_lossy(&run.get_output().stderr).into_owned();
        assert!(shown.contains(place) && shown.contains(words), "{at}, {rest}:\n{shown}");
    }
}

#[test]
fn only_regular_files_of_a_sound_size_are_read_as_data() {
    let run = |folder: &TempDir| {
        let limit = Duration::from_secs(20);
        let out = folder.path().join("out");
        gauntlet()
            .timeout(limit)
            .args(["run", "--lane", "virtual", "--only", "no/such", "--scenarios"])
            .arg(folder.path())
            .arg("--out")
            .arg(out)
            .assert()
    };
    let pipe = data("suites/x/README", b"");
    let made =
        Process::new("mkfifo").arg(pipe.path().join("suites/a.yaml")).status().expect("mkfifo is there");
    assert!(made.success());
    run(&pipe).code(2).stderr(contains("a.yaml").and(contains("regular file")));
    let long = data("suites/a.yaml", &vec![b'#'; 1024 * 1024 + 1]);
    run(&long).code(2).stderr(contains("a.yaml").and(contains("1 MiB")));
    // A folder that leads back to itself has no end.
    let around = data("suites/README", b"");
    std::os::unix::fs::symlink("..", around.path().join("suites/back")).expect("a link");
    run(&around).code(2).stderr(contains("link"));
    // A file may be a link, as it is where a cluster mounts it; what is hidden beside it is not read twice.
    let story = b"id: my/story\ntitle: A story\nsubject: receiver\nsteps:\n  - advance: 1s\n";
    let mounted = data("suites/..2026/a.yaml", story);
    std::os::unix::fs::symlink("..2026/a.yaml", mounted.path().join("suites/a.yaml")).expect("a link");
    run(&mounted).code(4);
}

#[test]
fn what_an_executor_is_called_does_not_lead_out_of_its_cell() {
    let text = fs::read_to_string("../../scenarios/executors/codex.yaml").expect("an executor");
    for (from, to, place) in [
        ("cli: codex", "cli: ../codex", "a.yaml:4:6"),
        ("id: codex", "id: ../../codex", "a.yaml:3:5"),
        ("pid: .hermes", "pid: /tmp", "a.yaml:15:8"),
    ] {
        assert!(text.contains(from), "{from}");
        run_with(&data("executors/a.yaml", text.replace(from, to).as_bytes()))
            .code(2)
            .stderr(contains(place));
    }
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
fn a_message_is_sent_from_a_shell_by_the_profile_that_the_environment_names() {
    use std::io::Write;
    let home = folder();
    let profile = home.path().join(".hermes");
    fs::create_dir_all(&profile).expect("a folder");
    let send = |words: &[&str]| {
        let mut command = gauntlet();
        command.env("HOME", home.path()).env_remove("HERMES_HOME").arg("send").args(words);
        command
    };
    // The shape that the fleet's users know: usage is 2, a failure is 1 and says `error: `.
    for words in [&[][..], &["friend"]] {
        send(words).assert().code(2).stdout("").stderr(contains("Usage"));
    }
    send(&["friend", "hello"])
        .assert()
        .code(1)
        .stdout("")
        .stderr(contains("error: fleet.yaml not found at "));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let yaml = format!("fleet: {{server: {{bind_port: 9219}}, agents: {{friend: {{url: '{url}'}}}}}}");
    fs::write(profile.join("fleet.yaml"), &yaml).expect("a file");
    let friend = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut asked = Vec::new();
        while !asked.ends_with(b"}") {
            let mut space = [0; 4096];
            let read = stream.read(&mut space).expect("a request");
            asked.extend_from_slice(&space[..read]);
        }
        let body = r#"{"jsonrpc":"2.0","id":1,"result":{"kind":"message","message":{"role":"agent","parts":[{"text":"pong"}],"contextId":"c"}}}"#;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).expect("an answer");
        String::from_utf8_lossy(&asked).into_owned()
    });
    send(&["friend", "ping", "--twice", "or more"]).assert().code(0).stdout("pong\n").stderr("");
    let asked = friend.join().expect("the friend was asked");
    assert!(asked.contains(r#""text":"ping --twice or more""#), "{asked}");
    assert!(fs::read_to_string(profile.join("transcripts/friend.jsonl")).expect("a record").contains("pong"));
    assert!(!profile.join("deliveries.jsonl").exists(), "replies are taken by nobody here");
    // Nobody listens any more: it was not sent, and may be sent again.
    let failed =
        send(&["--json", "friend", "ping"]).assert().code(1).stderr(contains("error: network error"));
    let told: Value = serde_json::from_slice(&failed.get_output().stdout).expect("JSON");
    assert_eq!((&told["class"], &told["retry_safe"]), (&"not_sent".into(), &true.into()));
    fs::write(profile.join("fleet.yaml"), yaml.replace("server:", "enabled: false, server:"))
        .expect("a file");
    send(&["friend", "ping"]).assert().code(1).stderr("error: the fleet is switched off in fleet.yaml\n");
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
        Self::of(&["run", "--lane", "real", "--jobs", "2", "--only", "fleet/*"])
    }

    fn of(args: &[&str]) -> Self {
        let (scratch, out) = (folder(), folder());
        let mut command = Process::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.args(args).env("TMPDIR", scratch.path());
        if args.contains(&"run") {
            command.arg("--out").arg(out.path());
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let run = Self { child, scratch, out };
        run.until("a receiver runs", || run.processes() >= 2);
        run
    }

    /// The lines of the results so far. They must be whole at any time.
    fn results(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.out.path().join("results.jsonl")).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn: {text}");
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
    }

    /// Waits until the command says that it got a signal: signals that come too fast are one.
    fn hears(&mut self, text: &str) {
        let mut heard = Vec::new();
        let stderr = self.child.stderr.as_mut().expect("it is piped");
        while !String::from_utf8_lossy(&heard).contains(text) {
            let mut byte = [0];
            stderr.read_exact(&mut byte).expect("the command says that it was signalled");
            heard.push(byte[0]);
        }
    }

    fn leaves_nothing(&self) {
        assert_eq!(self.processes(), 0, "processes of cells are left");
        let left: Vec<_> = fs::read_dir(self.scratch.path()).expect("the folder").flatten().collect();
        assert!(left.is_empty(), "folders of cells are left: {left:?}");
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

/// Whether whoever started the tests had hang-ups ignored, which the command inherits and keeps to.
fn hang_up_is_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).expect("a mask");
    u64::from_str_radix(mask.trim(), 16).expect("a mask") & 1 == 1
}

#[test]
fn a_signal_leaves_a_valid_partial_report_and_no_child() {
    let schema = gauntlet().args(["schema", "summary"]).assert().success();
    let schema: Value = serde_json::from_slice(&schema.get_output().stdout).expect("a schema");
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        if signal == Signal::HUP && hang_up_is_ignored() {
            continue;
        }
        let mut run = SlowRun::start();
        run.signal(signal);
        let code = run.child.wait().expect("the run ends").code();
        assert_eq!(code, Some(3), "{signal:?}");
        run.leaves_nothing();
        let summary = json(&run.out.path().join("summary.json"));
        assert_eq!(summary["complete"], false);
        assert!(jsonschema::is_valid(&schema, &summary));
        assert_eq!(summary["cells"]["total"], run.results().len());
    }
}

#[test]
fn a_second_interrupt_drops_the_running_cells_and_clears_them_away() {
    let mut run = SlowRun::of(&["run", "--lane", "real", "--only", "fleet/nothing-to-do"]);
    run.signal(Signal::INT);
    run.hears("interrupted");
    run.signal(Signal::INT);
    let code = run.child.wait().expect("the run ends").code();
    assert_eq!(code, Some(3));
    run.leaves_nothing();
    // The only cell waits for seconds, and was dropped before it had a verdict.
    assert_eq!(run.results(), Vec::<Value>::new());
    assert_eq!(json(&run.out.path().join("summary.json"))["complete"], false);
}

#[test]
fn a_replay_that_is_terminated_leaves_nothing() {
    let mut replay = SlowRun::of(&["replay", "fleet/nothing-to-do@codex-0.169.0#0~real"]);
    replay.signal(Signal::TERM);
    let code = replay.child.wait().expect("the replay ends").code();
    assert_eq!(code, Some(3));
    replay.leaves_nothing();
}

#[test]
fn a_cell_that_cannot_be_built_leaves_no_folder() {
    let text = "id: mine/impossible\ntitle: A file is in the way of a folder.\nsubject: receiver\ngiven:\n  files: { a: \"\", \
                a/b: \"\" }\nsteps:\n  - dispatch: { text: hello }\n    expect: { acknowledged: true }\n    requirement: \
                FLEET-ACK-01\n";
    let (data, out, scratch) = (data("suites/a.yaml", text.as_bytes()), folder(), folder());
    gauntlet()
        .args(["run", "--lane", "real", "--only", "mine/impossible", "--scenarios"])
        .arg(data.path())
        .arg("--out")
        .arg(out.path())
        .env("TMPDIR", scratch.path())
        .assert()
        .code(3)
        .stdout(contains("cannot furnish the cell"));
    assert_eq!(fs::read_dir(scratch.path()).expect("the folder").count(), 0, "the cell's folder is left");
}

#[test]
fn nothing_outlives_a_harness_that_is_killed_and_its_results_are_whole() {
    let mut run = SlowRun::start();
    run.until("results are written while cells are run", || !run.results().is_empty());
    run.signal(Signal::KILL);
    run.child.wait().expect("the run ends");
    run.until("every child is gone", || run.processes() == 0);
    assert!(!run.results().is_empty());
    assert!(!run.out.path().join("summary.json").exists(), "the run was over before it was killed");
}

/// A story of which every cell fails, and whose trace is longer than what is kept of one.
fn story_that_fails() -> TempDir {
    let files: String = (0..40).map(|n| format!("    f{n}.txt: {}\n", "x".repeat(10_000))).collect();
    let text = format!(
        "id: mine/fails\ntitle: A story that expects what never happens.\nsubject: receiver\ngiven:\n  files:\n{files}\
         steps:\n  - dispatch: {{ as: first, context: c1, text: hello }}\n    expect: {{ acknowledged: false }}\n    \
         requirement: FLEET-ACK-01\n"
    );
    data("suites/a.yaml", text.as_bytes())
}

#[test]
fn of_many_failures_the_first_are_kept_and_the_others_counted() {
    let (data, out) = (story_that_fails(), folder());
    gauntlet()
        .args(["run", "--lane", "virtual", "--version", "0.169.0", "--only", "mine/fails@codex-0.169.0#*"])
        .args(["--seeds", "1100", "--scenarios"])
        .arg(data.path())
        .arg("--out")
        .arg(out.path())
        .assert()
        .code(1);
    let traces: Vec<_> = fs::read_dir(out.path().join("traces")).expect("traces").flatten().collect();
    assert_eq!(traces.len(), 100);
    for trace in traces {
        let text = fs::read_to_string(trace.path()).expect("a trace");
        assert!(text.len() < 300 * 1024, "{} bytes", text.len());
        let last: Value = serde_json::from_str(text.lines().last().expect("lines")).expect("whole lines");
        assert!(last["left_out"].as_u64().is_some_and(|count| count > 0), "{last}");
    }
    let report = json(&out.path().join("codex/report.json"));
    let failures = report["failures"].as_array().expect("failures");
    assert_eq!((failures.len(), &report["failures_left_out"]), (1000, &Value::from(100)));
    assert_eq!(json(&out.path().join("summary.json"))["failures"], 1100);
    let first = &failures[0];
    assert_eq!(first["trace_cut"], true);
    assert!(out.path().join(first["trace"].as_str().expect("a file")).is_file());
    assert_eq!(failures[100].get("trace"), None);
    let shown = fs::read_to_string(out.path().join("codex/report.md")).expect("a report");
    assert!(
        shown.contains("cut; the command above derives it again") && shown.contains("100 more in no report")
    );
}

#[test]
fn the_command_that_reproduces_a_cell_names_the_folders_and_works_in_a_shell() {
    let (data, out) = (story_that_fails(), folder());
    // A name that a shell would take apart.
    let named = data.path().join("it's mine");
    fs::create_dir(&named).expect("a folder");
    fs::rename(data.path().join("suites"), named.join("suites")).expect("it is moved");
    gauntlet()
        .args(["run", "--lane", "virtual", "--version", "0.169.0", "--only", "mine/fails@codex-0.169.0#*"])
        .arg("--scenarios")
        .arg(&named)
        .arg("--out")
        .arg(out.path())
        .assert()
        .code(1);
    let report = json(&out.path().join("codex/report.json"));
    let command = report["failures"][0]["reproduce"].as_str().expect("a command");
    let command = command.replacen("gauntlet", env!("CARGO_BIN_EXE_gauntlet"), 1);
    Command::new("sh").args(["-c", &command]).assert().code(1).stdout(contains("FLEET-ACK-01"));
}

/// A receiver that `gauntlet serve` runs in a repository of its own.
struct Served {
    child: Child,
    port: u16,
    _repo: TempDir,
}

impl Served {
    fn start(args: &[&str]) -> Self {
        let repo = folder();
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let port = port.expect("there is a free port").port();
        let config = repo.path().join(".hermes/codex_receiver.json");
        fs::create_dir(config.parent().expect("a folder")).expect("a folder");
        fs::write(config, serde_json::json!({ "bind_port": port }).to_string()).expect("a file");
        let child = Process::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["serve", "codex"])
            .args(args)
            .current_dir(repo.path())
            .env("HOME", repo.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        Self { child, port, _repo: repo }
    }

    /// The answer to a request, as it is on the wire.
    fn get(&mut self, path: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            assert!(Instant::now() < deadline, "the receiver never listened");
            assert_eq!(self.child.try_wait().expect("it can be asked"), None, "the receiver ended");
            if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", self.port)) {
                let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
                std::io::Write::write_all(&mut stream, request.as_bytes()).expect("it reads");
                let mut answer = String::new();
                stream.read_to_string(&mut answer).expect("it answers");
                return answer;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A release of a user's own, with a framing and a quirk.
fn release() -> TempDir {
    let folder = data(
        "releases/old.yaml",
        b"id: old\ntitle: An old one.\nframing: { server: old-server/0.9, writes_chunks: true }\nquirks: [my-health]\n",
    );
    fs::create_dir(folder.path().join("quirks")).expect("a folder");
    let quirk = "id: my-health\ntitle: Health names another repository.\nrole: receiver\nat: receiver.response\nwhen: { matches: \
                 { /path: /health } }\ndo: { replace: { /body/repo_path: /elsewhere } }\nviolates: \
                 [FLEET-HTTP-02]\nseen_in: [tests]\n";
    fs::write(folder.path().join("quirks/my-health.yaml"), quirk).expect("a file");
    folder
}

#[test]
fn a_served_release_has_its_framing_and_its_quirks() {
    let release = release();
    let folder = release.path().to_string_lossy().into_owned();
    let old = Served::start(&["--release", "old", "--scenarios", &folder]).get("/health").to_lowercase();
    assert!(old.contains("server: old-server/0.9") && old.contains("transfer-encoding: chunked"), "{old}");
    assert!(old.contains("/elsewhere"), "{old}");
    let reference = Served::start(&[]).get("/health").to_lowercase();
    assert!(reference.starts_with("http/1.1 200") && reference.contains("content-length"), "{reference}");
    assert!(!reference.contains("old-server") && !reference.contains("/elsewhere"), "{reference}");
}

#[test]
fn a_quirk_of_each_role_is_tried_once_over_real_processes_also_one_of_a_users_own() {
    let (release, out) = (release(), folder());
    let base = release.path().parent().expect("it is in a folder").to_path_buf();
    let name = release.path().file_name().expect("it has a name").to_owned();
    let quirks = ["my-health", "token-in-log", "agent-message-renamed"];
    gauntlet()
        .current_dir(base)
        .args(["run", "--version", "0.169.0"])
        .args(quirks.iter().flat_map(|quirk| ["--only".to_owned(), format!("+{quirk}")]))
        // The receiver runs in another folder, and must find it all the same.
        .arg("--scenarios")
        .arg(name)
        .arg("--out")
        .arg(out.path())
        .assert()
        .code(0);
    let summary = json(&out.path().join("summary.json"));
    assert_eq!(summary["cells"]["real_lane"], 3);
    let rows = summary["detection"]["quirks"].as_array().expect("rows");
    for id in quirks {
        let row = rows.iter().find(|row| row["id"] == id).expect("each quirk has a row");
        let cell = row["real_cell"].as_str().expect("it was tried");
        assert!(cell.ends_with("#0~real") && cell.contains(id), "{cell}");
        assert_eq!((&row["caught"], row.get("missed_real")), (&Value::from(true), None), "{row}");
    }
    let cell = rows.iter().find(|row| row["id"] == "token-in-log").expect("a row")["real_cell"].clone();
    let replay = gauntlet().args(["replay", cell.as_str().expect("an id")]).assert().code(1);
    replay.stdout(contains("fail           FLEET-INV-06"));
}

/// A version whose profile breaks something is still supported: what it breaks is nobody's failure, under quirks neither.
#[test]
fn a_supported_version_that_breaks_something_passes_by_itself() {
    let out = folder();
    gauntlet()
        .args(["run", "--lane", "virtual", "--version", "0.44.0", "--only", "fleet/second-turn*", "--out"])
        .arg(out.path())
        .assert()
        .code(0)
        .stdout(contains("failures: 0"));
}

#[test]
fn a_table_that_cannot_be_printed_is_told() {
    let out = folder();
    let full = fs::File::options().write(true).open("/dev/full").expect("Linux has it");
    let mut run = Process::new(env!("CARGO_BIN_EXE_gauntlet"));
    run.args(["run", "--lane", "virtual", "--only", "fleet/busy*", "--out"]).arg(out.path());
    let status = run.stdout(full).stderr(Stdio::null()).status().expect("it runs");
    assert_eq!(status.code(), Some(3));
}

/// Every subcommand, by the words that lead to it.
fn subcommands(of: &[String]) -> Vec<Vec<String>> {
    let run = gauntlet().args(of).arg("--help").assert().success();
    let printed = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
    let listed = printed.split("Commands:\n").nth(1).unwrap_or_default();
    let listed = listed.lines().take_while(|line| !line.is_empty());
    // What a command does can go on in lines of its own, further to the right.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help");
    let below = names.flat_map(|name| subcommands(&[of, &[name.to_owned()]].concat()));
    std::iter::once(of.to_vec()).chain(below).collect()
}

#[test]
fn the_help_of_every_command_fits_80_columns() {
    let all = subcommands(&[]);
    assert!(all.len() > 25 && all.contains(&vec!["budget".to_owned(), "show".to_owned()]), "{all:?}");
    let hidden = [vec!["receiver".to_owned()], vec!["stand-in".to_owned()]];
    for command in all.iter().chain(&hidden) {
        for flag in ["-h", "--help"] {
            let run = gauntlet().args(command).arg(flag).assert().success();
            let printed = String::from_utf8_lossy(&run.get_output().stdout).into_owned();
            let wide: Vec<&str> = printed.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{command:?} {flag}: {wide:#?}");
        }
    }
}
