//! The working directory of a real task: a git repository, and the programs that are run in it.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use gauntlet_simulators::shell::Shell;
use gauntlet_world::Host;
use gauntlet_world::process::Signal;

use super::bench::Places;
use crate::files;

/// A program has so long; then it is killed with all that it started.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the programs of a task are looked for.
const PLACES: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// Whether a working directory can be a git repository.
pub(crate) fn git_is_there() -> bool {
    PLACES.iter().any(|place| files::exists(&Path::new(place).join("git")))
}

/// Makes the working directory a git repository whose one commit holds what is there. A receiver's own folder is no part of it.
pub(super) async fn make_repository(harness: &Host, places: &Places) -> io::Result<()> {
    let command =
        "git init -q && echo /.hermes/ >> .git/info/exclude && git add -A && git commit -qm 'As it was'";
    match run(harness, places, command).await? {
        (0, _) => Ok(()),
        (code, text) => Err(io::Error::other(format!("git ended with {code}: {text}"))),
    }
}

/// Runs a command in the working directory: its exit code, and what it printed.
pub(super) async fn run(harness: &Host, places: &Places, command: &str) -> io::Result<(i32, String)> {
    let mut shell = Shell::start(harness, command, &places.repo(), environment(places), true).await?;
    let Some(ended) = harness.clock().within(PATIENCE, shell.end()).await else {
        harness.processes().signal_group(shell.pid(), Signal::Kill).await?;
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("it ran for more than {PATIENCE:?}")));
    };
    ended
}

/// Nothing of the user's: neither his configuration of git, nor his name, nor the time.
fn environment(places: &Places) -> BTreeMap<String, String> {
    let home = places.home().to_string_lossy().into_owned();
    [
        ("PATH", PLACES.join(":").as_str()),
        ("HOME", home.as_str()),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "gauntlet"),
        ("GIT_AUTHOR_EMAIL", "gauntlet@localhost"),
        ("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z"),
        ("GIT_COMMITTER_NAME", "gauntlet"),
        ("GIT_COMMITTER_EMAIL", "gauntlet@localhost"),
        ("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
