//! One option of a CLI, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One option.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OptionRule {
    /// Its long name, without dashes.
    pub long: String,
    /// Its short name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short: Option<char>,
    /// The name of its value. Absent: it is a switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The values that it takes. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Whether it may be given more than once.
    #[serde(default)]
    pub repeatable: bool,
    /// The real CLI acts on it in a way that this stand-in does not play.
    #[serde(default)]
    pub unplayed: bool,
}

impl OptionRule {
    /// As usages and messages write it: `--sandbox <SANDBOX_MODE>`.
    pub(super) fn shown(&self) -> String {
        match &self.value {
            Some(value) => format!("--{} <{value}>", self.long),
            None => format!("--{}", self.long),
        }
    }
}
