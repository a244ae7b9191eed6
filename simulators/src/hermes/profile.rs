//! Which Hermes node is the subject, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Hermes node as a subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HermesProfile {
    /// Which of the two.
    pub implementation: Implementation,
}

/// Who implements the contract. They share messages and texts, and no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Implementation {
    /// The reference runtime's own node.
    Node,
    /// The simulated peer beside this file. Quirks of the role `hermes` bite it alone.
    Peer,
}
