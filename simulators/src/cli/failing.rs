//! How a failing turn shows, as data, and playing it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scene::Scene;
use super::stop::Stop;
use super::template::{EventTemplate, Slot, Template};
use crate::stage::Failure;
use gauntlet_world::injection::Millis;

/// How each failure of the model shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureTalk<F> {
    /// The model answers 401.
    pub unauthorized: F,
    /// The model's stream breaks off in the middle.
    pub cut: F,
    /// No provider can be reached.
    pub no_provider: F,
}

impl<F> FailureTalk<F> {
    /// How this failure shows.
    pub fn of(&self, failure: Failure) -> &F {
        match failure {
            Failure::Unauthorized => &self.unauthorized,
            Failure::Cut => &self.cut,
            Failure::NoProvider => &self.no_provider,
        }
    }
}

/// What a failing turn prints, and how it ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FailureSteps {
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The exit code.
    pub exit: i32,
}

/// One step of a failing turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// An event is printed.
    Stdout(EventTemplate),
    /// A line is printed on standard error.
    Stderr(Template),
    /// Time passes.
    Wait(Millis),
    /// An event is printed again and again, until the process is ended from outside.
    Repeat(Repeat),
}

/// An event that is printed again and again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// The time between two.
    pub every: Millis,
    /// The event.
    pub stdout: EventTemplate,
}

impl FailureSteps {
    /// Plays the steps and gives the exit code.
    pub(crate) async fn play(&self, scene: &Scene<'_>, fill: &dyn Fn(Slot) -> Value) -> Result<i32, Stop> {
        for step in &self.steps {
            match step {
                Step::Stdout(event) => scene.console.event(event.event(fill)).await?,
                Step::Stderr(line) => scene.console.error_line(&line.text(fill)).await?,
                Step::Wait(time) => scene.host.clock().sleep(time.duration()).await,
                Step::Repeat(repeat) => loop {
                    scene.console.event(repeat.stdout.event(fill)).await?;
                    scene.host.clock().sleep(repeat.every.duration()).await;
                },
            }
        }
        Ok(self.exit)
    }
}
