//! What a turn is made of.

use serde_json::Value;

use crate::error::ParseError;
use crate::fields::Fields;

/// One thing that the agent did in a turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// `item_0` and so on; the same when it starts and when it completes. Empty when absent.
    pub id: String,
    /// What it did.
    pub kind: ItemKind,
}

/// What an item is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// The agent spoke; the last such text of a turn is its reply.
    AgentMessage {
        /// What it said.
        text: String,
    },
    /// The agent ran a shell command.
    CommandExecution {
        /// The command line.
        command: String,
        /// Standard output and standard error together, so far.
        output: String,
        /// Nothing while it runs.
        exit_code: Option<i64>,
        /// `in_progress`, `completed` and others.
        status: String,
    },
    /// The CLI complains; the turn goes on.
    Error {
        /// About what.
        message: String,
    },
    /// A type that is not read here, such as a file change.
    Other(String),
}

impl Item {
    pub(super) fn read(fields: &Fields<'_>) -> Result<Item, ParseError> {
        let text = |key| fields.optional_string(key).map(|text| text.unwrap_or_default().to_owned());
        let kind = match fields.string("type")? {
            "agent_message" => ItemKind::AgentMessage { text: fields.string("text")?.to_owned() },
            "command_execution" => ItemKind::CommandExecution {
                command: fields.string("command")?.to_owned(),
                output: text("aggregated_output")?,
                exit_code: fields.get("exit_code").and_then(Value::as_i64),
                status: text("status")?,
            },
            "error" => ItemKind::Error { message: fields.string("message")?.to_owned() },
            other => ItemKind::Other(other.to_owned()),
        };
        // An odd id does not make the text unreadable for a receiver, so it must not here.
        Ok(Item { id: fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(), kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codex::Event;

    #[test]
    fn a_running_command_has_no_exit_code_yet() {
        let line = br#"{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"ls","aggregated_output":"","exit_code":null,"status":"in_progress"}}"#;
        let Ok(Event::ItemStarted { item }) = Event::parse_line(line) else { panic!("an item") };
        let ItemKind::CommandExecution { exit_code, status, .. } = item.kind else { panic!("a command") };
        assert_eq!((exit_code, status.as_str()), (None, "in_progress"));
    }

    #[test]
    fn an_item_needs_no_id() {
        let line = br#"{"type":"item.completed","item":{"type":"todo_list"}}"#;
        let item = Item { id: String::new(), kind: ItemKind::Other("todo_list".to_owned()) };
        assert_eq!(Event::parse_line(line), Ok(Event::ItemCompleted { item }));
    }
}
