//! `gauntlet certify`: receivers that are not ours, described by a manifest.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A manifest in a folder of its own.
struct Subject {
    folder: TempDir,
}

/// The reference receiver, as somebody who knows nothing of the harness would describe it.
fn reference(args: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_gauntlet"));
    format!(
        "name = \"a receiver\"\nversion = \"7\"\nexecutor = \"codex\"\ndialect = \"a2a_fleet\"\nparallel = 4\n\
         [start]\ncommand = {:?}\nargs = [\"serve\", \"codex\"{args}]\n\
         env = {{ A2A_SUBJECT_TOKEN = \"{{token}}\", A2A_HERMES_TOKEN = \"{{callback_token}}\" }}\n\
         [[files]]\npath = \"{{workdir}}/.hermes/codex_receiver.json\"\ncontent = \"{{fleet_config}}\"\n\
         [limits]\nturn_cap = \"set\"\nlock_wait = \"set\"\nidle = \"set\"\n",
        binary.display().to_string()
    )
}

/// Something that a shell runs in the place of a receiver.
fn shell(script: &str) -> String {
    format!(
        "name = \"no receiver\"\nexecutor = \"codex\"\nparallel = 4\n[start]\ncommand = \"sh\"\n\
         args = [\"-c\", {script:?}, \"{{port}}\"]\n[ready]\nwithin = 0.5\n"
    )
}

impl Subject {
    fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("receiver.toml"), manifest).expect("the manifest is written");
        Self { folder }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn certify(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.arg("certify").arg(self.folder.path().join("receiver.toml")).arg("--out").arg(self.out());
        command.args(args).output().expect("it runs")
    }

    fn report(&self) -> Value {
        read(&self.out().join("codex/report.json"))
    }

    /// The verdict of a requirement, and the reason for it.
    fn verdict(&self, id: &str) -> (String, String) {
        let report = self.report();
        let rows = report["requirements"].as_array().cloned().unwrap_or_default();
        let row = rows.iter().find(|row| row["id"] == id);
        assert!(row.is_some(), "{id} is in the report");
        let row = row.expect("it is there");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&row["verdict"]), text(&row["by_version"][0]["reason"]))
    }
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the file is there")).expect("it is JSON")
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The processes whose arguments hold a mark. The marks are such that nobody else has one.
fn with_mark(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("the process table").flatten();
    let arguments = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let texts = arguments.map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "));
    texts.filter(|text| text.contains(mark)).collect()
}

#[test]
fn our_own_receiver_is_certified_like_any_other() {
    let subject = Subject::new(&reference(""));
    let only =
        ["--only", "fleet/killed-during-a-turn", "--only", "fleet/slots-*", "--only", "fleet/turn-at*"];
    let output = subject.certify(&only);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stdout));
    let report = subject.report();
    assert_eq!(
        report["subject"],
        serde_json::json!({ "kind": "receiver", "name": "a receiver", "release": "7" })
    );
    for id in ["FLEET-TURN-07", "FLEET-TURN-08", "FLEET-INV-02", "FLEET-INV-07"] {
        assert_eq!(subject.verdict(id).0, "pass", "{id}");
    }
    for file in ["report.md", "junit.xml", "badge.svg"] {
        assert!(subject.out().join("codex").join(file).exists(), "{file}");
    }
}

#[test]
fn a_flawed_receiver_gets_a_red_report_with_the_command_that_shows_it_again() {
    let subject = Subject::new(&reference(", \"--quirk\", \"accepts-any-bearer\""));
    let only = ["--only", "fleet/bearer-that-is-not-right*"];
    assert_eq!(code(&subject.certify(&only)), 1);
    let report = subject.report();
    let failure = &report["failures"][0];
    assert!(failure["requirement"].as_str().is_some_and(|id| id.starts_with("FLEET-AUTH-")), "{failure}");
    let reproduce = failure["reproduce"].as_str().unwrap_or_default();
    assert!(reproduce.starts_with("gauntlet certify ") && reproduce.contains("receiver.toml"), "{reproduce}");
    // What failed can be told again by itself.
    let results = subject.out().join("results.jsonl");
    let again = subject.folder.path().join("again.jsonl");
    fs::copy(results, &again).expect("the results are kept");
    let output = subject.certify(&["--failed-in", &again.to_string_lossy()]);
    assert_eq!(code(&output), 1, "{}", said(&output));
}

