//! Executors as data: the words and file names of the receivers in front of one. Said here once more, and not taken from the
//! protocol crate: what is expected of a subject must not share a mistake with it.

use gauntlet_world::fault::Rule;
use gauntlet_world::injection::{Millis, Quirk, When};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::output::Output;
use crate::braces;
use crate::scenario;

/// One kind of agent behind a receiver.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Executor {
    /// The name, for instance `codex`.
    #[schemars(with = "String")]
    pub id: Spanned<String>,
    /// `{cli}`: the program that a receiver starts; also what the members of its configuration and its error texts begin with.
    pub cli: String,
    /// `{peer}`: the receiver's name as a peer.
    pub peer: String,
    /// `{short}`: the receiver's name in the directions of a transcript.
    pub short: String,
    /// `{label}`: the executor's name in the acknowledgement.
    pub label: String,
    /// `{callback_prefix}`: what the id of a callback begins with.
    pub callback_prefix: String,
    /// How much longer than its configured cap a turn may last, where the CLI is told the cap and ends by itself.
    #[serde(default)]
    pub grace: Option<Millis>,
    /// `{file.NAME}`: the receiver's files, by path below the working directory; none where no receiver stands in front.
    #[serde(default)]
    pub files: Option<ReceiverFiles>,
    /// What its CLI prints; nothing that anybody looks at where none stands behind it.
    #[serde(default)]
    pub output: Option<Output>,
    /// Files in which a bearer may be, as traces call them: those that are written for a receiver that is not ours.
    #[serde(skip)]
    pub(crate) may_hold_bearers: std::collections::BTreeSet<String>,
}

/// The files of a receiver, by path below the working directory.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiverFiles {
    /// Its configuration.
    pub config: String,
    /// What it was asked to do.
    pub inbox: String,
    /// How much of the inbox is done with.
    pub offset: String,
    /// What was said, in both directions.
    pub transcript: String,
    /// Its id as a process.
    pub pid: String,
    /// The bearer that it wants, when it was deployed.
    #[serde(default)]
    pub token: Option<String>,
    /// The CLI's sessions by context; none where a session's id follows from its context.
    #[serde(default)]
    pub sessions: Option<String>,
}

impl Executor {
    /// The words of scenarios, as [`Executor::word`] knows them.
    pub const WORDS: [&str; 13] = [
        "executor",
        "cli",
        "peer",
        "short",
        "label",
        "callback_prefix",
        "file.config",
        "file.inbox",
        "file.offset",
        "file.transcript",
        "file.pid",
        "file.token",
        "file.sessions",
    ];

    /// What a word of a scenario stands for.
    pub fn word(&self, name: &str) -> Option<&str> {
        Some(match name {
            "executor" => &self.id.value,
            "cli" => &self.cli,
            "peer" => &self.peer,
            "short" => &self.short,
            "label" => &self.label,
            "callback_prefix" => &self.callback_prefix,
            _ => return name.strip_prefix("file.").and_then(|name| self.file(name)),
        })
    }

    /// What would lead the harness out of a cell, or out of the folder of reports: the way to it, and what was expected.
    pub(super) fn misplaced(&self) -> Option<(Vec<&'static str>, String)> {
        let plain = |name: &str| !name.contains('/') && !scenario::leads_out(name);
        let words = [
            ("id", self.id.value.as_str()),
            ("cli", &self.cli),
            ("peer", &self.peer),
            ("short", &self.short),
            ("label", &self.label),
            ("callback_prefix", &self.callback_prefix),
        ];
        let names = ["config", "inbox", "offset", "transcript", "pid", "token", "sessions"];
        let files = names.map(|name| (name, self.file(name)));
        let word = words.into_iter().find(|(_, word)| !plain(word));
        let word =
            word.map(|(name, word)| (vec![name], format!("expected a name without `/`; found {word:?}")));
        let file = files.into_iter().find_map(|(name, path)| {
            let path = path.filter(|path| scenario::leads_out(path))?;
            let message = format!("expected a path below the working directory; found {path:?}");
            Some((vec!["files", name], message))
        });
        word.or(file)
    }

    /// A text with the words in it filled in.
    pub fn fill(&self, text: &str) -> String {
        braces::fill(text, |name| self.word(name).map(str::to_owned))
    }

    /// A quirk as it is on this executor.
    pub fn quirk(&self, quirk: &Quirk) -> Quirk {
        Quirk { when: self.when(&quirk.when), ..quirk.clone() }
    }

    /// When a quirk bites on this executor.
    pub fn when(&self, when: &When) -> When {
        let mut when = when.clone();
        let since = when.since.as_mut().map(|since| (&mut since.matches, &mut since.begins));
        for (matches, begins) in since.into_iter().chain([(&mut when.matches, &mut when.begins)]) {
            for value in matches.values_mut() {
                if let Value::String(text) = value {
                    *text = self.fill(text);
                }
            }
            for text in begins.values_mut() {
                *text = self.fill(text);
            }
        }
        when
    }

    /// The rule of a fault as it is on this executor.
    pub fn rule(&self, rule: &Rule) -> Rule {
        let target = rule.target.as_deref().map(|target| self.fill(target));
        Rule { target, ..rule.clone() }
    }

    /// One of the receiver's files, by path below the working directory; nothing when receivers of this executor have none
    /// such.
    pub fn file(&self, name: &str) -> Option<&str> {
        let files = self.files.as_ref()?;
        let path = Self::path(files, name)?;
        // One that is not ours may have no such file.
        (!path.is_empty()).then_some(path)
    }

    fn path<'f>(files: &'f ReceiverFiles, name: &str) -> Option<&'f str> {
        Some(match name {
            "config" => &files.config,
            "inbox" => &files.inbox,
            "offset" => &files.offset,
            "transcript" => &files.transcript,
            "pid" => &files.pid,
            "token" => return files.token.as_deref(),
            "sessions" => return files.sessions.as_deref(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_are_filled_in() {
        let executor: Executor = serde_json::from_value(serde_json::json!({
            "id": "codex", "cli": "cx", "peer": "p", "short": "s", "label": "L", "callback_prefix": "c",
            "files": { "config": "c", "inbox": "in.jsonl", "offset": "o", "transcript": "t", "pid": "p" },
        }))
        .expect("an executor");
        for word in Executor::WORDS.into_iter().filter(|word| !["file.token", "file.sessions"].contains(word))
        {
            assert!(executor.word(word).is_some(), "{word}");
        }
        let text = "{cli}: {short}->hermes {file.inbox} {file.sessions} {context:c1} {{label}} {\"a\": {";
        assert_eq!(executor.fill(text), "cx: s->hermes in.jsonl {file.sessions} {context:c1} {L} {\"a\": {");
    }
}
