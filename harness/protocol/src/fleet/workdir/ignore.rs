//! What of a receiver's files is no part of a repository.

use crate::fleet::{Mode, Sessions};

/// The entries of `.hermes/.gitignore` for the receiver of a mode: its token, its traffic, and what follows from it.
pub fn ignored(mode: &Mode) -> Vec<String> {
    let files = &mode.files;
    // Rotated siblings carry the same traffic.
    let glob = |file: &str| file.replace(".jsonl", "*.jsonl");
    let mut entries = vec![
        files.token.to_owned(),
        "*.pid".to_owned(),
        "*.log".to_owned(),
        glob(files.inbox),
        glob(files.transcript),
        files.offset.to_owned(),
        files.turns.to_owned(),
    ];
    if let Sessions::Map { file, .. } = mode.sessions {
        entries.push(file.to_owned());
    }
    entries
}

/// The file with these entries in it, each once; nothing when they all are there.
pub fn with_entries(text: Option<&str>, entries: &[String]) -> Option<String> {
    let text = text.unwrap_or_default();
    let missing = entries.iter().filter(|entry| !text.lines().any(|line| line.trim() == **entry));
    let missing: String = missing.map(|entry| format!("{entry}\n")).collect();
    let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    (!missing.is_empty()).then(|| format!("{text}{gap}{missing}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claude_code::MODE as CLAUDE_CODE;
    use crate::codex::MODE as CODEX;

    #[test]
    fn entries_are_added_once_behind_what_is_there() {
        let entries = ignored(&CODEX);
        assert!(
            entries.contains(&"a2a-codex-sessions.json".to_owned())
                && entries.contains(&".codex-token".to_owned())
        );
        assert!(!ignored(&CLAUDE_CODE).iter().any(|entry| entry.contains("sessions")));
        let once = with_entries(Some("mine\n*.log"), &entries).expect("something is missing");
        assert!(once.starts_with("mine\n*.log\n.codex-token\n*.pid\n"), "{once}");
        assert_eq!(once.matches("*.log").count(), 1);
        assert_eq!(with_entries(Some(&once), &entries), None);
    }
}
