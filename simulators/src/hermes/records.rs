//! The files of a node: `transcripts/<peer>.jsonl`, and the replies that reached it.

use std::io;
use std::path::PathBuf;

use gauntlet_protocol::fleet::{Lines, TranscriptRecord};
use gauntlet_protocol::json;
use serde_json::{Value, json};

use super::Peer;
use super::config::home;
use gauntlet_world::injection::Point;

/// Which way something was said.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// To this node.
    In,
    /// By this node.
    Out,
}

impl Peer {
    /// Writes down what was said, in the transcript of whom it was said with. A node does not fail with it.
    pub(super) async fn record(&self, peer: &str, way: Way, context: &str, text: &str) {
        let (from, to) = match way {
            Way::In => (peer, "hermes"),
            Way::Out => ("hermes", peer),
        };
        let event = json!({
            "dir": format!("{from}->{to}"), "from": from, "to": to, "contextId": context, "text": text,
            "file": plain(peer),
        });
        let events = self.0.settings.injector.pass(&self.0.host, Point::HermesTranscript, event).await.events;
        let _one = self.0.files.lock().await;
        for event in events {
            let member = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let record = TranscriptRecord {
                ts: self.0.host.clock().wall().stamp(),
                dir: member("dir"),
                from: member("from"),
                to: member("to"),
                context: member("contextId"),
                text: member("text"),
            };
            let folder = home(&self.0.host).join("transcripts");
            let path = folder.join(format!("{}.jsonl", member("file")));
            let disk = self.0.host.disk();
            let written = match disk.make_dir(&folder).await {
                Ok(()) => disk.append(path, record.to_line().as_bytes()).await,
                Err(error) => Err(error),
            };
            if let Err(error) = written {
                tracing::warn!(%error, "the transcript could not be written");
            }
        }
    }

    /// Keeps a reply, once, before it is confirmed.
    pub(super) async fn deliver(&self, id: &Value, context: &str, text: &str) -> io::Result<()> {
        let _one = self.0.files.lock().await;
        let known = self.deliveries().await?;
        let seen =
            !id.is_null() && known.iter().any(|known| known["id"] == *id && known["contextId"] == context);
        let event =
            json!({ "id": id, "contextId": context, "text": text, "seen": seen, "file": "replies.jsonl" });
        let Some(event) = self.pass(Point::HermesDelivery, event).await else { return Ok(()) };
        if event["seen"] == true {
            return Ok(());
        }
        let record = json!({ "id": event["id"], "contextId": event["contextId"], "text": event["text"] });
        // A line that an earlier life could not finish was confirmed to nobody.
        let line = format!("\n{record}\n");
        let file = home(&self.0.host).join(event["file"].as_str().unwrap_or_default());
        self.0.host.disk().append_durably(file, line.as_bytes()).await
    }

    /// The replies that were delivered, in order.
    pub(super) async fn deliveries(&self) -> io::Result<Vec<Value>> {
        let content = self.0.host.disk().read_if_present(self.file()).await?.unwrap_or_default();
        let lines = Lines::new(&content).filter(|(_, line)| !line.is_empty());
        Ok(lines.filter_map(|(_, line)| json::parse("a delivery", line).ok()).collect())
    }

    fn file(&self) -> PathBuf {
        home(&self.0.host).join("replies.jsonl")
    }
}

/// The bytes of a name that are legible in the name of its file.
const LEGIBLE: usize = 200;

/// A name as a part of a path: letters, digits, and nothing that leads elsewhere. No two names share a file: what does not fit stands
/// there as a digest of the whole.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    if text.len() > LEGIBLE {
        text.truncate(LEGIBLE);
        text.push_str(&format!("%%{}", &blake3::hash(name.as_bytes()).to_hex()[..16]));
    }
    if text.is_empty() { "%".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_that_differ_at_their_ends_alone_have_files_of_their_own() {
        let long = "x".repeat(LEGIBLE);
        let names = [long.clone(), format!("{long}a"), format!("{long}b"), "%".to_owned(), String::new()];
        let files: std::collections::BTreeSet<String> = names.iter().map(|name| plain(name)).collect();
        assert_eq!(files.len(), names.len());
        // A file's name has at most 255 bytes.
        assert!(files.iter().all(|file| file.len() + ".jsonl".len() < 255));
    }
}
