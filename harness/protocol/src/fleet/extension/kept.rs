//! A structured task as a receiver keeps it in its inbox.

use serde_json::{Map, Value, json};

use super::Due;
use super::task::Task;
use crate::fleet::ContextId;

/// What must be known of a task until its outcome is sent, across crashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What the dispatch said beside its text.
    pub task: Task,
    /// The `messageId` of the dispatch, when it had one.
    pub of: Option<String>,
    /// Until when it may take, if it says so.
    pub due: Option<Due>,
}

impl Kept {
    /// The context that the outcome names, when the dispatch came on this one.
    pub fn answers_on<'a>(&'a self, context: &'a str) -> &'a str {
        let other = self.task.reply_to.as_ref().and_then(|reply_to| reply_to.context.as_ref());
        other.map_or(context, ContextId::as_str)
    }

    /// As a member of a record.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.insert("payload".to_owned(), self.task.to_value());
        if let Some(of) = &self.of {
            map.insert("of".to_owned(), json!(of));
        }
        if let Some(due) = &self.due {
            map.insert("due".to_owned(), due.to_value());
        }
        Value::Object(map)
    }

    /// Reads a member of a record; nothing when it is none of these.
    pub fn from_value(value: &Value) -> Option<Kept> {
        Some(Kept {
            task: Task::from_value(value.get("payload")?).ok()?,
            of: value.get("of").and_then(Value::as_str).map(str::to_owned),
            due: value.get("due").and_then(Due::from_value),
        })
    }
}
