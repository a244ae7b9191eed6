//! A receiver that is not ours, as the cells of a run know it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use gauntlet_world::injection::Millis;
use jiff::civil::Date;
use serde_json::Value;
use toml::Spanned;

use super::limit::Limit;
use super::manifest::{Dialect, Manifest, file_mode};
use super::mistake;
use super::owned::Challenge;
use super::template::{self, Values};
use crate::data::executor::{Executor, ReceiverFiles};
use crate::data::release::{REFERENCE, Release};
use crate::data::{DataError, Library};
use crate::files;
use crate::known::{Entry, List};
use crate::pattern::{Glob, Pattern};
use crate::record::quoted;
use crate::scenario::{Lane, Limits};

/// Beyond what a cell of the real lane has, one that waits for a long limit has so many times that limit.
const SLOWLY: u32 = 4;

/// So many starts in a row may come to nothing. One that was never ready until then is not started any more: each start of it would
/// be waited for as long as the first.
const HOPELESS: u32 = 3;

/// A receiver that is not ours.
#[derive(Debug)]
pub struct Foreign {
    /// What its manifest says.
    pub manifest: Manifest,
    /// The program that is started; nothing when it runs already.
    pub(crate) program: Option<PathBuf>,
    /// The bearer of one that runs already.
    pub(crate) token: Option<String>,
    /// The folder of its manifest.
    pub here: PathBuf,
    /// Its manifest, as it was asked for.
    source: Source,
    /// The words of its executor, with its own files.
    pub(crate) executor: Arc<Executor>,
    /// What it declares.
    pub(crate) release: Arc<Release>,
    /// Its limits in a cell.
    pub(crate) limits: Limits,
    /// Whether it is waited for limits that cannot be set.
    pub slow: bool,
    pub(super) words: BTreeSet<&'static str>,
    was_ready: AtomicU32,
    was_not: AtomicU32,
}

/// Where a manifest is from.
#[derive(Debug, Clone)]
pub enum Source {
    /// This file.
    File(PathBuf),
    /// The command line: where the receiver listens, and what else was said.
    Flags(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::File(path) => path.display().fmt(f),
            Source::Flags(flags) => flags.fmt(f),
        }
    }
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ForeignError {
    /// It cannot be read.
    #[error("{0}: expected the manifest of a receiver; it cannot be read: {1}")]
    #[diagnostic(help("`gauntlet init` writes one; docs/receiver-toml.md tells what is in it"))]
    Unreadable(String, std::io::Error),
    /// A mistake in it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistake(#[from] Box<DataError>),
    /// The bearer of one that runs already is not there.
    #[error(
        "expected the bearer of the receiver in the variable {0}: at least 8 letters, digits or signs of ASCII; it is {1}"
    )]
    NoToken(String, &'static str),
}

impl Foreign {
    /// Reads a manifest.
    pub fn read(library: &Library, path: &Path, slow: bool) -> Result<Self, ForeignError> {
        let (text, here) = text_and_folder(path)?;
        Self::of(library, Source::File(path.to_path_buf()), &text, here, slow)
    }

    /// The same of a text.
    pub fn of(
        library: &Library,
        source: Source,
        text: &str,
        here: PathBuf,
        slow: bool,
    ) -> Result<Self, ForeignError> {
        let name = &source.to_string();
        let beside = |file: &str| files::read_text(&here.join(file));
        let manifest = Manifest::read(library, name, text, &beside).map_err(Box::new)?;
        let program = match &manifest.start {
            Some(start) => Some(program(&start.command, &here, name, text)?),
            None => None,
        };
        let token = match &manifest.token_env {
            Some(variable) => {
                let variable = variable.get_ref();
                let token = files::own_variable(variable);
                let token = token.ok_or_else(|| ForeignError::NoToken(variable.clone(), "not set"))?;
                let is_plain = token.len() >= 8 && token.bytes().all(|byte| byte.is_ascii_graphic());
                let token = is_plain.then_some(token);
                Some(token.ok_or_else(|| ForeignError::NoToken(variable.clone(), "something else"))?)
            }
            None => None,
        };
        let executor = library.executors.get(manifest.executor.get_ref()).cloned().ok_or_else(|| {
            let message = "expected an executor".to_owned();
            Box::new(mistake::at(name, text, manifest.executor.span(), message, None))
        })?;
        let limits = limits(&manifest, slow);
        let span = |uri: &Spanned<String>| serde_saphyr::Spanned {
            value: uri.get_ref().clone(),
            referenced: serde_saphyr::Location::UNKNOWN,
            defined: serde_saphyr::Location::UNKNOWN,
        };
        let release = Release {
            id: span(&Spanned::new(0..0, REFERENCE.to_owned())),
            title: manifest.name.get_ref().clone(),
            seen_in: Vec::new(),
            framing: Default::default(),
            declares: manifest.declares.iter().map(span).collect(),
            quirks: Vec::new(),
            breaks: Default::default(),
            executors: Default::default(),
        };
        Ok(Self {
            program,
            token,
            here,
            source,
            executor: Arc::new(with_files(&executor, &manifest)),
            release: Arc::new(release),
            limits,
            slow,
            words: manifest.words(),
            manifest,
            was_ready: AtomicU32::new(0),
            was_not: AtomicU32::new(0),
        })
    }

