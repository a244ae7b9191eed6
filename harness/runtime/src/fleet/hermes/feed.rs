//! The feed of the node's dashboard (fleet sheet 4.6): what was said with the receivers of every profile of this home. It reads
//! their transcripts at each request and writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::config::{FILE, Sighting, sightings};
use gauntlet_protocol::fleet::hermes::feed::{
    Feed, LONGEST_READ, MOST_MESSAGES, NO_CONTEXT, ambiguous, preview, unknown,
};
use serde_json::{Value, json};

use super::Node;
use crate::fleet::home::home;

type Answer = (u16, Value);

/// A transcript of a receiver that some profile knows.
struct Source {
    peer: Sighting,
    path: PathBuf,
}

/// One thing that was said, as far as its line tells.
struct Said {
    context: String,
    ts: String,
    dir: String,
    from: String,
    to: String,
    text: String,
}

/// What was said with one receiver on one context, in order.
struct Conversation<'a> {
    peer: &'a Sighting,
    context: String,
    said: Vec<Said>,
}

impl Node {
    /// Answers what is asked of the feed.
    pub(super) async fn feed(&self, asked: &Feed) -> Answer {
        let sources = self.sources().await;
        if *asked == Feed::Peers {
            return self.peers(&sources).await;
        }
        let mut all = Vec::new();
        for source in &sources {
            let mut by_context: BTreeMap<String, Vec<Said>> = BTreeMap::new();
            for said in self.said(source).await.unwrap_or_default() {
                by_context.entry(said.context.clone()).or_default().push(said);
            }
            let peer = &source.peer;
            all.extend(by_context.into_iter().map(|(context, said)| Conversation { peer, context, said }));
        }
        match asked {
            Feed::Conversation { context, peer, repo_path } => {
                all.retain(|one| {
                    one.context == *context
                        && peer.as_ref().is_none_or(|peer| *peer == one.peer.name)
                        && repo_path.as_ref().is_none_or(|repo| *repo == one.peer.repo_path)
                });
                match all.as_slice() {
                    [] => unknown(context),
                    [one] => (200, one.whole()),
                    several => ambiguous(context, several.iter().map(Conversation::candidate).collect()),
                }
            }
            Feed::Conversations | Feed::Peers => {
                // Stable: what was said at one moment stays in order of profiles and names.
                all.sort_by(|one, other| other.last_ts().cmp(one.last_ts()));
                let list: Vec<Value> = all.iter().map(Conversation::line).collect();
                (200, json!({ "count": list.len(), "conversations": list }))
            }
        }
    }

    async fn peers(&self, sources: &[Source]) -> Answer {
        let mut list = Vec::new();
        for source in sources {
            let said = self.said(source).await;
            list.push(json!({
                "name": source.peer.name,
                "repo_path": source.peer.repo_path,
                "mode": source.peer.mode,
                "transcript_exists": said.is_some(),
                "message_count": said.map_or(0, |said| said.len()),
            }));
        }
        (200, json!({ "count": list.len(), "peers": list }))
    }

    /// The transcripts that the profiles of this home know of, each once: the home's own first, then those of the profiles in it by
    /// name.
    async fn sources(&self) -> Vec<Source> {
        let (disk, home) = (self.fleet.host.disk(), home(&self.fleet.host));
        let mut files = vec![home.join(FILE)];
        let mut profiles = disk.list(home.join("profiles")).await.unwrap_or_default();
        profiles.sort();
        files.extend(profiles.into_iter().map(|(name, _)| home.join("profiles").join(name).join(FILE)));
        let mut seen = BTreeSet::new();
        let mut sources = Vec::new();
        for file in files {
            let content = disk.read(file).await.unwrap_or_default();
            for peer in sightings(&String::from_utf8_lossy(&content)) {
                let repo = self.fleet.repo(&peer.repo_path).await;
                // A mode that nobody knows has its transcript where that of the first one was (fleet sheet 6.3).
                let mode = Mode::named_or_first(&peer.mode);
                if seen.insert((repo.clone(), peer.mode.clone())) {
                    sources.push(Source { peer, path: repo.join(".hermes").join(mode.files.transcript) });
                }
            }
        }
        sources
    }

    /// What a transcript holds, or its end when it is long; nothing when there is none. Lines that are no records are passed over.
    async fn said(&self, source: &Source) -> Option<Vec<Said>> {
        let disk = self.fleet.host.disk();
        let length = disk.stat(&source.path).await.ok()?.len;
        let offset = length.saturating_sub(LONGEST_READ);
        let content = disk.read_from(&source.path, offset).await.ok()?;
        // The first line of an end is a part of one.
        let lines = content.split(|byte| *byte == b'\n').skip(usize::from(offset > 0));
        Some(lines.filter_map(Said::of_line).collect())
    }
}

impl Said {
    fn of_line(line: &[u8]) -> Option<Self> {
        let record = serde_json::from_slice::<Value>(line).ok().filter(Value::is_object)?;
        let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let context = match text("contextId") {
            none if none.is_empty() => NO_CONTEXT.to_owned(),
            context => context,
        };
        let (ts, dir, from, to) = (text("ts"), text("dir"), text("from"), text("to"));
        Some(Self { context, ts, dir, from, to, text: text("text") })
    }
}

impl Conversation<'_> {
    fn last_ts(&self) -> &str {
        self.said.last().map_or("", |last| &last.ts)
    }

    fn line(&self) -> Value {
        let last = self.said.last();
        json!({
            "contextId": self.context,
            "peer": self.peer.name,
            "repo_path": self.peer.repo_path,
            "mode": self.peer.mode,
            "message_count": self.said.len(),
            "last_ts": self.last_ts(),
            "last_dir": last.map(|last| &last.dir),
            "last_text": last.map(|last| preview(&last.text)),
        })
    }

    fn whole(&self) -> Value {
        let said = self.said.iter().take(MOST_MESSAGES).map(|said| {
            json!({ "ts": said.ts, "dir": said.dir, "from": said.from, "to": said.to, "text": said.text })
        });
        json!({
            "contextId": self.context,
            "peer": self.peer.name,
            "repo_path": self.peer.repo_path,
            "mode": self.peer.mode,
            "messages": said.collect::<Vec<_>>(),
        })
    }

    fn candidate(&self) -> Value {
        json!({ "peer": self.peer.name, "repo_path": self.peer.repo_path })
    }
}
