//! The words of a CLI that repeats its conversations.

use crate::fleet::replay::Replays;

/// Where `agy` says which conversation a directory had last, and how it says that there is none, or that nobody is signed in.
pub const REPLAYS: Replays = Replays {
    conversations: ".gemini/antigravity-cli/cache/last_conversations.json",
    not_found: ("warning: conversation \"", "\" not found."),
    signed_out: &[
        "not authenticated",
        "not signed in",
        "please sign in",
        "authentication required",
        "login required",
        "unauthorized",
        "no credentials",
    ],
};