    /// A manifest with what judging needs to know of it, and nothing of how it is started: that can hold what is nobody's business.
    pub(crate) fn sketch(&self) -> String {
        let manifest = &self.manifest;
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let listed =
            |texts: Vec<String>| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ");
        let mut text =
            format!("name = {}\nexecutor = {}\n", quoted(self.name()), quoted(manifest.executor.get_ref()));
        let mut line = |written: String| text.push_str(&format!("{written}\n"));
        manifest.version.iter().for_each(|version| line(format!("version = {}", quoted(version))));
        if self.is_of_fleet() {
            line("dialect = \"a2a_fleet\"".to_owned());
        }
        let declares = manifest.declares.iter().map(|uri| uri.get_ref().clone()).collect();
        line(format!("declares = [{}]", listed(declares)));
        match &manifest.url {
            Some(url) => line(format!("url = {}", quoted(url.get_ref()))),
            None => {
                let words = self.words.iter().map(|word| format!("{{{word}}}")).collect();
                line(format!("[start]\ncommand = \"sh\"\nargs = [{}]", listed(words)));
            }
        }
        for file in &manifest.files {
            line(format!("[[files]]\npath = {}\ncontent = \"\"", quoted(file.path.get_ref())));
        }
        line("[limits]".to_owned());
        for (name, limit) in manifest.limits.all() {
            match limit.as_ref().map(Spanned::get_ref) {
                None => {}
                Some(Limit::Set) => line(format!("{name} = \"set\"")),
                Some(Limit::None) => line(format!("{name} = \"none\"")),
                Some(Limit::Seconds(seconds)) => line(format!("{name} = {seconds:?}")),
            }
        }
        line("[where]".to_owned());
        for (name, path) in manifest.places.all() {
            path.iter().for_each(|path| line(format!("{name} = {}", quoted(path.get_ref()))));
        }
        text
    }

    /// How reports call it.
    pub fn name(&self) -> &str {
        self.manifest.name.get_ref()
    }

    /// Its version, as reports show it.
    pub fn version(&self) -> &str {
        self.manifest.version.as_deref().unwrap_or("no version")
    }

    /// How it is asked for on the command line.
    pub(crate) fn asked_for(&self) -> String {
        let slow = if self.slow { " --slow" } else { "" };
        match &self.source {
            Source::File(path) => format!("{}{slow}", quoted(&path.to_string_lossy())),
            Source::Flags(flags) => format!("{flags}{slow}"),
        }
    }

    /// What its maker does not agree with, as entries of a list of known failures: they are run, shown, and counted apart.
    pub fn challenged(&self, today: Date) -> List {
        challenged(&self.manifest.challenged, &self.source.to_string(), self.name(), today)
    }

    /// Whether it owes what its product line has fixed.
    pub(super) fn is_of_fleet(&self) -> bool {
        self.manifest.dialect == Some(Dialect::A2aFleet)
    }

    /// How many copies of it may run side by side.
    pub fn parallel(&self) -> usize {
        usize::from(*self.manifest.parallel.get_ref()).max(1)
    }

