//! A receiver that is not ours, in one cell of the real lane: what it is given, how it is started, and which processes are it.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gauntlet_world::Host;
use gauntlet_world::process::{Child, Command, Output, Pid, Reader, Signal};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use super::bench::{HERMES_TOKEN, Places, RECEIVER_TOKEN, receiver_config};
use super::names::Names;
use super::plan::Plan;
use crate::certify::{Foreign, Values};
use crate::files;
use crate::strays::Stray;

/// More than this is not kept of what a subject prints: one that floods is read to its end all the same, so that it does not stand
/// still, and fills no disk.
const MAX_LOG: usize = 4 * 1024 * 1024;

/// What of a cell a subject is told.
pub(super) struct CellOfSubject<'a> {
    pub(super) plan: &'a Plan,
    pub(super) names: &'a Names,
    pub(super) places: &'a Places,
    pub(super) port: u16,
}

/// A receiver that is not ours, in one cell.
pub(super) struct ForeignSubject {
    pub(super) foreign: Arc<Foreign>,
    callbacks: Cell<u16>,
    /// The files that the story changed, which are not written again.
    changed: RefCell<BTreeSet<PathBuf>>,
    /// The processes that there were when it was ready: it is made of these.
    own: RefCell<Vec<Stray>>,
}

impl ForeignSubject {
    pub(super) fn new(foreign: &Arc<Foreign>) -> Self {
        Self {
            foreign: foreign.clone(),
            callbacks: Cell::default(),
            changed: RefCell::default(),
            own: RefCell::default(),
        }
    }

    /// Where it is to call back.
    pub(super) fn is_told(&self, cell: &CellOfSubject<'_>, callbacks: u16) {
        self.callbacks.set(callbacks);
        *cell.names.hermes_url.borrow_mut() = format!("http://127.0.0.1:{callbacks}/jsonrpc");
    }

    /// The story changed a file from outside.
    pub(super) fn was_changed(&self, path: &Path) {
        self.changed.borrow_mut().insert(path.to_path_buf());
    }

    /// Writes what it is to find.
    pub(super) fn write_files(&self, cell: &CellOfSubject<'_>) -> io::Result<()> {
        let values = self.values(cell);
        for (path, content, mode) in self.foreign.written(&values) {
            if !self.changed.borrow().contains(&path) {
                files::write(&path, content.as_bytes())?;
                files::set_mode(&path, mode)?;
            }
        }
        Ok(())
    }

    /// How it is started; nothing when it runs already, or when no start of it ever came to anything.
    pub(super) fn command(&self, cell: &CellOfSubject<'_>) -> Option<Command> {
        let (program, start) = (self.foreign.program.as_ref()?, self.foreign.manifest.start.as_ref()?);
        if self.foreign.is_hopeless() {
            return None;
        }
        let values = self.values(cell);
        let cwd = start.cwd.as_ref().map(|cwd| PathBuf::from(values.fill(cwd.get_ref())));
        let mut command = Command::new(program.to_string_lossy(), cwd.unwrap_or(cell.places.repo()));
        command.args = start.args.iter().map(|arg| values.fill(arg.get_ref())).collect();
        let said = start.env.iter().map(|(name, value)| (name.clone(), values.fill(value.get_ref())));
        // Where nobody wants a bearer, there is none.
        let said = said.filter(|(name, value)| !value.is_empty() || !is_bearer(start.env[name].get_ref()));
        let mut env: BTreeMap<String, String> = said.collect();
        let folder = program.parent().unwrap_or(Path::new("/usr/bin")).to_string_lossy().into_owned();
        let others = env.remove("PATH").unwrap_or(format!("{folder}:/usr/bin:/bin"));
        env.insert("PATH".to_owned(), format!("{}:{others}", cell.places.bin().to_string_lossy()));
        env.entry("HOME".to_owned()).or_insert_with(|| cell.places.home().to_string_lossy().into_owned());
        command.env = env;
        command.stdout = Output::Piped;
        command.stderr = Output::Piped;
        Some(command)
    }

