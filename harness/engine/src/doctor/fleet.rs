//! The user's own fleet, if there is one. Its bearers are not looked at, and nothing that could be one is shown.

use gauntlet_protocol::fleet::config::{FILE, FleetConfig};

use super::eyes::Eyes;
use super::{Finding, State};

pub(super) async fn examine(eyes: &Eyes<'_>) -> Finding {
    let home = eyes.env("HERMES_HOME").map_or_else(|| eyes.home().join(".hermes"), Into::into);
    let path = home.join(FILE);
    let shown = path.display().to_string();
    let text = match eyes.text(&path).await {
        Ok(Some(text)) => text,
        Ok(None) => {
            return Finding::new("fleet", State::Note, format!("there is no {shown}; a run needs none"));
        }
        Err(error) => return Finding::new("fleet", State::Wrong, format!("{shown} cannot be read: {error}")),
    };
    match FleetConfig::parse(&shown, &text) {
        Ok(config) => {
            let peers = config.agents.iter().map(|(name, peer)| match (&peer.mode, peer.managed) {
                (Some(mode), true) => format!("{name} (managed, {mode})"),
                _ => name.clone(),
            });
            let peers: Vec<String> = peers.collect();
            let warnings = config.warnings();
            let state = if warnings.is_empty() { State::Fine } else { State::Note };
            let found = format!("{shown}: {} peers: {}", peers.len(), peers.join(", "));
            let finding = Finding::new("fleet", state, without_secrets(&found, &text));
            if warnings.is_empty() {
                finding
            } else {
                finding.help(without_secrets(&warnings.join("; "), &text))
            }
        }
        Err(error) => Finding::new("fleet", State::Wrong, without_secrets(&error.to_string(), &text))
            .help("mend the file; a run does not read it"),
    }
}

/// A text without what could be a bearer: somebody may have written it where the name of its variable belongs. Of a rule that
/// speaks of one, what was found instead is left out; and whatever stands in the file behind such a key is shown nowhere.
pub(super) fn without_secrets(text: &str, file: &str) -> String {
    let text = match text.find("got ") {
        Some(value) if speaks_of_one(&text[..value]) => format!("{}got something else", &text[..value]),
        _ => text.to_owned(),
    };
    let of_secrets =
        file.lines().filter_map(|line| line.split_once(':').filter(|(key, _)| speaks_of_one(key)));
    let words =
        of_secrets.flat_map(|(_, value)| value.split(|c: char| c.is_whitespace() || "\"',[]{}".contains(c)));
    words.filter(|word| word.len() >= 4).fold(text, |text, word| text.replace(word, "…"))
}

fn speaks_of_one(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["token", "secret", "password", "bearer"].iter().any(|word| text.contains(word))
}
