//! Children: how they are found and started, what they are given, and what they say.

use std::io::ErrorKind;

use gauntlet_world::Host;
use gauntlet_world::process::{Command, ExitStatus, Output, Stdin};
use gauntlet_world::simulated::{Program, program};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::rig::{Rig, assert_error, read_all};

both! {
    a_program_is_found_along_the_path
    a_program_is_found_by_its_path
    what_is_not_there_does_not_start
    what_is_not_executable_does_not_start
    a_child_does_not_start_in_a_missing_directory
    a_string_that_no_process_can_be_given_is_refused
    arguments_environment_and_directory_are_as_given
    the_two_outputs_are_apart
    a_child_returns_its_code
    a_null_input_is_at_its_end
    a_held_input_stays_open_while_the_parent_waits
    a_given_input_is_read_to_its_end_also_when_it_is_longer_than_a_pipe
    a_given_input_need_not_be_read
    a_piped_input_is_what_the_parent_writes_until_it_lets_go
    a_child_waits_until_its_output_is_read
    an_appended_output_goes_to_the_end_of_the_file
    a_null_output_goes_nowhere
}

/// Prints a word.
fn says(word: &'static str) -> Program {
    program(move |host: Host| async move {
        host.processes().print(format!("{word}\n").as_bytes()).await.map_or(1, |()| 0)
    })
}

async fn a_program_is_found_along_the_path(rig: Rig) {
    rig.install("greet", "echo here", says("here")).await;
    let mut child = rig.start("greet").await;
    assert_eq!(read_all(&mut child.stdout).await, "here\n");
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
}

async fn a_program_is_found_by_its_path(rig: Rig) {
    rig.install("greet", "echo here", says("here")).await;
    for path in [rig.host.disk().absolute("bin/greet").display().to_string(), "bin/greet".to_owned()] {
        let mut child = rig.spawn(rig.command(&path, &[])).await.unwrap();
        assert_eq!(read_all(&mut child.stdout).await, "here\n");
    }
    rig.host.disk().link("greet", "bin/alias").await.unwrap();
    let mut child = rig.start("alias").await;
    assert_eq!(read_all(&mut child.stdout).await, "here\n");
}

async fn start_error(rig: &Rig, command: Command) -> std::io::Result<()> {
    rig.spawn(command).await.map(|_| ())
}

async fn what_is_not_there_does_not_start(rig: Rig) {
    rig.host.disk().write("file", b"x").await.unwrap();
    for program in ["no-such-program", "bin/no-such-program", "/no/such/program"] {
        assert_error(start_error(&rig, rig.command(program, &[])).await, ErrorKind::NotFound, 2);
    }
    assert_error(start_error(&rig, rig.command("file/a", &[])).await, ErrorKind::NotADirectory, 20);
    let mut pathless = rig.command("no-such-program", &[]);
    pathless.env.clear();
    assert_error(start_error(&rig, pathless).await, ErrorKind::NotFound, 2);
}

async fn what_is_not_executable_does_not_start(rig: Rig) {
    // No bit at all allows it, so that root is refused as well.
    let disk = rig.host.disk();
    disk.make_dir("bin/directory").await.unwrap();
    disk.create_new("bin/data", b"#!/bin/sh\n", 0o644).await.unwrap();
    for program in ["data", "bin/data", "bin/directory"] {
        assert_error(start_error(&rig, rig.command(program, &[])).await, ErrorKind::PermissionDenied, 13);
    }
}

async fn a_child_does_not_start_in_a_missing_directory(rig: Rig) {
    rig.install("greet", "echo here", says("here")).await;
    let mut command = rig.command("greet", &[]);
    command.cwd = "nowhere".into();
    assert_error(start_error(&rig, command.clone()).await, ErrorKind::NotFound, 2);
    command.cwd = "bin/greet".into();
    assert_error(start_error(&rig, command).await, ErrorKind::NotADirectory, 20);
}

