//! codex.

mod behaviour;
mod recordings;

use std::collections::BTreeMap;

use gauntlet_simulators::cli::profile::Profile;
use gauntlet_simulators::stage::Part;
use gauntlet_world::injection::Quirk;

use crate::rig::{Ran, Rig};

/// The recorded versions.
const VERSIONS: [&str; 5] = ["0.36.0", "0.44.0", "0.80.0", "0.135.0", "0.169.0"];

fn profile(version: &str) -> Profile {
    crate::rig::profile("codex", version)
}

impl Rig {
    fn new(version: &str) -> Self {
        Self::with_quirks(version, Vec::new())
    }

    fn with_quirks(version: &str, quirks: Vec<Quirk>) -> Self {
        Self::codex(profile(version), quirks)
    }

    fn codex(profile: Profile, quirks: Vec<Quirk>) -> Self {
        // The folder names of the recorder, which stand in some lines.
        let version = profile.version.clone();
        let short = match version.as_str() {
            "0.36.0" => "0036",
            "0.135.0" => "0135",
            "0.169.0" => "new",
            other => other,
        };
        Self::of(profile, quirks, &format!("codexhome-{short}"), &format!("codexrepo-{short}"))
    }

    /// A first turn, called as the receiver calls it.
    async fn turn(&self, prompt: &str, part: Part) -> Ran {
        self.run(&["exec", prompt, "-s", "workspace-write", "--json", "--skip-git-repo-check"], part).await
    }

    /// A later turn, called as the receiver calls it.
    async fn resume(&self, thread: &str, prompt: &str, part: Part) -> Ran {
        self.run(&["exec", "resume", thread, prompt, "--json", "--skip-git-repo-check"], part).await
    }

    /// The files of the CLI's threads, by name.
    fn threads(&self) -> BTreeMap<String, String> {
        self.files_below(".codex/sessions")
    }
}

/// The thread id in a printed stream.
fn thread_of(stdout: &str) -> String {
    let (_, rest) = stdout.split_once(r#""thread_id":""#).expect("a thread id is printed");
    rest.split('"').next().expect("a quote ends it").to_owned()
}
