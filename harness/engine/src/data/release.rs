//! Releases: one receiver at one version, as data.

use gauntlet_simulators::http1::Framing;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// The reference receiver plus the quirks that this release has.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The name, for instance `reference`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// One sentence.
    pub title: String,
    /// How its server frames.
    #[serde(default)]
    pub framing: Framing,
    /// The quirks that it has.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub quirks: Vec<Spanned<String>>,
}
