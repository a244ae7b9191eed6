//! The tool registry: the one way to reach what the runtime can do.

use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::rc::Rc;

use gauntlet_protocol::json;
use serde_json::Value;

/// A running call.
pub type Running = Pin<Box<dyn Future<Output = Value>>>;

/// A JSON Schema, made when somebody looks at it: most tools are there and are never called.
pub struct Schema(LazyCell<Value, Box<dyn FnOnce() -> Value>>);

impl Schema {
    /// The schema that this makes.
    pub fn new(make: impl FnOnce() -> Value + 'static) -> Self {
        Self(LazyCell::new(Box::new(make)))
    }
}

impl From<Value> for Schema {
    fn from(schema: Value) -> Self {
        Self::new(move || schema)
    }
}

impl Deref for Schema {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

/// What a tool does for whoever calls.
pub type Handler = Rc<dyn Fn(&Caller, Value) -> Running>;

/// One tool: what a model is told of it, and what it does.
pub struct Tool {
    /// The name that callers use, for instance `fleet_send`.
    pub name: &'static str,
    /// The toolset that it belongs to, for instance `a2a`.
    pub toolset: &'static str,
    /// What it does, for the model.
    pub description: &'static str,
    /// JSON Schema of the arguments: an object schema with `properties` and `required`.
    pub arguments: Schema,
    /// JSON Schema of the result.
    pub result: Schema,
    /// Carries out a call whose arguments keep the schema. It never fails: what goes wrong is part of the result.
    pub handler: Handler,
}

/// Who calls: the toolsets that are open to it, and the session that it is, if it is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    toolsets: BTreeSet<String>,
    session: Session,
}

/// The session that a call comes from, as its host tells it. A call cannot say this of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: Option<String>,
    /// The agent that it runs.
    pub agent: Option<String>,
    /// The message in which the call was made.
    pub message: Option<String>,
    /// Its folder.
    pub directory: Option<String>,
}

impl Caller {
    /// A caller with these toolsets.
    pub fn with<'a>(toolsets: impl IntoIterator<Item = &'a str>) -> Self {
        Self { toolsets: toolsets.into_iter().map(str::to_owned).collect(), session: Session::default() }
    }

    /// The same caller, as this session.
    #[must_use]
    pub fn of_session(mut self, session: Session) -> Self {
        self.session = session;
        self
    }

    /// The session that calls.
    pub fn session(&self) -> &Session {
        &self.session
    }
}

/// Why a tool was not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The caller sees no tool of this name. A tool that exists and is not open to the caller gives the same answer.
    #[error("there is no tool {0:?}")]
    NoSuchTool(String),
    /// The arguments do not keep the tool's schema.
    #[error("{tool}: {reason}")]
    Arguments {
        /// The tool.
        tool: String,
        /// What was expected, and what came.
        reason: String,
    },
}

/// All tools of a runtime, by name.
#[derive(Default)]
pub struct Registry {
    tools: BTreeMap<&'static str, Tool>,
}

impl Registry {
    /// Adds a tool. A second tool of the same name takes the place of the first.
    pub fn add(&mut self, tool: Tool) {
        self.tools.insert(tool.name, tool);
    }

    /// The tools that a caller sees, in order of name.
    pub fn visible<'a>(&'a self, caller: &'a Caller) -> impl Iterator<Item = &'a Tool> {
        self.tools.values().filter(|tool| caller.toolsets.contains(tool.toolset))
    }

    /// Judges a call, and carries nothing out. Nothing when there is no such tool for anybody.
    pub(crate) fn judge(&self, caller: &Caller, name: &str, arguments: &Value) -> Option<Judged> {
        let tool = self.tools.get(name)?;
        let properties = tool.arguments.get("properties");
        let is_known = |name: &String| properties.is_some_and(|known| known.get(name).is_some());
        Some(Judged {
            open: caller.toolsets.contains(tool.toolset),
            unknown: arguments.as_object().is_some_and(|given| !given.keys().all(is_known)),
            refused: check(&tool.arguments, arguments).err(),
        })
    }

