//! Lists of known failures: what they excuse, what they do not, and how they are written.

mod own;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::assert::Assert;
use own::{FAILS, Folder, HOLDS, SOMETIMES, gauntlet, json, shown};
use predicates::prelude::*;
use predicates::str::contains;

const CELL: &str = "mine/fails@codex-0.169.0#0";

fn entry(pattern: &str, further: &str) -> String {
    format!(
        "- pattern: '{pattern}'\n  reason: it is slow\n  owner: ann\n  issue: bridge/7\n  expires: 2030-01-31\n{further}"
    )
}

/// A folder with stories of a user's own and one list of known failures.
struct Run {
    folder: Folder,
    list: PathBuf,
}

impl Run {
    fn with(list: &str) -> Self {
        let folder = Folder::with(&[("suites/fails.yaml", FAILS), ("suites/holds.yaml", HOLDS)]);
        let path = folder.path().join("known.yaml");
        fs::write(&path, list).expect("a file");
        Self { folder, list: path }
    }

    fn run(&self, further: &[&str]) -> Assert {
        let mut command = self.folder.run("mine/*@codex-0.169.0");
        command.arg("--known-failures").arg(&self.list).args(["--today", "2030-01-31"]).args(further).assert()
    }

    fn out(&self) -> PathBuf {
        self.folder.out()
    }

    fn list(&self) -> String {
        fs::read_to_string(&self.list).expect("the list")
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a report")
}

#[test]
fn what_is_listed_and_fails_is_counted_apart_in_every_report() {
    let run = Run::with(&entry(&format!("{CELL}!FLEET-ACK-01"), ""));
    run.run(&[])
        .code(0)
        .stdout(contains("failures: 0").and(contains("known  mine/fails")).and(contains("it is slow")));
    let summary = json(&run.out().join("summary.json"));
    assert_eq!((&summary["failures"], &summary["exit_code"]), (&0.into(), &0.into()));
    let known = &summary["known_failures"];
    assert_eq!((&known["failures"], &known["entries"][0]["state"]), (&1.into(), &"known".into()));
    let must = &summary["executors"][0]["compliance"]["must"];
    assert_eq!(
        (&must["fail"], &must["known"]),
        (&0.into(), &1.into()),
        "the row is neither kept nor a failure"
    );
    let report = json(&run.out().join("codex/report.json"));
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(0));
    assert_eq!(report["known_failures"][0]["owner"], "ann");
    assert!(text(&run.out().join("codex/report.md")).contains("## Known failures"));
    let junit = text(&run.out().join("codex/junit.xml"));
    assert!(
        junit.contains("type=\"known\"") && junit.contains("it is slow (ann, bridge/7, until 2030-01-31"),
        "{junit}"
    );
    let results = text(&run.out().join("results.jsonl"));
    assert!(results.contains("\"known\":[\"FLEET-ACK-01\"]"), "{results}");
    assert!(!run.out().join("traces").exists(), "a known failure is nobody's surprise");
}

#[test]
fn the_list_excuses_what_it_names_and_nothing_else() {
    for (pattern, excused) in [
        (CELL.to_owned(), true),
        ("mine/fails@codex-*".to_owned(), true),
        (format!("{CELL}!FLEET-ACK-*"), true),
        // Another requirement of the same cell.
        (format!("{CELL}!FLEET-INV-06"), false),
        // The same cell with another seed.
        ("mine/fails@codex-0.169.0#1".to_owned(), false),
        ("mine/fails@codex-0.44.0!FLEET-ACK-01".to_owned(), false),
    ] {
        let run = Run::with(&entry(&pattern, "")).run(&[]);
        let printed = shown(&run);
        assert_eq!(printed.contains("codex 0.169.0: FLEET-ACK-01 failed"), !excused, "{pattern}\n{printed}");
    }
}

#[test]
fn the_requirement_may_stand_on_a_line_of_its_own() {
    Run::with(&entry(CELL, "  requirement: FLEET-ACK-01\n")).run(&[]).code(0);
    let both = Run::with(&entry(&format!("{CELL}!FLEET-ACK-01"), "  requirement: FLEET-ACK-01\n"));
    let printed = shown(&both.run(&[]).code(2));
    assert!(
        printed.contains("known.yaml:6:16") && printed.contains("the pattern names one as well"),
        "{printed}"
    );
}

