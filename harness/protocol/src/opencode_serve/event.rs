//! What the event stream tells.

use serde_json::Value;

use super::refusal::TurnError;
use super::status::SessionStatus;
use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

const WHAT: &str = "event of the host";

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id. The same event keeps it, so that one that comes twice is known.
    pub id: Option<String>,
    /// The session that it is about.
    pub session: Option<String>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// The stream began: what was before is not told.
    Connected,
    /// A session was made.
    Created {
        /// The session that it belongs to.
        parent: Option<String>,
    },
    /// A session changed.
    Updated,
    /// A session is gone.
    Deleted,
    /// A session does something else now.
    Status(SessionStatus),
    /// A session has nothing more to do.
    Idle,
    /// A turn failed.
    Error(TurnError),
    /// A message was begun, or is whole.
    Message {
        /// Its id.
        id: String,
        /// `user` or `assistant`.
        role: String,
        /// Whether it is whole.
        is_completed: bool,
    },
    /// Something else, by its type.
    Other(String),
}

impl Event {
    /// Reads the data of one frame.
    pub fn parse(data: &str) -> Result<Self, ParseError> {
        let value = json::parse(WHAT, data.as_bytes())?;
        let fields = Fields::of(WHAT, &value)?;
        let name = fields.string("type")?;
        let properties = fields.object("properties")?;
        let session = SESSION.iter().find_map(|pointer| value.pointer(pointer).and_then(Value::as_str));
        // What is told of no session, but is about one, would be told to nobody.
        let session = session.map(str::to_owned);
        let is_about_one = matches!(
            name,
            "session.created" | "session.updated" | "session.deleted" | "session.idle" | "session.status"
        );
        if is_about_one && session.is_none() {
            return Err(properties.wrong("sessionID", "the id of a session"));
        }
        let kind = match name {
            "server.connected" => EventKind::Connected,
            "session.created" => EventKind::Created {
                parent: value.pointer("/properties/info/parentID").and_then(Value::as_str).map(str::to_owned),
            },
            "session.updated" => EventKind::Updated,
            "session.deleted" => EventKind::Deleted,
            "session.idle" => EventKind::Idle,
            "session.status" => EventKind::Status(SessionStatus::read(&properties.object("status")?)?),
            // Who only learns that something failed has to look anyway, so that an error without its reason is still one.
            "session.error" => {
                EventKind::Error(TurnError::read(properties.get("error").unwrap_or(&Value::Null)))
            }
            "message.updated" => {
                let info = properties.object("info")?;
                EventKind::Message {
                    id: info.string("id")?.to_owned(),
                    role: info.string("role")?.to_owned(),
                    is_completed: value
                        .pointer("/properties/info/time/completed")
                        .is_some_and(|time| !time.is_null()),
                }
            }
            other => EventKind::Other(other.to_owned()),
        };
        Ok(Self { id: fields.optional_string("id")?.map(str::to_owned), session, kind })
    }
}

/// Where the id of the session stands, the first that is there (team sheet 13, opencode sheet 5.3).
const SESSION: [&str; 4] = [
    "/properties/sessionID",
    "/properties/info/sessionID",
    "/properties/part/sessionID",
    "/properties/info/id",
];
