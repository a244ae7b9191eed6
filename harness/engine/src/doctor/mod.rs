//! Looking at a computer without changing it: what is there for a run, what is not, and how to get it.
//!
//! All of it goes through the ports of a host, and to the disk through `Eyes` (in `eyes.rs`), which cannot write. So that nothing is written
//! can be seen in the log of a simulated machine.

mod clis;
mod eyes;
mod fleet;
mod surroundings;
#[cfg(test)]
mod tests;

use gauntlet_reports::Listing;
use gauntlet_world::Host;
use serde_json::{Value, json};

use crate::data::Library;
use crate::exit::ExitCode;
use eyes::Eyes;

/// How it stands with something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// As it should be.
    Fine,
    /// Worth knowing.
    Note,
    /// Not there. A run does without it, and skips what needs it.
    Missing,
    /// There, and wrong; a run does not need it.
    Wrong,
    /// A run would not work.
    Broken,
}

impl State {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            State::Fine => "fine",
            State::Note => "note",
            State::Missing => "missing",
            State::Wrong => "wrong",
            State::Broken => "broken",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How it stands with it.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Finding {
    fn new(what: impl Into<String>, state: State, found: impl Into<String>) -> Self {
        Self { what: what.into(), state, found: found.into(), help: None }
    }

    fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// In the order in which it was looked at.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// 0 when `gauntlet run` would work here, else 3: it is the environment that would fail.
    pub fn exit(&self) -> ExitCode {
        let is_broken = self.findings.iter().any(|finding| finding.state == State::Broken);
        if is_broken { ExitCode::Broken } else { ExitCode::Pass }
    }

    /// As a table.
    pub fn listing(&self) -> Listing {
        let mut listing = Listing::new(&["state", "what", "found"]);
        for Finding { what, state, found, help } in &self.findings {
            let help = help.as_ref().map(|help| format!(". To do: {help}")).unwrap_or_default();
            let row = [state.name(), what, &format!("{found}{help}")];
            listing.rows.push(row.map(str::to_owned).to_vec());
        }
        listing
    }

    /// As an object.
    pub fn json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "what": finding.what,
                "state": finding.state.name(),
                "found": finding.found,
                "to_do": finding.help,
            })
        });
        json!({ "exit_code": self.exit().code(), "findings": findings.collect::<Vec<_>>() })
    }
}

/// Looks at the computer that a host is on, as the user who runs it. Nothing is written.
pub async fn examine(host: &Host, library: &Library) -> Diagnosis {
    let eyes = Eyes::new(host);
    let mut findings = vec![Finding::new(
        "gauntlet",
        State::Fine,
        format!("{}, with all its data; Rust is not needed to run it", env!("CARGO_PKG_VERSION")),
    )];
    findings.push(surroundings::scratch(&eyes).await);
    findings.push(surroundings::reports(&eyes).await);
    findings.push(surroundings::loopback(&eyes).await);
    findings.push(surroundings::fleet_ports(&eyes).await);
    findings.push(surroundings::git(&eyes).await);
    for executor in library.executors.values().filter(|executor| executor.files.is_some()) {
        findings.push(clis::examine(&eyes, library, executor).await);
    }
    findings.push(fleet::examine(&eyes).await);
    Diagnosis { findings }
}
