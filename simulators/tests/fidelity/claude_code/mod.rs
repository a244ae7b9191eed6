//! Claude Code.

mod behaviour;
mod recordings;

use gauntlet_simulators::cli::profile::Profile;
use gauntlet_simulators::stage::Part;
use gauntlet_world::injection::Quirk;

use crate::rig::{Ran, Rig};

/// The recorded versions.
const VERSIONS: [&str; 4] = ["1.0.100", "1.0.128", "2.0.0", "2.1.330"];

/// The session that the recorder used for a session that goes on.
const ID: &str = "03ca8885-a6f2-51a3-bb10-cfe9d1cd525a";

fn profile(version: &str) -> Profile {
    crate::rig::profile("claude_code", version)
}

impl Rig {
    fn claude(version: &str) -> Self {
        Self::claude_with(version, Vec::new())
    }

    fn claude_with(version: &str, quirks: Vec<Quirk>) -> Self {
        Self::claude_of(profile(version), quirks)
    }

    fn claude_of(profile: Profile, quirks: Vec<Quirk>) -> Self {
        let home = format!("home/{}", profile.version);
        Self::of(profile, quirks, &home, "repo")
    }

    /// A turn, called as the receiver calls it; `how` is `--session-id` or `--resume`.
    async fn claude_turn(&self, how: &str, session: &str, part: Part) -> Ran {
        self.run(&line(how, session), part).await
    }
}

/// The receiver's line for a turn.
fn line<'a>(how: &'a str, session: &'a str) -> Vec<&'a str> {
    let mut line = vec!["-p", "do it", "--output-format", "stream-json", "--verbose"];
    line.extend(["--permission-mode", "bypassPermissions", "--setting-sources", "user,project,local"]);
    line.extend(["--model", "sonnet", "--append-system-prompt", "You are an executor.", how, session]);
    line
}
