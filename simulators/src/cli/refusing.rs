//! Refusing a session, as data, and playing it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scene::Scene;
use super::stop::Stop;
use super::template::{EventTemplate, Slot, Template};

/// How a session that cannot be had is refused, `{session}` (or `{thread}`) being the id that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusing {
    /// The events on standard output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stdout: Vec<EventTemplate>,
    /// The lines on standard error.
    pub stderr: Vec<Template>,
    /// The exit code.
    pub exit: i32,
}

impl Refusing {
    /// Refuses the session with this id, and gives the exit code.
    pub(crate) async fn play(
        &self,
        scene: &Scene<'_>,
        id: &str,
        fill: &dyn Fn(Slot) -> Value,
    ) -> Result<i32, Stop> {
        let fill = |slot| match slot {
            Slot::Session | Slot::Thread => Value::String(id.to_owned()),
            other => fill(other),
        };
        for event in &self.stdout {
            scene.console.event(event.event(&fill)).await?;
        }
        for line in &self.stderr {
            scene.console.error_line(&line.text(&fill)).await?;
        }
        Ok(self.exit)
    }
}
