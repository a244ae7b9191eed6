//! The runtime's own record of each conversation: `transcripts/<peer>.jsonl`, both directions.

use std::path::PathBuf;

use gauntlet_protocol::fleet::{Lines, TranscriptRecord};

use super::{Fleet, home};

/// The file for replies on contexts that no dispatch of this runtime named.
const STRANGER: &str = "unknown-peer";

impl Fleet {
    fn transcript(&self, peer: &str) -> PathBuf {
        // A peer's name is data: nothing of it may climb out of the folder.
        let name: String =
            peer.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect();
        home(&self.host).join("transcripts").join(format!("{name}.jsonl"))
    }

    /// Notes that something is being sent to a peer on a context.
    pub(super) async fn note_sent(&self, peer: &str, context: &str, text: &str) {
        self.note(peer, format!("hermes->{peer}"), ("hermes", peer), context, text).await;
    }

    /// Notes that a reply was delivered, in the transcript of the peer that was last sent to on that context.
    pub(super) async fn note_delivered(&self, context: &str, text: &str) {
        let mut peer = STRANGER;
        for name in self.settings.peers.keys() {
            let content = self.host.disk().read(self.transcript(name)).await.unwrap_or_default();
            let knows = Lines::new(&content)
                .filter_map(|(_, line)| TranscriptRecord::parse_line(line).ok())
                .any(|record| record.context == context);
            if knows {
                peer = name;
                break;
            }
        }
        self.note(peer, format!("{peer}->hermes"), (peer, "hermes"), context, text).await;
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
