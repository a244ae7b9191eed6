//! Which cells a run takes: patterns, rows of the catalogue, what failed before, quirks, shards.

mod own;

use std::collections::BTreeSet;
use std::fs;

use gauntlet_engine::cell::Plan;
use gauntlet_engine::data::{Library, Source};
use gauntlet_engine::matrix::Selection;
use gauntlet_engine::narrow::{Crossing, Narrow};
use own::{FAILS, Folder, HOLDS, gauntlet, json, shown};
use predicates::str::contains;

fn stories() -> Folder {
    Folder::with(&[("suites/fails.yaml", FAILS), ("suites/holds.yaml", HOLDS)])
}

#[test]
fn a_pattern_is_compared_component_by_component() {
    let folder = stories();
    for (pattern, cells) in [
        ("mine/holds", 5),
        ("mine/*", 10),
        ("mine/h?lds", 5),
        // A star does not leave its component.
        ("mine*0.169.0", 0),
        ("mine**0.169.0#0", 2),
        ("*/h*lds@codex-0.1*", 2),
        ("mine/holds@codex-0.44.0", 1),
        ("mine/holds@codex-0.44.0#0", 1),
        ("mine/holds@codex-0.44.0#1", 0),
        ("mine/holds~real", 0),
    ] {
        let _ = fs::remove_dir_all(folder.out());
        let code = folder.run(pattern).output().expect("it runs").status.code();
        if cells == 0 {
            assert_eq!(code, Some(4), "{pattern}");
            continue;
        }
        let taken = folder.cells();
        assert_eq!(taken.len(), cells, "{pattern}: {taken:?}");
    }
}

#[test]
fn what_is_no_pattern_is_pointed_at() {
    for (pattern, words) in [
        ("fleet/busy@", "column 12: expected an executor and version"),
        ("fleet/busy#7+quirk", "expected `+` before a seed"),
        ("fleet/busy#0~rael", "did you mean `~real`?"),
        ("", "found nothing"),
    ] {
        let run = gauntlet().args(["run", "--only", pattern]).assert().code(2);
        assert!(shown(&run).contains(words), "{pattern}: {}", shown(&run));
    }
}

#[test]
fn nothing_selected_says_what_was_asked_for_and_what_is_near() {
    let folder = stories();
    let run = folder.run("mine/hods@codex-0.169.0").args(["--level", "may"]).assert().code(4);
    let printed = shown(&run);
    for words in
        ["--only mine/hods@codex-0.169.0", "--lane virtual", "--level may", "--quirks none", "mine/holds"]
    {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    assert!(!folder.out().exists());
}

#[test]
fn only_the_rows_that_were_asked_for_are_scored_in_cells_that_judge_them() {
    let folder = stories();
    folder.put(
        "suites/other.yaml",
        &HOLDS
            .replace("mine/holds", "mine/other")
            .replace("requirement: FLEET-ACK-01", "requirement: FLEET-ACK-12"),
    );
    folder.run("mine/*@codex-0.169.0").args(["--requirement", "FLEET-ACK-01"]).assert().code(1);
    assert_eq!(folder.cells(), ["mine/fails@codex-0.169.0#0", "mine/holds@codex-0.169.0#0"]);
    let report = json(&folder.out().join("codex/report.json"));
    let rows = report["requirements"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), ["FLEET-ACK-01"]);
    folder
        .run("mine/*@codex-0.169.0")
        .args(["--requirement", "FLEET-ACK-*", "--role", "receiver"])
        .assert()
        .code(1);
    assert_eq!(folder.cells().len(), 3);
    // Every cell judges an invariant.
    folder.run("mine/*@codex-0.169.0").args(["--requirement", "FLEET-INV-06"]).assert().code(0);
    assert_eq!(folder.cells().len(), 3);
    let text = fs::read_to_string(folder.out().join("results.jsonl")).expect("results");
    assert!(!text.contains("FLEET-ACK-01"), "what was not asked for is not judged: {text}");
    folder.run("mine/*").args(["--level", "may"]).assert().code(4);
    folder.run("mine/*").args(["--role", "hermes"]).assert().code(4);
}

#[test]
fn an_unknown_row_class_level_role_or_quirk_is_exit_2_with_the_nearest() {
    for (option, value, near) in [
        ("--requirement", "FLEET-ACK-0l", "FLEET-ACK-01"),
        ("--class", "cor", "core"),
        ("--level", "shoud", "should"),
        ("--role", "reciever", "receiver"),
        ("--quirks", "callback-to-another-contxt", "callback-to-another-context"),
    ] {
        let run = gauntlet().args(["run", option, value]).assert().code(2);
        let printed = shown(&run);
        let expected = format!("did you mean \"{near}\"");
        assert!(printed.contains(option) && printed.contains(&expected), "{printed}");
    }
    for part in ["0/2", "3/2", "x"] {
        gauntlet().args(["run", "--shard", part]).assert().code(2).stderr(contains("expected a part"));
    }
}

