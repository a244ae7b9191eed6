//! `gauntlet replay`, what it saves, `gauntlet judge`, and cells that are held.

mod cells;
mod own;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use cells::library;
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::runner::{self, Settings};
use gauntlet_engine::saved;
use gauntlet_reports::Lane;
use own::{FAILS, Folder, gauntlet, shown};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

const CELL: &str = "fleet/work-in-the-repository@codex-0.169.0#0";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_diagram_leads_from_lane_to_lane_and_fits() {
    let run = gauntlet().args(["replay", CELL]).assert().success();
    let text = String::from_utf8(run.get_output().stdout.clone()).expect("text");
    let (diagram, _) = text.split_once("\n\n").expect("a diagram before the transcript");
    assert!(diagram.lines().all(|line| line.chars().count() <= 100), "{diagram}");
    let head = diagram.lines().next().expect("a head");
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["ms", "runtime", "receiver", "CLI"]);
    for arrow in [
        "|---------->|           |      POST /jsonrpc",
        "|           |---------->|      codex exec",
        "|<----------|           |      callback:",
    ] {
        assert!(diagram.contains(arrow), "{arrow}: {diagram}");
    }
}

#[test]
fn what_a_peer_says_cannot_reach_the_terminal_as_it_is() {
    let story = "id: mine/hostile\ntitle: A CLI whose words are commands of a terminal.\nsubject: receiver\nexecutors: [codex]\ngiven:\n  \
                 executor: { turns: [ { reply: \"\\e[2Jgone \\u202edesrever \\u200b\" } ] }\nsteps:\n  - dispatch: { as: first, context: c1, \
                 text: hello }\n    expect: { acknowledged: true }\n    requirement: FLEET-ACK-01\n";
    let folder = Folder::with(&[("suites/hostile.yaml", story)]);
    let mut command = gauntlet();
    let run =
        command.args(["replay", "mine/hostile@codex-0.169.0#0", "--scenarios"]).arg(folder.path()).assert();
    let text = String::from_utf8(run.get_output().stdout.clone()).expect("text");
    assert!(text.contains("\\u{1b}[2Jgone"), "{text}");
    for hidden in ['\u{1b}', '\u{202e}', '\u{200b}'] {
        assert!(!text.contains(hidden), "{hidden:?}");
    }
}

#[test]
fn a_saved_trace_is_private_holds_no_secret_and_is_judged_as_it_was() {
    let out = folder();
    for id in [CELL.to_owned(), format!("{CELL}~real")] {
        let file = out.path().join("trace.jsonl");
        fs::write(&file, "an earlier one, for everybody to read").expect("a file");
        gauntlet().args(["replay", &id, "--save"]).arg(&file).assert().success();
        assert_eq!(fs::metadata(&file).expect("it is there").permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&file).expect("text");
        assert!(text.contains("Bearer {{gauntlet-secret:") && !text.contains("Bearer tok-"), "{id}");
        let run = gauntlet().arg("judge").arg(&file).assert().success();
        assert!(shown(&run).contains("verdicts as they were saved, 0 changed"), "{}", shown(&run));
    }
}

/// Whatever oracles look at is in the file: bytes that are no text, contexts that receivers made up, bearers.
#[test]
fn every_cell_is_judged_the_same_when_it_was_written_and_read() {
    let library = library();
    let out = folder();
    let file = out.path().join("trace.jsonl");
    let selection = Selection {
        executors: vec!["codex".to_owned(), "hermes".to_owned()],
        versions: vec!["0.169.0".to_owned(), "node".to_owned()],
        lanes: vec![Lane::Virtual],
        ..Selection::default()
    };
    let mut judged = 0;
    for plan in selection.plain(&library) {
        if gauntlet_engine::matrix::not_here(&library, &plan).is_some() {
            continue;
        }
        let outcome = runner::outcome(&plan, &library, &Settings::default(), &Default::default());
        let outcome = outcome.expect("nobody ended the cell");
        saved::write(&file, &library, &plan, &outcome).expect("it can be written");
        let read = saved::read(&file, &library).unwrap_or_else(|error| panic!("{}: {error}", plan.id()));
        let again = read.judge(&library);
        assert!(again.changed.is_empty(), "{}: {:?}", plan.id(), again.changed);
        judged += again.judgements.len();
    }
    assert!(judged > 1000, "{judged}");
}

