//! What the runtime must know of each kind of receiver that it can deploy (fact sheet 6.3 and 6.4).

use sha2::{Digest, Sha256};

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
}

/// Ports in a band.
pub const BAND: u16 = 10;

/// Every kind, in the order of their bands.
pub const MANAGED: &[Managed] = &[
    Managed {
        mode: "claude_code",
        short: "cc",
        peer: "claude-code",
        first_port: 9300,
        token_prefix: "A2A_CC_TOKEN_",
        description: "Claude Code executor receiver",
    },
    Managed {
        mode: "opencode",
        short: "oc",
        peer: "opencode",
        first_port: 9310,
        token_prefix: "A2A_OC_TOKEN_",
        description: "OpenCode executor receiver",
    },
    Managed {
        mode: "codex",
        short: "codex",
        peer: "codex",
        first_port: 9320,
        token_prefix: "A2A_CODEX_TOKEN_",
        description: "Codex CLI executor receiver",
    },
    Managed {
        mode: "agy",
        short: "agy",
        peer: "agy",
        first_port: 9330,
        token_prefix: "A2A_AGY_TOKEN_",
        description: "Google Antigravity CLI executor receiver",
    },
];

impl Managed {
    /// The kind of that mode.
    pub fn of(mode: &str) -> Option<&'static Managed> {
        MANAGED.iter().find(|kind| kind.mode == mode)
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
    fn bands_are_disjoint_and_a_mode_that_has_a_receiver_has_a_kind() {
        let ports: BTreeSet<u16> = MANAGED.iter().flat_map(Managed::band).collect();
        assert_eq!(ports.len(), MANAGED.len() * usize::from(BAND));
        for mode in crate::fleet::MODES {
            assert_eq!(kind(mode.name).peer, mode.peer);
        }
    }
}