    /// Whether a word sets something of it.
    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.contains(word) || self.words.contains(template::FLEET_CONFIG)
    }

    /// Whether a limit of it is what a cell says.
    pub(crate) fn can_set(&self, limit: &str) -> bool {
        self.takes_fleet_config() || self.limit(limit) == Limit::Set
    }

    /// One of its limits. Who reads the whole configuration reads each of them there, unless its manifest says otherwise.
    pub(super) fn limit(&self, name: &str) -> Limit {
        let usual = if self.takes_fleet_config() { Limit::Set } else { Limit::None };
        self.manifest.limits.named(name).unwrap_or(usual)
    }

    /// Whether the whole configuration of the product line reaches it.
    pub(crate) fn takes_fleet_config(&self) -> bool {
        self.words.contains(template::FLEET_CONFIG)
    }

    /// How long it may take until it is ready.
    pub(crate) fn ready_within(&self) -> Duration {
        Duration::try_from_secs_f64(*self.manifest.ready.within.get_ref()).unwrap_or(Duration::from_secs(15))
    }

    /// The path that is answered 200 when it is ready.
    pub(crate) fn ready_path(&self) -> &str {
        self.manifest.ready.path.get_ref()
    }

    /// Whether it runs already, and nobody here starts or ends it.
    pub fn runs_already(&self) -> bool {
        self.program.is_none()
    }

    /// Where it listens when it runs already.
    pub(crate) fn port(&self) -> Option<u16> {
        address(self.manifest.url.as_ref()?.get_ref())
    }

    /// Its limits in a cell.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How long a cell may last.
    pub(crate) fn horizon(&self) -> Duration {
        let usual = Limits::horizon(Lane::Real);
        let longest = [self.limits.turn_cap, self.limits.lock_wait, self.limits.idle].into_iter().max();
        longest.map_or(usual, |longest| usual.max(longest.saturating_mul(SLOWLY)))
    }

    /// How long a cell may keep its thread.
    pub fn watchdog(&self) -> Duration {
        self.horizon() + Duration::from_secs(60) + self.ready_within()
    }

    /// It was started, and became ready or did not.
    pub(crate) fn became_ready(&self, ready: bool) {
        let count = if ready { &self.was_ready } else { &self.was_not };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether no start of it came to anything so far, and there were several.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.was_ready.load(Ordering::Relaxed) == 0 && self.was_not.load(Ordering::Relaxed) >= HOPELESS
    }

    /// What the words of its manifest stand for: what the configuration of a cell says, and what `set` knows of the cell.
    pub(crate) fn values(&self, config: &Value, set: &dyn Fn(&mut Values)) -> Values {
        let mut values = Values::default();
        let said = |member: &str| config.get(member).filter(|value| !value.is_null());
        let seconds = |limit: Duration| format!("{:?}", limit.as_secs_f64());
        let cap = format!("{}_timeout_s", self.executor.cli);
        for (word, member, usual) in [
            ("turn_cap", cap.as_str(), seconds(self.limits.turn_cap)),
            ("lock_wait", "context_lock_wait_s", seconds(self.limits.lock_wait)),
            ("idle", "idle_timeout_s", seconds(self.limits.idle)),
            ("poll", "poll_interval_s", seconds(self.limits.poll)),
            ("slots", "max_concurrent_turns", "3".to_owned()),
            ("contexts", "max_tracked_contexts", "1024".to_owned()),
            ("model", &format!("{}_model", self.executor.cli), String::new()),
            ("role", "role_prompt", String::new()),
            ("bind", "bind_host", "127.0.0.1".to_owned()),
        ] {
            let value = match said(member) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => usual,
            };
            values.set(word, value);
        }
        values.set("here", self.here.to_string_lossy());
        values.set("executor", self.executor.id.value.as_str());
        values.set(template::FLEET_CONFIG, config.to_string());
        set(&mut values);
        values
    }

    /// Its files in a cell: where, what is in them, and their permission bits.
    pub(crate) fn written(&self, values: &Values) -> Vec<(PathBuf, String, u32)> {
        let each = self.manifest.files.iter().map(|file| {
            let path = values.fill(file.path.get_ref());
            let content = file.content.as_ref().map(|content| content.get_ref().as_str()).unwrap_or_default();
            let content =
                if path.ends_with(".json") { values.fill_json(content) } else { values.fill(content) };
            let mode = file.mode.as_ref().and_then(|mode| file_mode(mode.get_ref())).unwrap_or(0o600);
            (PathBuf::from(path), content, mode)
        });
        each.collect()
    }
}

/// What a maker does not agree with, as entries of a list of known failures.
pub(crate) fn challenged(challenges: &[Challenge], file: &str, name: &str, today: Date) -> List {
    if challenges.is_empty() {
        return List::default();
    }
    let entry = |challenge: &Challenge| {
        let entry = Entry {
            file: PathBuf::from(file),
            at: (1, 1),
            pattern: Pattern::parse("**").ok()?,
            requirement: Some(Glob::new(challenge.requirement.get_ref())),
            reason: challenge.reason.get_ref().clone(),
            owner: format!("challenged by the maker of {name}"),
            issue: None,
            expires: Date::MAX,
            // What is challenged may hold all the same.
            flaky: true,
            is_dead: false,
        };
        Some(Arc::new(entry))
    };
    List { entries: challenges.iter().filter_map(entry).collect(), today: Some(today), updates: false }
}

