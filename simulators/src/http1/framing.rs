//! How a server frames its answers and how strictly it reads requests, as data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The framing of one server. The default is what the reference receiver keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Framing {
    /// The `Server` header field; none when absent.
    pub server: Option<String>,
    /// Whether answers have a `Date` header field.
    pub date: bool,
    /// Whether connections stay open for further requests.
    pub keep_alive: bool,
    /// Whether the unread body of a refused request is read and dropped before the next request is read (FLEET-HTTP-23).
    /// When not, its bytes are taken for the next request.
    pub drains_refused_bodies: bool,
    /// Whether request bodies in chunks are understood. When not, they are taken for empty.
    pub reads_chunks: bool,
    /// Whether answers are sent in chunks instead of with a length.
    pub writes_chunks: bool,
    /// How many bytes a request head may have.
    pub max_head: usize,
    /// How many seconds a client may take over a request head or body.
    pub patience_s: u64,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            server: None,
            date: false,
            keep_alive: true,
            drains_refused_bodies: true,
            reads_chunks: true,
            writes_chunks: false,
            max_head: 65_536,
            patience_s: 30,
        }
    }
}
