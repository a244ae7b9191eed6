//! The ledger: a file of lines that is added to, and the lock of whoever looks and writes. When there are many, the holder of the lock
//! puts a shorter file in its place that says the same.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::Host;
use gauntlet_world::disk::Lock;

use super::entry::Entry;
use super::state::State;
use super::{BudgetError, Manner};
use crate::fleet::home::home;

const FILE: &str = "budget.jsonl";
const LOCK: &str = "budget.lock";
/// How long it is waited for another process.
const PATIENCE: Duration = Duration::from_secs(30);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// So many lines are added before it is written anew; more when what is carried over is longer. What is done for a dispatch is the same
/// then however many there were.
const MOST_ADDED: usize = 512;

/// The ledger of a home, as far as it was read.
pub(super) struct Ledger {
    path: PathBuf,
    lock: PathBuf,
    state: State,
    /// How many bytes, and how many lines, are part of the state.
    read: u64,
    lines: usize,
    /// How often it was written anew, and how many of its lines were carried over then.
    generation: u64,
    carried: usize,
    /// What stands behind them, that a crash left half written: nothing, or whether it lacks its line end.
    torn: Option<bool>,
    /// So many lines are added before it is written anew.
    most_added: usize,
}

impl Ledger {
    pub(super) fn of(host: &Host) -> Self {
        let home = home(host);
        let (path, lock) = (home.join(FILE), home.join(LOCK));
        Self {
            path,
            lock,
            state: State::default(),
            read: 0,
            lines: 0,
            generation: 0,
            carried: 0,
            torn: None,
            most_added: MOST_ADDED,
        }
    }

    /// One that is written anew after fewer lines.
    #[cfg(test)]
    pub(super) fn short(host: &Host, most_added: usize) -> Self {
        Self { most_added, ..Self::of(host) }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Locks everybody else out, and reads what they wrote meanwhile.
    pub(super) async fn hold(&mut self, host: &Host) -> Result<Lock, BudgetError> {
        let deadline = host.clock().now() + PATIENCE;
        let lock = loop {
            match host.disk().try_lock(&self.lock).await {
                Ok(Some(lock)) => break lock,
                Ok(None) if host.clock().now() >= deadline => {
                    return Err(BudgetError::Held { path: shown(&self.lock) });
                }
                Ok(None) => host.clock().sleep(BETWEEN_TRIES).await,
                Err(error) => return Err(unusable(&self.lock, &error)),
            }
        };
        self.read_durably(host).await?;
        if self.lines.saturating_sub(self.carried) > self.most_added.max(self.carried) {
            if let Err(error) = self.write_anew(host).await {
                // The longer one says the same.
                tracing::warn!(%error, "the budget ledger could not be written anew");
            }
            // Of a replacement that failed nobody knows which of the two files is there.
            self.read_durably(host).await?;
        }
        Ok(lock)
    }

    /// Reads what came since the last time. Who wrote it may have died before it was durable: what is looked at here counts from here on.
    async fn read_durably(&mut self, host: &Host) -> Result<(), BudgetError> {
        let before = (self.generation, self.read);
        self.read(host).await?;
        let synced = async {
            if (self.generation, self.read) != before {
                host.disk().sync(&self.path).await?;
            }
            if self.generation != before.0 || before.1 == 0 {
                // Else the file that was in its place could come back, or none: who made it may have died before its name was durable.
                host.disk().sync_dir(self.path.parent().unwrap_or(Path::new("/"))).await?;
            }
            Ok(())
        };
        synced.await.map_err(|error: io::Error| unusable(&self.path, &error))
    }

    /// Puts a file in its place that says the same in fewer lines: that one or this one is there, whatever happens.
    async fn write_anew(&self, host: &Host) -> io::Result<()> {
        let entries = self.state.condensed();
        let carried = Entry::Carried { generation: self.generation + 1, lines: entries.len() as u64 };
        let mut text = carried.to_line();
        entries.iter().for_each(|entry| text.push_str(&entry.to_line()));
        host.disk().replace(&self.path, text.as_bytes()).await
    }

    /// Reads what came since the last time. Nothing is changed on the disk.
    pub(super) async fn read(&mut self, host: &Host) -> Result<(), BudgetError> {
        let lost = || BudgetError::Lost { path: shown(&self.path) };
        let content = match host.disk().read(&self.path).await {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.read == 0 => Vec::new(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(lost()),
            Err(error) => return Err(unusable(&self.path, &error)),
        };
        let (generation, carried) = head(&content);
        if generation > self.generation {
            (self.state, self.read, self.lines, self.torn) = (State::default(), 0, 0, None);
            (self.generation, self.carried) = (generation, carried);
        }
        let read = usize::try_from(self.read).unwrap_or(usize::MAX);
        match content.get(read..) {
            Some(content) if generation == self.generation => self.take(content),
            _ => Err(lost()),
        }
    }

    /// A line that is no entry was left by a crash when nothing follows it, or that it was mended. Any other is a reason to stop: it
    /// may have said that something was used.
    fn take(&mut self, content: &[u8]) -> Result<(), BudgetError> {
        let mut bad: Option<(usize, String)> = None;
        let (mut place, mut lines) = (0, 0);
        let mut taken = Vec::new();
        let (mut read, mut counted) = (0, 0);
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                break;
            }
            place += line.len();
            lines += 1;
            match (Entry::parse(line.trim_ascii()), &bad) {
                (Ok(Entry::Mended), _) => bad = None,
                (Ok(entry), None) => taken.push(entry),
                (Ok(_), Some((line, found))) => {
                    return Err(BudgetError::Broken {
                        path: shown(&self.path),
                        line: *line,
                        found: found.clone(),
                    });
                }
                (Err(found), None) => bad = Some((self.lines + lines, found)),
                (Err(_), Some(_)) => {}
            }
            if bad.is_none() {
                (read, counted) = (place, lines);
            }
        }
        taken.iter().for_each(|entry| self.state.apply(entry));
        self.read += read as u64;
        self.lines += counted;
        self.torn = (read < content.len()).then(|| !content.ends_with(b"\n"));
        Ok(())
    }

