//! What `codex exec --json` prints: one JSON event a line (fact sheet 3.4, recordings of five releases).
//!
//! Releases from 0.44.0 on speak threads, turns and items. 0.36.0 speaks an older language ([`LegacyEvent`]), which
//! today's receivers read without finding a reply in it.

mod account;
mod event;
mod item;
mod legacy;
mod mode;
mod output;
mod usage;

pub use account::{last_step, thread_total};
pub use event::Event;
pub use item::{Item, ItemKind};
pub use legacy::{LegacyEvent, LegacyKind};
pub use mode::MODE;
pub use output::TurnOutput;
pub use usage::Usage;

/// What the CLI says, on standard error or in a reply, when it does not know the thread that it is to resume.
pub const NO_ROLLOUT: &str = "no rollout found for thread id";
