//! `runtime.toml`: how the driver of a runtime that is not ours is started.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

use crate::certify::{Challenge, mistake};
use crate::data::{DataError, Library, nearest};

/// The words in braces that stand for something in a driver's command.
pub(super) const WORDS: [&str; 3] = ["here", "workdir", "home"];

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
    #[serde(default = "one")]
    #[schemars(with = "u16", range(min = 1))]
    pub parallel: Spanned<u16>,
    /// Its driver.
    pub driver: DriverCommand,
    /// Requirements that its maker does not agree with.
    #[serde(default)]
    pub challenged: Vec<Challenge>,
}

fn one() -> Spanned<u16> {
    Spanned::new(0..0, 1)
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
    let mut schema = schemars::schema_for!(RuntimeManifest).to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("$id".to_owned(), Value::String("gauntlet.runtime/1".to_owned()));
        members.insert("title".to_owned(), Value::String("The manifest of a runtime".to_owned()));
    }
    schema
}

impl RuntimeManifest {
    /// Reads a manifest.
    pub fn read(library: &Library, file: &str, text: &str) -> Result<Self, DataError> {
        let manifest: Self = toml::from_str(text).map_err(|error| mistake::of_reader(file, text, &error))?;
        let wrong = |span, message: &str, help| Err(mistake::at(file, text, span, message.to_owned(), help));
        let executor = manifest.executor.get_ref();
        let known: Vec<&str> = library
            .executors
            .values()
            .filter(|known| known.files.is_some())
            .map(|known| known.id.value.as_str())
            .collect();
        if !known.contains(&executor.as_str()) {
            let help = nearest(executor, known.iter().copied()).map(|name| format!("did you mean {name:?}?"));
            let message = format!(
                "expected an executor with a receiver in front ({}); found {executor:?}",
                known.join(", ")
            );
            return wrong(manifest.executor.span(), &message, help);
        }
        if manifest.name.get_ref().trim().is_empty() {
            return wrong(manifest.name.span(), "expected a name; found nothing", None);
        }
        if *manifest.parallel.get_ref() == 0 {
            return wrong(manifest.parallel.span(), "expected at least one copy; found 0", None);
        }
        if !(0.1..=600.0).contains(manifest.driver.within.get_ref()) {
            return wrong(manifest.driver.within.span(), "expected between 0.1 and 600 seconds", None);
        }
        for template in manifest.driver.templates() {
            if let Some(found) = unknown_word(template.get_ref()) {
                let message = format!("expected one of the words {}; found {{{found}}}", WORDS.join(", "));
                let help = nearest(&found, WORDS).map(|near| format!("did you mean {{{near}}}?"));
                return wrong(template.span(), &message, help);
            }
        }
        for challenge in &manifest.challenged {
            let id = &challenge.requirement;
            if library.catalogue.get(id.get_ref()).is_none() {
                let help = nearest(id.get_ref(), library.catalogue.ids())
                    .map(|name| format!("did you mean {name:?}?"));
                return wrong(id.span(), &format!("expected a requirement; found {:?}", id.get_ref()), help);
            }
            if challenge.reason.get_ref().trim().is_empty() {
                return wrong(challenge.reason.span(), "expected a reason; found nothing", None);
            }
        }
        Ok(manifest)
    }
}

impl DriverCommand {
    /// The texts in which words stand for something.
    fn templates(&self) -> impl Iterator<Item = &Spanned<String>> {
        std::iter::once(&self.command).chain(&self.args).chain(&self.cwd).chain(self.env.values())
    }
}

/// The first word in braces that stands for nothing.
fn unknown_word(text: &str) -> Option<String> {
    let after = text.split('{').skip(1);
    let mut words = after.filter_map(|rest| rest.split_once('}')).map(|(word, _)| word);
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    words.find(|word| is_word(word) && !WORDS.contains(word)).map(str::to_owned)
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
