//! opencode.

mod behaviour;
mod recordings;

use std::collections::BTreeMap;

use gauntlet_simulators::cli::profile::Profile;
use gauntlet_simulators::stage::Part;
use gauntlet_world::injection::Quirk;

use crate::rig::{Ran, Rig};

/// The recorded versions.
const VERSIONS: [&str; 3] = ["1.0.0", "1.15.13", "1.18.33"];

/// How the receiver calls for a first turn, but for the prompt.
const AS_RECEIVER: [&str; 3] = ["--format", "json", "--dangerously-skip-permissions"];

fn profile(version: &str) -> Profile {
    crate::rig::profile("opencode", version)
}

impl Rig {
    fn opencode(version: &str) -> Self {
        Self::opencode_with(version, Vec::new())
    }

    fn opencode_with(version: &str, quirks: Vec<Quirk>) -> Self {
        Self::opencode_of(profile(version), quirks)
    }

    fn opencode_of(profile: Profile, quirks: Vec<Quirk>) -> Self {
        // The home has the name that the recorder gave it, since it stands in some lines.
        let (home, repo) = (format!("ochome-{}", profile.version), format!("ocrepo-{}", profile.version));
        Self::of(profile, quirks, &home, &repo)
    }

    /// A first turn, called as the receiver calls it.
    async fn say(&self, prompt: &str, part: Part) -> Ran {
        self.run(&[&["run", prompt][..], &AS_RECEIVER].concat(), part).await
    }

    /// A later turn, called as the receiver calls it.
    async fn go_on(&self, session: &str, prompt: &str, part: Part) -> Ran {
        self.run(&[&["run", "--session", session, prompt][..], &AS_RECEIVER].concat(), part).await
    }

    /// The files of the CLI's sessions, by name.
    fn sessions(&self) -> BTreeMap<String, String> {
        self.files_below(".local/share/opencode/sessions")
    }
}

/// The session id in a printed stream.
fn session_of(stdout: &str) -> String {
    let (_, rest) = stdout.split_once(r#""sessionID":""#).expect("a session is printed");
    rest.split('"').next().expect("a quote ends it").to_owned()
}
