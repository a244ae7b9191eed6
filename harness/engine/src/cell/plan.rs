//! What a cell is made of, and its id.

use std::sync::Arc;

use gauntlet_protocol::fleet::extension::{Extension, Taker};
use gauntlet_reports::Lane;
use gauntlet_simulators::cli::Profile;
use gauntlet_world::fault::Rule;
use gauntlet_world::injection::Quirk;
use gauntlet_world::simulated::Slip;

use crate::certify::{Certified, Fitted, Foreign};
use crate::data::executor::Executor;
use crate::data::fault::Fault;
use crate::data::release::Release;
use crate::driver::ForeignRuntime;
use crate::scenario::Scenario;

/// What makes a cell different from the plain one.
#[derive(Debug, Clone)]
pub enum Deviation {
    /// A peer deviates.
    Quirk(Arc<Quirk>),
    /// The world misbehaves.
    Fault(Arc<Fault>),
    /// The world misbehaves where exploration wants it to.
    Explored(Arc<Explored>),
}

/// What exploration does to a cell. Its seed is that of the plain one, so that everything up to the first crash happens as it does
/// there.
#[derive(Debug, Clone, Default)]
pub struct Explored {
    /// Where it bites, as a person would write it: `17:kill:before`.
    pub point: String,
    /// The faults. With none the cell is the plain one, judged by what holds in every cell.
    pub rules: Vec<Rule>,
    /// The command that runs this cell alone.
    pub reproduce: String,
    /// Whether the port calls are kept.
    pub log: bool,
    /// Mistakes that programs make in it.
    pub slips: Vec<Slip>,
}

impl Deviation {
    /// The name of the quirk or fault.
    pub fn id(&self) -> &str {
        match self {
            Deviation::Quirk(quirk) => &quirk.id,
            Deviation::Fault(fault) => &fault.id.value,
            Deviation::Explored(explored) => &explored.point,
        }
    }

    /// `quirk`, `fault` or `crash`.
    pub fn kind(&self) -> &'static str {
        match self {
            Deviation::Quirk(_) => "quirk",
            Deviation::Fault(_) => "fault",
            Deviation::Explored(_) => "crash",
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
    /// The subject that is not ours and that stands in the place of the reference, if one is certified.
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

    /// The quirks that peers have in this cell: the release's, the story's and the deviation's.
    pub fn quirks(&self) -> Vec<Quirk> {
        let quirk = |quirk: &Arc<Quirk>| self.executor.quirk(quirk);
        let mut quirks: Vec<Quirk> = self.release_quirks.iter().map(quirk).collect();
        let of_story = self.scenario.given.receiver.misbehaves.iter();
        quirks.extend(of_story.map(|misbehaviour| self.executor.quirk(&misbehaviour.quirk())));
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
        match &self.fitted.as_ref()?.subject {
            Certified::Receiver(foreign) => Some(foreign),
            Certified::Runtime(_) => None,
        }
    }

    /// The runtime that is not ours, if one is certified.
    pub(crate) fn driven(&self) -> Option<&Arc<ForeignRuntime>> {
        match &self.fitted.as_ref()?.subject {
            Certified::Runtime(runtime) => Some(runtime),
            Certified::Receiver(_) => None,
        }
    }

    /// Whether even the reference cannot keep a requirement on this version of the CLI, whatever else is the matter.
    pub fn breaks(&self, requirement: &str) -> bool {
        self.profile.breaks.contains_key(requirement)
    }

    /// The faults that the world of this cell is made with.
    pub(crate) fn faults(&self) -> Vec<Rule> {
        let of_story = self.scenario.given.disturbances.faults.iter();
        let mut faults: Vec<Rule> = match &self.deviation {
            Some(Deviation::Fault(fault)) => vec![self.executor.rule(&fault.rule)],
            Some(Deviation::Explored(explored)) => explored.rules.clone(),
            Some(Deviation::Quirk(_)) | None => Vec::new(),
        };
        faults.extend(of_story.map(|rule| self.executor.rule(rule)));
        faults
    }

    /// Whether exploration made the cell.
    pub(crate) fn is_made_by_exploration(&self) -> bool {
        matches!(self.deviation, Some(Deviation::Explored(_)))
            || self.scenario.given.disturbances.is_anything()
    }

    /// Whether crashes come where no step of the story expects them, so that its steps wait for what is started again.
    pub(crate) fn is_explored(&self) -> bool {
        !matches!(self.deviation, Some(Deviation::Fault(_))) && !self.faults().is_empty()
    }

    /// Whether a story that was written for a world that behaves may go otherwise here.
    pub(crate) fn is_only_judged_by_invariants(&self) -> bool {
        matches!(self.deviation, Some(Deviation::Fault(_) | Deviation::Explored(_)))
    }

    /// The seed of everything random in this cell: the root seed and the id.
    pub fn cell_seed(&self) -> [u8; 32] {
        let id = match &self.deviation {
            Some(Deviation::Explored(_)) => Plan { deviation: None, ..self.clone() }.id(),
            _ => self.id(),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(id.as_bytes());
        *hasher.finalize().as_bytes()
    }
}
