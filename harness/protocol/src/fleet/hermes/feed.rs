//! The feed of a node's dashboard (fleet sheet 4.6): what can be asked for, and its fixed bounds and texts. It is read only.

use serde_json::{Value, json};

/// Of the last text of a conversation, so many characters are shown in the list.
pub const PREVIEW: usize = 240;
/// So many messages of one conversation are shown, from its beginning.
pub const MOST_MESSAGES: usize = 2000;
/// Of a longer transcript, so many bytes are read, from its end.
pub const LONGEST_READ: u64 = 5_000_000;
/// The name under which records without a context are found.
pub const NO_CONTEXT: &str = "(no-context)";

const ROOT: &str = "/api/plugins/a2a_fleet/";

/// What is asked of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Feed {
    /// Every conversation.
    Conversations,
    /// What was said in one.
    Conversation {
        /// Its context.
        context: String,
        /// With this peer only.
        peer: Option<String>,
        /// Of this repository only.
        repo_path: Option<String>,
    },
    /// Who has a transcript, and who could have one.
    Peers,
}

impl Feed {
    /// What a GET of this path and query asks for, if it is for the feed.
    pub fn asked(target: &str) -> Option<Feed> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        match path.strip_prefix(ROOT)? {
            "conversations" => Some(Feed::Conversations),
            "peers" => Some(Feed::Peers),
            other => {
                let context = other.strip_prefix("conversations/")?;
                let context =
                    (!context.is_empty() && !context.contains('/')).then(|| plain(context, false))?;
                let given = |wanted: &str| {
                    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                    let (_, value) = pairs.find(|(name, value)| *name == wanted && !value.is_empty())?;
                    Some(plain(value, true))
                };
                Some(Feed::Conversation { context, peer: given("peer"), repo_path: given("repo_path") })
            }
        }
    }
}

/// A text of a URL without its escapes. What is no escape stands for itself.
fn plain(text: &str, in_query: bool) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        (rest, _) = match (first, escaped) {
            (b'%', Some(escaped)) => (&after[2..], bytes.push(escaped)),
            (b'+', _) if in_query => (after, bytes.push(b' ')),
            (other, _) => (after, bytes.push(*other)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Nobody said anything on this context.
pub fn unknown(context: &str) -> (u16, Value) {
    (404, json!({ "error": format!("unknown conversation: {context}") }))
}

/// Several conversations have this context; each candidate is `{peer, repo_path}`.
pub fn ambiguous(context: &str, candidates: Vec<Value>) -> (u16, Value) {
    let error = format!("conversation {context} is ambiguous: say ?peer= or ?repo_path=");
    (409, json!({ "error": error, "candidates": candidates }))
}

/// The beginning of a text, as long as it is shown in a list.
pub fn preview(text: &str) -> String {
    text.chars().take(PREVIEW).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_feed_are_told_from_all_others() {
        let of = |rest: &str| Feed::asked(&format!("/api/plugins/a2a_fleet/{rest}"));
        assert_eq!(of("conversations"), Some(Feed::Conversations));
        assert_eq!(of("peers?x=1"), Some(Feed::Peers));
        let one = |context: &str, peer: Option<&str>, repo: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Some(Feed::Conversation {
                context: context.to_owned(),
                peer: owned(peer),
                repo_path: owned(repo),
            })
        };
        assert_eq!(of("conversations/c-1"), one("c-1", None, None));
        assert_eq!(
            of("conversations/%28no-context%29?peer=a+b&repo_path=%2Fsrv"),
            one("(no-context)", Some("a b"), Some("/srv"))
        );
        assert_eq!(of("conversations/50%?peer="), one("50%", None, None));
        assert_eq!(of("conversations/a%zz+"), one("a%zz+", None, None));
        for other in ["", "conversations/", "conversations/a/b", "conversation"] {
            assert_eq!(of(other), None, "{other}");
        }
        assert_eq!(Feed::asked("/conversations"), None);
    }
}
