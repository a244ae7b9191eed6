//! Faults as data: misbehaviour of the world rather than of a peer. Judged for resilience only.

use gauntlet_world::fault::Rule;
use gauntlet_world::injection::Millis;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_saphyr::Spanned;

/// A named fault.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The name, for instance `kill-after-ack`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// One sentence: what happens to the world.
    pub title: String,
    /// Where it bites, and what it does.
    pub rule: Rule,
    /// How long after a crash what died is started again.
    #[serde(default = "one_second")]
    pub restart_after: Millis,
}

fn one_second() -> Millis {
    Millis(1000)
}
