//! The simulated Antigravity CLI as a process. No recording of the real one exists to compare it with: this is what the fleet sheet
//! says of it (3.5, 3.6).

use gauntlet_simulators::stage::{Failure, Part, Purpose};
use gauntlet_world::injection::{Millis, Quirk};
use gauntlet_world::process::Stdin;
use serde_json::{Value, json};

use crate::rig::{Ran, Rig, answer, cell, failing, finish};

const CACHE: &str = ".gemini/antigravity-cli/cache";
const CONVERSATIONS: &str = ".gemini/antigravity-cli/conversations";

/// How the receiver calls for a turn, but for conversation and prompt.
const AS_RECEIVER: [&str; 5] =
    ["--dangerously-skip-permissions", "--add-dir", "/repo", "--print-timeout", "300s"];

impl Rig {
    fn agy(quirks: Vec<Quirk>) -> Self {
        Self::of(crate::rig::profile("agy", "sheet"), quirks, "agyhome", "agyrepo")
    }

    async fn converse(&self, conversation: Option<&str>, part: Part) -> Ran {
        let conversation: Vec<&str> =
            conversation.into_iter().flat_map(|id| ["--conversation", id]).collect();
        self.run(&[&conversation[..], &["--print", "do it"], &AS_RECEIVER].concat(), part).await
    }

    /// The conversation that the CLI's file names for the working directory.
    fn last_conversation(&self) -> Option<String> {
        let file = self.files_below(CACHE).remove("last_conversations.json")?;
        let known: Value = serde_json::from_str(&file).expect("it writes JSON");
        known[self.shell.cwd().to_string_lossy().as_ref()].as_str().map(str::to_owned)
    }
}

fn quirk(at: &str, deviation: Value, matches: Value) -> Vec<Quirk> {
    let quirk = json!({
        "id": "test", "title": "A quirk of a test.", "role": "cli", "at": at, "do": deviation,
        "when": { "matches": matches }, "violates": [], "seen_in": [],
    });
    vec![serde_json::from_value(quirk).expect("a good quirk")]
}

#[test]
fn a_conversation_repeats_itself_and_each_turn_leaves_its_id() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        assert_eq!(rig.converse(None, answer("PONG")).await.stdout, "PONG\n");
        let first = rig.last_conversation().expect("the file names it");
        assert_eq!(rig.converse(None, answer("other")).await.stdout, "other\n");
        assert_ne!(rig.last_conversation().as_deref(), Some(first.as_str()));
        let later = rig.converse(Some(&first), answer("two\nlines")).await;
        assert_eq!((later.stdout.as_str(), later.code), ("PONG\ntwo\nlines\n", 0));
        assert_eq!(rig.last_conversation().as_deref(), Some(first.as_str()));
        let silent = rig.converse(Some(&first), Part::default()).await;
        assert_eq!(silent.stdout, "PONG\ntwo\nlines\n", "nothing is new");
        let purposes: Vec<Purpose> =
            rig.script.entered.borrow().iter().map(|entered| entered.purpose.clone()).collect();
        let turn = |session| Purpose::Turn { prompt: "do it".to_owned(), session };
        assert_eq!(purposes[1..3], [turn(None), turn(Some(first.clone()))]);
        assert_eq!(rig.script.left.borrow()[2].session, Some(first));
    });
}

#[test]
fn in_place_of_a_conversation_that_is_gone_a_new_one_is_begun_with_a_warning() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        let ran = rig.converse(Some("u-1"), answer("fresh")).await;
        assert_eq!((ran.stdout.as_str(), ran.code), ("Warning: conversation \"u-1\" not found.\nfresh\n", 0));
        let begun = rig.last_conversation().expect("the new one");
        assert_ne!(begun, "u-1");
        assert_eq!(rig.converse(Some(&begun), answer("more")).await.stdout, "fresh\nmore\n");
    });
}

#[test]
fn what_is_not_to_be_told_is_written_nowhere() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        rig.converse(None, Part { untold: true, ..answer("PONG") }).await;
        assert_eq!(rig.last_conversation(), None);
        assert_eq!(rig.files_below(CONVERSATIONS).len(), 1, "but it exists");
    });
}

