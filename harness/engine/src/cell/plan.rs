//! What a cell is made of, and its id.

use std::sync::Arc;

use gauntlet_protocol::fleet::extension::{Extension, Taker};
use gauntlet_reports::Lane;
use gauntlet_simulators::cli::Profile;
use gauntlet_world::injection::Quirk;

use crate::certify::{Fitted, Foreign};
use crate::data::executor::Executor;
use crate::data::fault::Fault;
use crate::data::release::Release;
use crate::scenario::Scenario;

/// What makes a cell different from the plain one.
#[derive(Debug, Clone)]
pub enum Deviation {
    /// A peer deviates.
    Quirk(Arc<Quirk>),
    /// The world misbehaves.
    Fault(Arc<Fault>),
}

impl Deviation {
    /// The name of the quirk or fault.
    pub fn id(&self) -> &str {
        match self {
            Deviation::Quirk(quirk) => &quirk.id,
            Deviation::Fault(fault) => &fault.id.value,
        }
    }

    /// `quirk` or `fault`.
    pub fn kind(&self) -> &'static str {
        match self {
            Deviation::Quirk(_) => "quirk",
            Deviation::Fault(_) => "fault",
        }
    }
}

/// Everything that a cell is made of. It holds shared data only, so that a cell can be run by any thread.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenario, in the form of the lane.
    pub scenario: Arc<Scenario>,
    /// The executor.
    pub executor: Arc<Executor>,
    /// The executor's CLI.
    pub profile: Arc<Profile>,
    /// The receiver.
    pub release: Arc<Release>,
    /// The quirks of the release.
    pub release_quirks: Vec<Arc<Quirk>>,
    /// The deviation, if any.
    pub deviation: Option<Deviation>,
    /// The root seed.
    pub seed: u64,
    /// The lane.
    pub lane: Lane,
    /// The receiver that is not ours and that stands in the place of the reference, if one is certified.
    pub fitted: Option<Arc<Fitted>>,
}

impl Plan {
    /// The id: it reproduces the cell. `fleet/busy@codex-0.44.0+slow-callback#7`, with `:release` behind the
    /// version of another release than the reference, and `~real` at the end in the real lane.
    pub fn id(&self) -> String {
        let deviation =
            self.deviation.as_ref().map(|deviation| format!("+{}", deviation.id())).unwrap_or_default();
        let release = match self.release.is_reference() {
            true => String::new(),
            false => format!(":{}", self.release.id.value),
        };
        let lane = match self.lane {
            Lane::Virtual => "",
            Lane::Real => "~real",
        };
        let Plan { scenario, profile, seed, .. } = self;
        format!(
            "{}@{}-{}{release}{deviation}#{seed}{lane}",
            scenario.id.value,
            profile.executor(),
            profile.version
        )
    }

    /// The quirks that peers have in this cell: the release's and the deviation's.
    pub fn quirks(&self) -> Vec<Quirk> {
        let quirk = |quirk: &Arc<Quirk>| self.executor.quirk(quirk);
        let mut quirks: Vec<Quirk> = self.release_quirks.iter().map(quirk).collect();
        if let Some(Deviation::Quirk(deviation)) = &self.deviation {
            quirks.push(quirk(deviation));
        }
        quirks
    }

    /// The URIs of the extensions that the receiver of this cell takes.
    pub fn declares(&self) -> Vec<String> {
        let lacks = &self.scenario.given.receiver.lacks;
        let is_nodes = |uri: &str| Extension::named(uri).is_some_and(|known| known.taker == Taker::Node);
        let taken = self.release.declares.iter().map(|uri| &uri.value).filter(|uri| !is_nodes(uri));
        taken.filter(|uri| !lacks.iter().any(|lacked| lacked.value == **uri)).cloned().collect()
    }

    /// The same, as receivers in this process are told.
    pub(crate) fn extensions(&self) -> Vec<&'static Extension> {
        self.declares().iter().filter_map(|uri| Extension::named(uri)).collect()
    }

    /// The receiver that is not ours, if one is certified.
    pub(crate) fn foreign(&self) -> Option<&Arc<Foreign>> {
        self.fitted.as_ref().map(|fitted| &fitted.foreign)
    }

    /// Whether even the reference cannot keep a requirement on this version of the CLI, whatever else is the matter.
    pub fn breaks(&self, requirement: &str) -> bool {
        self.profile.breaks.contains_key(requirement)
    }

    /// The seed of everything random in this cell: the root seed and the id.
    pub fn cell_seed(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(self.id().as_bytes());
        *hasher.finalize().as_bytes()
    }
}
