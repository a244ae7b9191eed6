//! The bearers of a cell: those that it was given, and those that were made in it when a receiver was deployed.

use std::collections::BTreeSet;

use crate::trace::{Observation, What};

/// Shorter ones are no secrets, and would be found everywhere.
const SHORTEST: usize = 8;

/// Whether a file is there to hold the bearer of a receiver that was deployed.
pub(super) fn is_token_file(path: &str) -> bool {
    path.contains("/.hermes/") && path.ends_with("token")
}

/// The bearers that were made in the cell: what the token files of deployed receivers ever held.
pub(crate) fn deployed(observations: &[Observation]) -> BTreeSet<String> {
    let files = observations.iter().filter_map(|seen| match &seen.what {
        What::Files { changed, .. } => Some(changed),
        _ => None,
    });
    let tokens = files.flatten().filter(|(path, _)| is_token_file(path));
    let texts = tokens.filter_map(|(_, file)| Some(file.as_ref()?.content.text().trim().to_owned()));
    texts.filter(|text| text.len() >= SHORTEST).collect()
}
