//! What a deploy puts into a repository, as texts (fact sheet 5.5 and 6.6).

mod block;
mod ignore;
mod receiver_config;
mod role_text;

pub use block::{Import, with_import};
pub use ignore::{ignored, with_entries};
pub use receiver_config::{ReceiverOptions, Sandbox, receiver_config};
pub use role_text::role_text;

/// The role text's file in a repository.
pub const ROLE_FILE: &str = ".hermes/A2A.md";
