//! Messages and dialects that bridges speak: pure data, total parsers, no I/O.
//!
//! Every parser takes bytes or a JSON value and gives a typed value or a typed error: no input panics. Nothing
//! here reads a clock, a file, the network or the environment; whoever calls brings the time and the randomness.
//!
//! * [`json`] and [`jsonrpc`]: the ground that every dialect stands on.
//! * [`fleet`]: the product line's dialect `a2a_fleet`, its wire and its files.
//! * [`agy`]: what `agy --print` prints, and the file in which it names its conversations.
//! * [`claude_code`]: what `claude -p --output-format stream-json` prints.
//! * [`codex`]: what `codex exec --json` prints.
//! * [`step`]: what of a turn was completed, as far as a CLI tells.
//! * [`opencode`]: what `opencode run --format json` prints.
//! * [`opencode_serve`]: the HTTP interface of `opencode serve`, a session host.

pub mod agy;
mod bearer;
pub mod claude_code;
pub mod codex;
pub mod error;
pub mod fleet;
pub mod json;
pub mod jsonrpc;
pub mod opencode;
pub mod opencode_serve;
pub mod step;

mod fields;
mod python;

pub use bearer::bearer_token;
pub use error::ParseError;
