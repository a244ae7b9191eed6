//! What the recorded CLIs told of what their turns used, and of their steps.

mod recordings;

use gauntlet_protocol::fleet::extension::usage::{Reading, Usage, Usd};
use gauntlet_protocol::{claude_code, codex, opencode};
use recordings::Recordings;

fn stdout(cli: &'static str, release: &str, recording: &str) -> Vec<u8> {
    Recordings(cli).bytes(release, &format!("{recording}.stdout.jsonl"))
}

fn known(reading: Reading) -> Usage {
    assert_eq!(reading.notes, Vec::<String>::new());
    reading.usage
}

fn tokens_and_cost(usage: &Usage) -> (Option<u64>, Option<u64>, Option<Usd>) {
    (usage.input_tokens, usage.output_tokens, usage.cost)
}

#[test]
fn codex_tells_the_total_of_its_thread_and_never_a_cost() {
    for release in ["0.80.0", "0.135.0", "0.169.0"] {
        let first = known(codex::thread_total(&stdout("codex", release, "text")));
        let total = known(codex::thread_total(&stdout("codex", release, "resume")));
        assert_eq!(tokens_and_cost(&first), (Some(10), Some(5), None), "{release}");
        assert_eq!(tokens_and_cost(&total), (Some(20), Some(10), None), "{release}");
        assert_eq!(tokens_and_cost(&total.since(&first)), (Some(10), Some(5), None), "{release}");
    }
    assert_eq!(known(codex::thread_total(&stdout("codex", "0.44.0", "text"))).tokens(), Some(0), "it says 0");
    assert!(known(codex::thread_total(&stdout("codex", "0.36.0", "text"))).is_unknown());
    assert!(known(codex::thread_total(&stdout("codex", "0.169.0", "err401"))).is_unknown());
}

#[test]
fn opencode_tells_each_step() {
    let told =
        |release, recording| tokens_and_cost(&known(opencode::used(&stdout("opencode", release, recording))));
    let free = Some(Usd(0));
    for release in ["1.15.13", "1.18.33"] {
        assert_eq!(told(release, "text"), (Some(10), Some(5), free), "{release}");
    }
    assert_eq!(told("1.18.33", "tool"), (Some(20), Some(10), free));
    assert_eq!(told("1.18.33", "resume"), (Some(10), Some(5), free), "a later turn tells its own alone");
}

#[test]
fn claude_code_tells_its_turn_also_where_its_total_goes_on() {
    let cost = Usd::from_dollars;
    for (release, text, resume, tool) in [
        ("1.0.128", 0.000_105, 0.000_133, 0.000_266),
        ("2.0.0", 0.000_105, 0.000_133, 0.000_266),
        ("2.1.330", 0.000_07, 0.000_07, 0.000_14),
    ] {
        let told = |recording| {
            tokens_and_cost(&known(claude_code::used(&stdout("claude_code", release, recording))))
        };
        assert_eq!(told("text"), (Some(10), Some(5), cost(text)), "{release}");
        assert_eq!(told("resume"), (Some(10), Some(5), cost(resume)), "{release}");
        assert_eq!(told("tool"), (Some(20), Some(10), cost(tool)), "{release}");
    }
}

#[test]
fn each_recorded_tool_is_one_completed_step() {
    for (cli, releases) in [
        ("codex", &["0.36.0", "0.44.0", "0.80.0", "0.135.0", "0.169.0"][..]),
        ("opencode", &["1.18.33"]),
        ("claude_code", &["1.0.128", "2.0.0", "2.1.330"]),
    ] {
        for release in releases {
            let stdout = stdout(cli, release, "tool");
            let step = match cli {
                "codex" => codex::last_step(&stdout),
                "opencode" => {
                    // The answer is a step of its own there.
                    let answer = opencode::last_step(&stdout).map(|step| (step.number, step.name));
                    assert_eq!(answer, Some((2, "answer".to_owned())), "{release}");
                    let first =
                        stdout.split_inclusive(|byte| *byte == b'\n').take(3).collect::<Vec<_>>().concat();
                    opencode::last_step(&first)
                }
                _ => claude_code::last_step(&stdout),
            };
            let step = step.unwrap_or_else(|| panic!("{cli} {release}: no step"));
            assert!(step.number == 1 && step.name.contains("echo TOOLRAN"), "{cli} {release}: {step:?}");
        }
    }
}
