//! A user's own data over the embedded: a prefix of its own, and a digest in every report.

mod own;

use std::fs;

use own::{Folder, HOLDS, json, shown};

#[test]
fn its_digest_stands_in_every_report_and_changes_with_every_byte_and_name() {
    let folder = Folder::with(&[("suites/holds.yaml", HOLDS), ("notes.yaml", "no: data\n")]);
    let run = || {
        let run = folder.run("mine/holds@codex-0.169.0").assert().code(0);
        let layer = json(&folder.out().join("summary.json"))["catalogue"]["layers"][0].clone();
        assert_eq!(layer["folder"], folder.path().to_string_lossy().as_ref());
        let digest = layer["digest"].as_str().expect("a digest").to_owned();
        assert_eq!(digest.len(), 64);
        for file in ["codex/report.json", "codex/report.md", "codex/junit.xml"] {
            let text = fs::read_to_string(folder.out().join(file)).expect("a report");
            assert!(text.contains(&digest), "{file}");
        }
        assert!(shown(&run).contains(&digest[..20]), "the page names it too");
        digest
    };
    let first = run();
    assert_eq!(run(), first);
    folder.put("notes.yaml", "no: data at all\n");
    assert_eq!(run(), first, "what lies beside the data is none");
    folder.put("suites/holds.yaml", &format!("{HOLDS}# more\n"));
    let second = run();
    assert_ne!(second, first);
    fs::rename(folder.path().join("suites/holds.yaml"), folder.path().join("suites/held.yaml"))
        .expect("it is moved");
    assert_ne!(run(), second, "a name counts");
}

#[test]
fn an_id_with_an_embedded_prefix_is_refused_with_both_places() {
    let row = |id: &str| {
        format!(
            "requirements:\n  - {{ id: {id}, level: may, class: core, role: receiver, statement: s, source: s }}\n"
        )
    };
    let quirk = |id: &str| {
        format!(
            "id: {id}\ntitle: t\nrole: receiver\nat: receiver.response\nwhen: {{ matches: {{ /path: /health }} }}\ndo: {{ replace: {{ \
             /body/repo_path: /x }} }}\nviolates: [FLEET-HTTP-02]\nseen_in: [x]\n"
        )
    };
    for (file, text, words) in [
        (
            "suites/a.yaml",
            HOLDS.replace("mine/holds", "fleet/of-mine"),
            vec!["a.yaml:1:5", "\"fleet/\"", "scenarios/suites/", "mine/of-mine"],
        ),
        (
            "suites/a.yaml",
            HOLDS.replace("mine/holds", "fleet/busy-context"),
            vec!["a.yaml:1:5", "busy-context.yaml:1:5"],
        ),
        ("suites/a.yaml", HOLDS.replace("mine/holds", "holds"), vec!["a.yaml:1:5"]),
        (
            "requirements/a.yaml",
            row("FLEET-MINE-01"),
            vec!["a.yaml:2:11", "\"FLEET-\"", "scenarios/requirements/", "MINE-MINE-01"],
        ),
        (
            "requirements/a.yaml",
            row("FLEET-ACK-01"),
            vec!["a.yaml:2:11", "exists already, at scenarios/requirements/"],
        ),
        ("quirks/a.yaml", quirk("token-in-log"), vec!["a.yaml:1:5", "token-in-log.yaml:"]),
    ] {
        let folder = Folder::with(&[(file, &text)]);
        // A narrow page breaks lines where it likes.
        let printed = shown(&folder.run("**").assert().code(2)).replace(char::is_whitespace, "");
        for word in words {
            assert!(printed.contains(&word.replace(' ', "")), "{file}: {word}:\n{printed}");
        }
    }
}

#[test]
fn two_folders_of_a_users_own_may_share_a_prefix_and_no_id() {
    let (one, other) = (Folder::with(&[("suites/a.yaml", HOLDS)]), Folder::with(&[("suites/b.yaml", HOLDS)]));
    let both = || {
        let mut command = one.run("mine/*@codex-0.169.0");
        command.arg("--scenarios").arg(other.path());
        command
    };
    let printed = shown(&both().assert().code(2)).replace(char::is_whitespace, "");
    assert!(printed.contains("b.yaml:1:5:") && printed.contains("a.yaml:1:5"), "{printed}");
    other.put("suites/b.yaml", &HOLDS.replace("mine/holds", "mine/holds-too"));
    both().assert().code(0);
    assert_eq!(one.cells().len(), 2);
}
