//! A runtime that is not ours, as the cells of a run know it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gauntlet_world::process::{Command, Output, Stdin};
use jiff::civil::Date;

use super::manifest::RuntimeManifest;
use crate::braces;
use crate::certify::{ForeignError, challenged, program, text_and_folder};
use crate::data::Library;
use crate::files;
use crate::known::List;
use crate::record::quoted;
use crate::scenario::{Lane, Limits};

/// A runtime that is not ours.
#[derive(Debug)]
pub struct ForeignRuntime {
    /// What its manifest says.
    pub manifest: RuntimeManifest,
    /// The program of its driver.
    program: PathBuf,
    /// The folder of its manifest.
    here: PathBuf,
    /// Its manifest, as it was asked for.
    source: PathBuf,
}

/// Whether a manifest is one of a runtime: it names a driver.
pub fn is_manifest(path: &Path) -> bool {
    let text = files::read_text(path).unwrap_or_default();
    match toml::from_str::<toml::Table>(&text) {
        Ok(table) => table.contains_key("driver"),
        // Whoever reads it in earnest tells what is wrong with it.
        Err(_) => path.file_name().is_some_and(|name| name == "runtime.toml"),
    }
}

impl ForeignRuntime {
    /// Reads a manifest.
    pub fn read(library: &Library, path: &Path) -> Result<Self, ForeignError> {
        let name = path.display().to_string();
        let (text, here) = text_and_folder(path)?;
        let manifest = RuntimeManifest::read(library, &name, &text).map_err(Box::new)?;
        let program = program(&manifest.driver.command, &here, &name, &text)?;
        Ok(Self { program, here, source: path.to_path_buf(), manifest })
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
        quoted(&self.source.to_string_lossy())
    }

    /// How many copies of it may run side by side.
    pub fn parallel(&self) -> usize {
        usize::from(*self.manifest.parallel.get_ref()).max(1)
    }

    /// How long it may take to start, and to end.
    pub(crate) fn within(&self) -> Duration {
        let within = *self.manifest.driver.within.get_ref();
        Duration::try_from_secs_f64(within).unwrap_or(Duration::from_secs(15))
    }

    /// How long a cell may last.
    pub(crate) fn horizon(&self) -> Duration {
        Limits::horizon(Lane::Real) + self.within()
    }

    /// How long a cell may keep its thread.
    pub fn watchdog(&self) -> Duration {
        self.horizon() + Duration::from_secs(60)
    }

    /// What its maker does not agree with, as entries of a list of known failures.
    pub fn challenged(&self, today: Date) -> List {
        challenged(&self.manifest.challenged, &self.source.to_string_lossy(), self.name(), today)
    }

    /// How its driver is started. `env`: what it needs to know that no argument may hold.
    pub(crate) fn command(&self, workdir: &Path, home: &Path, env: BTreeMap<String, String>) -> Command {
        let fill = |text: &str| {
            braces::fill(text, |word| {
                let place = match word {
                    "here" => &self.here,
                    "workdir" => workdir,
                    "home" => home,
                    _ => return None,
                };
                Some(place.to_string_lossy().into_owned())
            })
        };
        let driver = &self.manifest.driver;
        let cwd = driver.cwd.as_ref().map(|cwd| PathBuf::from(fill(cwd.get_ref())));
        let mut command = Command::new(self.program.to_string_lossy(), cwd.unwrap_or(workdir.to_path_buf()));
        command.args = driver.args.iter().map(|arg| fill(arg.get_ref())).collect();
        let folder = self.program.parent().unwrap_or(Path::new("/usr/bin")).to_string_lossy().into_owned();
        command.env = env;
        command.env.insert("PATH".to_owned(), format!("{folder}:/usr/bin:/bin"));
        command.env.insert("HOME".to_owned(), home.to_string_lossy().into_owned());
        let own = driver.env.iter().map(|(name, value)| (name.clone(), fill(value.get_ref())));
        command.env.extend(own);
        (command.stdin, command.stdout, command.stderr) = (Stdin::Piped, Output::Piped, Output::Piped);
        command
    }
}
