//! `runtime.toml`: how the driver of a runtime that is not ours is started.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::braces;
use crate::certify::mistake::{self, Wrong};
use crate::certify::{Challenge, owned};
use crate::data::{DataError, Library};
use crate::scenario;

/// The words in braces that stand for something in a driver's command.
const WORDS: [&str; 3] = ["here", "workdir", "home"];

/// The manifest of a runtime.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuntimeManifest {
    /// How reports call it.
    #[schemars(with = "String")]
    pub name: Spanned<String>,
    /// Its version.
    #[serde(default)]
    pub version: Option<String>,
    /// The executor behind the receivers that it is given to dispatch to.
    #[schemars(with = "String")]
    pub executor: Spanned<String>,
    /// How many copies of it may run side by side.
    #[serde(default = "owned::one")]
    #[schemars(with = "u16", range(min = 1))]
    pub parallel: Spanned<u16>,
    /// Its driver.
    pub driver: DriverCommand,
    /// Requirements that its maker does not agree with.
    #[serde(default)]
    pub challenged: Vec<Challenge>,
}

/// The command that takes orders, a JSON object a line.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DriverCommand {
    /// The program: a name that is looked up on PATH, or a path.
    #[schemars(with = "String")]
    pub command: Spanned<String>,
    /// Its arguments.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub args: Vec<Spanned<String>>,
    /// Where it is started; its folder in the cell if absent.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub cwd: Option<Spanned<String>>,
    /// Its environment, beside HOME, PATH and the bearers.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    pub env: BTreeMap<String, Spanned<String>>,
    /// So many seconds it may take to start, and to end.
    #[serde(default = "within")]
    #[schemars(with = "f64")]
    pub within: Spanned<f64>,
}

fn within() -> Spanned<f64> {
    Spanned::new(0..0, 15.0)
}

/// The JSON Schema of such manifests.
pub fn schema() -> Value {
    scenario::schema::of::<RuntimeManifest>("gauntlet.runtime/1", "The manifest of a runtime")
}

impl RuntimeManifest {
    /// Reads a manifest.
    pub fn read(library: &Library, file: &str, text: &str) -> Result<Self, DataError> {
        let manifest: Self = toml::from_str(text).map_err(|error| mistake::of_reader(file, text, &error))?;
        manifest.check(library).map_err(|wrong| wrong.pointed_at(file, text))?;
        Ok(manifest)
    }

    fn check(&self, library: &Library) -> Result<(), Wrong> {
        let executors = library.executors.values().filter(|known| known.files.is_some());
        let known: Vec<&str> = executors.map(|known| known.id.value.as_str()).collect();
        if !known.contains(&self.executor.get_ref().as_str()) {
            return Err(Wrong::unknown(&self.executor, "an executor with a receiver in front", &known));
        }
        owned::name(&self.name)?;
        owned::copies(&self.parallel)?;
        owned::patience(&self.driver.within)?;
        for template in self.driver.templates() {
            let words = braces::words(template.get_ref(), &WORDS);
            words.map_err(|unknown| Wrong::word(template, &WORDS, &unknown))?;
        }
        owned::challenges(&self.challenged, library)
    }
}

impl DriverCommand {
    /// The texts in which words stand for something.
    fn templates(&self) -> impl Iterator<Item = &Spanned<String>> {
        std::iter::once(&self.command).chain(&self.args).chain(&self.cwd).chain(self.env.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Source;

    fn read(text: &str) -> Result<RuntimeManifest, String> {
        let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
        RuntimeManifest::read(&library, "runtime.toml", text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_manifest_needs_a_name_and_a_driver() {
        let manifest = read(
            "name = \"mine\"\nexecutor = \"codex\"\n[driver]\ncommand = \"python3\"\nargs = [\"{here}/client.py\"]\n",
        );
        let manifest = manifest.expect("it is sound");
        assert_eq!(manifest.executor.get_ref(), "codex");
        assert_eq!(*manifest.parallel.get_ref(), 1);
    }

    #[test]
    fn a_mistake_is_pointed_at() {
        for (text, place, says) in [
            ("name = \"x\"\nexecutor = \"codex\"\n", "1:", "\"driver\""),
            ("name = \"x\"\nexecutor = \"codexx\"\n[driver]\ncommand = \"sh\"\n", "2:", "found \"codexx\""),
            (
                "name = \"x\"\nexecutor = \"codex\"\n[driver]\ncommand = \"sh\"\nargs = [\"{port}\"]\n",
                "5:",
                "found {port}",
            ),
            (
                "name = \"x\"\nexecutor = \"codex\"\n[driver]\ncommand = \"sh\"\nwithn = 3\n",
                "5:",
                "\"withn\"",
            ),
            (
                "name = \"x\"\nparallel = 0\nexecutor = \"codex\"\n[driver]\ncommand = \"sh\"\n",
                "2:",
                "found 0",
            ),
        ] {
            let said = read(text).expect_err("it is wrong");
            assert!(said.starts_with(&format!("runtime.toml:{place}")) && said.contains(says), "{said}");
        }
    }
}
