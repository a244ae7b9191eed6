//! The processes of a cell of the real lane, by the operating system's own table: nothing that a subject says of its children
//! counts.
//!
//! A process is the cell's when it descends from the receiver, or when its working directory, its arguments or its environment
//! name the cell's folder. Orphans are found by the second: every stand-in has the folder in its arguments, and what it starts
//! inherits directory and environment. Not found is an orphan that has let go of all three. What runs in another terminal is
//! somebody's who looks around there while a cell is held, and is left alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::files;

/// A process of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stray {
    /// Its id.
    pub(crate) pid: u32,
    /// The name of its program.
    pub(crate) name: String,
    /// When it began: whoever gets its id later began later.
    began: Began,
}

impl Stray {
    /// Whether its id is its own still.
    pub(crate) fn is_there(&self) -> bool {
        let mut content = Vec::new();
        entry(&self.pid.to_string(), &mut content).is_some_and(|entry| entry.began == self.began)
    }
}

/// What lives of a cell, in order of pid, without the receiver itself. Processes that are older than the harness are nobody's:
/// most of a computer's are, and looking into each takes time.
pub(crate) fn of_cell(root: &Path, receiver: Option<u32>) -> Vec<Stray> {
    let mut content = Vec::new();
    let table = table(&mut content);
    let descends = |pid: u32| {
        let mut at = pid;
        // Pids come again; a table that was read while they did could go in a circle.
        for _ in 0..table.len() {
            match table.get(&at) {
                Some(entry) if Some(entry.parent) == receiver => return true,
                Some(entry) => at = entry.parent,
                None => return false,
            }
        }
        false
    };
    let root_name = root.to_string_lossy();
    let own_terminal = entry("self", &mut content).map_or(0, |own| own.terminal);
    let strays = table.iter().filter(|(pid, _)| Some(**pid) != receiver);
    strays
        .filter(|(pid, entry)| {
            let can_be = entry.terminal == 0 || entry.terminal == own_terminal;
            descends(**pid) || (can_be && names(**pid, root, &root_name, &mut content))
        })
        .map(|(pid, entry)| Stray { pid: *pid, name: entry.name.clone(), began: entry.began })
        .collect()
}

/// Removes the folders of cells and stand-ins that a killed harness left below this one, and ends what still runs there.
pub fn clear_abandoned(below: &Path) {
    files::clear_abandoned(below, &end_abandoned);
}

/// Ends what lives of a cell whose harness is gone: what has its folder in its environment, or lives there. Whoever only names it in an
/// argument, or is there from another terminal, or was there in a shell, may be somebody who looks at it.
fn end_abandoned(root: &Path) {
    let mut content = Vec::new();
    let root_name = root.to_string_lossy();
    let own_terminal = entry("self", &mut content).map_or(0, |own| own.terminal);
    for (name, _) in files::numbered_in(Path::new("/proc")) {
        let proc = Path::new("/proc").join(&name);
        let can_be = |found: Entry| found.terminal == 0 || found.terminal == own_terminal;
        let is_at_home = lives_in(&proc, root) && entry(&name, &mut content).is_some_and(can_be);
        let mut is_equipped =
            || files::read_into(&proc.join("environ"), &mut content) && equips(&content, &root_name);
        if is_at_home || is_equipped() {
            let pid = name.parse().ok().and_then(rustix::process::Pid::from_raw);
            // One that ended meanwhile needs no signal.
            let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        }
    }
}

/// Whether an environment has a folder in it, other than as the place where a shell is or was.
fn equips(environment: &[u8], folder: &str) -> bool {
    let mut pairs = environment.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    pairs.any(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or_default();
        !matches!(name, "PWD" | "OLDPWD") && value.contains(folder)
    })
}

/// The arguments of a process that runs, without its own name, as everyone on the computer can read them.
pub(crate) fn arguments(pid: u32) -> Option<Vec<String>> {
    let line = files::read(Path::new(&format!("/proc/{pid}/cmdline")))?;
    let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    let mut words: Vec<String> = words.collect();
    // Each ends with the byte that separates them; a process that ended has none.
    words.pop();
    (!words.is_empty()).then(|| words.split_off(1))
}

