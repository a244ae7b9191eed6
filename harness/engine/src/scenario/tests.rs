//! What no scenario may say, and that the mistake is pointed at.

use super::{Lane, read};

/// The first mistake in a scenario that goes on so: its line and column, counted from the first of these lines, what is
/// wrong, and what to do.
fn mistake(rest: &str) -> Option<(u64, u64, String, String)> {
    let text = format!("id: made/by-hand\ntitle: A story.\nsubject: receiver\n{rest}");
    let error = read("x.yaml", &text, Lane::Virtual).err()?;
    Some((error.line - 3, error.column, error.message, error.help.unwrap_or_default()))
}

/// Each of these is a mistake at this place whose text and help contain these words.
fn mistakes(cases: &[(&str, (u64, u64), &str)]) {
    for (rest, place, words) in cases {
        let Some((line, column, message, help)) = mistake(rest) else { panic!("taken: {rest}") };
        let said = format!("{message} / {help}");
        assert!(said.contains(words), "{rest}\n{said}");
        assert_eq!((line, column), *place, "{rest}\n{said}");
    }
}

fn fine(cases: &[&str]) {
    for rest in cases {
        assert_eq!(mistake(rest), None, "{rest}");
    }
}

#[test]
fn no_path_leads_out_of_the_cell() {
    let below = "below the working directory";
    mistakes(&[
        ("steps:\n  - write: { path: ../../x, text: hi }\n", (2, 20), below),
        ("steps:\n  - write: { path: /etc/x, text: hi }\n", (2, 20), below),
        ("steps:\n  - write: { path: a/../../x, text: hi }\n", (2, 20), below),
        ("steps:\n  - write: { path: \"{workdir}/x\", text: hi }\n", (2, 20), below),
        ("steps:\n  - write: { path: \"{context:c}/x\", text: hi }\n", (2, 20), below),
        ("steps:\n  - write: { path: \"\", text: hi }\n", (2, 20), below),
        ("steps:\n  - advance: 1s\n  - remove: ~/../x\n", (3, 13), "below the executor's home"),
        ("steps:\n  - remove: ~hermes/..\n", (2, 13), "below the runtime's home"),
        ("steps:\n  - remove: ~hermse/x\n", (2, 13), "did you mean \"~hermes/\""),
        ("given:\n  files: { a: \"\", /x: \"\" }\nsteps:\n  - advance: 1s\n", (2, 19), below),
        (
            "given:\n  executor: { turns: [{ edits: { ../x: \"\" } }] }\nsteps:\n  - advance: 1s\n",
            (2, 34),
            below,
        ),
        (
            "steps:\n  - advance: 1s\nthen:\n  - { file: ../x, at: /exists, equals: false, requirement: X }\n",
            (4, 13),
            below,
        ),
    ]);
    fine(&[
        "steps:\n  - write: { path: \"{file.inbox}\", text: hi }\n  - remove: ~/a..b/.c\n  - remove: ~hermes/x\n",
        "given:\n  files: { a/b: \"\", ~/x: \"\", ~hermes/y: \"\" }\nsteps:\n  - advance: 1s\n",
    ]);
}

#[test]
fn a_body_is_not_longer_than_a_machine_takes() {
    mistakes(&[("steps:\n  - request: { body_of: 67108865 }\n", (2, 25), "64 MiB")]);
    fine(&["steps:\n  - request: { body_of: 67108864 }\n"]);
}
