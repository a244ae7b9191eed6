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
}
