//! The runtime's own record of each conversation: `transcripts/<peer>.jsonl`, both directions.

use std::path::PathBuf;

use gauntlet_protocol::fleet::TranscriptRecord;
use gauntlet_world::injection::Point;
use serde_json::json;

use super::{Fleet, home};

/// The file for replies on contexts that no dispatch of this runtime named.
const STRANGER: &str = "unknown-peer";
/// Longer names of files are cut: file systems take 255 bytes.
const LONGEST_STEM: usize = 200;

impl Fleet {
    pub(super) fn transcript(&self, peer: &str) -> PathBuf {
        home(&self.host).join("transcripts").join(format!("{}.jsonl", file_stem(peer)))
    }

    /// Makes the folder of these records.
    pub(crate) async fn make_records(&self) -> std::io::Result<()> {
        self.host.disk().make_dir(home(&self.host).join("transcripts")).await
    }

    /// Remembers that a peer is about to be sent to, whose reply comes on a context.
    pub(super) async fn remember_peer(&self, peer: &str, context: &str) {
        if let Err(error) = self.last_peers.sending(&self.host, context, peer).await {
            tracing::warn!(%error, "whom a reply is to come from could not be written down");
        }
    }

    /// Notes that something is being sent to a peer on a context.
    pub(super) async fn note_sent(&self, peer: &str, context: &str, text: &str) {
        self.note(peer, format!("hermes->{peer}"), ("hermes", peer), context, text).await;
    }

    /// Notes what a peer said on a context: to the node, or in answer to a message.
    pub(super) async fn note_heard(&self, peer: &str, context: &str, text: &str) {
        self.note(peer, format!("{peer}->hermes"), (peer, "hermes"), context, text).await;
    }

    /// Notes that a reply was delivered, in the transcript of the peer that was last sent to on that context.
    pub(super) async fn note_delivered(&self, context: &str, text: &str, late: bool) {
        let peer = self.last_peers.on(&self.host, context).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whom a reply is from could not be read");
            None
        });
        let event = json!({ "contextId": context, "peer": peer });
        let told = self.decide(Point::RuntimeReplyRecord, event).await;
        let peer = told.text("peer").unwrap_or(STRANGER);
        let late = if late { " (late)" } else { "" };
        self.note(peer, format!("{peer}->hermes{late}"), (peer, "hermes"), context, text).await;
    }

    async fn note(&self, peer: &str, dir: String, (from, to): (&str, &str), context: &str, text: &str) {
        let record = TranscriptRecord {
            ts: self.host.clock().wall().stamp(),
            dir,
            from: from.to_owned(),
            to: to.to_owned(),
            context: context.to_owned(),
            text: text.to_owned(),
        };
        // The transcript is for people; a dispatch or delivery does not fail with it.
        if let Err(error) = self.host.disk().append(self.transcript(peer), record.to_line().as_bytes()).await
        {
            tracing::warn!(%error, "the transcript could not be written");
        }
    }
}

/// A peer's name as part of a file's name. It is data: nothing of it may climb out of the folder, and no two names may
/// share a file, so every byte that is not plain is written as `%` and two digits.
fn file_stem(peer: &str) -> String {
    let mut stem = String::new();
    for byte in peer.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => stem.push(char::from(byte)),
            other => stem.push_str(&format!("%{other:02X}")),
        }
    }
    if stem.len() > LONGEST_STEM {
        stem.truncate(LONGEST_STEM);
        let hash = blake3::hash(peer.as_bytes()).to_hex();
        stem.push_str(&format!("%%{}", &hash[..16]));
    }
    // No name leads to a lone sign.
    if stem.is_empty() { "%".to_owned() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_peers_become_different_names_of_files() {
        let long = "x".repeat(400);
        let names = ["peer", "a/b", "a_b", "a%2Fb", "", "%", "..", "ä", &long, &long[1..]];
        let stems: std::collections::BTreeSet<String> = names.map(file_stem).into();
        assert_eq!(stems.len(), names.len());
        assert!(stems.iter().all(|stem| stem.len() < 250 && !stem.contains(['/', '.', '\0'])));
        assert_eq!(file_stem("peer-1_A"), "peer-1_A");
    }
}
