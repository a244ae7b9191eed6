//! The commands that a turn really runs: a real task is one whose result nobody wrote down beforehand.

use gauntlet_world::Host;
use gauntlet_world::process::{Command, Output};
use tokio::io::AsyncReadExt;

use super::stop::Stop;
use crate::stage::{Part, ShellCommand};

/// More than this is not kept of what a command prints.
const MAX_OUTPUT: u64 = 64 * 1024;

/// Runs the commands of a part that are to be run, one after the other, before any event tells of them. Gives the part with
/// what they printed and returned, also where its reply speaks of it.
pub(super) async fn done(host: &Host, mut part: Part) -> Result<Part, Stop> {
    for command in part.commands.iter_mut().filter(|command| command.run) {
        run(host, command).await?;
    }
    if let Some(reply) = &mut part.reply {
        *reply = ShellCommand::told(reply, &part.commands);
    }
    Ok(part)
}

async fn run(host: &Host, command: &mut ShellCommand) -> Result<(), Stop> {
    let wrong = |error| Stop::mishap(format_args!("cannot run {}", command.command), &error);
    let shell = Command {
        // What it says on standard error is part of what an agent reads.
        args: vec!["-c".to_owned(), format!("exec 2>&1\n{}", command.command)],
        env: host.environment().clone(),
        stderr: Output::Null,
        // It dies with the turn.
        own_group: false,
        ..Command::new("sh", host.cwd())
    };
    let mut child = host.processes().spawn(shell).await.map_err(wrong)?;
    let mut printed = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_OUTPUT).read_to_end(&mut printed).await.map_err(wrong)?;
    }
    let status = child.wait().await.map_err(wrong)?;
    command.output = String::from_utf8_lossy(&printed).into_owned();
    command.exit = status.return_code();
    Ok(())
}
