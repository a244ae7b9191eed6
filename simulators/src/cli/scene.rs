//! What a turn of any CLI really does to the world: files that it writes, a process that it leaves, time that it takes.

use std::path::{Component, Path};

use gauntlet_world::Host;
use gauntlet_world::process::{Command, Output};
use tokio::time::Instant;

use super::asked::TurnRequest;
use super::console::Console;
use super::stop::Stop;
use crate::stage::{Part, ShellCommand};
use gauntlet_world::injection::Millis;

/// A turn's process, what it was asked for, and the part that it has to play.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) host: &'a Host,
    pub(crate) request: &'a TurnRequest,
    pub(crate) part: &'a Part,
    pub(crate) console: &'a Console<'a>,
    pub(crate) began: Instant,
}

impl Scene<'_> {
    /// Prints the part's lines that are no events.
    pub(crate) async fn make_noise(&self) -> Result<(), Stop> {
        for line in &self.part.noise {
            self.console.raw_line(line).await?;
        }
        if self.part.spoilt {
            self.console.raw_bytes(b"half a letter: \xf0\x9f, and none: \xff").await?;
        }
        match self.part.flood {
            Some(bytes) => self.console.flood(bytes).await,
            None => Ok(()),
        }
    }

    /// Prints the part's text on standard error.
    pub(crate) async fn complain(&self) -> Result<(), Stop> {
        for line in self.part.stderr.iter().flat_map(|text| text.lines()) {
            self.console.error_line(line).await?;
        }
        Ok(())
    }

    /// Lets the part's time pass, counted from the start of the process.
    pub(crate) async fn take_time(&self) {
        if let Some(after) = self.part.after {
            self.host.clock().sleep_until(self.began + after.duration()).await;
        }
    }

    /// Lets the time of a command pass, counted from the start of the process.
    pub(crate) async fn take_time_of(&self, command: &ShellCommand) {
        if let Some(after) = command.after {
            self.host.clock().sleep_until(self.began + after.duration()).await;
        }
    }

    /// Starts a process that outlives this one with its standard streams open.
    pub(crate) async fn leave_a_grandchild(&self, workdir: &Path) -> Result<(), Stop> {
        let Some(Millis(millis)) = self.part.grandchild else { return Ok(()) };
        let command = Command {
            args: vec![format!("{}.{:03}", millis / 1000, millis % 1000)],
            env: self.host.environment().clone(),
            stdout: Output::Inherit,
            stderr: Output::Inherit,
            own_group: false,
            ..Command::new("sleep", workdir)
        };
        let child = self.host.processes().spawn(command).await;
        child.map(drop).map_err(|error| Stop::mishap("cannot start sleep", &error))
    }

    /// Writes the files of the turn, before any event tells of it.
    pub(crate) async fn edit(&self, workdir: &Path) -> Result<(), Stop> {
        for (name, content) in &self.part.edits {
            let relative = Path::new(name);
            let below = relative.components().all(|part| matches!(part, Component::Normal(_)));
            if name.is_empty() || !below {
                return Err(Stop::mishap("cannot edit what is not below the working directory", name));
            }
            let path = workdir.join(relative);
            let disk = self.host.disk();
            let written = async {
                disk.make_dir(path.parent().unwrap_or(workdir)).await?;
                disk.write(&path, content.as_bytes()).await
            };
            written.await.map_err(|error| Stop::mishap(format_args!("cannot write {name}"), &error))?;
        }
        Ok(())
    }
}
