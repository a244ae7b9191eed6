//! The commands that a turn really runs: a real task is one whose result nobody wrote down beforehand.

use gauntlet_world::Host;

use super::stop::Stop;
use crate::shell::Shell;
use crate::stage::{Part, ShellCommand};

/// Runs the commands of a part that are to be run, one after the other, before any event tells of them. Gives the part with
/// what they printed and returned, also where its reply speaks of it.
pub(crate) async fn done(host: &Host, mut part: Part) -> Result<Part, Stop> {
    for command in part.commands.iter_mut().filter(|command| command.run) {
        run(host, command).await?;
    }
    if let Some(reply) = &mut part.reply {
        *reply = ShellCommand::told(reply, &part.commands);
    }
    Ok(part)
}

async fn run(host: &Host, command: &mut ShellCommand) -> Result<(), Stop> {
    let line = &command.command;
    let ran =
        async { Shell::start(host, line, host.cwd(), host.environment().clone(), false).await?.end().await };
    let ran = ran.await.map_err(|error| Stop::mishap(format_args!("cannot run {line}"), &error));
    (command.exit, command.output) = ran?;
    Ok(())
}
