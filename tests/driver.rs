//! `gauntlet certify runtime.toml`: runtimes that are not ours, by their drivers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Instant;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// A manifest in a folder of its own.
struct Subject {
    folder: TempDir,
    manifest: PathBuf,
}

/// The sample runtime of `tests/subjects/python`, or its flawed copy with some of its flaws.
fn python(program: &str, flaws: &str) -> Subject {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/subjects/python");
    let program = samples.join(program).canonicalize().expect("the sample is there");
    Subject::new(&format!(
        "name = \"a runtime\"\nexecutor = \"codex\"\nversion = \"7\"\nparallel = 4\n[driver]\ncommand = \"python3\"\nargs = [{:?}]\n\
         env = {{ FLAWS = {flaws:?} }}\n",
        program.display().to_string()
    ))
}

/// Something that a shell runs in the place of a driver.
fn shell(script: &str) -> Subject {
    Subject::new(&format!(
        "name = \"no runtime\"\nexecutor = \"codex\"\nparallel = 4\n[driver]\ncommand = \"sh\"\nargs = [\"-c\", {script:?}]\nwithin = 0.5\n"
    ))
}

impl Subject {
    fn new(manifest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("runtime.toml");
        fs::write(&path, manifest).expect("the manifest is written");
        Self { folder, manifest: path }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn certify(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gauntlet"));
        command.arg("certify").arg(&self.manifest).arg("--out").arg(self.out());
        command.args(args).output().expect("it runs")
    }

    fn report(&self) -> Value {
        let path = self.out().join("codex/report.json");
        serde_json::from_slice(&fs::read(path).expect("the report is there")).expect("it is JSON")
    }

    /// The requirements with a verdict.
    fn with(&self, verdict: &str) -> Vec<String> {
        let report = self.report();
        let rows = report["requirements"].as_array().cloned().unwrap_or_default();
        let rows = rows.iter().filter(|row| row["verdict"] == verdict);
        rows.filter_map(|row| row["id"].as_str().map(str::to_owned)).collect()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_runtime_that_somebody_else_wrote_is_certified() {
    let subject = python("client.py", "");
    let output = subject.certify(&[]);
    assert_eq!(code(&output), 0, "{}", said(&output));
    let report = subject.report();
    let wanted = serde_json::json!({ "kind": "runtime", "name": "a runtime", "release": "7" });
    assert_eq!(report["subject"], wanted);
    let passed = subject.with("pass");
    for id in [
        "FLEET-CLI-01",
        "FLEET-CLI-02",
        "FLEET-CLI-03",
        "FLEET-CLI-04",
        "FLEET-CLI-07",
        "FLEET-CLI-08",
        "FLEET-CLI-09",
        "FLEET-CLI-14",
        "FLEET-CLI-18",
        "FLEET-CLI-19",
        "FLEET-AUTH-09",
        "FLEET-HUB-14",
        "FLEET-INV-04",
    ] {
        assert!(passed.iter().any(|passed| passed == id), "{id} is not among {passed:?}");
    }
    // What a driver cannot be told is not run, and says so.
    let rows = report["requirements"].as_array().cloned().unwrap_or_default();
    let skipped = rows.iter().filter(|row| row["verdict"] == "skipped");
    for row in skipped {
        let reason = row["by_version"][0]["reason"].as_str().unwrap_or_default();
        assert!(!reason.is_empty(), "{row}");
    }
    assert!(subject.with("skipped").iter().any(|id| id == "FLEET-DEP-01"));
    assert_eq!(subject.with("fail"), Vec::<String>::new());
}

#[test]
fn each_flaw_of_a_runtime_is_found_by_the_row_that_it_breaks() {
    for (flaw, story, broken) in [
        ("any-context", "fleet/replies-in-another-order", ["FLEET-CLI-09", "FLEET-INV-04"].as_slice()),
        ("twice", "fleet/reply-that-is-sent-twice", &["FLEET-INV-04"]),
        ("again", "fleet/peer-that-acknowledges-somebody-else", &["FLEET-CLI-19"]),
        ("any-bearer", "fleet/reply-from-a-stranger", &["FLEET-CLI-18"]),
        ("safe", "fleet/peer-that-answers-with-something-else-a-task", &["FLEET-CLI-14"]),
    ] {
        let subject = python("flawed_client.py", flaw);
        let output = subject.certify(&["--only", story]);
        assert_eq!(code(&output), 1, "{flaw}: {}", said(&output));
        let mut failed = subject.with("fail");
        failed.sort();
        assert_eq!(failed, broken, "{flaw}");
        let reproduce = subject.report()["failures"][0]["reproduce"].as_str().unwrap_or_default().to_owned();
        assert!(reproduce.starts_with("gauntlet certify ") && reproduce.contains(story), "{reproduce}");
    }
}

#[test]
fn the_whole_report_on_a_flawed_runtime_is_red() {
    let subject = python("flawed_client.py", "any-context,twice,again,any-bearer,safe");
    assert_eq!(code(&subject.certify(&[])), 1);
    let failed = subject.with("fail");
    for id in ["FLEET-CLI-14", "FLEET-CLI-18", "FLEET-CLI-19", "FLEET-INV-04"] {
        assert!(failed.iter().any(|failed| failed == id), "{id} is not among {failed:?}");
    }
}

#[test]
fn a_driver_that_does_not_do_as_it_is_told_ends_in_verdicts_that_say_so() {
    for (script, says) in [
        ("exit 3", "the driver ended"),
        ("echo hello; sleep 600", "expected a JSON object"),
        ("read order; echo '{\"seq\": 9}'; sleep 600", "expected the answer to name its order"),
        ("sleep 600", "none came"),
        ("yes | tr -d '\\n'", "expected a line of at most"),
        (
            "read order; echo '{\"seq\": 1, \"callback_url\": \"nowhere\"}'; sleep 600",
            "expected a URL on 127.0.0.1",
        ),
    ] {
        let subject = shell(script);
        let began = Instant::now();
        let output = subject.certify(&["--only", "fleet/peer-that-answers"]);
        assert_eq!(code(&output), 1, "{script}: {}", said(&output));
        assert!(began.elapsed().as_secs() < 60, "{script}: it took {:?}", began.elapsed());
        let failures = subject.report()["failures"].to_string();
        assert!(failures.contains(says), "{script}: {failures}");
        assert!(subject.with("fail").iter().any(|id| id == "FLEET-CLI-01"), "{script}");
    }
}

#[test]
fn nothing_of_a_driver_survives_the_run() {
    let mark = format!("61{:04}", std::process::id() % 10_000);
    let subject = shell(&format!("sleep {mark} & sleep {mark}"));
    subject.certify(&["--only", "fleet/peer-that-answers"]);
    let processes = fs::read_dir("/proc").expect("the process table").flatten();
    let arguments = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    let left: Vec<String> = arguments
        .map(|bytes| String::from_utf8_lossy(&bytes).replace('\0', " "))
        .filter(|text| text.starts_with("sleep") && text.contains(&mark))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_bearer_that_a_driver_writes_down_or_answers_is_found() {
    let started = "\"seq\": 1, \"callback_url\": \"http://127.0.0.1:9/jsonrpc\"";
    for script in [
        format!(
            "read order; echo \"$A2A_HERMES_TOKEN\" > notes; echo '{{{started}}}'; read order; sleep 600"
        ),
        format!("read order; echo '{{{started}, \"note\": \"'$A2A_HERMES_TOKEN'\"}}'; read order; sleep 600"),
    ] {
        let subject = shell(&script);
        assert_eq!(code(&subject.certify(&["--only", "fleet/peer-that-answers"])), 1);
        assert!(subject.with("fail").iter().any(|id| id == "FLEET-AUTH-09"), "{script}");
    }
}

#[test]
fn a_mistake_in_a_manifest_is_pointed_at() {
    let subject = Subject::new(
        "name = \"x\"\nexecutor = \"codex\"\n[driver]\ncommand = \"python3\"\nargs = [\"{her}/client.py\"]\n",
    );
    let output = subject.certify(&[]);
    assert_eq!(code(&output), 2);
    let said = said(&output);
    assert!(said.contains("runtime.toml:5:") && said.contains("did you mean {here}?"), "{said}");
}