async fn a_string_that_no_process_can_be_given_is_refused(rig: Rig) {
    rig.install("greet", "echo here", says("here")).await;
    let with_argument = |argument: String| {
        let mut command = rig.command("greet", &[]);
        command.args = vec![argument];
        command
    };
    assert!(start_error(&rig, with_argument("x".repeat(131_071))).await.is_ok());
    let too_long = start_error(&rig, with_argument("x".repeat(131_072))).await.unwrap_err();
    assert_eq!(too_long.raw_os_error(), Some(7));
    let nul = start_error(&rig, with_argument("a\0b".to_owned())).await.unwrap_err();
    assert_eq!(
        (nul.kind(), nul.to_string()),
        (ErrorKind::InvalidInput, "nul byte found in provided data".to_owned())
    );
}

async fn arguments_environment_and_directory_are_as_given(rig: Rig) {
    let script = r#"
        printf '<%s>' "$@"
        printf ' %s %s ' "$COLOUR" "${CARGO_MANIFEST_DIR-unset}"
        pwd"#;
    let simulated = program(|host: Host| async move {
        let args: String = host.args().iter().map(|arg| format!("<{arg}>")).collect();
        let colour = host.env("COLOUR").unwrap_or_default();
        let parents = host.env("CARGO_MANIFEST_DIR").unwrap_or("unset");
        let line = format!("{args} {colour} {parents} {}\n", host.cwd().display());
        host.processes().print(line.as_bytes()).await.map_or(1, |()| 0)
    });
    rig.install("show", script, simulated).await;
    rig.host.disk().make_dir("work").await.unwrap();
    let mut command = rig.command("show", &["one", "two words", "", "$HOME", "--", "ü\nx"]);
    command.env.insert("COLOUR".to_owned(), "blue = sky".to_owned());
    command.cwd = "work".into();
    let mut child = rig.spawn(command).await.unwrap();
    let cwd = rig.host.cwd().join("work");
    let expected = format!("<one><two words><><$HOME><--><ü\nx> blue = sky unset {}\n", cwd.display());
    assert_eq!(read_all(&mut child.stdout).await, expected);
}

async fn the_two_outputs_are_apart(rig: Rig) {
    let simulated = program(|host: Host| async move {
        host.processes().print(b"said\n").await.unwrap();
        host.processes().print_error(b"complained\n").await.unwrap();
        0
    });
    rig.install("both", "echo said; echo complained >&2", simulated).await;
    let mut child = rig.start("both").await;
    assert_eq!(read_all(&mut child.stdout).await, "said\n");
    assert_eq!(read_all(&mut child.stderr).await, "complained\n");
}

async fn a_child_returns_its_code(rig: Rig) {
    let simulated = program(|host: Host| async move { host.args()[0].parse().unwrap() });
    rig.install("return", "exit $1", simulated).await;
    for code in [0, 1, 7, 255] {
        let mut child = rig.spawn(rig.command("return", &[&code.to_string()])).await.unwrap();
        let status = child.wait().await.unwrap();
        assert_eq!((status, status.return_code()), (ExitStatus::Code(code), code));
        assert_eq!(child.wait().await.unwrap(), status, "it can be asked again");
    }
}

/// Copies its input to its output, then says that it came to the end.
fn copies() -> Program {
    program(|host: Host| async move {
        let mut input = Vec::new();
        host.processes().stdin().unwrap().read_to_end(&mut input).await.unwrap();
        host.processes().print(&input).await.unwrap();
        host.processes().print(b"end\n").await.unwrap();
        0
    })
}

async fn a_null_input_is_at_its_end(rig: Rig) {
    rig.install("copy", "cat; echo end", copies()).await;
    let mut child = rig.start("copy").await;
    assert_eq!(read_all(&mut child.stdout).await, "end\n");
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
}