/// When a process began, in the clock ticks of the operating system since it was started itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Began(u64);

struct Entry {
    parent: u32,
    /// Its terminal, by the kernel's number; 0 is none.
    terminal: i32,
    began: Began,
    name: String,
}

/// The processes that are older than the harness, each with the number by which the kernel knows its entry: whoever gets its pid
/// later has an entry of his own. Nobody needs to look at them again.
static ELDERS: Mutex<BTreeSet<(u32, u64)>> = Mutex::new(BTreeSet::new());

/// Every process that is not older than the harness and not only waiting to be reaped.
fn table(content: &mut Vec<u8>) -> BTreeMap<u32, Entry> {
    let oldest = entry("self", content).map(|own| own.began).unwrap_or_default();
    let elders = || ELDERS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut pids: Vec<(u32, u64)> = files::numbered_in(Path::new("/proc"))
        .into_iter()
        .filter_map(|(name, number)| Some((name.parse().ok()?, number)))
        .collect();
    let known = elders();
    pids.retain(|process| !known.contains(process));
    drop(known);
    let mut young = BTreeMap::new();
    for process in pids {
        let Some(entry) = entry(&process.0.to_string(), content) else { continue };
        if entry.began >= oldest {
            young.insert(process.0, entry);
        } else if process.1 > NO_NUMBER {
            elders().insert(process);
        }
    }
    young
}

/// What the kernel says where it could make no entry.
const NO_NUMBER: u64 = 1;

fn entry(name: &str, content: &mut Vec<u8>) -> Option<Entry> {
    if !files::read_into(Path::new(&format!("/proc/{name}/stat")), content) {
        return None;
    }
    let stat = String::from_utf8_lossy(content);
    // The name stands in parentheses and may itself hold spaces and parentheses.
    let (before, after) = stat.rsplit_once(')')?;
    let mut fields = after.split_whitespace();
    if matches!(fields.next(), Some("Z" | "X")) {
        return None;
    }
    Some(Entry {
        parent: fields.next()?.parse().ok()?,
        terminal: fields.nth(2)?.parse().ok()?,
        began: Began(fields.nth(14)?.parse().ok()?),
        name: before.split_once('(')?.1.to_owned(),
    })
}

fn names(pid: u32, root: &Path, root_name: &str, content: &mut Vec<u8>) -> bool {
    let proc = Path::new("/proc").join(pid.to_string());
    lives_in(&proc, root)
        || mentions(&proc.join("cmdline"), root_name, content)
        || mentions(&proc.join("environ"), root_name, content)
}

fn lives_in(proc: &Path, root: &Path) -> bool {
    files::link_target(&proc.join("cwd")).is_some_and(|cwd| cwd.starts_with(root))
}

fn mentions(file: &Path, text: &str, content: &mut Vec<u8>) -> bool {
    files::read_into(file, content) && String::from_utf8_lossy(content).contains(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_that_was_in_the_folder_of_a_cell_is_not_of_the_cell() {
        let folder = "/tmp/gauntlet-cell-7-00";
        assert!(equips(b"A=b\0HOME=/tmp/gauntlet-cell-7-00/home\0", folder));
        assert!(!equips(
            b"OLDPWD=/tmp/gauntlet-cell-7-00/repo\0PWD=/tmp/gauntlet-cell-7-00\0HOME=/root\0",
            folder
        ));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "this process is the one that is certainly there")]
    fn whoever_has_the_id_of_one_that_ended_is_somebody_else() {
        let own = std::process::id();
        let began = entry(&own.to_string(), &mut Vec::new()).expect("this process").began;
        let now = Stray { pid: own, name: "this".to_owned(), began };
        assert!(now.is_there());
        let before = Stray { began: Began(began.0 - 1), ..now };
        assert!(!before.is_there(), "another one had the id then");
    }
}
