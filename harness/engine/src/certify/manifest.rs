//! `receiver.toml`: how a receiver that is not ours is started, and what it can be judged by.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use super::limit::Limit;
use super::mistake::{self, Wrong};
use super::owned::{self, Challenge};
use super::template;
use crate::data::{DataError, Library};
use crate::scenario::{self, leads_out};

/// The manifest of a receiver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// How reports call it.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// The executor whose CLI is behind it.
    #[schemars(with = "String")]
    pub executor: Spanned<String>,
    /// The product line that it is of, whose fixed texts and file names it owes.
    #[serde(default)]
    pub dialect: Option<Dialect>,
    /// The extensions that it takes, by their URIs.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub declares: Vec<Spanned<String>>,
    /// How many copies of it may run side by side.
    #[serde(default = "owned::one")]
    #[schemars(with = "u16", range(min = 1))]
    pub parallel: Spanned<u16>,
    /// How it is started.
    #[serde(default)]
    pub start: Option<Start>,
    /// In the place of that: where one listens that runs already.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub url: Option<Spanned<String>>,
    /// With `url`: the variable of the own environment that holds its bearer.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub token_env: Option<Spanned<String>>,
    /// What is written before each start.
    #[serde(default)]
    pub files: Vec<WrittenFile>,
    /// How one sees that it is ready.
    #[serde(default)]
    pub ready: Ready,
    /// Its limits.
    #[serde(default)]
    pub limits: ManifestLimits,
    /// Its own files.
    #[serde(default, rename = "where")]
    pub places: Where,
    /// What is run before the first start.
    #[serde(default)]
    pub setup: Vec<Errand>,
    /// What is run after the last end.
    #[serde(default)]
    pub teardown: Vec<Errand>,
    /// Requirements that its maker does not agree with.
    #[serde(default)]
    pub challenged: Vec<Challenge>,
}

/// A product line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// The receivers of the fleet.
    A2aFleet,
}

/// How a subject is started.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The program: a name that is looked up on PATH, or a path.
    #[schemars(with = "String")]
    pub command: Spanned<String>,
    /// Its arguments.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub args: Vec<Spanned<String>>,
    /// Where it is started; the working directory of the cell if absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub cwd: Option<Spanned<String>>,
    /// Its environment.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: BTreeMap<String, Spanned<String>>,
}

/// A file that is written for a subject.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenFile {
    /// Where: below `{workdir}` or `{home}`.
    #[schemars(with = "String")]
    pub path: Spanned<String>,
    /// What is in it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub content: Option<Spanned<String>>,
    /// In the place of that: a file beside the manifest that holds it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub from: Option<Spanned<String>>,
    /// Its permission bits, octal; 600 if absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub mode: Option<Spanned<String>>,
}

/// How one sees that a subject is ready.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Ready {
    /// GET of this path is answered 200 then.
    #[schemars(with = "String")]
    pub path: Spanned<String>,
    /// So many seconds may pass until then.
    #[schemars(with = "f64")]
    pub within: Spanned<f64>,
}

impl Default for Ready {
    fn default() -> Self {
        Self { path: Spanned::new(0..0, "/health".to_owned()), within: Spanned::new(0..0, 15.0) }
    }
}

/// The limits of a subject.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ManifestLimits {
    /// The longest that a turn may last.
    #[schemars(with = "Limit")]
    pub turn_cap: Option<Spanned<Limit>>,
    /// The longest that a dispatch waits for its context, or for a slot.
    #[schemars(with = "Limit")]
    pub lock_wait: Option<Spanned<Limit>>,
    /// The time without work after which it ends.
    #[schemars(with = "Limit")]
    pub idle: Option<Spanned<Limit>>,
    /// The rhythm in which it looks at its queue.
    #[schemars(with = "Limit")]
    pub poll: Option<Spanned<Limit>>,
}