    /// Adds entries. Only for who holds the lock.
    pub(super) async fn append(
        &mut self,
        host: &Host,
        entries: &[Entry],
        manner: Manner,
    ) -> Result<(), BudgetError> {
        let mut text = String::new();
        if let Some(lacks_its_end) = self.torn {
            text.push_str(if lacks_its_end { "\n" } else { "" });
            text.push_str(&Entry::Mended.to_line());
        }
        entries.iter().for_each(|entry| text.push_str(&entry.to_line()));
        let is_new = self.read == 0;
        let written = async {
            let disk = host.disk();
            disk.append(&self.path, text.as_bytes()).await?;
            if is_new {
                disk.set_mode(&self.path, manner.mode).await?;
                disk.sync_dir(self.path.parent().unwrap_or(Path::new("/"))).await?;
            }
            if manner.durable {
                disk.sync(&self.path).await?;
            }
            Ok(())
        };
        written.await.map_err(|error| unusable(&self.path, &error))?;
        self.read(host).await
    }
}

/// How often a ledger was written anew, and how many of its lines were carried over then, by its first line.
fn head(content: &[u8]) -> (u64, usize) {
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match Entry::parse(line) {
        // The line itself is one of them.
        Ok(Entry::Carried { generation, lines }) => {
            (generation, usize::try_from(lines).unwrap_or(usize::MAX).saturating_add(1))
        }
        _ => (0, 0),
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn unusable(path: &Path, error: &io::Error) -> BudgetError {
    BudgetError::Unusable { path: shown(path), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(content: &str) -> Result<(usize, Option<bool>), String> {
        let path = PathBuf::from("/h/budget.jsonl");
        let mut ledger = Ledger {
            lock: path.clone(),
            path,
            state: State::default(),
            read: 0,
            lines: 0,
            generation: 0,
            carried: 0,
            torn: None,
            most_added: MOST_ADDED,
        };
        let taken = ledger.take(content.as_bytes()).map_err(|error| error.to_string());
        taken.map(|()| (ledger.lines, ledger.torn))
    }

    #[test]
    fn a_torn_last_line_is_passed_over_and_any_other_broken_one_is_told_with_its_place() {
        let good = Entry::Release { id: "1".to_owned() }.to_line();
        let mended = Entry::Mended.to_line();
        let half = &good[..9];
        assert_eq!(take(&good), Ok((1, None)));
        assert_eq!(take(&format!("{good}{half}")), Ok((1, Some(true))));
        assert_eq!(take(&format!("{good}{half}\n")), Ok((1, Some(false))));
        assert_eq!(take(&format!("{good}{half}\n{mended}{good}")), Ok((4, None)));
        assert_eq!(
            take(&format!("{good}{half}\n{half}\n{mended}{good}")),
            Ok((5, None)),
            "torn while it was mended"
        );
        let told = take(&format!("{good}{half}\n{good}")).expect_err("broken");
        assert!(
            told.contains("/h/budget.jsonl, line 2: expected an entry")
                && told.contains("move the file away"),
            "{told}"
        );
        assert!(take("{\"v\":9}\n{\"v\":9}\n").is_ok_and(|(lines, torn)| lines == 0 && torn.is_some()));
    }
}