async fn a_held_input_stays_open_while_the_parent_waits(rig: Rig) {
    rig.install("copy", "cat; echo end", copies()).await;
    let mut command = rig.command("copy", &[]);
    command.stdin = Stdin::Held;
    let mut child = rig.spawn(command).await.unwrap();
    assert!(rig.waits(read_all(&mut child.stdout)).await);
    assert!(rig.waits(child.wait()).await, "waiting does not close the child's input");
    rig.host.processes().signal_group(child.pid, gauntlet_world::process::Signal::Kill).await.unwrap();
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Signal(9));
    assert_eq!(read_all(&mut child.stdout).await, "");
}

async fn a_given_input_is_read_to_its_end_also_when_it_is_longer_than_a_pipe(rig: Rig) {
    rig.install("copy", "cat; echo end", copies()).await;
    let mut command = rig.command("copy", &[]);
    let text = "x".repeat(300_000);
    command.stdin = Stdin::Given(text.clone().into_bytes());
    let mut child = rig.spawn(command).await.unwrap();
    assert_eq!(read_all(&mut child.stdout).await, format!("{text}end\n"));
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
}

async fn a_given_input_need_not_be_read(rig: Rig) {
    rig.install("deaf", "exit 4", program(|_| async { 4 })).await;
    let mut command = rig.command("deaf", &[]);
    command.stdin = Stdin::Given(vec![b'x'; 300_000]);
    let mut child = rig.spawn(command).await.unwrap();
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(4));
}

async fn a_piped_input_is_what_the_parent_writes_until_it_lets_go(rig: Rig) {
    rig.install("copy", "cat; echo end", copies()).await;
    let mut command = rig.command("copy", &[]);
    command.stdin = Stdin::Piped;
    let mut child = rig.spawn(command).await.unwrap();
    let mut input = child.stdin.take().unwrap();
    for word in ["one ", "two "] {
        input.write_all(word.as_bytes()).await.unwrap();
        input.flush().await.unwrap();
    }
    assert!(rig.waits(child.wait()).await, "it may be told more");
    drop(input);
    assert_eq!(read_all(&mut child.stdout).await, "one two end\n");
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
}

async fn a_child_waits_until_its_output_is_read(rig: Rig) {
    let simulated = program(|host: Host| async move {
        host.processes().print(&vec![0; 1_048_576]).await.unwrap();
        0
    });
    rig.install("flood", "head -c 1048576 /dev/zero", simulated).await;
    let mut child = rig.start("flood").await;
    assert!(rig.waits(child.wait()).await, "a pipe holds less than a megabyte");
    assert_eq!(read_all(&mut child.stdout).await.len(), 1_048_576);
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
}

async fn an_appended_output_goes_to_the_end_of_the_file(rig: Rig) {
    rig.install("greet", "echo here", says("here")).await;
    rig.install("silent", "exit 0", program(|_| async { 0 })).await;
    let mut command = rig.command("greet", &[]);
    (command.stdout, command.stderr) = (Output::Append("log".into()), Output::Null);
    for _ in 0..2 {
        let mut child = rig.spawn(command.clone()).await.unwrap();
        assert!(child.stdout.is_none() && child.stderr.is_none());
        child.wait().await.unwrap();
    }
    let disk = rig.host.disk();
    assert_eq!(disk.read("log").await.unwrap(), b"here\nhere\n");
    assert_eq!(disk.stat("log").await.unwrap().mode, 0o600);
    let mut quiet = rig.command("silent", &[]);
    quiet.stdout = Output::Append("quiet".into());
    rig.spawn(quiet).await.unwrap().wait().await.unwrap();
    assert_eq!(disk.read("quiet").await.unwrap(), b"", "the file is made even when nothing is said");
    command.stdout = Output::Append("no/where".into());
    assert_error(start_error(&rig, command).await, ErrorKind::NotFound, 2);
}

async fn a_null_output_goes_nowhere(rig: Rig) {
    rig.install("greet", "echo here", says("here")).await;
    let mut command = rig.command("greet", &[]);
    command.stdout = Output::Null;
    let mut child = rig.spawn(command).await.unwrap();
    assert!(child.stdout.is_none());
    assert_eq!(child.wait().await.unwrap(), ExitStatus::Code(0));
}
