//! The published JSON Schema of scenario files.

use serde_json::Value;

use super::Scenario;

/// The schema, for editors: `# yaml-language-server: $schema=…` at the top of a file checks it as it is typed.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    if let Value::Object(members) = &mut schema {
        members.insert("$id".to_owned(), Value::String("gauntlet.scenario/1".to_owned()));
        members.insert("title".to_owned(), Value::String("A scenario of Gauntlet".to_owned()));
    }
    schema
}
