//! A disk in memory that knows what was synced.
//!
//! Files and directories are numbered nodes. Each keeps what is visible now and what is durable. Content is shared
//! copy-on-write, so a snapshot of a disk is cheap.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::disk::{Kind, Meta};
use crate::entropy::Entropy;
use crate::fault::Unsynced;

const ROOT: usize = 0;
const LINK_LIMIT: u32 = 40;

/// A file as it is on a disk: its permission bits and its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileImage {
    /// Permission bits.
    pub mode: u32,
    /// Content.
    pub content: Rc<Vec<u8>>,
}

/// Takes a file that is there: its path, its permission bits, its content.
pub type See<'a> = dyn FnMut(&str, u32, &Rc<Vec<u8>>) + 'a;

/// A whole disk. Cloning is cheap and gives an independent disk.
#[derive(Clone)]
pub struct DiskImage {
    nodes: Vec<Node>,
    /// Stamps modifications; set by the machine before each change.
    pub(crate) now_ms: i64,
    /// Bytes that fit in all files together; nothing when there is no limit.
    capacity: Option<usize>,
    /// How often something visible may have changed.
    changes: u64,
}

#[derive(Clone)]
struct Node {
    mode: u32,
    modified_ms: i64,
    body: Body,
}

#[derive(Clone)]
enum Body {
    File {
        content: Rc<Vec<u8>>,
        durable: Rc<Vec<u8>>,
        /// Whether the file was emptied and written anew since it was last synced, and not only appended to.
        rewritten: bool,
    },
    Directory {
        entries: Rc<BTreeMap<String, usize>>,
        durable: Rc<BTreeMap<String, usize>>,
    },
    Link(PathBuf),
}

impl Body {
    /// What is visible becomes durable.
    fn settle(&mut self) {
        match self {
            Body::File { content, durable, rewritten } => {
                *durable = content.clone();
                *rewritten = false;
            }
            Body::Directory { entries, durable } => *durable = entries.clone(),
            Body::Link(_) => {}
        }
    }
}

impl Default for DiskImage {
    fn default() -> Self {
        let root = Node { mode: 0o755, modified_ms: 0, body: empty_directory() };
        Self { nodes: vec![root], now_ms: 0, capacity: None, changes: 0 }
    }
}

fn empty_directory() -> Body {
    Body::Directory { entries: Rc::default(), durable: Rc::default() }
}

/// Error numbers as on Linux, so that error texts are the same in both mechanics.
mod errno {
    pub(super) const NOT_FOUND: i32 = 2;
    pub(super) const DENIED: i32 = 13;
    pub(super) const EXISTS: i32 = 17;
    pub(super) const NOT_A_DIRECTORY: i32 = 20;
    pub(super) const IS_A_DIRECTORY: i32 = 21;
    pub(super) const INVALID: i32 = 22;
    pub(super) const FULL: i32 = 28;
    pub(super) const NOT_EMPTY: i32 = 39;
    pub(super) const LINK_LOOP: i32 = 40;
}

fn error(number: i32) -> io::Error {
    io::Error::from_raw_os_error(number)
}

impl DiskImage {
    /// Limits the bytes of all files together. A write that exceeds it brings what fits and fails with "no space left on
    /// device"; a rewritten file has lost its old content by then, as on a real disk.
    pub fn limit(&mut self, capacity: Option<usize>) {
        self.capacity = capacity;
    }

