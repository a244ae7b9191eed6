//! Which of the files that are only ever added to have a name that survives a power cut: whoever makes one sees to that, and when it could not
//! be made at the start it is made later.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use gauntlet_world::Host;

/// The files whose names are durable.
#[derive(Debug, Default)]
pub(super) struct Names(RefCell<BTreeSet<PathBuf>>);

impl Names {
    /// Makes those that are not there. One that cannot be made now may be writable later; whoever adds to it then gets an answer.
    pub(super) async fn make(host: &Host, folder: &Path, files: &[&str]) -> Self {
        let mut made = BTreeSet::new();
        for name in files {
            let path = folder.join(name);
            if host.disk().append(&path, b"").await.is_ok() {
                made.insert(path);
            }
        }
        let folders = [host.disk().sync_dir(folder).await, host.disk().sync_dir(host.cwd()).await];
        if folders.iter().any(Result::is_err) {
            made.clear();
        }
        Self(RefCell::new(made))
    }

    /// Somebody has moved the file away, or may have.
    pub(super) fn forget(&self, path: &Path) {
        self.0.borrow_mut().remove(path);
    }

    /// Adds to a file, durably, its name included.
    pub(super) async fn append(&self, host: &Host, path: &Path, content: &[u8]) -> io::Result<()> {
        host.disk().append_durably(path, content).await?;
        if !self.0.borrow().contains(path) {
            host.disk().sync_dir(path.parent().unwrap_or(Path::new("/"))).await?;
            host.disk().sync_dir(host.cwd()).await?;
            self.0.borrow_mut().insert(path.to_path_buf());
        }
        Ok(())
    }
}
