//! The published JSON Schema of scenario files.

use schemars::JsonSchema;
use serde_json::Value;

use super::Scenario;

/// The schema, for editors: `# yaml-language-server: $schema=…` at the top of a file checks it as it is typed.
pub fn schema() -> Value {
    of::<Scenario>("gauntlet.scenario/1", "A scenario of Gauntlet")
}

/// The schema of what a user writes, with what it is.
pub(crate) fn of<T: JsonSchema>(id: &str, title: &str) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("$id".to_owned(), Value::String(id.to_owned()));
        members.insert("title".to_owned(), Value::String(title.to_owned()));
    }
    schema
}
