//! The names that data files use for each other, each with the place where it is written.

use std::collections::BTreeMap;
use std::fmt;

use gauntlet_protocol::fleet::MODES;
use gauntlet_protocol::fleet::extension::EXTENSIONS;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::Spanned;

use super::Library;
use super::error::{DataError, nearest};
use super::source::SourceFile;
use crate::scenario::TEAM;

/// A name that a file uses.
pub(super) struct Used {
    /// The file, by its number among those that were read.
    pub(super) file: usize,
    /// The name, and where it stands.
    pub(super) written: Spanned<String>,
    /// What it names.
    pub(super) what: What,
}

/// What the receivers are called that the runtime deploys.
fn deployed() -> impl Iterator<Item = String> {
    MODES.iter().map(|mode| format!("{}-deployed", mode.name))
}

/// What a name should name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A requirement.
    Requirement,
    /// A requirement, which names itself here and must not rest on itself.
    Itself,
    /// A quirk of a release, and so of a receiver.
    QuirkOfRelease,
    /// A quirk.
    Quirk,
    /// An executor.
    Executor,
    /// A host of a cell, at which faults can be aimed.
    Host,
    /// Something that is declared.
    Capability,
}

/// The hosts of cells at whose port calls faults can be aimed: the receiver, the runtime, its command, the receivers that it deploys, the
/// CLIs, Hermes nodes, and the session host of a team. The harness' own are not among them.
fn hosts(library: &Library) -> Vec<String> {
    let clis = library.executors.values().map(|executor| match executor.id.value.as_str() {
        TEAM => "host".to_owned(),
        _ => executor.cli.clone(),
    });
    let others = ["receiver", "runtime", "gauntlet", "neighbour"].map(str::to_owned);
    others.into_iter().chain(deployed()).chain(clis).collect()
}

/// What is wrong with a name, if anything is.
pub(super) fn check(library: &Library, file: &SourceFile, used: &Used) -> Option<DataError> {
    let written = &used.written;
    let mistake = |message: String, help: Option<String>| {
        let place = (written.referenced.line(), written.referenced.column());
        Some(DataError::new(&file.name, &file.text, place, message, help))
    };
    let hosts;
    let (what, known): (&str, Vec<&str>) = match used.what {
        What::Requirement => ("a requirement", library.catalogue.ids().collect()),
        What::Itself => {
            let rests = library.catalogue.foundations(&written.value).contains(&written.value.as_str());
            return rests
                .then(|| mistake(format!("expected {} not to rest on itself", written.value), None))
                .flatten();
        }
        What::QuirkOfRelease => match library.quirks.get(&written.value) {
            Some(quirk) if quirk.role != "receiver" => {
                let message = format!(
                    "expected a quirk of a receiver, since a release is one; {} is of the role {}",
                    quirk.id, quirk.role
                );
                return mistake(message, None);
            }
            _ => ("a quirk", library.quirks.keys().map(String::as_str).collect()),
        },
        What::Quirk => ("a quirk", library.quirks.keys().map(String::as_str).collect()),
        What::Executor => ("an executor", library.executors.keys().map(String::as_str).collect()),
        What::Host => {
            hosts = self::hosts(library);
            ("a host of a cell", hosts.iter().map(String::as_str).collect())
        }
        What::Capability => ("an extension", EXTENSIONS.iter().map(|extension| extension.uri).collect()),
    };
    if known.contains(&written.value.as_str()) {
        return None;
    }
    // Of hundreds of requirements the nearest one says more than all.
    let all = if known.len() <= 12 { format!(" ({})", known.join(", ")) } else { String::new() };
    let help = nearest(&written.value, known).map(|name| format!("did you mean {name:?}?"));
    mistake(format!("expected the name of {what}{all}; found {:?}", written.value), help)
}

/// The names in a quirk file.
#[derive(Deserialize)]
pub(super) struct InQuirk {
    pub(super) violates: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) executors: Vec<Spanned<String>>,
}

/// The names in a profile.
#[derive(Deserialize)]
pub(super) struct InProfile {
    #[serde(default)]
    pub(super) breaks: Keys,
    /// Under the name of its executor, how a CLI talks.
    pub(super) cli: Keys,
}

/// The names in a release, beside those of its quirks.
#[derive(Deserialize)]
pub(super) struct InRelease {
    #[serde(default)]
    pub(super) breaks: Keys,
    #[serde(default)]
    pub(super) executors: BTreeMap<String, InBefore>,
}

/// The executors that a release speaks of.
#[derive(Deserialize)]
pub(super) struct OfRelease {
    #[serde(default)]
    pub(super) executors: Keys,
}

/// The names in what a release has in front of one executor.
#[derive(Deserialize)]
pub(super) struct InBefore {
    #[serde(default)]
    pub(super) breaks: Keys,
}

/// The names in a fault file.
#[derive(Deserialize)]
pub(super) struct InFault {
    pub(super) rule: InRule,
}

/// The names in a fault's rule.
#[derive(Deserialize)]
pub(super) struct InRule {
    pub(super) host: Spanned<String>,
}

/// The names in a scenario that its types hold without a place.
#[derive(Deserialize)]
pub(super) struct InScenario {
    #[serde(default)]
    pub(super) given: InGiven,
    pub(super) steps: Vec<InStep>,
}

/// The names in what is given.
#[derive(Default, Deserialize)]
pub(super) struct InGiven {
    #[serde(default)]
    pub(super) disturbances: InDisturbances,
}

/// The names in what disturbs a story.
#[derive(Default, Deserialize)]
pub(super) struct InDisturbances {
    #[serde(default)]
    pub(super) faults: Vec<InRule>,
}

/// The names in a step.
#[derive(Deserialize)]
pub(super) struct InStep {
    pub(super) fault: Option<InRule>,
}

/// The keys of a map, each with its place.
#[derive(Default)]
pub(super) struct Keys(pub(super) Vec<Spanned<String>>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyKeys;
        impl<'de> Visitor<'de> for OnlyKeys {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(OnlyKeys)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use gauntlet_reports::Lane;

    use super::*;
    use crate::data::Source;
    use crate::matrix::Selection;
    use crate::runner::{Settings, outcome};

    #[test]
    fn faults_can_be_aimed_at_exactly_the_hosts_that_cells_have() {
        let library = Library::load(&[Source::Embedded]).expect("the embedded data is sound");
        let selection = Selection { lanes: vec![Lane::Virtual], ..Selection::default() };
        let mut seen = BTreeSet::new();
        for plan in selection.probes(&library) {
            let outcome = outcome(&plan, &library, &Settings::default(), &Arc::default());
            let touches = outcome.expect("nobody ended the cell").touches;
            seen.extend(touches.into_iter().map(|touch| touch.host));
        }
        for of_harness in ["harness", "client", "gate"] {
            assert!(seen.remove(of_harness), "{of_harness} is no host any more");
        }
        // Programs that a Hermes node's handlers are made of end by themselves.
        for (program, _) in gauntlet_simulators::programs::all() {
            seen.remove(program);
        }
        // Stories with receivers that the runtime deploys are undisturbed, so that nothing is noted of them.
        let others = hosts(&library).into_iter().filter(|host| deployed().all(|deployed| deployed != *host));
        assert_eq!(seen, others.collect());
    }
}
