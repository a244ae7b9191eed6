//! The feed of a node's dashboard (fleet sheet 4.6), a second time: read from the transcripts of receivers at each request.

use gauntlet_protocol::fleet::Mode;
use gauntlet_protocol::fleet::config::{FILE, Sighting, sightings};
use gauntlet_protocol::fleet::hermes::feed::{
    Feed, LONGEST_READ, MOST_MESSAGES, NO_CONTEXT, ambiguous, preview, unknown,
};
use serde_json::{Value, json};

use super::Peer;
use super::config::home;

/// A receiver that some profile of the home knows, and the records of its transcript when there is one.
type Known = (Sighting, Option<Vec<Value>>);

impl Peer {
    /// Answers what is asked of the feed.
    pub(super) async fn feed(&self, asked: &Feed) -> (u16, Value) {
        let known = self.known().await;
        match asked {
            Feed::Peers => {
                let peers: Vec<Value> = known.iter().map(peer).collect();
                (200, json!({ "peers": peers, "count": peers.len() }))
            }
            Feed::Conversations => {
                let mut lines: Vec<Value> = known.iter().flat_map(lines).collect();
                lines.sort_by_key(|line| std::cmp::Reverse(text(line, "last_ts").to_owned()));
                (200, json!({ "conversations": lines, "count": lines.len() }))
            }
            Feed::Conversation { context, peer, repo_path } => {
                let is_wanted = |(one, _): &&Known| {
                    peer.as_deref().is_none_or(|name| name == one.name)
                        && repo_path.as_deref().is_none_or(|repo| repo == one.repo_path)
                };
                let found: Vec<(&Sighting, Vec<&Value>)> = known
                    .iter()
                    .filter(is_wanted)
                    .map(|(one, records)| (one, of_context(records, context)))
                    .filter(|(_, records)| !records.is_empty())
                    .collect();
                match found.as_slice() {
                    [] => unknown(context),
                    [(one, records)] => (200, conversation(one, context, records)),
                    _ => {
                        let candidate = |(one, _): &(&Sighting, Vec<&Value>)| json!({ "peer": one.name, "repo_path": one.repo_path });
                        ambiguous(context, found.iter().map(candidate).collect())
                    }
                }
            }
        }
    }

    /// Every receiver once: those of the own file, then those of the other profiles.
    async fn known(&self) -> Vec<Known> {
        let (host, home) = (&self.0.host, home(&self.0.host));
        let mut folders = vec![home.clone()];
        let mut names: Vec<String> = match host.disk().list(home.join("profiles")).await {
            Ok(entries) => entries.into_iter().map(|(name, _)| name).collect(),
            Err(_) => Vec::new(),
        };
        names.sort();
        folders.extend(names.iter().map(|name| home.join("profiles").join(name)));
        let (mut known, mut places) = (Vec::new(), Vec::new());
        for folder in folders {
            let Ok(content) = host.disk().read(folder.join(FILE)).await else { continue };
            for one in sightings(&String::from_utf8_lossy(&content)) {
                let written = host.disk().absolute(&one.repo_path);
                let repo = host.disk().canonical(&written).await.unwrap_or(written);
                let place = (repo, one.mode.clone());
                if places.contains(&place) {
                    continue;
                }
                let file = Mode::named_or_first(&one.mode).files.transcript;
                let path = place.0.join(".hermes").join(file);
                let records = match host.disk().stat(&path).await {
                    Ok(meta) => {
                        let skipped = meta.len.saturating_sub(LONGEST_READ);
                        let content = host.disk().read_from(&path, skipped).await;
                        content.ok().map(|content| records(&content, skipped > 0))
                    }
                    Err(_) => None,
                };
                known.push((one, records));
                places.push(place);
            }
        }
        known
    }
}

/// The records of a transcript, or of its end, whose first line is a piece of one.
fn records(content: &[u8], is_end: bool) -> Vec<Value> {
    let content = match content.iter().position(|byte| *byte == b'\n') {
        Some(end) if is_end => &content[end..],
        _ => content,
    };
    let lines = content.split(|byte| *byte == b'\n').map(serde_json::from_slice::<Value>);
    lines.filter_map(Result::ok).filter(Value::is_object).collect()
}

fn text<'a>(record: &'a Value, name: &str) -> &'a str {
    record[name].as_str().unwrap_or_default()
}

fn context(record: &Value) -> &str {
    match text(record, "contextId") {
        "" => NO_CONTEXT,
        context => context,
    }
}

fn of_context<'a>(records: &'a Option<Vec<Value>>, wanted: &str) -> Vec<&'a Value> {
    records.iter().flatten().filter(|record| context(record) == wanted).collect()
}

fn peer((one, records): &Known) -> Value {
    json!({
        "name": one.name, "repo_path": one.repo_path, "mode": one.mode,
        "transcript_exists": records.is_some(), "message_count": records.iter().flatten().count(),
    })
}

/// One line for each context of a transcript.
fn lines((one, records): &Known) -> Vec<Value> {
    let mut contexts: Vec<&str> = records.iter().flatten().map(context).collect();
    contexts.sort_unstable();
    contexts.dedup();
    let line = |name: &str| {
        let said = of_context(records, name);
        let last = said.last()?;
        Some(json!({
            "contextId": name, "peer": one.name, "repo_path": one.repo_path, "mode": one.mode,
            "message_count": said.len(), "last_ts": text(last, "ts"), "last_dir": text(last, "dir"),
            "last_text": preview(text(last, "text")),
        }))
    };
    contexts.into_iter().filter_map(line).collect()
}

fn conversation(one: &Sighting, name: &str, records: &[&Value]) -> Value {
    let message = |record: &&Value| {
        let members = ["ts", "dir", "from", "to", "text"];
        Value::Object(
            members.map(|member| (member.to_owned(), json!(text(record, member)))).into_iter().collect(),
        )
    };
    let messages: Vec<Value> = records.iter().take(MOST_MESSAGES).map(message).collect();
    json!({
        "contextId": name, "peer": one.name, "repo_path": one.repo_path, "mode": one.mode,
        "messages": messages,
    })
}
