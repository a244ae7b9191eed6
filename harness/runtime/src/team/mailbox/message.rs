//! One message, as its file has it (team sheet 4.2).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::team::error::TeamError;
use crate::team::names::MessageId;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Message,
    Announcement,
    ShutdownRequest,
    ShutdownApproved,
    ShutdownRejected,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Announcement => "announcement",
            Self::ShutdownRequest => "shutdown_request",
            Self::ShutdownApproved => "shutdown_approved",
            Self::ShutdownRejected => "shutdown_rejected",
        }
    }
}

/// A file that a message speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reference {
    pub(crate) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Message {
    version: u32,
    pub(crate) message_id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: Kind,
    pub(crate) body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) references: Option<Vec<Reference>>,
    pub(crate) timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) correlation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
}

impl Message {
    pub(crate) fn new(
        id: &MessageId,
        from: &str,
        to: &str,
        kind: Kind,
        body: String,
        timestamp: i64,
    ) -> Self {
        Self {
            version: 1,
            message_id: id.as_str().to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            kind,
            body,
            summary: None,
            references: None,
            timestamp,
            correlation_id: None,
            color: None,
        }
    }

    /// Reads the file of the message with this id. The reason says why it is none.
    pub(crate) fn parse(id: &MessageId, content: &[u8]) -> Result<Self, String> {
        let message: Self = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        if message.version != 1 {
            return Err(format!("version must be 1, found {}", message.version));
        }
        if message.message_id != id.as_str() {
            return Err(format!("messageId must be that of the file, found {:?}", message.message_id));
        }
        if message.timestamp <= 0 {
            return Err(format!("timestamp must be over 0, found {}", message.timestamp));
        }
        Ok(message)
    }
}

/// Reads the references of a call.
pub(crate) fn references(value: &Value) -> Result<Option<Vec<Reference>>, TeamError> {
    let wrong = |reason: String| TeamError::InvalidMessage { field: "references", reason };
    match value {
        Value::Null => Ok(None),
        value => {
            let read: Vec<Reference> =
                serde_json::from_value(value.clone()).map_err(|error| wrong(error.to_string()))?;
            if read.iter().any(|reference| reference.path.is_empty()) {
                return Err(wrong("must each have a path".to_owned()));
            }
            Ok(Some(read).filter(|read| !read.is_empty()))
        }
    }
}

/// Reads the correlation id of a call: a UUID. An empty text is as good as none.
pub(crate) fn correlation(value: &Value) -> Result<Option<String>, TeamError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) if is_uuid(text) => Ok(Some(text.clone())),
        other => {
            let reason = format!("must be a UUID, found {other}");
            Err(TeamError::InvalidMessage { field: "correlationId", reason })
        }
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_correlation_is_a_uuid_or_nothing() {
        let uuid = "00000000-0000-4000-8000-00000000000a";
        assert_eq!(correlation(&json!(uuid)).unwrap().as_deref(), Some(uuid));
        assert_eq!(correlation(&json!("")).unwrap(), None);
        for wrong in [json!("x"), json!(7), json!("00000000-0000-4000-8000-00000000000")] {
            assert!(correlation(&wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written_and_never_in_part(body in any::<String>(), cut in 0..600usize) {
            let id = MessageId::new("m").unwrap();
            let message = Message::new(&id, "a", "b", Kind::Message, body, 5);
            let file = crate::team::files::pretty(&message);
            prop_assert_eq!(Message::parse(&id, &file).unwrap(), message);
            if cut + 2 < file.len() {
                prop_assert!(Message::parse(&id, &file[..cut]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Message::parse(&MessageId::new("m").unwrap(), &bytes);
        }
    }
}
