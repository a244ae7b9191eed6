//! What commands print for programs keeps the published schema of it; so do saved traces. What a document names is there.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;

const CELL: &str = "fleet/turn-at-its-cap@codex-0.169.0#0";

fn gauntlet() -> Command {
    let mut command = Command::cargo_bin("gauntlet").expect("it is built");
    command.env_remove("HERMES_HOME");
    command
}

fn printed(command: &mut Command, code: i32) -> Value {
    let run = command.assert().code(code);
    serde_json::from_slice(&run.get_output().stdout).expect("JSON")
}

fn schema(format: &str) -> Value {
    printed(gauntlet().args(["schema", format]), 0)
}

fn mistakes(format: &str, document: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema(format)).expect("a schema");
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// It keeps the schema, and would not with this in it.
fn keeps(format: &str, document: &Value, pointer: &str, wrong: Value) {
    assert_eq!(mistakes(format, document), Vec::<String>::new(), "{format}");
    let mut broken = document.clone();
    let member = broken.pointer_mut(pointer);
    assert!(member.is_some(), "{format} has {pointer}");
    *member.expect("it is there") = wrong;
    assert!(!mistakes(format, &broken).is_empty(), "{format}: anything can stand at {pointer}");
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn a_saved_trace_and_what_is_said_of_it_keep_their_schemas() {
    let out = folder();
    let file = out.path().join("trace.jsonl");
    gauntlet().args(["replay", CELL, "--save"]).arg(&file).assert().success();
    let text = fs::read_to_string(&file).expect("text");
    let lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    assert!(lines.len() > 10, "{} lines", lines.len());
    let validator = jsonschema::validator_for(&schema("trace")).expect("a schema");
    for line in &lines {
        let mistakes: Vec<String> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert!(mistakes.is_empty(), "{line}: {mistakes:?}");
    }
    keeps("trace", &lines[0], "/schema", "gauntlet.trace/2".into());
    keeps("trace", &lines[1], "/what", "guessed".into());
    let judged = printed(gauntlet().arg("judge").arg(&file).args(["--format", "json"]), 0);
    assert_eq!(judged["changed"], Value::Array(Vec::new()));
    keeps("judge", &judged, "/requirements/0/verdict", "perhaps".into());
    fs::write(&file, text.replacen("\"FLEET-INV-02\":\"pass\"", "\"FLEET-INV-02\":\"fail\"", 1))
        .expect("a file");
    let judged = printed(gauntlet().arg("judge").arg(&file).args(["--format", "json"]), 1);
    assert_eq!(
        (&judged["changed"][0]["then"], &judged["changed"][0]["now"]),
        (&"fail".into(), &"pass".into())
    );
    keeps("judge", &judged, "/changed/0/then", "perhaps".into());
}

#[test]
fn what_quirks_violate_keeps_its_schema_exact_or_not() {
    let told =
        printed(gauntlet().args(["quirk", "check", "receiver-forgets-its-profile", "--format", "json"]), 0);
    assert_eq!(
        (&told["exact"], &told["quirks"][0]["violates"]),
        (&1.into(), &serde_json::json!(["ROUTE-10"]))
    );
    keeps("quirk-check", &told, "/quirks/0/cells", "many".into());
    let own = folder();
    let quirks = own.path().join("quirks");
    fs::create_dir_all(&quirks).expect("a folder");
    let text = include_str!("../scenarios/quirks/receiver-forgets-its-profile.yaml");
    let text =
        text.replace("id: receiver-forgets-its-profile", "id: mine").replace("ROUTE-10", "FLEET-ACK-01");
    fs::write(quirks.join("mine.yaml"), text).expect("a file");
    let check = |fix: &[&str], code| {
        let mut command = gauntlet();
        command.args(["quirk", "check", "mine", "--format", "json", "--scenarios"]).arg(own.path());
        printed(command.args(fix), code)
    };
    let told = check(&[], 1);
    assert_eq!(told["quirks"][0]["missed"][0]["requirement"], "FLEET-ACK-01");
    assert!(told["quirks"][0]["patch"].as_str().is_some_and(|patch| patch.contains("+violates: [ROUTE-10]")));
    keeps("quirk-check", &told, "/quirks/0/unnamed/0/requirement", 7.into());
    assert_eq!(check(&["--fix"], 0)["mended"], 1);
    assert_eq!(check(&[], 0)["exact"], 1, "the file was written");
}

#[test]
fn lists_and_explanations_keep_their_schemas() {
    for things in ["requirements", "scenarios", "quirks", "profiles", "releases", "faults"] {
        keeps("list", &printed(gauntlet().args(["list", things, "--format", "json"]), 0), "/0", 7.into());
    }
    let roadmap = printed(gauntlet().args(["list", "--roadmap", "--format", "json"]), 0);
    keeps("list", &roadmap, "/0", "a line".into());
    for id in
        ["ROUTE-10", "fleet/busy-context", "receiver-forgets-its-profile", "receiver.callback", "codex", CELL]
    {
        keeps(
            "explain",
            &printed(gauntlet().args(["explain", id, "--format", "json"]), 0),
            "/0/kind",
            7.into(),
        );
    }
}

#[test]
fn what_the_doctor_finds_keeps_its_schema() {
    let output = gauntlet().args(["doctor", "--format", "json"]).output().expect("it runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    keeps("doctor", &found, "/findings/0/state", "splendid".into());
}

#[test]
fn how_budgets_stand_keeps_its_schema() {
    let home = folder();
    let fleet = "fleet:\n  server: { bind_port: 9219, token_env: T }\n  agents:\n    peer:\n      url: http://127.0.0.1:9\n      budget: { tokens: 10, period: never }\n";
    fs::write(home.path().join("fleet.yaml"), fleet).expect("a file");
    let budget = |does: &str, home: &Path| {
        printed(gauntlet().env("HERMES_HOME", home).args(["budget", does, "--format", "json"]), 0)
    };
    keeps("budget", &budget("show", home.path()), "/budgets/0/tokens/used", "much".into());
    keeps("budget", &budget("reset", home.path()), "/reset/0", 7.into());
}

#[test]
fn what_became_of_a_message_keeps_its_schema() {
    let home = folder();
    let fleet = "fleet:\n  server: { bind_port: 9219, token_env: T }\n  agents:\n    peer:\n      url: http://127.0.0.1:9\n";
    fs::write(home.path().join("fleet.yaml"), fleet).expect("a file");
    let told =
        printed(gauntlet().env("HERMES_HOME", home.path()).args(["send", "--json", "peer", "ping"]), 1);
    assert_eq!(told["class"], "not_sent");
    keeps("send", &told, "/retry_safe", "perhaps".into());
}

#[test]
fn the_published_file_of_a_saved_trace_is_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reports/schema/trace-1.json");
    let text = serde_json::to_string_pretty(&gauntlet_engine::saved::schema()).expect("JSON") + "\n";
    if std::env::var_os("GAUNTLET_BLESS").is_some() {
        fs::write(&path, &text).expect("it can be written");
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), text, "GAUNTLET_BLESS=1 writes it");
}

