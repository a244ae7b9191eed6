//! What each profile prints is what the real version printed, byte for byte, but for ids, times, places and accounts.
#![expect(clippy::disallowed_methods, reason = "a test reads fixtures and has no host of its own")]

use std::time::Duration;

use gauntlet_simulators::cli::profile::Profile;
use gauntlet_simulators::stage::{Failure, Part, ShellCommand};
use gauntlet_world::process::Stdin;
use serde_json::Value;

use super::{ID, VERSIONS, line, profile};
use crate::rig::{self, Ran, Rig, SCRATCH, all_belong_to, answer, cell, failing, finish, repository};

const CASES: [&str; 9] =
    ["version", "text", "resume", "usedsession", "badsession", "tool", "err401", "cut", "usage"];

/// The recorded text of one stream; what was not kept was empty.
fn recorded(version: &str, case: &str, stream: &str) -> String {
    rig::recorded(profile(version), case, stream).unwrap_or_default()
}

/// The session of a recorded case.
fn session(case: &str) -> String {
    let last = match case {
        "badsession" => "b",
        "tool" => "c",
        "err401" => "d",
        "cut" => "e",
        _ => return ID.to_owned(),
    };
    format!("a5dc9c3a-9bdc-5c73-b2af-dc5db3006d1{last}")
}

async fn play(version: &str, case: &str) -> Ran {
    play_on(Rig::claude(version), case).await
}

async fn play_on(rig: Rig, case: &str) -> Ran {
    let id = session(case);
    match case {
        "version" => rig.run(&["--version"], Part::default()).await,
        "text" => rig.claude_turn("--session-id", &id, answer("hello from mock")).await,
        "resume" => {
            rig.claude_turn("--session-id", &id, answer("hello from mock")).await;
            rig.claude_turn("--resume", &id, answer("second turn")).await
        }
        "usedsession" => {
            rig.claude_turn("--session-id", &id, answer("hello from mock")).await;
            rig.claude_turn("--session-id", &id, answer("x")).await
        }
        "badsession" => rig.claude_turn("--resume", &id, answer("x")).await,
        "tool" => {
            let echo = ShellCommand {
                command: "echo TOOLRAN".to_owned(),
                output: "TOOLRAN".to_owned(),
                exit: 0,
                after: None,
                run: false,
            };
            rig.claude_turn("--session-id", &id, Part { commands: vec![echo], ..answer("tool done") }).await
        }
        // The recorder ended it after a minute.
        "err401" => {
            let child = rig
                .start(&line("--session-id", &id), failing(Failure::Unauthorized, None), Stdin::Null)
                .await;
            rig.shell.clock().sleep(Duration::from_secs(60)).await;
            rig.machine.kill(child.pid);
            finish(child).await
        }
        "cut" => rig.claude_turn("--session-id", &id, failing(Failure::Cut, Some("hello from mock"))).await,
        "usage" => rig.run(&["-p", "do it", "--no-such-option"], Part::default()).await,
        other => unreachable!("no such case: {other}"),
    }
}

fn compare(version: &str) {
    compare_profile(version, &profile(version));
}

fn compare_profile(version: &str, profile: &Profile) {
    for case in CASES {
        let ran = cell(async { play_on(Rig::claude_of(profile.clone(), Vec::new()), case).await });
        assert_eq!(
            normalised(&ran.stdout),
            normalised(&recorded(version, case, "stdout.jsonl")),
            "{version} {case}: standard output"
        );
        assert_eq!(ran.stderr, recorded(version, case, "stderr.txt"), "{version} {case}: standard error");
    }
}

#[test]
fn claude_1_0_100_prints_what_was_recorded() {
    compare("1.0.100");
}

#[test]
fn claude_1_0_128_prints_what_was_recorded() {
    compare("1.0.128");
}

#[test]
fn claude_2_0_0_prints_what_was_recorded() {
    compare("2.0.0");
}

#[test]
fn claude_2_1_330_prints_what_was_recorded() {
    compare("2.1.330");
}

/// What the recorder makes of the recordings prints them too, byte for byte, without a hand.
#[test]
fn profiles_that_the_recorder_makes_print_what_was_recorded() {
    for version in VERSIONS {
        compare_profile(version, &rig::made("claude_code", version).profile);
    }
}

#[test]
fn exit_codes_are_the_recorded_ones() {
    let folder = repository("tests/fixtures/claude_code");
    let codes = std::fs::read_to_string(folder.join("exit-codes.txt")).expect("the codes were recorded");
    let mut compared = 0;
    for entry in codes.lines() {
        let mut words = entry.split_whitespace();
        let (version, case) = (words.next().expect("a version"), words.next().expect("a case"));
        let code = words.next().and_then(|code| code.strip_prefix("rc=")).expect("a code");
        // 124 is what the recorder's own time limit ended with.
        let expected = if code == "124" { -9 } else { code.parse().expect("a number") };
        assert_eq!(cell(play(version, case)).code, expected, "{version} {case}");
        compared += 1;
    }
    assert_eq!(compared, VERSIONS.len() * CASES.len());
}

#[test]
fn every_recorded_file_belongs_to_a_case_that_is_compared() {
    for version in VERSIONS {
        all_belong_to(&CASES, profile(version));
    }
}

/// The comparison would see a difference.
#[test]
fn another_answer_or_another_order_is_not_the_recorded_one() {
    let stdout = recorded("2.1.330", "text", "stdout.jsonl");
    let other = cell(async {
        Rig::claude("2.1.330").claude_turn("--session-id", ID, answer("hello from rock")).await
    });
    assert_ne!(normalised(&other.stdout), normalised(&stdout));
    let moved =
        stdout.replacen(r#""type":"system","subtype":"init""#, r#""subtype":"init","type":"system""#, 1);
    assert_ne!(moved, stdout);
    assert_ne!(normalised(&moved), normalised(&stdout));
    let renamed = stdout.replacen(ID, "03ca8885-a6f2-51a3-bb10-cfe9d1cd525b", 1);
    assert_ne!(normalised(&renamed), normalised(&stdout), "sessions are compared");
}

/// Members that differ between two runs of the same thing: ids of frames, and times.
const VARYING: [&str; 9] = [
    "uuid",
    "timestamp",
    "duration_ms",
    "duration_api_ms",
    "ttft_ms",
    "ttft_stream_ms",
    "time_to_request_ms",
    "first_content_frame_ms",
    "retry_delay_ms",
];

/// Members that account for what the model's calls cost. They depend on how many calls the CLI makes beside those of the turn
/// (for a title, for a check of a command), which the recordings themselves show to vary; nobody reads them.
const ACCOUNTS: [&str; 5] =
    ["total_cost_usd", "modelUsage", "model_usage_since_last_result", "input_tokens", "output_tokens"];

fn normalised(text: &str) -> String {
    let text = text.replace(SCRATCH, "SCRATCH").replace("-scratch-repo", "-SCRATCH-repo");
    let masked = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(mut frame) => {
            mask(&mut frame);
            frame.to_string()
        }
        Err(_) => line.to_owned(),
    };
    text.lines().map(masked).map(|line| line + "\n").collect()
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                match name.as_str() {
                    name if VARYING.contains(&name) || ACCOUNTS.contains(&name) => *member = "#".into(),
                    // It ends in the process id.
                    "messaging_socket_path" => {
                        let path = member.as_str().unwrap_or_default();
                        *member = path.chars().filter(|c| !c.is_ascii_digit()).collect::<String>().into();
                    }
                    _ => mask(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask),
        _ => {}
    }
}