    /// Carries out a call as it was judged.
    pub(crate) async fn carry_out(
        &self,
        caller: &Caller,
        name: &str,
        arguments: Value,
        judged: Option<Judged>,
    ) -> Result<Value, CallError> {
        let (Some(tool), Some(judged)) = (self.tools.get(name), judged.filter(|judged| judged.open)) else {
            return Err(CallError::NoSuchTool(name.chars().take(100).collect()));
        };
        match judged.refused {
            Some(reason) => Err(CallError::Arguments { tool: name.to_owned(), reason }),
            None => Ok((tool.handler)(caller, arguments).await),
        }
    }
}

/// What is thought of a call before it is carried out.
pub(crate) struct Judged {
    /// The caller has the tool's toolset.
    pub(crate) open: bool,
    /// There are arguments that the tool does not know.
    pub(crate) unknown: bool,
    /// What is wrong with those that it knows.
    pub(crate) refused: Option<String>,
}

/// Checks arguments against the part of JSON Schema that tools use: an object with typed and required properties.
/// Properties that the schema does not name pass: callers may inject a `task_id` (FLEET-CLI-05).
fn check(schema: &Value, arguments: &Value) -> Result<(), String> {
    let Value::Object(given) = arguments else {
        return Err(format!("expected an object of arguments, found {}", json::type_name(arguments)));
    };
    let required =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    for name in required {
        if given.get(name).is_none_or(Value::is_null) {
            return Err(format!("the argument {name:?} is required"));
        }
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let Some(value) = given.get(name).filter(|value| !value.is_null()) else { continue };
        // One type, or any of several.
        let expected: Vec<&str> = match property.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        if !expected.iter().any(|expected| fits(value, expected)) {
            return Err(format!(
                "the argument {name:?} must be of type {}, found {}",
                expected.join(" or "),
                json::type_name(value)
            ));
        }
    }
    Ok(())
}

fn fits(value: &Value, expected: &str) -> bool {
    match expected {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn registry() -> Registry {
        let mut registry = Registry::default();
        for (name, toolset) in [("open", "a2a"), ("hidden", "hub")] {
            registry.add(Tool {
                name,
                toolset,
                description: "says what it was told",
                arguments: json!({ "type": "object", "properties": { "text": { "type": "string" } }, "required": ["text"] }).into(),
                result: json!({ "type": "object" }).into(),
                handler: Rc::new(|_, arguments| Box::pin(async move { arguments })),
            });
        }
        registry
    }

    async fn call(
        registry: &Registry,
        caller: &Caller,
        name: &str,
        arguments: Value,
    ) -> Result<Value, CallError> {
        let judged = registry.judge(caller, name, &arguments);
        registry.carry_out(caller, name, arguments, judged).await
    }

    #[tokio::test]
    async fn a_tool_of_another_toolset_is_invisible_and_answers_like_one_that_does_not_exist() {
        let (registry, caller) = (registry(), Caller::with(["a2a"]));
        assert_eq!(registry.visible(&caller).map(|tool| tool.name).collect::<Vec<_>>(), ["open"]);
        let hidden = call(&registry, &caller, "hidden", json!({ "text": "x" })).await;
        let missing = call(&registry, &caller, "missing", json!({ "text": "x" })).await;
        assert_eq!(hidden, Err(CallError::NoSuchTool("hidden".to_owned())));
        assert_eq!(missing, Err(CallError::NoSuchTool("missing".to_owned())));
    }

    #[tokio::test]
    async fn arguments_that_do_not_keep_the_schema_never_reach_the_handler() {
        let (registry, caller) = (registry(), Caller::with(["a2a"]));
        for wrong in [json!([]), json!({}), json!({ "text": 7 }), json!({ "text": null })] {
            let outcome = call(&registry, &caller, "open", wrong.clone()).await;
            assert!(matches!(outcome, Err(CallError::Arguments { .. })), "{wrong} was taken");
        }
        let fine = call(&registry, &caller, "open", json!({ "text": "x", "task_id": "t" })).await;
        assert!(fine.is_ok());
    }
}