#[test]
fn what_is_listed_and_passes_is_an_error_with_its_place() {
    let list = entry(CELL, "") + &entry("mine/holds@codex-0.169.0#0!FLEET-ACK-01", "");
    let run = Run::with(&list);
    let printed = shown(&run.run(&[]).code(1));
    assert!(
        printed.contains("known.yaml:6:12") && printed.contains("and passed in mine/holds@codex-0.169.0#0"),
        "{printed}"
    );
    let entries = &json(&run.out().join("summary.json"))["known_failures"]["entries"];
    assert_eq!((&entries[0]["state"], &entries[1]["state"]), (&"known".into(), &"passed".into()));
}

#[test]
fn an_entry_holds_through_its_last_day_and_is_an_error_from_the_next_one() {
    let list = entry(CELL, "");
    Run::with(&list).run(&[]).code(0);
    let run = Run::with(&list);
    let mut command = run.folder.run("mine/*@codex-0.169.0");
    let over =
        command.arg("--known-failures").arg(&run.list).args(["--today", "2030-02-01"]).assert().code(1);
    let printed = shown(&over);
    assert!(printed.contains("expired on 2030-01-31") && printed.contains("known.yaml:1:12"), "{printed}");
    assert!(printed.contains("codex 0.169.0: FLEET-ACK-01 failed"), "it excuses nothing any more: {printed}");
}

#[test]
fn a_list_that_is_wrong_stops_the_run_before_it_starts() {
    for (list, words) in [
        (entry("mine/fials@codex-0.169.0", ""), vec!["known.yaml:1:12", "did you mean \"mine/fails\""]),
        (entry("mine/fails@codex-0.168.0", ""), vec!["known.yaml:1:24", "did you mean \"codex-0.169.0\""]),
        (entry("mine/fails@codex-0.169.0+no-such-quirk", ""), vec!["known.yaml:1:38", "a quirk or fault"]),
        (entry("mine/fails@opencode-1.0.0", ""), vec!["known.yaml:1:24", "is not for this executor"]),
        (
            entry(&format!("{CELL}!FLEET-ACK-0l"), ""),
            vec!["known.yaml:1:40", "did you mean \"FLEET-ACK-01\""],
        ),
        (
            entry(&format!("{CELL}!FLEET-AUTH-03"), ""),
            vec!["known.yaml:1:40", "none judges \"FLEET-AUTH-03\""],
        ),
        (entry("mine/fails@codex-0.169.0#x", ""), vec!["known.yaml:1:38", "expected a number"]),
        (entry(CELL, "").replace("2030-01-31", "soon"), vec!["known.yaml:5:12", "YYYY-MM-DD"]),
        (
            entry(CELL, "").replace("it is slow", "\"\""),
            vec!["known.yaml:2:11", "the reason to be filled in"],
        ),
        (entry(CELL, "").replace("  owner: ann\n", ""), vec!["known.yaml:4:3", "owner"]),
        (entry(CELL, "  flacky: true\n"), vec!["known.yaml:6:3", "did you mean \"flaky\""]),
        ("pattern: a\n".to_owned(), vec!["known.yaml:1:1"]),
    ] {
        let run = Run::with(&list);
        let printed = shown(&run.run(&[]).code(2));
        assert!(words.iter().all(|word| printed.contains(word)), "{words:?}:\n{printed}");
        assert!(!run.out().exists(), "nothing was run");
    }
    Run::with("").folder.run("mine/*").args(["--known-failures", "/no/such/list.yaml"]).assert().code(2);
}

#[test]
fn an_error_of_the_harness_is_never_excused() {
    let text = "id: mine/impossible\ntitle: A file is in the way of a folder.\nsubject: receiver\nexecutors: [codex]\ngiven:\n  files: \
                { a: \"\", a/b: \"\" }\nsteps:\n  - dispatch: { text: hello }\n    expect: { acknowledged: true }\n    requirement: \
                FLEET-ACK-01\n";
    let folder = Folder::with(&[("suites/a.yaml", text)]);
    let list = folder.path().join("known.yaml");
    fs::write(&list, entry("mine/impossible", "")).expect("a file");
    let mut command = gauntlet();
    command.args([
        "run",
        "--lane",
        "real",
        "--only",
        "mine/impossible",
        "--today",
        "2029-01-01",
        "--scenarios",
    ]);
    command.arg(folder.path()).arg("--out").arg(folder.out()).arg("--known-failures").arg(&list);
    command.assert().code(3).stdout(contains("cannot furnish the cell"));
}

