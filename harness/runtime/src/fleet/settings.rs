//! What a runtime is told beside its `fleet.yaml`: how receivers are started here. That is the host's affair.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use gauntlet_world::injection::Injector;

use crate::team::TeamSettings;

/// What the fleet part of a runtime is started with.
#[derive(Clone, Default)]
pub struct Settings {
    /// How a receiver of each mode is started. A mode without an entry cannot be deployed.
    pub receivers: BTreeMap<String, Launcher>,
    /// How long a receiver that was started may take to be healthy; what the product line gives it when absent.
    pub health_budget: Option<Duration>,
    /// Where quirks bite, if it is to have any.
    pub injector: Injector,
    /// Team mode, if the runtime is to have it. What is off in its configuration is not there all the same.
    pub team: Option<TeamSettings>,
}

/// How receivers of one mode are started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    /// The file that is copied into a repository as its receiver.
    pub template: PathBuf,
    /// The program that is started, in the repository.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
}