    /// A number that is another one whenever a file or an entry has changed. What only became durable is the same as before.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The content of a file.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.content(path).map(|content| content.to_vec())
    }

    /// The content of a file, shared.
    pub fn content(&self, path: &Path) -> io::Result<Rc<Vec<u8>>> {
        let node = self.node(self.find(path)?);
        match &node.body {
            Body::File { .. } if node.mode & 0o400 == 0 => Err(error(errno::DENIED)),
            Body::File { content, .. } => Ok(content.clone()),
            _ => Err(error(errno::IS_A_DIRECTORY)),
        }
    }

    /// Creates a file or replaces its content.
    pub fn write(&mut self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.change(path, mode, content, true)
    }

    /// Appends to a file, or creates it.
    pub fn append(&mut self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.change(path, mode, content, false)
    }

    /// Creates a file that must not exist yet.
    pub fn create_new(&mut self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.free_place(path)?;
        self.write(path, content, mode)
    }

    /// Makes a file's content durable, or a directory's entries.
    pub fn sync(&mut self, path: &Path) -> io::Result<()> {
        let number = self.find(path)?;
        self.node_mut(number).body.settle();
        Ok(())
    }

    /// Makes a directory's entries durable.
    pub fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let number = self.find(path)?;
        self.entries(number)?;
        self.node_mut(number).body.settle();
        Ok(())
    }

    /// Renames a file, link or directory over whatever has the new name. Links in the last place are not followed.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (old_directory, old_name) = self.place(from)?;
        let (new_directory, new_name) = self.place(to)?;
        let number = *self.entries(old_directory)?.get(old_name).ok_or_else(|| error(errno::NOT_FOUND))?;
        let target = self.entries(new_directory)?.get(new_name).copied();
        if target == Some(number) {
            return Ok(());
        }
        if self.is_below(number, new_directory) {
            return Err(error(errno::INVALID));
        }
        let moves_directory = matches!(self.node(number).body, Body::Directory { .. });
        match target.map(|target| &self.node(target).body) {
            None => {}
            Some(Body::Directory { .. }) if !moves_directory => return Err(error(errno::IS_A_DIRECTORY)),
            Some(Body::Directory { entries, .. }) if entries.is_empty() => {}
            Some(Body::Directory { .. }) => return Err(error(errno::NOT_EMPTY)),
            Some(_) if moves_directory => return Err(error(errno::NOT_A_DIRECTORY)),
            Some(_) => {}
        }
        self.may_change(old_directory)?;
        self.may_change(new_directory)?;
        self.entries_mut(old_directory)?.remove(old_name);
        self.entries_mut(new_directory)?.insert(new_name.to_owned(), number);
        Ok(())
    }

    /// Removes a file, or a link itself.
    pub fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.place(path)?;
        let number = *self.entries(directory)?.get(name).ok_or_else(|| error(errno::NOT_FOUND))?;
        if matches!(self.node(number).body, Body::Directory { .. }) {
            return Err(error(errno::IS_A_DIRECTORY));
        }
        self.may_change(directory)?;
        self.entries_mut(directory)?.remove(name);
        Ok(())
    }

    /// Removes a directory that has nothing in it. A link to one is none.
    pub fn remove_dir(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.place(path)?;
        let number = *self.entries(directory)?.get(name).ok_or_else(|| error(errno::NOT_FOUND))?;
        if !self.entries(number)?.is_empty() {
            return Err(error(errno::NOT_EMPTY));
        }
        self.may_change(directory)?;
        self.entries_mut(directory)?.remove(name);
        Ok(())
    }

    /// Removes a file, or a directory with all in it; fine when there is none.
    pub fn remove_all(&mut self, path: &Path) -> io::Result<()> {
        let (directory, name) = self.parent(path)?;
        self.entries_mut(directory)?.remove(&name);
        Ok(())
    }

    /// Creates a directory and its parents.
    pub fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        if self.find(path).is_ok_and(|number| matches!(self.node(number).body, Body::Directory { .. })) {
            return Ok(());
        }
        let mut walked = PathBuf::from("/");
        let names = names(path)?;
        for (position, name) in names.iter().enumerate() {
            walked.push(name);
            match self.find(&walked) {
                Ok(number) if matches!(self.node(number).body, Body::Directory { .. }) => {}
                Ok(_) if position + 1 == names.len() => return Err(error(errno::EXISTS)),
                Ok(_) => return Err(error(errno::NOT_A_DIRECTORY)),
                Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                    let (directory, name) = self.free_place(&walked)?;
                    self.may_change(directory)?;
                    let number =
                        self.add(Node { mode: 0o755, modified_ms: self.now_ms, body: empty_directory() });
                    self.entries_mut(directory)?.insert(name.to_owned(), number);
                }
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }

    /// Properties of a file or directory.
    pub fn stat(&self, path: &Path) -> io::Result<Meta> {
        let node = self.node(self.find(path)?);
        let (kind, len) = match &node.body {
            Body::File { content, .. } => (Kind::File, content.len() as u64),
            Body::Directory { .. } | Body::Link(_) => (Kind::Directory, 0),
        };
        Ok(Meta { kind, len, mode: node.mode, modified_ms: node.modified_ms })
    }

    /// Where a path really leads, with every link followed. Unlike elsewhere here, `..` is taken from where the links lead.
    pub fn canonical(&self, path: &Path) -> io::Result<PathBuf> {
        // The components that are still to be walked, the next one last.
        let mut waiting: Vec<PathBuf> = Vec::new();
        let put = |waiting: &mut Vec<PathBuf>, path: &Path| {
            let parts = path.components().map(|part| PathBuf::from(part.as_os_str()));
            waiting.extend(parts.collect::<Vec<_>>().into_iter().rev());
        };
        put(&mut waiting, path);
        let (mut real, mut links) = (PathBuf::from("/"), LINK_LIMIT);
        while let Some(next) = waiting.pop() {
            match next.components().next() {
                Some(Component::Normal(name)) => {
                    let number = self.find(&real)?;
                    let name = name.to_str().ok_or_else(|| error(errno::INVALID))?;
                    let number = *self.entries(number)?.get(name).ok_or_else(|| error(errno::NOT_FOUND))?;
                    if let Body::Link(target) = &self.node(number).body {
                        links = links.checked_sub(1).ok_or_else(|| error(errno::LINK_LOOP))?;
                        put(&mut waiting, target);
                    } else {
                        real.push(name);
                    }
                }
                Some(Component::ParentDir) => {
                    self.entries(self.find(&real)?)?;
                    real.pop();
                }
                Some(Component::RootDir) => real = PathBuf::from("/"),
                _ => {}
            }
        }
        Ok(real)
    }

    /// The names in a directory, sorted.
    pub fn list(&self, path: &Path) -> io::Result<Vec<(String, Kind)>> {
        let entries = self.entries(self.find(path)?)?;
        Ok(entries.iter().map(|(name, number)| (name.clone(), self.kind(*number))).collect())
    }

    /// Sets the permission bits.
    pub fn set_mode(&mut self, path: &Path, mode: u32) -> io::Result<()> {
        let number = self.find(path)?;
        self.changes += 1;
        self.node_mut(number).mode = mode & 0o7777;
        Ok(())
    }

    /// Makes a symbolic link.
    pub fn link(&mut self, target: &Path, path: &Path) -> io::Result<()> {
        let (directory, name) = self.free_place(path)?;
        self.may_change(directory)?;
        let number =
            self.add(Node { mode: 0o777, modified_ms: self.now_ms, body: Body::Link(target.to_path_buf()) });
        self.entries_mut(directory)?.insert(name.to_owned(), number);
        Ok(())
    }

    /// Everything durable: what a disk holds that had all the time it wants.
    pub fn settle(&mut self) {
        for node in &mut self.nodes {
            node.body.settle();
        }
    }

    /// Makes one file durable with the entries that lead to it, and nothing else.
    pub(crate) fn settle_at(&mut self, path: &Path) -> io::Result<()> {
        let mut walked = PathBuf::from("/");
        for name in names(path)? {
            let directory = self.find(&walked)?;
            let number = *self.entries(directory)?.get(name).ok_or_else(|| error(errno::NOT_FOUND))?;
            walked.push(name);
            if let Body::Directory { durable, .. } = &mut self.node_mut(directory).body {
                Rc::make_mut(durable).insert(name.to_owned(), number);
            }
        }
        let file = self.find(&walked)?;
        self.node_mut(file).body.settle();
        Ok(())
    }

    /// The power goes: unsynced content and unsynced entries meet their fate. What is there afterwards is durable.
    pub fn power_cut(&mut self, fate: Unsynced, entropy: &Entropy) {
        self.changes += 1;
        for node in &mut self.nodes {
            match &mut node.body {
                Body::File { content, durable, rewritten } => {
                    if content != durable {
                        *content = Rc::new(survivors(content, durable, *rewritten, fate, entropy));
                        *durable = content.clone();
                    }
                    *rewritten = false;
                }
                Body::Directory { entries, durable } if entries != durable => {
                    let kept = match fate {
                        Unsynced::Lost => false,
                        Unsynced::Kept | Unsynced::Torn => true,
                        Unsynced::Drawn => entropy.below(2) == 0,
                    };
                    if !kept {
                        *entries = durable.clone();
                    }
                    *durable = entries.clone();
                }
                _ => {}
            }
        }
    }

    /// Every file below a directory, by path relative to it. Links are not followed.
    pub fn files_below(&self, path: &Path) -> BTreeMap<String, FileImage> {
        let mut files = BTreeMap::new();
        if let Ok(number) = self.find(path) {
            self.collect(number, "", &mut files);
        }
        files
    }

    fn collect(&self, number: usize, prefix: &str, files: &mut BTreeMap<String, FileImage>) {
        let node = self.node(number);
        match &node.body {
            Body::File { content, .. } => {
                files.insert(prefix.to_owned(), FileImage { mode: node.mode, content: content.clone() });
            }
            Body::Directory { entries, .. } => {
                for (name, number) in entries.iter() {
                    let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
                    self.collect(*number, &path, files);
                }
            }
            Body::Link(_) => {}
        }
    }

    /// Shows every file below a directory with its path, its permission bits and its content; paths begin with `prefix`. Links are
    /// not followed.
    pub fn visit_files(&self, path: &Path, prefix: &str, see: &mut See<'_>) {
        if let Ok(number) = self.find(path) {
            self.visit(number, &mut prefix.to_owned(), see);
        }
    }

    fn visit(&self, number: usize, path: &mut String, see: &mut See<'_>) {
        let node = self.node(number);
        match &node.body {
            Body::File { content, .. } => see(path, node.mode, content),
            Body::Directory { entries, .. } => {
                let length = path.len();
                for (name, number) in entries.iter() {
                    if length > 0 {
                        path.push('/');
                    }
                    path.push_str(name);
                    self.visit(*number, path, see);
                    path.truncate(length);
                }
            }
            Body::Link(_) => {}
        }
    }

    /// Writes to a file from its start (`rewrite`) or at its end, and creates it when there is none.
    fn change(&mut self, path: &Path, mode: u32, bytes: &[u8], rewrite: bool) -> io::Result<()> {
        let (number, created) = match self.find(path) {
            Ok(number) => (number, false),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                let (directory, _) = self.parent(path)?;
                self.may_change(directory)?;
                let body = Body::File { content: Rc::default(), durable: Rc::default(), rewritten: true };
                (self.add(Node { mode: mode & 0o7777, modified_ms: self.now_ms, body }), true)
            }
            Err(other) => return Err(other),
        };
        if !created {
            self.may_change(number)?;
        }
        self.changes += 1;
        let Body::File { content, rewritten, .. } = &mut self.node_mut(number).body else {
            return Err(error(errno::IS_A_DIRECTORY));
        };
        if rewrite {
            *content = Rc::default();
            *rewritten = true;
        }
        let room = self.capacity.map_or(usize::MAX, |capacity| capacity.saturating_sub(self.used()));
        let written = bytes.get(..room).unwrap_or(bytes);
        let now = self.now_ms;
        let node = self.node_mut(number);
        node.modified_ms = now;
        if let Body::File { content, .. } = &mut node.body {
            Rc::make_mut(content).extend_from_slice(written);
        }
        if created {
            let (directory, name) = self.parent(path)?;
            self.entries_mut(directory)?.insert(name, number);
        }
        if written.len() < bytes.len() { Err(error(errno::FULL)) } else { Ok(()) }
    }

    /// The bytes of all files that have a name.
    fn used(&self) -> usize {
        self.files_below(Path::new("/")).values().map(|file| file.content.len()).sum()
    }

    /// Whether `inner` is the directory `outer`, or somewhere below it.
    fn is_below(&self, outer: usize, inner: usize) -> bool {
        let mut waiting = vec![outer];
        while let Some(number) = waiting.pop() {
            if number == inner {
                return true;
            }
            if let Body::Directory { entries, .. } = &self.node(number).body {
                waiting.extend(entries.values());
            }
        }
        false
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn node(&self, number: usize) -> &Node {
        // Numbers come from `add` alone, and nodes are never taken away.
        &self.nodes[number]
    }

    fn node_mut(&mut self, number: usize) -> &mut Node {
        &mut self.nodes[number]
    }

    fn kind(&self, number: usize) -> Kind {
        match self.node(number).body {
            Body::File { .. } => Kind::File,
            Body::Directory { .. } => Kind::Directory,
            Body::Link(_) => Kind::Link,
        }
    }

    fn may_change(&self, number: usize) -> io::Result<()> {
        if self.node(number).mode & 0o200 == 0 { Err(error(errno::DENIED)) } else { Ok(()) }
    }

    fn entries(&self, number: usize) -> io::Result<&BTreeMap<String, usize>> {
        match &self.node(number).body {
            Body::Directory { entries, .. } => Ok(entries),
            _ => Err(error(errno::NOT_A_DIRECTORY)),
        }
    }

    fn entries_mut(&mut self, number: usize) -> io::Result<&mut BTreeMap<String, usize>> {
        let now = self.now_ms;
        self.changes += 1;
        let node = self.node_mut(number);
        node.modified_ms = now;
        match &mut node.body {
            Body::Directory { entries, .. } => Ok(Rc::make_mut(entries)),
            _ => Err(error(errno::NOT_A_DIRECTORY)),
        }
    }

    /// The directory and the name that a path's last component stands for; a link there is meant itself.
    fn place<'p>(&self, path: &'p Path) -> io::Result<(usize, &'p str)> {
        if let Some((before, name)) = path.to_str().and_then(split_last)
            && let Some(directory) = self.walk_plain(before)
        {
            self.entries(directory)?;
            return Ok((directory, name));
        }
        let mut names = names(path)?;
        let name = names.pop().ok_or_else(|| error(errno::IS_A_DIRECTORY))?;
        let directory = self.walk(&names, LINK_LIMIT)?;
        self.entries(directory)?;
        Ok((directory, name))
    }

    /// The same, for a name that must not be taken yet, not even by a link.
    fn free_place<'p>(&self, path: &'p Path) -> io::Result<(usize, &'p str)> {
        let (directory, name) = self.place(path)?;
        if self.entries(directory)?.contains_key(name) {
            return Err(error(errno::EXISTS));
        }
        Ok((directory, name))
    }

    /// The directory and the name that a path's last component stands for, with a link in the last place followed.
    fn parent(&self, path: &Path) -> io::Result<(usize, String)> {
        let mut path = path.to_path_buf();
        for _ in 0..LINK_LIMIT {
            let (directory, name) = self.place(&path)?;
            let linked = self.entries(directory)?.get(name).map(|number| &self.node(*number).body);
            let Some(Body::Link(target)) = linked else { return Ok((directory, name.to_owned())) };
            path = path.parent().unwrap_or(Path::new("/")).join(target);
        }
        Err(error(errno::LINK_LOOP))
    }

    fn find(&self, path: &Path) -> io::Result<usize> {
        match path.to_str().and_then(|path| self.walk_plain(path)) {
            Some(number) => Ok(number),
            None => self.walk(&names(path)?, LINK_LIMIT),
        }
    }

    /// What a path leads to, when all of it is there, no link is on the way and it says what it means: nearly always. No entry is
    /// called `.` or `..`, so that a path with one of these leads to nothing here.
    fn walk_plain(&self, path: &str) -> Option<usize> {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        names.try_fold(ROOT, |at, name| {
            let next = *self.entries(at).ok()?.get(name)?;
            (!matches!(self.node(next).body, Body::Link(_))).then_some(next)
        })
    }

    fn walk(&self, names: &[&str], links: u32) -> io::Result<usize> {
        let mut at = ROOT;
        for (position, name) in names.iter().enumerate() {
            at = *self.entries(at)?.get(*name).ok_or_else(|| error(errno::NOT_FOUND))?;
            if let Body::Link(target) = &self.node(at).body {
                let left = links.checked_sub(1).ok_or_else(|| error(errno::LINK_LOOP))?;
                let before = names[..position].iter().fold(PathBuf::from("/"), |path, name| path.join(name));
                at = self.walk(&self::names(&before.join(target))?, left)?;
            }
        }
        Ok(at)
    }
}