#[test]
fn what_a_maker_challenges_is_run_and_shown_and_counted_apart() {
    let flawed = reference(", \"--quirk\", \"accepts-any-bearer\"");
    let only = ["--only", "fleet/bearer-that-is-not-right*"];
    let subject = Subject::new(&flawed);
    subject.certify(&only);
    let mut challenged = flawed;
    let report = subject.report();
    let rows = report["requirements"].as_array().cloned().unwrap_or_default();
    for row in rows.iter().filter(|row| row["verdict"] == "fail") {
        challenged.push_str(&format!(
            "[[challenged]]\nrequirement = {}\nreason = \"whoever reaches us may enter\"\n",
            row["id"]
        ));
    }
    let subject = Subject::new(&challenged);
    let output = subject.certify(&only);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stdout));
    let known = &subject.report()["known_failures"][0];
    assert_eq!(known["reason"], "whoever reaches us may enter");
    assert!(known["failed"].as_u64().is_some_and(|failed| failed > 0), "{known}");
}

#[test]
fn what_a_subject_does_not_have_is_skipped_with_the_reason() {
    let manifest = reference("").replace("dialect = \"a2a_fleet\"\n", "");
    let manifest = manifest.replace("turn_cap = \"set\"", "turn_cap = 300");
    let subject = Subject::new(&manifest);
    let only = ["--only", "fleet/turn-at-its-cap", "--only", "fleet/context-free*", "--only", "fleet/usage*"];
    let output = subject.certify(&only);
    assert!([0, 1].contains(&code(&output)), "{}", said(&output));
    let (verdict, reason) = subject.verdict("FLEET-TURN-07");
    assert_eq!(verdict, "skipped");
    assert!(reason.contains("needs 300 s"), "{reason}");
    let report = subject.report();
    let rows = report["requirements"].as_array().cloned().unwrap_or_default();
    let skipped = rows.iter().filter(|row| row["verdict"] == "skipped");
    let reasons: Vec<&str> = skipped.filter_map(|row| row["by_version"][0]["reason"].as_str()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("does not declare urn:")), "{reasons:?}");
}