#[test]
fn what_is_flaky_may_pass_and_fail_and_is_told_with_how_often() {
    let folder = Folder::with(&[("suites/a.yaml", SOMETIMES)]);
    let list = folder.path().join("known.yaml");
    let run = |option: &str, text: &str| {
        fs::write(&list, text).expect("a file");
        let mut command = folder.run("mine/sometimes-*@codex-0.169.0");
        command.args(["--today", "2029-01-01", option]).arg(&list).assert()
    };
    let plain = entry("mine/sometimes-*", "");
    let rows = |run: Assert| {
        run.code(0);
        let row = json(&folder.out().join("summary.json"))["known_failures"]["entries"][0].clone();
        assert_eq!((&row["state"], &row["flaky"]), (&"flaky".into(), &true.into()), "{row}");
        let (failed, passed) = (row["failed"].as_u64(), row["passed"].as_u64());
        assert!(failed > Some(0) && passed > Some(0), "the story is told with both ends: {row}");
    };
    rows(run("--known-flaky", &plain));
    rows(run("--known-failures", &(plain.clone() + "  flaky: true\n")));
    run("--known-failures", &plain).code(1).stdout(contains("and passed in"));
}

#[test]
fn an_update_prunes_writes_and_keeps_the_rest_as_it_is() {
    let head = "# What we know.\n\n# Gone since spring.\n";
    let stale = entry("mine/holds@codex-0.169.0#0", "");
    let dead = entry("mine/renamed-long-ago", "");
    let stays = entry("mine/fails@codex-0.44.0", "").replace("it is slow", "it is slow # as always");
    let run = Run::with(&format!("{head}{stale}{dead}# Mind this one.\n{stays}"));
    run.run(&["--update-known-failures"])
        .code(0)
        .stderr(contains("1 written, 2 taken out").and(contains("mine/renamed-long-ago")));
    let written = run.list();
    let new = "- pattern: \"mine/fails@codex-0.169.0#0\"\n  requirement: FLEET-ACK-01\n  reason: \"\"\n  owner: \"\"\n  expires: \
               2030-05-01\n";
    assert_eq!(written, format!("# What we know.\n\n# Mind this one.\n{stays}{new}"));
    // Nobody has said why yet.
    run.run(&[])
        .code(2)
        .stderr(contains("the reason to be filled in").and(contains("the owner to be filled in")));
    fs::write(&run.list, written.replace("reason: \"\"", "reason: old").replace("owner: \"\"", "owner: bo"))
        .expect("a file");
    run.run(&[]).code(0);
    let before = run.list();
    run.run(&["--update-known-failures"]).code(0);
    assert_eq!(run.list(), before, "an update of a list that is right changes nothing");
}

#[test]
fn an_update_narrows_a_pattern_that_passes_in_part_and_keeps_its_reason() {
    let run = Run::with(&entry("mine/*@codex-0.169.0!FLEET-ACK-01", ""));
    run.run(&[]).code(1);
    run.run(&["--update-known-failures"]).code(0);
    let expected = "- pattern: \"mine/fails@codex-0.169.0#0\"\n  requirement: FLEET-ACK-01\n  reason: \"it is slow\"\n  owner: \"ann\"\n  \
                    issue: \"bridge/7\"\n  expires: 2030-01-31\n";
    assert_eq!(run.list(), expected);
    run.run(&[]).code(0);
}

#[test]
fn an_update_makes_a_list_where_there_is_none_and_prolongs_nothing() {
    let run = Run::with("");
    fs::remove_file(&run.list).expect("it is there");
    run.run(&["--update-known-failures"]).code(0);
    assert!(run.list().contains(CELL));
    let expired = Run::with(&entry(CELL, "").replace("2030-01-31", "2029-12-31"));
    let before = expired.list();
    let run = expired.run(&["--update-known-failures"]).code(1);
    assert!(shown(&run).contains("expired on 2029-12-31"), "{}", shown(&run));
    assert_eq!(expired.list(), before, "somebody has to say that it goes on");
}
