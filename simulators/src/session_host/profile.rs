//! The profile of a session host.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a session host talks. What differs between releases is not known yet: there are recordings of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamProfile {}
