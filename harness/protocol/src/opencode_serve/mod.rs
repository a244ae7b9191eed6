//! The HTTP interface of `opencode serve`, as far as a session host is driven through it: sessions, asynchronous prompts, histories,
//! and the event stream. Read from recordings of release 1.18.33.
//!
//! A reader takes what it needs and passes over the rest, since the host adds members between releases. What it needs and does not
//! find is a typed error.

mod event;
mod message;
mod prompt;
mod refusal;
mod session;
mod sse;
mod status;

pub use event::{Event, EventKind};
pub use message::{Message, Part};
pub use prompt::Prompt;
pub use refusal::{Refusal, TurnError};
pub use session::{NewSession, Session};
pub use sse::{Frame, MAX_EVENT, SseReader};
pub use status::{SessionStatus, statuses};

/// The paths of the interface. A session's id is one segment, whatever is in it.
pub mod path {
    /// Where sessions are listed and created.
    pub const SESSIONS: &str = "/session";
    /// Where it is told what sessions are doing.
    pub const STATUSES: &str = "/session/status";
    /// Where events come from.
    pub const EVENTS: &str = "/event";

    /// Where one session is.
    pub fn session(id: &str) -> String {
        format!("{SESSIONS}/{}", segment(id))
    }

    /// What belongs to a session: `message`, `prompt_async`, `abort`, `children`.
    pub fn of_session(id: &str, what: &str) -> String {
        format!("{}/{what}", session(id))
    }

    /// A text as one segment of a path. Dots are escaped where they would lead elsewhere.
    fn segment(text: &str) -> String {
        let leads_elsewhere = !text.is_empty() && text.bytes().all(|byte| byte == b'.');
        text.bytes().fold(String::new(), |mut path, byte| {
            let plain = byte.is_ascii_alphanumeric() || b"-_~".contains(&byte);
            if plain || (byte == b'.' && !leads_elsewhere) {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
            path
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_id_never_leaves_its_segment() {
            assert_eq!(session("ses_1aB"), "/session/ses_1aB");
            assert_eq!(of_session("../x?y#z", "abort"), "/session/..%2Fx%3Fy%23z/abort");
            assert_eq!(session(".."), "/session/%2E%2E");
            assert_eq!(session("ü"), "/session/%C3%BC");
        }
    }
}
