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

#[test]
fn what_always_holds_is_no_expectation() {
    mistakes(&[
        ("steps:\n  - request: {}\n    expect: {}\n    requirement: X\n", (3, 13), "which always holds"),
        ("steps:\n  - mend: false\n", (2, 11), "expected true"),
        ("steps: []\nthen:\n  - { leftovers: false, count: 0, requirement: X }\n", (3, 18), "expected true"),
        ("steps:\n  - request: { as: step 2 }\n  - request: {}\n", (2, 5), "a step without a name"),
        (
            "steps:\n  - dispatch: { as: first, text: x }\n  - await: { reply_to: fist, within: 1s }\n",
            (3, 5),
            "did you mean \"first\"",
        ),
    ]);
    fine(&["steps:\n  - request: { as: step two }\n  - request: { as: steps 2 }\n"]);
}

#[test]
fn a_reference_stands_for_something() {
    let step = "steps:\n  - dispatch: { as: first, context: c1, text: x }\n";
    let with = |check: &str| format!("{step}then:\n  - {{ {check}, requirement: X }}\n");
    let steps = |step: &str| format!("steps:\n  - {step}\n");
    for (rest, wrong, words) in [
        (steps("request: { path: \"/{fle.inbox}\" }"), "\"/{fle.inbox}", "did you mean {file.inbox}?"),
        (steps("request: { headers: { x: \"{bearer}\" } }"), "\"{bearer}", "{bearer}"),
        (steps("request: { json: { a: [\"{cly}\"] } }"), "\"{cly}", "did you mean {cli}?"),
        (steps("request: { json: { \"{cly}\": 1 } }"), "\"{cly}", "did you mean {cli}?"),
        (steps("dispatch: { text: \"{turn_cp}\" }"), "\"{turn_cp}", "did you mean {turn_cap}?"),
        (steps("dispatch: { text: \"{contxt:a}\" }"), "\"{contxt", "did you mean {context:a}?"),
        (steps("dispatch: { text: \"{nonce:a}\" }"), "\"{nonce", "the name of a dispatch"),
        (
            steps("fault: { host: receiver, at: disk.sync, target: \"{file.inbx}\", do: kill }"),
            "\"{file",
            "did you mean {file.inbox}?",
        ),
        ("given: { receiver: { config: { a: \"{cly}\" } } }\nsteps: []\n".to_owned(), "\"{cly}", "{cli}"),
        (with("transcript: {}, lacks: \"{nonce:frist}\""), "\"{nonce", "did you mean \"first\"?"),
        (with("callbacks: {}, lacks: \"{context:c2}\""), "\"{context", "did you mean \"c1\"?"),
        (with("file: \"{file.inbx}\", at: /text, equals: x"), "\"{file", "did you mean {file.inbox}?"),
        (
            with("cli_turns: {}, column: { of: /prompt, is: [a, \"{lable}\"] }"),
            "\"{lable",
            "did you mean {label}?",
        ),
    ] {
        let before = &rest[..rest.find(wrong).expect("it is there")];
        let (line, column) =
            (before.matches('\n').count() + 1, before.lines().last().map_or(0, str::len) + 1);
        mistakes(&[(&rest, (line as u64, column as u64), words)]);
    }
    let plain = with("result: first, differs: '{\"a\": {}} {x: 1} { cly } {Cly} {}'");
    let right = with(
        "result: first, differs: \"{context:first} {context:c1} {nonce:first} {workdir} {file.sessions}\"",
    );
    let of_line = "steps:\n  - write: { path: x, text: \"{context:c2} {nonce:step 1 line 1}\", asks: [c1] }\nthen:\n  - { inbox: {}, \
                   lacks: \"{context:c2}\", requirement: X }\n";
    fine(&[&plain, &right, of_line, "steps:\n  - request: { raw: \"{bearer}\" }\n"]);
}

#[test]
fn a_check_looks_where_something_can_be() {
    let steps = "steps:\n  - dispatch: { as: sent, text: x }\n  - request: { as: asked }\n  - call: { as: called, tool: fleet_replies }\n";
    let with = |check: &str| format!("{steps}then:\n  - {{ {check}, requirement: X }}\n");
    for (check, words) in [
        ("cli_turns: {}, at: /0/sesion, present: false", "did you mean \"session\"?"),
        ("cli_turns: {}, at: 0/session, present: false", "did you mean \"/0/session\"?"),
        ("cli_turns: {}, at: /session, present: false", "begin with /0"),
        ("callbacks: {}, at: /0/txt, lacks: x", "did you mean \"text\"?"),
        ("deliveries: {}, at: /0/status, count: 0", "one of id, context, text"),
        ("refusals: {}, at: /0/code, equals: null", "reason"),
        ("callbacks: {}, column: { of: /txt, is: [] }", "did you mean \"text\"?"),
        ("file: x, at: /exist, present: false", "did you mean \"exists\"?"),
        ("result: sent, at: /answers, present: false", "acknowledged"),
        ("result: asked, at: /tool, present: false", "surplus"),
        ("result: called, at: /status, present: false", "one of tool"),
        ("overlaps: {}, at: /x, present: false", "nothing in this subject"),
        ("inbox: {}, at: /text, present: false", "number of an element"),
    ] {
        let end = ["of: ", "at: "].iter().find_map(|member| Some(check.find(member)? + member.len()));
        let column = "  - { ".len() + end.expect("a place") + 1;
        mistakes(&[(&with(check), (6, column as u64), words)]);
    }
    for check in [
        "cli_turns: {}, at: /0/env/HOME, present: false",
        "cli_turns: {}, at: /0, present: false",
        "inbox: {}, at: /0/whatever, present: false",
        "file: x, at: /json/deep/down, present: false",
        "result: sent, at: /body/error, present: false",
        "result: asked, at: /answers/1/status, present: false",
        "leftovers: true, at: /0, equals: x",
        "callbacks: {}, column: { of: /text, is: [] }",
    ] {
        fine(&[&with(check)]);
    }
}

