//! What made a report: the tool, and the catalogue that it judged by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The program that ran the cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name, `gauntlet`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The frozen list of requirements and scenarios that judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The revision's name.
    pub revision: String,
    /// A digest over the catalogue's files in hexadecimal, so that a local change shows.
    pub digest: String,
    /// A user's own data that was layered over it, in the order in which it was named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Layer>,
}

/// A folder of a user's own data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The folder, as it was named.
    pub folder: String,
    /// BLAKE3 over its files in hexadecimal: for each, in order of relative path, the path and the bytes.
    pub digest: String,
}
