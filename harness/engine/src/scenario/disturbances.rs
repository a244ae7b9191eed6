//! A world that misbehaves around a story, as exploration found it.

use gauntlet_world::fault::Rule;
use gauntlet_world::injection::Millis;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// What disturbs a story from its beginning. `gauntlet explore faults` writes it; by hand a step `fault`, a quirk or a fault of its own is
/// easier to read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Disturbances {
    /// Draws the order of tasks, beside the seed.
    pub shake: Option<u64>,
    /// Every byte on the network arrives so much later.
    pub latency: Option<Millis>,
    /// Faults that are armed before anything runs. What dies by one is started again after a second, and steps that need it wait.
    pub faults: Vec<Rule>,
    /// Deviations of peers.
    #[schemars(with = "Vec<String>")]
    pub quirks: Vec<Spanned<String>>,
}

impl Disturbances {
    /// Whether there is any.
    pub fn is_anything(&self) -> bool {
        let Self { shake, latency, faults, quirks } = self;
        shake.is_some() || latency.is_some() || !faults.is_empty() || !quirks.is_empty()
    }
}