/// What of a file's unsynced content is there after a power cut. An addition may be cut anywhere behind what was there; a
/// file that was rewritten was emptied first, so that any beginning of its new content may be all there is.
fn survivors(content: &[u8], durable: &[u8], rewritten: bool, fate: Unsynced, entropy: &Entropy) -> Vec<u8> {
    let floor = if rewritten { 0 } else { durable.len() };
    let fresh = content.len().saturating_sub(floor);
    let torn = |length: usize| content.get(..floor + length).unwrap_or(content).to_vec();
    match fate {
        Unsynced::Lost => durable.to_vec(),
        Unsynced::Kept => content.to_vec(),
        Unsynced::Torn => torn(fresh / 2),
        Unsynced::Drawn => match entropy.below(3) {
            0 => durable.to_vec(),
            1 => content.to_vec(),
            _ => torn(usize::try_from(entropy.below(fresh as u64 + 1)).unwrap_or(fresh)),
        },
    }
}

/// The last component of a path, if it is a name, and what is before it.
fn split_last(path: &str) -> Option<(&str, &str)> {
    let path = path.trim_end_matches('/');
    let (before, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_name = !matches!(name, "" | "." | "..") && !name.contains('\0');
    is_name.then_some((before, name))
}

/// The components of an absolute path, with `.` and `..` resolved by their text.
fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
            Component::ParentDir => {
                names.pop();
            }
            Component::Normal(name) => match name.to_str() {
                Some(name) if !name.contains('\0') => names.push(name),
                _ => return Err(error(errno::INVALID)),
            },
        }
    }
    Ok(names)
}
