//! `gauntlet quirk check`: what a wrong `violates` is explained by, and mended to.

mod own;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use own::{Folder, gauntlet, shown};

/// A quirk of the receiver: its replies name another context, as the embedded one's do.
fn quirk(violates: &str, further: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text =
        fs::read_to_string(root.join("scenarios/quirks/callback-to-another-context.yaml")).expect("a quirk");
    let (before, rest) = text.split_once("violates: [").expect("what it violates");
    let (_, behind) = rest.split_once("]\n").expect("the end of it");
    format!("{}violates: [{violates}]\n{further}{behind}", before.replace("id: callback-to", "id: mine-to"))
}

fn check(folder: &Folder) -> Command {
    let mut command = gauntlet();
    command.args(["quirk", "check", "mine-to-another-context", "--scenarios"]).arg(folder.path());
    command
}

#[test]
fn what_is_exact_says_so() {
    let run = gauntlet().args(["quirk", "check", "callback-to-another-context"]).assert().success();
    assert!(shown(&run).contains("1 of 1 quirks are exact"), "{}", shown(&run));
}

#[test]
fn a_wrong_list_is_explained_and_patched_and_written_when_asked() {
    let folder = Folder::with(&[("quirks/mine.yaml", &quirk("FLEET-ACK-01, FLEET-HUB-14", ""))]);
    let run = check(&folder).assert().code(1);
    let printed = shown(&run);
    for words in [
        "mine-to-another-context wrong",
        "FLEET-ACK-01 is named and fails in no cell: pass in",
        "FLEET-HUB-14 is named and fails in no cell",
        "is not named and fails in",
        "-violates: [FLEET-ACK-01, FLEET-HUB-14]",
        "+violates: [FLEET-",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
    let file = folder.path().join("quirks/mine.yaml");
    assert!(
        fs::read_to_string(&file).expect("the file").contains("[FLEET-ACK-01, "),
        "nothing was asked to be written"
    );
    check(&folder).arg("--fix").assert().success();
    let run = check(&folder).assert().success();
    assert!(shown(&run).contains("mine-to-another-context exact"), "{}", shown(&run));
}

#[test]
fn a_quirk_that_reaches_no_cell_is_malformed_input() {
    let text = quirk("FLEET-ACK-01", "").replacen(
        "do:",
        "when: { matches: { /text: nobody ever says this } }\ndo:",
        1,
    );
    let text = text
        .lines()
        .filter(|line| !line.starts_with("when:") || line.contains("nobody"))
        .collect::<Vec<_>>()
        .join("\n");
    let folder = Folder::with(&[("quirks/mine.yaml", &text)]);
    let run = check(&folder).assert().code(2);
    let printed = shown(&run);
    for words in ["quirks/mine.yaml:", "expected a scenario", "found none", "help:"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

#[test]
fn an_unknown_quirk_point_or_row_is_exit_2_with_the_nearest() {
    let run = gauntlet().args(["quirk", "check", "callback-to-another-contxt"]).assert().code(2);
    assert!(shown(&run).contains("did you mean \"callback-to-another-context\"?"), "{}", shown(&run));
    for (from, to, words) in [
        ("at: receiver.", "at: reciever.", "did you mean \"receiver."),
        ("FLEET-ACK-01", "FLEET-ACK-0l", "did you mean \"FLEET-ACK-01\"?"),
    ] {
        let folder = Folder::with(&[("quirks/mine.yaml", &quirk("FLEET-ACK-01", "").replacen(from, to, 1))]);
        let run = check(&folder).assert().code(2);
        let printed = shown(&run);
        assert!(printed.contains(words) && printed.contains("quirks/mine.yaml:"), "{words}: {printed}");
    }
}

#[test]
fn a_quirk_that_a_run_names_alone_and_that_reaches_no_cell_ends_it_with_2() {
    let text = quirk("FLEET-ACK-01", "").replacen(
        "at: receiver.callback\n",
        "at: receiver.callback\nwhen: { matches: { /text: nobody says this } }\n",
        1,
    );
    let folder = Folder::with(&[("quirks/mine.yaml", &text)]);
    let out = Folder::with(&[]);
    let mut run = gauntlet();
    run.args(["run", "--lane", "virtual", "--quirks", "mine-to-another-context", "--out"]).arg(out.path());
    let run = run.arg("--scenarios").arg(folder.path()).assert().code(2);
    let printed = shown(&run).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(printed.contains("found none (`gauntlet quirk check mine-to-another-context`"), "{printed}");
}

#[test]
fn over_real_processes_a_quirk_does_what_it_does_in_virtual_time() {
    let run =
        gauntlet().args(["quirk", "check", "--lane", "both", "capped-a-second-early"]).assert().success();
    let printed = shown(&run);
    for words in [
        "capped-a-second-early does the same over real processes (1 cells)",
        "#0~real fails CAP-01",
        "1 of 1 quirks do the same in both lanes",
        "1 of 1 quirks are exact",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}

#[test]
fn what_bites_in_virtual_time_alone_is_told_with_what_came_over_real_processes() {
    // Over real processes its story lasts a few seconds, and 130 are no cap for it.
    let text = "id: mine\ntitle: Mine.\nrole: receiver\nexecutors: [claude_code]\nat: receiver.cap\n\
                when: { matches: { /seconds: 301.0 } }\ndo: { replace: { /seconds: 130 } }\nviolates: [CAP-01]\nseen_in: [me]\n";
    let folder = Folder::with(&[("quirks/mine.yaml", text)]);
    let mut check = gauntlet();
    let check = check.args(["quirk", "check", "--lane", "real", "mine", "--scenarios"]).arg(folder.path());
    let run = check.assert().code(1);
    let printed = shown(&run);
    for words in [
        "mine does something else over real processes",
        "CAP-01 fails in virtual time alone; here it is pass",
    ] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}
