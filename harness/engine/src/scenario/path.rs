//! The paths of scenarios: which of a cell's folders one is in. None leads out of the cell.

use super::mistake::Mistake;
use super::{LinkFile, Scenario, Subject, Verb};
use crate::data::nearest;

/// The folders of a cell that paths begin in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Folder {
    /// The receiver's working directory, where a path without a mark begins.
    Repo,
    /// The executor's home: `~/`.
    Home,
    /// The runtime's home, or that of a Hermes node that is the subject: `~hermes/`.
    Hermes,
    /// The home of the neighbour of such a node: `~neighbour/`.
    Neighbour,
}

const HOME: &str = "~/";
const HERMES: &str = "~hermes/";
const NEIGHBOUR: &str = "~neighbour/";

impl Folder {
    /// The folder that a path begins in, and the rest of the path.
    pub(crate) fn split(written: &str) -> (Self, &str) {
        let marks = [(HOME, Folder::Home), (HERMES, Folder::Hermes), (NEIGHBOUR, Folder::Neighbour)];
        let marked = marks.into_iter().find_map(|(mark, folder)| Some((folder, written.strip_prefix(mark)?)));
        marked.unwrap_or((Folder::Repo, written))
    }

    /// What the paths of its files begin with in a trace.
    pub(crate) fn in_trace(self) -> &'static str {
        match self {
            Folder::Repo => "repo",
            Folder::Home => "home",
            Folder::Hermes => "hermes",
            Folder::Neighbour => "neighbour",
        }
    }
}

/// What a check calls the receiver's log, which is in none of the folders.
const LOG: &str = "~log";

/// Where a file that a check looks at is in a trace.
pub(crate) fn in_trace(written: &str) -> String {
    let (folder, rest) = Folder::split(written);
    if written == LOG { "receiver.log".to_owned() } else { format!("{}/{rest}", folder.in_trace()) }
}

/// The first path of a scenario that is wrong, if one is.
pub(super) fn mistake(scenario: &Scenario) -> Option<Mistake> {
    let of_given = || {
        scenario.given.files.keys().find_map(|path| {
            let (message, help) = wrong(path)?;
            Some(Mistake::at_key(&["given", "files", path], message).help(help))
        })
    };
    let of_links = || {
        scenario.given.links.iter().enumerate().find_map(|(number, link)| {
            let (number, (member, (message, help))) = (number.to_string(), wrong_link(link)?);
            Some(Mistake::at(&["given", "links", &number, member], message).help(help))
        })
    };
    let of_turns = || {
        let turns = scenario.given.executor.turns.iter().enumerate();
        let edits =
            turns.flat_map(|(number, part)| part.edits.keys().map(move |path| (number.to_string(), path)));
        edits
            .filter(|(_, path)| leads_out(path))
            .map(|(number, path)| {
                let at = ["given", "executor", "turns", &number, "edits", path];
                Mistake::at_key(&at, format!("expected a path below the working directory; found {path:?}"))
            })
            .next()
    };
    let of_steps = || {
        scenario.steps.iter().enumerate().find_map(|(number, step)| {
            let number = number.to_string();
            let (path, at) = match step.verb()? {
                Verb::Write(write) => (write.path.as_str(), vec!["steps", &number, "write", "path"]),
                Verb::Remove(path) => (path, vec!["steps", &number, "remove"]),
                Verb::Link(link) => {
                    let (member, (message, help)) = wrong_link(link)?;
                    return Some(Mistake::at(&["steps", &number, "link", member], message).help(help));
                }
                _ => return None,
            };
            let (message, help) = wrong(path)?;
            Some(Mistake::at(&at, message).help(help))
        })
    };
    let of_checks = || {
        scenario.then.iter().enumerate().find_map(|(number, check)| {
            let (path, member) = match check.subject()? {
                Subject::File(path) if path != LOG => (path, "file"),
                Subject::Conversation(path) => (path, "conversation"),
                Subject::Files(path) => (path, "files"),
                _ => return None,
            };
            let (message, help) = wrong(path)?;
            Some(Mistake::at(&["then", &number.to_string(), member], message).help(help))
        })
    };
    of_given().or_else(of_links).or_else(of_turns).or_else(of_steps).or_else(of_checks)
}

/// What is wrong with one end of a link, if anything is, and with which.
fn wrong_link(link: &LinkFile) -> Option<(&'static str, (String, Option<String>))> {
    [("path", &link.path), ("to", &link.to)].into_iter().find_map(|(member, end)| Some((member, wrong(end)?)))
}

/// What is wrong with a path that may begin in each of the folders, if anything is.
fn wrong(written: &str) -> Option<(String, Option<String>)> {
    let (folder, rest) = Folder::split(written);
    let first = rest.split('/').next().unwrap_or_default();
    if folder == Folder::Repo && first.starts_with('~') {
        let known = [HERMES, HOME, NEIGHBOUR];
        let help = nearest(&format!("{first}/"), known).map(|near| format!("did you mean {near:?}?"));
        return Some((
            format!("expected a path that begins with a name, `~/` or `~hermes/`; found {written:?}"),
            help,
        ));
    }
    leads_out(rest)
        .then(|| (format!("expected a path below {}; found {written:?}", of(folder)), Some(STAYS.to_owned())))
}

const STAYS: &str = "what a scenario touches stays in its cell: no `/` at the beginning, no `..`, and no `{workdir}` or context";

fn of(folder: Folder) -> &'static str {
    match folder {
        Folder::Repo => "the working directory",
        Folder::Home => "the executor's home",
        Folder::Hermes => "the runtime's home",
        Folder::Neighbour => "the neighbour's home",
    }
}

/// Whether a path does not stay below the folder that it begins in, or stands for nothing there. The words of executors stay;
/// the working directory is absolute, and the ids of contexts can be a subject's.
pub(crate) fn leads_out(rest: &str) -> bool {
    let climbs = rest.split('/').any(|part| part == "..");
    rest.is_empty()
        || rest.starts_with('/')
        || rest.contains('\0')
        || climbs
        || ["{workdir}", "{context:", "{nonce:"].iter().any(|reference| rest.contains(reference))
}