#[test]
fn the_limit_that_it_was_told_ends_a_turn_unless_it_hangs() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        let began = rig.shell.clock().now();
        let late = || Part { after: Some(Millis(400_000)), ..answer("late") };
        let ran = rig.converse(None, late()).await;
        assert_eq!((ran.stdout.as_str(), ran.code, ran.stderr.lines().count()), ("", 1, 1));
        assert_eq!((rig.shell.clock().now() - began).as_secs(), 300);
        assert_eq!(rig.last_conversation(), None);
        assert_eq!(rig.converse(None, Part { hangs: true, ..late() }).await.stdout, "late\n");
        let in_time = Part { after: Some(Millis(300_000)), ..answer("in time") };
        assert_eq!(rig.converse(None, in_time).await.stdout, "in time\n");
    });
}

#[test]
fn a_failing_model_is_told_of_on_standard_error() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        for failure in [Failure::Unauthorized, Failure::Cut, Failure::NoProvider] {
            let ran = rig.converse(None, failing(failure, Some("never"))).await;
            assert_eq!((ran.stdout.as_str(), ran.code), ("", 1));
            let names_it = ran.stderr.contains("not authenticated");
            assert_eq!(names_it, failure == Failure::Unauthorized, "{}", ran.stderr);
        }
    });
}

#[test]
fn help_is_given_and_what_nobody_knows_of_it_is_not_played() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        let help = rig.run(&["--help"], Part::default()).await;
        assert!(help.stdout.starts_with("Usage: agy") && help.code == 0, "{help:?}");
        let version = rig.run(&["--version"], Part::default()).await;
        assert!(version.stderr.starts_with("gauntlet: "), "{version:?}");
        let purposes = rig.script.entered.borrow();
        assert!(matches!(purposes[0].purpose, Purpose::Probe));
        assert!(matches!(purposes[1].purpose, Purpose::Unplayed(_)));
    });
}

#[test]
fn a_file_of_conversations_that_it_cannot_read_or_write_is_no_reason_to_fail() {
    cell(async {
        let rig = Rig::agy(Vec::new());
        let file = rig.shell.home().join(CACHE).join("last_conversations.json");
        rig.machine.disk_mut(|disk| disk.make_dir(&file.join("below"))).expect("a folder");
        assert_eq!(rig.converse(None, answer("PONG")).await.stdout, "PONG\n");
        rig.machine
            .disk_mut(|disk| {
                disk.remove_all(&file)?;
                disk.write(&file, b"[7", 0o600)
            })
            .expect("a file");
        assert_eq!(rig.converse(None, answer("PONG")).await.stdout, "PONG\n");
        assert!(rig.last_conversation().is_some());
    });
}

#[test]
fn quirks_bite_what_it_prints_and_what_it_writes() {
    cell(async {
        let line = json!({ "replace": { "/text": "<{text}>" } });
        let rig = Rig::agy(quirk("cli.line", line, json!({ "/kind": "replay" })));
        rig.converse(None, answer("PONG")).await;
        let first = rig.last_conversation().expect("it is named");
        assert_eq!(rig.converse(Some(&first), answer("two")).await.stdout, "<PONG>\ntwo\n");
        let rig = Rig::agy(quirk("cli.line", json!("reorder"), json!({})));
        assert_eq!(
            rig.converse(None, answer("held")).await.stdout,
            "held\n",
            "what is held back is still text"
        );
        let rig = Rig::agy(quirk("cli.record", json!({ "truncate": 4 }), json!({})));
        rig.converse(None, answer("PONG")).await;
        assert_eq!(rig.files_below(CACHE)["last_conversations.json"].len(), 4);
        let half = json!({ "replace": { "/text": "half" } });
        let rig = Rig::agy(quirk("cli.limit", half, json!({})));
        let child = rig
            .start(
                &[&["--print", "do it"][..], &AS_RECEIVER].concat(),
                Part { after: Some(Millis(400_000)), ..answer("late") },
                Stdin::Null,
            )
            .await;
        let ran = finish(child).await;
        assert_eq!((ran.stdout.as_str(), ran.code), ("half\n", 1));
    });
}