#[test]
fn what_changed_or_fails_is_said_and_ends_with_1() {
    let out = folder();
    let file = out.path().join("trace.jsonl");
    gauntlet().args(["replay", CELL, "--save"]).arg(&file).assert().success();
    let text = fs::read_to_string(&file).expect("text");
    let judge = |text: String| {
        fs::write(&file, text).expect("a file");
        shown(&gauntlet().arg("judge").arg(&file).assert().code(1))
    };
    // Oracles were wrong once, and are right today.
    let printed = judge(text.replacen("\"FLEET-INV-02\":\"pass\"", "\"FLEET-INV-02\":\"fail\"", 1));
    assert!(
        printed.contains("changed FLEET-INV-02: fail -> pass") && printed.contains("1 changed"),
        "{printed}"
    );
    // What was observed is another thing: the reply never came.
    let callbacks =
        |line: &&str| !line.contains("\"what\":\"callback\"") && !line.contains("\"what\":\"delivered\"");
    let (head, rest) = text.split_once('\n').expect("a head");
    let kept: Vec<&str> = rest.lines().filter(callbacks).collect();
    let mut head: Value = serde_json::from_str(head).expect("JSON");
    head["observations"] = Value::from(kept.len());
    let printed = judge(format!("{head}\n{}\n", kept.join("\n")));
    assert!(printed.contains("changed") && printed.contains("pass -> fail"), "{printed}");
    // A failure stays one.
    gauntlet()
        .args(["replay", "fleet/session-that-is-gone@opencode-1.18.33:a2a_fleet#0", "--save"])
        .arg(&file)
        .assert()
        .code(1);
    let run = gauntlet().arg("judge").arg(&file).assert().code(1);
    assert!(
        shown(&run).contains("fail FLEET-OC-05") && shown(&run).contains(" 0 changed"),
        "{}",
        shown(&run)
    );
}

#[test]
fn a_trace_that_cannot_be_read_is_exit_2_with_position_expectation_and_suggestion() {
    let out = folder();
    let file = out.path().join("trace.jsonl");
    gauntlet().args(["replay", CELL, "--save"]).arg(&file).assert().success();
    let text = fs::read_to_string(&file).expect("text");
    let lines = text.lines().count();
    let without_last: String = text.split_inclusive('\n').take(lines - 1).collect();
    for (damaged, words) in [
        (String::new(), vec!["trace.jsonl:1:1", "the file is empty", "--save FILE"]),
        ("hello\n".to_owned(), vec!["trace.jsonl:1:", "expected the head of a saved trace", "--save FILE"]),
        (text[..text.len() - 20].to_owned(), vec!["expected an observation", "cut in the middle"]),
        (without_last, vec!["observations; found", "save the trace again"]),
        (
            text.replacen("\"ready\"", "\"raedy\"", 1),
            vec!["unknown variant `raedy`", "did you mean \"ready\"?"],
        ),
        (
            text.replacen("gauntlet.trace/1", "gauntlet.trace/9", 1),
            vec!["expected the format", "gauntlet.trace/9"],
        ),
        (
            text.replacen("work-in-the", "wrk-in-the", 1),
            vec!["trace.jsonl:1:38", "did you mean \"fleet/work-in-the-repository\"?"],
        ),
        (
            text.replacen("codex-0.169.0#", "codex-0.168.0#", 1),
            vec!["trace.jsonl:1:", "did you mean \"codex-0.169.0\"?"],
        ),
        (text.replacen("\"secrets\"", "\"secerts\"", 1), vec!["trace.jsonl:1:", "did you mean \"secrets\"?"]),
    ] {
        fs::write(&file, damaged).expect("a file");
        let printed = shown(&gauntlet().arg("judge").arg(&file).assert().code(2));
        assert!(words.iter().all(|word| printed.contains(word)), "{words:?}: {printed}");
    }
    gauntlet().args(["judge", "/no/such/trace"]).assert().code(2);
}

