//! Programs that every computer has, as far as a Hermes node's registered handlers use them in the virtual lane. Over real processes
//! the computer's own are run, so that each does here what it does there.

use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::process::{Command, ExitStatus};
use gauntlet_world::simulated::{Program, program};
use tokio::io::AsyncReadExt;

/// All of them, by name.
pub fn all() -> Vec<(&'static str, Program)> {
    vec![
        ("cat", program(cat)),
        ("echo", program(echo)),
        ("false", program(|_| async { 1 })),
        ("timeout", program(timeout)),
        ("tr", program(tr)),
        ("yes", program(yes)),
    ]
}

async fn read(host: &Host) -> Vec<u8> {
    let mut read = Vec::new();
    if let Some(mut stdin) = host.processes().stdin() {
        drop(stdin.read_to_end(&mut read).await);
    }
    read
}

async fn print(host: &Host, bytes: &[u8]) -> i32 {
    i32::from(host.processes().print(bytes).await.is_err())
}

async fn cat(host: Host) -> i32 {
    let read = read(&host).await;
    print(&host, &read).await
}

async fn echo(host: Host) -> i32 {
    let line = format!("{}\n", host.args().join(" "));
    print(&host, line.as_bytes()).await
}

/// Large letters for small ones, whatever its arguments.
async fn tr(host: Host) -> i32 {
    let read = read(&host).await;
    print(&host, &read.to_ascii_uppercase()).await
}

async fn yes(host: Host) -> i32 {
    let lines = "y\n".repeat(4096);
    // Whoever reads no more lets it end.
    while host.processes().print(lines.as_bytes()).await.is_ok() {
        host.clock().sleep(Duration::from_millis(1)).await;
    }
    1
}

/// Starts the program behind its first argument, in its own group, and waits for it. Nobody waits here until the time is over.
async fn timeout(host: Host) -> i32 {
    let Some((program, args)) = host.args().get(1..).and_then(<[String]>::split_first) else { return 125 };
    let mut command = Command::new(program, host.cwd());
    command.args = args.to_vec();
    command.env = host.environment().clone();
    command.own_group = false;
    let Ok(mut child) = host.processes().spawn(command).await else { return 127 };
    match child.wait().await {
        Ok(ExitStatus::Code(code)) => code,
        _ => 124,
    }
}