impl ManifestLimits {
    /// All of them, by the word that sets one.
    pub(super) fn all(&self) -> [(&'static str, &Option<Spanned<Limit>>); 4] {
        [
            ("turn_cap", &self.turn_cap),
            ("lock_wait", &self.lock_wait),
            ("idle", &self.idle),
            ("poll", &self.poll),
        ]
    }

    /// One of them.
    pub fn named(&self, name: &str) -> Option<Limit> {
        let found = self.all().into_iter().find(|(word, _)| *word == name);
        found.and_then(|(_, limit)| limit.as_ref()).map(|limit| *limit.get_ref())
    }
}

/// The files of a subject, by path below its working directory.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Where {
    /// What was said, in both directions.
    #[schemars(with = "Option<String>")]
    pub transcript: Option<Spanned<String>>,
    /// What it was asked to do.
    #[schemars(with = "Option<String>")]
    pub inbox: Option<Spanned<String>>,
    /// How much of that is done with.
    #[schemars(with = "Option<String>")]
    pub offset: Option<Spanned<String>>,
    /// The CLI's sessions by context.
    #[schemars(with = "Option<String>")]
    pub sessions: Option<Spanned<String>>,
    /// Its id as a process.
    #[schemars(with = "Option<String>")]
    pub pid: Option<Spanned<String>>,
    /// The bearer that it wants; this file may hold it.
    #[schemars(with = "Option<String>")]
    pub token: Option<Spanned<String>>,
    /// Its configuration; this file may hold bearers.
    #[schemars(with = "Option<String>")]
    pub config: Option<Spanned<String>>,
}

impl Where {
    /// All of them.
    pub(super) fn all(&self) -> [(&'static str, &Option<Spanned<String>>); 7] {
        [
            ("transcript", &self.transcript),
            ("inbox", &self.inbox),
            ("offset", &self.offset),
            ("sessions", &self.sessions),
            ("pid", &self.pid),
            ("token", &self.token),
            ("config", &self.config),
        ]
    }
}

/// A command that is run beside the subject.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errand {
    /// The program.
    pub command: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// So many seconds it may take.
    #[serde(default = "errand_time")]
    pub within: u32,
}

/// The shortest limit that a story can be told with, and the longest: a day.
const LEAST_SECONDS: f64 = 1.0;
const MOST_SECONDS: f64 = 86_400.0;

fn errand_time() -> u32 {
    120
}

/// The JSON Schema of manifests.
pub fn schema() -> Value {
    scenario::schema::of::<Manifest>("gauntlet.receiver/1", "The manifest of a receiver")
}

impl Manifest {
    /// Reads a manifest. `from` gives the text of a file beside it.
    pub fn read(
        library: &Library,
        file: &str,
        text: &str,
        from: &dyn Fn(&str) -> std::io::Result<String>,
    ) -> Result<Self, DataError> {
        let mut manifest: Self =
            toml::from_str(text).map_err(|error| mistake::of_reader(file, text, &error))?;
        manifest.take_in(file, text, from)?;
        manifest.check(library).map_err(|wrong| wrong.pointed_at(file, text))?;
        Ok(manifest)
    }

    /// What stands in a file beside the manifest is content like any other from now on.
    fn take_in(
        &mut self,
        file: &str,
        text: &str,
        from: &dyn Fn(&str) -> std::io::Result<String>,
    ) -> Result<(), DataError> {
        for written in &mut self.files {
            match (&written.content, &written.from) {
                (Some(_), None) => {}
                (None, Some(beside)) => {
                    let content = from(beside.get_ref()).map_err(|error| {
                        let message =
                            format!("expected a file to read from; {:?}: {error}", beside.get_ref());
                        mistake::at(file, text, beside.span(), message, None)
                    })?;
                    written.content = Some(Spanned::new(beside.span(), content));
                }
                _ => {
                    let message = "expected either `content` or `from` of this file".to_owned();
                    return Err(mistake::at(file, text, written.path.span(), message, None));
                }
            }
        }
        Ok(())
    }

    /// The texts in which words stand for something.
    pub(super) fn templates(&self) -> impl Iterator<Item = &Spanned<String>> {
        let of_start = self.start.iter().flat_map(|start| {
            let further = start.args.iter().chain(&start.cwd).chain(start.env.values());
            std::iter::once(&start.command).chain(further)
        });
        of_start.chain(self.files.iter().flat_map(|file| std::iter::once(&file.path).chain(&file.content)))
    }