#[test]
fn what_failed_before_is_run_again_and_nothing_else() {
    let folder = stories();
    folder.run("mine/*@codex-0.169.0").args(["--seed", "3", "--seeds", "2"]).assert().code(1);
    let before = folder.path().join("before.jsonl");
    fs::copy(folder.out().join("results.jsonl"), &before).expect("the results");
    let again = |further: &[&str]| {
        let mut command = gauntlet();
        command
            .args(["run", "--lane", "virtual", "--scenarios"])
            .arg(folder.path())
            .arg("--out")
            .arg(folder.out());
        command.arg("--failed-in").arg(&before).args(further).assert()
    };
    again(&[]).code(1);
    assert_eq!(folder.cells(), ["mine/fails@codex-0.169.0#3", "mine/fails@codex-0.169.0#4"]);
    again(&["--only", "*#4"]).code(1);
    assert_eq!(folder.cells(), ["mine/fails@codex-0.169.0#4"]);
    again(&["--executor", "opencode"]).code(4).stderr(contains("--failed-in"));
    let text = fs::read_to_string(&before).expect("the results");
    for (damaged, words) in [
        (text[..text.len() - 9].to_owned(), vec!["before.jsonl:4:", "cut in the middle"]),
        (text.replacen("\"lane\"", "\"lnae\"", 1), vec!["before.jsonl:1:", "lnae"]),
        (text.replace("mine/fails", "mine/fials"), vec!["before.jsonl:1:8", "did you mean \"mine/fails\""]),
        (text.replace("0.169.0", "0.168.0"), vec!["before.jsonl:1:19", "did you mean \"codex-0.169.0\""]),
        (String::new(), vec!["before.jsonl:1:1", "empty"]),
    ] {
        fs::write(&before, damaged).expect("a file");
        let printed = shown(&again(&[]).code(2));
        assert!(words.iter().all(|word| printed.contains(word)), "{words:?}: {printed}");
    }
    fs::write(
        &before,
        text.lines()
            .filter(|line| line.contains("holds"))
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .expect("a file");
    again(&[]).code(4).stderr(contains("no cell of that run failed"));
    gauntlet().args(["run", "--failed-in", "/no/such/results.jsonl"]).assert().code(2);
}

#[test]
fn results_that_were_cut_at_a_line_end_are_noticed_by_the_summary_beside_them() {
    let folder = stories();
    folder.run("mine/*@codex-0.169.0").args(["--seed", "3", "--seeds", "2"]).assert().code(1);
    let results = folder.out().join("results.jsonl");
    let text = fs::read_to_string(&results).expect("the results");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let cut: String = lines[..lines.len() - 1].concat();
    fs::write(&results, &cut).expect("a file");
    let words = |run: &assert_cmd::assert::Assert| {
        let printed = shown(run);
        for words in [
            format!("results.jsonl:{}:1: expected {} lines", lines.len(), lines.len()),
            format!("found {}", lines.len() - 1),
            "the file was cut".to_owned(),
        ] {
            assert!(printed.contains(&words), "{words}: {printed}");
        }
    };
    let asked: [&[&str]; 2] =
        [&["run", "--lane", "virtual", "--failed-in"], &["list", "--roadmap", "--results"]];
    for args in asked {
        let own = folder.path();
        words(&gauntlet().args(args).arg(&results).arg("--scenarios").arg(own).assert().code(2));
    }
    words(&gauntlet().args(["list", "--roadmap", "--results"]).arg(folder.out()).assert().code(2));
    // Elsewhere it may be somebody's choice of lines.
    let chosen = folder.path().join("chosen.jsonl");
    fs::write(&chosen, &cut).expect("a file");
    let mut again = gauntlet();
    again.args(["run", "--lane", "virtual", "--scenarios"]).arg(folder.path());
    again.arg("--failed-in").arg(&chosen).arg("--out").arg(folder.path().join("again"));
    again.assert().code(1);
}

#[test]
fn what_a_quirk_makes_fail_as_it_should_is_no_failure_of_before() {
    let folder = stories();
    let mut command = gauntlet();
    command.args([
        "run",
        "--lane",
        "virtual",
        "--only",
        "fleet/busy-context@codex-0.169.0",
        "--quirks",
        "busy-*",
        "--out",
    ]);
    command.arg(folder.out()).assert().success();
    let mut again = gauntlet();
    again.args(["run", "--lane", "virtual", "--failed-in"]).arg(folder.out().join("results.jsonl"));
    again.arg("--out").arg(folder.path().join("out")).assert().code(4);
}

#[test]
fn quirks_cross_as_far_as_they_were_asked_for() {
    let folder = stories();
    let of = |quirks: &[&str]| {
        let mut command = gauntlet();
        command.args([
            "run",
            "--lane",
            "virtual",
            "--version",
            "0.169.0",
            "--only",
            "mine/holds",
            "--scenarios",
        ]);
        command.arg(folder.path()).arg("--out").arg(folder.out());
        let asked = quirks.iter().flat_map(|quirk| ["--quirks", quirk]);
        command.args(asked).assert().success();
        folder.cells().into_iter().filter(|id| id.contains('+')).collect::<BTreeSet<String>>()
    };
    let (all, none) = (of(&["all"]), of(&["none"]));
    assert!(all.len() > 20 && none.is_empty(), "{} and {}", all.len(), none.len());
    assert_eq!(of(&[]), all);
    let one = of(&["callback-to-another-context"]);
    assert_eq!(one, BTreeSet::from(["mine/holds@codex-0.169.0+callback-to-another-context#0".to_owned()]));
    let some = of(&["callback-*", "none"]);
    assert!(some.is_superset(&one) && some.is_subset(&all) && some.len() < all.len());
}

#[test]
fn the_shards_are_apart_and_together_the_whole() {
    let folder = stories();
    let mut cells = Vec::new();
    for part in ["1/3", "2/3", "3/3"] {
        let _ = fs::remove_dir_all(folder.out());
        // A part of so few cells may be empty, which is exit 4.
        let code = folder.run("mine/*").args(["--shard", part]).output().expect("it runs").status.code();
        if code != Some(4) {
            cells.extend(folder.cells());
        }
    }
    assert_eq!(cells.len(), 10);
    folder.run("mine/*").assert().code(1);
    assert_eq!(cells.into_iter().collect::<BTreeSet<_>>(), folder.cells().into_iter().collect());
}

#[test]
fn a_cell_with_a_quirk_over_real_processes_can_be_asked_for_by_its_id() {
    let folder = stories();
    let id = "fleet/busy-context@codex-0.169.0+busy-with-another-code#0~real";
    let mut command = gauntlet();
    let run = command.args(["run", "--only", id, "--out"]).arg(folder.out()).assert();
    assert_eq!(folder.cells(), [id], "{}", shown(&run));
}

#[test]
fn without_quirks_the_same_plain_cells_are_run_as_with_them() {
    let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
    let of = |quirks: &[&str]| {
        let quirks: Vec<String> = quirks.iter().map(|quirk| (*quirk).to_owned()).collect();
        let crossing = Crossing::of(&library, &quirks).expect("they are known");
        let selection = Selection {
            narrow: Narrow { crossing, ..Narrow::default() },
            thorough: false,
            ..Selection::default()
        };
        selection.plain(&library).iter().map(Plan::id).collect::<BTreeSet<_>>()
    };
    assert_eq!(of(&["none"]), of(&[]));
    // Who tries one quirk wants to see it in every lane.
    assert!(of(&["callback-twice-with-new-id"]).len() > of(&[]).len());
}

#[test]
fn a_quirk_is_tried_on_all_that_can_show_it_and_on_the_rest_by_thirds() {
    let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
    let everything: Vec<String> = library.quirks.keys().chain(library.faults.keys()).cloned().collect();
    let tried = |selection: &Selection| {
        let plain = selection.probes(&library).into_iter().filter(|plan| plan.profile.executor() == "codex");
        let plain = plain.filter(|plan| !plan.scenario.given.battery).take(12);
        let crossed = plain.flat_map(|plain| selection.crossed(&library, &plain, &everything)).collect();
        let sampled = selection.sampled(&library, crossed);
        let of =
            |plan: &Plan| Some((plan.scenario.id.value.clone(), plan.deviation.as_ref()?.id().to_owned()));
        sampled.iter().filter_map(of).collect::<BTreeSet<_>>()
    };
    let with = |thorough: bool, crossing: Crossing, seed: u64| {
        let narrow = Narrow { crossing, ..Narrow::default() };
        tried(&Selection { thorough, seed, narrow, ..Selection::default() })
    };
    let all = with(false, Crossing::All, 0);
    assert_eq!(with(true, Crossing::Usual, 0), all);
    let thirds: Vec<_> = (0..3).map(|seed| with(false, Crossing::Usual, seed)).collect();
    assert_eq!(thirds.iter().flatten().cloned().collect::<BTreeSet<_>>(), all);
    for third in &thirds {
        assert!(3 * third.len() < 2 * all.len(), "{} of {}", third.len(), all.len());
        let ids: BTreeSet<&String> = third.iter().map(|(_, id)| id).collect();
        assert_eq!(ids, all.iter().map(|(_, id)| id).collect(), "each is tried somewhere");
    }
    let judges = |(story, id): &&(String, String)| {
        let rows = library.scenarios[story].then.iter().filter(|check| check.executor.is_none());
        let rows: Vec<_> = rows.map(|check| &check.requirement).collect();
        let violated = library.quirks.get(id).map(|quirk| quirk.violates.as_slice()).unwrap_or_default();
        violated.iter().any(|id| rows.iter().any(|row| row.value == *id))
    };
    let judging: Vec<_> = all.iter().filter(judges).collect();
    assert!(judging.len() > 12, "{judging:?}");
    assert!(judging.iter().all(|cell| thirds.iter().all(|third| third.contains(*cell))));
}
