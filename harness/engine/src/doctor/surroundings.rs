//! What a run needs of the computer: folders, the loopback interface, git.

use std::path::{Path, PathBuf};

use gauntlet_protocol::fleet::MODES;
use gauntlet_world::disk::Kind;

use super::eyes::Eyes;
use super::{Finding, State};
use crate::results::USUAL;

/// The port of a Hermes node unless it is told another one (fleet sheet 1.1).
const NODE: u16 = 9219;

/// What is mounted where, and with which options.
const MOUNTS: &str = "/proc/self/mounts";

/// Whether cells of the real lane can have their folders, with programs in them, in the place for temporary files.
pub(super) async fn scratch(eyes: &Eyes<'_>) -> Finding {
    let what = "scratch folders";
    let place = PathBuf::from(eyes.env("TMPDIR").unwrap_or("/tmp"));
    let help = "set TMPDIR to a folder of yours on a file system that is mounted with leave to run programs";
    let found = |text: &str| format!("{}: {text}", place.display());
    if let Some(reason) = not_writable(eyes, &place).await {
        return Finding::new(what, State::Broken, found(&reason)).help(help);
    }
    match options(eyes, &place).await {
        Some(options) if options.iter().any(|option| option == "noexec") => {
            Finding::new(what, State::Broken, found("programs there cannot be run (noexec)")).help(help)
        }
        Some(_) => Finding::new(what, State::Fine, found("can be written to, and programs there can be run")),
        None => {
            let text = format!("whether programs there can be run is not known without {MOUNTS}");
            Finding::new(what, State::Note, found(&text))
        }
    }
}

/// Whether reports can be written where they go unless told otherwise.
pub(super) async fn reports(eyes: &Eyes<'_>) -> Finding {
    let folder = eyes.cwd().join(USUAL);
    let mut there = folder.as_path();
    while let Err(error) = eyes.stat(there).await {
        match there.parent() {
            Some(parent) if error.kind() == std::io::ErrorKind::NotFound => there = parent,
            _ => break,
        }
    }
    match not_writable(eyes, there).await {
        Some(reason) => Finding::new("reports", State::Broken, format!("{}: {reason}", there.display()))
            .help("give another folder: `gauntlet run --out DIR`"),
        None => Finding::new("reports", State::Fine, format!("they go to {}", folder.display())),
    }
}

/// Why a folder cannot be written to, as far as that shows without trying.
async fn not_writable(eyes: &Eyes<'_>, folder: &Path) -> Option<String> {
    match eyes.stat(folder).await {
        Err(error) => return Some(format!("cannot be looked at ({error})")),
        Ok(meta) if meta.kind != Kind::Directory => return Some("is no folder".to_owned()),
        Ok(meta) if meta.mode & 0o222 == 0 => return Some("nobody may write there".to_owned()),
        Ok(_) => {}
    }
    let options = options(eyes, folder).await?;
    options.iter().any(|option| option == "ro").then(|| "is mounted to be read only".to_owned())
}

/// The options of the file system that a folder is on.
async fn options(eyes: &Eyes<'_>, folder: &Path) -> Option<Vec<String>> {
    let folder = eyes.canonical(folder).await.ok()?;
    let mounts = eyes.text(Path::new(MOUNTS)).await.ok()??;
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (_, place, _, options) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some((plain(place), options))
    });
    // Of two at one place the later one hides the earlier.
    let around = mounted.filter(|(place, _)| folder.starts_with(place));
    let (_, options) = around.max_by_key(|(place, _)| Path::new(place).components().count())?;
    Some(options.split(',').map(str::to_owned).collect())
}

/// A path as the list of mounts writes it: blanks stand there as `\040`.
fn plain(path: &str) -> String {
    path.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
}

pub(super) async fn loopback(eyes: &Eyes<'_>) -> Finding {
    match eyes.can_listen().await {
        Ok(()) => Finding::new("loopback", State::Fine, "one can listen on 127.0.0.1"),
        Err(error) => {
            Finding::new("loopback", State::Broken, format!("one cannot listen on 127.0.0.1: {error}"))
                .help("give this process a loopback interface")
        }
    }
}

/// Which of the ports that a fleet uses are taken. A run does not need them.
pub(super) async fn fleet_ports(eyes: &Eyes<'_>) -> Finding {
    let what = "ports of a fleet";
    let mut taken = Vec::new();
    for port in std::iter::once(NODE).chain(MODES.iter().flat_map(|mode| mode.managed.band())) {
        if eyes.is_taken(port).await {
            taken.push(port.to_string());
        }
    }
    if taken.is_empty() {
        return Finding::new(what, State::Fine, "all are free");
    }
    let found = format!("somebody listens on {}; a run uses others", taken.join(", "));
    Finding::new(what, State::Note, found)
}

pub(super) async fn git(eyes: &Eyes<'_>) -> Finding {
    let missing = |found: String| {
        Finding::new("git", State::Missing, found)
            .help("install git, or do without the stories that work in a repository")
    };
    let Some(path) = eyes.on_path("git").await else {
        return missing("not on PATH; what needs a repository is skipped".to_owned());
    };
    match eyes.version(&path).await {
        Ok(said) if !said.is_empty() => Finding::new("git", State::Fine, said),
        Ok(_) => missing(format!("{} says nothing", path.display())),
        Err(error) => missing(format!("{} cannot be started: {error}", path.display())),
    }
}
