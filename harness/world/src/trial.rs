//! A process whose disk, power and clock a test commands, over both mechanics: what is compared with a naive model stands on this.
//!
//! In the simulated mechanics every port call can go wrong, and a process can die at each. A real computer is not unplugged by a test:
//! there a process is dropped after what it was doing, and what a crash on the way would have left is put in the place of its files:
//! those of before, or half of what was added.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use crate::disk::Kind;
use crate::fault::{Happening, Moment, Rule, Unsynced};
use crate::simulated::{Launch, program};
use crate::touch::Op;
use crate::{Host, Identity, Machine, World, WorldSettings};

/// The next port call of a kind goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wrong {
    /// The kind.
    pub at: Op,
    /// Before its effect, or after it.
    pub moment: Moment,
    /// What happens.
    pub happening: Happening,
}

/// How a process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is killed.
    Killed,
    /// Its machine loses power.
    PowerCut(Unsynced),
}

/// A process that has something open, and is started again when it dies.
pub struct Trial<T> {
    bench: Bench,
    open: Rc<Open<T>>,
    opened: Opened<T>,
}

type Open<T> = dyn Fn(Host) -> Pin<Box<dyn Future<Output = io::Result<T>>>>;
type Opened<T> = Rc<RefCell<Option<(Host, Rc<T>)>>>;

enum Bench {
    Simulated { world: World, machine: Machine, visitor: Host },
    Real { folder: PathBuf, visitor: Host },
}

/// The name of the process in both mechanics.
const NAME: &str = "subject";
/// Its working directory on a simulated machine, and its `HERMES_HOME`.
const FOLDER: &str = "/work";
/// A call that takes longer never ends: its process died.
const LIMIT: Duration = Duration::from_secs(300);

impl<T: 'static> Trial<T> {
    /// A process on a simulated machine of its own. `folders` are there before it starts.
    pub async fn in_a_world<F, R>(seed: u8, folders: &[&str], open: F) -> io::Result<Self>
    where
        F: Fn(Host) -> R + 'static,
        R: Future<Output = io::Result<T>> + 'static,
    {
        let world = World::new(WorldSettings { seed: [seed; 32], ..WorldSettings::default() });
        let machine = Machine::new(&world, "box");
        machine.disk_mut(|disk| {
            disk.make_dir(Path::new(FOLDER))?;
            folders.iter().try_for_each(|folder| disk.make_dir(&Path::new(FOLDER).join(folder)))?;
            disk.settle();
            Ok::<_, io::Error>(())
        })?;
        let visitor = machine.visitor("tester", BTreeMap::new(), PathBuf::from(FOLDER), None);
        Self::begin(Bench::Simulated { world, machine, visitor }, open).await
    }

    /// A process on this computer, with its files in a folder.
    pub async fn on_this_computer<F, R>(folder: &Path, folders: &[&str], open: F) -> io::Result<Self>
    where
        F: Fn(Host) -> R + 'static,
        R: Future<Output = io::Result<T>> + 'static,
    {
        let visitor = Host::real(identity(folder), None);
        for name in folders {
            visitor.disk().make_dir(name).await?;
        }
        Self::begin(Bench::Real { folder: folder.to_path_buf(), visitor }, open).await
    }

    async fn begin<F, R>(bench: Bench, open: F) -> io::Result<Self>
    where
        F: Fn(Host) -> R + 'static,
        R: Future<Output = io::Result<T>> + 'static,
    {
        let open =
            Rc::new(move |host| -> Pin<Box<dyn Future<Output = io::Result<T>>>> { Box::pin(open(host)) });
        let mut trial = Self { bench, open, opened: Rc::default() };
        trial.start(None).await?;
        Ok(trial)
    }

    /// What the process has open.
    pub fn subject(&self) -> Rc<T> {
        self.now().1
    }

    /// Somebody who looks at the files from outside.
    pub fn visitor(&self) -> &Host {
        match &self.bench {
            Bench::Simulated { visitor, .. } | Bench::Real { visitor, .. } => visitor,
        }
    }

    /// Lets the process do something, in which a call may go wrong. Nothing when it died on the way; then another one is there, which has
    /// opened the same files.
    pub async fn call<R>(
        &mut self,
        wrong: Option<Wrong>,
        act: impl AsyncFnOnce(&Host, &T) -> R,
    ) -> io::Result<Option<R>> {
        let (host, subject) = self.now();
        let outcome = match &self.bench {
            Bench::Simulated { world, visitor, .. } => {
                wrong.into_iter().for_each(|wrong| world.arm(wrong.rule()));
                let outcome = visitor.clock().within(LIMIT, act(&host, &subject)).await;
                world.disarm();
                outcome
            }
            Bench::Real { visitor, .. } => {
                let ends = wrong.filter(|wrong| wrong.is_a_crash());
                let before = match ends {
                    Some(_) => files(visitor, Path::new("")).await?,
                    None => BTreeMap::new(),
                };
                let outcome = act(&host, &subject).await;
                match ends {
                    Some(wrong) => {
                        host.end();
                        undo(visitor, before, wrong.moment).await?;
                        None
                    }
                    None => Some(outcome),
                }
            }
        };
        if host.is_dead() {
            self.start(None).await?;
        }
        Ok(outcome)
    }

    /// Ends the process, and starts it again; while it opens its files a call may go wrong.
    pub async fn end(&mut self, end: End, wrong: Option<Wrong>) -> io::Result<()> {
        match (&self.bench, end) {
            (Bench::Simulated { machine, .. }, End::Killed) => {
                machine.running().into_iter().for_each(|(pid, ..)| machine.kill(pid));
            }
            (Bench::Simulated { machine, .. }, End::PowerCut(fate)) => machine.power_cut(fate),
            (Bench::Real { .. }, _) => self.now().0.end(),
        }
        self.start(wrong).await
    }

    /// Lets the wall clock jump. That of this computer stays as it is.
    pub fn jump(&self, minutes: i64) {
        if let Bench::Simulated { machine, .. } = &self.bench {
            machine.jump(minutes.saturating_mul(60_000));
        }
    }

    /// The process and what it has open. There always is one, but while it is being started.
    fn now(&self) -> (Host, Rc<T>) {
        let opened = self.opened.borrow().clone();
        opened.expect("it was started")
    }

    async fn start(&mut self, mut wrong: Option<Wrong>) -> io::Result<()> {
        loop {
            *self.opened.borrow_mut() = None;
            let is_first_try = wrong.is_some();
            match self.open_once(wrong.take()).await {
                // Whoever could not open its files, or died over it, is started again.
                Err(_) if is_first_try => {}
                outcome => return outcome,
            }
        }
    }

    async fn open_once(&self, wrong: Option<Wrong>) -> io::Result<()> {
        match &self.bench {
            Bench::Simulated { world, machine, visitor } => {
                wrong.into_iter().for_each(|wrong| world.arm(wrong.rule()));
                let (open, opened) = (self.open.clone(), self.opened.clone());
                let failed: Rc<RefCell<Option<io::Error>>> = Rc::default();
                let failure = failed.clone();
                let body = program(move |host: Host| {
                    let (open, opened, failure) = (open.clone(), opened.clone(), failure.clone());
                    async move {
                        match open(host.clone()).await {
                            Ok(subject) => *opened.borrow_mut() = Some((host, Rc::new(subject))),
                            Err(error) => {
                                *failure.borrow_mut() = Some(error);
                                return 1;
                            }
                        }
                        std::future::pending().await
                    }
                });
                let identity = identity(Path::new(FOLDER));
                let (pid, _) = machine.launch(Launch {
                    name: NAME.to_owned(),
                    program: body,
                    args: Vec::new(),
                    env: identity.env,
                    cwd: identity.cwd,
                    log: None,
                    tap: None,
                });
                while self.opened.borrow().is_none()
                    && machine.running().iter().any(|(other, ..)| *other == pid)
                {
                    visitor.clock().sleep(Duration::from_millis(1)).await;
                }
                world.disarm();
                let failed = failed.borrow_mut().take();
                match failed {
                    Some(error) => Err(error),
                    None if self.opened.borrow().is_some() => Ok(()),
                    None => Err(io::Error::other("it died at its start")),
                }
            }
            Bench::Real { folder, .. } => {
                let host = Host::real(identity(folder), None);
                let subject = (self.open)(host.clone()).await?;
                *self.opened.borrow_mut() = Some((host, Rc::new(subject)));
                Ok(())
            }
        }
    }
}