#[test]
fn a_subject_that_dies_hangs_or_floods_ends_in_verdicts_and_nothing_of_it_is_left() {
    for (kind, mark, script) in [
        ("dies", "73101.5", "sleep 73101.5 & exit 3"),
        ("hangs", "73102.5", "sleep 73102.5"),
        (
            "floods",
            "73103.5",
            "sleep 73103.5 & while :; do echo 0123456789012345678901234567890123456789; done",
        ),
        ("has let its child go", "73104.5", "(setsid sleep 73104.5 &) ; sleep 73104.5"),
    ] {
        let subject = Subject::new(&shell(script));
        let output = subject.certify(&["--only", "fleet/health-and-card-are-public"]);
        assert_eq!(code(&output), 1, "{kind}: {}", String::from_utf8_lossy(&output.stdout));
        assert_eq!(subject.verdict("FLEET-HTTP-01").0, "fail", "{kind}");
        assert_eq!(with_mark(mark), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn a_subject_that_is_never_ready_is_not_waited_for_in_every_story() {
    let folder = tempfile::tempdir().expect("a folder");
    let starts = folder.path().join("starts");
    let script = format!("echo once >> '{}'; sleep 73105.5", starts.display());
    let subject = Subject::new(&shell(&script));
    let output = subject.certify(&["--jobs", "1", "--only", "fleet/bearer-*"]);
    assert_eq!(code(&output), 1, "{}", said(&output));
    let lines = |path: &Path| fs::read_to_string(path).expect("it was written").lines().count();
    let cells = lines(&subject.out().join("results.jsonl"));
    // It is looked at once, and judged by the one story that says so.
    assert_eq!((lines(&starts), cells), (2, 1));
}

#[test]
fn what_a_story_told_again_comes_to_otherwise_is_called_flaky() {
    // It is looked at first, and then told of the story twice: the last time it does not start any more.
    let folder = tempfile::tempdir().expect("a folder");
    let starts = folder.path().join("starts");
    let script = format!(
        "echo once >> {0}; [ $(wc -l < {0}) -le 2 ] || exit 3; exec \"$1\" serve codex",
        starts.display()
    );
    let manifest = reference("");
    let binary = env!("CARGO_BIN_EXE_gauntlet");
    let start = format!("command = {binary:?}\nargs = [\"serve\", \"codex\"]");
    let instead = format!("command = \"sh\"\nargs = [\"-c\", {script:?}, \"sh\", {binary:?}]");
    assert!(manifest.contains(&start), "{manifest}");
    let subject = Subject::new(&manifest.replace(&start, &instead));
    let only = ["--repeat", "2", "--jobs", "1", "--only", "fleet/health-and-card-are-public"];
    let output = subject.certify(&only);
    assert_eq!(code(&output), 1, "{}", said(&output));
    let summary = read(&subject.out().join("summary.json"));
    let problems = summary["problems"].to_string();
    assert!(problems.contains("flaky: FLEET-HTTP-01 failed 1 of the 2 times"), "{problems}");
}

#[test]
fn init_writes_a_manifest_that_certify_takes() {
    let folder = tempfile::tempdir().expect("a folder");
    let manifest = folder.path().join("receiver.toml");
    let binary = env!("CARGO_BIN_EXE_gauntlet");
    let init = |out: &Path| {
        let mut command = Command::new(binary);
        command.args([
            "init",
            "--executor",
            "codex",
            "--fleet",
            "--command",
            &format!("'{binary}' serve codex"),
        ]);
        command
            .args(["--env", "MY_TOKEN={token}", "--env", "THEIR_TOKEN={callback_token}", "--out"])
            .arg(out);
        command.output().expect("it runs")
    };
    let output = init(&manifest);
    assert_eq!(code(&output), 0, "{}", said(&output));
    for seen in ["yes   it becomes ready", "yes   it shows a card", "yes   a turn comes to its reply"] {
        assert!(said(&output).contains(seen), "{seen}: {}", said(&output));
    }
    let text = fs::read_to_string(&manifest).expect("it is written");
    assert!(
        text.contains("declares = [\"urn:gauntlet:ext:task:1\", \"urn:gauntlet:ext:usage:1\", \"urn:gauntlet:ext:handler:1\"]"),
        "{text}"
    );
    assert_eq!(code(&init(&manifest)), 2, "what is there is not written over");
    let subject = Subject::new(&text);
    let output = subject.certify(&["--only", "fleet/second-turn-resumes"]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(subject.verdict("FLEET-HTTP-17").0, "pass");
}

#[test]
fn every_mistake_in_a_manifest_is_pointed_at() {
    for (mistake, replaced, place, message) in [
        ("executor", ("executor = \"codex\"", "executor = \"codexx\""), "3:12", "did you mean \"codex\"?"),
        ("key", ("parallel = 4", "paralell = 4"), "5:1", "did you mean \"parallel\"?"),
        ("word", ("{token}", "{tokn}"), "9:29", "did you mean {token}?"),
        ("limit", ("idle = \"set\"", "idle = \"short\""), "16:8", "expected one of set, none"),
        (
            "program",
            ("[start]\ncommand = ", "[start]\ncommand = \"/no/such\" #"),
            "7:11",
            "expected a program",
        ),
        ("path", ("{workdir}/.hermes", "/etc"), "11:8", "below {workdir}/ or {home}/"),
        ("sort", ("parallel = 4", "parallel = \"four\""), "5:12", "expected u16"),
        ("long limit", ("idle = \"set\"", "idle = 1e9"), "16:8", "expected between 1 and 86400 seconds"),
        ("short limit", ("idle = \"set\"", "idle = 0.1"), "16:8", "expected between 1 and 86400 seconds"),
    ] {
        let subject = Subject::new(&reference("").replace(replaced.0, replaced.1));
        let output = subject.certify(&[]);
        let said = said(&output).replace("\n  │ ", " ");
        assert_eq!(code(&output), 2, "{mistake}: {said}");
        assert!(said.contains(&format!("receiver.toml:{place}")), "{mistake}: {said}");
        assert!(said.contains(message), "{mistake}: {said}");
        assert!(!subject.out().exists(), "{mistake}: nothing is written");
    }
}

#[test]
fn one_that_runs_already_is_judged_as_a_black_box() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join("repo/.hermes")).expect("a folder");
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let config = serde_json::json!({
        "repo_path": folder.path().join("repo"), "bind_host": "127.0.0.1", "bind_port": port,
        "auth_token_env": "MY_TOKEN",
    });
    fs::write(folder.path().join("repo/.hermes/codex_receiver.json"), config.to_string()).expect("a file");
    let mut receiver = std::process::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["serve", "codex"])
        .current_dir(folder.path().join("repo"))
        .env("MY_TOKEN", "a-token-of-my-own")
        .spawn()
        .expect("it starts");
    let url = format!("http://127.0.0.1:{port}");
    let out = folder.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
    command.args(["certify", "--url", &url, "--executor", "codex", "--token-env", "MY_TOKEN"]);
    command.env("MY_TOKEN", "a-token-of-my-own").arg("--out").arg(&out);
    let output = command.args(["--only", "fleet/b*"]).output().expect("it runs");
    let still_runs = receiver.try_wait().expect("it can be asked").is_none();
    receiver.kill().expect("it can be killed");
    receiver.wait().expect("it can be reaped");
    assert!(still_runs, "nobody may end what somebody else started");
    assert_eq!(code(&output), 0, "{}{}", String::from_utf8_lossy(&output.stdout), said(&output));
    let report = read(&out.join("codex/report.json"));
    let rows = report["requirements"].as_array().cloned().unwrap_or_default();
    let with = |verdict: &str| rows.iter().filter(|row| row["verdict"] == verdict).count();
    assert!(with("pass") >= 3, "{} pass", with("pass"));
    let shown = fs::read_to_string(out.join("codex/report.json")).expect("a report");
    assert!(!shown.contains("a-token-of-my-own"), "the bearer is shown");
}

/// A connection to a receiver that is starting.
fn connected(receiver: &mut std::process::Child, port: u16) -> std::net::TcpStream {
    loop {
        match std::net::TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(_) => assert!(receiver.try_wait().expect("it can be asked").is_none(), "it ended"),
        }
        // It has the processor meanwhile.
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn the_trace_of_every_cell_is_kept_and_can_be_judged_and_shown_again() {
    let flawed = reference(", \"--quirk\", \"accepts-any-bearer\"");
    let subject = Subject::new(&flawed);
    let only = ["--only", "fleet/bearer-that-is-not-right*", "--only", "fleet/second-turn-resumes"];
    assert_eq!(code(&subject.certify(&only)), 1);
    let results = fs::read_to_string(subject.out().join("results.jsonl")).expect("results");
    let lines: Vec<Value> = results.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut verdicts = std::collections::BTreeSet::new();
    for line in &lines {
        let verdict = line["verdict"].as_str().unwrap_or_default();
        verdicts.insert(verdict.to_owned());
        let Some(trace) = line["trace"].as_str() else {
            assert_eq!(verdict, "skipped", "{line}");
            continue;
        };
        assert!(trace.ends_with(".jsonl.gz"), "{trace}");
        let file = subject.out().join(trace);
        let packed = fs::read(&file).expect("the trace is kept");
        assert!(packed.starts_with(&[0x1f, 0x8b]) && packed.len() < 256 * 1024, "{trace}");
        let judged = Command::new(env!("CARGO_BIN_EXE_gauntlet")).arg("judge").arg(&file).output();
        let judged = judged.expect("it runs");
        let told = String::from_utf8_lossy(&judged.stdout).into_owned();
        assert!(told.contains(", 0 changed"), "{told}{}", said(&judged));
        assert_eq!(code(&judged), i32::from(verdict == "fail"), "{told}");
        let shown = Command::new(env!("CARGO_BIN_EXE_gauntlet")).arg("replay").arg(&file).output();
        let shown = String::from_utf8_lossy(&shown.expect("it runs").stdout).into_owned();
        assert!(shown.contains("POST /jsonrpc"), "{shown}");
    }
    assert!(verdicts.contains("pass") && verdicts.contains("fail"), "{verdicts:?}");
    let page = fs::read_to_string(subject.out().join("codex/report.html")).expect("a page");
    let kept = lines.iter().find(|line| line["verdict"] == "pass").expect("one passed");
    let link = format!("href=\"../{}\"", kept["trace"].as_str().expect("it has a trace"));
    assert!(page.contains(&link), "the page does not lead to {link}");
}

#[test]
fn what_was_set_up_is_taken_down_also_when_setting_up_fails_or_is_interrupted() {
    for (setup, interrupted) in [("exit 3", false), ("echo begun > begun; exec sleep 73106.5", true)] {
        let errands = format!(
            "[[setup]]\ncommand = \"sh\"\nargs = [\"-c\", {setup:?}]\n\
             [[teardown]]\ncommand = \"sh\"\nargs = [\"-c\", \"echo down > down\"]\n"
        );
        let subject = Subject::new(&format!("{}{errands}", reference("")));
        let here = subject.folder.path();
        let mut certify = std::process::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["certify", "--only", "fleet/second-turn-resumes", "--out"])
            .arg(subject.out())
            .arg(here.join("receiver.toml"))
            .spawn()
            .expect("it starts");
        if interrupted {
            while !here.join("begun").exists() {
                assert!(certify.try_wait().expect("it can be asked").is_none(), "it ended");
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            let pid = rustix::process::Pid::from_child(&certify);
            rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it is interrupted");
        }
        assert_eq!(certify.wait().expect("it ends").code(), Some(3), "{setup}");
        assert!(here.join("down").exists(), "{setup}");
        assert!(!subject.out().exists(), "{setup}: nothing was run");
        assert_eq!(with_mark("73106.5"), Vec::<String>::new(), "{setup}");
    }
}

#[test]
fn a_served_receiver_can_have_a_cli_that_is_played() {
    use std::io::Write;
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir_all(folder.path().join(".hermes")).expect("a folder");
    let callbacks = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let config = serde_json::json!({
        "repo_path": folder.path(), "bind_port": port, "auth_token_env": "MY_TOKEN",
        "hermes_url": format!("http://{}/jsonrpc", callbacks.local_addr().expect("it listens")),
    });
    fs::write(folder.path().join(".hermes/codex_receiver.json"), config.to_string()).expect("a file");
    let receiver = std::process::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
        .args(["serve", "codex", "--version", "newest"])
        .current_dir(folder.path())
        .env("MY_TOKEN", "a-token-of-my-own")
        .env("TMPDIR", folder.path())
        .spawn();
    let mut receiver = receiver.expect("it starts");
    let mut stream = connected(&mut receiver, port);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"role":"user","parts":[{"text":"hi"}]}}}"#;
    let head = "POST /jsonrpc HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer a-token-of-my-own";
    write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
    let (mut callback, _) = callbacks.accept().expect("it calls back");
    let told = whole(&mut callback);
    let pid = rustix::process::Pid::from_child(&receiver);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is told to end");
    write!(callback, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{{}}").expect("it is taken");
    drop(callback);
    receiver.wait().expect("it ends");
    assert!(told.contains("\"ok\""), "{told}");
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").flatten().collect();
    let left = left.iter().filter(|entry| entry.file_name().to_string_lossy().starts_with("gauntlet-cell"));
    assert_eq!(left.count(), 0, "the folder of the stand-in is left");
}

