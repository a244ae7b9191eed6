//! Which agents can be members (team sheet 3.4).

/// Agents that can be members.
pub(crate) const ELIGIBLE: [&str; 4] = ["sisyphus", "atlas", "sisyphus-junior", "hephaestus"];

/// What is thought of an agent as a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It can be one.
    Eligible,
    /// It is known, and can't; with why.
    Rejected(String),
    /// Nobody knows it.
    Unknown(String),
}

/// Judges an agent by its name.
pub(crate) fn judge(agent: &str) -> Verdict {
    let instead = "ask it through the delegate tool instead";
    match agent {
        _ if ELIGIBLE.contains(&agent) => Verdict::Eligible,
        "oracle" | "librarian" | "explore" | "metis" | "momus" => Verdict::Rejected(format!(
            "Agent '{agent}' is read-only and cannot write to the mailbox of a team; {instead}."
        )),
        "multimodal-looker" => Verdict::Rejected(format!(
            "Agent '{agent}' has read-only tool access and cannot write to the mailbox of a team; {instead}."
        )),
        "prometheus" => Verdict::Rejected(format!(
            "Agent '{agent}' is plan-mode-only and cannot write to the mailbox of a team; {instead}."
        )),
        _ => Verdict::Unknown(format!(
            "Unknown subagent_type '{agent}'. Eligible agents: {}.",
            ELIGIBLE.join(", ")
        )),
    }
}

/// The name of an agent as its host shows it, without what is there for sorting and display: zero-width characters before it, and what
/// stands behind it in brackets or after a dash.
pub(crate) fn plain_name(shown: &str) -> String {
    let is_invisible = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}' | '\u{feff}');
    let visible: String = shown.chars().filter(|c| !is_invisible(*c)).collect();
    let name = visible.split([' ', '(', '[', '\u{2014}']).find(|part| !part.is_empty()).unwrap_or_default();
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_agent_that_cannot_be_a_member_has_its_own_reason() {
        for (agent, reason) in [
            ("oracle", "Agent 'oracle' is read-only"),
            ("librarian", "Agent 'librarian' is read-only"),
            ("explore", "Agent 'explore' is read-only"),
            ("metis", "Agent 'metis' is read-only"),
            ("momus", "Agent 'momus' is read-only"),
            ("multimodal-looker", "has read-only tool access"),
            ("prometheus", "is plan-mode-only"),
        ] {
            assert!(matches!(judge(agent), Verdict::Rejected(why) if why.contains(reason)), "{agent}");
        }
        assert!(
            matches!(judge("nobody"), Verdict::Unknown(why) if why.starts_with("Unknown subagent_type 'nobody'") && why.contains("atlas"))
        );
        assert!(ELIGIBLE.iter().all(|agent| judge(agent) == Verdict::Eligible));
    }

    #[test]
    fn a_shown_name_is_taken_for_what_it_names() {
        for shown in ["sisyphus", "\u{200b}\u{200b}Sisyphus (Ultraworker)", "Sisyphus - the boulder"] {
            assert_eq!(plain_name(shown), "sisyphus");
        }
    }
}