#[test]
fn an_id_that_no_longer_exists_is_pointed_at() {
    for (id, words) in [
        (
            "fleet/work-in-the-repositry@codex-0.169.0#0",
            vec!["column 1", "did you mean \"fleet/work-in-the-repository\"?"],
        ),
        (
            "fleet/work-in-the-repository@codex-0.168.0#0",
            vec!["column 30", "did you mean \"codex-0.169.0\"?"],
        ),
        (
            "fleet/work-in-the-repository@codex-0.169.0+busy-with-another-cod#0",
            vec!["busy-with-another-code\"?"],
        ),
        ("fleet/work-in-the-repository@codex-0.169.0:a2a_flet#0", vec!["did you mean \"a2a_fleet\"?"]),
        ("fleet/work-in-the-repository@codex-0.169.0", vec!["expected the id of one cell"]),
        ("fleet/*@codex-0.169.0#0", vec!["expected the id of one cell"]),
    ] {
        let printed = shown(&gauntlet().args(["replay", id]).assert().code(2));
        assert!(words.iter().all(|word| printed.contains(word)), "{words:?}: {printed}");
    }
}

/// A replay that is held, with what it told.
struct HeldReplay {
    child: Child,
    scratch: TempDir,
    told: Vec<String>,
}

impl HeldReplay {
    fn of(args: &[&str]) -> Self {
        let scratch = folder();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.arg("replay").args(args).env("TMPDIR", scratch.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let mut told = Vec::new();
        while !told.last().is_some_and(|line: &String| line.starts_with("Enter lets it go on")) {
            told.push(lines.next().expect("it says that it is held").expect("text"));
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, scratch, told }
    }

    fn says(&self, what: &str) -> Vec<&str> {
        let said = self.told.iter().filter_map(|line| line.trim_start().strip_prefix(what));
        said.map(str::trim).collect()
    }

    fn folder(&self) -> PathBuf {
        PathBuf::from(self.says("folder")[0])
    }

    fn receiver(&self) -> PathBuf {
        let first = self.says("process")[0].split(' ').next().expect("a pid").to_owned();
        Path::new("/proc").join(first)
    }

    fn ends(mut self) -> Option<i32> {
        let receiver = self.receiver();
        let code = self.child.wait().expect("it ends").code();
        // A dead one is in /proc until whoever inherited it has reaped it.
        let state = fs::read_to_string(receiver.join("stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "the receiver still runs: {state}");
        assert_eq!(
            fs::read_dir(self.scratch.path()).expect("the folder").count(),
            0,
            "the cell's folder is left"
        );
        code
    }
}

#[test]
fn a_cell_is_held_before_a_step_until_enter_and_then_cleared_away() {
    let mut held = HeldReplay::of(&[&format!("{CELL}~real"), "--hold", "first"]);
    assert_eq!(held.says("held"), ["before step 1, first"]);
    assert!(held.folder().join("repo").is_dir() && held.receiver().exists(), "{:?}", held.told);
    let mut stdin = held.child.stdin.take().expect("it is piped");
    stdin.write_all(b"\n").expect("it listens");
    assert_eq!(held.ends(), Some(0));
}

#[test]
fn an_interrupt_ends_a_cell_that_is_held() {
    let held = HeldReplay::of(&[&format!("{CELL}~real"), "--hold", "1"]);
    let pid = Pid::from_raw(i32::try_from(held.child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::INT).expect("it can be signalled");
    assert_eq!(held.ends(), Some(3));
}

#[test]
fn a_cell_is_held_at_its_first_failure() {
    let folder = Folder::with(&[("suites/fails.yaml", FAILS)]);
    let data = folder.path().to_str().expect("a path");
    let mut held =
        HeldReplay::of(&["mine/fails@codex-0.169.0#0~real", "--hold", "failure", "--scenarios", data]);
    let why = held.says("held").join(" ");
    assert!(why.contains("step 1: expected") && why.contains("observed"), "{why}");
    assert!(held.receiver().exists());
    drop(held.child.stdin.take());
    assert_eq!(held.ends(), Some(1));
}

#[test]
fn what_cannot_be_held_is_wrong_usage() {
    for (args, words) in [
        (vec![CELL, "--hold", "1"], vec!["expected a cell of the real lane", "#0~real"]),
        (
            vec!["fleet/work-in-the-repository@codex-0.169.0#0~real", "--hold", "fisrt"],
            vec!["1 first", "did you mean \"first\"?"],
        ),
        (vec!["fleet/work-in-the-repository@codex-0.169.0#0~real", "--hold", "99"], vec!["expected a step"]),
    ] {
        let printed = shown(&gauntlet().arg("replay").args(&args).assert().code(2));
        assert!(words.iter().all(|word| printed.contains(word)), "{words:?}: {printed}");
    }
}