    /// It is ready, and these are the processes of its cell.
    pub(super) fn settled(&self, processes: Vec<Stray>) {
        self.foreign.became_ready(true);
        *self.own.borrow_mut() = processes;
    }

    /// Whether a process is a part of it, and nothing that it began later.
    pub(super) fn has(&self, process: &Stray) -> bool {
        self.own.borrow().contains(process)
    }

    /// The processes beside its first one that a signal is for: who is killed is killed whole.
    pub(super) fn own(&self, signal: Signal) -> Vec<Pid> {
        match signal {
            // One that ended meanwhile is left alone, whoever has its id now.
            Signal::Kill => {
                let own = self.own.take().into_iter();
                own.filter(Stray::is_there).map(|process| Pid(process.pid)).collect()
            }
            Signal::Interrupt | Signal::Terminate => Vec::new(),
        }
    }

    /// The bearers are in the variables that its manifest gives it.
    fn name_its_variables(&self, config: &mut Value) {
        let env = || self.foreign.manifest.start.iter().flat_map(|start| &start.env);
        for (member, usual, template) in [
            ("auth_token_env", RECEIVER_TOKEN, "{token}"),
            ("hermes_auth_token_env", HERMES_TOKEN, "{callback_token}"),
        ] {
            let holds = env().find(|(_, value)| value.get_ref() == template);
            if let (Some((name, _)), Some(said)) = (holds, config.get_mut(member))
                && said.as_str() == Some(usual)
            {
                *said = Value::String(name.clone());
            }
        }
    }

    /// What the words of its manifest stand for here.
    fn values(&self, cell: &CellOfSubject<'_>) -> Values {
        let CellOfSubject { plan, names, places, port } = cell;
        let config = receiver_config(plan, names, places, *port, self.callbacks.get());
        let mut config: Value = serde_json::from_slice(&config).unwrap_or_default();
        self.name_its_variables(&mut config);
        self.foreign.values(&config, &|values| {
            values.set("port", port.to_string());
            values.set("workdir", places.repo().to_string_lossy());
            values.set("home", places.home().to_string_lossy());
            values.set("bin", places.bin().to_string_lossy());
            values.set("cli", places.bin().join(&plan.executor.cli).to_string_lossy());
            values.set("callback_url", names.hermes_url.borrow().as_str());
            // A variable that is named and that nobody sets is not there.
            let env = self.foreign.manifest.start.as_ref().map(|start| &start.env);
            let named = |member: &str| {
                let name = config.get(member).and_then(Value::as_str);
                name.is_some_and(|name| {
                    !self.foreign.takes_fleet_config() || env.is_some_and(|env| env.contains_key(name))
                })
            };
            let bearer =
                |member: &str, token: &str| if named(member) { token.to_owned() } else { String::new() };
            values.set("token", bearer("auth_token_env", &names.token));
            values.set("callback_token", bearer("hermes_auth_token_env", &names.hermes_token));
        })
    }
}

/// Whether a value of the environment is a bearer and nothing else.
fn is_bearer(template: &str) -> bool {
    ["{token}", "{callback_token}"].contains(&template)
}

/// Keeps what a subject prints, as far as there is room.
pub(super) fn keep_log(harness: &Host, child: &mut Child, log: PathBuf) {
    for reader in [child.stdout.take(), child.stderr.take()].into_iter().flatten() {
        harness.spawn(append(harness.clone(), reader, log.clone()));
    }
}

/// Keeps what a process prints in a file, as far as there is room.
pub(super) async fn append(harness: Host, mut reader: Reader, log: PathBuf) {
    let mut space = vec![0; 64 * 1024];
    let mut kept = 0;
    while let Ok(read @ 1..) = reader.read(&mut space).await {
        let part = &space[..read.min(MAX_LOG.saturating_sub(kept))];
        kept += part.len();
        if !part.is_empty() && harness.disk().append(&log, part).await.is_err() {
            // What cannot be kept is read all the same.
            kept = MAX_LOG;
        }
    }
}