    /// The words that it uses.
    pub(super) fn words(&self) -> BTreeSet<&'static str> {
        self.templates().filter_map(|text| template::words(text.get_ref()).ok()).flatten().collect()
    }

    fn check(&self, library: &Library) -> Result<(), Wrong> {
        let executors: Vec<&str> = library
            .profiled()
            .into_iter()
            .filter(|id| library.executors.get(*id).is_some_and(|known| known.files.is_some()))
            .collect();
        if !executors.contains(&self.executor.get_ref().as_str()) {
            return Err(Wrong::unknown(&self.executor, "an executor", &executors));
        }
        owned::name(&self.name)?;
        owned::copies(&self.parallel)?;
        match (&self.start, &self.url) {
            (Some(_), None) => {}
            (None, Some(url)) if super::foreign::address(url.get_ref()).is_some() => {}
            (None, Some(url)) => {
                return Err(Wrong::at(url, "expected a URL on this machine, such as http://127.0.0.1:9000"));
            }
            (None, None) => {
                let help = Some("add `[start]` with a `command`, or the `url` of one that runs".to_owned());
                let message = "expected `start` or `url`; found neither".to_owned();
                return Err(Wrong { span: 0..0, message, help });
            }
            (Some(_), Some(url)) => {
                return Err(Wrong::at(url, "expected either `start` or `url`; found both"));
            }
        }
        if let (None, Some(variable)) = (&self.url, &self.token_env) {
            return Err(Wrong::at(
                variable,
                "expected `token_env` beside `url` alone; a subject that is started gets {token}",
            ));
        }
        let capabilities: BTreeSet<&str> = library
            .catalogue
            .all()
            .filter_map(|row| row.capability.as_ref())
            .map(|uri| uri.value.as_str())
            .collect();
        for uri in &self.declares {
            if !capabilities.contains(uri.get_ref().as_str()) {
                let known: Vec<&str> = capabilities.into_iter().collect();
                return Err(Wrong::unknown(uri, "an extension", &known));
            }
        }
        if !self.ready.path.get_ref().starts_with('/') {
            return Err(Wrong::at(&self.ready.path, "expected a path that begins with `/`"));
        }
        owned::patience(&self.ready.within)?;
        for (_, path) in self.places.all() {
            if let Some(path) = path.as_ref().filter(|path| leads_out(path.get_ref())) {
                return Err(Wrong::at(path, "expected a path below the working directory"));
            }
        }
        self.check_templates()?;
        owned::challenges(&self.challenged, library)
    }

    fn check_templates(&self) -> Result<(), Wrong> {
        for text in self.templates() {
            let words = template::words(text.get_ref());
            words.map_err(|unknown| Wrong::word(text, &template::WORDS, &unknown))?;
        }
        for written in &self.files {
            let path = written.path.get_ref();
            let below = ["{workdir}/", "{home}/"].iter().find_map(|folder| path.strip_prefix(folder));
            if below.is_none_or(|below| below.is_empty() || leads_out(below)) {
                return Err(Wrong::at(&written.path, "expected a path below {workdir}/ or {home}/"));
            }
            let mode = written.mode.as_ref();
            if let Some(mode) = mode.filter(|mode| file_mode(mode.get_ref()).is_none()) {
                return Err(Wrong::at(mode, "expected permission bits such as \"600\""));
            }
        }
        let words = self.words();
        for (word, limit) in self.limits.all() {
            // A rhythm may be any: nobody waits for it.
            let least = if word == "poll" { 0.0 } else { LEAST_SECONDS };
            let is_out = |limit: &&Spanned<Limit>| match limit.get_ref() {
                Limit::Seconds(seconds) => !(least..=MOST_SECONDS).contains(seconds),
                Limit::Set | Limit::None => false,
            };
            if let Some(limit) = limit.as_ref().filter(is_out) {
                let message = format!("expected between {least} and {MOST_SECONDS} seconds");
                return Err(Wrong::at(limit, &message));
            }
            let is_set = |limit: &&Spanned<Limit>| *limit.get_ref() == Limit::Set;
            let has_word = words.contains(word) || words.contains(template::FLEET_CONFIG);
            if let Some(limit) = limit.as_ref().filter(is_set).filter(|_| !has_word) {
                let message = format!("expected the word {{{word}}} in a template, which sets this limit");
                return Err(Wrong::at(limit, &message));
            }
        }
        if self.start.is_some() && !words.contains("port") && !words.contains(template::FLEET_CONFIG) {
            let span = self.start.as_ref().map(|start| start.command.span()).unwrap_or_default();
            let message = "expected the word {port} in an argument, the environment or a file".to_owned();
            return Err(Wrong { span, message, help: None });
        }
        Ok(())
    }
}

/// The permission bits that a text names.
pub(super) fn file_mode(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777)
}
