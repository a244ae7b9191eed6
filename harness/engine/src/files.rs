//! The engine's own file I/O, in one place: reading data folders, writing reports.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the one place where the engine touches files outside of a cell"
)]

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// No data file is longer.
const LONGEST: u64 = 1024 * 1024;
/// Nothing that was compressed is longer.
const MOST_UNPACKED: u64 = 256 * 1024 * 1024;

/// The YAML files below a folder, by path relative to it, sorted. A link to a file is a file; a link to a folder is not
/// followed, since it can lead anywhere, also back. Names that begin with a dot are passed over.
pub fn yaml_below(root: &Path) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                let text = read_text(&path)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?;
                found.push((name, text));
            } else if path.is_dir() {
                let message = format!("{}: expected a folder; found a link to one", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The text of a regular file that is not too long. Others are not opened: a pipe would be waited for.
pub fn read_text(path: &Path) -> io::Result<String> {
    let wrong = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
    if !fs::metadata(path)?.is_file() {
        return Err(wrong("expected a regular file".to_owned()));
    }
    let mut text = String::new();
    fs::File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(format!("expected at most {LONGEST} bytes (1 MiB)")));
    }
    Ok(text)
}

/// Writes a file so that a reader sees the old content or the new one, creating its folder.
pub fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut sibling = path.as_os_str().to_owned();
    sibling.push(".tmp");
    let sibling = PathBuf::from(sibling);
    fs::write(&sibling, content)?;
    fs::rename(&sibling, path)
}

/// Writes a file that nobody else may read, so that a reader sees the old content or the new one.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut sibling = path.as_os_str().to_owned();
    sibling.push(".tmp");
    let sibling = PathBuf::from(sibling);
    // A file that is left from before would keep its own mode.
    remove(&sibling)?;
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&sibling)?;
    file.write_all(content)?;
    fs::rename(&sibling, path)
}

/// The content of a file.
pub fn read_all(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    fs::read(path)
}

/// Creates a folder and its parents.
pub fn make_dir(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Removes a folder and all in it; fine when it is not there.
pub fn remove_dir(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a file or a folder; fine when it is not there.
pub fn remove(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        remove_dir(path)
    } else {
        fs::remove_file(path).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })
    }
}

/// Bytes, compressed as gzip does it.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    // To write into memory does not fail.
    let _ = encoder.write_all(content);
    encoder.finish().unwrap_or_default()
}

/// What gzip has compressed; other bytes as they are. Of what is longer than anything that we compress nothing is given.
pub fn gunzip(content: Vec<u8>) -> io::Result<Vec<u8>> {
    if !content.starts_with(&[0x1f, 0x8b]) {
        return Ok(content);
    }
    let mut whole = Vec::new();
    MultiGzDecoder::new(content.as_slice()).take(MOST_UNPACKED + 1).read_to_end(&mut whole)?;
    if whole.len() as u64 > MOST_UNPACKED {
        let message = format!("it is longer than {MOST_UNPACKED} bytes when it is unpacked");
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    Ok(whole)
}

/// The content of a file; nothing when it cannot be read.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

/// The lines of a file, each with its line end; the last one has none when the file was cut there.
pub fn lines(path: &Path) -> io::Result<Vec<String>> {
    let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
    Ok(text.split_inclusive('\n').map(str::to_owned).collect())
}

/// Reads a file of the kernel into a buffer that is used again: such files say no length beforehand. False when it cannot be read.
pub fn read_into(path: &Path, content: &mut Vec<u8>) -> bool {
    let Ok(mut file) = fs::File::open(path) else { return false };
    content.resize(content.capacity().max(16 * 1024), 0);
    let mut length = 0;
    loop {
        if length == content.len() {
            content.resize(2 * length, 0);
        }
        match file.read(&mut content[length..]) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    content.truncate(length);
    true
}

/// The first line of a file; nothing when it cannot be read.
pub fn first_line(path: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(fs::File::open(path).ok()?).read_line(&mut line).ok()?;
    Some(line)
}

/// The names in a folder, sorted; none when it cannot be read.
pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The names in a folder with the numbers of their entries, in any order; none when it cannot be read.
pub(crate) fn numbered_in(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.ino())).collect()
}