/// A request with its body.
fn whole(stream: &mut std::net::TcpStream) -> String {
    use std::io::Read;
    let mut seen = Vec::new();
    let mut space = [0; 4096];
    loop {
        let read = stream.read(&mut space).expect("it is sent");
        seen.extend_from_slice(&space[..read]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let length = text
            .to_ascii_lowercase()
            .split_once("content-length: ")
            .and_then(|(_, rest)| rest.split("\r\n").next()?.trim().parse::<usize>().ok());
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body.len());
        if read == 0 || length.zip(body).is_some_and(|(length, body)| body >= length) {
            return text;
        }
    }
}

#[test]
fn what_can_be_served_is_listed() {
    let serve = |args: &[&str]| Command::new(env!("CARGO_BIN_EXE_gauntlet")).arg("serve").args(args).output();
    let output = serve(&["codex", "--list"]).expect("it runs");
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(code(&output), 0, "{}", said(&output));
    for named in ["codex  --version ", "--release reference", "--quirk accepts-any-bearer"] {
        assert!(told.contains(named), "{named}: {told}");
    }
    assert!(!told.contains("opencode  --version"), "{told}");
    for wrong in [&["codex", "--version", "0.0.1"][..], &["codex", "--quirk", "resume-loses-thread"], &[]] {
        assert_eq!(code(&serve(wrong).expect("it runs")), 2, "{wrong:?}");
    }
}

