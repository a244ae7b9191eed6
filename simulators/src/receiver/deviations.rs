//! How a receiver differs from the reference, as a file: what the harness hands to a receiver that is a process of its own, so
//! that it need not read the whole library to know who it is.

use std::collections::BTreeMap;

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::extension::Extension;
use gauntlet_world::Host;
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::http1::Framing;
use gauntlet_world::injection::{Injector, Quirk};

/// The environment variable with the bearer of a receiver that is a subject, which quirks may give away.
pub const SUBJECT_TOKEN: &str = "A2A_SUBJECT_TOKEN";

/// A release, and the quirk of a cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    /// How its server frames.
    pub framing: Framing,
    /// Its quirks, as they are on its executor.
    pub quirks: Vec<Quirk>,
    /// The URIs of the extensions that it takes. Those that are not known here, it does not take.
    #[serde(default)]
    pub declares: Vec<String>,
}

impl Deviations {
    /// What a receiver of this mode on this host is started with.
    pub fn settings(self, host: &Host, mode: &'static Mode) -> Settings {
        let token = host.env(SUBJECT_TOKEN).map(|token| ("token".to_owned(), token.to_owned()));
        let secrets: BTreeMap<String, String> = token.into_iter().collect();
        let declares = self.declares.iter().filter_map(|uri| Extension::named(uri)).collect();
        Settings { mode, framing: self.framing, injector: Injector::new(self.quirks, secrets), declares }
    }
}
