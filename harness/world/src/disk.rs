//! The disk port: files and directories, and what makes them durable.
//!
//! Paths may be relative to the host's working directory. Content written is visible at once to everyone, and durable only
//! after [`Disk::sync`] on the file and, for a new or renamed entry, [`Disk::sync_dir`] on its directory.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::host::{Cut, Host, Mechanics};
use crate::real;
use crate::simulated::{HeldLock, Mistake};
use crate::touch::Op;

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link (only seen in listings: every other call follows links).
    Link,
}

/// Properties of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// File or directory.
    pub kind: Kind,
    /// Length in bytes; 0 for a directory.
    pub len: u64,
    /// Permission bits, for instance `0o600`.
    pub mode: u32,
    /// Milliseconds since 1970 of the last change of content.
    pub modified_ms: i64,
}

/// A lock that is held, until this is dropped.
pub struct Lock {
    _held: Held,
}

#[expect(
    clippy::disallowed_types,
    reason = "this is the port: the ban keeps everyone else from going around it"
)]
enum Held {
    Simulated {
        _held: std::rc::Rc<HeldLock>,
    },
    /// It ends with the last handle to the file.
    Real {
        _file: std::fs::File,
    },
}

/// The disk of one host's machine.
pub struct Disk<'a>(pub(crate) &'a Host);