impl Wrong {
    fn rule(self) -> Rule {
        let Wrong { at, moment, happening } = self;
        Rule { host: NAME.to_owned(), at, target: None, nth: 1, moment, happening }
    }

    /// Whether the process does not outlive it.
    fn is_a_crash(self) -> bool {
        matches!(self.happening, Happening::Kill | Happening::PowerCut(_))
    }
}

fn identity(folder: &Path) -> Identity {
    Identity {
        name: NAME.to_owned(),
        env: BTreeMap::from([("HERMES_HOME".to_owned(), ".".to_owned())]),
        cwd: folder.to_path_buf(),
        ..Identity::default()
    }
}

/// All files below a folder.
async fn files(visitor: &Host, folder: &Path) -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for (name, kind) in visitor.disk().list(&folder).await? {
            let path = folder.join(name);
            match kind {
                Kind::Directory => folders.push(path),
                Kind::File => drop(files.insert(path.clone(), visitor.disk().read(&path).await?)),
                Kind::Link => {}
            }
        }
    }
    Ok(files)
}

/// Leaves what a crash on the way would have: before it began all is as it was; later half of what was added is there, where all that
/// was done was to add to one file, and otherwise everything.
async fn undo(visitor: &Host, before: BTreeMap<PathBuf, Vec<u8>>, moment: Moment) -> io::Result<()> {
    let after = files(visitor, Path::new("")).await?;
    let changed: Vec<(&PathBuf, &Vec<u8>)> =
        after.iter().filter(|(path, content)| before.get(*path) != Some(*content)).collect();
    let disk = visitor.disk();
    if moment == Moment::Before {
        for path in after.keys().filter(|path| !before.contains_key(*path)) {
            disk.remove(path).await?;
        }
        for (path, content) in &before {
            disk.write(path, content).await?;
        }
        return Ok(());
    }
    if let [(path, content)] = changed[..]
        && let Some(earlier) = before.get(path)
        && let Some(added) = content.strip_prefix(earlier.as_slice())
    {
        let kept = earlier.len() + added.len() / 2;
        disk.write(path, &content[..kept]).await?;
    }
    Ok(())
}