#[test]
fn every_row_of_the_fault_table_is_a_quirk_a_fault_or_a_story_that_there_is() {
    let named = |kind: &str| -> Vec<String> {
        let listed = printed(gauntlet().args(["list", kind, "--format", "json"]), 0);
        let ids = listed.as_array().expect("a list").iter().map(|one| one["id"].as_str());
        ids.map(|id| id.expect("an id").to_owned()).collect()
    };
    let there = [named("quirks"), named("faults"), named("scenarios")].concat();
    let text = fs::read_to_string("../../docs/fault-table.md").expect("the document");
    let rows: Vec<Vec<&str>> =
        text.lines().filter(|line| line.starts_with("| Q-")).map(|line| line.split('|').collect()).collect();
    let numbers: Vec<&str> = rows.iter().map(|row| row[1].trim()).collect();
    let expected: Vec<String> = (1..=88).map(|number| format!("Q-{number:02}")).collect();
    assert_eq!(numbers, expected);
    for row in rows {
        let names: Vec<&str> = row[2..].iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        assert!(!names.is_empty(), "{} is nothing", row[1]);
        for name in names {
            // A story with rows has its name and theirs.
            let rows_of = format!("{name}-");
            let is_there = there.iter().any(|id| id == name || id.starts_with(&rows_of));
            assert!(is_there, "{}: there is no {name}", row[1]);
        }
    }
}