impl Disk<'_> {
    /// The absolute path that this host means.
    pub fn absolute(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.cwd().join(path)
    }

    /// The content of a file.
    pub async fn read(&self, path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let path = self.absolute(path);
        self.touch(Op::DiskRead, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk().read(&path),
            Mechanics::Real(_) => real::disk::read(&path),
        })
        .await
    }

    /// The content of a file, or nothing when there is no such file.
    pub async fn read_if_present(&self, path: impl AsRef<Path>) -> io::Result<Option<Vec<u8>>> {
        match self.read(path).await {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The content of a file from a byte offset on; empty when the offset is at or beyond the end.
    pub async fn read_from(&self, path: impl AsRef<Path>, offset: u64) -> io::Result<Vec<u8>> {
        let path = self.absolute(path);
        self.touch(Op::DiskRead, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                let content = machine.disk().read(&path)?;
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
                Ok(content.get(start..).unwrap_or_default().to_vec())
            }
            Mechanics::Real(_) => real::disk::read_from(&path, offset),
        })
        .await
    }

    /// Creates a file or replaces its content. A new file gets mode `0o644`.
    pub async fn write(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskWrite, &path, |cut| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                machine.disk_mut(|disk| disk.write(&path, cut.part(content), 0o644))
            }
            Mechanics::Real(_) => real::disk::write(&path, content),
        })
        .await
    }

    /// Creates a file that must not exist yet (`AlreadyExists` otherwise), with these permission bits.
    pub async fn create_new(&self, path: impl AsRef<Path>, content: &[u8], mode: u32) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskCreate, &path, |cut| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                machine.disk_mut(|disk| disk.create_new(&path, cut.part(content), mode))
            }
            Mechanics::Real(_) => real::disk::create_new(&path, content, mode),
        })
        .await
    }

    /// Appends to a file, which is created with mode `0o600` when there is none: what is appended to in this field are
    /// transcripts, inboxes and journals, and those hold what people said.
    pub async fn append(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskAppend, &path, |cut| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                machine.disk_mut(|disk| disk.append(&path, cut.part(content), 0o600))
            }
            Mechanics::Real(_) => real::disk::append(&path, content, 0o600),
        })
        .await
    }

    /// Makes a file's content durable.
    pub async fn sync(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskSync, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(_) if self.slips(Mistake::Forgets(Op::DiskSync), &path) => Ok(()),
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.sync(&path)),
            Mechanics::Real(_) => real::disk::sync(&path),
        })
        .await
    }

    /// Makes a directory's entries durable: which names there are, and what they name.
    pub async fn sync_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskSyncDir, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(_) if self.slips(Mistake::Forgets(Op::DiskSyncDir), &path) => Ok(()),
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.sync_dir(&path)),
            Mechanics::Real(_) => real::disk::sync_dir(&path),
        })
        .await
    }

    /// Renames a file, replacing what has the new name. Others see the old file or the new one, never a part.
    pub async fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
        let (from, to) = (self.absolute(from), self.absolute(to));
        self.touch(Op::DiskRename, &to, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.rename(&from, &to)),
            Mechanics::Real(_) => real::disk::rename(&from, &to),
        })
        .await
    }

    /// Removes a file or a link.
    pub async fn remove(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskRemove, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.remove(&path)),
            Mechanics::Real(_) => real::disk::remove(&path),
        })
        .await
    }

    /// Removes a directory that has nothing in it.
    pub async fn remove_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskRemove, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.remove_dir(&path)),
            Mechanics::Real(_) => real::disk::remove_dir(&path),
        })
        .await
    }

    /// Creates a directory and its parents; fine when it is there already.
    pub async fn make_dir(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskMakeDir, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.make_dir(&path)),
            Mechanics::Real(_) => real::disk::make_dir(&path),
        })
        .await
    }

    /// Properties of a file or directory; links are followed.
    pub async fn stat(&self, path: impl AsRef<Path>) -> io::Result<Meta> {
        let path = self.absolute(path);
        self.touch(Op::DiskStat, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk().stat(&path),
            Mechanics::Real(_) => real::disk::stat(&path),
        })
        .await
    }

    /// Where a path really leads: absolute, with every link followed and every `..` taken from where the links lead.
    pub async fn canonical(&self, path: impl AsRef<Path>) -> io::Result<PathBuf> {
        let path = self.absolute(path);
        self.touch(Op::DiskStat, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk().canonical(&path),
            Mechanics::Real(_) => real::disk::canonical(&path),
        })
        .await
    }

    /// The names in a directory with their kinds, sorted by name.
    pub async fn list(&self, path: impl AsRef<Path>) -> io::Result<Vec<(String, Kind)>> {
        let path = self.absolute(path);
        self.touch(Op::DiskList, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk().list(&path),
            Mechanics::Real(_) => real::disk::list(&path),
        })
        .await
    }

    /// Sets the permission bits.
    pub async fn set_mode(&self, path: impl AsRef<Path>, mode: u32) -> io::Result<()> {
        let path = self.absolute(path);
        self.touch(Op::DiskChange, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.set_mode(&path, mode)),
            Mechanics::Real(_) => real::disk::set_mode(&path, mode),
        })
        .await
    }

    /// Makes a symbolic link at `path` that names `target`.
    pub async fn link(&self, target: impl AsRef<Path>, path: impl AsRef<Path>) -> io::Result<()> {
        let path = self.absolute(path);
        let target = target.as_ref();
        self.touch(Op::DiskChange, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => machine.disk_mut(|disk| disk.link(target, &path)),
            Mechanics::Real(_) => real::disk::link(target, &path),
        })
        .await
    }

    /// Replaces a file so that after any crash it holds the old content or the new one, whole: a sibling is written and
    /// made durable, renamed over the file, and the directory made durable. Each call has a sibling of its own, so that two
    /// at once do not mix; a crash may leave it behind. What is there afterwards is its owner's alone, and so is the sibling
    /// from its first moment on.
    pub async fn replace(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        let path = self.absolute(path);
        let renames_first = self.slips(Mistake::RenamesFirst, &path);
        let (first, then) = if renames_first { (&b""[..], Some(content)) } else { (content, None) };
        // Nobody can put a link in the place of a name that they cannot guess, and what is there all the same is not followed.
        let (random, _) = self.0.entropy().uuid().as_u64_pair();
        let mut sibling = path.clone().into_os_string();
        sibling.push(format!(".{random:016x}.tmp"));
        let sibling = PathBuf::from(sibling);
        if let Err(error) = self.replace_by(&sibling, first, &path).await {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return Err(error);
            }
            // Whether it can be removed or not, the first failure is the one to tell.
            let _ = self.remove(&sibling).await;
            return Err(error);
        }
        self.sync_dir(path.parent().unwrap_or(Path::new("/"))).await?;
        if let Some(content) = then {
            self.write(&path, content).await?;
            self.sync(&path).await?;
        }
        Ok(())
    }

    async fn replace_by(&self, sibling: &Path, content: &[u8], path: &Path) -> io::Result<()> {
        self.create_new(sibling, content, 0o600).await?;
        self.sync(sibling).await?;
        self.rename(sibling, path).await
    }

    /// Appends and makes the addition durable. The entry itself is made durable by whoever created the file.
    pub async fn append_durably(&self, path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
        let path = self.absolute(path);
        if let Some(later) = self.adds_later(&path) {
            let (host, content) = (self.0.clone(), content.to_vec());
            self.0.spawn(async move {
                host.clock().sleep(later).await;
                // Nobody is there any more whom a failure could be told.
                let _ = host.disk().append(&path, &content).await;
                let _ = host.disk().sync(&path).await;
            });
            return Ok(());
        }
        self.append(&path, content).await?;
        self.sync(&path).await
    }

    /// Takes the lock that a file stands for, which is created when there is none; nothing when somebody else holds it. The
    /// lock is let go when it is dropped, and when its process dies in any way: the file that stays behind locks nobody out.
    pub async fn try_lock(&self, path: impl AsRef<Path>) -> io::Result<Option<Lock>> {
        let path = self.absolute(path);
        self.touch(Op::DiskLock, &path, |_| match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                machine.disk_mut(|disk| disk.append(&path, b"", 0o600))?;
                let held = machine.try_lock(self.0, &path);
                Ok(held.map(|held| Lock { _held: Held::Simulated { _held: held } }))
            }
            Mechanics::Real(_) => {
                let file = real::disk::try_lock(&path, 0o600)?;
                Ok(file.map(|file| Lock { _held: Held::Real { _file: file } }))
            }
        })
        .await
    }

    /// Whether a mistake is planted here.
    fn slips(&self, mistake: Mistake, path: &Path) -> bool {
        self.mistakes(path, |planted| (planted == mistake).then_some(())).is_some()
    }

    fn adds_later(&self, path: &Path) -> Option<Duration> {
        self.mistakes(path, |planted| match planted {
            Mistake::AddsLater(later) => Some(later),
            Mistake::Forgets(_) | Mistake::RenamesFirst => None,
        })
    }

    fn mistakes<T>(&self, path: &Path, is_it: impl Fn(Mistake) -> Option<T>) -> Option<T> {
        match &self.0.inner.mechanics {
            Mechanics::Simulated(machine) => {
                machine.world().mistakes(self.0.name(), &path.to_string_lossy()).find_map(is_it)
            }
            Mechanics::Real(_) => None,
        }
    }

    async fn touch<T>(
        &self,
        op: Op,
        path: &Path,
        effect: impl FnOnce(Cut) -> io::Result<T>,
    ) -> io::Result<T> {
        self.0.touch(op, &path.to_string_lossy(), effect).await
    }
}
