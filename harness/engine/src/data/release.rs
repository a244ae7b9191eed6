//! Releases: one receiver at one version, as data.

use std::collections::BTreeMap;

use gauntlet_simulators::http1::Framing;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// The release that is the receiver as it should be.
pub const REFERENCE: &str = "reference";

/// The reference receiver plus the quirks that this release has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The name, for instance `reference`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// One sentence.
    pub title: String,
    /// Where it was seen: recordings, a fact sheet.
    #[serde(default)]
    pub seen_in: Vec<String>,
    /// How its server frames.
    #[serde(default)]
    pub framing: Framing,
    /// The extensions that it takes, by their URIs, and says so on its card; none if absent. Who declares none is not judged by what is
    /// owed of them.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub declares: Vec<Spanned<String>>,
    /// The quirks that it has in front of every executor.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub quirks: Vec<Spanned<String>>,
    /// The requirements that it does not keep in front of any executor, each with the evidence: what fails, and nothing else.
    #[serde(default)]
    pub breaks: BTreeMap<String, String>,
    /// What is different in front of one executor.
    #[serde(default)]
    pub executors: BTreeMap<String, Before>,
}

/// What a release has beside the rest in front of one executor.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// Further quirks.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub quirks: Vec<Spanned<String>>,
    /// Further requirements that it does not keep, each with the evidence.
    #[serde(default)]
    pub breaks: BTreeMap<String, String>,
}

impl Release {
    /// Whether it is the receiver as it should be.
    pub fn is_reference(&self) -> bool {
        self.id.value == REFERENCE
    }

    /// Whether it takes an extension.
    pub fn takes(&self, uri: &str) -> bool {
        self.declares.iter().any(|declared| declared.value == uri)
    }

    /// The quirks that it has in front of an executor.
    pub fn quirks_before(&self, executor: &str) -> impl Iterator<Item = &Spanned<String>> {
        let further = self.executors.get(executor);
        self.quirks.iter().chain(further.into_iter().flat_map(|before| &before.quirks))
    }

    /// The requirements that it does not keep in front of an executor, with the evidence.
    pub fn breaks_before(&self, executor: &str) -> BTreeMap<&str, &str> {
        let further = self.executors.get(executor);
        let all = self.breaks.iter().chain(further.into_iter().flat_map(|before| &before.breaks));
        all.map(|(id, evidence)| (id.as_str(), evidence.as_str())).collect()
    }
}
