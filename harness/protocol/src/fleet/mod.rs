//! The product line's dialect `a2a_fleet`: a Hermes node that dispatches, receivers that acknowledge at once and call
//! back later, and the files that a receiver keeps. Source: the fleet fact sheet, sections 1 to 3 and 5.1.
//!
//! Wire: [`Dispatch`] goes in, [`AgentMessage`] acknowledges, [`Callback`] brings the reply, [`refusal`] says no.
//! Files: [`InboxRecord`], [`TranscriptRecord`], the offset, [`SessionMap`]. What differs between the receivers of one
//! executor and of another is data in a [`Mode`].

mod callback;
mod card;
pub mod config;
mod context;
mod dispatch;
pub mod extension;
mod health;
pub mod hermes;
mod inbox;
mod limits;
mod lines;
mod managed;
mod message;
mod method;
mod mode;
mod offset;
mod parts;
pub mod refusal;
pub mod replay;
mod reply_text;
mod role;
mod sessions;
mod transcript;
pub mod workdir;

pub use callback::Callback;
pub use card::card;
pub use context::ContextId;
pub use dispatch::Dispatch;
pub use health::Health;
pub use inbox::InboxRecord;
pub use limits::{MAX_BODY, MAX_CALLBACK, MAX_PROMPT_CHARS, MAX_STDOUT_CHARS, prompt_cut};
pub use lines::Lines;
pub use managed::{BAND, Managed, Sandboxes, Setting, Tools};
pub use message::{AgentMessage, ReplyError};
pub use method::{is_send_method, method_not_found};
pub use mode::{CardTexts, MODES, Mode, ModeFiles, Sessions};
pub use offset::{offset_bytes, parse_offset};
pub use role::with_role;
pub use sessions::{LastOutput, Session, SessionMap};
pub use transcript::{Direction, TranscriptRecord};