/// The port of a URL on this machine.
pub(super) fn address(url: &str) -> Option<u16> {
    let rest = url.strip_prefix("http://")?.trim_end_matches('/');
    let (host, port) = rest.rsplit_once(':')?;
    ["127.0.0.1", "localhost"].contains(&host).then(|| port.parse().ok()).flatten().filter(|port| *port > 0)
}

/// The text of a manifest, and the folder that it is in.
pub(crate) fn text_and_folder(path: &Path) -> Result<(String, PathBuf), ForeignError> {
    let unreadable = |error| ForeignError::Unreadable(path.display().to_string(), error);
    let text = files::read_text(path).map_err(unreadable)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((text, files::absolute(folder).map_err(unreadable)?))
}

/// The program that a command in this text names.
pub(crate) fn program(
    command: &Spanned<String>,
    here: &Path,
    file: &str,
    text: &str,
) -> Result<PathBuf, Box<DataError>> {
    found(command.get_ref(), here).ok_or_else(|| {
        let message =
            format!("expected a program that can be started; found none like {:?}", command.get_ref());
        let help = Some("a name is looked up on PATH, and a path begins where this file is".to_owned());
        Box::new(mistake::at(file, text, command.span(), message, help))
    })
}

fn found(command: &str, here: &Path) -> Option<PathBuf> {
    let command = command.replace("{here}", &here.to_string_lossy());
    if command.contains('/') {
        return Some(here.join(command)).filter(|path| files::is_program(path));
    }
    let path = files::own_variable("PATH").unwrap_or_default();
    path.split(':').map(|folder| Path::new(folder).join(&command)).find(|path| files::is_program(path))
}

/// What of a subject's limits is set is as short as in any cell of the real lane.
fn limits(manifest: &Manifest, slow: bool) -> Limits {
    let real = Limits::of(Lane::Real);
    let of = |name: &str, usual: Duration| match manifest.limits.named(name) {
        Some(Limit::Seconds(seconds)) if slow => Duration::try_from_secs_f64(seconds).unwrap_or(usual),
        _ => usual,
    };
    Limits {
        turn_cap: of("turn_cap", real.turn_cap),
        lock_wait: of("lock_wait", real.lock_wait),
        idle: of("idle", real.idle),
        poll: of("poll", real.poll),
    }
}

/// The words of an executor, with the files that a subject has.
fn with_files(executor: &Executor, manifest: &Manifest) -> Executor {
    let usual = executor.files.clone().filter(|_| manifest.dialect == Some(Dialect::A2aFleet));
    let said = |name: &str, usual: Option<String>| {
        let places = manifest.places.all();
        let said = places.into_iter().find(|(known, _)| *known == name).and_then(|(_, path)| path.clone());
        said.map(Spanned::into_inner).or(usual)
    };
    let of = |name: &str, usual: Option<&String>| said(name, usual.cloned()).unwrap_or_default();
    let files = ReceiverFiles {
        config: of("config", usual.as_ref().map(|files| &files.config)),
        inbox: of("inbox", usual.as_ref().map(|files| &files.inbox)),
        offset: of("offset", usual.as_ref().map(|files| &files.offset)),
        transcript: of("transcript", usual.as_ref().map(|files| &files.transcript)),
        pid: of("pid", usual.as_ref().map(|files| &files.pid)),
        token: said("token", usual.as_ref().and_then(|files| files.token.clone())),
        sessions: said("sessions", usual.as_ref().and_then(|files| files.sessions.clone())),
    };
    let by_right = |path: &str| {
        let in_trace = [("{workdir}/", "repo/"), ("{home}/", "home/")];
        in_trace.iter().find_map(|(written, seen)| Some(format!("{seen}{}", path.strip_prefix(written)?)))
    };
    let written = manifest.files.iter().filter_map(|file| by_right(file.path.get_ref()));
    let own = [Some(&files.config), files.token.as_ref()].into_iter().flatten();
    let own = own.filter(|path| !path.is_empty()).map(|path| format!("repo/{path}"));
    Executor {
        may_hold_bearers: written.chain(own).collect(),
        files: Some(files),
        // How much longer than its cap a turn lasts is a habit of the product line.
        grace: executor.grace.filter(|_: &Millis| manifest.dialect == Some(Dialect::A2aFleet)),
        ..executor.clone()
    }
}
