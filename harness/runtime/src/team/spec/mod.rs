//! What a team is to be (team sheet 3): [`normalise`] makes sense of what authors write, [`validate`] judges it, [`load`] finds it on the disk,
//! [`agents`] knows who can be a member.

pub(crate) mod agents;
pub(crate) mod load;
mod normalise;
mod validate;

use serde_json::{Map, Value};

pub(crate) use normalise::Author;

/// Why a specification is refused. `field` is the place in what the author wrote (TEAM-SPEC-11).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SpecError {
    /// The kind of mistake.
    pub code: &'static str,
    /// Where it is.
    pub field: String,
    /// The member that it is about.
    pub member: Option<String>,
    /// What was expected, and what came.
    pub message: String,
}

impl SpecError {
    pub(crate) fn new(code: &'static str, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, field: field.into(), member: None, message: message.into() }
    }

    /// One that no other code speaks of.
    fn invalid(field: impl Into<String>, reason: &str) -> Self {
        let field = field.into();
        let message = format!("Invalid team spec field '{field}': {reason}");
        Self::new("INVALID_TEAM_SPEC", field, message)
    }

    fn of(mut self, member: &str) -> Self {
        self.member = Some(member.to_owned());
        self
    }
}

/// Who a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It runs the junior agent with the model of a category.
    Category { category: String, prompt: String },
    /// It runs a named agent.
    Agent { agent: String, prompt: Option<String> },
}

/// One member of a specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpecMember {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) worktree_path: Option<String>,
    pub(crate) color: Option<String>,
}

impl SpecMember {
    /// The agent that its session runs.
    pub(crate) fn agent(&self) -> &str {
        match &self.kind {
            Kind::Category { .. } => "sisyphus-junior",
            Kind::Agent { agent, .. } => agent,
        }
    }

    pub(crate) fn category(&self) -> Option<&str> {
        match &self.kind {
            Kind::Category { category, .. } => Some(category),
            Kind::Agent { .. } => None,
        }
    }

    pub(crate) fn prompt(&self) -> Option<&str> {
        match &self.kind {
            Kind::Category { prompt, .. } => Some(prompt),
            Kind::Agent { prompt, .. } => prompt.as_deref(),
        }
    }
}

/// A specification that keeps the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TeamSpec {
    pub(crate) name: String,
    pub(crate) lead: String,
    pub(crate) members: Vec<SpecMember>,
}

/// Reads what an author wrote.
pub(crate) fn read(written: &Value, author: &Author) -> Result<TeamSpec, SpecError> {
    let Value::Object(written) = written else {
        let found = gauntlet_protocol::json::type_name(written);
        return Err(SpecError::invalid("", &format!("expected an object, found {found}")));
    };
    validate::spec(normalise::spec(written, author)?, author.max_members)
}

/// A member on its way, with the place where its author wrote it.
#[derive(Debug, Clone)]
struct Draft {
    path: String,
    fields: Map<String, Value>,
}

impl Draft {
    fn text(&self, key: &str) -> Option<&str> {
        self.fields.get(key).and_then(Value::as_str)
    }

    fn name(&self) -> &str {
        self.text("name").unwrap_or_default()
    }

    fn place(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }
}

/// A specification on its way.
#[derive(Debug)]
struct Drafted {
    fields: Map<String, Value>,
    members: Vec<Draft>,
    lead: Option<String>,
}
