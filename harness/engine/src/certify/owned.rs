//! What manifests of all subjects have in common: members, and what is owed of them.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::mistake::Wrong;
use crate::data::Library;

/// A requirement that the maker of a subject does not agree with.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Challenge {
    /// Its id.
    #[schemars(with = "String")]
    pub requirement: Spanned<String>,
    /// Why.
    #[schemars(with = "String")]
    pub reason: Spanned<String>,
}

/// How many copies of a subject may run side by side, if nothing is said.
pub(crate) fn one() -> Spanned<u16> {
    Spanned::new(0..0, 1)
}

/// A subject has a name.
pub(crate) fn name(name: &Spanned<String>) -> Result<(), Wrong> {
    match name.get_ref().trim().is_empty() {
        true => Err(Wrong::at(name, "expected a name; found nothing")),
        false => Ok(()),
    }
}

/// At least one copy of it can run.
pub(crate) fn copies(parallel: &Spanned<u16>) -> Result<(), Wrong> {
    match parallel.get_ref() {
        0 => Err(Wrong::at(parallel, "expected at least one copy; found 0")),
        _ => Ok(()),
    }
}

/// Some time is waited for it, and not for ever.
pub(crate) fn patience(within: &Spanned<f64>) -> Result<(), Wrong> {
    match (0.1..=600.0).contains(within.get_ref()) {
        true => Ok(()),
        false => Err(Wrong::at(within, "expected between 0.1 and 600 seconds")),
    }
}

/// Who does not agree names requirements that there are, and says why.
pub(crate) fn challenges(challenged: &[Challenge], library: &Library) -> Result<(), Wrong> {
    for challenge in challenged {
        let id = &challenge.requirement;
        if library.catalogue.get(id.get_ref()).is_none() {
            let known: Vec<&str> = library.catalogue.ids().collect();
            return Err(Wrong::unknown(id, "a requirement", &known));
        }
        if challenge.reason.get_ref().trim().is_empty() {
            return Err(Wrong::at(&challenge.reason, "expected a reason; found nothing"));
        }
    }
    Ok(())
}