/// Whether programs that are put into a folder can be run: not so where it is mounted without leave to.
pub fn runs_programs(folder: &Path) -> io::Result<()> {
    let path = scratch(folder).with_extension("runs-programs");
    fs::write(&path, "#!/bin/sh\nexit 0\n")?;
    set_mode(&path, 0o755)?;
    // Another thread that forks at this moment may hold the file open for writing.
    let outcome = loop {
        match std::process::Command::new(&path).status() {
            Err(busy) if busy.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            outcome => break outcome,
        }
    };
    fs::remove_file(&path)?;
    match outcome?.success() {
        true => Ok(()),
        false => Err(io::Error::other("a program of two lines did not end well")),
    }
}

/// Whether so many bytes are free in a folder.
pub fn has_room(folder: &Path, bytes: u64) -> bool {
    let free = rustix::fs::statvfs(folder).map(|found| found.f_bavail.saturating_mul(found.f_frsize));
    free.is_ok_and(|free| free >= bytes)
}

/// A folder is this process' alone as long as this lives.
pub struct Lock(#[expect(dead_code, reason = "it is held, and let go when it is dropped")] fs::File);

/// Takes a folder for this process alone, until the value is dropped or the process ends. Nothing when another process has it.
pub fn lock(folder: &Path) -> io::Result<Option<Lock>> {
    fs::create_dir_all(folder)?;
    let file = fs::File::options().create(true).truncate(false).write(true).open(folder.join(".lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(fs::TryLockError::WouldBlock) => Ok(None),
        Err(fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Makes a symbolic link, with the folders that lead to it.
pub fn link(target: &Path, path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        make_dir(folder)?;
    }
    std::os::unix::fs::symlink(target, path)
}

/// What a symbolic link points at.
pub fn link_target(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok()
}

/// Sets a file's permission bits.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// No more is read of one file of a subject, and no more of all that is looked at together. What floods has said enough with that.
const MOST_OF_A_FILE: u64 = 8 * 1024 * 1024;
const MOST_OF_A_LOOK: u64 = 64 * 1024 * 1024;

/// Every file below a folder with its permission bits and its content, by path relative to it; a file is the one below itself.
/// Links are not followed. A file that is longer than 8 MiB is cut there, and so is what goes beyond 64 MiB in all.
pub fn all_below(root: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mode = |meta: io::Result<fs::Metadata>| {
        meta.map(|meta| meta.permissions().mode() & 0o7777).unwrap_or_default()
    };
    let mut room = MOST_OF_A_LOOK;
    if fs::symlink_metadata(root).is_ok_and(|meta| meta.is_file()) {
        let content = read_some(root, &mut room);
        return content
            .map(|content| (String::new(), mode(fs::metadata(root)), content))
            .into_iter()
            .collect();
    }
    let mut found = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(path),
                Ok(kind) if kind.is_file() => {
                    let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                    // A file that vanishes or cannot be read meanwhile is not there.
                    let mode = mode(entry.metadata());
                    found.extend(read_some(&path, &mut room).map(|content| (name, mode, content)));
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// What a file holds, as far as it may be read, and as there is room.
fn read_some(path: &Path, room: &mut u64) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let most = MOST_OF_A_FILE.min(*room);
    let mut file = fs::File::open(path).ok()?.take(most);
    file.read_to_end(&mut content).ok()?;
    *room -= content.len() as u64;
    if content.len() as u64 == most {
        tracing::warn!(file = %path.display(), bytes = most, "what is longer is cut");
    }
    Some(content)
}

/// How the folders of cells are called: the process that made one follows, and something random.
const CELL: &str = "gauntlet-cell-";

/// A folder of its own below another one, not made yet.
pub fn scratch(below: &Path) -> PathBuf {
    let mut random = [0; 8];
    // Without randomness the name may be taken, which shows when the folder is made.
    let _ = getrandom::fill(&mut random);
    below.join(format!("{CELL}{}-{:016x}", std::process::id(), u64::from_le_bytes(random)))
}

/// Removes the folders of cells whose harness is gone: one that was killed could not do it, and bearers are in them. What still runs
/// there is ended first, by `end`.
pub(crate) fn clear_abandoned(below: &Path, end: &dyn Fn(&Path)) {
    let processes = Path::new("/proc");
    // Where nobody can tell who lives, everybody does.
    if !processes.join("self").exists() {
        return;
    }
    for entry in fs::read_dir(below).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some((pid, _)) = name.to_str().and_then(|name| name.strip_prefix(CELL)?.split_once('-')) else {
            continue;
        };
        if pid.parse::<u32>().is_ok() && !processes.join(pid).exists() {
            end(&entry.path());
            // Somebody else's cannot be removed, and another harness may have been faster.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Creates a folder that does not exist yet and that nobody else may look into.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Whether there is something at a path.
pub fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The whole path of a folder.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Whether a path leads to a program that can be started.
pub fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// A variable of this process' environment, if it is set to something.
pub fn own_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A file that grows by whole lines.
#[derive(Debug)]
pub struct Lines(fs::File);

impl Lines {
    /// Creates the file and its folder, empty.
    pub fn create(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::File::create(path).map(Self)
    }

    /// Appends a line at once, so that the file has whole lines only at any time.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_for_one_at_a_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = lock(folder.path()).expect("it can be locked");
        assert!(first.is_some());
        assert!(lock(folder.path()).expect("it can be asked for").is_none(), "somebody has it");
        drop(first);
        assert!(lock(folder.path()).expect("it can be locked").is_some(), "it is free again");
    }

    #[test]
    fn programs_run_where_they_may() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(runs_programs(folder.path()).is_ok());
        assert!(runs_programs(&folder.path().join("absent")).is_err());
        assert_eq!(names_in(folder.path()), Vec::<String>::new(), "nothing is left");
    }

    #[test]
    fn of_a_file_that_floods_only_so_much_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a", "b"] {
            let file = fs::File::create(folder.path().join(name)).expect("a file");
            file.set_len(3 << 30).expect("a file with a hole");
        }
        let found = all_below(folder.path());
        assert!(found.iter().all(|(_, _, content)| content.len() as u64 == MOST_OF_A_FILE));
        assert_eq!(found.len(), 2);
        let mut room = 5;
        assert_eq!(read_some(&folder.path().join("a"), &mut room).map(|content| content.len()), Some(5));
        assert_eq!(room, 0);
    }

    #[test]
    fn what_is_packed_is_unpacked_and_all_else_is_left_alone() {
        let text = b"observations".repeat(1000);
        let packed = gzip(&text);
        assert!(packed.len() * 10 < text.len());
        assert_eq!(gunzip(packed.clone()).expect("it is whole"), text);
        assert_eq!(gunzip(text.clone()).expect("it is not packed"), text);
        assert!(gunzip(packed[..packed.len() / 2].to_vec()).is_err(), "it was cut");
    }

    #[test]
    fn the_folders_of_cells_whose_harness_is_gone_are_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        // No process has this number: the kernel's are smaller.
        let gone = folder.path().join(format!("{CELL}{}-0", u32::MAX));
        let (own, other) = (scratch(folder.path()), folder.path().join("gauntlet-cell-notes"));
        [&gone, &own, &other].into_iter().for_each(|path| fs::create_dir(path).expect("a folder"));
        let ended = std::cell::RefCell::new(Vec::new());
        clear_abandoned(folder.path(), &|path| ended.borrow_mut().push(path.to_path_buf()));
        assert_eq!(*ended.borrow(), std::slice::from_ref(&gone));
        assert!(!gone.exists() && own.exists() && other.exists());
    }
}
