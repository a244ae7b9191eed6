//! The contract of a Hermes node (fleet sheet 4.1 to 4.4): what a message to it says, its fixed texts, its card, and what it
//! hands to those who answer for it. Everything is pure: the state that a node keeps is its own affair.

mod card;
pub mod feed;
mod inbound;
mod minds;
pub mod refusal;

pub use card::hermes_card;
pub use inbound::{Inbound, STRANGER};
pub use minds::{Agent, AgentAnswer, AgentTurn, Model, ModelAnswer, ModelCall, Said, session_key};

/// The version that card and health show.
pub const VERSION: &str = "0.1.0";

/// How many records of a context the handler `llm` remembers; one exchange is two.
pub const MAX_RECORDS: usize = 20;

/// How many contexts it remembers.
pub const MAX_CONTEXTS: usize = 500;
