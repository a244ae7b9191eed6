//! The answer of `GET /health`.

use serde_json::{Value, json};

use crate::error::ParseError;
use crate::fields::Fields;
use crate::json;

/// Who answers on a port, and for which repository (fact sheet 2.1, FLEET-HTTP-01, FLEET-HTTP-02).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether the receiver calls itself well.
    pub ok: bool,
    /// The receiver's peer name.
    pub name: String,
    /// The repository as its configuration spells it. A Hermes node names none.
    pub repo_path: Option<String>,
}

impl Health {
    /// The body, members in the product line's order.
    pub fn to_value(&self) -> Value {
        let mut value = json!({"ok": self.ok, "name": self.name});
        if let Some(repo_path) = &self.repo_path {
            value["repo_path"] = json!(repo_path);
        }
        value
    }

    /// Reads a body. A name or a path that is absent is tolerated, since the caller compares them anyway.
    pub fn parse(body: &[u8]) -> Result<Health, ParseError> {
        let value = json::parse("health answer", body)?;
        let fields = Fields::of("health answer", &value)?;
        let ok =
            fields.get("ok").and_then(Value::as_bool).ok_or_else(|| fields.wrong("ok", "true or false"))?;
        let name = fields.optional_string("name")?.unwrap_or_default().to_owned();
        Ok(Health { ok, name, repo_path: fields.optional_string("repo_path")?.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_the_recorded_one() {
        let health = Health {
            ok: true,
            name: "codex".to_owned(),
            repo_path: Some("SCRATCH/probe/codex/repo".to_owned()),
        };
        let body = json::spaced(&health.to_value());
        assert_eq!(body, r#"{"ok": true, "name": "codex", "repo_path": "SCRATCH/probe/codex/repo"}"#);
        assert_eq!(body.len(), 70, "the recorded Content-Length");
        assert_eq!(Health::parse(body.as_bytes()), Ok(health));
    }

    #[test]
    fn an_answer_without_a_verdict_is_refused() {
        assert_eq!(Health::parse(b"{\"ok\": \"yes\"}").expect_err("a string").at, "/ok");
    }
}
