//! What the runtime must know of each kind of receiver that it can deploy (fact sheet 6.3 and 6.4): the shape of it. Each kind's own is in
//! its [`Mode`].

use sha2::{Digest, Sha256};

use super::Mode;

/// One kind of receiver that can be deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Managed {
    /// The mode's name: `codex`.
    pub mode: &'static str,
    /// The short name in tools and files: `codex` in `deploy_codex_receiver` and `codex_receiver.py`.
    pub short: &'static str,
    /// The name of its peer entry, unless another repository has that.
    pub peer: &'static str,
    /// The first of its ten ports.
    pub first_port: u16,
    /// What the names of its token variables begin with.
    pub token_prefix: &'static str,
    /// What its peer's description begins with.
    pub description: &'static str,
    /// The tools that look after its receivers.
    pub tools: Tools,
    /// What its configuration has beyond that of every kind, in the product line's order.
    pub settings: &'static [Setting],
    /// What whoever deploys one is told, if there is something that only a person can do.
    pub note: Option<&'static str>,
    /// Whether the role text says where the repository is, since the CLI's process cannot be trusted to be there.
    pub role_names_place: bool,
}

/// Ports in a band.
pub const BAND: u16 = 10;

/// The names of the tools that look after the receivers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tools {
    /// Brings one to a repository.
    pub deploy: &'static str,
    /// Tells how it is.
    pub status: &'static str,
    /// Ends it.
    pub stop: &'static str,
}

/// A member of a receiver's configuration that the deploys of some kinds write and those of others do not. Of those that name the CLI in
/// their key, `cap` is `codex_timeout_s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The text put before each prompt.
    RolePrompt,
    /// The rhythm in which the inbox is looked at.
    Poll,
    /// The cap of a turn.
    Cap,
    /// How long a turn waits for its context.
    LockWait,
    /// How many contexts have a lock at once.
    TrackedContexts,
    /// Further arguments for the CLI.
    ExtraFlags,
    /// The model, if the deploy is told one.
    Model,
    /// The sandbox of the CLI.
    Sandbox(Sandboxes),
}

/// The sandboxes that a CLI has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sandboxes {
    /// Several, by name.
    Named {
        /// The one that is used when a deploy names none.
        usual: &'static str,
    },
    /// One, which is off unless a deploy says otherwise.
    OnOrOff,
}

impl Managed {
    /// The kind of that mode.
    pub fn of(mode: &str) -> Option<&'static Managed> {
        Mode::named(mode).map(|mode| &mode.managed)
    }

    /// Its ports, ascending.
    pub fn band(&self) -> std::ops::RangeInclusive<u16> {
        self.first_port..=self.first_port + (BAND - 1)
    }

    /// The variable that holds the token of the receiver of a repository, by the repository's real path: the same on every
    /// deploy, and another for every repository.
    pub fn token_env(&self, repo: &str) -> String {
        let slug = slug(repo, '_').to_ascii_uppercase();
        let slug = if slug.is_empty() { "REPO".to_owned() } else { slug };
        let digest = Sha256::digest(repo.as_bytes());
        let hash: String = digest.iter().take(6).map(|byte| format!("{byte:02X}")).collect();
        format!("{}{slug}_{hash}", self.token_prefix)
    }

    /// The peer's description.
    pub fn describe(&self, repo: &str) -> String {
        format!("{} (repo: {repo})", self.description)
    }

    /// The peer's name when another repository has the plain one.
    pub fn peer_of(&self, repo: &str) -> String {
        let slug = slug(repo, '-').to_ascii_lowercase();
        format!("{}-{}", self.peer, if slug.is_empty() { "repo" } else { &slug })
    }

    /// The receiver's own file in the repository.
    pub fn receiver_file(&self) -> String {
        format!("{}_receiver.py", self.short)
    }
}

/// The last part of a path, with every run of other characters than plain letters and digits made one `with`.
fn slug(repo: &str, with: char) -> String {
    let last = repo.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let parts = last.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(&with.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fleet::MODES;

    fn kind(mode: &str) -> &'static Managed {
        Managed::of(mode).expect("a kind")
    }

    #[test]
    fn the_variable_of_a_repository_is_the_product_lines_own() {
        // Both values are the sheet's, for these paths (section 3.6).
        assert_eq!(kind("opencode").token_env("/srv/work/demo-repo"), "A2A_OC_TOKEN_DEMO_REPO_C34ACC6D9EF4");
        assert_eq!(
            kind("claude_code").token_env("/srv/work/My.Repo_2"),
            "A2A_CC_TOKEN_MY_REPO_2_126406E1BEE4"
        );
        assert_eq!(kind("claude_code").peer_of("/srv/work/My.Repo_2"), "claude-code-my-repo-2");
        assert!(kind("codex").token_env("/").starts_with("A2A_CODEX_TOKEN_REPO_"));
    }

    #[test]
    fn bands_are_disjoint_and_a_kind_is_that_of_its_mode() {
        let ports: BTreeSet<u16> = MODES.iter().flat_map(|mode| mode.managed.band()).collect();
        assert_eq!(ports.len(), MODES.len() * usize::from(BAND));
        for mode in MODES {
            assert_eq!((kind(mode.name).mode, kind(mode.name).peer), (mode.name, mode.peer));
        }
    }

    #[test]
    fn no_two_kinds_share_the_name_of_a_tool() {
        let names = MODES.iter().map(|mode| mode.managed.tools);
        let names: Vec<&str> = names.flat_map(|tools| [tools.deploy, tools.status, tools.stop]).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