#[test]
fn what_is_expected_of_a_step_can_come_of_its_verb() {
    let step = |verb: &str, expect: &str| {
        format!("steps:\n  - {verb}\n    expect: {{ {expect} }}\n    requirement: X\n")
    };
    for (verb, wrong, right) in [
        ("dispatch: { text: x }", "happens: true", "acknowledged: true, status: 200, error_class: refused"),
        ("request: {}", "acknowledged: true", "status: 200, text: x, at_most: 1s"),
        ("call: { tool: fleet_send }", "status: 200", "error_class: refused"),
        ("await: { end_of: receiver, within: 1s }", "text: x", "happens: true, exit_code: 0"),
        ("await: { end_of: runtime, within: 1s }", "exit_code: 0", "happens: true"),
        ("stop: receiver", "text_contains: x", "exit_code: 0, at_most: 3s"),
        ("start: runtime", "exit_code: 0", "happens: true"),
    ] {
        mistakes(&[(&step(verb, wrong), (3, 15), "expected one of")]);
        fine(&[&step(verb, right)]);
    }
    mistakes(&[
        (&step("advance: 1s", "acknowledged: true"), (3, 15), "expected nothing after `advance`"),
        ("steps:\n  - call: { tool: fleet_sendd }\n", (2, 19), "did you mean \"fleet_send\"?"),
    ]);
    let awaited = "steps:\n  - dispatch: { as: a, text: x }\n  - await: { turn_of: a, within: 1s }\n    expect: { text: x }\n    requirement: X\n";
    mistakes(&[(awaited, (4, 15), "expected one of happens, at_most after `await`")]);
}

#[test]
fn no_step_lasts_beyond_the_horizon() {
    mistakes(&[
        ("steps:\n  - advance: 1441m\n", (2, 5), "86400s"),
        ("steps:\n  - advance: 720m\n  - advance: 721m\n", (3, 5), "86400s"),
        ("steps:\n  - request: { within: 1441m }\n", (2, 5), "86400s"),
        ("steps:\n  - advance: 1439m\n  - await: { end_of: receiver, within: 2m }\n", (3, 5), "86400s"),
        ("steps:\n  - advance: 307445734561825m\n  - advance: 307445734561825m\n", (2, 5), "86400s"),
    ]);
    let reason = |steps: &str| {
        let text = format!("id: made/by-hand\ntitle: A story.\nsubject: receiver\nsteps:\n{steps}");
        crate::matrix::virtual_only(&read("x.yaml", &text, Lane::Real).expect("a scenario")[0])
    };
    let wait = "  - await: { end_of: receiver, within: 40s }\n";
    let in_vain = format!("{wait}    expect: {{ happens: false }}\n    requirement: X\n");
    assert!(reason("  - advance: 61s\n").is_some_and(|reason| reason.contains("60s")));
    assert!(reason(&format!("  - advance: 21s\n{wait}")).is_some());
    assert_eq!(reason(&format!("  - advance: 20s\n{wait}{wait}")), None, "waits end early");
    assert!(reason(&format!("{in_vain}{wait}")).is_some());
}

#[test]
fn a_command_of_a_mind_that_nobody_would_run_is_pointed_at() {
    let of = |hermes: &str| {
        let text = format!(
            "id: made/by-hand\ntitle: A story.\nsubject: hermes\ngiven:\n  hermes: {hermes}\nsteps:\n  - advance: 1s\n"
        );
        read("x.yaml", &text, Lane::Virtual)
    };
    for (hermes, column, words) in [
        ("{ agent: [{}, { commands: [{ command: ls }] }] }", 38, "`run: true`"),
        ("{ neighbour: { agent: [{ commands: [{ command: ls }] }] } }", 47, "`run: true`"),
        ("{ model: [{ commands: [{ command: ls, run: true }] }] }", 23, "of a model"),
    ] {
        let error = of(hermes).expect_err(hermes);
        assert!(error.message.contains(words), "{hermes}: {}", error.message);
        assert_eq!((error.line, error.column), (5, column), "{hermes}");
    }
    for hermes in [
        "{ agent: [{ commands: [{ command: ls, run: true }] }] }",
        "{ neighbour: { agent: [{ commands: [{ command: ls, run: true }] }] } }",
    ] {
        let scenarios = of(hermes).expect(hermes);
        assert!(scenarios[0].real_only().is_some(), "{hermes}");
    }
}
