//! What can be seen of the peers in a `fleet.yaml` that may break every rule: for those who only look.

use serde_json::Value;

use super::read::document;

/// A peer that is bound to a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Its name.
    pub name: String,
    /// Its repository, as written.
    pub repo_path: String,
    /// Its mode, as written; empty when it has none.
    pub mode: String,
}

/// The peers of a file that are bound to a repository. An entry that makes no sense is passed over, and a file that is none has
/// no peers.
pub fn sightings(text: &str) -> Vec<Sighting> {
    let document = document(text).unwrap_or_default();
    let agents = document.pointer("/fleet/agents").and_then(Value::as_object);
    let sighting = |(name, entry): (&String, &Value)| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::trim).unwrap_or_default();
        let repo_path = text("repo_path");
        (!repo_path.is_empty()).then(|| Sighting {
            name: name.clone(),
            repo_path: repo_path.to_owned(),
            mode: text("mode").to_owned(),
        })
    };
    agents.into_iter().flatten().filter_map(sighting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_hides_nobody_else() {
        let text = "fleet:\n  server: nonsense\n  agents:\n    a: 7\n    b: {repo_path: [1]}\n    c: {repo_path: /c}\n    d: {repo_path: ' /d ', mode: codex, managed: perhaps}\n";
        let found = sightings(text);
        let sighting = |name: &str, repo_path: &str, mode: &str| Sighting {
            name: name.to_owned(),
            repo_path: repo_path.to_owned(),
            mode: mode.to_owned(),
        };
        assert_eq!(found, [sighting("c", "/c", ""), sighting("d", "/d", "codex")]);
        for nothing in ["", "fleet: {agents: [x]}", "fleet: {", "7"] {
            assert_eq!(sightings(nothing), [], "{nothing}");
        }
    }
}
