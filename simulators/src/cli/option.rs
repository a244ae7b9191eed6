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
    /// The option that a command line names with its dashes.
    pub(crate) fn named<'a>(options: &'a [OptionRule], name: &str) -> Option<&'a OptionRule> {
        options.iter().find(|option| match name.strip_prefix("--") {
            Some(long) => option.long == long,
            None => option.short.is_some_and(|short| name[1..].chars().eq([short])),
        })
    }

    /// One that takes any value, or none, and is played.
    #[cfg(test)]
    pub(crate) fn plain(long: &str, short: Option<char>, value: Option<&str>) -> Self {
        Self {
            long: long.to_owned(),
            short,
            value: value.map(str::to_owned),
            values: Vec::new(),
            repeatable: false,
            unplayed: false,
        }
    }

    /// The value that a command line gives to it: what is attached, or the next word; nothing for a switch. Else what is wrong.
    pub(crate) fn given<'w>(
        &self,
        attached: Option<&'w str>,
        next: impl FnOnce() -> Option<&'w str>,
    ) -> Result<&'w str, String> {
        match (&self.value, attached) {
            (None, None) => Ok(""),
            (Some(_), Some(value)) => Ok(value),
            (Some(_), None) => next().ok_or_else(|| format!("{} without a value", self.shown())),
            (None, Some(_)) => Err(format!("{} with a value", self.shown())),
        }
    }

    /// As usages and messages write it: `--sandbox <SANDBOX_MODE>`.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            Some(value) => format!("--{} <{value}>", self.long),
            None => format!("--{}", self.long),
        }
    }
}