#[test]
fn a_served_receiver_tells_at_its_end_what_its_client_broke() {
    use std::io::{Read, Write};
    for (bearer, expected) in [("Bearer a-token-of-my-own", 0), ("Bearer another", 1)] {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join(".hermes")).expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("a port").port();
        drop(free);
        let config = serde_json::json!({
            "repo_path": folder.path(), "bind_port": port, "auth_token_env": "MY_TOKEN", "hermes_url": "http://127.0.0.1:1/jsonrpc",
        });
        fs::write(folder.path().join(".hermes/codex_receiver.json"), config.to_string()).expect("a file");
        let receiver = std::process::Command::new(env!("CARGO_BIN_EXE_gauntlet"))
            .args(["serve", "codex", "--judge", "--out", "seen"])
            .current_dir(folder.path())
            .env("MY_TOKEN", "a-token-of-my-own")
            .spawn();
        let mut receiver = receiver.expect("it starts");
        let mut stream = connected(&mut receiver, port);
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"SendMessage","params":{"message":{"role":"user","parts":[{"text":"hi"}]}}}"#;
        let head =
            format!("POST /jsonrpc HTTP/1.1\r\nHost: x\r\nAuthorization: {bearer}\r\nConnection: close");
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("it is sent");
        stream.read_to_end(&mut Vec::new()).expect("it is answered");
        let pid = rustix::process::Pid::from_child(&receiver);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is told to end");
        let status = receiver.wait().expect("it ends");
        assert_eq!(status.code(), Some(expected), "{bearer}");
        let report = read(&folder.path().join("seen/client.json"));
        assert_eq!(report["requirements"][0]["id"], "FLEET-CLI-01", "{report}");
        let schema = Command::cargo_bin("gauntlet").expect("it is built").args(["schema", "client"]).output();
        let schema: Value = serde_json::from_slice(&schema.expect("it runs").stdout).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        assert!(validator.is_valid(&report), "{report}");
        let mut broken = report.clone();
        broken["requirements"][0]["verdict"] = "splendid".into();
        assert!(!validator.is_valid(&broken), "anything can stand as a verdict");
    }
}
